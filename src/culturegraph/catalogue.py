"""What a build says about itself: DCAT and VoID of the data set, PROV of the build, prefixes and example queries.

Source: W3C DCAT 3; W3C VoID; W3C PROV-O; SHACL §5.2 (sh:declare) and SHACL-SPARQL (sh:SPARQLExecutable).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, Store

from culturegraph.queries import QueryFile
from culturegraph.rdf.graphs import CATALOGUE, GRAPH
from culturegraph.rdf.vocabulary import BASE, CG, DCAT, DCTERMS, LABEL, PREFIXES, PROV, RDFS, SH, TYPE, VOID, XSD

DATASET = NamedNode(BASE + "dataset")
_CATALOG = NamedNode(BASE + "catalogue")
_HAS_POLICY = NamedNode("http://www.w3.org/ns/odrl/2/hasPolicy")
_OPEN = NamedNode(BASE + "schemes/access-levels/open")
_LICENCE = NamedNode("https://creativecommons.org/licenses/by/4.0/")
_TITLES = {
    "es": "culturegraph: grafo abierto de las expresiones culturales del Perú",
    "en": "culturegraph: an open graph of Peruvian cultural expressions",
}
_DESCRIPTIONS = {
    "es": "Comunidades, expresiones culturales, programas, normas y cooperación internacional del Perú, "
    "cada afirmación con la fuente que la dice.",
    "en": "Communities, cultural expressions, programmes, norms and international cooperation of Peru, "
    "each statement with the source that makes it.",
}


@dataclass(frozen=True)
class BuildInfo:
    """What identifies a build."""

    version: str
    content_hash: str
    built: datetime
    software: str


_TOTALS = {
    "classes": "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c FILTER(isIRI(?c)) }",
    "properties": "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }",
    "distinctSubjects": "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }",
    "distinctObjects": "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }",
}

Pair = tuple[NamedNode, NamedNode | Literal]


def _node(namespace: str, name: str) -> NamedNode:
    return NamedNode(namespace + name)


def _number(value: int) -> Literal:
    return Literal(str(value), datatype=_node(XSD, "integer"))


def _say(subject: NamedNode, pairs: Iterable[Pair]) -> Iterator[Quad]:
    for predicate, value in pairs:
        yield Quad(subject, predicate, value, CATALOGUE)


def _count(store: Store, query: str) -> int:
    rows: Any = store.query(query)
    return int(next(rows)[0].value)


def _dataset(info: BuildInfo, triples: int, entities: int) -> Iterator[Quad]:
    moment = Literal(info.built.isoformat(), datatype=_node(XSD, "dateTime"))
    yield from _say(
        DATASET,
        [
            (TYPE, _node(DCAT, "Dataset")),
            (TYPE, _node(VOID, "Dataset")),
            *((_node(DCTERMS, "title"), Literal(text, language=lang)) for lang, text in _TITLES.items()),
            *((_node(DCTERMS, "description"), Literal(text, language=lang)) for lang, text in _DESCRIPTIONS.items()),
            *((LABEL, Literal(text, language=lang)) for lang, text in _TITLES.items()),
            (_node(DCTERMS, "license"), _LICENCE),
            (_HAS_POLICY, _OPEN),
            (_node(DCTERMS, "modified"), moment),
            (_node(DCAT, "version"), Literal(info.version)),
            (_node(VOID, "triples"), _number(triples)),
            (_node(VOID, "entities"), _number(entities)),
            (_node(VOID, "uriSpace"), Literal(BASE)),
            (_node(VOID, "sparqlEndpoint"), NamedNode(BASE + "sparql")),
            (_node(DCTERMS, "identifier"), Literal(f"sha256:{info.content_hash}")),
            *((_node(VOID, "vocabulary"), NamedNode(namespace)) for namespace in sorted(PREFIXES.values())),
        ],
    )
    yield from _say(
        _CATALOG,
        [
            (TYPE, _node(DCAT, "Catalog")),
            *((LABEL, Literal(text, language=lang)) for lang, text in _TITLES.items()),
            *((_node(DCTERMS, "title"), Literal(text, language=lang)) for lang, text in _TITLES.items()),
            (_node(DCAT, "dataset"), DATASET),
        ],
    )
    build = NamedNode(BASE + "dataset#build")
    yield from _say(
        build,
        [
            (TYPE, _node(PROV, "Activity")),
            (_node(PROV, "endedAtTime"), moment),
            (_node(PROV, "generated"), DATASET),
            (_node(RDFS, "comment"), Literal(f"Built by {info.software}.", language="en")),
        ],
    )
    yield from _say(DATASET, [(_node(PROV, "wasGeneratedBy"), build)])


def _partitions(store: Store) -> Iterator[Quad]:
    """Yield VoID class and property partitions of the merge; a class of ours also tells the properties of its members.

    Source: VoID §4.2 (partitions), §4.6 (statistics).
    """
    for name, query in _TOTALS.items():
        yield from _say(DATASET, [(_node(VOID, name), _number(_count(store, query)))])
    classes: Any = store.query(
        "SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c FILTER(isIRI(?c)) } GROUP BY ?c ORDER BY ?c"
    )
    parts: dict[str, NamedNode] = {}
    for number, row in enumerate(classes, 1):
        part = parts[row[0].value] = NamedNode(f"{BASE}dataset#class-{number}")
        yield from _say(DATASET, [(_node(VOID, "classPartition"), part)])
        yield from _say(part, [(_node(VOID, "class"), row[0]), (_node(VOID, "entities"), row[1])])
    properties: Any = store.query(
        "SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?subjects) (COUNT(DISTINCT ?o) AS ?objects) "
        "{ ?s ?p ?o } GROUP BY ?p ORDER BY ?p"
    )
    numbers: dict[str, int] = {}
    for number, row in enumerate(properties, 1):
        numbers[row[0].value] = number
        part = NamedNode(f"{BASE}dataset#property-{number}")
        yield from _say(DATASET, [(_node(VOID, "propertyPartition"), part)])
        yield from _property(part, row[0], row[1])
        yield from _say(part, [(_node(VOID, "distinctSubjects"), row[2]), (_node(VOID, "distinctObjects"), row[3])])
    within: Any = store.query(
        f"SELECT ?c ?p (COUNT(*) AS ?n) {{ ?s a ?c ; ?p ?o FILTER(STRSTARTS(STR(?c), '{CG}')) }} "
        "GROUP BY ?c ?p ORDER BY ?c ?p"
    )
    for row in within:
        part = NamedNode(f"{parts[row[0].value].value}-property-{numbers[row[1].value]}")
        yield from _say(parts[row[0].value], [(_node(VOID, "propertyPartition"), part)])
        yield from _property(part, row[1], row[2])


def _property(part: NamedNode, name: NamedNode, triples: Literal) -> Iterator[Quad]:
    yield from _say(part, [(_node(VOID, "property"), name), (_node(VOID, "triples"), triples)])


def _graphs(quads: Iterable[Quad]) -> Iterator[Quad]:
    counts: dict[str, int] = {}
    governed = set()
    for quad in quads:
        if quad.predicate == _HAS_POLICY and isinstance(quad.subject, NamedNode):
            governed.add(quad.subject.value)
        if isinstance(quad.graph_name, NamedNode):
            counts[quad.graph_name.value] = counts.get(quad.graph_name.value, 0) + 1
    for name, count in sorted(counts.items()):
        if name.startswith(GRAPH):
            graph = NamedNode(name)
            yield from _say(DATASET, [(_node(VOID, "subset"), graph)])
            yield from _say(graph, [(TYPE, _node(VOID, "Dataset")), (_node(VOID, "triples"), _number(count))])
            if name.startswith(GRAPH + "source/") and name not in governed:
                # What no community governs is open: what is not shown is not here.
                yield from _say(graph, [(_HAS_POLICY, _OPEN)])


def _prefixes_and_examples(queries: Sequence[QueryFile]) -> Iterator[Quad]:
    for prefix, namespace in PREFIXES.items():
        declaration = NamedNode(f"{BASE}dataset#prefix-{prefix}")
        yield from _say(DATASET, [(_node(SH, "declare"), declaration)])
        yield from _say(
            declaration,
            [
                (_node(SH, "prefix"), Literal(prefix)),
                (_node(SH, "namespace"), Literal(namespace, datatype=_node(XSD, "anyURI"))),
            ],
        )
    for query in queries:
        executable = NamedNode(f"{BASE}queries/{query.id}")
        form = query.form.lower()
        yield from _say(
            executable,
            [
                (TYPE, _node(SH, "SPARQLExecutable")),
                (TYPE, _node(SH, f"SPARQL{query.form.title()}Executable")),
                *((LABEL, Literal(text, language=lang)) for lang, text in query.title.items()),
                *((_node(RDFS, "comment"), Literal(text, language=lang)) for lang, text in query.description.items()),
                (_node(SH, form), Literal(query.sparql)),
                (_node(SH, "prefixes"), DATASET),
            ],
        )


def describe(store: Store, quads: Sequence[Quad], queries: Sequence[QueryFile], info: BuildInfo) -> list[Quad]:
    """Return the quads of `graph/catalogue`.

    `store` holds the merge in its default graph; `quads` are all quads of the build with their graphs.
    """
    triples = _count(store, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    entities = _count(store, f'SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s a ?c FILTER(STRSTARTS(STR(?s), "{BASE}id/")) }}')
    return [
        *_dataset(info, triples, entities),
        *_partitions(store),
        *_graphs(quads),
        *_prefixes_and_examples(queries),
    ]
