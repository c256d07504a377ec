"""Rows straight to N-Quads lines: the fast path for large tables, a pure function of the row.

Each column is compiled once into a function from its cell to the text of an RDF term. That function answers only what
is plainly right; of anything else it says None, and the row is read by `sources.tables`, cell by cell, which makes its
quads or names its faults. So both paths give equal quads and equal faults, and there is one set of messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from culturegraph.errors import DataError
from culturegraph.rdf.vocabulary import XSD
from culturegraph.sources.metadata import ColumnPlan, SimpleTemplate, TablePlan, Template
from culturegraph.sources.tables import parse_row, row_to_quads
from culturegraph.sources.term_text import (
    Cells,
    Expand,
    Memory,
    compile_expansion,
    escape,
    match_all,
    read_iri,
    read_language,
)

Term = Callable[[str, Cells], str | None]
Check = Callable[[str], bool]

_FRACTION: Final = "(?:[.][0-9]{1,25})?"
_DIGITS: Final = 15
_PLAIN_DECIMAL: Final = f"-?[0-9]{{1,{_DIGITS}}}{_FRACTION}"
_NOTHING: Final = "(?!)"
# What these mean is for the library to say.
_RARE_BOUNDS: Final = (
    *("length", "minLength", "maxLength"),
    *("minInclusive", "maxInclusive", "minExclusive", "maxExclusive"),
)
_PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _library_check(read: Callable[[str], Any]) -> Check:
    def check(value: str) -> bool:
        try:
            read(value)
        except (ValueError, ArithmeticError):
            return False
        return True

    remembered = Memory(check)
    return remembered.__getitem__


def _is_plain_date(value: str) -> bool:
    if _PLAIN_DATE.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _bounds(datatype: Any) -> tuple[float, float]:
    low = float("-inf") if datatype.minimum is None else float(datatype.minimum)
    high = float("inf") if datatype.maximum is None else float(datatype.maximum)
    return low, high


def _number_check(datatype: Any) -> Check:
    low, high = _bounds(datatype)
    # Strictly within: whether a bound itself belongs is for the library to say.
    match = re.compile(_PLAIN_DECIMAL).fullmatch
    return lambda value: match(value) is not None and low < float(value) < high


def _well_within(low: float, high: float) -> str:
    """Return a pattern of decimals that are surely between bounds: to read a number takes five times as long."""
    reach = min(-low, high)
    if reach >= 10**_DIGITS:
        return _PLAIN_DECIMAL
    if reach < 1:
        return _NOTHING
    # Fewer digits than the bound's, or as many with a lower one first.
    digits = str(int(reach))
    others = f"?[0-9]{{1,{len(digits) - 1}}}" if len(digits) > 1 else ""
    return f"-?[0-{int(digits[0]) - 1}]{others}{_FRACTION}"


def check_column(column: ColumnPlan) -> Callable[[Sequence[str]], bool] | None:
    """Return a function that says whether all values are plainly of the column's datatype; None where every value is.

    For many values at once: what it says no to may still be right, as `sources.tables` reads it.
    """
    check = _check(column)
    if check is None or column.read is None:
        return None
    datatype = column.read.datatype
    is_rare = any(getattr(datatype, name, None) is not None for name in _RARE_BOUNDS)
    is_bounded = datatype.minimum is not None or datatype.maximum is not None
    if datatype.base == "string" and datatype.format and not (is_rare or is_bounded):
        return match_all(f"({datatype.format})")
    if datatype.base in {"decimal", "number"} and not datatype.format and not is_rare:
        low, high = _bounds(datatype)
        are_within, are_decimals = match_all(_well_within(low, high)), match_all(_PLAIN_DECIMAL)

        def check_numbers(values: Sequence[str]) -> bool:
            if are_within(values):
                return True
            if not are_decimals(values):
                return False
            numbers = list(map(float, values))
            return low < min(numbers) and max(numbers) < high

        return check_numbers
    return lambda values: all(map(check, values))


def _check(column: ColumnPlan) -> Check | None:
    """Return a function that says whether a value is plainly of the column's datatype; None where every value is."""
    if column.read is None:
        return None
    datatype = column.read.datatype
    library = _library_check(column.read)
    bounds = [getattr(datatype, name, None) for name in _RARE_BOUNDS]
    if any(bound is not None for bound in bounds):
        return library
    bounded = datatype.minimum is not None or datatype.maximum is not None
    if datatype.base == "string" and not bounded:
        if not datatype.format:
            return None
        # As the library compiles it.
        pattern = re.compile(f"({datatype.format})$")
        return lambda value: pattern.match(value) is not None
    if datatype.base == "date" and not datatype.format and not bounded:
        return lambda value: _is_plain_date(value) or library(value)
    if datatype.base in {"decimal", "number"} and not datatype.format:
        plain = _number_check(datatype)
        return lambda value: plain(value) or library(value)
    return library


def _literal(column: ColumnPlan, header: Sequence[str]) -> Term:
    if column.datatype == XSD + "string":
        if column.lang_column:
            position, languages = header.index(column.lang_column), Memory(read_language)

            def tagged(value: str, cells: Cells) -> str | None:
                # An empty tag is no tag.
                tag = languages[cells[position]] if cells[position] else ""
                return None if tag is None else f'"{escape(value)}"{tag}'

            return tagged
        ending = read_language(column.lang) if column.lang else ""
    else:
        ending = f"^^<{column.datatype}>"
    if ending is None:
        return lambda value, cells: None  # noqa: ARG005
    return lambda value, cells: f'"{escape(value)}"{ending}'  # noqa: ARG005


