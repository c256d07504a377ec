"""The short way to the page of an entity: found before a hundred routes are tried, made where the request is read.

It answers what `entities.show_page` answers, where nothing is asked for but a language. Trying all routes and reading
parameters by the framework takes as long as reading the graph; and a thread that makes a page lets go of the
interpreter only after five milliseconds, in which others would have been made.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from culturegraph.protocols.documents import count_statements
from culturegraph.web.dereferencing import OWN_PLACES, to_iri
from culturegraph.web.entities import VARY_PAGE, make_page
from culturegraph.web.pages import READERS
from culturegraph.web.site import Site, make_and_keep, recall

_BELOW: Final = "/doc/"
_PLAIN: Final = frozenset({b"", *(f"lang={reader}".encode() for reader in READERS)})
# Quads of an entity from which its page takes so long that others must not wait for it.
_MANY: Final = 1000


class EntityRoute(BaseRoute):
    """`/doc/{kind}/{slug}` without parameters but the language."""

    def __init__(self, paths: Collection[str]) -> None:
        """Leave alone what other routes below `/doc/` answer, of all `paths` of the server."""
        below = {path.removeprefix(_BELOW).split("/")[0] for path in paths if path.startswith(_BELOW)}
        self._others = below | set(OWN_PLACES)

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
        """Answer with what is known, else with the page, made here where that takes a few milliseconds."""
        request, site = Request(scope, receive), scope["app"].state.site
        tag = site.entity_tag(request, site.pages.language(request))
        response = recall(request, site, tag, VARY_PAGE)
        if response is None:
            path = scope["path"].removeprefix(_BELOW)
            make = partial(make_and_keep, request, site, tag, VARY_PAGE, partial(make_page, request, site, path))
            response = make() if self._is_soon_made(site, path) else await run_in_threadpool(make)
        await response(scope, receive, send)

    def _is_soon_made(self, site: Site, path: str) -> bool:
        # What is not known at all is compared with every name.
        snapshot = site.snapshot
        return snapshot.is_in_memory and 0 < count_statements(snapshot.store, to_iri(path), _MANY) < _MANY
