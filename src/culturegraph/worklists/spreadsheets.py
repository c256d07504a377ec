"""Tables of text cells from and to CSV and XLSX, as librarians send them around.

A CSV is read with the separator that its first line has; cells that a spreadsheet would run as formulas are written
guarded. In XLSX every cell is written as text, so nothing runs.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from culturegraph.errors import DataError, StorageError, UsageError
from culturegraph.files import write_whole
from culturegraph.rdf.spreadsheets import guard

FORMATS: Final = (".csv", ".tsv", ".xlsx")
_SEPARATORS: Final = ",;\t|"
MAX_ROWS: Final = 2_000_000
_WIDTH: Final = 28


@dataclass(frozen=True)
class Sheet:
    """A header and rows of as many cells; row 1 is the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str, file: str) -> int:
        """Return the place of a column. Raises DataError, which says what columns there are."""
        if name in self.header:
            return self.header.index(name)
        alike = [n for n, known in enumerate(self.header) if known.strip().casefold() == name.strip().casefold()]
        if len(alike) == 1:
            return alike[0]
        raise DataError(f"there is no column {name!r}; there are {', '.join(map(repr, self.header))}", file, 1)


def read_sheet(path: Path, *, encoding: str = "utf-8-sig", sheet: str | None = None) -> Sheet:
    """Read a CSV, TSV or XLSX file. Raises DataError where it is none, StorageError where it cannot be read."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path.name}: a file that ends in {', '.join(FORMATS)} is needed")
    try:
        rows = _read_xlsx(path, sheet) if path.suffix.lower() == ".xlsx" else _read_csv(path, encoding)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
    if not rows or not any(rows[0]):
        raise DataError("there is no header", path.name, 1)
    width = max(map(len, rows))
    header = (*rows[0], *(f"column {n}" for n in range(len(rows[0]) + 1, width + 1)))
    padded = (tuple(row) + ("",) * (width - len(row)) for row in rows[1:])
    return Sheet(header, tuple(padded))


def _read_csv(path: Path, encoding: str) -> list[Sequence[str]]:
    data = path.read_bytes()
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise UsageError(f"there is no encoding {encoding!r}") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"is not {encoding}: byte {error.start + 1:,}; try --encoding cp1252", path.name, line
        ) from error
    if "\0" in text:
        raise DataError("has a NUL character: is it really text?", path.name, text[: text.index("\0")].count("\n") + 1)
    first = text.partition("\n")[0]
    separator = "\t" if path.suffix.lower() == ".tsv" else max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[Sequence[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
    except csv.Error as error:
        raise DataError(str(error), path.name, reader.line_num) from error
    return rows[: MAX_ROWS + 1]


def _read_xlsx(path: Path, sheet: str | None) -> list[Sequence[str]]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DataError("is no XLSX workbook", path.name) from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise DataError(f"there is no sheet {sheet!r}; there are {', '.join(book.sheetnames)}", path.name)
        found = book[sheet] if sheet is not None else book.worksheets[0]
        rows = [[_text(cell) for cell in row] for row in found.iter_rows(values_only=True)]
    finally:
        book.close()
    return [row for row in rows if any(row)]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Write a CSV, TSV or XLSX file whole. Raises UsageError for another kind of file."""
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise UsageError(f"{path.name}: a file that ends in {', '.join(FORMATS)} is needed")
    write_whole(path, _to_xlsx(sheet) if kind == ".xlsx" else _to_csv(sheet, "\t" if kind == ".tsv" else ","))


def _to_csv(sheet: Sheet, separator: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerows([_guarded(cell) for cell in row] for row in (sheet.header, *sheet.rows))
    # Spreadsheets take a file without the mark for the code page of the country.
    return out.getvalue().encode("utf-8-sig")


def _guarded(cell: str) -> str:
    """Guard a cell, unless it is a number: `-12.05` is a latitude and no formula."""
    try:
        float(cell)
    except ValueError:
        return guard(cell)
    return cell


def _to_xlsx(sheet: Sheet) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet("culturegraph")
    bold = book.add_format({"bold": True})
    for number, row in enumerate(_cells(sheet)):
        for place, cell in enumerate(row):
            page.write_string(number, place, cell, *([bold] if number == 0 else []))
    page.freeze_panes(1, 0)
    page.set_column(0, max(0, len(sheet.header) - 1), _WIDTH)
    if sheet.rows:
        page.autofilter(0, 0, len(sheet.rows), len(sheet.header) - 1)
    book.close()
    return out.getvalue()


def _cells(sheet: Sheet) -> Iterable[Sequence[str]]:
    # What a cell of a workbook may hold at most.
    return ([cell[:32_767] for cell in row] for row in (sheet.header, *sheet.rows))
