"""Lists to browse over HTTP, and what the head of a query file makes of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from pyoxigraph import Store
from searched_site import searched
from small_site import crawl

from culturegraph.check import check_queries
from culturegraph.protocols.browsing import Browser, read_listings
from culturegraph.protocols.sheets import PEOPLE, describe_sheet
from culturegraph.queries import read_queries, read_query

HTML = {"accept": "text/html", "accept-language": "es"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, root) -> Iterator[Client]:
    with searched(tmp_path_factory.mktemp("browsed"), root) as client:
        yield client


def get(client: Client, path: str, language: str = "es") -> str:
    response = client.get(path, headers={**HTML, "accept-language": language})
    assert response.status_code == 200, path
    return response.text


def test_the_index_names_every_list_and_the_navigation_the_index(client: Client, root: Path) -> None:
    index = get(client, "/browse/")
    listings = read_listings(read_queries(root / "queries" / "pages"))
    paths = [listing.path for listing in listings if listing.of is None]
    assert {"places", "people", "laws", "programmes", "unesco", "calendar"} <= set(paths)
    for path in paths:
        assert f'href="/browse/{path}"' in index
        assert client.get(f"/browse/{path}", headers=HTML).status_code == 200, path
    assert 'href="/browse/"' in get(client, "/ontology/")
    assert client.get("/browse?lang=en").headers["location"] == "/browse/?lang=en"


def test_places_have_figures_a_map_and_pages_of_their_own(client: Client) -> None:
    page = get(client, "/browse/places")
    row = re.search(r"<tr>(?:(?!</tr>).)*Puno</a>.*?</tr>", page, re.DOTALL)
    assert row is not None
    # Sikuri, the feast and the script; one declaration; the Aimara; no community with a place.
    assert re.findall(r"<td>(\d+)</td>", row[0]) == ["3", "1", "1", "0", "0"]
    assert 'href="/browse/places/pe-21"' in row[0]
    assert "<svg" in page
    puno = get(client, "/browse/places/pe-21")
    assert "<h1>Puno</h1>" in puno
    assert 'href="/id/expression/sikuri"' in puno
    assert 'href="/id/expression/wititi"' not in puno
    assert "Danza" in puno or "danza" in puno


def test_norms_by_rank_with_what_they_do(client: Client) -> None:
    page = get(client, "/browse/laws")
    assert "Ley del Artesano" in page
    assert "2007-07-23" in page


def test_unesco_lists_with_date_and_number(client: Client) -> None:
    page = get(client, "/browse/unesco")
    section = re.search(r'<h2 id="group-rl">.*?</section>', page, re.DOTALL)
    assert section is not None
    assert "Lista Representativa" in section[0]
    assert "Wititi del Colca" in section[0]
    assert "2015" in section[0]
    assert "01056" in section[0]
    assert "Representative List" in get(client, "/browse/unesco", "en")


def test_the_calendar_has_twelve_months_and_assumes_none(client: Client) -> None:
    page = get(client, "/browse/calendar")
    months = re.search(r'<ol class="months">.*?</ol>', page, re.DOTALL)
    assert months is not None
    assert months[0].count("<li>") == 12
    assert re.findall(r'href="#group-(\d\d)"', months[0]) == ["02", "07"]
    february = re.search(r'<h2 id="group-02">.*?</section>', page, re.DOTALL)
    assert february is not None
    assert "Fiesta de la Candelaria" in february[0]
    assert "Puno" in february[0]
    assert "February" in get(client, "/browse/calendar", "en")


def test_the_sheet_of_a_people_tells_who_says_what(client: Client) -> None:
    page = get(client, "/browse/people/aimara")
    for said in ("Jaqi", "Puno", "Sikuri", "Comunidad de la isla", "declaratoria de patrimonio cultural"):
        assert said in page, said
    assert "Colla" not in page, "a name that the people reject"
    first, second = (
        re.search(rf'<li id="source-(\d+)"><a[^>]*>{name} fuente', page) for name in ("Primera", "Segunda")
    )
    assert first is not None
    assert second is not None
    assert re.search(rf'Aymara <small class="tag">es</small><a class="note" href="#source-{second[1]}"', page)
    assert re.search(rf'Puno</a><a class="note" href="#source-{first[1]}"', page)
    assert '<span lang="ay">Jaqi</span>' in page
    assert 'href="/browse/people/aimara"' in get(client, "/doc/people/aimara")


def test_every_page_shows_the_query_behind_it(client: Client) -> None:
    for path in ("/browse/places", "/browse/places/pe-21", "/browse/people/aimara", "/browse/calendar"):
        found = re.search(r'href="(/sparql\?query=[^"]+)"', get(client, path))
        assert found is not None, path
        answer = client.get(found[1].replace("&amp;", "&"), headers={"accept": "text/csv"})
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) > 1, path


@pytest.mark.parametrize(
    "path",
    [
        "/browse/nothing",
        "/browse/laws/x",
        "/browse/places/xx",
        "/browse/people/nobody",
        "/browse/people/%3Cscript%3E",
        "/browse/places/a%20b",
        "/browse/people/%22%3E%20%7D",
    ],
)
def test_unknown_pages_are_not_found(client: Client, path: str) -> None:
    response = client.get(path, headers=HTML)
    assert response.status_code == 404
    assert "<script" not in response.text


def test_an_unknown_people_is_told_near_ones(client: Client) -> None:
    assert "aimara" in client.get("/browse/people/aymara", headers=HTML).text


def test_every_link_of_the_lists_works(client: Client) -> None:
    seen = crawl(client, ["/browse/", "/browse/?lang=en"], ("/browse",), limit=150)
    assert {"/browse/people/aimara", "/browse/places/pe-04"} <= seen


def test_a_new_query_file_is_a_new_page(tmp_path: Path) -> None:
    head = (
        '#+ title: {es: "Por color", en: "By colour"}\n'
        "#+ browse: {path: colours, group: g, entry: e, sort: s, detail: [s]}\n"
    )
    rows = "(1 <x:b> 1) (1 <x:a> 2) (2 <x:c> 3) (UNDEF <x:d> UNDEF) (1 <x:b> 1)"
    path = tmp_path / "colours.rq"
    path.write_text(f"{head}SELECT ?g ?e ?s {{ VALUES (?g ?e ?s) {{ {rows} }} }}", encoding="utf-8")
    browser = Browser(Store(), [read_query(path)])
    listing = browser.find("colours", of_one=False)
    assert listing is not None
    page = browser.describe(listing, None, "es")
    assert page is not None
    assert [(group.key, group.total, [entry.thing.iri for entry in group.entries]) for group in page.groups] == [
        ("1", 2, ["x:b", "x:a"]),
        ("2", 1, ["x:c"]),
        ("none", 1, ["x:d"]),
    ]
    assert page.total == 4


@pytest.mark.parametrize(
    ("name", "head", "fault"),
    [
        ("b", "browse: {path: x}", "missing or unknown key"),
        ("b", "browse: {path: x, entry: e, colour: red}", "missing or unknown key"),
        ("b", "browse: plain", "missing or unknown key"),
        ("b", "browse: {path: x, entry: thing}", "names ?thing, which the query does not have"),
        ("b", "browse: {path: x, entry: e, sort: g}", "sorted by ?g, which is no detail"),
        ("facet-b", "facet: {shown: 3}", "a facet without ?entity"),
    ],
)
def test_a_malformed_head_is_told_with_its_file(tmp_path: Path, name: str, head: str, fault: str) -> None:
    path = tmp_path / f"{name}.rq"
    path.write_text(f"#+ title: {{es: x, en: x}}\n#+ {head}\nSELECT ?e ?g {{ ?e ?p ?g }}", encoding="utf-8")
    finding = check_queries([read_query(path)], tmp_path)
    assert not finding.passed
    assert finding.faults[0].startswith(f"{name}.rq ")
    assert fault in finding.faults[0]


def test_of_nobody_there_is_no_sheet(root: Path) -> None:
    query = next(query for query in read_queries(root / "queries" / "pages") if query.id == PEOPLE)
    assert describe_sheet(Store(), query, "https://w3id.org/culturegraph/id/people/nobody", "es") is None
