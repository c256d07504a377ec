"""FAIR Signposting: typed links from a page to what it is about, its data, its licence, and back.

Level 1 are the links of a response; level 2 is the same as a link set of its own, for all documents of a thing.
Source: signposting.org/FAIR; RFC 8288 (Link); RFC 9264 (application/linkset+json); RFC 8574 (cite-as).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from culturegraph.protocols.schema_org import LICENCE, SCHEMA
from culturegraph.rdf.formats import GRAPHS

MEDIA_TYPE: Final = "application/linkset+json"
Link = tuple[str, str, str | None]


def page_links(iri: str, path: str) -> list[Link]:
    """Return the links of a page as address, relation and media type of the target."""
    data = [(f"/data/{path}.{offer.suffix}", "describedby", offer.value) for offer in GRAPHS]
    return [
        (iri, "cite-as", None),
        *data,
        (SCHEMA + "AboutPage", "type", None),
        (LICENCE, "license", None),
        (f"/linkset/{path}", "linkset", MEDIA_TYPE),
    ]


def data_links(path: str) -> list[Link]:
    """Return the links of a document of data."""
    return [
        (f"/doc/{path}", "describes", "text/html"),
        (SCHEMA + "Dataset", "type", None),
        (LICENCE, "license", None),
        (f"/linkset/{path}", "linkset", MEDIA_TYPE),
    ]


def to_header(links: Sequence[Link]) -> str:
    """Return links as the value of a Link header."""
    return ", ".join(f'<{to}>; rel="{relation}"' + (f'; type="{kind}"' if kind else "") for to, relation, kind in links)


def to_linkset(iri: str, path: str, home: str) -> bytes:
    """Return the link set of a thing: its page and each of its documents, with absolute addresses."""
    contexts = [(f"/doc/{path}", page_links(iri, path))]
    contexts += [(f"/data/{path}.{offer.suffix}", data_links(path)) for offer in GRAPHS]
    return json.dumps({"linkset": [_context(anchor, links, home) for anchor, links in contexts]}).encode()


def _context(anchor: str, links: Sequence[Link], home: str) -> dict[str, Any]:
    def absolute(address: str) -> str:
        return home.rstrip("/") + address if address.startswith("/") else address

    told: dict[str, Any] = {"anchor": absolute(anchor)}
    for to, relation, kind in links:
        if relation != "linkset":
            target = {"href": absolute(to)} | ({"type": kind} if kind else {})
            told.setdefault(relation, []).append(target)
    return told
