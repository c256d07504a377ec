"""The draft as a Word document: what officers read, mark and pass around."""

from __future__ import annotations

from typing import Final

from docx.shared import Pt

from culturegraph.exports.forms.filled import Part, Row
from culturegraph.exports.forms.word import WordWriter
from culturegraph.exports.forms.wording import group_gaps
from culturegraph.exports.unesco_qpr.draft import Draft
from culturegraph.rdf.xml_text import to_xml_text

# Rows with at most this many fields stand in one table.
_TABLE_FIELDS: Final = 5


def to_document(draft: Draft) -> bytes:
    """Return the document."""
    return _Writer(draft).write()


class _Writer:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._word = WordWriter(draft.say(draft.cycle.title), draft.language, draft.version)
        self._words = self._word.words

    def write(self) -> bytes:
        """Return the whole file."""
        self._start()
        for part in self._draft.parts:
            self._part(part)
        self._comparison()
        self._gaps()
        self._word.document.add_heading(self._words["notes"], 1)
        self._word.add_notes(self._draft.notes)
        return self._word.save()

    def _start(self) -> None:
        draft, words = self._draft, self._words
        self._word.document.add_heading(draft.say(draft.cycle.title), 0)
        line = self._word.add_named(words["due"])
        self._word.say(line, draft.due.cells[0].sentences)
        self._word.add_aside(draft.say(draft.cycle.verification))
        self._word.add_named(words["form"], f"{draft.say(draft.cycle.form.title)}. {draft.say(draft.cycle.form.note)}")
        filled, empty = draft.count()
        self._word.add_named(words["cells"], f"{filled} {words['filled']}, {empty} {words['empty']}")
        self._word.add_named(words["from"], draft.version)
        self._word.document.add_paragraph(words["how"])

    def _part(self, part: Part) -> None:
        section, words = part.section, self._words
        self._word.document.add_heading(self._draft.say(section.title), part.level)
        if section.ours:
            self._word.add_aside(f"({words['ours']})")
        if section.pages:
            self._word.add_aside(f"{words['pages']}: {section.pages}")
        if section.query is None:
            return
        self._word.add_aside(f"{words['proposal']}: {self._draft.say(section.query.description)}")
        if not part.rows:
            self._word.document.add_paragraph(words["nothing"]).runs[0].bold = True
        elif len(section.fields) <= _TABLE_FIELDS:
            self._rows_as_table(part)
        else:
            for row in part.rows:
                self._row(row, min(part.level + 1, 3))

    def _rows_as_table(self, part: Part) -> None:
        table = self._word.add_table([self._draft.say(field.title) for field in part.section.fields])
        for row in part.rows:
            cells = self._word.add_row(table)
            for cell, place in zip(row.cells, cells, strict=True):
                self._word.fill(place, cell.sentences, self._words["missing"])

    def _row(self, row: Row, level: int) -> None:
        self._word.document.add_heading(to_xml_text(row.name), level)
        self._word.add_facts([(self._draft.say(c.field.title), c.sentences) for c in row.cells if c.sentences])
        blank = [self._draft.say(cell.field.title) for cell in row.cells if not cell.sentences]
        if blank:
            self._word.add_aside(f"{self._words['missing']}: {'; '.join(blank)}.")

    def _comparison(self) -> None:
        draft, words = self._draft, self._words
        self._word.document.add_heading(words["comparison"], 1)
        self._word.document.add_paragraph(words["comparison_text"])
        table = self._word.add_table(
            [words["thing"], *(to_xml_text(name) for _, name in draft.reports), words["this_draft"]]
        )
        for thing in draft.comparison:
            cells = self._word.add_row(table)
            cells[0].paragraphs[0].add_run(to_xml_text(thing.name))
            for place, (report, _) in zip(cells[1:], draft.reports, strict=False):
                self._word.fill(place, thing.reported.get(report, ()), "—")
            cells[-1].paragraphs[0].add_run("; ".join(thing.places) or words["not_in_draft"])

    def _gaps(self) -> None:
        words = self._words
        self._word.document.add_heading(words["gaps"], 1)
        self._word.document.add_paragraph(words["gaps_text"])
        for part, cell, rows, query in group_gaps(self._draft.parts):
            title = f"{self._draft.say(part.section.title)} · {self._draft.say(cell.field.title)}: {len(rows)}"
            self._word.document.add_paragraph().add_run(title).bold = True
            run = self._word.document.add_paragraph().add_run(query)
            run.font.name, run.font.size = "Consolas", Pt(7.5)
