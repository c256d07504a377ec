"""Query files: plain SPARQL under a head of `#+` lines that hold YAML (grlc style).

One file is documentation, test, web example and endpoint example at once. This module reads heads; it knows neither
where a query runs nor what its result means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pyoxigraph import Store

from culturegraph.errors import DataError, DataErrors, StorageError
from culturegraph.rdf.sparql_text import locate_syntax_error, outline
from culturegraph.rdf.vocabulary import PREFIXES

_HEAD = "#+"


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
