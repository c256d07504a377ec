"""OAI-PMH: verbs, errors, tokens, datestamps; and the whole graph harvested over HTTP."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from harvested_site import AWAJUN, BUILT, IDS, NOW, QUERIES, Sickle, ask, code, merged, repository, told, with_deleted
from httpx import Client
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph
from small_site import listening, small_settings

from culturegraph.protocols import harvesting
from culturegraph.protocols.harvesting import Repository
from culturegraph.protocols.record_changes import read_changes
from culturegraph.protocols.resumption import Position, read_token, write_token
from culturegraph.releases.folder import list_releases
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current

LIST = "verb=ListIdentifiers&metadataPrefix=oai_dc"


def test_a_repository_identifies_itself():
    root = ask("verb=Identify")
    assert told(root, "earliestDatestamp") == ["2026-11-01T10:20:30Z"]
    assert told(root, "adminEmail") == ["postmaster@example.org"]
    assert told(root, "deletedRecord") == ["transient"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "badVerb"),
        ("verb=", "badVerb"),
        ("verb=Harvest", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&until=2026", "badArgument"),
        ("verb=GetRecord", "badArgument"),
        (f"verb=GetRecord&identifier={AWAJUN}", "badArgument"),
        (f"verb=GetRecord&identifier={AWAJUN}&metadataPrefix=mods", "cannotDisseminateFormat"),
        (
            "verb=GetRecord&identifier=oai:w3id.org:culturegraph/id/work/libro&metadataPrefix=edm",
            "cannotDisseminateFormat",
        ),
        ("verb=GetRecord&identifier=nothing&metadataPrefix=oai_dc", "idDoesNotExist"),
        (f"verb=GetRecord&identifier={AWAJUN}x&metadataPrefix=oai_dc", "idDoesNotExist"),
        ("verb=GetRecord&identifier=oai:w3id.org:culturegraph/id/practice/one&metadataPrefix=oai_dc", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=\x00", "idDoesNotExist"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=mods", "cannotDisseminateFormat"),
        (LIST + "&metadataPrefix=oai_dc", "badArgument"),
        (LIST + "&set=", "badArgument"),
        (LIST + "&set=nothing", "noRecordsMatch"),
        (LIST + "&from=yesterday", "badArgument"),
        (LIST + "&from=2026-13-01", "badArgument"),
        (LIST + "&from=2026-02-30", "badArgument"),
        (LIST + "&from=2026-01-01T00:00:00", "badArgument"),
        (LIST + "&from=2026-01-01&until=2026-01-01T00:00:00Z", "badArgument"),
        (LIST + "&from=2026-01-02&until=2026-01-01", "badArgument"),
        (LIST + "&until=1999-01-01", "noRecordsMatch"),
        (LIST + "&from=2026-11-02", "noRecordsMatch"),
        (LIST + "&resumptionToken=x", "badArgument"),
        ("verb=ListIdentifiers&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=" + "A" * 5000, "badResumptionToken"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
    ],
)
def test_every_fault_has_the_code_of_the_protocol(query, expected):
    assert code(query) == expected


def test_dates_are_inclusive_at_both_ends_and_in_both_granularities():
    for query in (
        "&from=2026-11-01&until=2026-11-01",
        "&from=2026-11-01T10:20:30Z&until=2026-11-01T10:20:30Z",
        "&until=9999-12-31",
    ):
        assert len(told(ask(LIST + query), "identifier")) == len(repository().items)
    assert code(LIST + "&from=2026-11-01T10:20:31Z") == "noRecordsMatch"


def test_what_is_a_record_and_in_which_sets():
    keys = [name.removeprefix("oai:w3id.org:culturegraph/") for name in told(ask(LIST), "identifier")]
    # Neither what has no name nor what only relates two things.
    expected = "expression/danza expression/fiesta language/awajun people/awajun person/rosa place/pe place/pe-01"
    assert keys == [f"id/{key}" for key in [*expected.split(), "place/pe-0101", "work/libro"]]
    assert told(ask(LIST + "&set=people:awajun"), "identifier") == [
        "oai:w3id.org:culturegraph/id/expression/danza",
        AWAJUN,
    ]
    assert set(told(ask("verb=ListSets"), "setSpec")) >= {"kind:people", "department:pe-01", "people:awajun", "kind"}
    assert told(ask(f"verb=GetRecord&identifier={AWAJUN}&metadataPrefix=rdf"), "setSpec") == [
        "department:pe-01",
        "kind:people",
        "people:awajun",
    ]


@pytest.mark.parametrize("form", harvesting.FORMATS)
def test_every_format_of_every_record_is_xml_whatever_its_texts_have(form):
    root = ask(f"verb=ListRecords&metadataPrefix={form}")
    # What XML forbids is left out, or stands as U+FFFD.
    text = " ".join("".join(root.itertext()).replace("\ufffd", "").split())
    assert "<b>Tijeras</b> & hija" in text
    assert len(told(root, "identifier")) == sum(
        map(harvesting.FORMATS[form].has, repository().records.entries.values())
    )
    if form != "rdf":
        # A name that is hidden is nobody's to harvest; in RDF it is marked as what it is.
        assert "Aguaruna" not in text


def test_a_list_is_resumed_without_memory_and_over_a_new_release(monkeypatch):
    monkeypatch.setattr(harvesting, "PAGE_OF_HEADERS", 3)
    root, seen, pages = ask(LIST), [], 0
    while True:
        seen += told(root, "identifier")
        pages += 1
        (token,) = told(root, "resumptionToken")
        if not token:
            break
        # A repository made anew: nothing is remembered but the token.
        root = ask(f"verb=ListIdentifiers&resumptionToken={token}", Repository(**vars_of(repository())))
    assert pages == 3
    assert seen == told(ask(LIST), "identifier") + seen[3:]
    assert len(seen) == len(set(seen)) == 9
    (first,) = told(ask(LIST), "resumptionToken")
    # A record that came in between and stands before the token is not told, one that stands behind it is.
    later = with_deleted(zoe=NOW, ana=NOW)
    rest = told(ask(f"verb=ListIdentifiers&resumptionToken={first}", later), "identifier")
    assert rest[0] > seen[2]


def vars_of(of):
    return {name: getattr(of, name) for name in ("records", "sets", "changes", "name", "contact")}


def test_a_token_of_what_is_no_more_is_told_as_such():
    gone = Position("oai_dc", "people:nobody", "", "", "id/a", 3)
    assert code(f"verb=ListRecords&resumptionToken={write_token(gone)}") == "badResumptionToken"
    end = Position("oai_dc", "", "", "", "id/zzz", 3)
    assert code(f"verb=ListRecords&resumptionToken={write_token(end)}") == "badResumptionToken"


@settings_of(max_examples=50)
@given(st.tuples(*[st.text(max_size=20)] * 5), st.integers(0, 10**9))
def test_a_token_says_what_was_written(texts, cursor):
    position = Position(*texts, cursor)
    token = write_token(position)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert read_token(token) == position
    assert read_token(token[:-1]) is None
    assert read_token(token.swapcase()) is None or token.swapcase() == token


@given(st.text(max_size=60))
def test_what_is_no_token_is_none(text):
    assert read_token(text) is None


def test_deleted_records_have_a_header_and_nothing_else():
    since = BUILT + timedelta(days=3)
    of = with_deleted(gone=since)
    root = ask("verb=ListRecords&metadataPrefix=marcxml&from=2026-11-02", of)
    assert told(root, "identifier") == ["oai:w3id.org:culturegraph/id/person/gone"]
    assert [header.get("status") for header in root.iter(f"{{{harvesting.OAI}}}header")] == ["deleted"]
    assert not told(root, "metadata")
    gone = "verb={}&identifier=oai:w3id.org:culturegraph/id/person/gone"
    assert told(ask(gone.format("GetRecord") + "&metadataPrefix=edm", of), "datestamp") == ["2026-11-04T10:20:30Z"]
    assert code(gone.format("ListMetadataFormats"), of) == "noMetadataFormats"
    # Which sets it was in is not known any more: every harvester hears of it.
    assert told(ask(LIST + "&set=kind:work&from=2026-11-02", of), "identifier")


def _release(folder, version, when, quads):
    path = folder / version
    path.mkdir()
    lines = "".join(sorted(f"{quad} .\n" for quad in quads if quad.graph_name != DefaultGraph()))
    with gzip.open(path / f"culturegraph-{version}.nq.gz", "wb") as file:
        file.write(lines.encode())
    told = {"version": version, "built": when.isoformat(), "files": {}}
    (path / "manifest.json").write_text(json.dumps(told), encoding="utf-8")


def test_datestamps_and_deletions_come_from_the_releases(tmp_path):
    """A record is as old as the release that last changed it; what releases had and the build has not is deleted."""
    store = repository().records._store
    quads = [quad for quad in store if quad.graph_name != DefaultGraph()]
    days = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3)]
    dance, awajun = IDS + "expression/danza", IDS + "people/awajun"
    without_dance = [quad for quad in quads if str(quad.subject) != f"<{dance}>"]
    other_awajun = [quad for quad in quads if not (str(quad.subject) == f"<{awajun}>" and "Aents" in str(quad.object))]
    _release(tmp_path, "2026.01.0", days[0], without_dance)
    _release(tmp_path, "2026.02.0", days[1], other_awajun)
    _release(tmp_path, "2026.03.0", days[2], quads)
    releases = list_releases(tmp_path)
    changes = read_changes(store, repository().records.entries, BUILT, releases)
    assert changes.when(IDS + "work/libro") == days[0]
    assert changes.when(dance) == days[1]
    assert changes.when(awajun) == days[2]
    assert changes.deleted == {}
    assert changes.earliest == days[0]
    rest = merged([quad for quad in other_awajun if str(quad.subject) != f"<{dance}>"])
    entries = [iri for iri in repository().records.entries if iri != dance]
    later = read_changes(rest, entries, BUILT, releases)
    # Deleted, and changed, since the build: no release has it so.
    assert later.deleted == {dance: BUILT}
    assert later.when(awajun) == BUILT
    assert later.when(IDS + "work/libro") == days[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("harvested")
    quads = [quad for quad in repository().records._store if quad.graph_name != DefaultGraph()]
    built = {"content_hash": "3" * 64, "built": BUILT.isoformat()}
    publish(folder / "store", quads, version="harvest-1", metadata=built, keep=2)
    settings = small_settings(folder / "store", root=QUERIES.parent, releases=folder / "releases")
    with listening(settings, open_current(folder / "store", in_memory=True)) as address:
        yield address


def test_it_is_served_by_get_and_by_post(site):
    with Client(base_url=site, timeout=30) as client:
        got = client.get("/oai", params={"verb": "Identify"})
        posted = client.post("/oai", data={"verb": "Identify"})
        assert got.headers["content-type"] == "text/xml; charset=utf-8"
        assert b"<Identify>" in got.content
        assert b"<Identify>" in posted.content
        assert f"<baseURL>{site}/oai</baseURL>".encode() in got.content
        assert b'code="badVerb"' in client.get("/oai").content
        assert client.post("/oai", content=b"{}", headers={"content-type": "application/json"}).status_code == 400
        assert client.post("/oai", data={"verb": "x" * 200_000}).status_code == 400
        assert b'code="badArgument"' in client.get("/oai?verb=Identify&%00=%ff").content


def test_sickle_harvests_it(site):
    sickle = Sickle(site + "/oai")
    assert len(list(sickle.ListRecords(metadataPrefix="oai_dc"))) == 9
    assert {each.setSpec for each in sickle.ListSets()} >= {"kind:person"}
    assert sickle.GetRecord(identifier=AWAJUN, metadataPrefix="oai_dc").metadata["relation"]


COUNTS = {
    "kind:people": "?record a cg:IndigenousPeople",
    "kind:person": "?record a cg:Person",
    "kind:expression": "?record a cg:CulturalExpression",
    "kind:language": "?record a cg:Language",
    "kind:genre": "?record skos:inScheme <https://w3id.org/culturegraph/schemes/expression-types>",
}
PREFIX = "PREFIX cg: <https://w3id.org/culturegraph/ontology/>\nPREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n"
PREFIX += "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>\n"


@pytest.mark.slow
def test_the_whole_graph_is_harvested_with_the_counts_of_sparql(built, settings, tmp_path):
    """Every set by ListIdentifiers, every format whole by ListRecords, beside counts that no query of ours makes."""
    snapshot = open_current(settings.store, in_memory=True)
    with listening(settings.model_copy(update={"releases": tmp_path}), snapshot) as address:
        sickle = Sickle(address + "/oai", max_retries=0)
        sets = {
            each.setSpec: {
                header.identifier for header in sickle.ListIdentifiers(metadataPrefix="oai_dc", set=each.setSpec)
            }
            for each in sickle.ListSets()
        }
        whole = {
            form: [r.header.identifier for r in sickle.ListRecords(metadataPrefix=form)]
            for form in ("oai_dc", "marcxml")
        }
    everything = set(whole["oai_dc"])
    assert len(whole["oai_dc"]) == len(everything) == len(whole["marcxml"]) == len(sets["kind"]) > 4000
    assert sum(len(members) for spec, members in sets.items() if spec.startswith("kind:")) == len(everything)
    for spec, pattern in COUNTS.items():
        (row,) = snapshot.store.query(
            f"{PREFIX}SELECT (COUNT(DISTINCT ?record) AS ?n) {{ {pattern} ; rdfs:label ?name }}"
        )
        assert len(sets[spec]) == int(row["n"].value) > 0, spec
    select = "SELECT ?people (COUNT(DISTINCT ?thing) AS ?n)"
    pattern = "{ ?thing cg:belongsToPeople ?people ; a cg:LocalCommunity } GROUP BY ?people"
    for row in snapshot.store.query(f"{PREFIX}{select} {pattern}"):
        members = sets["people:" + row["people"].value.rpartition("/")[2]]
        assert sum("/id/community/" in key for key in members) == int(row["n"].value)
