"""The compiled engine finds what the reference engine finds: on random graphs and shapes and on ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, parse
from shacl_strategies import comparable, graphs, shapes_graphs

from culturegraph.bench.generator import generate, generated_shapes
from culturegraph.bench.validation import run
from culturegraph.rdf.graphs import read_rdf
from culturegraph.validation import validate
from culturegraph.validation.literals import quiet_rdflib

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "tests" / "cases" / "validation"
ANY = NamedNode("urn:x-culturegraph:test")


def keys(quads, shapes, engine):
    with quiet_rdflib():
        return {result.key for result in validate(quads, shapes, engine=engine).results}


def parse_shapes(text):
    with quiet_rdflib():
        return list(parse(text, format=RdfFormat.TURTLE))


def agree(quads, text):
    quads, shapes = comparable(quads, text), parse_shapes(text)
    assert keys(quads, shapes, "compiled") == keys(quads, shapes, "pyshacl")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs, shapes_graphs())
def test_random_graphs_and_shapes(quads, text):
    agree(quads, text)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs, shapes_graphs())
def test_many_random_graphs_and_shapes(quads, text):
    agree(quads, text)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs)
def test_our_kind_of_data_with_noise(noise):
    quads = [*generate(600, seed=len(noise), faults=0.5), *noise]
    shapes = parse_shapes(generated_shapes())
    assert keys(quads, shapes, "compiled") == keys(quads, shapes, "pyshacl")


def test_engines_side_by_side():
    compiled, reference = run([3000])
    assert (compiled.engine, reference.engine) == ("compiled", "pyshacl")
    assert compiled.results == reference.results > 0
    assert compiled.digest == reference.digest


@cache
def our_shapes(*, with_sources):
    files = [path for path in sorted((ROOT / "shapes").glob("*.ttl")) if with_sources or path.name != "sources.ttl"]
    return [quad for path in files for quad in read_rdf(path, ANY)]


@cache
def context():
    """What the cases refer to, and the class tree."""
    quads = read_rdf(CASES / "context.ttl", ANY)
    for path in sorted((ROOT / "ontology").rglob("*.ttl")):
        quads += [quad for quad in read_rdf(path, ANY) if quad.predicate.value.endswith("#subClassOf")]
    return [Quad(quad.subject, quad.predicate, quad.object, DefaultGraph()) for quad in quads]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(CASES.glob("*/*.t*")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_our_shapes_on_their_cases(path):
    quads = [*parse(path=str(path), format=RdfFormat.TRIG), *context()]
    shapes = our_shapes(with_sources=path.suffix == ".trig")
    assert keys(quads, shapes, "compiled") == keys(quads, shapes, "pyshacl")
