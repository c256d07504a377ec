"""Canonical quads, their bytes and their hash."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad, RdfFormat, parse

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


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=10), st.randoms())
def test_labels_and_quads_without_blank_nodes_do_not_meet(edges, random):
    nodes = [BlankNode(), BlankNode(), BlankNode(), NamedNode("http://example.org/a"), Literal("b")]
    quads = [Quad(nodes[one], P, nodes[other], ONTOLOGY) for one, other in edges]
    quads += [Quad(P, P, Literal(str(number)), ONTOLOGY) for number in range(random.randint(0, 3))]
    whole = Dataset(quads)
    whole.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    assert set(canonicalise(quads)) == set(whole)


def test_the_hash_does_not_depend_on_what_it_leaves_out():
    """A report on blank nodes changes their labels in the file, and not the hash of what is known."""
    quads = _quads([1, 2])
    report = [Quad(quads[1].subject, P, Literal("found"), VALIDATION)]
    assert content_hash(canonicalise([*quads, *report])) == content_hash(canonicalise(quads))
