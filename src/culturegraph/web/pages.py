"""Rendering of HTML pages: templates, the reader's language, links that keep it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from culturegraph.protocols.labels import preferred_language
from culturegraph.rdf.vocabulary import BASE

LANGUAGES: Final = ("es", "en")
_FOLDER: Final = Path(__file__).parent


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
        )
        self._environment.globals.update(base_iri=BASE, snapshot_version=version)
        self._environment.filters["thousands"] = lambda number: f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        self.words = {language: read_words(language) for language in LANGUAGES}

    def language(self, request: Request) -> str:
        """Return the language of a page: chosen by `?lang=`, else by Accept-Language, else Spanish."""
        chosen = request.query_params.get("lang", "")
        return chosen if chosen in LANGUAGES else preferred_language(request.headers.get("accept-language"), LANGUAGES)

    def linker(self, request: Request) -> Callable[..., str]:
        """Return what makes links on this server, which keep the language where the reader chose it."""
        language = request.query_params.get("lang")

        def link(path: str, **parameters: Any) -> str:
            if language in LANGUAGES:
                parameters = {**parameters, "lang": language}
            return f"{path}{'&' if '?' in path else '?'}{urlencode(parameters)}" if parameters else path

        return link

    def render(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a template for a request."""
        language = self.language(request)
        page = self._environment.get_template(template).render(
            context,
            language=language,
            words=self.words[language],
            link=self.linker(request),
            switches=_switches(request, language),
        )
        return HTMLResponse(page, status_code=status, headers={"Content-Language": language})


def _switches(request: Request, language: str) -> list[tuple[str, str]]:
    """Return the other languages with the address of this page in each."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return [
        (other, f"{request.url.path}?{urlencode([*kept, ('lang', other)])}") for other in LANGUAGES if other != language
    ]


def read_words(language: str) -> Mapping[str, str]:
    """Return the words of the interface in one language, by key: those of all files of its folder."""
    words: dict[str, str] = {}
    for path in sorted((_FOLDER / "locales" / language).glob("*.json")):
        words.update(json.loads(path.read_text(encoding="utf-8")))
    return words
