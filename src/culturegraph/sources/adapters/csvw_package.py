"""Any CSV on the Web package: `csv-metadata.json` and its tables, by the fast path, memory flat.

Without our annotation the quads go to the graph of the source. A table without `aboutUrl` has its rows as subjects
(`…#row=7`); a column without `propertyUrl` is a property named after it (`…#column`), as csv2rdf says.

Source: W3C Generating RDF from Tabular Data on the Web §4 (minimal mode).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from culturegraph.errors import DataError
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.keys import KeyIndex
from culturegraph.sources.lines import LineWriter
from culturegraph.sources.metadata import ROW_NUMBER, TablePlan, read_metadata
from culturegraph.sources.rows import read_cells

Numbered = tuple[int, Sequence[str]]


def read_numbered(plan: TablePlan, tally: Tally | None = None) -> Iterator[Numbered]:
    """Yield (1, header), then the rows; faults of the file's form are rejected as they are met."""
    faults: list[DataError] = []
    for number, cells in read_cells(plan, faults):
        _reject(tally, faults, "")
        yield number, cells
    if faults and faults[0].row == 1:
        # Nothing of the table can be read.
        raise faults[0]
    _reject(tally, faults, "")


def _reject(tally: Tally | None, faults: list[DataError], value: str) -> None:
    for fault in faults if tally is not None else ():
        assert tally is not None
        tally.rows += value == "" and fault.column is None
        tally.reject_fault(fault, value)
    faults.clear()


def _space(file: str, columns: Sequence[str]) -> str:
    return "\t".join((file, *columns))


def index_keys(plans: Sequence[TablePlan], keys: KeyIndex) -> None:
    """Remember, of every table that is referred to, the values that references may have."""
    wanted: dict[str, set[tuple[str, ...]]] = {}
    for plan in plans:
        for key in plan.foreign_keys:
            wanted.setdefault(key.target, set()).add(key.target_columns)
    for plan in plans:
        if plan.file not in wanted:
            continue
        rows = read_numbered(plan)
        _, header = next(rows, (1, ()))
        places = {columns: [header.index(name) for name in columns] for columns in wanted[plan.file]}
        for number, cells in rows:
            for columns, positions in places.items():
                keys.add(_space(plan.file, columns), [cells[position] for position in positions], number)


class Table:
    """One table: its rows checked against keys and references, then written."""

    def __init__(self, plan: TablePlan, header: Sequence[str], keys: KeyIndex) -> None:
        self.plan, self.header, self.keys = plan, list(header), keys
        self.writer = LineWriter(plan, [*header, ROW_NUMBER])
        separators = {column.name: column.separator for column in plan.columns}
        self.references = [
            (key, [self.header.index(name) for name in key.columns], separators[key.columns[0]])
            for key in plan.foreign_keys
        ]
        self.primary = [self.header.index(name) for name in plan.primary_key]

    def faults(self, number: int, cells: Sequence[str]) -> list[DataError]:
        """Return the faults of a row's key and references."""
        found = []
        if self.primary:
            key = [cells[position] for position in self.primary]
            before = self.keys.add(_space(self.plan.file, ["", *self.plan.primary_key]), key, number)
            if before is not None:
                found.append(self.repeats(before, number, cells))
        return [*found, *self.dangling(number, cells)]

    def repeats(self, before: int, number: int, cells: Sequence[str]) -> DataError:
        """Return the fault of a row that has the key of a row before it."""
        key = ", ".join(cells[position] for position in self.primary)
        return DataError(f"repeats the key of row {before}: {key}", self.plan.file, number)

    def dangling(self, number: int, cells: Sequence[str]) -> list[DataError]:
        """Return the faults of a row's references."""
        found = []
        for foreign, positions, separator in self.references:
            values = [cells[position] for position in positions]
            if separator is not None and len(values) == 1:
                wanted = [[piece.strip()] for piece in values[0].split(separator) if piece.strip()]
            else:
                wanted = [values] if all(values) else []
            for value in wanted:
                if self.keys.find(_space(foreign.target, foreign.target_columns), value) is None:
                    told = f'"{", ".join(value)}" is not in {foreign.target}'
                    found.append(DataError(told, self.plan.file, number, ",".join(foreign.columns)))
        return found

    def lines(self, number: int, cells: Sequence[str]) -> tuple[list[str], list[DataError]]:
        """Return the lines of a row, or its faults."""
        lines, faults = self.writer(number, [*cells, str(number)])
        faults = [*faults, *self.faults(number, cells)]
        return ([], faults) if faults else (lines, [])

    def reject(self, tally: Tally, faults: Sequence[DataError], cells: Sequence[str]) -> None:
        """Reject a row that has faults."""
        for fault in faults:
            told = cells[self.header.index(str(fault.column))] if fault.column in self.header else ""
            tally.reject_fault(fault, told)
        tally.rejected_rows -= max(len(faults) - 1, 0)


def write_table(plan: TablePlan, keys: KeyIndex, tally: Tally) -> Iterator[str]:
    """Yield the lines of one table. Raises DataError where its header is malformed."""
    rows = read_numbered(plan, tally)
    _, header = next(rows, (1, ()))
    table = Table(plan, header, keys)
    for number, cells in rows:
        tally.rows += 1
        lines, faults = table.lines(number, cells)
        table.reject(tally, faults, cells)
        yield from lines


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of every table of each package. Raises DataError where metadata or a header is malformed."""
    for path in job.each_file(tally):
        plans = read_metadata(path, fallback=job.source.graph)
        with KeyIndex() as keys:
            index_keys(plans, keys)
            for plan in plans:
                tally.prefix = f"{plan.file}:" if len(plans) > 1 else ""
                yield from write_table(plan, keys, tally)
