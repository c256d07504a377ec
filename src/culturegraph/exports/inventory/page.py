"""Sheets as HTML: a part of a page of the site, or a file of its own, each sheet printed on pages of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from culturegraph.exports.forms.declared import Form
from culturegraph.exports.forms.filled import Sentence
from culturegraph.exports.forms.wording import show, show_statement, words_of
from culturegraph.exports.inventory.sheets import LICENCE, Sheet
from culturegraph.rdf.vocabulary import BASE
from culturegraph.rdf.xml_text import to_xml_text

_FOLDER: Final = Path(__file__).parent / "templates"
_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters["xml"] = to_xml_text
# Where the sheets stand in the file around them.
_PLACE: Final = "<!-- sheets -->"


def read_style() -> str:
    """Return the style sheet of sheets."""
    return (_FOLDER / "sheet.css").read_text("utf-8")


def to_fragment(sheet: Sheet, href: Callable[[str], str] = str, site: str = BASE.rstrip("/")) -> Markup:
    """Return a sheet as a part of a page. `href` makes the address of an IRI of ours, `site` is where queries run."""

    def tell(one: Sentence) -> Markup:
        text: Markup | str = show(one, sheet.language)
        if one.iri:
            text = Markup('<a href="{}">{}</a>').format(href(one.iri), text)
        return Markup('<li>{0}<a class="sheet-note" href="#{1}-{2}">{2}</a></li>').format(text, sheet.mark, one.note)

    def said(sentences: Sequence[Sentence]) -> Markup:
        return Markup("").join(map(tell, sentences))

    filled, empty = sheet.count()
    text = _ENVIRONMENT.get_template("sheet.html").render(
        s=sheet,
        w=words_of(sheet.language),
        filled=filled,
        empty=empty,
        licence=LICENCE,
        href=href,
        run=lambda query: f"{site}/sparql?{urlencode({'query': query})}",
        said=said,
        statement=show_statement,
    )
    return Markup(text)  # noqa: S704


def make_frame(outline: Form, language: str) -> tuple[str, str]:
    """Return what stands before and after the sheets in an HTML file that needs no other."""
    # The style sheet is a file of ours.
    style = Markup(read_style())  # noqa: S704
    page = _ENVIRONMENT.get_template("sheets.html").render(outline=outline, language=language, style=style)
    head, _, end = page.partition(_PLACE)
    return head, end
