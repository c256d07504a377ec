"""Validation by shares of the focus nodes gives the report of the whole, in processes and share by share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from pyoxigraph import RdfFormat, parse
from shacl_strategies import comparable, graphs, shapes_graphs
from test_validation_differential import parse_shapes
from typer.testing import CliRunner

from culturegraph.bench.generator import generate, generated_shapes
from culturegraph.cli import app
from culturegraph.errors import UsageError
from culturegraph.validation import Report, validate
from culturegraph.validation.partitions import Share

# Beyond the focus node: a class of a value, values of values, an inverse path, closedness of a nested shape, a query
# that asks for other nodes, and a query of a nested shape whose focus nodes several others lead to.
BEYOND = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix : <http://example.org/> .
: sh:declare [ sh:prefix "" ; sh:namespace "http://example.org/"^^xsd:anyURI ] .
:S a sh:NodeShape ; sh:targetClass :A, :B ; sh:targetSubjectsOf :q ; sh:targetObjectsOf :p ;
  sh:property :P, [ sh:path [ sh:inversePath :p ] ; sh:maxCount 1 ], [ sh:path ( :p :q ) ; sh:class :B ] ;
  sh:sparql [ sh:prefixes : ; sh:message "shares {?value}" ;
    sh:select "SELECT $this ?value { $this :q ?value . ?other :q ?value FILTER(?other != $this) }" ] .
:P sh:path :p ; sh:class :A ; sh:property [ sh:path :q ; sh:maxCount 1 ] ; sh:node :N .
:N sh:property [ sh:path :q ; sh:minCount 1 ] .
:T a sh:NodeShape ; sh:targetClass :A ; sh:property [ sh:path :p ; sh:property [ sh:path :q ;
  sh:sparql [ sh:prefixes : ; sh:select "SELECT $this ?value { $this $PATH ?value FILTER(isIRI(?value)) }" ] ] ] .
"""
DATA = "@prefix : <http://example.org/> .\n" + "".join(
    f":n{n} a :{'AB'[n % 2]} ; :p :n{n * 7 % 40}, :n{n * 3 % 40}, _:b{n % 5} ; :q :n{n % 6}, {n % 4} .\n"
    f"_:b{n % 5} :q {n}, {n + 1} .\n"
    for n in range(40)
)


def _results(report: Report) -> list[str]:
    return sorted(
        repr((result.key, result.constraint, result.detail, dict(result.messages))) for result in report.results
    )


def _judge_shares(quads, shapes, of: int) -> list[str]:
    reports = [validate(quads, shapes, share=Share(number, of)) for number in range(1, of + 1)]
    return sorted(line for report in reports for line in _results(report))


@pytest.mark.parametrize("processes", [2, 3])
def test_what_looks_beyond_its_focus_node(processes: int) -> None:
    quads, shapes = list(parse(DATA, format=RdfFormat.TURTLE)), parse_shapes(BEYOND)
    whole = _results(validate(quads, shapes))
    assert len(whole) > 100
    assert _results(validate(quads, shapes, processes=processes)) == whole
    assert _judge_shares(quads, shapes, 7) == whole


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs, shapes_graphs())
def test_random_graphs_and_shapes(quads, text) -> None:
    quads, shapes = comparable(quads, text), parse_shapes(text)
    assert _judge_shares(quads, shapes, 3) == _results(validate(quads, shapes))


def test_the_benchmarks_graph_in_processes() -> None:
    quads, shapes = list(generate(20_000)), parse_shapes(generated_shapes())
    whole = validate(quads, shapes)
    assert validate(quads, shapes, processes=2).results == whole.results
    assert len(whole.results) > 100
    shares = [len(validate(quads, shapes, share=Share(number, 4)).results) for number in range(1, 5)]
    assert sum(shares) == len(whole.results)
    assert min(shares) > len(whole.results) / 8, "the shares are about alike"


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/257", "-1/2"])
def test_a_share_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="a share is written"):
        Share.read(text)


def test_the_command_refuses_what_does_not_go_together() -> None:
    for options in (["--share", "1/2", "--workers", "2"], ["--share", "1/2", "--engine", "pyshacl"]):
        assert isinstance(CliRunner().invoke(app, ["validate", *options]).exception, UsageError)
