"""Validation as a library: source terms, what is left to the reference engine, named graphs, errors, reports."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

import culturegraph.validation.engine as engine_module
from culturegraph.errors import DataErrors
from culturegraph.rdf.graphs import VALIDATION, source_graph
from culturegraph.rdf.triples import FIRST
from culturegraph.validation import validate
from culturegraph.validation.literals import SourceTerms, is_ill_typed, is_ill_typed_in_rdflib, quiet_rdflib

CASES = Path(__file__).parent / "cases" / "shacl"
EX = "http://example.org/"
PREFIXES = f"""@prefix ex: <{EX}> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
"""
ENGINES = pytest.mark.parametrize("engine", ["compiled", "pyshacl"])


@pytest.fixture(autouse=True)
def _quiet():
    with quiet_rdflib():
        yield


def ex(name):
    return NamedNode(EX + name)


def quads(text, fmt=RdfFormat.TRIG):
    return list(parse(PREFIXES + text, format=fmt))


def shapes(text):
    return list(parse(PREFIXES + text, format=RdfFormat.TURTLE))


def found(data, shape, engine="compiled"):
    """Focus node, value and component of each result, in short."""
    report = validate(quads(data), shapes(shape), engine=engine)
    return sorted(
        (
            str(r.focus_node),
            "" if r.value is None else str(r.value),
            r.component.value.split("#")[1][: -len("ConstraintComponent")],
        )
        for r in report.results
    )


# --- literals as written ----------------------------------------------------------------------------------------------


@ENGINES
def test_the_same_value_written_twice_is_two_values(engine):
    data = 'ex:a ex:p 1, "01"^^xsd:integer, "+1"^^xsd:integer .'
    shape = "ex:S a sh:NodeShape ; sh:targetNode ex:a ; sh:property [ sh:path ex:p ; sh:maxCount 2 ] ."
    assert found(data, shape, engine) == [(str(ex("a")), "", "MaxCount")]


@ENGINES
def test_results_give_literals_as_they_were_written(engine):
    data = 'ex:a ex:p "12.50"^^xsd:decimal, "seven"^^xsd:integer, "5"^^xsd:int, "hola"@es-PE .'
    shape = "ex:S a sh:PropertyShape ; sh:targetNode ex:a ; sh:path ex:p ; sh:datatype xsd:integer ."
    report = validate(quads(data), shapes(shape), engine=engine)
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert {result.value for result in report.results} == {
        Literal("12.50", datatype=NamedNode(xsd + "decimal")),
        Literal("seven", datatype=NamedNode(xsd + "integer")),
        Literal("5", datatype=NamedNode(xsd + "int")),
        Literal("hola", language="es-PE"),
    }


@ENGINES
def test_sparql_constraints_see_values(engine):
    data = 'ex:a ex:p "07"^^xsd:integer .'
    shape = """ex:S a sh:NodeShape ; sh:targetNode ex:a ; sh:sparql [
        sh:select "SELECT $this ?value { $this <http://example.org/p> ?value FILTER(?value > 5) }" ] ."""
    [(_, value, _)] = found(data, shape, engine)
    assert value == '"07"^^<http://www.w3.org/2001/XMLSchema#integer>'


def test_plain_forms_are_those_that_the_store_keeps():
    source = SourceTerms()
    xsd = "http://www.w3.org/2001/XMLSchema#"
    kept = {"integer": ["0", "-7", "12"], "decimal": ["0.5", "-12.25", "3"], "date": ["2012-05-27"], "gYear": ["1964"]}
    kept |= {"dateTime": ["2012-05-27T10:00:00Z"], "boolean": ["true", "false"]}
    for name, forms in kept.items():
        for form in forms:
            literal = Literal(form, datatype=NamedNode(xsd + name))
            assert source.stored(literal) == literal
            assert source.veil(literal) is literal
    changed = {
        "integer": ["01", "-0", "x"],
        "decimal": ["1.0", ".5", "1.", "-0.50"],
        "date": ["2012-02-30"],
        "int": ["7"],
    }
    for name, forms in changed.items():
        for form in forms:
            literal = Literal(form, datatype=NamedNode(xsd + name))
            assert source.veil(literal) != literal
            assert source.written(source.veil(literal)) == literal


# --- what the compiled engine leaves to the reference engine ----------------------------------------------------------


@pytest.fixture
def left(monkeypatch):
    """The target shapes that the run leaves to pyshacl, with the reason."""
    seen = {}
    compile_shapes = engine_module.compile_shapes

    def watch(*arguments):
        plan = compile_shapes(*arguments)
        seen.update(plan.left)
        return plan

    monkeypatch.setattr(engine_module, "compile_shapes", watch)
    return seen


def test_lookahead_goes_to_the_reference_engine(left):
    shape = 'ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:pattern "^(?!x)" ] .'
    assert found('ex:a a ex:C ; ex:p "x", "07"^^xsd:integer .', shape) == [(str(ex("a")), '"x"', "Pattern")]
    assert list(left) == [ex("S")]


def test_other_shapes_stay_compiled_beside_one_that_is_left(left):
    shape = """ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:pattern "^(?!x)" ] .
    ex:T a sh:NodeShape ; sh:targetClass ex:C ; sh:property ex:P . ex:P sh:path ex:p ; sh:minLength 3 ."""
    assert found('ex:a a ex:C ; ex:p "x" .', shape) == [
        (str(ex("a")), '"x"', "MinLength"),
        (str(ex("a")), '"x"', "Pattern"),
    ]
    assert list(left) == [ex("S")]


@pytest.mark.parametrize("name", ["integer", "decimal", "date", "dateTime", "gYear", "boolean", "double"])
def test_what_is_ill_typed_is_told_without_rdflib_as_with_it(name):
    texts = ("", "abc", "1", "+1", "-01.50", ".5", "5.", ".", "1e3", "NaN", "INF", " 1", "1_0", "\u0661", "2020-02-30")
    for text in (*texts, "2020", "2020-02-28", "2020-02-28T10:00:00Z", "true", "0", "-", "12x"):
        literal = Literal(text, datatype=NamedNode(f"http://www.w3.org/2001/XMLSchema#{name}"))
        assert is_ill_typed(literal) == is_ill_typed_in_rdflib(literal), text


def test_the_compiled_engine_needs_no_rdflib():
    program = (
        "import sys; sys.modules['rdflib'] = None;"
        "from culturegraph.bench.generator import generate, generated_shapes;"
        "from culturegraph.validation import validate; from pyoxigraph import *;"
        "print(len(validate(generate(3000), parse(generated_shapes(), format=RdfFormat.TURTLE)).results) > 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


def test_blank_nodes_as_constants_go_to_the_reference_engine(left):
    graph = shapes("ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:in ( _:b ex:x ) ] .")
    blank = next(q.object for q in graph if q.predicate == FIRST and isinstance(q.object, BlankNode))
    data = [*quads("ex:a a ex:C ; ex:p ex:x, ex:y ."), Quad(ex("a"), ex("p"), blank)]
    assert [r.value for r in validate(data, graph).results] == [ex("y")]
    assert list(left) == [ex("S")]


# --- targets, named graphs, SPARQL ------------------------------------------------------------------------------------


@ENGINES
def test_sparql_target(engine):
    shape = """ex:S a sh:NodeShape ; sh:class ex:D ; sh:target [ a sh:SPARQLTarget ;
        sh:select "SELECT ?this { ?this <http://example.org/p> ?any }" ] ."""
    assert found("ex:a ex:p ex:b . ex:b ex:q ex:c .", shape, engine) == [(str(ex("a")), str(ex("a")), "Class")]


ONE_PER_SOURCE = """ex:S a sh:PropertyShape ; sh:targetClass ex:C ; sh:path ex:p ; sh:sparql [
    sh:message "{$this} {?graph}"@es ; sh:select \"\"\"SELECT DISTINCT $this ?value ?graph WHERE {
        GRAPH ?graph { $this $PATH ?value . $this $PATH ?other } FILTER(?value != ?other) }\"\"\" ] ."""


