"""Word documents of filled forms: styles, tables, footnotes that lead to statements, links.

Notes stand at the end of what they belong to, each reached from its number and leading to its statements.

Source: ECMA-376 part 1 §17 (WordprocessingML), §17.16.22 (hyperlinks), §17.13.6 (bookmarks).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
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

from culturegraph.exports.forms.filled import Sentence
from culturegraph.exports.forms.footnotes import Note
from culturegraph.exports.forms.wording import show, show_statement, words_of
from culturegraph.rdf.xml_text import to_xml_text

_RED: Final = RGBColor(0x8A, 0x2F, 0x1D)
_GREY: Final = RGBColor(0x5A, 0x51, 0x48)
_NAME_WIDTH, _VALUE_WIDTH = Cm(4.6), Cm(12)
# Of a table with a header the first column tells most.
_FIRST_SHARE: Final = 0.28


class WordWriter:
    """Writes one document. Notes are told apart by `mark`, which whoever writes several forms in one changes."""

    def __init__(self, title: str, language: str, version: str = "") -> None:
        self.title, self.language, self.words = title, language, words_of(language)
        self.document: Document = docx.Document()
        self.mark = "note"
        self._marks = 0
        self._addresses: dict[str, str] = {}
        self._set_up(version)

    def save(self) -> bytes:
        """Return the whole file."""
        buffer = io.BytesIO()
        self.document.save(buffer)
        return buffer.getvalue()

    def _set_up(self, version: str) -> None:
        properties = self.document.core_properties
        properties.title = self.title
        properties.author, properties.comments = "culturegraph", version
        properties.language = self.language
        # The same draft gives the same document.
        properties.created = properties.modified = datetime(2026, 1, 1, tzinfo=UTC)
        page = self.document.sections[0]
        page.orientation = WD_ORIENT.PORTRAIT
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.left_margin = page.right_margin = Cm(2.2)
        page.top_margin = page.bottom_margin = Cm(2)
        styles: Any = self.document.styles
        styles["Normal"].font.name, styles["Normal"].font.size = "Calibri", Pt(10.5)
        styles["Normal"].paragraph_format.space_after = Pt(4)
        for name in ("Title", "Heading 1", "Heading 2", "Heading 3"):
            styles[name].font.name, styles[name].font.color.rgb = "Calibri", _RED
        self._number_pages(page.footer.paragraphs[0])

    def add_table(self, header: Sequence[str]) -> Any:
        """Add a table with a header that comes again on each page."""
        table: Any = self.document.add_table(rows=1, cols=len(header))
        table.style, table.autofit = "Table Grid", False
        whole = _NAME_WIDTH + _VALUE_WIDTH
        first = int(whole * _FIRST_SHARE) if len(header) > 2 else whole // len(header)
        rest = (whole - first) // max(1, len(header) - 1)
        for position, column in enumerate(table.columns):
            column.width = rest if position else first
        for cell, title in zip(table.rows[0].cells, header, strict=True):
            cell.paragraphs[0].add_run(title).bold = True
        # The header comes again on each page.
        mark = OxmlElement("w:tblHeader")
        table.rows[0]._tr.get_or_add_trPr().append(mark)
        return table

    def add_row(self, table: Any) -> Sequence[Any]:
        """Add a row that is not split between pages; return its cells."""
        row = table.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        cells: Sequence[Any] = row.cells
        # Word reads the width of a column from its cells.
        for cell, column in zip(cells, table.columns, strict=True):
            cell.width = column.width
        return cells

    def add_facts(self, facts: Sequence[tuple[str, Sequence[Sentence]]]) -> None:
        """Add a table of names and what is said of each."""
        if not facts:
            return
        table: Any = self.document.add_table(rows=0, cols=2)
        table.style, table.autofit = "Table Grid", False
        table.columns[0].width, table.columns[1].width = _NAME_WIDTH, _VALUE_WIDTH
        for title, sentences in facts:
            name, value = self.add_row(table)
            name.width, value.width = _NAME_WIDTH, _VALUE_WIDTH
            name.paragraphs[0].add_run(to_xml_text(title)).bold = True
            self.fill(value, sentences, self.words["missing"])

    def fill(self, place: Any, sentences: Sequence[Sentence], empty: str) -> None:
        """Fill a place of a table with sentences, or with what stands for none."""
        if not sentences:
            run = place.paragraphs[0].add_run(empty)
            run.italic, run.font.color.rgb = True, _GREY
            return
        for position, sentence in enumerate(sentences):
            line = place.add_paragraph() if position else place.paragraphs[0]
            line.paragraph_format.space_after = Pt(1)
            self.say(line, [sentence])

    def say(self, line: Paragraph, sentences: Sequence[Sentence]) -> None:
        """Add sentences with the numbers of their notes to a line."""
        for sentence in sentences:
            line.add_run(show(sentence, self.language))
            self._link(line, str(sentence.note), anchor=f"{self.mark}-{sentence.note}", raised=True)

    def add_named(self, name: str, text: str = "") -> Paragraph:
        """Add a line that begins with what it is about."""
        line = self.document.add_paragraph()
        line.add_run(f"{name}: ").bold = True
        line.add_run(to_xml_text(text))
        return line

    def add_aside(self, text: str) -> None:
        """Add a line in small print."""
        line = self.document.add_paragraph()
        line.paragraph_format.space_before = Pt(3)
        run = line.add_run(to_xml_text(text))
        run.font.size, run.font.color.rgb = Pt(9), _GREY

    def add_notes(self, notes: Iterable[Note]) -> None:
        """Add notes, each with links to its statements and the sources that state them."""
        for note in notes:
            line = self.document.add_paragraph()
            line.paragraph_format.space_after = Pt(2)
            self._bookmark(line, f"{self.mark}-{note.number}", f"{note.number}. ")
            for position, statement in enumerate(note.statements):
                line.add_run("; " if position else "").font.size = Pt(8)
                self._link(line, show_statement(statement), address=statement.iri, size=8)
                if statement.inferred:
                    line.add_run(f" ({self.words['inferred']})").font.size = Pt(8)
            told = (f"{s.title}{', ' + '; '.join(s.places) if s.places else ''}" for s in note.sources())
            line.add_run(to_xml_text(f" — {'; '.join(told)}")).font.size = Pt(8)

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
            relations: Any = self.document.part.rels
            number = f"rIdX{len(self._addresses) + 1}"
            relations.add_relationship(RELATIONSHIP_TYPE.HYPERLINK, address, number, is_external=True)
            self._addresses[address] = number
        return self._addresses[address]

    def _number_pages(self, line: Paragraph) -> None:
        line.add_run(f"{self.title} · ").font.size = Pt(8)
        for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
            run = line.add_run()
            run.font.size = Pt(8)
            element = OxmlElement("w:fldChar" if kind else "w:instrText")
            if kind:
                element.set(qn("w:fldCharType"), kind)
            else:
                element.text = text
            run._r.append(element)
