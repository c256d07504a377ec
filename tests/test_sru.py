"""SRU: CQL, records in every schema and version, diagnostics; and a client that librarians use."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from harvested_site import BUILT, QUERIES, repository, schema
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from lxml import etree
from pyoxigraph import DefaultGraph
from small_site import listening, small_settings

from culturegraph.protocols import sru
from culturegraph.protocols.cql import Clause, Combination, DiagnosticError, parse
from culturegraph.protocols.record_search import CONTEXT_SETS, RecordSearch
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current
from culturegraph.store.text_index import TextIndex

OLD, NEW = "{http://www.loc.gov/zing/srw/}", "{http://docs.oasis-open.org/ns/search-ws/sruResponse}"
SEARCH = {"operation": "searchRetrieve", "version": "1.2"}


@pytest.fixture(scope="module")
def search():
    of = repository()
    return RecordSearch(of.records, of.sets, TextIndex.of(of.records._store))


def ask(search, **given):
    return etree.fromstring(sru.respond(search, repository(), list(given.items()), "http://example.org:8000/sru"))


def keys(search, query, **more):
    root = ask(search, **SEARCH, query=query, recordSchema="oai_dc", **more)
    assert not list(root.iter("{http://www.loc.gov/zing/srw/diagnostic/}diagnostic")), etree.tostring(root)
    assert int(root.findtext(OLD + "numberOfRecords")) >= len(list(root.iter(OLD + "recordData")))
    return [element.text.removeprefix("id/") for element in root.iter(OLD + "recordIdentifier")]


def diagnostic(root):
    (element,) = (each for each in root.iter() if str(each.tag).endswith("}diagnostic"))
    return int(element[0].text.removeprefix("info:srw/diagnostic/1/"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("awajun", ["language/awajun", "people/awajun"]),
        ("AWAJÚN", ["language/awajun", "people/awajun"]),
        ('"danza tijeras"', ["expression/danza"]),
        ('local.names adj "danza tijeras"', []),
        ('local.names adj "de tijeras"', ["expression/danza"]),
        ('dc.title == "danza de tijeras"', ["expression/danza"]),
        ('dc.title == "danza de"', []),
        ('dc.title exact "danza de tijeras"', ["expression/danza"]),
        ('dc.title cql.any "danza fiesta"', ["expression/danza", "expression/fiesta"]),
        ('dc.title all "tijeras danza"', ["expression/danza"]),
        # A beginning is found where it is asked for.
        ("danz", []),
        ("danz*", ["expression/danza"]),
        ("bath.topicalSubject = awajun", ["language/awajun", "people/awajun"]),
        ("bath.personalName = awajun", []),
        ("bath.personalName = rosa", ["person/rosa"]),
        ("bath.geographicName = bagua", ["place/pe-0101"]),
        # Hidden names find, and are not shown.
        ("aguaruna", ["people/awajun"]),
        ('rec.identifier = "id/people/awajun"', ["people/awajun"]),
        ("dc.identifier = Q397948", ["people/awajun"]),
        ('local.identifier = "http://www.wikidata.org/entity/Q397948"', ["people/awajun"]),
        ("dc.type = work", ["work/libro"]),
        ("local.set = people:awajun", ["expression/danza", "people/awajun"]),
        ("awajun and local.kind = people", ["people/awajun"]),
        ("awajun not local.kind = people", ["language/awajun"]),
        ("(fiesta or danza) and local.kind = expression", ["expression/danza", "expression/fiesta"]),
        ('> x = "info:srw/cql-context-set/1/dc-v1.1" x.title = fiesta', ["expression/fiesta"]),
        ("nothing", []),
        ('"\\"<script>\\""', []),
    ],
)
def test_cql_finds(search, query, expected):
    assert sorted(keys(search, query)) == expected


def test_all_records_are_paged(search):
    everything = keys(search, "cql.allRecords = 1")
    assert len(everything) == 9
    first = ask(search, **SEARCH, query="cql.allRecords=1", maximumRecords="4", recordSchema="rdf")
    assert first.findtext(OLD + "nextRecordPosition") == "5"
    assert keys(search, "cql.allRecords=1", startRecord="5") == everything[4:]
    assert ask(search, **SEARCH, query="cql.allRecords=1", maximumRecords="0").find(OLD + "records") is None


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({"operation": "scan"}, 4),
        ({"version": "3.0"}, 5),
        ({"maximumRecords": "many"}, 6),
        ({"maximumRecords": "-1"}, 6),
        ({"startRecord": "0"}, 6),
        ({"startRecord": "²"}, 6),
        ({"startRecord": "9999"}, 61),
        ({"query": ""}, 27),
        ({"query": '""'}, 27),
        ({"colour": "red"}, 8),
        ({"query": "a and"}, 10),
        ({"query": "(a"}, 10),
        ({"query": 'a "b'}, 10),
        ({"query": "a b"}, 10),
        ({"query": "a = "}, 10),
        ({"query": "=="}, 10),
        ({"query": "(" * 60 + "a" + ")" * 60}, 48),
        ({"query": "a" * 5000}, 48),
        ({"query": "foo.title = a"}, 15),
        ({"query": '> x="http://example.org/" x.title = a'}, 15),
        ({"query": "dc.colour = a"}, 16),
        ({"query": "dc.title < a"}, 19),
        ({"query": "dc.title =/stem a"}, 20),
        ({"query": "dc.title = *a"}, 31),
        ({"query": "a prox b"}, 39),
        ({"query": "a and/rel.x b"}, 46),
        ({"query": "a sortby dc.title"}, 80),
        ({"recordSchema": "mods"}, 66),
        ({"recordPacking": "zip"}, 71),
        ({"sortKeys": "title"}, 80),
        ({"stylesheet": "/x.xsl"}, 110),
    ],
)
def test_every_fault_has_its_diagnostic(search, given, number):
    assert diagnostic(ask(search, **(SEARCH | {"query": "awajun"} | given))) == number


def test_a_query_is_needed(search):
    assert diagnostic(ask(search, **SEARCH)) == 7


@pytest.mark.parametrize("schema_name", ["marcxml", "info:srw/schema/1/marcxml-v1.1", None])
def test_marcxml_is_the_schema_of_choice(search, schema_name):
    more = {"recordSchema": schema_name} if schema_name else {}
    root = ask(search, **SEARCH, query="awajun", **more)
    found = list(root.iter("{http://www.loc.gov/MARC21/slim}record"))
    assert len(found) == 2
    for record in found:
        schema("marc21slim.rng").assertValid(record)


def test_a_record_may_be_packed_as_a_string(search):
    root = ask(search, **SEARCH, query="rosa", recordPacking="string")
    (data,) = root.iter(OLD + "recordData")
    assert etree.fromstring(data.text).tag == "{http://www.loc.gov/MARC21/slim}record"


def test_version_two_needs_neither_version_nor_operation(search):
    assert ask(search, query="awajun").findtext(NEW + "numberOfRecords") == "2"
    explained = ask(search)
    assert explained.tag == NEW + "explainResponse"
    names = {element.get("set") for element in explained.iter("{http://explain.z3950.org/dtd/2.0/}name")}
    assert names == set(CONTEXT_SETS)
    assert ask(search, operation="explain", version="1.1").findtext(OLD + "version") == "1.1"


def test_booleans_bind_from_the_left():
    query, _ = parse('a and b or dc.title = "c \\" d"')
    title = Clause("dc.title", "=", 'c " d')
    pair = Combination("and", Clause("cql.serverchoice", "=", "a"), Clause("cql.serverchoice", "=", "b"))
    assert query == Combination("or", pair, title)


@settings_of(max_examples=200)
@given(st.text(alphabet='ab"\\()=<>/. \nandor*ñ', max_size=30))
def test_any_text_is_a_query_or_a_diagnostic(text):
    try:
        parse(text)
    except DiagnosticError as error:
        assert error.number in {10, 27, 39, 46, 48, 80}


@pytest.mark.slow
def test_yaz_client_searches_and_shows(tmp_path):
    client = shutil.which("yaz-client")
    if client is None:
        pytest.skip("yaz-client (Debian package yaz) is not installed")
    quads = [quad for quad in repository().records._store if quad.graph_name != DefaultGraph()]
    metadata = {"content_hash": "5" * 64, "built": BUILT.isoformat()}
    publish(tmp_path / "store", quads, version="sru-1", metadata=metadata, keep=2)
    snapshot = open_current(tmp_path / "store", in_memory=True)
    with listening(small_settings(tmp_path / "store", root=QUERIES.parent), snapshot) as address:
        for version in ("1.1", "1.2", "2.0"):
            asked = ["querytype cql", "find local.names=awajun", "show 1+2", "find dc.title=/x a", "quit"]
            script = "\n".join([f"sru get {version}", f"open {address}/sru", *asked, ""])
            run = subprocess.run([client], input=script, capture_output=True, text=True, timeout=60, check=True)
            assert "Number of hits: 2" in run.stdout, run.stdout
            assert '<controlfield tag="001">id/people/awajun</controlfield>' in run.stdout
            assert "diagnostic/1/20" in run.stdout or "20" in run.stdout.split("show")[-1]
