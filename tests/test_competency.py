"""The forty-three questions: each file runs on an invented graph with a known answer, and on the real build.

`cases/competency/toy.trig` states what the rules would add, so that a wrong answer here is a fault of the query.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, RdfFormat, Store, parse

from culturegraph.queries import QueryFile, read_queries
from culturegraph.rdf.graphs import merge
from culturegraph.rdf.vocabulary import CG
from culturegraph.store.evaluation import Task, evaluate

ROOT = Path(__file__).resolve().parents[1]
CASES = Path(__file__).parent / "cases" / "competency"
QUERIES = read_queries(ROOT / "queries" / "competency")
EXAMPLES = read_queries(ROOT / "queries" / "examples")
COVERAGE = read_queries(ROOT / "queries" / "pages")
AUDIENCES = {"researcher", "officer", "librarian", "community"}
TYPES = {"iri", "string", "date", "year", "int"}


def by_id(query: QueryFile) -> str:
    return query.id


def _load(path: Path, *, backwards: bool = False) -> Store:
    quads = list(parse(path=str(path), format=RdfFormat.TRIG))
    if backwards:
        quads.reverse()
    store = Store()
    store.extend(quads)
    store.extend(merge(quads))
    return store


@pytest.fixture(scope="module")
def toy() -> Store:
    return _load(CASES / "toy.trig")


def _answer(store: Store, sparql: str) -> list[list[str]]:
    """Header and rows, as the SPARQL CSV format gives them."""
    solutions = store.query(sparql)
    assert isinstance(solutions, QuerySolutions)
    text = solutions.serialize(format=QueryResultsFormat.CSV)
    return list(csv.reader(io.StringIO(text.decode())))


def _with(query: QueryFile, **values: str) -> str:
    """The query with other values for its parameters, each a SPARQL term."""
    sparql = query.sparql
    for name, value in values.items():
        sparql, changed = re.subn(rf"VALUES \?{name} \{{[^}}]*\}}", f"VALUES ?{name} {{ {value} }}", sparql)
        assert changed == 1
    return sparql


def _find(id: str) -> QueryFile:
    return next(query for query in QUERIES if query.id == id)


# Heads


def test_there_is_one_file_for_each_of_the_43_questions():
    assert [query.id for query in QUERIES] == [f"cq-{number:02d}" for number in range(1, 44)]
    assert all(re.fullmatch(rf"{query.id}-[a-z0-9-]+\.rq", query.path.name) for query in QUERIES)


@pytest.mark.parametrize("query", [*QUERIES, *EXAMPLES, *COVERAGE], ids=by_id)
def test_a_head_says_in_both_languages_what_the_query_answers(query):
    assert set(query.title) >= {"es", "en"} and set(query.description) >= {"es", "en"}
    assert AUDIENCES & set(query.tags)
    assert isinstance(query.head["expect"]["min"], int)


@pytest.mark.parametrize("query", QUERIES, ids=by_id)
def test_a_question_without_live_answer_says_why(query):
    assert query.head["expect"]["toy"] == f"{query.id}.csv"
    if query.head["expect"]["min"] == 0:
        assert query.head["gap"]


@pytest.mark.parametrize("query", [*QUERIES, *EXAMPLES], ids=by_id)
def test_a_parameter_is_one_values_clause_that_holds_its_default(query):
    for parameter in query.head.get("parameters", []):
        assert parameter["type"] in TYPES and set(parameter["label"]) == {"es", "en"}
        (clause,) = re.findall(rf"VALUES \?{parameter['name']} \{{([^}}]*)\}}", query.sparql)
        if parameter.get("optional"):
            assert clause.strip() == "UNDEF" and "default" not in parameter
            continue
        default = parameter["default"]
        prefixed = default.replace(CG, "cg:")
        assert any(f"{left}{default}{right}" in clause for left, right in ("<>", '""')) or f" {prefixed} " in clause


@pytest.fixture(scope="module")
def terms() -> set[str]:
    """Every term that a module of the ontology declares."""
    modules = (ROOT / "ontology" / "modules").glob("*.ttl")
    return {t.subject.value for path in modules for t in parse(path=str(path)) if isinstance(t.subject, NamedNode)}


@pytest.mark.parametrize("query", [*QUERIES, *EXAMPLES, *COVERAGE], ids=by_id)
def test_a_query_uses_terms_of_the_ontology_only(query, terms):
    used = {CG + name for name in re.findall(r"\bcg:(\w+)", query.sparql)}
    assert used <= terms


# Answers


@pytest.mark.parametrize("query", QUERIES, ids=by_id)
def test_the_answer_on_the_toy_graph(query, toy):
    expected = list(csv.reader(io.StringIO((CASES / f"{query.id}.csv").read_text(encoding="utf-8"))))
    assert len(expected) > 1
    assert _answer(toy, query.sparql) == expected


@pytest.mark.parametrize("query", QUERIES, ids=by_id)
def test_the_order_of_loading_changes_no_answer(query, toy):
    assert _answer(_load(CASES / "toy.trig", backwards=True), query.sparql) == _answer(toy, query.sparql)


def test_every_expected_answer_has_its_question():
    assert {path.stem for path in CASES.glob("*.csv")} == {query.id for query in QUERIES}


# What the day decides


def _norms(store: Store, day: str) -> set[str]:
    rows = _answer(store, _with(_find("cq-26"), day=f'"{day}"^^xsd:date'))
    return {row[0].rsplit("/", 1)[1] for row in rows[1:] if not row[-1]}


def test_a_norm_is_in_force_until_its_repeal_is_published(toy):
    assert _norms(toy, "2005-04-19") == set()
    assert _norms(toy, "2005-04-20") == {"rdn-1"}
    assert _norms(toy, "2012-01-01") == {"rdn-1", "law-29073", "ds-1"}
    assert _norms(toy, "2012-01-02") == {"rdn-2", "law-29073", "ds-1"}
    assert _norms(toy, "2019-12-31") == {"rdn-2", "law-29073", "ds-1"}
    assert _norms(toy, "2020-01-01") == {"rdn-2", "law-29073", "ds-1", "law-9"}
    assert _norms(toy, "2021-05-01") == {"rdn-2", "law-29073", "law-9", "law-10"}


@pytest.mark.parametrize(
    ("day", "in_force"), [("2005-04-19", "false"), ("2012-01-01", "true"), ("2012-01-02", "false")]
)
def test_recognition_stays_when_the_norm_is_repealed(toy, day, in_force):
    header, *rows = _answer(toy, _with(_find("cq-09"), day=f'"{day}"^^xsd:date'))
    (declaration,) = (row for row in rows if row[0].endswith("/declaration"))
    assert declaration[header.index("in_force")] == in_force


def test_another_people_has_another_answer(toy):
    people = "<https://w3id.org/culturegraph/id/people/bora>"
    header, row = _answer(toy, _with(_find("cq-01"), people=people))
    assert row[header.index("expression")] == ""
    assert row[header.index("gap_en")] == "Nothing is on record of this people"


# The real build


@pytest.mark.parametrize("query", QUERIES, ids=by_id)
def test_the_floor_on_live_data(query, built_store):
    assert len(_answer(built_store, query.sparql)) - 1 >= query.head["expect"]["min"]


@pytest.mark.parametrize("query", EXAMPLES, ids=by_id)
def test_an_example_gives_an_answer(query, built):
    answer = evaluate(built.snapshot.store, Task(query.sparql), snapshot=built.snapshot)
    assert sum(1 for _ in answer.outcome) >= query.head["expect"]["min"]


def test_the_statement_is_covered_where_each_entity_is_typed_and_labelled(toy, built_store):
    (coverage,) = (query for query in COVERAGE if query.id == "statement-coverage")
    assert _answer(toy, coverage.sparql) == [["covered", "total"], ["1", "2"]]
    assert _answer(built_store, coverage.sparql) == [["covered", "total"], ["66", "66"]]
