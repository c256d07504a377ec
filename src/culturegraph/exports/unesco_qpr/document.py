"""The draft as a Word document: what officers read, mark and pass around.

Notes stand at the end, each reached from its number and leading to its statements; links are links of the document.

Source: ECMA-376 part 1 §17 (WordprocessingML), §17.16.22 (hyperlinks), §17.13.6 (bookmarks).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from culturegraph.exports.forms.filled import Part, Row, Sentence
from culturegraph.exports.forms.wording import group_gaps, show, show_statement, words_of
from culturegraph.exports.unesco_qpr.draft import Draft
from culturegraph.rdf.xml_text import to_xml_text

_RED: Final = RGBColor(0x8A, 0x2F, 0x1D)
_GREY: Final = RGBColor(0x5A, 0x51, 0x48)
_NAME_WIDTH, _VALUE_WIDTH = Cm(4.6), Cm(12)
# Rows with at most this many fields stand in one table.
_TABLE_FIELDS: Final = 5


def to_document(draft: Draft) -> bytes:
    """Return the document."""
    return _Writer(draft).write()


class _Writer:
    def __init__(self, draft: Draft) -> None:
        self._draft, self._words = draft, words_of(draft.language)
        self._document: Document = docx.Document()
        self._marks = 0
        self._addresses: dict[str, str] = {}
        self._set_up()

    def _set_up(self) -> None:
        properties = self._document.core_properties
        properties.title = self._draft.say(self._draft.cycle.title)
        properties.author, properties.comments = "culturegraph", self._draft.version
        properties.language = self._draft.language
        # The same draft gives the same document.
        properties.created = properties.modified = datetime(2026, 1, 1, tzinfo=UTC)
        page = self._document.sections[0]
        page.orientation = WD_ORIENT.PORTRAIT
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.left_margin = page.right_margin = Cm(2.2)
        page.top_margin = page.bottom_margin = Cm(2)
        styles: Any = self._document.styles
        styles["Normal"].font.name, styles["Normal"].font.size = "Calibri", Pt(10.5)
        styles["Normal"].paragraph_format.space_after = Pt(4)
        for name in ("Title", "Heading 1", "Heading 2", "Heading 3"):
            styles[name].font.name, styles[name].font.color.rgb = "Calibri", _RED
        self._number_pages(page.footer.paragraphs[0])

    def write(self) -> bytes:
        """Return the whole file."""
        self._start()
        for part in self._draft.parts:
            self._part(part)
        self._comparison()
        self._gaps()
        self._notes()
        buffer = io.BytesIO()
        self._document.save(buffer)
        return buffer.getvalue()

    def _start(self) -> None:
        draft, words = self._draft, self._words
        self._document.add_heading(draft.say(draft.cycle.title), 0)
        line = self._named(words["due"])
        self._say(line, draft.due.cells[0].sentences)
        self._aside(draft.say(draft.cycle.verification))
        self._named(words["form"], f"{draft.say(draft.cycle.form.title)}. {draft.say(draft.cycle.form.note)}")
        filled, empty = draft.count()
        self._named(words["cells"], f"{filled} {words['filled']}, {empty} {words['empty']}")
        self._named(words["from"], draft.version)
        self._document.add_paragraph(words["how"])

    def _part(self, part: Part) -> None:
        section, words = part.section, self._words
        self._document.add_heading(self._draft.say(section.title), part.level)
        if section.ours:
            self._aside(f"({words['ours']})")
        if section.pages:
            self._aside(f"{words['pages']}: {section.pages}")
        if section.query is None:
            return
        self._aside(f"{words['proposal']}: {self._draft.say(section.query.description)}")
        if not part.rows:
            self._document.add_paragraph(words["nothing"]).runs[0].bold = True
        elif len(section.fields) <= _TABLE_FIELDS:
            self._rows_as_table(part)
        else:
            for row in part.rows:
                self._row(row, min(part.level + 1, 3))

    def _rows_as_table(self, part: Part) -> None:
        table = self._table([self._draft.say(field.title) for field in part.section.fields])
        for row in part.rows:
            cells = table.add_row().cells
            for cell, place in zip(row.cells, cells, strict=True):
                self._fill(place, cell.sentences, self._words["missing"])

    def _row(self, row: Row, level: int) -> None:
        self._document.add_heading(to_xml_text(row.name), level)
        filled = [cell for cell in row.cells if cell.sentences]
        if filled:
            table: Any = self._document.add_table(rows=0, cols=2)
            table.style, table.autofit = "Table Grid", False
            table.columns[0].width, table.columns[1].width = _NAME_WIDTH, _VALUE_WIDTH
            for cell in filled:
                name, value = table.add_row().cells
                name.width, value.width = _NAME_WIDTH, _VALUE_WIDTH
                name.paragraphs[0].add_run(self._draft.say(cell.field.title)).bold = True
                self._fill(value, cell.sentences, "")
        blank = [self._draft.say(cell.field.title) for cell in row.cells if not cell.sentences]
        if blank:
            self._aside(f"{self._words['missing']}: {'; '.join(blank)}.")

    def _comparison(self) -> None:
        draft, words = self._draft, self._words
        self._document.add_heading(words["comparison"], 1)
        self._document.add_paragraph(words["comparison_text"])
        table = self._table([words["thing"], *(to_xml_text(name) for _, name in draft.reports), words["this_draft"]])
        for thing in draft.comparison:
            cells = table.add_row().cells
            cells[0].paragraphs[0].add_run(to_xml_text(thing.name))
            for place, (report, _) in zip(cells[1:], draft.reports, strict=False):
                self._fill(place, thing.reported.get(report, ()), "—")
            cells[-1].paragraphs[0].add_run("; ".join(thing.places) or words["not_in_draft"])

    def _gaps(self) -> None:
        words = self._words
        self._document.add_heading(words["gaps"], 1)
        self._document.add_paragraph(words["gaps_text"])
        for part, cell, rows, query in group_gaps(self._draft.parts):
            title = f"{self._draft.say(part.section.title)} · {self._draft.say(cell.field.title)}: {len(rows)}"
            self._document.add_paragraph().add_run(title).bold = True
            run = self._document.add_paragraph().add_run(query)
            run.font.name, run.font.size = "Consolas", Pt(7.5)

    def _notes(self) -> None:
        self._document.add_heading(self._words["notes"], 1)
        for note in self._draft.notes:
            line = self._document.add_paragraph()
            line.paragraph_format.space_after = Pt(2)
            self._bookmark(line, f"note-{note.number}", f"{note.number}. ")
            for position, statement in enumerate(note.statements):
                line.add_run("; " if position else "").font.size = Pt(8)
                self._link(line, show_statement(statement), address=statement.iri, size=8)
                if statement.inferred:
                    line.add_run(f" ({self._words['inferred']})").font.size = Pt(8)
            told = (f"{s.title}{', ' + '; '.join(s.places) if s.places else ''}" for s in note.sources())
            line.add_run(to_xml_text(f" — {'; '.join(told)}")).font.size = Pt(8)

    def _table(self, header: Sequence[str]) -> Any:
        table: Any = self._document.add_table(rows=1, cols=len(header))
        table.style = "Table Grid"
        for cell, title in zip(table.rows[0].cells, header, strict=True):
            cell.paragraphs[0].add_run(title).bold = True
        # The header comes again on each page.
        mark = OxmlElement("w:tblHeader")
        table.rows[0]._tr.get_or_add_trPr().append(mark)
        return table

    def _fill(self, place: Any, sentences: Sequence[Sentence], empty: str) -> None:
        if not sentences:
            run = place.paragraphs[0].add_run(empty)
            run.italic, run.font.color.rgb = True, _GREY
            return
        for position, sentence in enumerate(sentences):
            line = place.add_paragraph() if position else place.paragraphs[0]
            line.paragraph_format.space_after = Pt(1)
            self._say(line, [sentence])

    def _say(self, line: Paragraph, sentences: Sequence[Sentence]) -> None:
        for sentence in sentences:
            line.add_run(show(sentence, self._draft.language))
            self._link(line, str(sentence.note), anchor=f"note-{sentence.note}", raised=True)

    def _named(self, name: str, text: str = "") -> Paragraph:
        line = self._document.add_paragraph()
        line.add_run(f"{name}: ").bold = True
        line.add_run(to_xml_text(text))
        return line

    def _aside(self, text: str) -> None:
        line = self._document.add_paragraph()
        line.paragraph_format.space_before = Pt(3)
        run = line.add_run(to_xml_text(text))
        run.font.size, run.font.color.rgb = Pt(9), _GREY

    def _bookmark(self, line: Paragraph, name: str, text: str) -> None:
        self._marks += 1
        start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        for element in (start, end):
            element.set(qn("w:id"), str(self._marks))
        start.set(qn("w:name"), name)
        line._p.append(start)
        line.add_run(text).font.size = Pt(8)
        line._p.append(end)

    def _link(
        self,
        line: Paragraph,
        text: str,
        *,
        address: str = "",
        anchor: str = "",
        raised: bool = False,
        size: float = 10.5,
    ) -> None:
        link = OxmlElement("w:hyperlink")
        if address:
            link.set(qn("r:id"), self._relate(address))
        else:
            link.set(qn("w:anchor"), anchor)
        run = line.add_run(to_xml_text(text))
        run.font.color.rgb, run.font.superscript, run.font.size = _RED, raised or None, Pt(size)
        link.append(run._r)
        line._p.append(link)

    def _relate(self, address: str) -> str:
        """Return the id of the relationship to an address. The library's own looks through all of them each time."""
        if address not in self._addresses:
            relations: Any = self._document.part.rels
            number = f"rIdX{len(self._addresses) + 1}"
            relations.add_relationship(RELATIONSHIP_TYPE.HYPERLINK, address, number, is_external=True)
            self._addresses[address] = number
        return self._addresses[address]

    def _number_pages(self, line: Paragraph) -> None:
        line.add_run(f"{self._draft.say(self._draft.cycle.title)} · ").font.size = Pt(8)
        for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
            run = line.add_run()
            run.font.size = Pt(8)
            element = OxmlElement("w:fldChar" if kind else "w:instrText")
            if kind:
                element.set(qn("w:fldCharType"), kind)
            else:
                element.text = text
            run._r.append(element)
