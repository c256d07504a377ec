"""cg:textMatch: the same answers as a scan over the names, wherever a triple may stand; faults located."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store
from small_site import BASE

from culturegraph.errors import QuerySyntaxError
from culturegraph.rdf.vocabulary import CG, LABEL, RDFS, TYPE, XSD
from culturegraph.store.evaluation import Task, evaluate
from culturegraph.store.text_index import TextIndex
from culturegraph.store.text_search import rewrite

ID = BASE + "id/"
PREFIXES = f"PREFIX cg: <{CG}>\nPREFIX id: <{ID}>\nPREFIX rdfs: <{RDFS}>\nPREFIX xsd: <{XSD}> "
NAMES = {
    "danza": ("Dance", "Danza de tijeras", "Scissors dance"),
    "tijeras": ("Tool", "Tijeras (acero)", "Scissors"),
    "awajun": ("People", "Awajún", "Awajun"),
    "cusco": ("Place", "Cusco", "Cuzco"),
}


class _Site:
    def __init__(self) -> None:
        self.store = Store()
        for slug, (kind, spanish, english) in NAMES.items():
            node = NamedNode(ID + slug)
            self.store.add(Quad(node, TYPE, NamedNode(CG + kind)))
            self.store.add(Quad(node, LABEL, Literal(spanish, language="es")))
            self.store.add(Quad(node, LABEL, Literal(english, language="en")))
        self.store.add(Quad(NamedNode(ID + "danza"), NamedNode(CG + "uses"), NamedNode(ID + "tijeras")))
        self.text_index = TextIndex.of(self.store)


SITE = _Site()


def _ask(query: str) -> object:
    return evaluate(SITE.store, Task(PREFIXES + query), snapshot=SITE).outcome


def _rows(query: str) -> list[tuple[str, ...]]:
    rows = _ask(query)
    return [tuple(term.value.removeprefix(ID) if term else "-" for term in row) for row in rows]  # type: ignore[attr-defined]


def _found(pattern: str) -> set[str]:
    return {row[0] for row in _rows(f"SELECT ?e {{ {pattern} }}")}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ('?e cg:textMatch "tijeras"', {"danza", "tijeras"}),
        ('?e cg:textMatch "TIJERA" .', {"danza", "tijeras"}),
        ("?e cg:textMatch '''qosqo'''", {"cusco"}),
        ('?e cg:textMatch "nada de esto"', set()),
        ('?e cg:textMatch "scissors"@es', set()),
        ('?e cg:textMatch "scissors"@en', {"danza", "tijeras"}),
        ('?e cg:textMatch "\\u0041waj\\u00FAn"', {"awajun"}),
        ('?e cg:textMatch ("tijeras" 1)', {"tijeras"}),
        ('?e a cg:Dance ; cg:textMatch "tijeras"', {"danza"}),
        ('?e cg:textMatch "tijeras" ; a cg:Dance ;', {"danza"}),
        ('?e a ?c ; cg:textMatch "tijeras" ; rdfs:label ?l ; cg:textMatch "danza" ; cg:uses ?x', {"danza"}),
        ('?e cg:textMatch "tijeras", "danza"', {"danza"}),
        ('VALUES ?t { "qosqo" "awahun"@es } ?e cg:textMatch ?t', {"cusco", "awajun"}),
        ('?e cg:textMatch (?t 1) . FILTER(true) VALUES ?t { "tijeras"^^xsd:string }', {"tijeras"}),
        ('?e cg:textMatch "x"^^xsd:string, "tijeras"', set()),
        ('?x cg:uses ?e . ?e cg:textMatch "tijeras" . ?x cg:textMatch "danza"', {"tijeras"}),
        ('?x cg:uses ?e FILTER(STRLEN(STR(?e)) > 3) ?e cg:textMatch "tijeras"', {"tijeras"}),
        ('{ ?e cg:textMatch "qosqo" } UNION { ?e cg:textMatch "awahun" }', {"cusco", "awajun"}),
        ('?e a ?c MINUS { ?e cg:textMatch "tijeras" }', {"cusco", "awajun"}),
        ('?e a ?c FILTER NOT EXISTS { ?e cg:textMatch "tijeras" }', {"cusco", "awajun"}),
        ('?e a ?c FILTER(?c = cg:Dance && EXISTS { ?e cg:textMatch "tijeras" })', {"danza"}),
        ('VALUES ?e { id:danza id:cusco } ?e cg:textMatch "tijeras"', {"danza"}),
        ('{ SELECT ?e (1 AS ?n) { ?e cg:textMatch "tijeras" ; a ?c } ORDER BY ?c LIMIT 1 }', {"danza"}),
        ('?e (cg:uses|^cg:uses)+/a ?c ; cg:textMatch "tijeras"', {"danza", "tijeras"}),
        ('?e cg:uses [ a ?c ; rdfs:label ?l ] ; cg:textMatch "danza"', {"danza"}),
        ('BIND(id:danza AS ?e) ?e cg:textMatch "tijeras"', {"danza"}),
        ('?e a cg:Place . id:cusco cg:textMatch "cuzco"', {"cusco"}),
        ('?e a cg:Place . id:cusco cg:textMatch "tijeras"', set()),
        ('?e <https://w3id.org/culturegraph/ontology/textMatch> "tijeras"', {"danza", "tijeras"}),
        ('?e a cg:Dance . # cg:textMatch "cusco"', None),
        ('?e rdfs:label ?l FILTER(?l != "cg:textMatch")', {"danza", "tijeras", "awajun", "cusco"}),
    ],
)  # fmt: skip
def test_the_predicate_finds_what_the_names_say(pattern: str, found: set[str] | None) -> None:
    if found is None:
        pattern, found = pattern + "\n", {"danza"}
    assert _found(pattern) == found


def test_optional_keeps_what_does_not_match() -> None:
    rows = _rows('SELECT ?e ?s { ?e a ?c OPTIONAL { ?e cg:textMatch ("tijeras" ?s) } } ORDER BY ?e')
    assert [row[1] != "-" for row in rows] == [False, False, True, True]


def test_score_and_name() -> None:
    rows = _rows('SELECT ?e ?s ?n (LANG(?n) AS ?l) { ?e cg:textMatch ("tijeras" 5 ?s ?n) } ORDER BY DESC(?s)')
    assert [(row[0], row[2], row[3]) for row in rows] == [
        ("tijeras", "Tijeras (acero)", "es"),
        ("danza", "Danza de tijeras", "es"),
    ]
    assert 1 >= float(rows[0][1]) > float(rows[1][1]) > 0


def test_a_text_that_is_a_variable_is_bound_as_it_is_written() -> None:
    rows = _rows('SELECT ?t ?e { VALUES ?t { "qosqo" "awahun" } ?e cg:textMatch ?t } ORDER BY ?t')
    assert rows == [("awahun", "awajun"), ("qosqo", "cusco")]


def test_other_forms() -> None:
    assert bool(_ask('ASK { ?e cg:textMatch "tijeras" }'))
    assert not bool(_ask('ASK { ?e cg:textMatch "zzzz" }'))
    described = _ask('DESCRIBE ?e { ?e cg:textMatch "tijeras" ; a cg:Tool }')
    assert {triple.subject.value for triple in described} == {ID + "tijeras"}  # type: ignore[attr-defined]
    made = _ask('CONSTRUCT { ?e cg:textMatch "as written" } WHERE { ?e cg:textMatch "tijeras" }')
    assert {triple.object.value for triple in made} == {"as written"}  # type: ignore[attr-defined]
    assert _rows('SELECT ?e { ?e a ?c } GROUP BY ?e HAVING (EXISTS { ?e cg:textMatch "cusco" })') == [("cusco",)]


def test_a_query_without_it_is_left_alone() -> None:
    for query in ("SELECT * { ?s ?p ?o }", "not a query", 'ASK { ?s ?p "cg:textMatch" }'):
        assert rewrite(query, SITE) is query


@pytest.mark.parametrize(
    ("pattern", "column", "said"),
    [
        ('?e cg:textMatch ?t', 32, "needs its text in the query itself"),
        ('?e cg:textMatch (?t 5)', 32, "needs its text in the query itself"),
        ('VALUES ?t { 5 } ?e cg:textMatch ?t', 48, "needs its text in the query itself"),
        ('VALUES ?t { "a" UNDEF } ?e cg:textMatch ?t', 56, "needs its text in the query itself"),
        ('?e cg:textMatch ()', 32, "needs its text in the query itself"),
        ('[] cg:textMatch "x"', 19, "needs a variable or an IRI as its subject"),
        ('?e cg:uses [ cg:textMatch "x" ]', 29, "needs a variable or an IRI as its subject"),
        ('?e cg:textMatch/rdfs:label "x"', 19, "cannot be part of a path"),
        ('?e ^cg:textMatch "x"', 20, "cannot be part of a path"),
        ('?e (a|cg:textMatch) "x"', 22, "cannot be part of a path"),
        ('?e cg:textMatch ("x" 0)', 37, "a limit from 1 to 10,000"),
        ('?e cg:textMatch ("x" 5 ?s ?n ?m)', 39, "has too much in its list"),
    ],
)  # fmt: skip
def test_faults_are_located(pattern: str, column: int, said: str) -> None:
    with pytest.raises(QuerySyntaxError, match=said) as raised:
        _ask(f"SELECT ?e {{   {pattern} }}")
    assert (raised.value.line, raised.value.column) == (4, column - 1 + len(f"PREFIX xsd: <{XSD}> "))


def test_the_short_form_of_construct_is_told() -> None:
    with pytest.raises(QuerySyntaxError, match="needs the long form"):
        _ask('CONSTRUCT WHERE { ?e cg:textMatch "x" }')


@pytest.mark.parametrize(
    "query", ['SELECT ?e { ?e cg:textMatch "x" ', 'SELECT ?e { ?e cg:textMatch "x" } }', "SELECT { cg:textMatch }"]
)
def test_a_syntax_error_elsewhere_is_the_engines_to_tell(query: str) -> None:
    with pytest.raises(QuerySyntaxError) as raised:
        _ask(query)
    assert "textMatch needs" not in str(raised.value)
