"""Reads the declared tables and fills them: a row for each combination of codes, with what was counted.

The head of a query says its `table`: the `measure` that it counts and the `dimensions` that it counts by, in the order
of its variables. Where a thing has no code in a dimension, the row says so by the code that stands for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, QuerySolutions

from culturegraph.errors import DataError, NotFoundError
from culturegraph.queries import QueryFile, read_queries
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, LABEL, PREFIXES

PROFILE: Final = "statistics"
FOLDER: Final = Path("exports") / PROFILE
ADDRESS: Final = f"{BASE}exports/{PROFILE}"
# Stands for no code; the others are IRIs, or years.
NONE: Final = f"{ADDRESS}#none"
UNKNOWN_YEAR: Final = "XXXX"
_YEAR: Final = "year"
Words = Mapping[str, str]


@dataclass(frozen=True)
class Dimension:
    """What a table counts by: its variable, title, and what is said where there is no code."""

    name: str
    title: Words
    none: Words | None = None

    @property
    def is_year(self) -> bool:
        """Whether its codes are years and not things."""
        return self.name == _YEAR

    @property
    def iri(self) -> str:
        """The IRI of the dimension."""
        return f"{ADDRESS}#{self.name}"


@dataclass(frozen=True)
class Table:
    """One declared table."""

    id: str
    query: QueryFile
    dimensions: tuple[Dimension, ...]
    measure: str
    measure_title: Words

    @property
    def iri(self) -> str:
        """The IRI of the table, which is a data set; its page has the same address."""
        return f"{ADDRESS}/{self.id}"


@dataclass(frozen=True)
class Count:
    """One row: a code for each dimension (an IRI, or a year) and what was counted."""

    codes: tuple[str, ...]
    value: int


def read_tables(queries: Path) -> Mapping[str, Table]:
    """Return the declared tables by id, in their order. Raises DataError, DataErrors."""
    files = sorted(read_queries(queries / FOLDER), key=lambda query: (query.head.get("order", 100), query.id))
    return {query.path.stem: _read(query) for query in files}


def read_table(queries: Path, name: str) -> Table:
    """Return one table. Raises NotFoundError where there is none of the name."""
    tables = read_tables(queries)
    if name not in tables:
        raise NotFoundError(f"there is no table {name!r} (there are: {', '.join(tables)})")
    return tables[name]


def _read(query: QueryFile) -> Table:
    declared: Any = query.head.get("table")
    try:
        dimensions = tuple(Dimension(**dimension) for dimension in declared["dimensions"])
        measure = declared["measure"]
        return Table(query.path.stem, query, dimensions, str(measure["name"]), dict(measure["title"]))
    except (KeyError, TypeError) as error:
        raise DataError(f"needs `table` with a measure and dimensions: {error}", query.path.name) from error


def count(store: Dataset, table: Table) -> Sequence[Count]:
    """Return the rows of a table, sorted by their codes. Raises DataError where the query has other variables."""
    rows = store.query(table.query.sparql, prefixes=dict(PREFIXES))
    names = [dimension.name for dimension in table.dimensions]
    if not isinstance(rows, QuerySolutions) or [v.value for v in rows.variables] != [*names, table.measure]:
        raise DataError(f"does not select {', '.join([*names, table.measure])}", table.query.path.name)
    found = []
    for row in rows:
        codes = tuple(_code(row[dimension.name], dimension) for dimension in table.dimensions)
        found.append(Count(codes, int(row[table.measure].value)))
    return sorted(found, key=lambda one: one.codes)


def _code(term: Any, dimension: Dimension) -> str:
    if term is None:
        return UNKNOWN_YEAR if dimension.is_year else NONE
    return str(term.value)


def name_code(store: Dataset, dimension: Dimension, code: str, language: str) -> str:
    """Return what a code is called in a language, or in another where it has no name in it."""
    if code in {NONE, UNKNOWN_YEAR}:
        return (dimension.none or {}).get(language, "")
    if dimension.is_year:
        return code
    names = [quad.object for quad in store.quads_for_pattern(NamedNode(code), LABEL, None, DefaultGraph())]
    texts = sorted((name.language != language, name.value) for name in names if isinstance(name, Literal))
    return texts[0][1] if texts else code
