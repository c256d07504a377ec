"""A CSV on the Web package by several processes, each of which writes parts of its own: what `csvw_package` gives.

Workers are forked; each takes the next span of a table (see `sources.blocks`), writes its lines to a part and tells its
counts, its rejects and the hashes of its primary keys. Keys that are surely all different need no more; where hashes
recur, the rows are read once more to say which key repeats which, and the spans that hold such rows are written anew.
The parts are not sorted, and a line may stand in several.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from culturegraph.errors import DataError, StorageError
from culturegraph.sources.adapters.csvw_package import Table, index_keys, read_numbered, write_table
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.batches import BatchWriter, without
from culturegraph.sources.blocks import Block, Span, find_beginning, is_splittable, read_blocks, split
from culturegraph.sources.keys import KeyIndex
from culturegraph.sources.metadata import TablePlan, read_metadata
from culturegraph.sources.rows import undecodable
from culturegraph.sources.workers import run

_SPAN: Final = 4 * 1024 * 1024
# Hashes compared at a time, which bounds the memory that this takes.
_COMPARED: Final = 5_000_000
# Cells of a reference that are remembered in a worker.
_REMEMBERED: Final = 100_000

# Row, column, message, what stands there: a fault as it goes from process to process. Several may be of one row.
Fault = tuple[int, str | None, str, str]


@dataclass
class Part:
    """What came of one span: where it ended, counts, faults by row, hashes of primary keys in the order of rows."""

    span: Span
    end: int
    line: int
    rows: int = 0
    quads: int = 0
    faults: list[tuple[Fault, ...]] = field(default_factory=list)
    hashes: Any = field(default_factory=lambda: array("q"))
    # Nothing behind it can be read.
    is_broken_off: bool = False


class _Mapper:
    """Maps spans of one table: what every worker holds."""

    def __init__(self, plan: TablePlan, header: Sequence[str], keys: Path, folder: Path) -> None:
        self.plan, self.header = plan, list(header)
        self._folder, self._keys = folder, keys
        self.primary = [self.header.index(name) for name in plan.primary_key]
        self.repeats: Mapping[int, int] = {}

    def open(self) -> None:
        """Open what a process must have of its own."""
        keys = KeyIndex.reopen(self._keys)
        self._table, self._writer = Table(self.plan, self.header, keys), BatchWriter(self.plan, self.header)
        self._known: list[dict[Any, bool]] = [{} for _ in self._table.references]

    def part(self, number: int) -> Path:
        """Return the file of a part."""
        return self._folder / f"{Path(self.plan.file).stem}-{number:05}.nq"

    def map(self, number: int, span: Span) -> Part:
        """Write the lines of a span into its part. Raises UnicodeDecodeError, OSError."""
        part = Part(span, span.end, span.line)
        with self.part(number).open("wb") as file:
            for block in read_blocks(self.plan, span):
                file.writelines(self._map_block(block, part))
                part.end, part.line = block.end, block.line
                if block.fault is not None:
                    part.rows += 1
                    part.faults.append(((block.fault.row or 0, None, block.fault.message, ""),))
                    part.is_broken_off = True
        return part

    def _map_block(self, block: Block, part: Part) -> Sequence[bytes]:
        numbers, columns = self._whole(block, part)
        if not numbers:
            return ()
        part.rows += len(numbers)
        part.hashes += array("q", list(self.hash_keys(columns)))
        apart = self._dangling(columns)
        if self.repeats:
            apart |= {index for index, number in enumerate(numbers) if number in self.repeats}
        if apart:
            for index in sorted(apart):
                # Its faults are told together, and its lines written nowhere.
                self._judge(numbers[index], [column[index] for column in columns], part)
            numbers, columns = without(apart, numbers, columns)
        written = self._writer(numbers, columns)
        for index, faults in written.faults:
            self._note(faults, [column[index] for column in columns], part)
        part.quads += written.quads
        return written.pieces

    def _whole(self, block: Block, part: Part) -> tuple[Sequence[int], Sequence[Sequence[str]]]:
        """Return the stripped columns of rows that are not empty and have as many cells as the header."""
        numbers, rows = block.numbers, block.rows
        columns = list(zip(*rows, strict=False))
        if set(map(len, rows)) != {len(self.header)} or "" in columns[0]:
            numbers, rows = self._leave_out(block, part)
            columns = list(zip(*rows, strict=True))
        return numbers, [list(map(str.strip, column)) for column in columns]

    def _leave_out(self, block: Block, part: Part) -> tuple[Sequence[int], Sequence[Sequence[str]]]:
        width, numbers, rows = len(self.header), list[int](), list[Sequence[str]]()
        for number, row in zip(block.numbers, block.rows, strict=True):
            if not any(row):
                continue
            if len(row) == width:
                numbers.append(number)
                rows.append(row)
            else:
                part.rows += 1
                part.faults.append(((number, None, f"has {len(row)} cells, the header {width}", ""),))
        return numbers, rows

    def hash_keys(self, columns: Sequence[Sequence[str]]) -> Iterator[int]:
        """Return a hash of each row's primary key; of equal keys they are equal."""
        keys = [columns[position] for position in self.primary]
        return map(hash, keys[0] if len(keys) == 1 else zip(*keys, strict=True))

    def _dangling(self, columns: Sequence[Sequence[str]]) -> set[int]:
        """Return the indices of rows that refer to what is not there; cells that recur are looked up once."""
        found = set[int]()
        for known, (_, positions, _) in zip(self._known, self._table.references, strict=True):
            cells: Sequence[Any] = columns[positions[0]]
            if len(positions) > 1:
                cells = list(zip(*(columns[position] for position in positions), strict=True))
            if len(known) > _REMEMBERED:
                known.clear()
            different = set(cells)
            for each in different - known.keys():
                known[each] = not self._table.dangling(
                    0, self._spread(positions, each if len(positions) > 1 else (each,))
                )
            if not all(map(known.__getitem__, different)):
                found.update(index for index, each in enumerate(cells) if not known[each])
        return found

    def _spread(self, positions: Sequence[int], cells: Sequence[str]) -> list[str]:
        """Return a row that is empty save for some cells; an empty cell refers to nothing."""
        row = [""] * len(self.header)
        for position, cell in zip(positions, cells, strict=True):
            row[position] = cell
        return row

    def _judge(self, number: int, cells: Sequence[str], part: Part) -> None:
        _, faults = self._table.writer(number, [*cells, str(number)])
        faults = list(faults)
        if number in self.repeats:
            faults.append(self._table.repeats(self.repeats[number], number, cells))
        self._note([*faults, *self._table.dangling(number, cells)], cells, part)

    def _note(self, faults: Sequence[DataError], row: Sequence[str], part: Part) -> None:
        part.faults.append(
            tuple(
                (
                    fault.row or 0,
                    None if fault.column is None else str(fault.column),
                    fault.message,
                    row[self.header.index(str(fault.column))] if fault.column in self.header else "",
                )
                for fault in faults
            )
        )


