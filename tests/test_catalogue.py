"""The catalogue: VoID partitions that count right, prefixes and examples from which editors complete."""

from __future__ import annotations

import pytest
from pyoxigraph import Store

from culturegraph.queries import check_syntax, read_queries
from culturegraph.rdf.vocabulary import BASE, CG, PREFIXES

ROWS = dict[str, int]


def _counts(store: Store, query: str) -> ROWS:
    prefixes = "".join(f"PREFIX {name}: <{iri}> " for name, iri in PREFIXES.items())
    return {row[0].value: int(row[1].value) for row in store.query(prefixes + query)}  # type: ignore[union-attr]


def test_class_partitions_count_entities(built_store: Store) -> None:
    told = _counts(built_store, "SELECT ?c ?n { ?d void:classPartition [ void:class ?c ; void:entities ?n ] }")
    for name in ("Dance", "IndigenousPeople", "NationalNorm", "District"):
        query = f"SELECT ('x' AS ?k) (COUNT(DISTINCT ?s) AS ?n) {{ ?s a cg:{name} }}"
        assert told[CG + name] == _counts(built_store, query)["x"] > 0


def test_property_partitions_count_triples(built_store: Store) -> None:
    told = _counts(
        built_store, f"SELECT ?p ?n {{ <{BASE}dataset> void:propertyPartition [ void:property ?p ; void:triples ?n ] }}"
    )
    for name in ("practises", "locatedIn", "ubigeoInei"):
        query = f"SELECT ('x' AS ?k) (COUNT(*) AS ?n) {{ ?s cg:{name} ?o }}"
        assert told[CG + name] == _counts(built_store, query)["x"] > 0


def test_a_class_tells_the_properties_of_its_members(built_store: Store) -> None:
    told = _counts(
        built_store,
        "SELECT ?p ?n { ?part void:class cg:Dance ; void:propertyPartition [ void:property ?p ; void:triples ?n ] }",
    )
    query = "SELECT ('x' AS ?k) (COUNT(*) AS ?n) { ?s a cg:Dance ; cg:locatedIn ?o }"
    assert told[CG + "locatedIn"] == _counts(built_store, query)["x"] > 0
    assert CG + "iso6393" not in told, "no dance has the code of a language"


def test_totals_are_told(built_store: Store) -> None:
    for name in ("triples", "entities", "classes", "properties", "distinctSubjects", "distinctObjects"):
        assert _counts(built_store, f"SELECT ('x' AS ?k) ?n {{ <{BASE}dataset> void:{name} ?n }}")["x"] > 100, name


def test_every_named_graph_is_a_subset_with_its_count(built_store: Store) -> None:
    told = _counts(built_store, f"SELECT ?g ?n {{ <{BASE}dataset> void:subset ?g . ?g void:triples ?n }}")
    counted = _counts(built_store, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    for graph in (BASE + "graph/inferred", BASE + "graph/ontology", BASE + "graph/source/editorial"):
        assert told[graph] == counted[graph]


def test_prefixes_and_examples_are_in_the_store(built_store: Store, root: object) -> None:
    rows = built_store.query(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT ?prefix ?namespace "
        f"{{ <{BASE}dataset> sh:declare [ sh:prefix ?prefix ; sh:namespace ?namespace ] }}"
    )
    assert {row[0].value: row[1].value for row in rows} == dict(PREFIXES)  # type: ignore[union-attr]
    told = {
        row[0].value: row[1].value
        for row in built_store.query(  # type: ignore[union-attr]
            "PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT ?q ?text { ?q a sh:SPARQLExecutable ; "
            f"sh:prefixes <{BASE}dataset> ; sh:select|sh:ask|sh:construct|sh:describe ?text }}"
        )
    }
    known = [query for query in read_queries(root / "queries") if query.kind in ("competency", "examples")]  # type: ignore[operator]
    assert len(known) > 50
    for query in known:
        assert told[f"{BASE}queries/{query.id}"] == query.sparql
        assert check_syntax(query) is None


@pytest.mark.parametrize("language", ["es", "en"])
def test_examples_have_titles(built_store: Store, language: str) -> None:
    missing = built_store.query(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
        "SELECT ?q { ?q a sh:SPARQLExecutable "
        f'FILTER NOT EXISTS {{ ?q rdfs:label ?l FILTER(LANG(?l) = "{language}") }} }}'
    )
    assert [str(row[0]) for row in missing] == []  # type: ignore[union-attr]
