"""Reads the form: cycles, sections, fields and the queries that fill them. Every fault names its file.

Source: the online form https://unesco.tfaforms.net/3 (sections); the Policy Monitoring Platform of UNESCO (fields).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import yaml
from pyoxigraph import NamedNode

from culturegraph.errors import DataError, NotFoundError, StorageError
from culturegraph.queries import QueryFile, read_queries
from culturegraph.rdf.vocabulary import BASE, PREFIXES

FOLDER: Final = Path("exports") / "unesco-qpr"
LANGUAGES: Final = ("es", "en")
_CYCLES: Final = "cycles.yaml"
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
    """A cell that each row of a section has: what it asks, and the paths or the query that fill it."""

    id: str
    title: Words
    paths: tuple[Path_, ...] = ()
    query: QueryFile | None = None
    say: tuple[NamedNode, ...] = ()


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
    """An edition of the form."""

    id: str
    title: Words
    source: str
    note: Words
    comparison: QueryFile
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Cycle:
    """A round of reports: its form, the event of the graph that is its due date, the reports before it."""

    id: str
    title: Words
    due: NamedNode
    verification: Words
    earlier: tuple[NamedNode, ...]
    form: Form


def list_cycles(queries: Path) -> tuple[str, Sequence[str]]:
    """Return the default cycle and the ids of all, newest first. Raises DataError, StorageError."""
    declared = _load(queries / FOLDER / _CYCLES)
    ids = sorted((str(cycle["id"]) for cycle in _need(declared, "cycles", _CYCLES)), reverse=True)
    return str(_need(declared, "default", _CYCLES)), ids


def revision(queries: Path) -> str:
    """Return what changes with the declared cycles and forms."""
    files = sorted((queries / FOLDER).glob("*.yaml"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def read_cycle(queries: Path, name: str | None = None) -> Cycle:
    """Read a cycle with its form. Raises NotFoundError for an unknown cycle, DataError for a fault of the files."""
    default, known = list_cycles(queries)
    wanted = name or default
    if wanted not in known:
        raise NotFoundError(f"there is no cycle {wanted!r}; there is {', '.join(known)}")
    folder = queries / FOLDER
    cycle = next(c for c in _load(folder / _CYCLES)["cycles"] if str(c["id"]) == wanted)
    return Cycle(
        id=wanted,
        title=_words(_need(cycle, "title", _CYCLES), _CYCLES),
        due=NamedNode(BASE + _need(cycle, "due", _CYCLES)),
        verification=_words(_need(cycle, "verification", _CYCLES), _CYCLES),
        earlier=tuple(NamedNode(BASE + report) for report in _need(cycle, "earlier", _CYCLES)),
        form=_Reader(folder, f"{_need(cycle, 'form', _CYCLES)}.yaml").read(),
    )


class _Reader:
    def __init__(self, folder: Path, file: str) -> None:
        self._file = file
        self._declared = _load(folder / file)
        self._queries = {query.id.removeprefix("qpr-"): query for query in read_queries(folder)}
        lists = _need(self._declared, "fields", file)
        self._fields = {name: tuple(map(self._field, fields)) for name, fields in lists.items()}

    def read(self) -> Form:
        """Return the form."""
        return Form(
            id=str(self._get("id")),
            title=_words(self._get("title"), self._file),
            source=str(self._get("source")),
            note=_words(self._get("note"), self._file),
            comparison=self._query(self._get("comparison")),
            sections=tuple(map(self._section, self._get("sections"))),
        )

    def _get(self, key: str) -> Any:
        return _need(self._declared, key, self._file)

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
            id=str(_need(declared, "id", self._file)),
            title=_words(_need(declared, "title", self._file), self._file),
            pages=str(declared.get("pages", "")),
            ours=bool(declared.get("ours")),
            query=self._query(declared["query"]) if "query" in declared else None,
            fields=self._fields[fields] if fields else (),
            sections=tuple(map(self._section, declared.get("sections", ()))),
        )

    def _field(self, declared: Mapping[str, Any]) -> Field:
        unknown = set(declared) - {"id", "title", "path", "query", "say"}
        if unknown:
            raise DataError(f"has unknown keys in a field: {', '.join(sorted(unknown))}", self._file)
        return Field(
            id=str(_need(declared, "id", self._file)),
            title=_words(_need(declared, "title", self._file), self._file),
            paths=tuple(map(self._path, declared.get("path", ()))),
            query=self._query(declared["query"]) if "query" in declared else None,
            say=tuple(self._path(name)[0].predicate for name in declared.get("say", ())),
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


def _need(declared: Any, key: str, file: str) -> Any:
    if not isinstance(declared, Mapping) or key not in declared:
        raise DataError(f"needs `{key}`", file)
    return declared[key]


def _words(value: Any, file: str) -> Words:
    if not isinstance(value, Mapping) or set(value) != set(LANGUAGES):
        raise DataError(f"needs a text for each of {', '.join(LANGUAGES)}: {value}", file)
    return {language: str(text).strip() for language, text in value.items()}


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise DataError(f"is not YAML: {error.problem}", path.name, mark.line + 1 if mark else None) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
