"""Canonical quads, their bytes and their hash."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from culturegraph.rdf.canonical import canonicalise, content_hash, to_nquads
from culturegraph.rdf.graphs import CATALOGUE, ONTOLOGY, VALIDATION

P = NamedNode("http://example.org/p")


def _quads(labels):
    nodes = {label: BlankNode() for label in labels}
    return [Quad(nodes[label], P, Literal(str(index)), ONTOLOGY) for index, label in enumerate(labels)]


@given(st.lists(st.integers(0, 5), max_size=12), st.randoms())
def test_the_bytes_depend_on_neither_order_nor_blank_node_labels(labels, random):
    once, again = _quads(labels), _quads(labels)
    random.shuffle(again)
    assert to_nquads(canonicalise(once)) == to_nquads(canonicalise(again))


def test_a_quad_more_changes_the_hash():
    quads = _quads([1, 2])
    more = [*quads, Quad(P, P, Literal("x"), ONTOLOGY)]
    assert content_hash(canonicalise(quads)) != content_hash(canonicalise(more))


def test_catalogue_and_report_are_outside_the_hash():
    quads = canonicalise(_quads([1]))
    described = [*quads, Quad(P, P, Literal("x"), CATALOGUE), Quad(P, P, Literal("y"), VALIDATION)]
    assert content_hash(described) == content_hash(quads)


def test_the_bytes_parse_back_to_the_same_quads():
    quads = canonicalise([*_quads([1, 1]), Quad(P, P, Literal('a "quoted"\nñ', language="qu"), ONTOLOGY)])
    assert set(parse(input=to_nquads(quads), format=RdfFormat.N_QUADS)) == set(quads)
