"""What a graph covers and what it does not: figures by the queries `queries/pages/coverage-*.rq`, one section each.

Who knows the domain changes the queries; this module only runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import Literal

from culturegraph.errors import DataErrors
from culturegraph.queries import QueryFile, check_syntax, read_queries
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, PREFIXES, XSD, shrink

_NUMBERS = frozenset({XSD + "integer", XSD + "decimal", XSD + "double"})
Cell = str | int | float


@dataclass(frozen=True)
class Section:
    """One table of figures: a row each of what is counted."""

    id: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def to_json(self) -> dict[str, Any]:
        """Return the section for machines: its title, and each row by the names of its columns."""
        return {"title": self.title, "rows": [dict(zip(self.header, row, strict=True)) for row in self.rows]}

    def to_text(self) -> list[str]:
        """Return the lines of the table, columns aligned, numbers to the right."""
        table = [list(self.header), *([_show(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        numeric = [
            bool(self.rows) and all(isinstance(row[place], int | float) or row[place] == "" for row in self.rows)
            for place in range(len(self.header))
        ]
        return [
            "  ".join(
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(line, widths, numeric, strict=True)
            ).rstrip()
            for line in table
        ]


def _show(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int | float) else cell


def _cell(term: Any) -> Cell:
    if term is None:
        return ""
    if isinstance(term, Literal):
        if term.datatype.value in _NUMBERS:
            number = float(term.value)
            return int(number) if number.is_integer() else number
        return term.value
    # An entity is shown by what stands after the base.
    return term.value.removeprefix(BASE) if term.value.startswith(BASE + "id/") else shrink(term.value)


def read_section(store: Dataset, query: QueryFile) -> Section:
    """Run one coverage query."""
    solutions: Any = store.query(query.text, prefixes=dict(PREFIXES))
    header = [variable.value for variable in solutions.variables]
    return Section(query.id, query.title["en"], header, [[_cell(term) for term in row] for row in solutions])


def read_coverage_queries(folder: Path) -> list[QueryFile]:
    """Return the coverage queries of a folder, in the order that their heads give (`order`).

    Raises DataErrors with every fault of the queries.
    """
    queries = [query for query in read_queries(folder) if query.id.startswith("coverage-")]
    faults = [fault for fault in map(check_syntax, queries) if fault is not None]
    if faults:
        raise DataErrors(faults)
    return sorted(queries, key=_order)


def _order(query: QueryFile) -> tuple[int, str]:
    return int(query.head.get("order", 1000)), query.id
