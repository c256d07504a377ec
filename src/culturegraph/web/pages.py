"""Rendering of HTML pages: templates, the reader's language, links that keep it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from culturegraph.protocols.labels import preferred_language
from culturegraph.rdf.vocabulary import BASE

# Those that everything is said in.
LANGUAGES: Final = ("es", "en")
# Those that are begun, each with the language that says what they lack: it has their words, and the names of things.
BEGUN: Final = {"qu": "es"}
READERS: Final = (*LANGUAGES, *BEGUN)
# What the head of every page leads to, where this server has it: path, key of the word.
_NAVIGATION: Final = (
    ("/browse/", "entity_browse"),
    ("/queries/", "queries"),
    ("/dashboards/", "entity_dashboards"),
    ("/sparql", "sparql"),
    ("/about/", "entity_about"),
)
_FOLDER: Final = Path(__file__).parent


# Pages link by the same few hundred properties again and again.
_quote: Final = lru_cache(10_000)(quote_plus)


class Words(dict[str, str]):
    """The words of the interface in one language; templates read them as attributes, which is faster than as keys."""

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__(words)
        self.__dict__ = self


class Pages:
    """The templates and the words of the interface."""

    def __init__(self, version: str) -> None:
        # Everything is escaped; a forgotten variable is an error and not a blank.
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # The templates of a running server do not change.
            auto_reload=False,
        )
        self._environment.globals.update(base_iri=BASE, snapshot_version=version)
        self._environment.filters["thousands"] = lambda number: f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        self.words: Mapping[str, Mapping[str, str]] = {language: Words(read_words(language)) for language in READERS}
        self._navigation: tuple[tuple[str, str], ...] = ()

    def lead_to(self, paths: Collection[str]) -> None:
        """Let the head of every page lead to those of its places that are among the paths of the server."""
        self._navigation = tuple(place for place in _NAVIGATION if place[0] in paths)

    def load_templates(self) -> None:
        """Compile all templates, which else happens when each is first needed."""
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def language(self, request: Request) -> str:
        """Return the language of a page: chosen by `?lang=`, else by Accept-Language, else Spanish."""
        reader = self.reader_language(request)
        return BEGUN.get(reader, reader)

    def reader_language(self, request: Request) -> str:
        """Return the language that a reader asks for, which may be one that is only begun."""
        chosen = request.query_params.get("lang", "")
        return chosen if chosen in READERS else preferred_language(request.headers.get("accept-language"), READERS)

    def linker(self, request: Request) -> Callable[..., str]:
        """Return what makes links on this server, which keep the language where the reader chose it."""
        language = request.query_params.get("lang")

        def link(path: str, **parameters: Any) -> str:
            if language in READERS:
                parameters = {**parameters, "lang": language}
            if not parameters:
                return path
            written = "&".join(f"{name}={_quote(str(value))}" for name, value in parameters.items())
            return f"{path}{'&' if '?' in path else '?'}{written}"

        return link

    def render(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a template for a request."""
        language, reader = self.language(request), self.reader_language(request)
        page = self._environment.get_template(template).render(
            context,
            language=language,
            words=self.words[reader],
            link=self.linker(request),
            switches=_switches(request, reader),
            navigation=self._navigation,
            request_path=request.url.path,
            home=str(request.base_url),
            own_address=str(request.url.replace(query="")),
            # What `link` adds to a path without parameters, for lists that are long.
            suffix=self.linker(request)(""),
            chosen_language=reader if request.query_params.get("lang") in READERS else None,
        )
        return HTMLResponse(page, status_code=status, headers={"Content-Language": language})


def _switches(request: Request, reader: str) -> list[tuple[str, str]]:
    """Return the other languages with the address of this page in each."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return [
        (other, f"{request.url.path}?{urlencode([*kept, ('lang', other)])}") for other in READERS if other != reader
    ]


def read_words(language: str) -> Mapping[str, str]:
    """Return the words of the interface in one language, by key: those of all files of its folder.

    A language that is begun has the rest from the language that helps it out. Its own words are marked as being of it,
    so they stand between tags only and never in an attribute.
    """
    words: dict[str, str] = {}
    for path in sorted((_FOLDER / "locales" / language).glob("*.json")):
        words.update(json.loads(path.read_text(encoding="utf-8")))
    # Where the words come from is for those who read the file.
    own = {key: text for key, text in words.items() if not key.startswith("_")}
    if language not in BEGUN:
        return own
    marked = {key: Markup('<span lang="{}">{}</span>').format(language, text) for key, text in own.items()}
    return {**read_words(BEGUN[language]), **marked}
