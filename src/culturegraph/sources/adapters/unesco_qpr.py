"""Reads back the workbook of `culturegraph export unesco-qpr` that officers completed: what they wrote, as rows.

A hidden sheet of the workbook says what each cell is and what it held. What differs is an answer: a row as
`data/answers.csv` has them, for somebody to review. Rows are found by the IRI at their end and columns by their title,
so that people may sort a sheet and insert columns. Nothing is taken over from a formula, an error or an emptied cell.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from culturegraph.errors import DataError
from culturegraph.files import write_whole
from culturegraph.rdf.spreadsheets import MAP_HEADER, MAP_SHEET, guard
from culturegraph.rdf.vocabulary import BASE
from culturegraph.rdf.xml_text import to_xml_text
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.lines import careful
from culturegraph.sources.metadata import read_metadata

_TABLE: Final = "answers.csv"
# Title rows of a data sheet: what it is; the columns.
_TITLES: Final = 2
_ADDRESS: Final = "IRI"
_BULLET: Final = re.compile(r"^-(?=\s)")


@dataclass(frozen=True)
class _Cell:
    """A cell as the hidden sheet tells it."""

    sheet: str
    cell: str
    key: str
    about: str
    field: str
    language: str
    value: str


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of the answers; write them as rows where `rows` names a file. Raises DataError, StorageError."""
    plan = next(plan for plan in read_metadata(job.data / "csv-metadata.json") if plan.file == _TABLE)
    columns = [*plan.header, "field_title", "before"]
    told = io.StringIO(newline="")
    writer = csv.DictWriter(told, columns, lineterminator="\n")
    writer.writeheader()
    number = 1
    for path in job.each_file(tally):
        for cell, place, text in _read(path, tally):
            number += 1
            row = _row(cell, place, text, job.source.id)
            lines, faults = careful(plan, number, row)
            for fault in faults:
                tally.reject(0, place, f"{fault.column}: {fault.message}", text)
            if not faults:
                writer.writerow({**row, "field_title": cell.field, "before": guard(cell.value)})
                yield from lines
    if "rows" in job.options:
        write_whole(Path(job.option("rows")), told.getvalue().encode())


def _row(cell: _Cell, place: str, text: str, source: str) -> Mapping[str, str]:
    report, cycle, field = cell.key.split("/")
    about = cell.about.removeprefix(BASE)
    slug = re.sub(r"[^a-z0-9]+", "-", f"{report}-{cycle}-{field}-{about.removeprefix('id/')}".lower()).strip("-")
    known = {"id": slug, "field": cell.key, "about": about, "lang": cell.language, "text": text}
    return {**known, "source": source, "locator": place, "note_editorial": ""}


def _read(path: Path, tally: Tally) -> Iterator[tuple[_Cell, str, str]]:
    """Yield each completed cell: what it is, where it is, what is written in it."""
    book = _open(path)
    sheets: dict[str, _Sheet] = {}
    for cell in _mapped(path, book):
        tally.rows += 1
        if cell.sheet not in book.sheetnames:
            tally.reject(0, cell.sheet, "this sheet is gone from the workbook", cell.value, kind="sheet is gone")
            continue
        sheet = sheets.setdefault(cell.sheet, _Sheet(book[cell.sheet]))
        found = sheet.find(cell)
        if found is None:
            tally.reject(0, f"{cell.sheet}!{cell.cell}", f"its row or column is gone: {cell.about}", cell.value)
            continue
        text = _text(found, cell, tally)
        if text is not None:
            yield cell, f"{cell.sheet}!{found.coordinate}", text


def _text(found: Any, cell: _Cell, tally: Tally) -> str | None:
    """Return what a cell answers; None where it was left as it was, or is rejected."""
    place = f"{cell.sheet}!{found.coordinate}"
    # What a spreadsheet stores as a line break varies; an edge space says nothing.
    text = "" if found.value is None else str(found.value).replace("\r\n", "\n").replace("_x000D_", "").strip()
    if text == cell.value.strip():
        return None
    reason = ""
    if found.data_type == "f":
        reason = "is a formula, not a text"
    elif found.data_type == "e":
        reason = "holds an error of the spreadsheet"
    elif not text:
        reason = "was emptied: what the graph says is corrected in its source, not here"
    elif to_xml_text(text) != text:
        reason = "holds a character that XML forbids"
    elif guard(plain := _BULLET.sub("–", text)) != plain:
        reason = "begins like a formula: write a word or a quotation mark before the sign"
    if reason:
        tally.reject(found.row, place, reason, text)
        return None
    if plain != text:
        tally.repaired["a leading hyphen is a dash"] += 1
    return plain


class _Sheet:
    """A data sheet: where its rows and its columns are now."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        titles = {str(cell.value): cell.column for cell in sheet[_TITLES] if cell.value is not None}
        self._columns: Mapping[str, int] = titles
        column = titles.get(_ADDRESS)
        self._rows = {}
        if column is not None:
            for (cell,) in sheet.iter_rows(min_row=_TITLES + 1, min_col=column, max_col=column):
                self._rows[str(cell.value)] = cell.row

    def find(self, cell: _Cell) -> Any | None:
        """Return the cell of a row and a field, wherever people moved it."""
        row, column = self._rows.get(cell.about), self._columns.get(cell.field)
        return None if row is None or column is None else self._sheet.cell(row, column)


def _open(path: Path) -> Any:
    try:
        return openpyxl.load_workbook(path)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise DataError("is no Excel workbook (.xlsx)", path.name) from error


def _mapped(path: Path, book: Any) -> Iterator[_Cell]:
    if MAP_SHEET not in book.sheetnames:
        raise DataError(f"is no workbook of `culturegraph export unesco-qpr`: no sheet {MAP_SHEET!r}", path.name)
    rows = book[MAP_SHEET].iter_rows(values_only=True)
    head, header = next(rows, ("", "")), next(rows, ("", ""))
    if tuple(header) != MAP_HEADER or len(head) < _TITLES or not str(head[1]).startswith("unesco-qpr/"):
        raise DataError(f"has a sheet {MAP_SHEET!r} that is not ours", path.name)
    for number, row in enumerate(rows, start=3):
        cells = ["" if value is None else str(value) for value in row]
        if len(cells) != len(MAP_HEADER) or not cells[2].startswith(f"{head[1]}/"):
            raise DataError("was changed by hand", f"{path.name}:{MAP_SHEET}", number)
        yield _Cell(*cells)
