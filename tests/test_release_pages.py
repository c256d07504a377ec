"""Pages, changes and files of releases, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from pyoxigraph import DefaultGraph, Literal, NamedNode, RdfFormat, Store, Triple, parse
from released_project import FIRST, SECOND
from small_site import listening, publish_small, small_quads, small_settings

from culturegraph.protocols.disagreements import find_disagreements
from culturegraph.rdf.statements import statement_hash
from culturegraph.releases.folder import find_release
from culturegraph.releases.statements import first_release
from culturegraph.settings import Settings

ES = {"Accept": "text/html", "Accept-Language": "es"}


@pytest.fixture(scope="module")
def releases(project: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(project.releases, tmp_path_factory.mktemp("web") / "releases"))


@pytest.fixture(scope="module")
def client(project: Settings, releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    store = tmp_path_factory.mktemp("store")
    snapshot = publish_small(store)
    with (
        listening(small_settings(store, root=project.root, releases=releases), snapshot) as url,
        Client(base_url=url) as client,
    ):
        yield client


def test_the_list_and_a_release(client: Client) -> None:
    page = client.get("/releases/", headers=ES)
    assert page.status_code == 200
    assert page.text.index(SECOND) < page.text.index(FIRST)
    assert [row["version"] for row in client.get("/releases/?format=json").json()] == [SECOND, FIRST]
    release = client.get(f"/releases/{SECOND}", headers=ES)
    assert f'href="/dumps/{SECOND}/culturegraph-{SECOND}.nq.gz"' in release.text
    assert f"/releases/{SECOND}/diff?from={FIRST}" in release.text
    turtle = client.get(f"/releases/{SECOND}", headers={"Accept": "text/turtle"})
    assert turtle.headers["content-type"].startswith("text/turtle")
    assert "spdx:checksumValue" in turtle.text


def test_what_changed_by_source_and_by_thing(client: Client) -> None:
    page = client.get(f"/releases/{SECOND}/diff", headers=ES)
    assert page.status_code == 200
    assert "/graph/source/a" in page.text
    about = "https://w3id.org/culturegraph/id/norm/law-1"
    detail = client.get(f"/releases/{SECOND}/diff", params={"from": FIRST, "about": about}, headers=ES).text
    assert "Primerísima" in detail
    assert client.get(f"/releases/{SECOND}/diff?format=json").json()["added"] > 0
    assert client.get(f"/releases/{SECOND}/diff?format=patch").text.startswith("TX .\n")
    same = client.get(f"/releases/{SECOND}/diff?from={SECOND}", headers=ES)
    assert "dicen lo mismo" in same.text
    assert client.get(f"/releases/{FIRST}/diff").status_code == 404


def test_what_changed_in_the_ontology(client: Client) -> None:
    page = client.get(f"/releases/{SECOND}/diff", headers={**ES, "Accept-Language": "en"}).text
    assert "Ontology: 1.0.0 → 2.0.0" in page
    assert "Terms or axioms are gone" in page
    assert f'href="/releases/{FIRST}/ontology/dateIssued"' in page, "what it was"
    assert "rdfs:domain cg:NationalNorm" in page
    assert "dateIssued is called issued" in page
    assert "INSERT { GRAPH ?graph" in page
    assert "structures without a name" in page
    assert client.get(f"/releases/{SECOND}/diff?format=json").json()["ontology"]["level"] == "major"
    same = client.get(f"/releases/{SECOND}/diff?from={SECOND}", headers=ES).text
    assert "2.0.0 → 2.0.0" not in same
    # No update leads back to what is older.
    assert "INSERT {" not in client.get(f"/releases/{FIRST}/diff?from={SECOND}", headers=ES).text


def test_changes_as_trig_name_their_graphs(client: Client) -> None:
    trig = client.get(f"/releases/{SECOND}/diff?format=trig")
    assert trig.headers["content-type"].startswith("application/trig")
    quads = list(parse(trig.content, format=RdfFormat.TRIG))
    law = NamedNode("https://w3id.org/culturegraph/id/norm/law-1")
    graphs = {quad.object.value: quad.graph_name.value for quad in quads if quad.subject == law}
    assert graphs["Primerísima"] == "urn:x-culturegraph:added:graph/source/a"
    assert graphs["Primera"] == "urn:x-culturegraph:removed:graph/source/a"
    told = {(quad.subject.value, quad.object.value) for quad in quads if quad.graph_name == DefaultGraph()}
    assert ("urn:x-culturegraph:added:graph/source/a", "https://w3id.org/culturegraph/graph/source/a") in told


def test_files_come_whole_in_parts_and_with_their_digest(client: Client, releases: Path) -> None:
    name = f"culturegraph-{SECOND}.nq.gz"
    whole = client.get(f"/releases/{SECOND}/{name}", follow_redirects=True)
    assert whole.request.url.path == f"/dumps/{SECOND}/{name}"
    assert hashlib.sha256(whole.content).hexdigest() == find_release(releases, SECOND).files[name]["sha256"]
    assert whole.headers["repr-digest"].startswith("sha-256=:")
    part = client.get(f"/dumps/{SECOND}/{name}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    tag = whole.headers["etag"]
    assert client.get(f"/dumps/{SECOND}/{name}", headers={"If-None-Match": tag}).status_code == 304
    assert client.head(f"/dumps/{SECOND}/{name}").headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize(
    "path",
    [
        "/releases/2025.01.0",
        "/releases/../../etc",
        "/dumps/2026.11.0/../manifest.json",
        "/dumps/..%2f..%2fetc/passwd",
        f"/dumps/{SECOND}/..%2f{FIRST}%2fmanifest.json",
        f"/dumps/{SECOND}/nothing.nq",
        f"/releases/{SECOND}/citation.doc",
        f"/releases/{SECOND}/diff?from=1",
    ],
)
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_citations(client: Client) -> None:
    item = json.loads(client.get(f"/releases/{SECOND}/citation.csl").text)[0]
    assert (item["version"], item["issued"]) == (SECOND, {"date-parts": [[2026, 11, 1]]})
    assert client.get(f"/releases/{SECOND}/citation.bib").text.startswith("@dataset{culturegraph-2026-11-0,")
    assert client.get(f"/releases/{SECOND}/citation.ris").text.startswith("TY  - DATA\r\n")
    assert f"(version {SECOND})" in client.get(f"/releases/{SECOND}/citation.txt").text


def test_a_tampered_file_is_not_sent(client: Client, releases: Path) -> None:
    file = releases / FIRST / "CHANGES.md"
    file.write_text("something else", encoding="utf-8")
    answer = client.get(f"/dumps/{FIRST}/CHANGES.md")
    assert answer.status_code == 500
    assert "not as it was released" in answer.text


# Statements


def statement_of(releases: Path, words: bytes) -> str:
    line = next(line for line in find_release(releases, SECOND).lines() if words in line and b"graph/source/" in line)
    return hashlib.sha256(line[: line.rindex(b" <")] + b" .\n").hexdigest()


def test_since_which_release_a_statement_is_said(releases: Path) -> None:
    new, old = statement_of(releases, "Primerísima".encode()), statement_of(releases, b'"Segunda"')
    assert first_release(releases, new).version == SECOND  # type: ignore[union-attr]
    assert first_release(releases, old).version == FIRST  # type: ignore[union-attr]
    assert first_release(releases, "0" * 64) is None


def test_a_statement_is_cited_in_every_form(client: Client) -> None:
    triple = next(quad.triple for quad in small_quads() if str(quad.predicate).endswith("label>"))
    digest = statement_hash(triple)
    page = client.get(f"/doc/statement/{digest}", headers=ES).text
    assert f"/statement/{digest}/citation.bib" in page
    assert "Todavía no está en ninguna versión publicada" in page
    assert "/correction/?about=" in page
    item = json.loads(client.get(f"/statement/{digest}/citation.csl").text)[0]
    assert (item["version"], item["URL"]) == ("small-1", f"https://w3id.org/culturegraph/statement/{digest}")
    assert client.get(f"/statement/{digest}/citation.bib").text.count("{") == client.get(
        f"/statement/{digest}/citation.bib"
    ).text.count("}")
    assert client.get(f"/statement/{digest}/citation.pdf").status_code == 404
    assert client.get(f"/statement/{'0' * 64}/citation.bib").status_code == 404


def test_other_sources_that_say_otherwise_are_shown() -> None:
    text = """
    PREFIX e: <https://w3id.org/culturegraph/id/event/> PREFIX cg: <https://w3id.org/culturegraph/ontology/>
    PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX g: <https://w3id.org/culturegraph/graph/source/>
    g:a { e:x cg:founded "1990" ; cg:name "one" } g:b { e:x cg:founded "1991" ; cg:name "two" }
    { e:x cg:founded "1990", "1991" ; cg:name "one", "two" }
    <https://w3id.org/culturegraph/graph/validation> { <urn:r> sh:focusNode e:x ; sh:resultPath cg:founded ;
      sh:sourceShape <https://w3id.org/culturegraph/shapes/Disagreement-founded> }
    """
    store = Store()
    store.load(text, format=RdfFormat.TRIG)
    event, cg = NamedNode("https://w3id.org/culturegraph/id/event/x"), "https://w3id.org/culturegraph/ontology/"
    founded = Triple(event, NamedNode(cg + "founded"), Literal("1990"))
    [other] = find_disagreements(store, founded, "en")
    assert (other.value.name.text, len(other.sources)) == ("1991", 1)
    # Two names are no disagreement: no shape says that there is one only.
    assert find_disagreements(store, Triple(event, NamedNode(cg + "name"), Literal("one")), "en") == []
