"""The pages about the project: Markdown files, one a page and language, in `articles/{language}/{page}.md`.

Owns the reading of such a file: its heading is the page's title, its first paragraph tells the page in the index. A new
page is a file in each language; nothing else is to be done. Markdown is the one of CommonMark with tables, without raw
HTML, so that whatever stands in a file obeys the site's content security policy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

FOLDER: Final = Path(__file__).parent / "articles"
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_BEGINNING: Final = ("heading_open", "inline", "heading_close", "paragraph_open", "inline", "paragraph_close")


@dataclass(frozen=True)
class Article:
    """One page in one language: its name in the address, title, first paragraph, and what follows, as HTML."""

    name: str
    title: str
    lead: str
    body: Markup


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _text(token: Token) -> str:
    return "".join(child.content for child in token.children or () if child.type in {"text", "code_inline"})


def _name_parts(tokens: Sequence[Token]) -> None:
    """Give each heading an id, so that a section can be linked to, and each table the heading that it stands under."""
    seen: dict[str, int] = {}
    heading = "title"
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            slug = _slug(_text(inline))
            seen[slug] = seen.get(slug, 0) + 1
            heading = slug if seen[slug] == 1 else f"{slug}-{seen[slug]}"
            token.attrSet("id", heading)
        elif token.type == "table_open":
            token.meta["heading"] = heading
        elif token.type in {"th_open", "td_open"}:
            # Alignment comes as a style attribute, which the content security policy forbids.
            token.attrs.pop("style", None)


class _Renderer(RendererHTML):
    """Lets a wide table scroll by itself, reachable by keyboard, and not the page. Methods are named after tokens."""

    def table_open(self, tokens: Sequence[Token], index: int, _options: object, _environment: object) -> str:
        """Begin a table within a region of its own."""
        heading = tokens[index].meta["heading"]
        return f'<div class="wide" tabindex="0" role="region" aria-labelledby="{heading}"><table>\n'

    def table_close(self, _tokens: Sequence[Token], _index: int, _options: object, _environment: object) -> str:
        """End a table and its region."""
        return "</table></div>\n"


def _turn_links(tokens: Sequence[Token], link: Callable[[str], str]) -> None:
    """Let links on this site keep the reader's language."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open" and str(child.attrGet("href")).startswith("/"):
                path, mark, fragment = str(child.attrGet("href")).partition("#")
                child.attrSet("href", link(path) + mark + fragment)


def read_article(path: Path, link: Callable[[str], str] = str) -> Article:
    """Read one page; `link` makes the address of a path on this site.

    Raises ValueError where the file does not begin with a heading and a paragraph.
    """
    tokens = _MARKDOWN.parse(path.read_text(encoding="utf-8"))
    kinds = [token.type for token in tokens[:6]]
    if tuple(kinds) != _BEGINNING or tokens[0].tag != "h1":
        raise ValueError(f"{path.name} does not begin with a heading and a paragraph")
    _name_parts(tokens[6:])
    _turn_links(tokens, link)
    body = _Renderer().render(tokens[6:], _MARKDOWN.options, {})
    return Article(path.stem, _text(tokens[1]), _text(tokens[4]), Markup(body))  # noqa: S704


def list_articles(folder: Path = FOLDER) -> Mapping[str, Sequence[str]]:
    """Return the names of the pages in each language, in their order."""
    return {path.name: sorted(file.stem for file in path.glob("*.md")) for path in sorted(folder.iterdir())}
