"""Media types and content negotiation. Knows nothing of HTTP frameworks.

Source: SPARQL 1.1 Protocol §2.1; RFC 9110 §12.5.1 (Accept).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

from pyoxigraph import QueryResultsFormat, RdfFormat

from culturegraph.errors import NotAcceptableError


@dataclass(frozen=True)
class MediaType:
    """A media type that is offered, with the suffix and the short names by which people ask for it."""

    value: str
    name: str
    suffix: str
    aliases: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    rdf: RdfFormat | None = None
    results: QueryResultsFormat | None = None

    def is_called(self, name: str) -> bool:
        """Say whether a `format=` parameter may mean this: a short name, the suffix or a media type, in any case."""
        return name.strip().lower() in (self.name, self.suffix, self.value, *self.other_names, *self.aliases)

    @cached_property
    def content_type(self) -> str:
        """The Content-Type header, with its charset where the format leaves it open."""
        return f"{self.value}; charset=utf-8" if self.value.startswith("text/") else self.value


HTML: Final = MediaType("text/html", "html", "html", ("application/xhtml+xml",))

RESULTS: Final = (
    MediaType("application/sparql-results+json", "json", "srj", ("application/json",), results=QueryResultsFormat.JSON),
    MediaType(
        "application/sparql-results+xml", "xml", "srx", ("application/xml", "text/xml"), results=QueryResultsFormat.XML
    ),
    MediaType("text/csv", "csv", "csv", results=QueryResultsFormat.CSV),
    MediaType("text/tab-separated-values", "tsv", "tsv", results=QueryResultsFormat.TSV),
)
GRAPHS: Final = (
    MediaType("text/turtle", "turtle", "ttl", ("application/x-turtle", "text/n3"), ("n3",), rdf=RdfFormat.TURTLE),
    MediaType("application/n-triples", "ntriples", "nt", ("text/plain",), ("n-triples",), rdf=RdfFormat.N_TRIPLES),
    MediaType(
        "application/ld+json", "jsonld", "jsonld", ("application/json",), ("json-ld", "json"), rdf=RdfFormat.JSON_LD
    ),
    MediaType(
        "application/rdf+xml",
        "rdfxml",
        "rdf",
        ("application/xml", "text/xml"),
        ("rdf+xml", "xml"),
        rdf=RdfFormat.RDF_XML,
    ),
    MediaType("application/trig", "trig", "trig", ("application/x-trig",), rdf=RdfFormat.TRIG),
    MediaType("application/n-quads", "nquads", "nq", ("text/x-nquads",), ("n-quads",), rdf=RdfFormat.N_QUADS),
)
# Written from either kind of answer, with what the graph knows besides: where things are, what they are called.
DERIVED: Final = (
    MediaType("application/geo+json", "geojson", "geojson", ("application/vnd.geo+json",)),
    MediaType("application/graphml+xml", "graphml", "graphml"),
)
BY_NAME: Final = MappingProxyType({m.name: m for m in (*RESULTS, *GRAPHS, HTML)})
BY_SUFFIX: Final = MappingProxyType({m.suffix: m for m in (*RESULTS, *GRAPHS, HTML)})


@dataclass(frozen=True)
class _Range:
    type: str
    quality: float
    specificity: int


def _parse_accept(header: str) -> list[_Range]:
    ranges = []
    for part in header.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if not name:
            continue
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    quality = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    quality = 0.0
        name = name.lower()
        specificity = 0 if name in {"*/*", "*"} else 1 if name.endswith("/*") else 2
        ranges.append(_Range("*/*" if name == "*" else name, quality, specificity))
    return ranges


def _quality(offer: MediaType, ranges: Sequence[_Range]) -> float:
    """Return the q-value of the most specific range that covers the offer (aliases count as the type itself)."""
    best, quality = -1, 0.0
    for accepted in ranges:
        if accepted.specificity == 2:
            covers = accepted.type in (offer.value, *offer.aliases)
        elif accepted.specificity == 1:
            covers = offer.value.startswith(accepted.type[:-1])
        else:
            covers = True
        # An alias never outranks the exact type: `application/json` asks for whatever is offered first.
        if covers and (accepted.specificity > best or (accepted.specificity == best and accepted.quality > quality)):
            best, quality = accepted.specificity, accepted.quality
    return quality


def negotiate(accept: str | None, offered: Sequence[MediaType]) -> MediaType:
    """Return the offered media type that the Accept header likes best; ties go to the earlier offer.

    Raises NotAcceptableError where the header refuses everything offered.
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = _parse_accept(accept)
    if not ranges:
        return offered[0]
    scored = [(_quality(offer, ranges), -rank, offer) for rank, offer in enumerate(offered)]
    quality, _, best = max(scored, key=lambda item: item[:2])
    if quality <= 0:
        raise NotAcceptableError("available here: " + ", ".join(offer.value for offer in offered))
    return best


def accepts(accept: str | None, offer: MediaType) -> bool:
    """Say whether an Accept header names the offered media type: a wildcard that covers it does not count."""
    ranges = [item for item in _parse_accept(accept or "") if item.specificity == 2]
    return _quality(offer, ranges) > 0


def choose(accept: str | None, name: str | None, offered: Sequence[MediaType]) -> MediaType | None:
    """Return what a `format=` parameter names or else what the Accept header likes best; None where nothing suits."""
    if name is not None and (named := next((offer for offer in offered if offer.is_called(name)), None)):
        return named
    try:
        return negotiate(accept, offered)
    except NotAcceptableError:
        return None