@dataclass(frozen=True)
class Effort:
    """How a package is mapped: by so many processes, in spans of so many bytes, telling how far it is."""

    workers: int
    span: int = _SPAN
    progress: Callable[[str], None] = lambda _: None


def map_package(job: Job, tally: Tally, folder: Path, effort: Effort) -> None:
    """Write the lines of every table of each package into parts in a folder.

    Raises DataError where metadata, a header or an encoding is malformed, StorageError where the disk fails or a
    worker dies.
    """
    for path in job.each_file(tally):
        plans = read_metadata(path, fallback=job.source.graph)
        with TemporaryDirectory(prefix="culturegraph-") as name:
            index = Path(name, "keys.sqlite")
            with KeyIndex(index) as keys:
                index_keys(plans, keys)
            for plan in plans:
                tally.prefix = f"{plan.file}:" if len(plans) > 1 else ""
                _map_table(plan, index, folder, tally, effort)


def _map_table(plan: TablePlan, index: Path, folder: Path, tally: Tally, effort: Effort) -> None:
    header, whole = find_beginning(plan)
    mapper = _Mapper(plan, header, index, folder)
    if not is_splittable(plan):
        with KeyIndex(index) as keys, mapper.part(0).open("wb") as file:
            for line in write_table(plan, keys, tally):
                file.write(line.encode())
                tally.quads += 1
        return
    size = whole.end - whole.start
    total = -(-size // effort.span)
    if total > effort.workers:
        # As many for each worker: none is left alone with the last one.
        total += -total % effort.workers
    spans = split(plan.path, whole, -(-size // max(total, 1)))
    try:
        found, seen = _map_spans(mapper, enumerate(spans), total, effort)
        parts = _settle(mapper, found)
        mapper.repeats = _find_repeats(mapper, parts, seen if parts == found else None)
        if mapper.repeats:
            again = {
                number: part.span
                for number, part in parts.items()
                if any(part.span.line <= row < part.line for row in mapper.repeats)
            }
            parts |= _map_spans(mapper, again.items(), len(again), effort)[0]
    except UnicodeDecodeError as error:
        raise undecodable(plan, error) from error
    except OSError as error:
        raise StorageError(f"{error.filename or folder} cannot be read or written: {error.strerror}") from error
    for _, part in sorted(parts.items()):
        _tell(part, tally)


def _map_spans(
    mapper: _Mapper, spans: Iterable[tuple[int, Span]], total: int, effort: Effort
) -> tuple[dict[int, Part], set[int]]:
    """Map spans as they are found; return the parts, and the hashes of their keys. Raises what a worker raised."""
    found, seen = dict[int, Part](), set[int]()
    with closing(run(mapper, spans, min(effort.workers, total))) as answers:
        for number, part in answers:
            found[number] = part
            if len(seen) <= _COMPARED:
                # While the workers work there is time for it.
                seen.update(part.hashes)
            effort.progress(f"{mapper.plan.file}: {len(found)} of {total} parts")
    return found, seen


def _tell(part: Part, tally: Tally) -> None:
    tally.rows += part.rows
    tally.quads += part.quads
    for faults in sorted(part.faults):
        for row, column, message, told in faults:
            tally.reject_fault(DataError(message, "", row, column), told)
        tally.rejected_rows -= len(faults) - 1


def _settle(mapper: _Mapper, parts: dict[int, Part]) -> dict[int, Part]:
    """Return the parts that begin where the ones before them end, those that did not read anew from there."""
    settled, position, line = dict[int, Part](), -1, 1
    is_open = is_over = False
    for number, part in sorted(parts.items()):
        if is_over or 0 <= part.span.end <= position:
            mapper.part(number).unlink()
            continue
        if position >= 0 and part.span.start != position:
            if not is_open:
                mapper.open()
                is_open = True
            true = mapper.map(number, Span(position, part.span.end, line))
        else:
            true = part
        settled[number] = true
        position, line, is_over = true.end, true.line, true.is_broken_off
    return settled


def _find_repeats(mapper: _Mapper, parts: Mapping[int, Part], seen: set[int] | None) -> dict[int, int]:
    """Return the rows whose key stands before, each with the first row that has it; the hashes may have been seen."""
    hashes = [part.hashes for _, part in sorted(parts.items())]
    total = sum(map(len, hashes))
    if total <= _COMPARED and len(set().union(*hashes) if seen is None else seen) == total:
        return {}
    rounds = 1 + total // _COMPARED
    doubtful = set[int]()
    for remainder in range(rounds):
        chosen = [each for some in hashes for each in some if each % rounds == remainder]
        seen = set(chosen)
        if len(seen) < len(chosen):
            for each in chosen:
                if each in seen:
                    seen.remove(each)
                else:
                    doubtful.add(each)
    if not doubtful:
        return {}
    first, repeats = dict[tuple[str, ...], int](), dict[int, int]()
    rows = read_numbered(mapper.plan)
    next(rows)
    for number, cells in rows:
        if next(mapper.hash_keys([*zip(cells)])) in doubtful:
            key = tuple(cells[position] for position in mapper.primary)
            if first.setdefault(key, number) != number:
                repeats[number] = first[key]
    return repeats
