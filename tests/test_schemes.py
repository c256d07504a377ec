"""Concept schemes over HTTP: the tree, from A to Z, downloads, where a concept stands; and schemes with faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from pyoxigraph import RdfFormat, Store, parse
from searched_site import searched
from small_site import crawl

from culturegraph.protocols.schemes import CONCEPTS, Node, describe_scheme, find_position
from culturegraph.queries import QueryFile, read_query

HTML = {"accept": "text/html", "accept-language": "es"}
SCHEME = "https://w3id.org/culturegraph/schemes/colours"
PREFIXES = f"@prefix s: <{SCHEME}/> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, root) -> Iterator[Client]:
    with searched(tmp_path_factory.mktemp("schemes"), root) as client:
        yield client


@pytest.fixture(scope="module")
def query(root: Path) -> QueryFile:
    return read_query(root / "queries" / "pages" / f"{CONCEPTS}.rq")


def store_of(*concepts: str) -> Store:
    store = Store()
    turtle = "\n".join(f"{concept} ; skos:inScheme <{SCHEME}> ." for concept in concepts)
    store.bulk_load((PREFIXES + turtle).encode(), RdfFormat.TURTLE)
    return store


def shape(nodes: tuple[Node, ...]) -> list[tuple[str, list]]:
    return [(node.concept.name.text, shape(node.below)) for node in nodes]


def test_a_scheme_is_a_tree_and_a_list_with_counts_and_notes(client: Client) -> None:
    page = client.get("/doc/schemes/unesco-lists", headers=HTML).text
    tree = re.search(r'<h2 id="tree">.*?</section>', page, re.DOTALL)
    assert tree is not None
    assert re.search(r"Patrimonio inmaterial</a>\s*<ul>\s*<li><span class=\"notation\">RL</span>.*?Lista Rep", tree[0])
    assert "Ámbito suelto" in tree[0], "a concept that nothing puts at the top is there, too"
    letters = re.search(r'<h2 id="letters">.*?</section>', page, re.DOTALL)
    assert letters is not None
    assert re.findall(r'<h3 id="letter-(.)"', letters[0]) == ["A", "L", "P"]
    assert "Elementos de todo el mundo." in letters[0]
    assert re.search(r"<dt>LR</dt><dd>véase <a[^>]*>Lista Representativa</a>", letters[0])
    assert "Las listas de la UNESCO." in page
    english = client.get("/doc/schemes/unesco-lists", headers={**HTML, "accept-language": "en"}).text
    assert "Representative List" in english
    assert "see" in english


def test_a_scheme_is_downloaded_whole(client: Client) -> None:
    page = client.get("/doc/schemes/unesco-lists", headers=HTML)
    links = re.findall(r'href="(/data/schemes/unesco-lists\.\w+)"', page.text)
    assert len(set(links)) == 6
    for link in set(links):
        assert "Representative List" in client.get(link).text, link
    quads = list(parse(client.get("/data/schemes/unesco-lists.nq").content, RdfFormat.N_QUADS))
    assert {quad.subject.value.rsplit("/", 1)[-1] for quad in quads} >= {"unesco-lists", "ich", "rl", "alone"}
    assert "describes" in page.headers["link"]


def test_an_address_of_a_scheme_leads_to_its_page(client: Client) -> None:
    found = client.get("/schemes/unesco-lists", headers=HTML)
    assert (found.status_code, found.headers["location"]) == (303, "/doc/schemes/unesco-lists")
    assert 'href="/schemes/unesco-lists"' in client.get("/schemes/", headers=HTML).text


def test_the_page_of_a_concept_shows_where_it_stands(client: Client) -> None:
    page = client.get("/doc/schemes/unesco-lists/rl", headers=HTML).text
    way = re.search(r'<ol class="way">.*?</ol>', page, re.DOTALL)
    assert way is not None
    assert re.findall(r"(?:>|strong>)([^<>]+)</(?:a|strong)>", way[0]) == [
        "Listas",
        "Patrimonio inmaterial",
        "Lista Representativa",
    ]
    assert 'class="way"' not in client.get("/doc/people/aimara", headers=HTML).text


def test_one_property_and_unknown_schemes_are_as_of_any_entity(client: Client) -> None:
    window = client.get(
        "/doc/schemes/unesco-lists", params={"predicate": "http://purl.org/dc/terms/title"}, headers=HTML
    )
    assert "Listas" in window.text
    missing = client.get("/doc/schemes/unesco-list", headers=HTML)
    assert missing.status_code == 404
    assert "unesco-lists" in missing.text
    assert client.get("/doc/schemes/%3Cscript%3E", headers=HTML).status_code == 404


def test_every_link_of_a_scheme_works(client: Client) -> None:
    crawl(client, ["/doc/schemes/unesco-lists", "/schemes/"], ("/doc/schemes", "/schemes"), limit=60)


def test_a_concept_below_two_others_is_below_both(query: QueryFile) -> None:
    store = store_of(
        's:a skos:prefLabel "a"', 's:b skos:prefLabel "b"', 's:c skos:prefLabel "c" ; skos:broader s:a , s:b'
    )
    scheme = describe_scheme(store, query, SCHEME, "es")
    assert scheme is not None
    assert shape(scheme.tree) == [("a", [("c", [])]), ("b", [("c", [])])]
    position = find_position(store, query, f"{SCHEME}/c", "es")
    assert position is not None
    assert [[step.name.text for step in way] for way in position.ways] == [["a", "c"], ["b", "c"]]


def test_a_ring_of_concepts_ends(query: QueryFile) -> None:
    store = store_of(
        's:a skos:prefLabel "a" ; skos:broader s:b',
        's:b skos:prefLabel "b" ; skos:broader s:a',
        's:c skos:prefLabel "c"',
    )
    scheme = describe_scheme(store, query, SCHEME, "es")
    assert scheme is not None
    assert shape(scheme.tree) == [("a", [("b", [])]), ("c", [])]
    assert find_position(store, query, f"{SCHEME}/a", "es") is not None


def test_notations_sort_as_numbers(query: QueryFile) -> None:
    store = store_of(*(f's:n{n} skos:prefLabel "{n}" ; skos:notation "4.{n}"' for n in (10, 9, 1)))
    scheme = describe_scheme(store, query, SCHEME, "es")
    assert scheme is not None
    assert [node.notation for node in scheme.tree] == ["4.1", "4.9", "4.10"]


def test_position_tells_what_is_beside_and_below(query: QueryFile) -> None:
    store = store_of(
        's:top skos:prefLabel "top"',
        's:one skos:prefLabel "one" ; skos:broader s:top',
        's:two skos:prefLabel "two" ; skos:broader s:top',
        's:deep skos:prefLabel "deep" ; skos:broader s:one',
    )
    position = find_position(store, query, f"{SCHEME}/one", "es")
    assert position is not None
    assert [reference.name.text for reference in position.beside] == ["two"]
    assert shape(position.below) == [("deep", [])]
    assert find_position(store, query, f"{SCHEME}/unknown", "es") is None
    assert describe_scheme(store, query, SCHEME + "-unknown", "es") is None
