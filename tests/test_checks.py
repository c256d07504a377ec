"""Every rule of queries/checks/ passes on the ontology, and fires on a bad example of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, Store

from culturegraph.queries import QueryFile, read_queries

ROOT = Path(__file__).resolve().parent.parent
BAD = ROOT / "tests" / "cases" / "checks"
CHECKS = read_queries(ROOT / "queries" / "checks")


@pytest.fixture(scope="module")
def ontology() -> Store:
    """The ontology with its schemes and alignments."""
    store = Store()
    for path in sorted((ROOT / "ontology").rglob("*.ttl")):
        store.load(path=str(path), format=RdfFormat.TURTLE)
    return store


def rows(store: Store, query: QueryFile) -> list[tuple[str, ...]]:
    return [tuple(str(cell) for cell in row) for row in store.query(query.sparql)]  # type: ignore[union-attr]


@pytest.mark.parametrize("query", CHECKS, ids=lambda query: query.id)
def test_the_ontology_passes(ontology: Store, query: QueryFile) -> None:
    assert rows(ontology, query) == []


@pytest.mark.parametrize("query", CHECKS, ids=lambda query: query.id)
def test_the_rule_fires_on_its_bad_example(query: QueryFile) -> None:
    store = Store()
    store.load(path=str(BAD / f"{query.id}.ttl"), format=RdfFormat.TURTLE)
    assert rows(store, query)


def test_every_rule_has_a_bad_example_and_its_name() -> None:
    assert len(CHECKS) >= 40
    assert {query.path.stem for query in CHECKS} == {query.id for query in CHECKS}
    assert {path.stem for path in BAD.glob("*.ttl")} == {query.id for query in CHECKS}


def test_a_rule_is_one_select_that_names_the_term_first() -> None:
    for query in CHECKS:
        assert query.form == "SELECT", query.id
        assert query.sparql.split("SELECT DISTINCT ", 1)[1].startswith("?term"), query.id
