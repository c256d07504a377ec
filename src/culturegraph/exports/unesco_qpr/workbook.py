"""The draft as an Excel workbook: what officers complete and send back.

The data sheets hold values only; which notes a cell has is told beside it, and what a cell is, by a hidden sheet that
`culturegraph ingest unesco-qpr` reads. Nothing that begins like a formula is one.

Source: ECMA-376 part 1 §18.3 (cells); Excel's limit of 32,767 characters a cell.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from textwrap import shorten
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from culturegraph.exports.forms.filled import Cell, Part
from culturegraph.exports.forms.wording import show, show_statement, words_of
from culturegraph.exports.unesco_qpr.draft import Draft
from culturegraph.rdf.spreadsheets import MAP_HEADER, MAP_SHEET
from culturegraph.rdf.xml_text import to_xml_text

_LIMIT: Final = 32_000
_NAME_LIMIT: Final = 31
_WIDTHS: Final = {"title": 44, "text": 60, "results": 50, "basis": 44, "features": 50, "party": 30}
_FORBIDDEN_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")


def to_workbook(draft: Draft) -> bytes:
    """Return the workbook."""
    return _Workbook(draft).write()


class _Workbook:
    def __init__(self, draft: Draft) -> None:
        self._draft, self._words = draft, words_of(draft.language)
        self._buffer = io.BytesIO()
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(self._buffer, options)
        # A cell keeps its text whole: wrapped, from the top.
        self._text = self._book.add_format({"text_wrap": True, "valign": "top", "border": 1, "border_color": "#D9CFC2"})
        self._empty = self._book.add_format({"bg_color": "#FBF1D9", "valign": "top", "border": 1, "text_wrap": True})
        self._head = self._book.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "valign": "top",
                "bg_color": "#8A2F1D",
                "font_color": "#FFFFFF",
                "border": 1,
            }
        )
        self._title = self._book.add_format({"bold": True, "font_size": 16})
        self._plain = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._mapped: list[tuple[str, ...]] = []
        self._noted: dict[int, list[str]] = {}
        self._names: set[str] = set()

    def write(self) -> bytes:
        """Return the whole file."""
        self._start()
        for part in self._draft.parts:
            if part.section.query:
                self._part(part)
        self._comparison()
        self._gaps()
        self._notes()
        self._map()
        self._book.close()
        return self._buffer.getvalue()

    def _sheet(self, name: str, widths: Sequence[int]) -> Worksheet:
        plain = shorten(_FORBIDDEN_IN_NAMES.sub(" ", name), _NAME_LIMIT, placeholder="…")
        number = 2
        while plain.lower() in self._names:
            plain = f"{plain[: _NAME_LIMIT - 3]} {number}"
            number += 1
        self._names.add(plain.lower())
        sheet = self._book.add_worksheet(plain)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def _put(self, sheet: Worksheet, row: int, column: int, value: str, form: Any) -> str:
        text = to_xml_text(value)
        if len(text) > _LIMIT:
            text = f"{text[:_LIMIT]} {self._words['cut']}"
        if text:
            sheet.write_string(row, column, text, form)
        else:
            sheet.write_blank(row, column, None, form)
        return text

    def _start(self) -> None:
        draft, words = self._draft, self._words
        sheet = self._sheet(words["start"], (26, 100))
        self._put(sheet, 0, 0, draft.say(draft.cycle.title), self._title)
        filled, empty = draft.count()
        due = " / ".join(show(sentence, draft.language) for sentence in draft.due.cells[0].sentences)
        lines = (
            (words["due"], f"{due}. {draft.say(draft.cycle.verification)}"),
            (
                words["form"],
                f"{draft.say(draft.cycle.form.title)} ({draft.cycle.form.source}). {draft.say(draft.cycle.form.note)}",
            ),
            (words["cells"], f"{filled} {words['filled']}, {empty} {words['empty']}"),
            (words["from"], draft.version),
            (words["draft"], words["how"]),
            (words["answers"], words["answers_text"]),
        )
        for row, (name, text) in enumerate(lines, start=2):
            self._put(sheet, row, 0, name, self._plain)
            self._put(sheet, row, 1, text, self._plain)

    def _part(self, part: Part) -> None:
        draft, fields = self._draft, part.section.fields
        widths = [_WIDTHS.get(field.id, 24) for field in fields]
        sheet = self._sheet(draft.say(part.section.title), (*widths, 16, 40))
        assert part.section.query is not None
        ours = f" ({self._words['ours']})" if part.section.ours else ""
        why = f"{self._words['proposal']}: {draft.say(part.section.query.description)}"
        sheet.write_string(0, 0, to_xml_text(f"{draft.say(part.section.title)}{ours}. {why}"))
        for column, title in enumerate([*(draft.say(field.title) for field in fields), self._words["notes"], "IRI"]):
            self._put(sheet, 1, column, title, self._head)
        sheet.freeze_panes(2, 1)
        if not part.rows:
            sheet.write_string(2, 0, self._words["nothing"])
        for number, row in enumerate(part.rows, start=2):
            for column, cell in enumerate(row.cells):
                self._cell(sheet, number, column, cell, row.iri)
            notes = sorted({sentence.note for cell in row.cells for sentence in cell.sentences})
            self._put(sheet, number, len(fields), ", ".join(map(str, notes)), self._text)
            self._put(sheet, number, len(fields) + 1, row.iri, self._text)

    def _cell(self, sheet: Worksheet, row: int, column: int, cell: Cell, about: str) -> None:
        shown = "\n".join(show(sentence, self._draft.language) for sentence in cell.sentences)
        written = self._put(sheet, row, column, shown, self._text if cell.sentences else self._empty)
        place = xl_rowcol_to_cell(row, column)
        for sentence in cell.sentences:
            self._noted.setdefault(sentence.note, []).append(f"{sheet.get_name()}!{place}")
        field = self._draft.say(cell.field.title)
        self._mapped.append((sheet.get_name(), place, cell.key, about, field, self._draft.language, written))

    def _table(self, name: str, widths: Sequence[int], header: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
        sheet = self._sheet(name, widths)
        for column, title in enumerate(header):
            self._put(sheet, 0, column, title, self._head)
        last = 0
        for last, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                self._put(sheet, last, column, value, self._text)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, last, len(header) - 1)

    def _comparison(self) -> None:
        draft, words = self._draft, self._words

        def rows() -> Iterator[Sequence[str]]:
            for thing in draft.comparison:
                told = [thing.reported.get(report, ()) for report, _ in draft.reports]
                for sentences in told:
                    for sentence in sentences:
                        self._noted.setdefault(sentence.note, []).append(words["comparison"])
                texts = ["\n".join(f"{show(s, draft.language)} [{s.note}]" for s in sentences) for sentences in told]
                yield [thing.name, *texts, "; ".join(thing.places) or words["not_in_draft"], thing.iri]

        header = [words["thing"], *(name for _, name in draft.reports), words["this_draft"], "IRI"]
        self._table(words["comparison"], [44, *(50 for _ in draft.reports), 36, 44], header, rows())

    def _gaps(self) -> None:
        words, draft = self._words, self._draft
        header = [words[key] for key in ("section", "row", "field", "known_gap", "query")]
        rows = (
            [
                draft.say(part.section.title),
                row.name,
                draft.say(cell.field.title),
                "\n".join(f"{gap.text} ({gap.iri})" for gap in cell.known_gaps),
                cell.query or part.section.query.text,
            ]
            for part in draft.parts
            if part.section.query
            for row, cell in part.gaps()
        )
        self._table(words["gaps"], (36, 44, 36, 44, 90), header, rows)

    def _notes(self) -> None:
        words = self._words
        keys = ("note", "cells", "statement", "value", "source", "document", "place", "licence")

        def rows() -> Iterator[Sequence[str]]:
            for note in self._draft.notes:
                cells = ", ".join(self._noted.get(note.number, []))
                for one in note.statements:
                    sources = one.sources
                    yield [
                        str(note.number),
                        cells,
                        one.iri,
                        show_statement(one),
                        "\n".join(source.title for source in sources) or (words["inferred"] if one.inferred else ""),
                        "\n".join(source.document or source.graph for source in sources),
                        "\n".join("; ".join(source.places) for source in sources),
                        "\n".join(source.licence or "" for source in sources),
                    ]

        self._table(words["notes"], (8, 24, 50, 60, 40, 50, 30, 30), [words[key] for key in keys], rows())

    def _map(self) -> None:
        sheet = self._book.add_worksheet(MAP_SHEET)
        head = (MAP_SHEET, f"unesco-qpr/{self._draft.cycle.id}", self._draft.cycle.form.id, self._draft.version)
        for row, cells in enumerate((head, MAP_HEADER, *self._mapped)):
            for column, value in enumerate(cells):
                sheet.write_string(row, column, value)
        sheet.very_hidden()
