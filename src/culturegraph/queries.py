"""Query files: plain SPARQL under a head of `#+` lines that hold YAML (grlc style).

One file is documentation, test, web example and endpoint example at once. This module reads heads; it knows neither
where a query runs nor what its result means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pyoxigraph import Literal, NamedNode, Store

from culturegraph.errors import DataError, DataErrors, RequestError, StorageError
from culturegraph.rdf.sparql_text import locate_syntax_error, outline
from culturegraph.rdf.vocabulary import PREFIXES, XSD

_HEAD = "#+"
_VALUES = re.compile(r"VALUES\s+\?(\w+)\s*\{[^}]*\}")
PARAMETER_TYPES = frozenset({"iri", "string", "date", "year", "int"})


@dataclass(frozen=True)
class Parameter:
    """What a reader may choose: the terms of one `VALUES ?name { … }` of the query.

    `type` is iri, string, date, year (text of four digits) or int. `choices` is the class whose entities a form
    offers. Where `optional` is true, nothing chosen means any: the query writes `VALUES ?name { UNDEF }`.
    """

    name: str
    type: str
    label: Mapping[str, str]
    default: str | None = None
    choices: str | None = None
    optional: bool = False

    def to_term(self, text: str) -> str:
        """Return a chosen value as a SPARQL term. Raises RequestError where it is none of this type."""
        try:
            if self.type == "iri":
                return str(NamedNode(text))
            if self.type == "date":
                return f'"{date.fromisoformat(text).isoformat()}"^^<{XSD}date>'
            if self.type == "int":
                return str(int(text))
        except ValueError as error:
            raise RequestError(f"{self.name}: `{text}` is not of type {self.type}") from error
        if self.type == "year" and not re.fullmatch(r"\d{4}", text):
            raise RequestError(f"{self.name}: `{text}` is not a year of four digits")
        return str(Literal(text))


@dataclass(frozen=True)
class QueryFile:
    """One query with its head."""

    path: Path
    id: str
    text: str
    title: Mapping[str, str]
    description: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    head: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The folder that the file lies in: competency, examples, rules, checks, exports or pages."""
        return self.path.parent.name

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a reader may choose."""
        return tuple(Parameter(**declared) for declared in self.head.get("parameters", ()))

    def bind(self, chosen: Mapping[str, str]) -> str:
        """Return the query with chosen values; what is not chosen stays as the file has it.

        Raises RequestError where a value is not of its type.
        """
        terms = {
            parameter.name: parameter.to_term(text)
            for parameter in self.parameters
            if (text := chosen.get(parameter.name, "").strip())
        }

        def choose(match: re.Match[str]) -> str:
            name = match[1]
            return f"VALUES ?{name} {{ {terms[name]} }}" if name in terms else match[0]

        # In one pass: a value may look like a clause itself.
        return _VALUES.sub(choose, self.sparql)

    @property
    def form(self) -> str:
        """The query form: SELECT, ASK, CONSTRUCT or DESCRIBE."""
        return outline(self.text).form or "SELECT"

    @property
    def sparql(self) -> str:
        """The query without its head."""
        return "\n".join(line for line in self.text.splitlines() if not line.startswith(_HEAD)).strip() + "\n"


def _read_head(path: Path, text: str) -> Mapping[str, Any]:
    lines = [line[len(_HEAD) :] for line in text.splitlines() if line.startswith(_HEAD)]
    try:
        head = yaml.safe_load("\n".join(lines)) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        row = mark.line + 1 if mark else None
        raise DataError(f"has a head that is not YAML: {getattr(error, 'problem', error)}", path.name, row) from error
    if not isinstance(head, dict):
        raise DataError("has a head that is not a mapping", path.name)
    return head


def _check_parameters(path: Path, text: str, head: Mapping[str, Any]) -> None:
    """Raise DataError where a parameter is malformed or the query has no VALUES for it."""
    declared = head.get("parameters", [])
    if not isinstance(declared, list):
        raise DataError("needs `parameters` as a list", path.name)
    for item in declared:
        name = item.get("name", "?") if isinstance(item, dict) else item
        try:
            parameter = Parameter(**item)
        except TypeError as error:
            raise DataError(f"has a parameter `{name}` with a missing or unknown key: {error}", path.name) from error
        if parameter.type not in PARAMETER_TYPES:
            raise DataError(f"has a parameter `{name}` of unknown type `{parameter.type}`", path.name)
        if _VALUES.findall(text).count(parameter.name) != 1:
            raise DataError(f"needs one `VALUES ?{name} {{ … }}` for its parameter", path.name)
        if (parameter.default is None) is not parameter.optional:
            raise DataError(f"has a parameter `{name}` that needs a default, or to be optional without one", path.name)


def _languages(path: Path, head: Mapping[str, Any], key: str, *, required: bool) -> Mapping[str, str]:
    value = head.get(key, {})
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise DataError(f"needs `{key}` with a text for each language (es, en)", path.name)
    missing = {"es", "en"} - set(value) if required or value else set()
    if missing:
        raise DataError(f"has no {key} in {', '.join(sorted(missing))}", path.name)
    return value


def read_query(path: Path) -> QueryFile:
    """Read one query file. Raises DataError where the head is malformed or incomplete."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start})", path.name) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    head = _read_head(path, text)
    tags = head.get("tags", [])
    if not isinstance(tags, list):
        raise DataError("needs `tags` as a list", path.name)
    _check_parameters(path, text, head)
    return QueryFile(
        path=path,
        id=str(head.get("id", path.stem)),
        text=text,
        title=_languages(path, head, "title", required=True),
        description=_languages(path, head, "description", required=False),
        tags=tuple(map(str, tags)),
        head=head,
    )


def read_queries(folder: Path) -> list[QueryFile]:
    """Read all query files below a folder, sorted by path. Raises DataErrors with every malformed file."""
    queries, errors = [], []
    for path in sorted(folder.rglob("*.rq")):
        try:
            queries.append(read_query(path))
        except DataError as error:
            errors.append(error)
    seen: dict[str, Path] = {}
    for query in queries:
        if query.id in seen:
            errors.append(DataError(f"has the id of {seen[query.id].name}: {query.id}", query.path.name))
        seen[query.id] = query.path
    if errors:
        raise DataErrors(errors)
    return queries


def check_syntax(query: QueryFile) -> DataError | None:
    """Return the located syntax error of a query, or None. Evaluates nothing: the store is empty."""
    try:
        # The head stays: its lines are comments to SPARQL, so that line numbers are those of the file.
        Store().query(query.text, prefixes=dict(PREFIXES))
    except SyntaxError as error:
        line, column, message = locate_syntax_error(query.text, error, PREFIXES)
        return DataError(f"is not valid SPARQL: {message}", query.path.name, line, column)
    return None
