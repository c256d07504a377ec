"""Time on the pages: the law on a day, addresses that moved, feed and site map from the releases."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from httpx import Client
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse
from released_project import BASE, FIRST, SECOND
from small_site import listening, small_settings

from culturegraph.protocols.law_dates import find_norms
from culturegraph.queries import read_query
from culturegraph.rdf.graphs import EDITORIAL, ONTOLOGY
from culturegraph.rdf.statements import statement_hash
from culturegraph.rdf.vocabulary import LABEL
from culturegraph.releases.folder import find_release
from culturegraph.settings import Settings
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current

QUERY = Path(__file__).parents[1] / "queries" / "pages" / "law-on-a-day.rq"
SITEMAP, ATOM = "{http://www.sitemaps.org/schemas/sitemap/0.9}", "{http://www.w3.org/2005/Atom}"
LAWS = """
PREFIX n: <https://w3id.org/culturegraph/id/norm/> PREFIX cg: <https://w3id.org/culturegraph/ontology/>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
n:old a cg:NationalNorm ; cg:dateIssued "1999-12-01"^^xsd:date ; cg:datePublished "2000-01-10"^^xsd:date .
n:new a cg:NationalNorm ; cg:datePublished "2010-05-01"^^xsd:date ; cg:dateInForce "2010-06-01"^^xsd:date ;
  cg:repeals n:old ; rdfs:label "New <law>"@en .
n:change a cg:NationalNorm ; cg:datePublished "2005-03-03"^^xsd:date ; cg:amends n:old .
n:change2 a cg:NationalNorm ; cg:amends n:old .
n:undated a cg:NationalNorm .
n:doubtful a cg:NationalNorm ; cg:dateIssued "1990-01-01"^^xsd:date .
n:change2 cg:repeals n:doubtful .
n:treaty a cg:Treaty ; cg:dateInForce "1990-01-01"^^xsd:date .
n:moved dcterms:isReplacedBy n:new .
"""
NEW_NAME = Triple(NamedNode(BASE + "id/norm/new"), LABEL, Literal("New <law>", language="en"))
OLD_NAME = Triple(NamedNode(BASE + "id/norm/law-1"), LABEL, Literal("Primera", language="es"))
CORRECTIONS = f"""
PREFIX c: <https://w3id.org/culturegraph/id/correction/> PREFIX cg: <https://w3id.org/culturegraph/ontology/>
c:one a cg:Correction ; cg:correctionOf <{BASE}id/norm/new> ; cg:statementHash "{statement_hash(NEW_NAME)}" ;
  cg:proposal "Call it newer"@en , "Llamarla más nueva"@es ; cg:receivedOn "2026-11-02" ; cg:decidedOn "2026-11-03" ;
  cg:correctionRole <{BASE}schemes/correction-roles/librarian> ; cg:correctionDecision "The gazette says new."@en ;
  cg:correctionState <{BASE}schemes/correction-states/declined> .
c:two a cg:Correction ; cg:correctionOf <{BASE}id/norm/law-1> ; cg:statementHash "{statement_hash(OLD_NAME)}" ;
  cg:proposal "Mend the name"@en ; cg:receivedOn "2026-10-20" ; cg:correctionDecision "Mended <b>."@en .
