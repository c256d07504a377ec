"""The queries behind search and lists, and the facets they make: on the bundled graph, beside plain SPARQL."""

from __future__ import annotations

import pytest
from pyoxigraph import Store

from culturegraph.protocols.browsing import Browser
from culturegraph.protocols.facets import FacetIndex
from culturegraph.queries import QueryFile, read_queries

KINDS = ("facet-", "search-", "browse-", "sheet-", "scheme-")


@pytest.fixture(scope="module")
def queries(root) -> list[QueryFile]:
    return [query for query in read_queries(root / "queries" / "pages") if query.id.startswith(KINDS)]


@pytest.fixture(scope="module")
def index(built_store: Store, queries: list[QueryFile]) -> FacetIndex:
    return FacetIndex(built_store, queries)


def test_each_query_answers_on_the_bundled_graph(built_store: Store, queries: list[QueryFile]) -> None:
    assert len(queries) >= 15
    for query in queries:
        found = sum(1 for _ in built_store.query(query.text))
        assert found >= query.head["expect"]["min"], query.id


@pytest.mark.parametrize(
    ("facet", "value", "pattern"),
    [
        ("type", "Dance", "?entity a cg:Dance"),
        ("department", "pe-21", "?entity cg:locatedWithin <https://w3id.org/culturegraph/id/place/pe-21>"),
        ("people", "awajun", "?entity cg:spokenBy <https://w3id.org/culturegraph/id/people/awajun>"),
        ("recognition", "UnescoInscription", "?entity a cg:UnescoInscription"),
        ("period", "2010", '?entity cg:recognitionDate ?date FILTER(STRSTARTS(STR(?date), "201"))'),
    ],
)
def test_a_facet_has_what_plain_sparql_finds(
    index: FacetIndex, built_store: Store, facet: str, value: str, pattern: str
) -> None:
    prefix = "PREFIX cg: <https://w3id.org/culturegraph/ontology/>"
    rows = built_store.query(f"{prefix} SELECT DISTINCT ?entity {{ {pattern} }}")
    expected = {row["entity"].value for row in rows}
    members = index.facets[facet].values[value].members
    found = {index.entities[number] for number in index.pick(members, range(len(index.entities)))}
    assert expected
    assert expected <= found
    if facet == "type":
        assert expected == found
    assert members.bit_count() == len(found)


def test_every_thing_is_numbered_once_and_packs_into_bits(index: FacetIndex) -> None:
    assert len(index.entities) == len(set(index.entities)) == index.everything.bit_count()
    numbers = [0, 7, 8, 63, 64, len(index.entities) - 1]
    packed = index.pack(numbers)
    assert packed.bit_count() == len(numbers)
    assert list(index.pick(packed, range(len(index.entities)))) == numbers
    assert list(index.pick(packed, reversed(numbers))) == numbers[::-1]


def test_no_value_of_a_facet_is_empty_and_trees_have_roots(index: FacetIndex) -> None:
    for facet in index.facets.values():
        assert all(value.members for value in facet.values.values()), facet.key
        assert facet.roots, facet.key
    kinds = index.facets["type"]
    assert "Dance" not in {value.key for value in kinds.roots}
    assert any(value.key == "Dance" for below in kinds.children.values() for value in below)


def test_every_list_of_the_bundled_graph_has_entries(built_store: Store, queries: list[QueryFile]) -> None:
    browser = Browser(built_store, queries)
    for listing in browser.indexes:
        page = browser.describe(listing, None, "en")
        assert page is not None
        assert page.total, listing.path
        assert all(entry.thing.name.text for group in page.groups for entry in group.entries)
