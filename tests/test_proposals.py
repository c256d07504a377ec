"""`culturegraph link`: proposals from authority files, and what a person accepted as links."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pymarc import Field, Indicators, Record, Subfield, record_to_xml

from culturegraph.errors import CulturegraphError, DataErrors, UsageError
from culturegraph.protocols.reconciliation.opening import open_reconciler
from culturegraph.worklists.proposals import accept, propose, read_authority, read_known, write_proposals

BASE = "https://w3id.org/culturegraph/"
SKOS_FILE = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<https://example.org/t/1> skos:prefLabel "Aguarunas (Indiens)"@fr ; skos:altLabel "Awajún"@es .
<https://example.org/t/2> skos:prefLabel "Apaches"@fr .
<https://example.org/t/3> skos:prefLabel "Piro"@fr .
<https://example.org/t/4> skos:prefLabel "Awajún"@es ; skos:altLabel "Wampis"@es .
"""
HEADER = "subject,match,object,authority,source,note_editorial\n"


@pytest.fixture(scope="module")
def reconciler(built, settings):
    return open_reconciler(settings)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_terms_are_proposed_judged_and_linked(reconciler, tmp_path: Path) -> None:
    terms = read_authority(str(write(tmp_path / "terms.ttl", SKOS_FILE)))
    assert [term.labels[0] for term in terms] == ["Aguarunas (Indiens)", "Apaches", "Piro", "Awajún"]
    rows = propose(terms, reconciler, ("IndigenousPeople",))
    found = {row["object_id"]: row for row in rows}
    assert found["https://example.org/t/1"]["subject_id"] == BASE + "id/people/awajun"
    assert found["https://example.org/t/1"]["predicate_id"] == "skos:exactMatch"
    assert "https://example.org/t/2" not in found
    assert found["https://example.org/t/3"]["predicate_id"] == "skos:closeMatch", "a homonym is for a person"
    assert "https://example.org/t/4" not in found, "its labels mean two things"
    assert {row["verdict"] for row in rows} == {""}, "nothing is accepted unseen"

    sheet, links = tmp_path / "proposals.tsv", write(tmp_path / "links.csv", HEADER)
    write_proposals(sheet, rows)
    assert accept(sheet, links, "example", "example-2026") == (0, 0)
    write_proposals(
        sheet, [{**row, "verdict": "accepted" if row["object_id"].endswith("1") else "rejected"} for row in rows]
    )
    assert accept(sheet, links, "example", "example-2026") == (1, 0)
    assert accept(sheet, links, "example", "example-2026") == (0, 1), "once is enough"
    with links.open(encoding="utf-8", newline="") as file:
        (link,) = csv.DictReader(file)
    assert (link["subject"], link["match"], link["authority"]) == ("id/people/awajun", "exactMatch", "example")
    again = propose(terms, reconciler, ("IndigenousPeople",), read_known(links))
    assert "https://example.org/t/1" not in {row["object_id"] for row in again}


def test_a_csv_is_an_authority_file(reconciler, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "iri,label\nhttps://example.org/1,Danza de tijeras\nhttps://example.org/1,Supay\n")
    (term,) = read_authority(str(path))
    assert term.labels == ("Danza de tijeras", "Supay")
    (row,) = propose([term], reconciler, ("Dance",))
    assert row["subject_id"].endswith("danza-de-tijeras")
    with pytest.raises(CulturegraphError, match=r"b.csv:2:iri 'x' is no web address"):
        read_authority(str(write(tmp_path / "b.csv", "iri,label\nx,y\n")))
    with pytest.raises(UsageError, match="no type 'NoSuch'"):
        propose([term], reconciler, ("NoSuch",))


def test_a_bad_verdict_adds_nothing(tmp_path: Path) -> None:
    links = write(tmp_path / "links.csv", HEADER)
    rows = [
        (BASE + "id/people/awajun", "skos:exactMatch", "https://example.org/1", "accepted"),
        (BASE + "id/people/awajun", "skos:sameish", "https://example.org/2", "accepted"),
        ("https://example.org/x", "skos:exactMatch", "https://example.org/3", "accepted"),
        (BASE + "id/people/awajun", "skos:exactMatch", "javascript:alert(1)", "accepted"),
        (BASE + "id/people/awajun", "skos:exactMatch", "https://example.org/4", "yes"),
    ]
    text = "subject_id\tpredicate_id\tobject_id\tverdict\n" + "".join("\t".join(row) + "\n" for row in rows)
    with pytest.raises(DataErrors) as told:
        accept(write(tmp_path / "p.tsv", text), links, "example", "example-2026")
    assert [(error.row, error.column) for error in told.value.errors] == [
        (3, "predicate_id"), (4, "subject_id"), (5, "object_id"), (6, "verdict"),
    ]  # fmt: skip
    assert links.read_text() == HEADER
    with pytest.raises(UsageError, match="--authority"):
        accept(tmp_path / "p.tsv", links, "Not An Id", "x")


@pytest.mark.parametrize("form", ["marc", "marcxml"])
def test_marc_authority_records_are_an_authority_file(tmp_path: Path, form: str) -> None:
    good = Record(leader="00000nz  a2200000n  4500")
    good.add_field(Field("001", data="1"))
    good.add_field(
        Field("024", Indicators("7", " "), [Subfield("a", "https://example.org/awajun"), Subfield("2", "uri")])
    )
    good.add_field(Field("150", Indicators(" ", " "), [Subfield("a", "Awajún (pueblo)")]))
    good.add_field(Field("450", Indicators(" ", " "), [Subfield("a", "Aguaruna.")]))
    bare = Record(leader="00000nz  a2200000n  4500")
    bare.add_field(Field("001", data="2"))
    bare.add_field(Field("150", Indicators(" ", " "), [Subfield("a", "Nadie")]))
    path = tmp_path / ("a.mrc" if form == "marc" else "a.xml")
    if form == "marc":
        path.write_bytes(good.as_marc() + bare.as_marc() + b"00012 broken\x1d")
    else:
        records = b"".join(record_to_xml(record, namespace=True) for record in (good, bare))
        path.write_bytes(b'<collection xmlns="http://www.loc.gov/MARC21/slim">' + records + b"</collection>")
    left_out: list[str] = []
    (term,) = read_authority(str(path), left_out)
    assert (term.iri, term.labels) == ("https://example.org/awajun", ("Awajún (pueblo)", "Aguaruna"))
    assert f"{path.name}:2 has not a web address in field 024" in left_out
    assert len(left_out) == (2 if form == "marc" else 1)