@ENGINES
def test_named_graphs_are_there_for_constraints(engine):
    one, two = source_graph("one"), source_graph("two")
    data = f"GRAPH {one} {{ ex:a a ex:C ; ex:p 1, 2 }} GRAPH {two} {{ ex:a ex:p 3 . ex:b a ex:C ; ex:p 4 }}"
    report = validate(quads(data), shapes(ONE_PER_SOURCE), engine=engine)
    assert {(r.focus_node, r.value.value) for r in report.results} == {(ex("a"), "1"), (ex("a"), "2")}


def test_internal_graphs_are_hidden_from_constraints():
    one, two = source_graph("one"), source_graph("two")
    data = f'GRAPH {one} {{ ex:a a ex:C ; ex:p 1 }} GRAPH {two} {{ ex:a ex:p "02"^^xsd:integer }}'
    assert validate(quads(data), shapes(ONE_PER_SOURCE)).conforms


@ENGINES
def test_a_sparql_constraint_deep_inside(engine):
    shape = """ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:property ex:P ] .
    ex:P sh:path ex:q ; sh:sparql [
        sh:select "SELECT $this ?value { $this $PATH ?value FILTER(isLiteral(?value)) }" ] ."""
    assert found("ex:a a ex:C ; ex:p ex:b . ex:b ex:q ex:c, 1 .", shape, engine) == [
        (str(ex("b")), str(Literal(1)), "SPARQL")
    ]


