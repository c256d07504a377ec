"""The short way to the page of an entity: found before a hundred routes are tried, made by one thread at a time.

It answers what `entities.show_page` answers, where nothing is asked for but a language. Trying all routes and reading
parameters by the framework takes as long as reading the graph. Pages that are made at the same time by several
threads keep each other waiting for the interpreter, and all come late; in turn, the first comes soon.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from culturegraph.web.dereferencing import OWN_PLACES
from culturegraph.web.entities import VARY_PAGE, show_page
from culturegraph.web.pages import READERS
from culturegraph.web.site import Site, recall

_BELOW: Final = "/doc/"
_PLAIN: Final = frozenset({b"", *(f"lang={reader}".encode() for reader in READERS)})


class EntityRoute(BaseRoute):
    """`/doc/{kind}/{slug}` without parameters but the language."""

    def __init__(self, site: Site, paths: Collection[str]) -> None:
        """Leave alone what other routes below `/doc/` answer, of all `paths` of the server."""
        self._site = site
        below = {path.removeprefix(_BELOW).split("/")[0] for path in paths if path.startswith(_BELOW)}
        self._others = below | set(OWN_PLACES)
        # A second one goes on beside a page that takes long: a country with all its places.
        self._makers = CapacityLimiter(2)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request asks for the page of an entity as it is."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"] not in _PLAIN:
            return Match.NONE, {}
        path = scope["path"]
        if not path.startswith(_BELOW) or path.split("/", 3)[2] in self._others:
            return Match.NONE, {}
        return Match.FULL, {}

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """Refuse: `entities.show_page` has the name."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what is known, else with what a thread makes."""
        request, site = Request(scope, receive), self._site
        tag = site.entity_tag(request, site.pages.language(request))
        response = recall(request, site, tag, VARY_PAGE)
        if response is None:
            make = partial(show_page, request, site, scope["path"].removeprefix(_BELOW), None)
            response = await run_sync(make, limiter=self._makers)
        await response(scope, receive, send)
