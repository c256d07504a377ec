"""The rows of a CSV file, one at a time: memory does not grow with the file.

Owns the form of the file (encoding, byte order mark, quotes, header, number of cells) and the line on which each row
begins. Refuses to know what a cell means.

Source: W3C Model for Tabular Data §8 (parsing tabular data); RFC 4180.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from culturegraph.errors import DataError, StorageError
from culturegraph.sources.metadata import TablePlan

# A cell longer than this is a quote that was never closed, not a value.
csv.field_size_limit(1_000_000)


def undecodable(plan: TablePlan, fault: UnicodeDecodeError) -> DataError:
    """Return the located error of a file that is not in its encoding; reads the file again up to that line."""
    with plan.path.open("rb") as file:
        for row, line in enumerate(file, start=1):
            try:
                line.decode(plan.encoding)
            except UnicodeDecodeError as error:
                shown = line[error.start : error.end]
                return DataError(f"is not {plan.encoding.upper()}: byte {shown!r}", plan.file, row)
    return DataError(f"is not {plan.encoding.upper()}: {fault.reason}", plan.file)


def _check_header(plan: TablePlan, header: list[str]) -> list[DataError]:
    errors = [
        DataError(f"unknown column {name!r} (known: {', '.join(plan.header)})", plan.file, 1)
        for name in header
        if name not in plan.header
    ]
    errors += [DataError(f"column {name!r} is missing", plan.file, 1) for name in plan.header if name not in header]
    errors += [
        DataError(f"column {name!r} stands twice", plan.file, 1) for name in set(header) if header.count(name) > 1
    ]
    return errors


class MalformedError(DataError):
    """A file whose quotes do not close: the rows before it stand."""


def number_rows(lines: Iterable[str], delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the row begins, its cells). Raises MalformedError where the quotes do not close."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise MalformedError(f"is not well-formed CSV: {error}", file, line) from error


def _rows(plan: TablePlan) -> Iterator[tuple[int, list[str]]]:
    # Spreadsheets write a byte order mark. No newline translation: a cell may hold a carriage return, or U+2028.
    encoding = "utf-8-sig" if plan.encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else plan.encoding
    try:
        with plan.path.open(encoding=encoding, newline="") as file:
            yield from number_rows(file, plan.delimiter, plan.file)
    except UnicodeDecodeError as error:
        raise undecodable(plan, error) from error
    except FileNotFoundError:
        raise DataError("is missing", plan.file) from None
    except OSError as error:
        raise StorageError(f"{plan.path} cannot be read: {error.strerror}") from error


def read_cells(plan: TablePlan, errors: list[DataError]) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield (1, header), then (row number, cells) of a table; faults of the file's form are added to `errors`.

    Cells and names are stripped of edge spaces. Raises DataError where the file as a whole cannot be read,
    StorageError where the disk fails.
    """
    rows = _rows(plan)
    try:
        _, first = next(rows, (1, None)) if plan.has_header else (1, list(plan.header))
        if first is None:
            errors.append(DataError("is empty: not even a header", plan.file))
            return
        header = [plan.titles.get(name.strip(), name.strip()) for name in first]
        faults = _check_header(plan, header)
        if faults:
            errors.extend(faults)
            return
        yield 1, header
        width = len(header)
        for number, cells in rows:
            if len(cells) == width:
                if any(cells):
                    yield number, [cell.strip() for cell in cells]
            elif any(cells):
                errors.append(DataError(f"has {len(cells)} cells, the header {width}", plan.file, number))
    except MalformedError as error:
        errors.append(error)