"""


@pytest.fixture(scope="module")
def laws() -> Store:
    store = Store()
    store.load(LAWS, format=RdfFormat.TURTLE)
    return store


@pytest.mark.parametrize(
    ("day", "in_force", "repealed", "later", "unknown"),
    [
        ("1980-01-01", "", "", "change doubtful new old", "change2 undated"),
        ("2000-01-09", "", "", "change new old", "change2 doubtful undated"),
        ("2000-01-10", "old", "", "change new", "change2 doubtful undated"),
        ("2010-05-31", "change old", "", "new", "change2 doubtful undated"),
        ("2010-06-01", "change new", "old", "", "change2 doubtful undated"),
    ],
)
def test_the_state_of_norms_on_a_day(
    laws: Store, day: str, in_force: str, repealed: str, later: str, unknown: str
) -> None:
    """Entry into force counts before publication, publication before the date of issue; a treaty is no norm."""
    found = find_norms(laws, read_query(QUERY), date.fromisoformat(day), "en")
    told = {
        state: " ".join(sorted((entry.norm.iri or "").rpartition("/")[2] for entry in entries))
        for state, entries in found.items()
    }
    assert told == {"in-force": in_force, "repealed": repealed, "later": later, "unknown": unknown}


def test_amendments_count_from_their_day_on(laws: Store) -> None:
    def amending(day: str) -> list[str]:
        [entry] = find_norms(laws, read_query(QUERY), date.fromisoformat(day), "en")["in-force"][:1]
        return sorted((act.norm.iri or "").rpartition("/")[2] for act in entry.amended_by)

    assert amending("2004-01-01") == ["change2"], "of which nobody knows the day"
    assert amending("2006-01-01") == ["change", "change2"]


@pytest.fixture(scope="module")
def client(project: Settings, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The second release of the project with the laws above, and the queries of the checkout."""
    folder = tmp_path_factory.mktemp("time")
    (folder / "root").mkdir()
    (folder / "root" / "queries").symlink_to(root / "queries")
    (folder / "root" / "ontology").symlink_to(project.ontology)
    release = find_release(project.releases, SECOND)
    quads = [q for line in release.lines() for q in parse(line, format=RdfFormat.N_QUADS)]
    quads += [Quad(*triple.triple, EDITORIAL) for triple in parse(LAWS + CORRECTIONS, format=RdfFormat.TURTLE)]
    assert any(quad.graph_name == ONTOLOGY for quad in quads)
    publish(folder / "store", quads, version="time-1", metadata={"built": "2026-11-20T00:00:00+00:00"}, keep=2)
    settings = small_settings(folder / "store", root=folder / "root", releases=project.releases)
    snapshot = open_current(folder / "store", in_memory=True)
    with listening(settings, snapshot) as url, Client(base_url=url) as client:
        yield client


def test_the_page_of_the_law(client: Client) -> None:
    page = client.get("/law/?on=2010-06-01", headers={"Accept": "text/html", "Accept-Language": "en"}).text
    assert "The law on a day" in page
    assert 'value="2010-06-01"' in page
    assert "New &lt;law&gt;" in page
    assert page.index('id="in-force"') < page.index('id="repealed"')
    assert '"2010-06-01"^^' in page or "&#34;2010-06-01&#34;^^" in page, "the query behind it"
    told = client.get("/law/?on=2010-06-01&format=json").json()
    [repealed] = told["norms"]["repealed"]
    assert repealed["norm"] == BASE + "id/norm/old"
    assert repealed["repealed_by"] == [{"norm": BASE + "id/norm/new", "day": "2010-06-01"}]
    early = client.get("/law/?on=1500-01-01", headers={"Accept": "text/html", "Accept-Language": "en"}).text
    assert "before the first one that the graph knows" in early
    assert client.get("/law/?on=1500-01-01&format=json").json()["norms"]["in-force"] == []
    assert client.get("/law/?format=json").json()["day"] == "2026-11-20", "the day of the data"
    assert client.get("/law").headers["location"] == "/law/"


@pytest.mark.parametrize("day", ["yesterday", "2010-02-30", "2010", "<b>"])
def test_what_is_no_day_is_refused(client: Client, day: str) -> None:
    answer = client.get("/law/", params={"on": day}, headers={"Accept": "application/problem+json"})
    assert answer.status_code == 400
    assert "is no day such as" in answer.json()["detail"]