def _term(column: ColumnPlan, header: Sequence[str]) -> Term:
    check = _check(column)
    if column.value is None:
        text = _literal(column, header)
    else:
        expand = compile_expansion(column.value, header, "" if column.virtual else column.name)
        template = column.value
        fields = template.fields if isinstance(template, SimpleTemplate) else None
        if fields is not None and all(name == column.name for name, _, _ in fields):
            # The IRI depends on the value alone.
            of_value = Memory(lambda value: expand((value,)) if check is None or check(value) else None)
            return lambda value, cells: of_value[value]  # noqa: ARG005
        text = lambda value, cells: expand((*cells, value))  # noqa: E731
    if check is None or column.virtual:
        return text
    return lambda value, cells: text(value, cells) if check(value) else None


@dataclass(frozen=True)
class CompiledColumn:
    """One column, compiled: `predicate` is text where it is the same in all rows; `graph` counts the row's graphs."""

    position: int
    required: bool
    separator: str | None
    null: frozenset[str]
    term: Term | None
    check: Check | None
    predicate: str | Expand | None
    graph: int

    def values(self, cells: Cells) -> Sequence[str]:
        """Return the values of this column's cell, a virtual column's being one empty value."""
        if self.position < 0:
            return ("",)
        return self.split(cells[self.position])

    def split(self, cell: str) -> Sequence[str]:
        """Return the values of a cell."""
        if self.separator is None:
            return () if cell in self.null else (cell,)
        return [piece for piece in map(str.strip, cell.split(self.separator)) if piece not in self.null]

    def predicate_of(self, cells: Cells) -> str | None:
        """Return the predicate of a row where it differs between rows."""
        return self.predicate(cells) if callable(self.predicate) else None


class LineWriter:
    """One table, compiled for the order of columns in its file. Call it with the stripped cells of a row."""

    def __init__(self, plan: TablePlan, header: Sequence[str]) -> None:
        self.plan, self.header = plan, tuple(header)
        self.subject = compile_expansion(plan.subject, header)
        templates: dict[str, Template] = {}
        self.columns = [self._compile(column, templates) for column in plan.columns]
        self.graph_templates = list(templates.values())
        self.graphs = [
            _remembering(compile_expansion(template, header), template, header) for template in self.graph_templates
        ]

    def _compile(self, column: ColumnPlan, templates: dict[str, Template]) -> CompiledColumn:
        key = repr(column.graph)
        templates.setdefault(key, column.graph)
        predicate: str | Expand | None = None
        if column.predicate is not None:
            predicate = compile_expansion(column.predicate, self.header)
            if isinstance(column.predicate, SimpleTemplate) and not column.predicate.fields:
                predicate = predicate(())
        return CompiledColumn(
            position=-1 if column.virtual else self.header.index(column.name),
            required=column.required,
            separator=column.separator,
            null=column.null,
            term=_term(column, self.header) if predicate is not None else None,
            check=_check(column) if predicate is None else None,
            predicate=predicate,
            graph=list(templates).index(key),
        )

    def plain(self, cells: Cells) -> list[str] | None:
        """Return the lines of a row that is plainly right, else None."""
        subject = self.subject(cells)
        graphs = [graph(cells) for graph in self.graphs]
        if subject is None or None in graphs:
            return None
        lines = []
        for column in self.columns:
            values = column.values(cells)
            if not values and column.required:
                return None
            for value in values:
                if column.term is None:
                    if column.check is not None and not column.check(value):
                        return None
                    continue
                term = column.term(value, cells)
                predicate = column.predicate if isinstance(column.predicate, str) else column.predicate_of(cells)
                if term is None or predicate is None:
                    return None
                lines.append(f"{subject} {predicate} {term} {graphs[column.graph]} .\n")
        return lines

    def __call__(self, number: int, cells: Cells) -> tuple[list[str], list[DataError]]:
        """Return the lines of a row, or none of them and its faults."""
        lines = self.plain(cells)
        return (
            (lines, []) if lines is not None else careful(self.plan, number, dict(zip(self.header, cells, strict=True)))
        )


def _remembering(expand: Expand, template: Template, header: Sequence[str]) -> Expand:
    """Graphs are few: remember them by the one cell that makes them."""
    if isinstance(template, SimpleTemplate) and len(template.fields) == 1 and template.fields[0][0] in header:
        position = list(header).index(template.fields[0][0])
        name = template.fields[0][0]
        of_cell = Memory(lambda cell: read_iri(template({name: cell})))
        return lambda cells: of_cell[cells[position]]
    return expand


def careful(plan: TablePlan, number: int, row: Mapping[str, str]) -> tuple[list[str], list[DataError]]:
    """Return the lines of a row, or its faults, by way of the quads of `sources.tables`."""
    values, faults = parse_row(plan, number, row)
    if faults:
        return [], faults
    try:
        return [f"{quad} .\n" for _, quad in row_to_quads(plan, row, values)], []
    except ValueError as error:
        return [], [DataError(f"makes no valid RDF term: {error}", plan.file, number)]


def write_lines(writer: LineWriter, rows: Iterator[tuple[int, Cells]], faults: list[DataError]) -> Iterator[str]:
    """Yield the lines of all rows; faults are added as they are met."""
    for number, cells in rows:
        lines, found = writer(number, cells)
        if found:
            faults += found
        else:
            yield from lines
