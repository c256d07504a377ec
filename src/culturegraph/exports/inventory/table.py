"""Sheets as CSV: a row for each sentence and for each empty cell, with where it comes from or what would fill it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from culturegraph.exports.forms.wording import show
from culturegraph.exports.inventory.sheets import LICENCE, Sheet
from culturegraph.rdf.spreadsheets import guard

HEADER: Final = (
    *("record", "name", "block", "code", "field", "field_title", "state", "value", "value_iri"),
    *("statements", "sources", "query", "licence"),
)


def write_header() -> bytes:
    """Return the first line."""
    return _lines([HEADER])


def write_rows(sheet: Sheet) -> bytes:
    """Return the lines of one sheet. No cell begins a formula."""
    return _lines(_rows(sheet))


def _rows(sheet: Sheet) -> Iterator[tuple[str, ...]]:
    notes = {note.number: note for note in sheet.notes}
    for section, cell in sheet.cells():
        field = cell.field
        head = (sheet.iri, sheet.name, section.id, field.code, field.id, sheet.say(field.title))
        for sentence in cell.sentences:
            note = notes[sentence.note]
            statements = " ".join(statement.iri for statement in note.statements)
            sources = " ".join(dict.fromkeys(source.graph for source in note.sources()))
            value = show(sentence, sheet.language)
            yield (*head, "filled", value, sentence.iri or "", statements, sources, "", LICENCE)
        if not cell.sentences:
            why = sheet.say(field.note) if field.note else ""
            yield (*head, "empty", why, "", "", "", cell.query, LICENCE)


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([guard(value) for value in row] for row in rows)
    return text.getvalue().encode()
