"""MARC records in: works and people as quads, names linked where it is sure, and nothing lost of what is broken."""

from __future__ import annotations

import csv

import pytest
from harvested_site import BUILT, QUERIES, repository
from pymarc import Field, Indicators, Record, Subfield
from pyoxigraph import DefaultGraph, RdfFormat, parse

from culturegraph.cli import app
from culturegraph.errors import UsageError
from culturegraph.exports import marc as export
from culturegraph.protocols.record_linking import make_linker
from culturegraph.rdf.vocabulary import BASE
from culturegraph.settings import Settings
from culturegraph.sources.adapters.ingestion import ingest, plan_job
from culturegraph.sources.adapters.marc_files import Broken, read_marc
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current

CASES = QUERIES.parent / "tests" / "cases" / "marc"
DESCRIBED = {
    "title": "Catálogo de una biblioteca",
    "publisher": "Biblioteca",
    "url": "https://example.org/catalogo",
    "licence": "https://creativecommons.org/publicdomain/zero/1.0/",
    "retrieved": "2026-11-01",
    "kind": "secondary",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("linked")
    quads = [quad for quad in repository().records._store if quad.graph_name != DefaultGraph()]
    metadata = {"content_hash": "6" * 64, "built": BUILT.isoformat()}
    publish(folder, quads, version="marc-1", metadata=metadata, keep=2)
    return folder


@pytest.fixture(scope="module")
def linker(store):
    return make_linker(open_current(store, in_memory=True), QUERIES)


@pytest.fixture
def run(tmp_path):
    def call(*files, link=None, review=True):
        options = {"review": str(tmp_path / "review.csv")} if review else {}
        settings = Settings(root=QUERIES.parent)
        job = plan_job(settings, "marcxml", files, source="biblio", described=DESCRIBED, options=options, link=link)
        tally = ingest("marcxml", job, tmp_path / "out.nq", tmp_path / "rejects.csv")
        told = {}
        for name in ("rejects", "review") if review else ("rejects",):
            with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                told[name] = list(csv.reader(file))[1:]
        quads = list(parse(path=str(tmp_path / "out.nq"), format=RdfFormat.N_QUADS))
        return tally, quads, told

    return call


def of(quads, key):
    found = {}
    for quad in quads:
        if quad.subject.value == f"{BASE}id/{key}":
            name = quad.predicate.value.replace("#", "/").rsplit("/", 1)[-1]
            found.setdefault(name, []).append(quad.object.value.removeprefix(BASE))
    return {name: sorted(values) for name, values in found.items()}


def test_a_book_becomes_a_work(run, linker):
    _, quads, told = run(CASES / "records.xml", link=linker)
    assert of(quads, "work/biblio-lib-0001") == {
        "type": ["ontology/Work"],
        "label": ["La danza fiesta & rito"],
        "workType": ["schemes/work-types/book"],
        "creator": ["Tijeras, Rosa"],
        "about": ["id/place/pe-0101"],
        "publisher": ["Editorial Uno"],
        "issued": ["2018"],
        "isbn": ["978-612-4134-37-1"],
        "page": ["https://example.org/libro"],
        "locator": ["001 LIB 0001"],
    }
    # A people and a language have the name: which is meant is for a person to say.
    doubted = {tuple(row[:4]) for row in told["review"] if row[2] == "Awajun"}
    assert doubted == {("1", "650", "Awajun", f"{BASE}id/{key}") for key in ("people/awajun", "language/awajun")}
    label = next(quad.object for quad in quads if quad.object.value == "La danza fiesta & rito")
    assert label.language == "es"
    # What we add to what the library says is ours to answer for.
    graphs = {quad.graph_name.value.rpartition("/")[2] for quad in quads if quad.predicate.value.endswith("/about")}
    assert graphs == {"editorial"}
    assert of(quads, "work/biblio-3")["workType"] == ["schemes/work-types/sound-recording"]


def test_authorities_become_people_or_names_of_what_is_known(run, linker):
    _, quads, _ = run(CASES / "records.xml", link=linker)
    assert of(quads, "person/biblio-a9") == {
        "type": ["ontology/Person"],
        "label": ["Juan Quispe Mamani"],
        "altLabel": ["J. Quispe", "Quispe Mamani, Juan"],
        "exactMatch": ["http://viaf.org/viaf/1"],
        "locator": ["001 a9"],
    }
    assert of(quads, "people/awajun") == {"altLabel": ["Awahun", "Awajún"], "locator": ["001 a10"]}


def test_what_is_broken_is_located_and_the_rest_is_done(run, linker):
    tally, _, told = run(CASES / "records.xml", link=linker)
    reasons = {row: reason for row, column, reason, _ in told["rejects"] if not column}
    assert {row: reason.partition(":")[0] for row, reason in reasons.items()} == {
        "2": "is cut off",
        "4": "is not well-formed XML",
        "5": "has a leader that is none",
        "6": "has no control number (001) that could be part of an IRI",
        "7": "has no 245 $a",
        "8": "repeats the control number of record 3",
        "12": "is cut off",
    }
    assert ["3", "020", "is no ISBN", "rústica"] in told["rejects"]
    assert [told["rejects"][-2][0], told["rejects"][-2][1], told["rejects"][-2][3]] == ["11", "150", "Pesca"]
    assert tally.rows == 12


def test_without_a_graph_nothing_is_linked_and_doubts_are_never_lost(run):
    _, quads, _ = run(CASES / "records.xml")
    assert "about" not in of(quads, "work/biblio-lib-0001")

    def doubtful(text, kind):
        return "", [(BASE + "id/person/rosa", "Rosa", 80.0)] if kind.endswith("Person") else []

    _, quads, told = run(CASES / "records.xml", link=doubtful)
    assert ["1", "100", "Tijeras, Rosa", BASE + "id/person/rosa", "Rosa", "80.0"] in told["review"]
    assert of(quads, "work/biblio-lib-0001")["creator"] == ["Tijeras, Rosa"]
    tally, _, told = run(CASES / "records.xml", link=doubtful, review=False)
    assert any(row[2].startswith("may be something of the graph: not linked") for row in told["rejects"])
    assert tally.noted["for review"] == 2


def book(control, title, leader="00000nam a2200000 i 4500"):
    record = Record(leader=leader, force_utf8=True)
    record.add_field(Field("001", data=str(control)))
    record.add_field(Field("245", Indicators("1", "0"), [Subfield("a", title)]))
    return record.as_marc()


def number(control):
    return f"=001  {control}"


def faults(path, data):
    path.write_bytes(data)
    read = [record for _, record in read_marc(path)]
    return [one.reason.partition(" (")[0] if isinstance(one, Broken) else str(one.get("001")) for one in read]


def test_iso_2709_is_read_whatever_is_wrong_between(tmp_path):
    path, one, two, three = tmp_path / "x.mrc", book(1, "Uno"), book(2, "Dós ñandúes"), book(3, "Tres")
    assert faults(path, one + two + three) == [number(1), number(2), number(3)]
    assert faults(path, one + b"\r\n" + two + b"\n\x1a") == [number(1), number(2)]
    assert faults(path, one + two[:-20]) == [number(1), "is cut off: the file ends within it"]
    assert faults(path, one + b"garbage\x1d" + two) == [number(1), "has a leader that is none", number(2)]
    wrong = b"00999" + two[5:]
    assert faults(path, one + wrong + three) == [number(1), f"has {len(two)} bytes, its leader says 00999", number(3)]
    latin = two.replace("ó".encode(), b"\xf3").replace("ñ".encode(), b"\xf1").replace("ú".encode(), b"\xfa")
    latin = b"%05d" % len(latin) + latin[5:]
    assert faults(path, one + latin + three) == [number(1), "is not UTF-8", number(3)]
    # The leader says MARC-8, the bytes are UTF-8: common, and harmless.
    said = two[:9] + b" " + two[10:]
    assert faults(path, said) == [number(2)]
    assert faults(path, book(4, "perdi\ufffd")) == ["has lost letters"]
    base = two[:12] + b"99999" + two[17:]
    assert faults(path, base + one) == ["has a leader whose base address lies outside the record", number(1)]
    assert faults(path, b"") == []
    assert faults(path, b"\x00" * 3_000_000)[0] == "has no end within what a record may have"


def test_xml_is_read_in_pieces_of_any_size(tmp_path, monkeypatch):
    expected = faults(tmp_path / "x.xml", (CASES / "records.xml").read_bytes())
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr("culturegraph.sources.adapters.marc_files._BLOCK", size)
        assert faults(tmp_path / "x.xml", (CASES / "records.xml").read_bytes()) == expected
    evil = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><collection xmlns="http://www.loc.gov/MARC21/slim">'
    evil += b'<record><leader>00000nam a2200000 i 4500</leader><controlfield tag="001">&a;</controlfield></record>'
    assert [fault.partition(":")[0] for fault in faults(tmp_path / "x.xml", evil)] == ["is not well-formed XML"]


def test_our_own_records_come_back_to_what_they_are_of(run, tmp_path, linker):
    list(export.export(repository().records, (), tmp_path / "own.mrc", "marc", lambda _: BUILT))
    tally, quads, _ = run(tmp_path / "own.mrc", link=linker)
    assert tally.rejected_rows == 0
    subjects = {quad.subject.value for quad in quads if "/id/" in quad.subject.value}
    assert subjects == set(repository().records.entries)


def test_a_source_must_be_described(tmp_path):
    with pytest.raises(UsageError, match="marc-records"):
        plan_job(Settings(root=QUERIES.parent), "marcxml", (), source=None, described={}, options={})


def test_the_command_line_ingests(tmp_path, store, monkeypatch, root, capsys):
    monkeypatch.setenv("CULTUREGRAPH_ROOT", str(root))
    described = [part for name, value in DESCRIBED.items() for part in ("--describe", f"{name}={value}")]
    files = ["-o", str(tmp_path / "o.nq"), "--rejects", str(tmp_path / "r.csv"), "--review", str(tmp_path / "v.csv")]
    given = ["ingest", "marcxml", str(CASES / "records.xml"), "--source", "biblio", *described, *files]
    assert app([*given, "--store", str(store)], standalone_mode=False) in (0, None)
    assert "12 rows" in capsys.readouterr().err
    assert f"<{BASE}id/people/awajun>".encode() in (tmp_path / "o.nq").read_bytes()
    assert app([*given, "--store", str(tmp_path / "none")], standalone_mode=False) in (0, None)
    assert "nothing is linked" in capsys.readouterr().err
