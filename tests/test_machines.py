"""What machines get: schema.org, FAIR Signposting, site map, feed, suggestions of the editor."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from httpx import Client
from small_site import BASE, listening, publish_small, small_settings

from culturegraph.store.snapshot import Snapshot

HTML = {"accept": "text/html", "accept-language": "es"}
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return publish_small(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def client(snapshot: Snapshot) -> Iterator[Client]:
    with listening(small_settings(snapshot.path), snapshot) as server, Client(base_url=server, timeout=30) as client:
        yield client


def _json_ld(page: str) -> dict[str, object]:
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    found: dict[str, object] = json.loads(block)
    return found


def test_an_entity_is_described_in_schema_org(client: Client) -> None:
    told = _json_ld(client.get("/doc/people/awajun", headers=HTML).text)
    assert told["@id"] == BASE + "id/people/awajun"
    assert told["@type"] == "Thing", "the small graph has no alignments"
    assert {"@value": "Awajún", "@language": "es"} in told["name"]  # type: ignore[operator]
    assert BASE + "ontology/IndigenousPeople" in told["additionalType"]  # type: ignore[operator]


def test_the_front_page_describes_the_data_set(client: Client) -> None:
    told = _json_ld(client.get("/", headers=HTML).text)
    assert told["@type"] == "Dataset" and told["license"] and told["version"] == "small-1"
    assert len(told["distribution"]) == 3  # type: ignore[arg-type]


def test_a_label_cannot_end_the_data_block(client: Client) -> None:
    page = client.get("/doc/people/script", headers=HTML).text
    assert "<script>alert" not in page
    assert "<script>" in json.dumps(_json_ld(page)), "it is there, escaped"


def test_signposting(client: Client) -> None:
    links = client.get("/doc/people/awajun", headers=HTML).headers["link"]
    for relation in ("cite-as", "describedby", "license", "type", "linkset"):
        assert f'rel="{relation}"' in links
    assert 'rel="describes"; type="text/html"' in client.get("/data/people/awajun.ttl").headers["link"]
    answer = client.get("/linkset/people/awajun")
    assert answer.headers["content-type"] == "application/linkset+json"
    page, *data = answer.json()["linkset"]
    assert page["cite-as"] == [{"href": BASE + "id/people/awajun"}]
    assert [item["href"] for item in page["describedby"]] == [item["anchor"] for item in data]
    for item in data:
        assert client.get(item["anchor"]).status_code == 200
        assert item["describes"][0]["href"] == page["anchor"]
    assert client.get("/linkset/people/nobody").status_code == 404


def test_every_page_of_the_site_map_is_there(client: Client) -> None:
    home = str(client.base_url).rstrip("/")
    assert f"Sitemap: {home}/sitemap.xml\n" in client.get("/robots.txt").text
    places = [item.text or "" for item in ET.fromstring(client.get("/sitemap.xml").content).iter(SITEMAP + "loc")]
    assert f"{home}/doc/people/awajun" in places
    assert len(places) == len(set(places))
    for place in places:
        assert client.get(place, headers=HTML).status_code == 200, place
    assert client.get("/sitemaps/7.xml").status_code == 404


def test_the_feed(client: Client) -> None:
    answer = client.get("/feed.atom", headers={"accept-language": "en"})
    feed = ET.fromstring(answer.content)
    assert answer.headers["content-type"].startswith("application/atom+xml")
    first = next(feed.iter(ATOM + "entry"))
    assert "small-1" in (first.findtext(ATOM + "title") or "")
    assert all(entry.findtext(ATOM + "updated") for entry in feed.iter(ATOM + "entry"))
    assert 'href="/feed.atom"' in client.get("/").text


def test_suggestions(client: Client) -> None:
    assert client.get("/suggest/prefix").json()["cg"] == BASE + "ontology/"
    assert client.get("/suggest/class?q=danza").json() == [], "the small graph has no VoID"
    assert client.get("/suggest/colour").status_code == 422
    assert client.get("/suggest/class", params={"q": "<script>"}).headers["content-type"] == "application/json"


def test_the_text_of_a_query(client: Client) -> None:
    answer = client.get("/queries/all-peoples.rq")
    assert answer.headers["content-type"].startswith("application/sparql-query")
    assert answer.text.startswith("PREFIX") or "SELECT" in answer.text
    assert client.get("/queries/none.rq").status_code == 404


def test_a_link_that_is_shared_shows_a_picture(client: Client) -> None:
    page = client.get("/doc/people/awajun", headers=HTML).text
    (address,) = re.findall(r'<meta property="og:image" content="([^"]+)">', page)
    assert address.startswith("http://127.0.0.1")
    picture = client.get(address)
    assert picture.headers["content-type"] == "image/png"
    # PNG (W3C, third edition) §11.2.1: width and height, four bytes each.
    assert (int.from_bytes(picture.content[16:20]), int.from_bytes(picture.content[20:24])) == (1200, 630)
