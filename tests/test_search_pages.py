"""Search over HTTP: by text, by identifier, by facets; as page, JSON and CSV; bad input."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Client
from searched_site import searched
from small_site import crawl

HTML = {"accept": "text/html", "accept-language": "es"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, root) -> Iterator[Client]:
    with searched(tmp_path_factory.mktemp("searched"), root) as client:
        yield client


def ask(client: Client, **parameters: Any) -> dict[str, Any]:
    response = client.get("/search", params={"format": "json", "lang": "es", **parameters})
    assert response.status_code == 200, response.text
    return response.json()


def names(answer: dict[str, Any]) -> list[str]:
    return [item["name"] for item in answer["results"]]


def counts(answer: dict[str, Any], facet: str) -> dict[str, int]:
    found: dict[str, int] = {}

    def walk(values: list[dict[str, Any]]) -> None:
        for value in values:
            found[value["key"]] = value["count"]
            walk(value.get("below", []))

    walk(next(item["values"] for item in answer["facets"] if item["key"] == facet))
    return found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("wititi", "Wititi del Colca"),
        ("WITITI", "Wititi del Colca"),
        ("huititi", "Wititi del Colca"),
        ("candelária", "Fiesta de la Candelaria"),
        ("wititi of the colca", "Wititi del Colca"),
        ("jaqi", "Aimara"),
        ("zamponada", "Sikuri"),
        ("080206", "Rondocán"),
        ("Ley 29073", "Ley del Artesano"),
        ("29073", "Ley del Artesano"),
        ("Q190491", "Aimara"),
        ("https://w3id.org/culturegraph/id/expression/sikuri", "Sikuri"),
    ],
)
def test_a_thing_is_found_first_whatever_the_spelling_language_or_code(client: Client, text: str, name: str) -> None:
    assert names(ask(client, q=text))[0] == name


def test_a_name_that_is_not_to_be_shown_finds_and_stays_hidden(client: Client) -> None:
    answer = ask(client, q="colla")
    assert names(answer) == ["Aimara"]
    assert "matched" not in answer["results"][0]
    page = client.get("/search", params={"q": "colla"}, headers=HTML).text
    assert "Aimara" in page
    assert page.count("olla") == page.count("colla"), "only what the reader wrote"


def test_the_name_that_matched_is_told_where_it_is_another(client: Client) -> None:
    assert ask(client, q="zampoñada")["results"][0]["matched"] == "Zampoñada"
    assert "matched" not in ask(client, q="sikuri")["results"][0]


def test_facets_count_what_was_found(client: Client) -> None:
    everything = ask(client)
    assert everything["total"] >= 20
    assert counts(everything, "type")["CulturalExpression"] == 5
    assert counts(everything, "type")["Dance"] == 4
    assert counts(everything, "recognition") == {"HeritageDeclaration": 2, "UnescoInscription": 2}
    assert counts(everything, "period")["2000"] >= 2
    dances = ask(client, type="Dance")
    assert dances["total"] == 4
    assert counts(dances, "department") == {"pe-21": 2, "pe-04": 1}
    assert counts(dances, "source") == {"one": 4, "two": 1}


def test_facets_narrow_and_values_of_one_widen(client: Client) -> None:
    assert names(ask(client, type="Dance", department="pe-04")) == ["Wititi del Colca"]
    both = ask(client, type="Dance", department=["pe-04", "pe-21"])
    assert both["total"] == 3
    # Another department can be added: the counts of a facet are not narrowed by its own choice.
    assert counts(ask(client, type="Dance", department="pe-04"), "department") == {"pe-21": 2, "pe-04": 1}
    assert names(ask(client, q="danza", people="aimara", type="Dance")) == []
    assert names(ask(client, people="aimara", type="Dance")) == ["Sikuri"]
    assert names(ask(client, recognition="UnescoInscription", type="Dance")) == ["Wititi del Colca"]
    assert ask(client, period="2010", type="Dance")["total"] == 1


def test_order(client: Client) -> None:
    by_name = names(ask(client, type=["Dance", "Festivity"], sort="name"))
    assert by_name.index("Fiesta de la Candelaria") < by_name.index("Sikuri") < by_name.index("Wititi del Colca")
    dated = [item["date"] for item in ask(client, period=["2000", "2010"], sort="newest")["results"] if "date" in item]
    assert dated == sorted(dated, reverse=True)
    dated = [item["date"] for item in ask(client, period=["2000", "2010"], sort="oldest")["results"] if "date" in item]
    assert dated == sorted(dated)


def test_pages_hold_everything_once(client: Client) -> None:
    first = ask(client, size=7)
    found = names(first)
    seen = [item["iri"] for item in first["results"]]
    link = first["links"].get("next")
    while link:
        answer = client.get(link, params={"format": "json", "lang": "es", **_parameters(link)}).json()
        seen += [item["iri"] for item in answer["results"]]
        link = answer["links"].get("next")
    assert len(found) == 7
    assert len(seen) == len(set(seen)) == first["total"]


def _parameters(link: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in link.partition("?")[2].split("&"))


def test_the_table_has_all_that_was_found(client: Client) -> None:
    response = client.get("/search", params={"type": "Dance", "size": 1, "format": "csv", "lang": "es"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert len(rows) == 4
    sikuri = next(row for row in rows if row["name"] == "Sikuri")
    assert (sikuri["types"], sikuri["departments"], sikuri["peoples"]) == ("danza", "Puno", "Aimara")
    assert sikuri["note"] == "Danza con siku."


def test_an_identifier_goes_straight_to_what_it_names(client: Client) -> None:
    straight = client.get("/search", params={"q": "080206"}, headers=HTML)
    assert straight.status_code == 303
    assert straight.headers["location"] == "/id/place/pe-080206"
    iri = client.get("/search", params={"q": "https://w3id.org/culturegraph/id/people/aimara"}, headers=HTML)
    assert iri.headers["location"] == "/id/people/aimara"
    assert client.get("/search", params={"q": "wititi"}, headers=HTML).status_code == 200


def test_the_page_shows_results_facets_and_a_map(client: Client) -> None:
    page = client.get("/search", params={"type": "Dance"}, headers=HTML).text
    assert "4 resultados" in page
    assert 'href="/id/expression/sikuri"' in page
    assert re.search(r'href="/search\?type=Dance&amp;department=pe-21"[^>]*>Puno</a>', page)
    assert 'aria-current="true"' in page
    assert "<svg" in page
    assert 'name="q"' in page
    english = client.get("/search", params={"type": "Dance"}, headers={**HTML, "accept-language": "en"}).text
    assert "4 results" in english
    assert "Wititi of the Colca" in english


def test_every_page_has_the_box(client: Client) -> None:
    for path in ("/", "/ontology/", "/doc/people/aimara", "/graph/", "/nothing"):
        assert re.search(r'<form[^>]*action="/search"', client.get(path, headers=HTML).text), path


def test_formats_by_accept_and_revalidation(client: Client) -> None:
    assert client.get("/search", headers={"accept": "application/json"}).json()["total"] >= 20
    assert client.get("/search", headers={"accept": "text/csv"}).text.startswith("iri,name,language")
    assert client.get("/search", headers={"accept": "image/png"}).status_code == 406
    page = client.get("/search?q=sikuri", headers=HTML)
    again = client.get("/search?q=sikuri", headers={**HTML, "if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    assert set(page.headers["vary"].split(", ")) >= {"Accept", "Accept-Language"}


def test_unknown_values_are_ignored_and_told(client: Client) -> None:
    answer = ask(client, type=["Dance", "Dragon"], department="pe-99")
    assert answer["total"] == 4
    assert {"facet": "type", "value": "Dragon"} in answer["ignored"]
    page = client.get("/search?type=Dragon", headers=HTML).text
    assert "type=Dragon" in page
    assert 'role="status"' in page


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("page=0", "page: a number from 1"),
        ("page=x", "page: a number from 1"),
        ("page=99999999999999999999", "page: a number from 1"),
        ("page=²", "page: a number from 1"),
        ("size=1000", "size: a number from 1 to 100"),
        ("sort=random", "sort: one of relevance"),
        ("q=" + "a" * 401, "400 characters"),
        ("&".join(f"type=T{n}" for n in range(51)), "50 values"),
    ],
)
def test_what_cannot_be_is_refused_in_words(client: Client, query: str, told: str) -> None:
    response = client.get(f"/search?{query}", headers={"accept": "application/json"})
    assert response.status_code == 400
    assert told in response.json()["detail"]


def test_a_page_beyond_the_last_says_so(client: Client) -> None:
    response = client.get("/search?type=Dance&page=9", headers=HTML)
    assert response.status_code == 200
    assert "No hay tantas páginas" in response.text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        'a" OR "b',
        "NEAR(",
        "*",
        "col:on",
        "\x00",
        "%",
        "رقصة",
        "🎭",
    ],
)
def test_no_text_breaks_or_runs(client: Client, text: str) -> None:
    response = client.get("/search", params={"q": text}, headers=HTML)
    assert response.status_code == 200
    assert "<script" not in response.text
    assert "<img src=x" not in response.text


def test_a_name_that_is_script_is_shown_as_text(client: Client) -> None:
    page = client.get("/search", params={"q": "script danza"}, headers=HTML).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; danza" in page
    assert "<script" not in page


def test_a_name_in_another_language_says_so(client: Client) -> None:
    assert '<span lang="ar" dir="rtl">رقصة</span>' in client.get("/search", params={"q": "رقصة"}, headers=HTML).text


def test_every_link_of_the_results_works(client: Client) -> None:
    seen = crawl(client, ["/search", "/search?q=aimara&lang=en"], ("/search",), limit=120)
    assert len(seen) > 60
