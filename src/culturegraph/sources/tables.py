"""CSV tables to quads, by their CSVW metadata.

Owns the reading of rows, the checks on cells, keys and references between tables, and the mapping of a row to quads,
which is a pure function of the row. Refuses to know what any column means: that is all in the metadata.

Source: W3C Model for Tabular Data §6.4 (parsing cells), W3C csv2rdf §4 (minimal mode).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.vocabulary import XSD
from culturegraph.sources.metadata import ColumnPlan, Row, TablePlan, read_metadata
from culturegraph.sources.rows import read_cells

_STRING = XSD + "string"
# What a folder of further rows may hold beside them: see `restrictions`.
NO_TABLES = frozenset({"restrictions.csv"})


@dataclass(frozen=True)
class Origin:
    """Where a quad was written: file, row (1 is the header), column."""

    file: str
    row: int
    column: str

    def __str__(self) -> str:
        return f"{self.file}:{self.row}:{self.column}"


@dataclass(frozen=True)
class Tables:
    """All quads of a table group, each once, with the first cell that said it."""

    origin: Mapping[Quad, Origin]
    rows: Mapping[str, int]

    @property
    def quads(self) -> list[Quad]:
        """The quads in the order of tables and rows."""
        return list(self.origin)


@dataclass
class _Reading:
    """What is gathered while tables are read, so that all errors of a run are told at once."""

    origin: dict[Quad, Origin] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    errors: list[DataError] = field(default_factory=list)
    # Rows by the cells of their key, table by table.
    keys: dict[str, dict[tuple[str, ...], str]] = field(default_factory=lambda: defaultdict(dict))
    # Cells of the columns that some foreign key looks into: (file, columns) -> values.
    targets: dict[tuple[str, tuple[str, ...]], set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))
    references: list[tuple[tuple[str, tuple[str, ...]], tuple[str, ...], Origin]] = field(default_factory=list)


def read_rows(plan: TablePlan, errors: list[DataError]) -> Iterator[tuple[int, Row]]:
    """Yield (row number, cells by column) of a table; faults of the file's form are added to `errors`.

    The row number is the line on which the row begins, so that an editor finds it.
    """
    rows = read_cells(plan, errors)
    _, header = next(rows, (1, ()))
    for number, cells in rows:
        yield number, dict(zip(header, cells, strict=True))


def _split(column: ColumnPlan, cell: str) -> list[str]:
    pieces = cell.split(column.separator) if column.separator else [cell]
    return [piece for piece in map(str.strip, pieces) if piece not in column.null]


def _parse_cell(column: ColumnPlan, cell: str) -> tuple[list[str], list[str]]:
    """Return the values of a cell and the faults found in them."""
    values = _split(column, cell)
    if not values and column.required:
        return [], ["is required but empty"]
    faults = []
    for value in values:
        if column.read is not None:
            try:
                column.read(value)
            except (ValueError, ArithmeticError):
                faults.append(f'"{value}" is not {column.described_as}')
    return values, faults


def parse_row(plan: TablePlan, number: int, row: Row) -> tuple[dict[str, list[str]], list[DataError]]:
    """Return the values of each cell of a row, and the located faults found in them."""
    values: dict[str, list[str]] = {}
    faults: list[DataError] = []
    for column in plan.columns:
        if not column.virtual:
            values[column.name], found = _parse_cell(column, row[column.name])
            faults += [DataError(fault, plan.file, number, column.name) for fault in found]
    return values, faults


def _object(column: ColumnPlan, row: Row, value: str) -> NamedNode | Literal:
    if column.value is not None:
        return NamedNode(column.value({**row, column.name: value}))
    lang = row[column.lang_column] if column.lang_column else column.lang
    if column.datatype == _STRING and lang:
        return Literal(value, language=lang)
    return Literal(value, datatype=NamedNode(column.datatype))


def row_to_quads(plan: TablePlan, row: Row, values: Mapping[str, list[str]]) -> Iterator[tuple[str, Quad]]:
    """Yield (column name, quad) of one row. Raises ValueError where a cell makes no valid IRI or language tag.

    A virtual column, and a column of lists, gives one quad for each of its values.
    """
    subject = NamedNode(plan.subject(row))
    for column in plan.columns:
        if column.predicate is None:
            continue
        cells = [""] if column.virtual else values[column.name]
        if not cells:
            continue
        predicate, graph = NamedNode(column.predicate(row)), NamedNode(column.graph(row))
        for value in cells:
            yield column.name, Quad(subject, predicate, _object(column, row, value), graph)


def _read_table(plan: TablePlan, reading: _Reading, watched: Iterable[tuple[str, ...]], table: str) -> None:
    """Read the rows of a file into a table: its own, or another whose rows these are added to."""
    keys = reading.keys[table]
    reading.rows.setdefault(table, 0)
    for number, row in read_rows(plan, reading.errors):
        reading.rows[table] += 1
        values, faults = parse_row(plan, number, row)
        key = tuple(row[name] for name in plan.primary_key)
        if key in keys and key:
            shown = ", ".join(f"{name} {cell!r}" for name, cell in zip(plan.primary_key, key, strict=True))
            faults.append(DataError(f"repeats the key of row {keys[key]}: {shown}", plan.file, number))
        keys.setdefault(key, str(number) if plan.file == table else f"{number} of {plan.file}")
        for columns in watched:
            reading.targets[table, columns].add(tuple(row[name] for name in columns))
        _note_references(plan, row, values, number, reading)
        if faults:
            reading.errors += faults
            continue
        try:
            for column_name, quad in row_to_quads(plan, row, values):
                reading.origin.setdefault(quad, Origin(plan.file, number, column_name))
        except ValueError as error:
            reading.errors.append(DataError(f"makes no valid RDF term: {error}", plan.file, number))


def _note_references(
    plan: TablePlan, row: Row, values: Mapping[str, list[str]], number: int, reading: _Reading
) -> None:
    for key in plan.foreign_keys:
        origin = Origin(plan.file, number, ",".join(key.columns))
        target = (key.target, key.target_columns)
        if len(key.columns) == 1:
            # A list-valued cell refers once with each of its values.
            found: list[tuple[str, ...]] = [(value,) for value in values[key.columns[0]]]
        else:
            cells = tuple(row[name] for name in key.columns)
            found = [cells] if all(cells) else []
        reading.references += [(target, cells, origin) for cells in found]


def _dangling(reading: _Reading) -> Iterator[DataError]:
    for target, cells, origin in reading.references:
        if cells not in reading.targets[target]:
            value = ", ".join(cells)
            yield DataError(f'"{value}" is not in {target[0]}', origin.file, origin.row, origin.column)


def _added(plans: Sequence[TablePlan], folders: Sequence[Path]) -> Iterator[tuple[TablePlan, str] | DataError]:
    """Yield (plan, table) for each file of some folders whose rows are added to a table, told by folder and name.

    A file of rows that are added to nothing is an error: what it says would be lost in silence.
    """
    known = {plan.file: plan for plan in plans}
    for folder in folders:
        for path in sorted(folder.glob("*.csv")):
            file = f"{folder.name}/{path.name}"
            if path.name in known:
                yield replace(known[path.name], path=path, file=file), path.name
            elif path.name not in NO_TABLES:
                yield DataError("has the name of no table", file)


def read_tables(
    metadata: Path, replacements: Mapping[str, Path] | None = None, additions: Sequence[Path] = ()
) -> Tables:
    """Read every table of a CSVW table group into quads; `replacements` are read in place of the files they name.

    The files of the folders `additions` have further rows for the tables of their names.

    Raises DataErrors with all faults found, each located as `file:row:column`; StorageError where a file is unreadable.
    """
    try:
        plans = [replace(plan, path=(replacements or {}).get(plan.file, plan.path)) for plan in read_metadata(metadata)]
    except DataError as error:
        raise DataErrors([error]) from error
    watched: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for plan in plans:
        for key in plan.foreign_keys:
            watched[key.target].add(key.target_columns)
    reading = _Reading()
    for added in [*((plan, plan.file) for plan in plans), *_added(plans, additions)]:
        if isinstance(added, DataError):
            reading.errors.append(added)
            continue
        plan, table = added
        try:
            _read_table(plan, reading, watched[table], table)
        except DataError as error:
            reading.errors.append(error)
    reading.errors += _dangling(reading)
    if reading.errors:
        raise DataErrors(reading.errors)
    return Tables(reading.origin, reading.rows)
