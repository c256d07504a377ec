"""Many rows straight to N-Quads, a column at a time: the bulk path for tables of millions of rows.

What a row of `sources.lines` costs is mostly the interpreter's steps from cell to cell. Here a step is one call for a
whole column of some hundred rows, and all lines are one `join` of columns: the terms of a row, and between two of them
the end of a line and the beginning of the next. A row of which anything is not plainly right goes to `sources.lines`,
which makes its lines or names its faults; so both paths give equal lines and equal faults.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, compress, repeat
from operator import add
from typing import Any

from culturegraph.errors import DataError
from culturegraph.sources.column_text import Cells, Lists, OwnColumn, Terms, depends_on_itself, iri_form
from culturegraph.sources.lines import CompiledColumn, LineWriter
from culturegraph.sources.metadata import ROW_NUMBER, SimpleTemplate, TablePlan, Template
from culturegraph.sources.term_text import Expand, Memory

# A value for each row; None where the row is not plainly right.
Texts = Sequence[bytes | None]


@dataclass(frozen=True)
class Written:
    """The lines of a batch, in pieces of some lines; how many they are; the faults of its rows by index of row."""

    pieces: Sequence[bytes]
    quads: int
    faults: Sequence[tuple[int, Sequence[DataError]]] = ()

    @property
    def text(self) -> bytes:
        """All lines."""
        return b"".join(self.pieces)


class _Iri:
    """The subjects, or the graphs, of rows, between what stands before and after them in a line."""

    def __init__(self, template: Template, expand: Expand, header: Sequence[str], around: tuple[str, str]) -> None:
        fields = template.fields if isinstance(template, SimpleTemplate) else None
        self._expand, self._around = expand, around
        self.constant = self._encode(()) if fields == () else None
        names = {name for name, _, _ in fields or ()}
        self.position = header.index(next(iter(names))) if len(names) == 1 and names <= set(header) else None
        form = iri_form(template, fields[0][0]) if fields else None
        self.form = form and replace(form, before=around[0] + form.before, after=form.after + around[1])
        # Of its one cell alone, wherever that stands.
        padding = [""] * (self.position or 0)
        self._of_cell = Memory(lambda cell: self._encode([*padding, cell]))

    @property
    def needs_rows(self) -> bool:
        """Whether it is made of several cells."""
        return self.constant is None and self.position is None

    def read(self, columns: Sequence[Cells], rows: Sequence[Cells], *, is_rare: bool) -> Texts:
        """Return the text of each row; `is_rare` says that few different ones are expected."""
        if self.constant is not None:
            return list(repeat(self.constant, len(columns[0])))
        if self.position is None:
            return list(map(self._encode, rows))
        cells = columns[self.position]
        found = self.form.encode(cells) if self.form is not None and not is_rare else None
        return list(map(self._of_cell.__getitem__, cells)) if found is None else found

    def _encode(self, cells: Cells) -> bytes | None:
        iri, (before, after) = self._expand(cells), self._around
        return None if iri is None else f"{before}{iri}{after}".encode()


class BatchWriter:
    """One table, compiled for the order of columns in its file. Call it with the cells of many rows."""

    def __init__(self, plan: TablePlan, header: Sequence[str]) -> None:
        """Compile a table. The header does not count ROW_NUMBER: the rows get it from their numbers."""
        self.plain = LineWriter(plan, [*header, ROW_NUMBER])
        self._own: list[OwnColumn] = []
        self._other: list[CompiledColumn] = []
        # What is the same in every row, such as the class: graph, predicate and term.
        self._constant: list[tuple[int, bytes]] = []
        for column, its_plan in zip(self.plain.columns, plan.columns, strict=True):
            constant = _constant(column, its_plan.value) if its_plan.virtual else None
            if constant is not None:
                self._constant.append((column.graph, constant))
            elif depends_on_itself(column, its_plan):
                self._own.append(OwnColumn(column, its_plan))
            else:
                self._other.append(column)
        self._subject = _Iri(plan.subject, self.plain.subject, header, ("", " "))
        self._graphs = [
            _Iri(template, expand, header, (" ", " .\n"))
            for template, expand in zip(self.plain.graph_templates, self.plain.graphs, strict=True)
        ]
        self._needs_rows = bool(self._other) or any(iri.needs_rows for iri in (self._subject, *self._graphs))

    def __call__(self, numbers: Sequence[int], columns: Sequence[Cells]) -> Written:
        """Return the lines of rows, given by their columns in the order of the header, without edge spaces."""
        odd = list[int]()
        made = self._write(numbers, columns)
        if not isinstance(made, Written):
            odd = sorted(made)
            made = self._write(*without(made, numbers, columns))
            assert isinstance(made, Written), "a row is plain or not, whatever stands beside it"
        lines, faults = list[str](), []
        for index in odd:
            cells = [column[index] for column in columns]
            found, wrong = self.plain(numbers[index], [*cells, str(numbers[index])])
            lines += found
            if wrong:
                faults.append((index, wrong))
        return Written(
            [*made.pieces, *map(str.encode, lines)] if lines else made.pieces, made.quads + len(lines), faults
        )

    def _write(self, numbers: Sequence[int], columns: Sequence[Cells]) -> Written | set[int]:
        """Return the lines of all rows, or the indices of those that are not plainly right."""
        if not numbers:
            return Written((), 0)
        rows = list(zip(*columns, map(str, numbers), strict=True)) if self._needs_rows else []
        lines = _Lines(
            self._subject.read(columns, rows, is_rare=False),
            [graph.read(columns, rows, is_rare=True) for graph in self._graphs],
        )
        for graph, constant in self._constant:
            lines.add(graph, Terms([constant] * len(numbers), is_each=True), is_plain=True)
        for own in self._own:
            cells = columns[own.position]
            if own.is_list:
                lists = own.read_lists(cells)
                lines.add_lists(own.graph, lists, is_plain=own.is_plain)
            else:
                terms = own.read(cells)
                lines.add(own.graph, terms, is_plain=own.is_plain, is_silent=own.is_silent)
        for column in self._other:
            lines.add_lists(column.graph, [_read(column, cells) for cells in rows], is_plain=False)
        return lines.odd or lines.join()


def without(
    indices: Container[int], numbers: Sequence[int], columns: Sequence[Cells]
) -> tuple[Sequence[int], Sequence[Cells]]:
    """Return the numbers and columns of rows without some of the rows."""
    kept = [index not in indices for index in range(len(numbers))]
    return list(compress(numbers, kept)), [list(compress(column, kept)) for column in columns]


def _constant(column: CompiledColumn, value: Template | None) -> bytes | None:
    """Return predicate and term of a virtual column that says the same in every row."""
    if column.term is None or not isinstance(column.predicate, str):
        return None
    if not isinstance(value, SimpleTemplate) or value.fields:
        return None
    term = column.term("", ())
    return None if term is None else f"{column.predicate} {term}".encode()


def _read(column: CompiledColumn, cells: Cells) -> tuple[bytes, ...] | None:
    """Return b"", then predicate and term of each value, of a column that depends on several cells."""
    values, found = column.values(cells), [b""]
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
        found.append(f"{predicate} {term}".encode())
    return tuple(found)


@dataclass
class _Group:
    """The lines of one graph: those that every row has, those that only some have."""

    each: list[Sequence[bytes]] = field(default_factory=list)
    some: list[Sequence[bytes]] = field(default_factory=list)
    lists: list[Sequence[tuple[bytes, ...]]] = field(default_factory=list)

    def count(self, rows: int) -> int:
        """Return the number of lines."""
        of_some = sum(rows - values.count(b"") for values in self.some)
        return rows * len(self.each) + of_some + sum(sum(map(len, values)) - rows for values in self.lists)


class _Lines:
    """The lines of a batch in the making."""

    def __init__(self, subjects: Texts, graphs: Sequence[Texts]) -> None:
        self.odd: set[int] = set()
        self._subjects: Sequence[bytes] = self._check(subjects)
        self._graphs: Sequence[Sequence[bytes]] = [self._check(graph) for graph in graphs]
        self._groups = [_Group() for _ in graphs]

    def _check(self, values: Sequence[Any], *, is_plain: bool = False) -> Sequence[Any]:
        """Note the rows that are not plainly right; `is_plain` says that there are none."""
        if not is_plain and None in values:
            self.odd.update(index for index, value in enumerate(values) if value is None)
        return values

    def add(self, graph: int, terms: Terms, *, is_plain: bool, is_silent: bool = False) -> None:
        """Add the lines of a column of single values; of a silent one nothing but what is wrong."""
        values = self._check(terms.values, is_plain=is_plain)
        if not is_silent:
            group = self._groups[graph]
            (group.each if terms.is_each else group.some).append(values)

    def add_lists(self, graph: int, lists: Lists, *, is_plain: bool) -> None:
        """Add the lines of a column of lists."""
        self._groups[graph].lists.append(self._check(lists, is_plain=is_plain))

    def join(self) -> Written:
        """Return the lines of all rows, graph by graph; none of them is odd."""
        pieces = list(map(self._join_group, self._groups, self._graphs))
        return Written(pieces, sum(group.count(len(self._subjects)) for group in self._groups))

    def _join_group(self, group: _Group, ends: Sequence[bytes]) -> bytes:
        """Return the lines of all rows in one graph, which stands where lines end."""
        if not (group.each or group.some or group.lists):
            return b""
        between = list(map(add, ends, self._subjects))
        # What some rows have begins with the end of the line before.
        further: list[Iterable[bytes]] = [map(bytes.join, between, values) for values in group.lists]
        further += [
            [term and joint + term for joint, term in zip(between, values, strict=True)] for values in group.some
        ]
        if group.each:
            columns = [self._subjects, group.each[0]]
            for values in group.each[1:]:
                columns += (between, values)
            return b"".join(chain.from_iterable(zip(*columns, *further, ends, strict=True)))
        # No line is sure: there is none to end before the first.
        texts = map(b"".join, zip(*further, strict=True))
        return b"".join(text and text[len(end) :] + end for text, end in zip(texts, ends, strict=True))
