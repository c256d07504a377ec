"""Delimited text as it comes: any delimiter, a byte order mark, several encodings in one file, ragged rows.

Yields rows by the names of the columns that the adapter asks for; what cannot be read is rejected with a reason.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from culturegraph.errors import DataError, StorageError
from culturegraph.sources.adapters.job import Tally
from culturegraph.sources.adapters.names import fold
from culturegraph.sources.rows import number_rows

_DELIMITERS: Final = (",", ";", "\t", "|")
_SPANISH: Final = frozenset("áéíóúüñÁÉÍÓÚÜÑ")
_SIGNS: Final = frozenset("ºª°¿¡–—“”‘’«»")
# The code pages of Spanish spreadsheets and of old INEI pages.
_CODE_PAGES: Final = ("cp1252", "cp850")
BLANK: Final = frozenset({"", "NA", "N/A", "NULL", "S/D", "S/I"})


def _install(page: str) -> str:
    """Return the name of an error handler that reads bytes that are no UTF-8 by a code page."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        return error.object[error.start : error.end].decode(page, errors="replace"), error.end

    name = f"culturegraph-{page}"
    codecs.register_error(name, handle)
    return name


_HANDLERS: Final = {page: _install(page) for page in _CODE_PAGES}


def _is_in_place(before: str, letter: str, after: str) -> bool:
    """Say whether an accented letter has the case of its word: Sólo, SÓLO and Óscar are, SóLO and SÓlo are not."""
    if letter.islower():
        return not after.isupper()
    return not before.islower() and not (before.isupper() and after.islower())


def _likeness(text: str) -> int:
    """Return how much a text looks Spanish: its letters, and its signs outside of words, count for it."""
    score = 0
    for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if letter.isascii() or letter == "\xa0":
            continue
        if letter in _SPANISH:
            score += 2 if _is_in_place(before, letter, after) else -1
        elif letter in _SIGNS and not (before.isalpha() and after.isalpha()):
            score += 1
        else:
            # A letter of another language stands in few names; a misread one in every line.
            score -= 10
    return score


def decode_line(line: bytes) -> tuple[str, str]:
    """Return a line as text, and how it was read: utf-8, a code page, or `undecidable` (with U+FFFD for its bytes)."""
    try:
        return line.decode(), "utf-8"
    except UnicodeDecodeError:
        pass
    texts = {page: line.decode("utf-8", errors=handler) for page, handler in _HANDLERS.items()}
    scores = {page: _likeness(text) for page, text in texts.items()}
    best = max(scores, key=scores.__getitem__)
    others = [page for page in texts if page != best and scores[page] == scores[best] and texts[page] != texts[best]]
    if others or scores[best] <= 0:
        return line.decode("utf-8", errors="replace"), "undecidable"
    return texts[best], best


def _lines(path: Path, tally: Tally) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            start = file.read(3)
            if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise DataError("is UTF-16: save it as UTF-8", path.name, 1)
            if start == codecs.BOM_UTF8:
                tally.noted["a byte order mark"] += 1
            else:
                file.seek(0)
            for line in file:
                text, how = decode_line(line)
                if how not in {"utf-8", "undecidable"}:
                    tally.repaired[f"lines read as {how.upper()}"] += 1
                yield text
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class Layout:
    """The columns that an adapter asks for, those it takes where they are, and those it leaves out, with the reason."""

    needed: tuple[str, ...]
    left_out: Mapping[str, str]
    delimiter: str = ","


def _columns(path: Path, first: str, layout: Layout) -> tuple[str, list[str]]:
    """Return the delimiter and the header, by our names. Raises DataError where columns are missing."""
    names = {fold(name): name for name in (*layout.needed, *layout.left_out)}
    best: tuple[str, list[str]] = (layout.delimiter, [])
    for delimiter in sorted(_DELIMITERS, key=lambda sign: sign != layout.delimiter):
        _, cells = next(number_rows([first], delimiter, path.name), (1, []))
        header = [names.get(fold(cell), cell.strip()) for cell in cells]
        if sum(name in header for name in layout.needed) > sum(name in best[1] for name in layout.needed):
            best = delimiter, header
    missing = [name for name in layout.needed if name not in best[1]]
    if missing:
        raise DataError(f"has no column {', '.join(map(repr, missing))}: is it a file of this kind?", path.name, 1)
    repeated = sorted({name for name in layout.needed if best[1].count(name) > 1})
    if repeated:
        raise DataError(f"has the column {', '.join(map(repr, repeated))} twice", path.name, 1)
    return best


def read_delimited(path: Path, layout: Layout, tally: Tally) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (row number, cells by column, as written) of a delimited file; rows of a wrong width are rejected.

    Raises DataError where the header lacks a needed column or quotes do not close, StorageError where the disk fails.
    """
    lines = _lines(path, tally)
    first = next(lines, None)
    if first is None:
        raise DataError("is empty: not even a header", path.name)
    delimiter, header = _columns(path, first, layout)
    if delimiter != layout.delimiter:
        tally.repaired[f"delimiter {delimiter!r} instead of {layout.delimiter!r}"] += 1
    for name in header:
        if name not in layout.needed:
            tally.left_out[name] = layout.left_out.get(name, "a column that this adapter does not know")
    for number, cells in number_rows(lines, delimiter, path.name):
        # The header was taken off before.
        row = number + 1
        if not any(map(str.strip, cells)):
            continue
        tally.rows += 1
        if len(cells) != len(header):
            reason = f"has {len(cells)} cells, the header {len(header)}"
            tally.reject(row, "", reason, delimiter.join(cells), kind="another number of cells than the header")
            continue
        yield row, dict(zip(header, cells, strict=True))


def strip_cells(row: Mapping[str, str], columns: Sequence[str], tally: Tally) -> dict[str, str]:
    """Return the cells of some columns without edge spaces, blanks of any spelling empty; repairs are counted."""
    cells = {}
    for name in columns:
        edged = row[name].strip()
        value = " ".join(edged.split())
        if edged != row[name]:
            tally.repaired[f"edge spaces in {name}"] += 1
        if value != edged:
            tally.repaired[f"repeated spaces in {name}"] += 1
        if value and value in BLANK:
            tally.noted[f"{value} for a blank in {name}"] += 1
            value = ""
        cells[name] = value
    return cells
