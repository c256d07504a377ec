"""Many rows straight to N-Quads, a column at a time: the bulk path for tables of millions of rows.

What a row of `sources.lines` costs is mostly the interpreter's steps from cell to cell. Here a step is one call for a
whole column of some thousand rows, and all lines of a row are one `%` of a bytes template. A row of which anything is
not plainly right goes to `sources.lines`, which makes its lines or names its faults; so both paths give equal lines and
equal faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from culturegraph.errors import DataError
from culturegraph.sources.column_text import Cells, OwnColumn, Terms, depends_on_itself, encode_all, iri_form
from culturegraph.sources.lines import CompiledColumn, LineWriter
from culturegraph.sources.metadata import ROW_NUMBER, SimpleTemplate, TablePlan, Template
from culturegraph.sources.term_text import Expand, Memory

# A value for each row; None where the row is not plainly right.
Texts = Sequence[bytes | None]
Lists = Sequence[tuple[bytes, ...] | None]


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
    """The subjects, or the graphs, of rows."""

    def __init__(self, template: Template, expand: Expand, header: Sequence[str], *, is_rare: bool) -> None:
        """Compile a template; `is_rare` says that few different ones are expected."""
        fields = template.fields if isinstance(template, SimpleTemplate) else None
        constant = expand(()) if fields == () else None
        self.constant = None if constant is None else constant.encode()
        self._expand = expand
        names = {name for name, _, _ in fields or ()}
        self.position = header.index(next(iter(names))) if len(names) == 1 and names <= set(header) else None
        self._form = None if is_rare or not fields else iri_form(template, fields[0][0])
        # Of its one cell alone, wherever that stands.
        padding = [""] * (self.position or 0)
        self._of_cell = Memory(lambda cell: encode_all([expand([*padding, cell])])[0])

    @property
    def needs_rows(self) -> bool:
        """Whether it is made of several cells."""
        return self.constant is None and self.position is None

    def read(self, columns: Sequence[Cells], rows: Sequence[Cells]) -> Texts:
        """Return `<iri>` of each row."""
        if self.constant is not None:
            return list(repeat(self.constant, len(columns[0])))
        if self.position is None:
            return encode_all(map(self._expand, rows))
        cells = columns[self.position]
        found = self._form.encode(cells) if self._form is not None else None
        if found is None or self._form is None:
            return list(map(self._of_cell.__getitem__, cells))
        before, after = self._form.before.encode(), self._form.after.encode()
        return [before + iri + after for iri in found]


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
        self._subject = _Iri(plan.subject, self.plain.subject, header, is_rare=False)
        self._graphs = [
            _Iri(template, expand, header, is_rare=True)
            for template, expand in zip(self.plain.graph_templates, self.plain.graphs, strict=True)
        ]
        self._stripped = {iri.position for iri in (self._subject, *self._graphs)}
        self._needs_rows = bool(self._other) or any(iri.needs_rows for iri in (self._subject, *self._graphs))

    def __call__(self, numbers: Sequence[int], rows: Sequence[Cells]) -> Written:
        """Return the lines of rows; each row has as many cells as the header, edge spaces do not matter."""
        good, odd = range(len(rows)), list[int]()
        made: Written | set[int] = set(good) if not rows else self._write(numbers, rows)
        if not isinstance(made, Written):
            odd = sorted(made)
            plain = [index for index in good if index not in made]
            made = self._write([numbers[index] for index in plain], [rows[index] for index in plain])
            assert isinstance(made, Written), "a row is plain or not, whatever stands beside it"
        lines, faults = list[str](), []
        for index in odd:
            found, wrong = self.plain(numbers[index], [*map(str.strip, rows[index]), str(numbers[index])])
            lines += found
            if wrong:
                faults.append((index, wrong))
        return Written(
            [*made.pieces, *map(str.encode, lines)] if lines else made.pieces, made.quads + len(lines), faults
        )

    def _write(self, numbers: Sequence[int], rows: Sequence[Cells]) -> Written | set[int]:
        """Return the lines of all rows, or the indices of those that are not plainly right."""
        if not rows:
            return Written((), 0)
        raw = list(zip(*rows, strict=True))
        # Columns whose cells are looked up strip what they have not seen yet.
        columns = [
            list(map(str.strip, column)) if self._needs_rows or position in self._stripped else column
            for position, column in enumerate(raw)
        ]
        whole = list(zip(*columns, map(str, numbers), strict=True)) if self._needs_rows else []
        lines = _Lines(self._subject.read(columns, whole), [graph.read(columns, whole) for graph in self._graphs])
        for graph, constant in self._constant:
            lines.add_constant(graph, constant)
        for own in self._own:
            if own.is_list:
                lines.add_lists(own.graph, own.read_lists(raw[own.position]))
            else:
                lines.add(own.graph, own.read(raw[own.position]), is_silent=own.is_silent)
        for column in self._other:
            lines.add_lists(column.graph, [_read(column, cells) for cells in whole])
        return lines.odd or lines.join()


def _constant(column: CompiledColumn, value: Template | None) -> bytes | None:
    """Return predicate and term of a virtual column that says the same in every row."""
    if column.term is None or not isinstance(column.predicate, str):
        return None
    if not isinstance(value, SimpleTemplate) or value.fields:
        return None
    term = column.term("", ())
    return None if term is None else f"{column.predicate} {term}".encode()


def _read(column: CompiledColumn, cells: Cells) -> tuple[bytes, ...] | None:
    """Return predicate and term of each value of a column that depends on several cells."""
    values, found = column.values(cells), list[bytes]()
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

    each: list[tuple[bytes, Sequence[bytes] | None, bytes]] = field(default_factory=list)
    some: list[Sequence[bytes]] = field(default_factory=list)
    lists: list[Sequence[tuple[bytes, ...]]] = field(default_factory=list)


class _Lines:
    """The lines of a batch in the making: a template of all lines of a row, and what goes into it."""

    def __init__(self, subjects: Texts, graphs: Sequence[Texts]) -> None:
        self.odd: set[int] = set()
        self._subjects: Sequence[bytes] = self._check(subjects)
        self._graphs: Sequence[Sequence[bytes]] = [self._check(graph) for graph in graphs]
        self._groups = [_Group() for _ in graphs]

    def _check(self, values: Sequence[Any]) -> Sequence[Any]:
        if None in values:
            self.odd.update(index for index, value in enumerate(values) if value is None)
        return values

    def add_constant(self, graph: int, text: bytes) -> None:
        """Add a line that is the same in all rows but for subject and graph."""
        self._groups[graph].each.append((text, None, b""))

    def add(self, graph: int, terms: Terms, *, is_silent: bool) -> None:
        """Add the lines of a column of single values; of a silent one nothing but what is wrong."""
        values: Sequence[Any] = terms.values if terms.is_plain else self._check(terms.values)
        group = self._groups[graph]
        if is_silent:
            return
        if terms.each is not None:
            before, after = terms.each
            group.each.append((before, values, after))
        else:
            group.some.append(values)

    def add_lists(self, graph: int, lists: Lists) -> None:
        """Add the lines of a column of lists."""
        self._groups[graph].lists.append(self._check(lists))

    def join(self) -> Written:
        """Return the lines of all rows; none of them is odd."""
        template, filling, quads = list[bytes](), list[Sequence[bytes]](), 0
        for group, graph in zip(self._groups, self._graphs, strict=True):
            quads += self._add_group(group, graph, template, filling)
        form = b"".join(template)
        return Written(list(map(form.__mod__, zip(*filling, strict=True))), quads)

    def _add_group(
        self, group: _Group, graph: Sequence[bytes], template: list[bytes], filling: list[Sequence[bytes]]
    ) -> int:
        """Add the lines of one graph: between two of a row stand the end of one and the beginning of the next."""
        if not (group.each or group.some or group.lists):
            return 0
        subjects = self._subjects
        between = list(map(b" %b .\n%b ".__mod__, zip(graph, subjects, strict=True)))
        further = [[b and joint + b for joint, b in zip(between, values, strict=True)] for values in group.some]
        further += [
            [joint + joint.join(several) if several else b"" for joint, several in zip(between, values, strict=True)]
            for values in group.lists
        ]
        quads = len(group.each) * len(subjects) + sum(len(values) - values.count(b"") for values in group.some)
        quads += sum(sum(map(len, values)) for values in group.lists)
        if group.each:
            template.append(b"%b ")
            filling.append(subjects)
        for number, (before, values, after) in enumerate(group.each):
            template += [b"%b" if number else b"", before.replace(b"%", b"%%")]
            filling += [between] if number else []
            if values is not None:
                template += [b"%b", after.replace(b"%", b"%%")]
                filling.append(values)
        if group.each:
            template.append(b"%b" * len(further) + b" %b .\n")
            filling += [*further, graph]
        else:
            # No line is sure: what a row has begins with the end of a line that is not there.
            template.append(b"%b")
            filling.append(list(map(_close, zip(*further, strict=True), graph)))
        return quads


def _close(parts: Sequence[bytes], graph: bytes) -> bytes:
    """Return the lines of a row, each part of which begins with the end of the line before."""
    text = b"".join(parts)
    return text[text.index(b" .\n") + 3 :] + b" %b .\n" % graph if text else b""