def test_a_query_that_reports_failure_is_an_error():
    shape = """ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:sparql [
        sh:select "SELECT $this ?failure { $this a ?c BIND(true AS ?failure) }" ] ."""
    with pytest.raises(DataErrors, match="reports a failure"):
        found("ex:a a ex:C .", shape)


def test_messages_are_filled_in():
    one = source_graph("one")
    report = validate(quads(f"GRAPH {one} {{ ex:a a ex:C ; ex:p 1, 2 }}"), shapes(ONE_PER_SOURCE))
    assert {result.message() for result in report.results} == {f"{EX}a {one.value}"}


def test_one_worker_and_several_agree():
    text = (CASES / "programme-shapes.ttl").read_text(encoding="utf-8")
    data = quads((CASES / "programme-data.ttl").read_text(encoding="utf-8"))
    assert validate(data, shapes(text), workers=1) == validate(data, shapes(text), workers=3)


@ENGINES
def test_the_shapes_graph_is_left_as_it_was(engine):
    graph = shapes("ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:class ex:D .")
    before = set(graph)
    validate(quads("ex:a a ex:C ."), graph, engine=engine)
    assert set(graph) == before


# --- errors -----------------------------------------------------------------------------------------------------------

BAD = {
    "count": ("sh:property [ sh:path ex:p ; sh:minCount 'x' ]", "ex:p>:sh:minCount is not well-formed SHACL"),
    "misspelt": ("sh:property [ sh:path ex:p ; sh:minCont 1 ]", "sh:minCont is no SHACL term"),
    "missing": ("sh:property ex:P", "refers to <http://example.org/P>, which is not there"),
    "no-path": ("sh:property [ sh:minCount 1 ]", "has no sh:path"),
    "recursive": ("sh:property [ sh:path ex:p ; sh:node ex:S ]", "refers to itself"),
    "regex": ("sh:property [ sh:path ex:p ; sh:pattern '(a' ]", "is not a regular expression"),
    "path": ("sh:property [ sh:path ( ) ; sh:minCount 1 ]", "not a property path"),
    "list": ("sh:in ex:x", "sh:in is not a well-formed list"),
    "class": ("sh:class 'C'", "sh:class is not well-formed SHACL"),
    "kind": ("sh:nodeKind sh:Thing", "sh:nodeKind is not well-formed SHACL"),
    "idle": ("sh:property [ sh:path ex:p ; sh:qualifiedValueShape [ sh:class ex:D ] ]", "does nothing without"),
    "javascript": ("sh:js [ sh:message 'no' ]", "JavaScript is not run"),
    "syntax": ("sh:sparql [ sh:select 'SELECT $this { $this ?p }' ]", "is not valid SPARQL: line 1, column"),
    "no-this": ("sh:sparql [ sh:select 'SELECT ?x { ?x ?p ?o }' ]", "does not select $this"),
    "minus": ("sh:sparql [ sh:select 'SELECT $this { $this ?p ?o MINUS { $this a ?c } }' ]", "MINUS is not allowed"),
    "no-query": ("sh:sparql [ sh:message 'no' ]", "has one sh:select, this one has 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_shapes_are_located(name):
    text, message = BAD[name]
    with pytest.raises(DataErrors) as caught:
        validate(quads("ex:a a ex:C ; ex:p 1 ."), shapes(f"ex:S a sh:NodeShape ; sh:targetClass ex:C ; {text} ."))
    assert message.replace("ex:p>", "<http://example.org/p>") in str(caught.value)
    assert str(caught.value).startswith("<http://example.org/S>")


@pytest.mark.parametrize("name", BAD)
def test_the_reference_engine_refuses_them_too(name):
    text, _ = BAD[name]
    with pytest.raises(DataErrors):
        validate(
            quads("ex:a a ex:C ; ex:p 1 ."),
            shapes(f"ex:S a sh:NodeShape ; sh:targetClass ex:C ; {text} ."),
            engine="pyshacl",
        )


# --- reports ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def programme_report():
    data = quads((CASES / "programme-data.ttl").read_text(encoding="utf-8"))
    origin = {quad: f"programmes.csv:{row}:start" for row, quad in enumerate(data, 2)}
    text = (CASES / "programme-shapes.ttl").read_text(encoding="utf-8")
    return validate(data, shapes(text), origin=origin)


def test_results_carry_message_hint_and_row(programme_report):
    [late, unnamed] = programme_report.results
    assert late.messages == {"es": "Empieza después de terminar.", "en": "It starts after it ends."}
    assert late.hint == {"es": "Corrija la columna start."}
    assert late.row == "programmes.csv:3:start"
    assert unnamed.row == "programmes.csv:2"
    assert unnamed.messages == {"es": "faltan valores: al menos 1", "en": "values are missing: at least 1"}
    assert programme_report.counts == {"Violation": 1, "Warning": 1}
    assert programme_report.violations == (late,)
    assert not programme_report.conforms


def test_both_engines_say_the_same_to_people(programme_report):
    data = quads((CASES / "programme-data.ttl").read_text(encoding="utf-8"))
    text = (CASES / "programme-shapes.ttl").read_text(encoding="utf-8")
    report = validate(data, shapes(text), engine="pyshacl")
    assert [(r.messages, r.hint, r.shape_name) for r in report.results] == [
        (r.messages, r.hint, r.shape_name) for r in programme_report.results
    ]


def test_report_as_data(programme_report):
    base = "https://w3id.org/culturegraph/validation/"
    reported = programme_report.to_quads(VALIDATION)
    assert {quad.graph_name for quad in reported} == {VALIDATION}
    results = {q.object for q in reported if q.predicate.value.endswith("#result")}
    assert results == {NamedNode(base + "1"), NamedNode(base + "2")}
    graph = rdflib.Graph().parse(data=programme_report.to_turtle(), format="turtle")
    assert {(str(s), str(o)) for s, o in graph.subject_objects(rdflib.SH.focusNode)} == {
        (base + "1", EX + "late"),
        (base + "2", EX + "late"),
    }


def test_report_as_data_does_not_depend_on_the_run():
    text = (
        "ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:path [ sh:inversePath ex:p ] ; sh:minCount 1 ] ."
    )
    reports = [validate(quads("ex:a a ex:C ."), shapes(text)).to_quads(VALIDATION) for _ in range(2)]
    assert set(map(str, reports[0])) == set(map(str, reports[1]))


def test_report_for_machines(programme_report):
    rows = list(csv.DictReader(programme_report.to_csv().splitlines()))
    assert list(rows[0]) == ["focusNode", "path", "value", "component", "sourceShape", "severity", "message", "row"]
    assert rows[0]["path"] == EX + "start"
    assert rows[0]["value"] == "2014"
    assert rows[0]["component"] == "http://www.w3.org/ns/shacl#LessThanConstraintComponent"
    assert rows[0]["row"] == "programmes.csv:3:start"
    document = json.loads(programme_report.to_json())
    assert [r["message"]["en"] for r in document["results"]] == [
        "It starts after it ends.",
        "values are missing: at least 1",
    ]
    triples = list(parse(programme_report.to_json(), format=RdfFormat.JSON_LD))
    assert sum(t.predicate.value.endswith("#result") for t in triples) == 2
    assert sum(t.predicate.value.endswith("#focusNode") for t in triples) == 2


def test_report_for_people(programme_report):
    text = programme_report.to_text()
    assert "Violation  programmes.csv:3:start  Empieza después de terminar." in text
    assert "→ Corrija la columna start." in text
    assert text.endswith("1 Violation, 1 Warning\n")
    page = programme_report.to_html()
    assert '<div lang="en">It starts after it ends.</div>' in page
    assert "<script" not in page


def test_pages_escape_what_the_data_says():
    shape = "ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:nodeKind sh:IRI ] ."
    page = validate(quads('ex:a a ex:C ; ex:p "<script>" .'), shapes(shape)).to_html()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_no_results_conform():
    report = validate([], shapes("ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:class ex:D ."))
    assert report.conforms
    assert report.to_text() == "conforms\n"
    assert [q.object.value for q in report.to_quads(VALIDATION) if q.predicate.value.endswith("#conforms")] == ["true"]
