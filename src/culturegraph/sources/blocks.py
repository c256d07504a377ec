"""A large CSV file in blocks that workers read side by side.

A line end within quotes is no row's end, which only a reading from the beginning can tell. So a span begins behind a
line end with as many quotes before it as make pairs; it is read up to a row's end; and it counts only if the span
before it ended exactly where it begins. Otherwise (quotes that stand in the middle of a cell) it is read again from
where that one ended.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from culturegraph.errors import DataError
from culturegraph.sources.metadata import TablePlan
from culturegraph.sources.rows import MalformedError, number_rows, read_cells

# Bytes of a block: its rows, as columns, stay in the processor's cache.
_BLOCK: Final = 64 * 1024
# Bytes that a row may have: a quote that is open for longer is not closed.
_LONGEST: Final = 64 * 1024 * 1024
_HEAD: Final = 1024 * 1024
_SIMPLE: Final = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})


@dataclass(frozen=True)
class Span:
    """Bytes of a file from one row's beginning to another's, and the number of its first line."""

    start: int
    end: int
    line: int


@dataclass(frozen=True)
class Block:
    """Rows of a file with the lines on which they begin; `end` is the byte behind them, `line` the line there."""

    numbers: Sequence[int]
    rows: Sequence[Sequence[str]]
    end: int
    line: int
    # Where the quotes do not close: the rows before it stand, and there are none after it.
    fault: MalformedError | None = None


def count_lines(data: bytes) -> int:
    """Return the number of line ends: LF, CR LF or CR."""
    return data.count(b"\n") + (data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else 0)


def is_splittable(plan: TablePlan) -> bool:
    """Say whether a line end has the same byte, and that byte no other meaning, in the table's encoding."""
    if codecs.lookup(plan.encoding).name not in _SIMPLE:
        return False
    with plan.path.open("rb") as file:
        head = file.read(_BLOCK)
    return b"\n" in head or b"\r" not in head


def find_beginning(plan: TablePlan) -> tuple[Sequence[str], Span]:
    """Return the header and the span of all rows. Raises DataError where the table cannot be read."""
    faults: list[DataError] = []
    header: Sequence[str] = next(read_cells(plan, faults), (1, ()))[1]
    if faults:
        raise faults[0]
    size = plan.path.stat().st_size
    with plan.path.open("rb") as file:
        mark = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0
        if not plan.has_header:
            return header, Span(mark, size, 1)
        file.seek(mark)
        text = file.read(_HEAD).decode(plan.encoding, "replace")
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=plan.delimiter, strict=True)
    next(reader)
    lines.seek(0)
    length = len("".join(islice(lines, reader.line_num)).encode(plan.encoding))
    return header, Span(mark + length, size, 1 + reader.line_num)


def split(path: Path, whole: Span, size: int) -> Iterator[Span]:
    """Yield spans of about `size` bytes that begin behind line ends."""
    start, line = whole.start, whole.line
    with path.open("rb") as file:
        file.seek(start)
        while start < whole.end:
            data = _read_lines(file, size)
            quotes, lines = data.count(b'"'), count_lines(data)
            while quotes % 2 and file.tell() - start < 2 * size and (more := file.readline()):
                quotes, lines = quotes + more.count(b'"'), lines + count_lines(more)
            end = file.tell()
            yield Span(start, end, line)
            start, line = end, line + lines


def _read_lines(file: BinaryIO, size: int) -> bytes:
    """Return so many bytes, and those up to the next line's end where they do not end with one."""
    data = file.read(size)
    return data if data.endswith(b"\n") else data + file.readline()


def read_blocks(plan: TablePlan, span: Span, size: int = _BLOCK) -> Iterator[Block]:
    """Yield the rows of a span, and of what follows it up to the first row's end. A blank line is a row without cells.

    `end` and `line` of the last block say where the next row begins. Raises UnicodeDecodeError where the bytes are not
    in the table's encoding.
    """
    position, line = span.start, span.line
    with plan.path.open("rb") as file:
        while position < span.end:
            file.seek(position)
            data = _read_lines(file, min(size, span.end - position))
            block = _read(plan, data, line, position)
            while block is None:
                # A row goes on behind the block, or its quote never closes.
                more = _read_lines(file, len(data))
                data += more
                block = _read(plan, data, line, position, is_last=not more or len(data) > _LONGEST)
            yield block
            if block.fault is not None:
                return
            position, line = block.end, block.line


def _read(plan: TablePlan, data: bytes, line: int, position: int, *, is_last: bool = False) -> Block | None:
    """Return the rows of some bytes; None where the last one is not whole."""
    text, end = data.decode(plan.encoding), position + len(data)
    lines = text.removesuffix("\n").split("\n")
    reader = csv.reader(lines, delimiter=plan.delimiter, strict=True)
    try:
        rows = list(reader)
        # Each row is one line, as long as no carriage return ends one.
        if len(rows) == len(lines) and ("\r" not in text or text.count("\r") == text.count("\r\n")):
            return Block(range(line, line + len(rows)), rows, end, line + len(rows))
    except csv.Error as error:
        if not is_last and "end of data" in str(error):
            return None
    numbered, fault = list[tuple[int, list[str]]](), None
    try:
        for number, cells in number_rows(io.StringIO(text, newline=""), plan.delimiter, plan.file):
            numbered.append((line + number - 1, cells))
    except MalformedError as error:
        fault = MalformedError(error.message, plan.file, line + (error.row or 1) - 1)
    return Block(
        [number for number, _ in numbered], [cells for _, cells in numbered], end, line + count_lines(data), fault
    )
