"""What a form asks, declared in a YAML file: sections, their fields, and the paths or queries that fill each field.

Every fault names its file. What a form is for (cycles of reports, sheets of an inventory) is known elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pyoxigraph import NamedNode

from culturegraph.errors import DataError, StorageError
from culturegraph.queries import QueryFile, read_queries
from culturegraph.rdf.vocabulary import PREFIXES

LANGUAGES: Final = ("es", "en")
_STEP: Final = re.compile(r"(\^?)([a-z]+):(\w+)")
Words = Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One step of a property path; `inverse` goes from the object to the subject."""

    predicate: NamedNode
    inverse: bool = False

    def to_sparql(self) -> str:
        """Return the step as SPARQL writes it."""
        return f"{'^' if self.inverse else ''}{self.predicate}"


Path_ = tuple[Step, ...]


@dataclass(frozen=True)
class Field:
    """A cell that each row of a section has: what it asks, and the paths or the query that fill it.

    `code` is the number that the form prints, which need not be unique; `note` says why a cell may stay empty.
    """

    id: str
    title: Words
    paths: tuple[Path_, ...] = ()
    query: QueryFile | None = None
    say: tuple[NamedNode, ...] = ()
    code: str = ""
    note: Words | None = None


@dataclass(frozen=True)
class Section:
    """A part of the form: rows that a query selects, each with the same fields; or further sections.

    `ours` marks a title that we gave because that of the form was not read.
    """

    id: str
    title: Words
    pages: str = ""
    ours: bool = False
    query: QueryFile | None = None
    fields: tuple[Field, ...] = ()
    sections: tuple[Section, ...] = ()

    def walk(self) -> Iterator[Section]:
        """Yield this section and all below it."""
        yield self
        for section in self.sections:
            yield from section.walk()


@dataclass(frozen=True)
class Form:
    """An edition of a form. `comparison` is the query that sets it beside earlier ones, where there are any."""

    id: str
    title: Words
    source: str
    note: Words
    sections: tuple[Section, ...]
    comparison: QueryFile | None = None


class FormReader:
    """Reads one declared form: its sections, the fields of each and the queries that fill them."""

    def __init__(self, folder: Path, file: str) -> None:
        self._file = file
        self._declared = load(folder / file)
        self._queries = {query.path.stem: query for query in read_queries(folder)}
        lists = need(self._declared, "fields", file)
        self._fields = {name: tuple(map(self._field, fields)) for name, fields in lists.items()}

    def read(self) -> Form:
        """Return the form."""
        return Form(
            id=str(self._get("id")),
            title=read_words(self._get("title"), self._file),
            source=str(self._get("source")),
            note=read_words(self._get("note"), self._file),
            sections=tuple(map(self._section, self._get("sections"))),
            comparison=self._query(self._declared["comparison"]) if "comparison" in self._declared else None,
        )

    def _get(self, key: str) -> Any:
        return need(self._declared, key, self._file)

    def _section(self, declared: Mapping[str, Any]) -> Section:
        unknown = set(declared) - {"id", "title", "pages", "ours", "query", "fields", "sections"}
        if unknown:
            raise DataError(f"has unknown keys in a section: {', '.join(sorted(unknown))}", self._file)
        fields = declared.get("fields")
        if fields is not None and fields not in self._fields:
            raise DataError(f"names a list of fields that is not there: {fields}", self._file)
        if ("query" in declared) is not (fields is not None) or ("query" in declared) is ("sections" in declared):
            raise DataError(f"needs `query` and `fields`, or `sections`: {declared.get('id')}", self._file)
        return Section(
            id=str(need(declared, "id", self._file)),
            title=read_words(need(declared, "title", self._file), self._file),
            pages=str(declared.get("pages", "")),
            ours=bool(declared.get("ours")),
            query=self._query(declared["query"]) if "query" in declared else None,
            fields=self._fields[fields] if fields else (),
            sections=tuple(map(self._section, declared.get("sections", ()))),
        )

    def _field(self, declared: Mapping[str, Any]) -> Field:
        unknown = set(declared) - {"id", "code", "title", "path", "query", "say", "note"}
        if unknown:
            raise DataError(f"has unknown keys in a field: {', '.join(sorted(unknown))}", self._file)
        return Field(
            id=str(need(declared, "id", self._file)),
            title=read_words(need(declared, "title", self._file), self._file),
            paths=tuple(map(self._path, declared.get("path", ()))),
            query=self._query(declared["query"]) if "query" in declared else None,
            say=tuple(self._path(name)[0].predicate for name in declared.get("say", ())),
            code=str(declared.get("code", "")),
            note=read_words(declared["note"], self._file) if "note" in declared else None,
        )

    def _path(self, text: str) -> Path_:
        return tuple(map(self._step, str(text).split("/")))

    def _step(self, text: str) -> Step:
        match = _STEP.fullmatch(text)
        if match is None or match[2] not in PREFIXES:
            raise DataError(f"has a step of a path that is no prefixed name: {text}", self._file)
        return Step(NamedNode(PREFIXES[match[2]] + match[3]), inverse=bool(match[1]))

    def _query(self, name: str) -> QueryFile:
        if name not in self._queries:
            raise DataError(f"names a query that is not in the folder: {name}.rq", self._file)
        return self._queries[name]


def need(declared: Any, key: str, file: str) -> Any:
    """Return what a file declares under a key. Raises DataError where it declares nothing."""
    if not isinstance(declared, Mapping) or key not in declared:
        raise DataError(f"needs `{key}`", file)
    return declared[key]


def read_words(value: Any, file: str) -> Words:
    """Return a text in each language. Raises DataError where one is missing."""
    if not isinstance(value, Mapping) or set(value) != set(LANGUAGES):
        raise DataError(f"needs a text for each of {', '.join(LANGUAGES)}: {value}", file)
    return {language: str(text).strip() for language, text in value.items()}


def load(path: Path) -> Any:
    """Return what a YAML file holds. Raises DataError for its faults, StorageError where it cannot be read."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise DataError(f"is not YAML: {error.problem}", path.name, mark.line + 1 if mark else None) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
