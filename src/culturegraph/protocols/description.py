"""The endpoint describes itself: what it speaks, its limits, the graphs it holds.

Source: W3C SPARQL 1.1 Service Description.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from culturegraph.rdf.formats import GRAPHS, RESULTS, MediaType
from culturegraph.rdf.vocabulary import BASE, PREFIXES, RDFS, SD, SH, TYPE, VOID, XSD
from culturegraph.settings import Settings
from culturegraph.store.evaluation import MAX_DEPTH, MAX_OPERATORS, MAX_UNION
from culturegraph.store.snapshot import Snapshot
from culturegraph.store.text_search import LIMIT, TEXT_MATCH

_FORMATS: Final = "http://www.w3.org/ns/formats/"
_GEOF: Final = "http://www.opengis.net/def/function/geosparql/"
_ENTAILMENT: Final = "http://www.w3.org/ns/entailment/Simple"
DATASET: Final = BASE + "dataset"
_TEXT_MATCH: Final = {
    "es": "Búsqueda de nombres y códigos, sin tildes y en cualquier grafía: `?cosa cg:textMatch "
    '"kechwa"`, o con una lista `( "texto"@es límite ?puntaje ?nombre )`. '
    f"Busca en la mezcla de todos los grafos; a lo sumo {LIMIT:,} cosas.",
    "en": "Search for names and codes, without accents and in any spelling: `?thing cg:textMatch "
    '"kechwa"`, or with a list `( "text"@es limit ?score ?name )`. '
    f"It searches the merge of all graphs; at most {LIMIT:,} things.",
}
_RELATION: Final = "Says whether two geometries (WKT literals, WGS84 longitude and latitude) stand in the relation"
# The GeoSPARQL functions that the engine has. Geometries are in the graph `geometry`.
GEO_FUNCTIONS: Final = {
    **{
        family + relation: f"{_RELATION} {family}{relation}."
        for family, relations in (
            ("sf", ("Equals", "Disjoint", "Intersects", "Touches", "Crosses", "Within", "Contains", "Overlaps")),
            ("eh", ("Equals", "Disjoint", "Meet", "Overlap", "Covers", "CoveredBy", "Inside", "Contains")),
            ("rcc8", ("eq", "dc", "ec", "po", "tppi", "tpp", "ntpp", "ntppi")),
        )
        for relation in relations
    },
    "distance": "Returns the distance of two geometries in a unit, such as uom:metre, on the sphere.",
    "getSRID": "Returns the reference system of a geometry.",
}
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


def limits(settings: Settings, language: str = "en") -> tuple[str, ...]:
    """Return the limits of the endpoint in words, in Spanish ("es") or English."""
    allowed = ", ".join(sorted(settings.service_endpoints))
    if language == "es":
        service = f"SERVICE solo puede nombrar {allowed}; LOAD y las modificaciones no se permiten."
        return (
            f"Una consulta puede tardar {settings.query_timeout:g} segundos y tener {settings.max_query_size:,} bytes, "
            f"{MAX_DEPTH} niveles de paréntesis y {MAX_OPERATORS:,} operadores.",
            f"Puede usar {settings.memory_limit:,} bytes de memoria y dar {settings.max_result_size:,} bytes.",
            f"Cada cliente: {settings.client_queries} consultas a la vez, {settings.client_rate:g} por segundo.",
            f"Una consulta sobre varios grafos por defecto puede tomar {MAX_UNION:,} cuádruplas.",
            service if allowed else "SERVICE, LOAD y las modificaciones no se permiten.",
        )
    service = f"SERVICE is allowed for {allowed} alone; LOAD and updates are not."
    return (
        f"A query may take {settings.query_timeout:g} seconds and have {settings.max_query_size:,} bytes, "
        f"brackets nested {MAX_DEPTH} deep and {MAX_OPERATORS:,} operators.",
        f"It may use {settings.memory_limit:,} bytes of memory and answer with {settings.max_result_size:,} bytes.",
        f"A client may have {settings.client_queries} queries under way and send {settings.client_rate:g} a second.",
        f"A query over several default graphs may draw on {MAX_UNION:,} quads.",
        service if allowed else "SERVICE, LOAD and updates are not allowed.",
    )


def describe_service(endpoint: str, snapshot: Snapshot, settings: Settings, media_type: MediaType) -> bytes:
    """Return the service description of an endpoint."""
    prefixes = {name: PREFIXES[name] for name in ("cg", "geof", "rdfs", "sd", "sh", "void")}
    triples = list(_describe(NamedNode(endpoint), snapshot, settings))
    return serialize(triples, format=media_type.rdf or RdfFormat.TURTLE, prefixes=prefixes) or b""


def _describe(service: NamedNode, snapshot: Snapshot, settings: Settings) -> Iterator[Triple]:
    yield Triple(service, TYPE, _sd("Service"))
    yield Triple(service, _sd("endpoint"), service)
    yield Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Query"))
    yield Triple(service, _sd("feature"), _sd("EmptyGraphs"))
    yield Triple(service, _sd("defaultEntailmentRegime"), NamedNode(_ENTAILMENT))
    yield from _extensions(service)
    for offer in (*RESULTS, *GRAPHS):
        yield Triple(service, _sd("resultFormat"), NamedNode(_FORMATS + _FORMAT_NAMES[offer.name]))
    for language in ("es", "en"):
        for text in limits(settings, language):
            yield Triple(service, NamedNode(RDFS + "comment"), Literal(text, language=language))
    dataset, merge = NamedNode(DATASET), BlankNode()
    yield Triple(service, _sd("defaultDataset"), dataset)
    yield Triple(service, _sd("availableGraphs"), dataset)
    yield Triple(dataset, TYPE, _sd("Dataset"))
    yield Triple(dataset, TYPE, _sd("GraphCollection"))
    yield Triple(dataset, TYPE, NamedNode(VOID + "Dataset"))
    # Where classes, properties, prefixes and examples are told: in the store, and here for whoever only looks.
    yield Triple(service, NamedNode(RDFS + "seeAlso"), NamedNode(BASE + "catalogue"))
    yield from _declare(service)
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


def _extensions(service: NamedNode) -> Iterator[Triple]:
    """Yield what the endpoint understands beyond SPARQL 1.1: text search by a predicate, GeoSPARQL functions."""
    text_match = NamedNode(TEXT_MATCH)
    yield Triple(service, _sd("propertyFeature"), text_match)
    yield Triple(text_match, TYPE, _sd("Feature"))
    for language, told in _TEXT_MATCH.items():
        yield Triple(text_match, NamedNode(RDFS + "comment"), Literal(told, language=language))
    for name, told in GEO_FUNCTIONS.items():
        function = NamedNode(_GEOF + name)
        yield Triple(service, _sd("extensionFunction"), function)
        yield Triple(function, TYPE, _sd("Function"))
        yield Triple(function, NamedNode(RDFS + "comment"), Literal(told, language="en"))


def _declare(service: NamedNode) -> Iterator[Triple]:
    """Yield the prefixes that a query may take for granted in an editor.

    Source: W3C SHACL §5.2.1 (sh:declare).
    """
    for prefix, namespace in PREFIXES.items():
        declaration = NamedNode(f"{DATASET}#prefix-{prefix}")
        yield Triple(service, NamedNode(SH + "declare"), declaration)
        yield Triple(declaration, NamedNode(SH + "prefix"), Literal(prefix))
        value = Literal(namespace, datatype=NamedNode(XSD + "anyURI"))
        yield Triple(declaration, NamedNode(SH + "namespace"), value)


def _sd(name: str) -> NamedNode:
    return NamedNode(SD + name)


def _number(value: int) -> Literal:
    return Literal(str(value), datatype=NamedNode(XSD + "integer"))
