"""Sheets as a Word document: one sheet after the other, each on pages of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from culturegraph.exports.forms.declared import Form
from culturegraph.exports.forms.filled import Cell
from culturegraph.exports.forms.word import WordWriter
from culturegraph.exports.inventory.sheets import LICENCE, Sheet
from culturegraph.rdf.xml_text import to_xml_text


def to_document(sheets: Iterable[Sheet], outline: Form, language: str) -> bytes:
    """Return the document."""
    word = WordWriter(outline.title[language], language)
    document: Any = word.document
    for position, sheet in enumerate(sheets):
        if position:
            document.add_page_break()
        _write(word, sheet)
    return word.save()


def _write(word: WordWriter, sheet: Sheet) -> None:
    # Numbers of notes begin anew with each sheet.
    word.mark = sheet.mark
    word.document.add_heading(to_xml_text(sheet.name), 1)
    word.add_aside(f"{sheet.say(sheet.outline.title)}. {sheet.say(sheet.outline.note)}")
    filled, empty = sheet.count()
    word.add_named(word.words["cells"], f"{filled} {word.words['filled']}, {empty} {word.words['empty']}")
    word.add_named(word.words["licence"], LICENCE)
    for section, row in sheet.blocks:
        word.document.add_heading(sheet.say(section.title), 2)
        if section.ours:
            word.add_aside(f"({word.words['added']})")
        word.add_facts([(_title(sheet, cell), cell.sentences) for cell in row.cells if cell.sentences])
        for blank in (cell for cell in row.cells if not cell.sentences):
            why = f" {sheet.say(blank.field.note)}" if blank.field.note else ""
            word.add_aside(f"{_title(sheet, blank)}: {word.words['missing']}.{why}")
    word.document.add_heading(word.words["notes"], 2)
    word.add_notes(sheet.notes)


def _title(sheet: Sheet, cell: Cell) -> str:
    return f"{cell.field.code} {sheet.say(cell.field.title)}".strip()
