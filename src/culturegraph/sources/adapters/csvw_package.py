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


def _rows(plan: TablePlan, tally: Tally | None = None) -> Iterator[Numbered]:
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


def _index(plans: Sequence[TablePlan], keys: KeyIndex) -> None:
    """Remember, of every table that is referred to, the values that references may have."""
    wanted: dict[str, set[tuple[str, ...]]] = {}
    for plan in plans:
        for key in plan.foreign_keys:
            wanted.setdefault(key.target, set()).add(key.target_columns)
    for plan in plans:
        if plan.file not in wanted:
            continue
        rows = _rows(plan)
        _, header = next(rows, (1, ()))
        places = {columns: [header.index(name) for name in columns] for columns in wanted[plan.file]}
        for number, cells in rows:
            for columns, positions in places.items():
                keys.add(_space(plan.file, columns), [cells[position] for position in positions], number)


class _Table:
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
                found.append(DataError(f"repeats the key of row {before}: {', '.join(key)}", self.plan.file, number))
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


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of every table of each package. Raises DataError where metadata or a header is malformed."""
    for path in job.each_file(tally):
        plans = read_metadata(path, fallback=job.source.graph)
        with KeyIndex() as keys:
            _index(plans, keys)
            for plan in plans:
                tally.prefix = f"{plan.file}:" if len(plans) > 1 else ""
                rows = _rows(plan, tally)
                _, header = next(rows, (1, ()))
                table = _Table(plan, header, keys)
                for number, cells in rows:
                    tally.rows += 1
                    lines, faults = table.lines(number, cells)
                    if faults:
                        for fault in faults:
                            told = cells[table.header.index(str(fault.column))] if fault.column in table.header else ""
                            tally.reject_fault(fault, told)
                        tally.rejected_rows -= len(faults) - 1
                    yield from lines
