"""The endpoint describes itself: what it speaks, its limits, the graphs it holds.

Source: W3C SPARQL 1.1 Service Description.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from culturegraph.rdf.formats import GRAPHS, RESULTS, MediaType
from culturegraph.rdf.vocabulary import PREFIXES, RDFS, SD, TYPE, VOID, XSD
from culturegraph.settings import Settings
from culturegraph.store.evaluation import MAX_DEPTH, MAX_OPERATORS, MAX_UNION
from culturegraph.store.snapshot import Snapshot

_FORMATS: Final = "http://www.w3.org/ns/formats/"
_FORMAT_NAMES: Final = {
    "json": "SPARQL_Results_JSON",
    "xml": "SPARQL_Results_XML",
    "csv": "SPARQL_Results_CSV",
    "tsv": "SPARQL_Results_TSV",
    "turtle": "Turtle",
    "ntriples": "N-Triples",
    "jsonld": "JSON-LD",
    "rdfxml": "RDF_XML",
    "trig": "TriG",
    "nquads": "N-Quads",
}


def limits(settings: Settings) -> tuple[str, ...]:
    """Return the limits of the endpoint in words."""
    return (
        f"A query may take {settings.query_timeout:g} seconds and have {settings.max_query_size:,} bytes, "
        f"brackets nested {MAX_DEPTH} deep and {MAX_OPERATORS:,} operators.",
        f"A query over several default graphs may draw on {MAX_UNION:,} quads.",
        "SERVICE, LOAD and updates are not allowed.",
    )


def describe_service(endpoint: str, snapshot: Snapshot, settings: Settings, media_type: MediaType) -> bytes:
    """Return the service description of an endpoint."""
    prefixes = {name: PREFIXES[name] for name in ("rdfs", "sd", "void")}
    triples = list(_describe(NamedNode(endpoint), snapshot, settings))
    return serialize(triples, format=media_type.rdf or RdfFormat.TURTLE, prefixes=prefixes) or b""


def _describe(service: NamedNode, snapshot: Snapshot, settings: Settings) -> Iterator[Triple]:
    yield Triple(service, TYPE, _sd("Service"))
    yield Triple(service, _sd("endpoint"), service)
    yield Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Query"))
    yield Triple(service, _sd("feature"), _sd("EmptyGraphs"))
    for offer in (*RESULTS, *GRAPHS):
        yield Triple(service, _sd("resultFormat"), NamedNode(_FORMATS + _FORMAT_NAMES[offer.name]))
    for text in limits(settings):
        yield Triple(service, NamedNode(RDFS + "comment"), Literal(text, language="en"))
    dataset, merge = BlankNode(), BlankNode()
    yield Triple(service, _sd("defaultDataset"), dataset)
    yield Triple(dataset, TYPE, _sd("Dataset"))
    yield Triple(dataset, _sd("defaultGraph"), merge)
    yield Triple(merge, TYPE, _sd("Graph"))
    yield Triple(merge, NamedNode(VOID + "triples"), _number(snapshot.triples))
    for iri, count in snapshot.manifest["quads_by_graph"].items():
        named, graph = BlankNode(), BlankNode()
        yield Triple(dataset, _sd("namedGraph"), named)
        yield Triple(named, TYPE, _sd("NamedGraph"))
        yield Triple(named, _sd("name"), NamedNode(iri))
        yield Triple(named, _sd("graph"), graph)
        yield Triple(graph, TYPE, _sd("Graph"))
        yield Triple(graph, NamedNode(VOID + "triples"), _number(count))


def _sd(name: str) -> NamedNode:
    return NamedNode(SD + name)


def _number(value: int) -> Literal:
    return Literal(str(value), datatype=NamedNode(XSD + "integer"))
