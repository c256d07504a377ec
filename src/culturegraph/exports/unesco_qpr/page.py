"""The draft as HTML: a part of a page of the site, or a file of its own that opens anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from culturegraph.exports.forms.filled import Cell, Part, Sentence
from culturegraph.exports.forms.wording import group_gaps, show, show_statement, words_of
from culturegraph.exports.unesco_qpr.draft import Draft
from culturegraph.rdf.vocabulary import BASE
from culturegraph.rdf.xml_text import to_xml_text

_FOLDER: Final = Path(__file__).parent / "templates"
# Rows with at most this many fields stand in one table.
_TABLE_FIELDS: Final = 5
_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters["xml"] = to_xml_text


def read_style() -> str:
    """Return the style sheet of a draft within a page that has one of its own."""
    return (_FOLDER / "draft.css").read_text("utf-8")


def to_fragment(draft: Draft, href: Callable[[str], str] = str, site: str = BASE.rstrip("/")) -> Markup:
    """Return the draft as a part of a page. `href` makes the address of an IRI of ours, `site` is where queries run."""

    def marks(sentence: Sentence) -> Markup:
        link = Markup('<a class="qpr-note" href="#note-{0}">{0}</a>').format(sentence.note)
        return Markup("{}{}").format(show(sentence, draft.language), link)

    def said(sentences: Sequence[Sentence]) -> Markup:
        if len(sentences) == 1:
            return marks(sentences[0])
        items = Markup("").join(Markup("<li>{}</li>").format(marks(sentence)) for sentence in sentences)
        return Markup('<ul class="qpr-sentences">{}</ul>').format(items) if sentences else Markup("")

    def sentences(cell: Cell) -> Markup:
        return said(cell.sentences)

    def wide(part: Part) -> bool:
        return len(part.section.fields) <= _TABLE_FIELDS

    filled, empty = draft.count()
    text = _ENVIRONMENT.get_template("draft.html").render(
        d=draft,
        w=words_of(draft.language),
        filled=filled,
        empty=empty,
        gap_groups=group_gaps(draft.parts),
        href=href,
        run=lambda query: f"{site}/sparql?{urlencode({'query': query})}",
        said=said,
        sentences=sentences,
        statement=show_statement,
        wide=wide,
    )
    return Markup(text)  # noqa: S704


def to_html(draft: Draft) -> bytes:
    """Return the draft as an HTML file that needs no other."""
    # The style sheets are files of ours.
    style = Markup((_FOLDER / "alone.css").read_text("utf-8") + read_style())  # noqa: S704
    page = _ENVIRONMENT.get_template("alone.html").render(
        d=draft,
        style=style,
        body=to_fragment(draft),
    )
    return page.encode()
