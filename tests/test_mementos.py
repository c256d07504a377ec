"""Earlier states of things over real HTTP: TimeGate, TimeMaps, mementos, as RFC 7089 wants them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from pyoxigraph import Literal, NamedNode, parse
from released_project import BASE, FIRST, SECOND
from small_site import listening, publish_small, small_settings

from culturegraph.errors import RequestError
from culturegraph.protocols.mementos import find_mementos, read_moment, read_original
from culturegraph.rdf.formats import GRAPHS
from culturegraph.redaction import redact
from culturegraph.releases.excerpts import cut_out, open_lines
from culturegraph.releases.folder import find_release, list_releases
from culturegraph.settings import Settings

LAW, GONE = "id/norm/law-1", "id/norm/law-9"
BETWEEN, BEFORE = "Thu, 15 Oct 2026 00:00:00 GMT", "Wed, 01 Jan 2014 00:00:00 GMT"
HTML = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture(scope="module")
def client(project: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    store = tmp_path_factory.mktemp("store")
    settings = small_settings(store, releases=project.releases)
    with listening(settings, publish_small(store)) as url, Client(base_url=url) as client:
        yield client


@pytest.mark.parametrize(
    ("thing", "moment", "version"),
    [
        (LAW, None, SECOND),
        (LAW, BETWEEN, FIRST),
        (LAW, "Thu, 01 Oct 2026 12:00:00 GMT", FIRST),
        (LAW, "Thu, 01 Oct 2026 11:59:59 GMT", FIRST),
        (LAW, BEFORE, FIRST),
        (LAW, "Sun, 01 Nov 2026 12:00:00 GMT", SECOND),
        (LAW, "Fri, 01 Jan 2100 00:00:00 GMT", SECOND),
        (GONE, None, FIRST),
        (BASE + LAW, BETWEEN, FIRST),
        ("https:/w3id.org/culturegraph/" + LAW, BETWEEN, FIRST),
    ],
)
def test_the_time_gate_leads_to_the_state_of_a_time(
    client: Client, thing: str, moment: str | None, version: str
) -> None:
    headers = {"Accept-Datetime": moment} if moment else {}
    answer = client.get(f"/timegate/{thing}", headers=headers)
    path = thing[thing.index("id/") :]
    assert (answer.status_code, answer.headers["location"]) == (302, f"/releases/{version}/{path}")
    assert answer.headers["vary"] == "accept-datetime"
    assert f'<{BASE}{path}>; rel="original"' in answer.headers["link"]
    assert f'</timemap/link/{path}>; rel="timemap"' in answer.headers["link"]
    assert "memento-datetime" not in answer.headers


@pytest.mark.parametrize("moment", ["yesterday", "2026-10-01", "Thu, 32 Oct 2026 12:00:00 GMT", ""])
def test_what_is_no_time_is_refused(client: Client, moment: str) -> None:
    assert client.get(f"/timegate/{LAW}", headers={"Accept-Datetime": moment}).status_code == 400
    with pytest.raises(RequestError, match="is no date such as"):
        read_moment(moment)


@pytest.mark.parametrize(
    "path",
    [
        "/timegate/id/norm/none", "/timemap/link/id/norm/none", "/timemap/json/x", "/timegate/https://example.org/id/x",
        "/timegate/id/..%2f..%2fetc", f"/releases/{FIRST}/id/norm/none", f"/releases/2020.01.0/{LAW}",
        f"/releases/{SECOND}/{GONE}", f"/releases/{FIRST}/doc/norm/law-1", f"/releases/{FIRST}/id/a%20b",
        f"/releases/..%2f{FIRST}/{LAW}",
    ],
)  # fmt: skip
def test_what_no_release_speaks_of_is_not_found(client: Client, path: str) -> None:
    assert client.get(path, headers=HTML).status_code == 404


def test_a_state_says_its_time_and_its_neighbours(client: Client) -> None:
    first, second = client.get(f"/releases/{FIRST}/{LAW}", headers=HTML), client.get(f"/releases/{SECOND}/{LAW}")
    assert first.headers["memento-datetime"] == "Thu, 01 Oct 2026 12:00:00 GMT"
    assert second.headers["memento-datetime"] == "Sun, 01 Nov 2026 12:00:00 GMT"
    link = first.headers["link"]
    assert f'</timegate/{LAW}>; rel="timegate"' in link
    assert f'</releases/{FIRST}/{LAW}>; rel="first memento"; datetime="Thu, 01 Oct 2026 12:00:00 GMT"' in link
    assert f'</releases/{SECOND}/{LAW}>; rel="last next memento"' in link
    assert f'</releases/{FIRST}/{LAW}>; rel="first prev memento"' in second.headers["link"]


def test_a_state_is_a_page_and_data(client: Client) -> None:
    old = client.get(f"/releases/{FIRST}/{LAW}", headers=HTML).text
    assert re.search(r"<h1[^>]*>\s*First", old), "the name in the language of the reader"
    assert ("Primera" in old, "Primerísima" in old) == (True, False)
    assert f'href="/releases/{SECOND}/{LAW}"' in old
    assert "The gazette" in old, "its source"
    new = client.get(f"/releases/{SECOND}/{LAW}", headers=HTML).text
    assert f"/releases/{SECOND}/diff?from={FIRST}&amp;about=" in new
    for offer in GRAPHS:
        by_suffix = client.get(f"/releases/{FIRST}/{LAW}.{offer.suffix}")
        assert by_suffix.content == client.get(f"/releases/{FIRST}/{LAW}", headers={"Accept": offer.value}).content
        triples = {quad.triple for quad in parse(by_suffix.content, format=offer.rdf)}
        assert {t.object for t in triples if t.subject.value == BASE + LAW} >= {Literal("Primera", language="es")}
    assert client.get(f"/releases/{FIRST}/{LAW}", headers={"Accept": "image/png"}).status_code == 406
    tag = client.get(f"/releases/{FIRST}/{LAW}", headers=HTML).headers["etag"]
    assert client.get(f"/releases/{FIRST}/{LAW}", headers={**HTML, "If-None-Match": tag}).status_code == 304


def test_what_is_gone_today_is_kept_in_its_release(client: Client) -> None:
    assert "Novena" in client.get(f"/releases/{FIRST}/{GONE}", headers=HTML).text
    assert client.get(f"/releases/{SECOND}/{GONE}").status_code == 404


def test_time_maps(client: Client) -> None:
    answer = client.get(f"/timemap/link/{LAW}")
    assert answer.headers["content-type"].startswith("application/link-format")
    home = str(client.base_url)
    assert f'<{BASE}{LAW}>; rel="original"' in answer.text
    assert f'<{home}/timemap/link/{LAW}>; rel="self"; type="application/link-format"; from="Thu, 01 Oct' in answer.text
    found = re.findall(r'<([^>]+)>; rel="((?:first |last )?memento)"; datetime="([^"]+)"', answer.text)
    assert [(address, relation) for address, relation, _ in found] == [
        (f"{home}/releases/{FIRST}/{LAW}", "first memento"),
        (f"{home}/releases/{SECOND}/{LAW}", "last memento"),
    ]
    for address, _, moment in found:
        assert client.get(address).headers["memento-datetime"] == moment
    told = client.get(f"/timemap/json/{LAW}").json()
    assert [entry["uri"] for entry in told["mementos"]["list"]] == [address for address, _, _ in found]
    assert told["timegate_uri"] == f"{home}/timegate/{LAW}"


def test_pages_of_today_lead_to_the_time_gate(client: Client) -> None:
    for path in ("/id/people/awajun", "/doc/people/awajun", "/data/people/awajun.ttl"):
        answer = client.get(path, headers={"Accept": "text/html" if "ttl" not in path else "text/turtle"})
        assert answer.status_code in (200, 303), path
        assert '</timegate/id/people/awajun>; rel="timegate"' in answer.headers["link"]


def test_an_excerpt_is_all_that_a_release_says(project: Settings) -> None:
    release = find_release(project.releases, FIRST)
    node = NamedNode(BASE + "id/norm/law-1")
    lines = [line for line in release.lines() if b"law-1>" in line and b"graph/catalogue" not in line]
    assert len(lines) > 5
    found = {quad for quad in cut_out(release, node.value) if node in quad.triple}
    assert len(found) == len([line for line in lines if b"graph/validation" not in line])
    everything = list(open_lines(release).beginning(b""))
    assert everything == list(release.lines())
    assert list(open_lines(release).beginning(b"~")) == []


def test_what_is_redacted_has_no_earlier_state(project: Settings, tmp_path: Path) -> None:
    shutil.copytree(project.releases, tmp_path / "r")
    (tmp_path / "private").mkdir()
    rows = "thing,statement,text,level,role,date\nid/norm/law-9,,,restricted,community,2026-11-23\n"
    (tmp_path / "private" / "restrictions.csv").write_text(rows, encoding="utf-8")
    assert [found.version for found in find_mementos(list_releases(tmp_path / "r"), BASE + GONE)] == [FIRST]
    assert cut_out(find_release(tmp_path / "r", FIRST), BASE + GONE)
    redact(project.model_copy(update={"releases": tmp_path / "r", "private_data": tmp_path / "private"}))
    assert find_mementos(list_releases(tmp_path / "r"), BASE + GONE) == []
    assert cut_out(find_release(tmp_path / "r", FIRST), BASE + GONE) == []


def test_originals(client: Client) -> None:
    home = str(client.base_url) + "/"
    assert read_original(home + LAW, home) == BASE + LAW
    assert read_original("statement/x", home) == ""