def test_what_moved_leads_to_its_new_address(client: Client) -> None:
    for path, target in (
        ("/id/norm/moved", "/id/norm/new"),
        ("/id/norm/moved.ttl", "/id/norm/new.ttl"),
        ("/doc/norm/moved?lang=en", "/id/norm/new?lang=en"),
        ("/data/norm/moved", "/id/norm/new"),
        ("/data/norm/moved.nt", "/id/norm/new.nt"),
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (301, target), path
    followed = client.get("/id/norm/moved.nt", follow_redirects=True)
    assert (followed.status_code, followed.url.path) == (200, "/data/norm/new.nt")


HTML = {"Accept": "text/html", "Accept-Language": "en"}


def test_corrections_show_on_the_statement_and_on_the_thing(client: Client) -> None:
    page = client.get(f"/doc/statement/{statement_hash(NEW_NAME)}", headers=HTML).text
    for words in ("Requests for correction", "Call it newer", "2026-11-02", "2026-11-03", "The gazette says new."):
        assert words in page
    assert f"/correction/?about=%2Fdoc%2Fstatement%2F{statement_hash(NEW_NAME)}" in page
    asked = client.get("/correction/", params={"about": f"/doc/statement/{statement_hash(NEW_NAME)}"}, headers=HTML)
    assert "New &lt;law&gt;" in asked.text, "the message carries the statement"
    assert 'href="/id/correction/one"' in client.get("/doc/norm/new", headers=HTML).text
    other = Triple(NEW_NAME.subject, LABEL, Literal("none", language="en"))
    assert client.get(f"/doc/statement/{statement_hash(other)}").status_code == 404


def test_a_statement_that_is_said_no_more_is_gone(client: Client) -> None:
    digest = statement_hash(OLD_NAME)
    for path in (f"/statement/{digest}", f"/doc/statement/{digest}", f"/data/statement/{digest}.ttl"):
        answer = client.get(path, headers={"Accept": "application/problem+json", "Accept-Language": "en"})
        assert answer.status_code == 410, path
        told = answer.json()
        assert f"said last by release {FIRST}" in told["detail"]
        assert '"Primera"@es' in told["detail"]
        assert "Mended <b>." in told["detail"], "the reason, where a correction gives one"
        # What it says instead, and the state of the thing in that release.
        new = statement_hash(Triple(OLD_NAME.subject, LABEL, Literal("Primerísima", language="es")))
        assert {f"{BASE}statement/{new}", f"{BASE}releases/{FIRST}/id/norm/law-1"} <= set(told["near"])
    page = client.get(f"/statement/{digest}", headers=HTML).text
    assert "&lt;b&gt;" in page
    assert f'href="/releases/{FIRST}/id/norm/law-1"' in page
    assert client.get(f"/statement/{digest}/citation.bib").status_code == 410
    for none in ("0" * 64, digest[:16] + "0" * 48, digest[:-1], "zz"):
        assert client.get(f"/statement/{none}").status_code == 404


def test_an_earlier_version_of_the_ontology_is_kept_by_a_release(client: Client) -> None:
    answer = client.get("/ontology/1.0.0/dateIssued", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/releases/{FIRST}/ontology/dateIssued")
    whole = client.get("/ontology/1.0.0/", headers={"Accept": "text/turtle"}, follow_redirects=True)
    assert whole.headers["memento-datetime"] == "Thu, 01 Oct 2026 12:00:00 GMT"
    assert 'versionInfo "1.0.0"' in whole.text
    assert client.get("/ontology/2.0.0/issued", headers=HTML).headers["location"] == "/ontology/issued"
    assert client.get("/ontology/7.0.0/issued", headers=HTML).status_code == 404


def test_the_site_map_tells_what_the_releases_changed(client: Client) -> None:
    root = ET.fromstring(client.get("/sitemap.xml").content)
    changed = {
        (url.findtext(f"{SITEMAP}loc") or "").removeprefix(str(client.base_url)): url.findtext(f"{SITEMAP}lastmod")
        for url in root
    }
    assert changed[f"/releases/{FIRST}"] == "2026-10-01T12:00:00Z"
    assert changed["/doc/norm/law-1"] == "2026-11-01T12:00:00Z", "renamed in the second release"
    assert changed["/doc/norm/law-2"] == "2026-11-01T12:00:00Z", "its date has another property"
    assert changed["/law/"] is None
    assert "/doc/norm/moved" not in changed


def test_the_feed_tells_the_releases(client: Client) -> None:
    feed = ET.fromstring(client.get("/feed.atom", headers={"Accept-Language": "en"}).content)
    entries = {entry.findtext(f"{ATOM}id"): entry for entry in feed.iter(f"{ATOM}entry")}
    second = entries[f"{BASE}releases/{SECOND}"]
    assert second.findtext(f"{ATOM}updated") == "2026-11-01T12:00:00Z"
    links = {link.get("rel"): link.get("href") for link in second.iter(f"{ATOM}link")}
    assert links["related"] == f"{client.base_url}/releases/{SECOND}/diff?from={FIRST}"
    assert list(entries).index(f"{BASE}releases/{SECOND}") < list(entries).index(f"{BASE}releases/{FIRST}")
