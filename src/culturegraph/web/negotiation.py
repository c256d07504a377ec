"""Which document about a thing a request wants, and the links between the documents."""

from __future__ import annotations

from typing import Final

from fastapi import Request

from culturegraph.errors import NotAcceptableError
from culturegraph.protocols.signposting import Link, data_links, page_links, to_header
from culturegraph.rdf.formats import GRAPHS, HTML, MediaType, choose

SUFFIXES: Final = {offer.suffix: offer for offer in (*GRAPHS, HTML)}


def choose_format(request: Request, suffix: MediaType | None = None) -> MediaType:
    """Return the format of a page or of data: the suffix, else `?format=`, else Accept.

    Raises NotAcceptableError where nothing suits.
    """
    return suffix or _choose(request, request.query_params.get("format"), (HTML, *GRAPHS))


def choose_graph(request: Request, name: str | None) -> MediaType:
    """Return the RDF format that is asked for by name, else by Accept. Raises NotAcceptableError."""
    return _choose(request, name, GRAPHS)


def _choose(request: Request, name: str | None, offered: tuple[MediaType, ...]) -> MediaType:
    chosen = choose(request.headers.get("accept"), name, offered)
    if chosen is None:
        raise NotAcceptableError("available here: " + ", ".join(offer.value for offer in offered))
    return chosen


def cut_suffix(name: str) -> tuple[str, MediaType | None]:
    """Return a name that has no dots of its own without a format's suffix, and the format."""
    bare, dot, suffix = name.rpartition(".")
    return (bare, SUFFIXES[suffix]) if dot and suffix in SUFFIXES else (name, None)


def format_links(iri: str, path: str, *, is_data: bool = False) -> str:
    """Return the Link header of a page or of data: what it describes, its other formats, FAIR Signposting (level 1)."""
    links: list[Link] = [(iri, "describes", None), (f"/doc/{path}", "alternate", "text/html")]
    links += [(f"/data/{path}.{offer.suffix}", "alternate", offer.value) for offer in GRAPHS]
    return to_header([*links, *(data_links(path) if is_data else page_links(iri, path))])


def with_query(request: Request, path: str) -> str:
    """Return a path with the query string of the request."""
    return f"{path}?{request.url.query}" if request.url.query else path
