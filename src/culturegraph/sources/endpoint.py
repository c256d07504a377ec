"""All triples of somebody's SPARQL endpoint, fetched politely: whole where it lets us, else page by page.

Source: SPARQL 1.1 Protocol; the client is SPARQLWrapper.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.error import URLError

from pyoxigraph import NamedNode, Quad, RdfFormat, parse
from SPARQLWrapper import CSV, POST, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

from culturegraph.errors import StorageError

PAGE = 10_000
_SECONDS_BETWEEN_PAGES = 0.2
_ALL = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
# Without an order the pages of an endpoint may overlap and leave out.
_PAGED = "CONSTRUCT { ?s ?p ?o } WHERE { { SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT %d OFFSET %d } }"


def _ask(endpoint: str, query: str, accept: str | None, seconds: int) -> bytes:
    client = SPARQLWrapper(endpoint)
    client.setMethod(POST)
    client.setTimeout(seconds)
    client.setQuery(query)
    if accept is None:
        client.setReturnFormat(CSV)
    else:
        client.setOnlyConneg(True)
        client.addCustomHttpHeader("Accept", accept)
    try:
        response: Any = client.query().response
        return bytes(response.read())
    except (SPARQLWrapperException, URLError, OSError, ValueError) as error:
        raise StorageError(f"the endpoint {endpoint} did not answer: {str(error).splitlines()[0]}") from error


def _triples(endpoint: str, query: str, graph: NamedNode, seconds: int) -> list[Quad]:
    data = _ask(endpoint, query, "application/n-triples", seconds)
    try:
        return [Quad(t.subject, t.predicate, t.object, graph) for t in parse(data, format=RdfFormat.N_TRIPLES)]
    except SyntaxError as error:
        raise StorageError(f"the endpoint {endpoint} answered with something that is not N-Triples: {error}") from error


def fetch(endpoint: str, *, seconds: int = 60) -> list[Quad]:
    """Return every triple of the endpoint's default graph, in a graph named by its address.

    Raises StorageError where it does not answer, or gives another number of triples than it counts.
    """
    graph = NamedNode(endpoint)
    counted = _ask(endpoint, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", None, seconds).split()
    if len(counted) != 2 or not counted[1].strip(b'"').isdigit():
        raise StorageError(f"the endpoint {endpoint} does not say how many triples it has")
    total = int(counted[1].strip(b'"'))
    quads = _triples(endpoint, _ALL, graph, seconds)
    if len(quads) == total:
        return quads
    quads = []
    for offset in range(0, total, PAGE):
        quads += _triples(endpoint, _PAGED % (PAGE, offset), graph, seconds)
        time.sleep(_SECONDS_BETWEEN_PAGES)
    if len(set(quads)) != total:
        raise StorageError(f"the endpoint {endpoint} gave {len(set(quads))} of its {total} triples")
    return quads
