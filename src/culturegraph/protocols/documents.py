"""RDF documents: what the graph says of one IRI, or of many, as quads and as bytes. Pure: a store in, values out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, RdfFormat, serialize

from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.formats import MediaType
from culturegraph.rdf.vocabulary import BASE, PREFIXES, TYPE

# Incoming statements that a data document holds at most; the rest can be had by a query.
MAX_INCOMING: Final = 10_000
# Their local names hold slashes, which Turtle escapes: whole IRIs read better.
_UNREADABLE: Final = frozenset({"cgid", "cgs", "cgg"})


def is_known(store: Dataset, iri: str) -> bool:
    """Say whether the graph says anything of an IRI, or holds a graph of that name."""
    try:
        node = NamedNode(iri)
    except ValueError:  # A path can hold what no IRI can.
        return False
    # One after the other: most of what is asked for is the subject of something.
    return (
        any(True for _ in store.quads_for_pattern(node, None, None, None))
        or any(True for _ in store.quads_for_pattern(None, None, node, None))
        or any(True for _ in store.quads_for_pattern(None, node, None, None))
        or store.contains_named_graph(node)
    )


def count_statements(store: Dataset, iri: str, most: int) -> int:
    """Return how many quads are about an IRI, as subject or object; counts no further than `most` of each."""
    try:
        node = NamedNode(iri)
    except ValueError:
        return 0
    outgoing, incoming = (
        store.quads_for_pattern(node, None, None, None),
        store.quads_for_pattern(None, None, node, None),
    )
    return sum(1 for quads in (outgoing, incoming) for _ in islice(quads, most))


def statements(store: Dataset, iri: str) -> list[Quad]:
    """Return the quads about an IRI in their named graphs: as subject, then as object.

    Blank nodes and fragments of the IRI are followed.
    """
    if not is_known(store, iri):
        return []
    node = NamedNode(iri)
    found: list[Quad] = []
    waiting: list[Any] = [node]
    seen: set[Any] = set()
    while waiting:
        subject = waiting.pop()
        seen.add(subject)
        about = _without_merge(store.quads_for_pattern(subject, None, None, None))
        found += about
        waiting += {quad.object for quad in about if _is_part(quad.object, iri)} - seen
    incoming = islice(store.quads_for_pattern(None, None, node, None), 2 * MAX_INCOMING)
    return found + _without_merge(incoming)[:MAX_INCOMING]


def _is_part(term: Any, iri: str) -> bool:
    """Say whether a term has no document of its own: a blank node, or a fragment of this one."""
    return isinstance(term, BlankNode) or (isinstance(term, NamedNode) and term.value.startswith(iri + "#"))


def graph_content(store: Dataset, graph: NamedNode) -> list[Quad]:
    """Return the quads of one named graph."""
    return list(store.quads_for_pattern(None, None, None, graph))


def instances_data(store: Dataset, kind: str) -> list[Quad]:
    """Return what is said of every instance of a class."""
    found = {quad.subject for quad in store.quads_for_pattern(None, TYPE, NamedNode(kind), DefaultGraph())}
    about = (quad for node in found for quad in store.quads_for_pattern(node, None, None, None))
    return _without_merge(about)


def _without_merge(quads: Iterable[Quad]) -> list[Quad]:
    """Leave out what the default graph only repeats."""
    found = list(quads)
    named = {quad.triple for quad in found if isinstance(quad.graph_name, NamedNode)}
    return [quad for quad in found if isinstance(quad.graph_name, NamedNode) or quad.triple not in named]


def to_document(quads: Iterable[Quad], media_type: MediaType) -> bytes:
    """Serialise quads; graph names survive where the format has them, else each triple is written once."""
    fmt = media_type.rdf or RdfFormat.TURTLE
    kept = list(quads)
    used = "\n".join({term.value for quad in kept for term in quad.triple if isinstance(term, NamedNode)})
    prefixes = {prefix: iri for prefix, iri in PREFIXES.items() if iri in used and prefix not in _UNREADABLE}
    if fmt in (RdfFormat.N_QUADS, RdfFormat.TRIG):
        kept.sort(key=lambda quad: (str(quad.graph_name), *map(str, quad.triple)))
        return serialize(kept, format=fmt, prefixes=prefixes) or b""
    triples = sorted({quad.triple for quad in kept}, key=lambda triple: tuple(map(str, triple)))
    return serialize(triples, format=fmt, prefixes=prefixes) or b""


def own_iris(store: Dataset) -> list[str]:
    """Return every IRI of ours that has a type: what an unknown name may have been meant for."""
    typed = {quad.subject for quad in store.quads_for_pattern(None, TYPE, None, DefaultGraph())}
    return sorted(node.value for node in typed if isinstance(node, NamedNode) and node.value.startswith(BASE))


def near_matches(iri: str, known: Iterable[str], limit: int = 5) -> list[str]:
    """Return the known IRIs whose last part is most like that of an unknown one."""
    by_slug: dict[str, list[str]] = {}
    for candidate in known:
        by_slug.setdefault(candidate.rstrip("/").rsplit("/", 1)[-1].lower(), []).append(candidate)
    slug = iri.rstrip("/").rsplit("/", 1)[-1].lower()[:100]
    found = difflib.get_close_matches(slug, by_slug, n=limit, cutoff=0.6)
    ranked = [candidate for name in found for candidate in by_slug[name]]
    return sorted(ranked, key=lambda candidate: -_common_length(candidate, iri))[:limit]


def _common_length(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
