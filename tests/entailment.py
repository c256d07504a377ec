"""What the tests of reasoning and explanation share: small graphs, owlrl as an oracle, and made-up ontologies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import owlrl
from hypothesis import strategies as st
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from culturegraph.rdf.bridge import from_rdflib, to_rdflib
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import CG, LABEL, OWL, RDF, RDFS, TYPE, XSD

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "tests" / "cases" / "inference"
RULES = ROOT / "queries" / "rules"
_SCHEMA = (OWL, RDF, RDFS, XSD)


def read_turtle(*paths: Path) -> list[Triple]:
    """Return the triples of Turtle files; a file that is not there has none."""
    return [
        quad.triple
        for path in paths
        if path.exists()
        for quad in parse(path=str(path), format=RdfFormat.TURTLE, rename_blank_nodes=True)
    ]


def store_of(triples: Iterable[Triple]) -> Store:
    """Return a store with the triples in its default graph."""
    store = Store()
    store.extend(Quad(t.subject, t.predicate, t.object) for t in triples)
    return store


# What rules of our own work out: owlrl knows the rules of OWL 2 RL alone.
_COMPUTED = frozenset({NamedNode(CG + "earliestDate"), NamedNode(CG + "latestDate")})


def is_instance_triple(triple: Triple) -> bool:
    """Whether a triple says something of an instance in our vocabulary, and not of the ontology or of everything."""
    if isinstance(triple.subject, BlankNode) or triple.predicate in _COMPUTED:
        return False
    if triple.predicate == TYPE:
        return isinstance(triple.object, NamedNode) and not triple.object.value.startswith(_SCHEMA)
    return triple.predicate == LABEL or not triple.predicate.value.startswith(_SCHEMA)


def close_with_owlrl(triples: list[Triple]) -> set[Triple]:
    """Return owlrl's OWL 2 RL closure, reduced to instance triples that were not given."""
    graph = to_rdflib(triples)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    for triple in list(graph):
        # owlrl works on generalised RDF; what RDF cannot say is left out.
        if not hasattr(triple[0], "toPython") or type(triple[0]).__name__ == "Literal":
            graph.remove(triple)
    closed = {quad.triple for quad in from_rdflib(graph, NamedNode("urn:closure"))}
    return {triple for triple in closed if is_instance_triple(triple)} - set(triples)


def publish(store: Store, inferred: Iterable[Triple], sources: Iterable[tuple[Triple, NamedNode]] = ()) -> Store:
    """Return the store as a build publishes it: everything in the default graph, and each triple in its own graph."""
    for t in inferred:
        store.extend([Quad(t.subject, t.predicate, t.object, graph) for graph in (DefaultGraph(), INFERRED)])
    store.extend(Quad(t.subject, t.predicate, t.object, graph) for t, graph in sources)
    return store


def _cg(name: str) -> NamedNode:
    return NamedNode(CG + name)


_classes = st.integers(0, 4).map(lambda n: _cg(f"C{n}"))
_properties = st.integers(0, 4).map(lambda n: _cg(f"p{n}"))
# Literals stand in data properties only, as in OWL 2 DL; owlrl would go on with literals as subjects.
_data_properties = st.integers(0, 2).map(lambda n: _cg(f"d{n}"))
_things = st.integers(0, 5).map(lambda n: NamedNode(f"https://w3id.org/culturegraph/id/x{n}"))
_literals = st.sampled_from([Literal("huaylas", language="es"), Literal("1940")])


def _axiom(subject: st.SearchStrategy, namespace: str, name: str, value: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(lambda s, o: f"{s} <{namespace}{name}> {o} .", subject, value)


def _list(value: st.SearchStrategy, size: int, most: int | None = None) -> st.SearchStrategy:
    items = st.lists(value, min_size=size, max_size=most or size, unique=True)
    return items.map(lambda found: f"( {' '.join(map(str, found))} )")


def _restriction(name: str, value: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(lambda p, v: f"[ <{OWL}onProperty> {p} ; <{OWL}{name}> {v} ]", _properties, value)


_kinds = st.sampled_from(["SymmetricProperty", "TransitiveProperty"]).map(lambda kind: f"<{OWL}{kind}>")
_axioms = st.one_of(
    _axiom(_classes, RDFS, "subClassOf", _classes),
    _axiom(_properties, RDFS, "subPropertyOf", _properties),
    _axiom(_properties, RDFS, "domain", _classes),
    _axiom(_properties, RDFS, "range", _classes),
    _axiom(_data_properties, RDFS, "subPropertyOf", _data_properties),
    _axiom(_data_properties, RDFS, "domain", _classes),
    _axiom(_properties, OWL, "inverseOf", _properties),
    _axiom(_properties, RDF, "type", _kinds),
    _axiom(_properties, OWL, "propertyChainAxiom", _list(_properties, 2, 3)),
    _axiom(_classes, OWL, "equivalentClass", _classes),
    _axiom(_properties, OWL, "equivalentProperty", _properties),
    _axiom(_classes, OWL, "intersectionOf", _list(_classes, 2)),
    _axiom(_classes, OWL, "unionOf", _list(_classes, 1, 3)),
    _axiom(_classes, RDFS, "subClassOf", _restriction("hasValue", _things)),
    _axiom(_classes, RDFS, "subClassOf", _restriction("allValuesFrom", _classes)),
    _axiom(_restriction("hasValue", _things), RDFS, "subClassOf", _classes),
    _axiom(_restriction("someValuesFrom", _classes), RDFS, "subClassOf", _classes),
    _axiom(_classes, OWL, "equivalentClass", _restriction("hasValue", _things)),
)
_facts = st.one_of(
    st.builds(lambda s, c: Triple(s, TYPE, c), _things, _classes),
    st.builds(Triple, _things, _properties, _things),
    st.builds(Triple, _things, _data_properties, _literals),
)


@st.composite
def graphs(draw: st.DrawFn) -> list[Triple]:
    """A small ontology of our fragment with facts."""
    axioms = "\n".join(draw(st.lists(_axioms, min_size=1, max_size=8)))
    read = [quad.triple for quad in parse(input=axioms, format=RdfFormat.TURTLE)]
    return list(dict.fromkeys(read + draw(st.lists(_facts, min_size=1, max_size=10))))
