"""Authority records: what stands in which field, and that pymarc, MARCXML and ISO 2709 say the same."""

from __future__ import annotations

import io
import json

import pytest
from harvested_site import BUILT, IDS, QUERIES, repository, schema
from lxml import etree
from pymarc import MARCReader, marcxml
from pyoxigraph import DefaultGraph, RdfFormat

from culturegraph.cli import app
from culturegraph.errors import NotFoundError, UsageError
from culturegraph.exports import marc, mixnmatch, skos_scheme
from culturegraph.exports.records import Records, clean
from culturegraph.queries import read_queries
from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.store.publishing import publish


def when(_iri):
    return BUILT


def record(key):
    (made,) = marc.make_records(repository().records, [repository().records.by_key[f"id/{key}"]], when)
    return made


def fields(key, tag):
    return [str(field) for field in record(key).get_fields(tag)]


def test_a_record_has_its_heading_names_relations_and_sources():
    assert fields("people/awajun", "001") == ["=001  id/people/awajun"]
    assert fields("people/awajun", "005") == ["=005  20261101102030.0"]
    assert fields("people/awajun", "150") == [r"=150  \\$aAwajún"]
    # A hidden name does not go out.
    assert fields("people/awajun", "450") == [r"=450  \\$aAents", r"=450  \\$aAwajún people"]
    assert fields("people/awajun", "550") == [r"=550  \\$ihabla$aawajún$0" + IDS + "language/awajun$wr"]
    assert fields("people/awajun", "551") == [r"=551  \\$ivive en$aAmazonas$0" + IDS + "place/pe-01$wr"]
    assert fields("people/awajun", "024") == [
        r"=024  7\$ahttp://www.wikidata.org/entity/Q397948$2uri",
        rf"=024  7\$a{IDS}people/awajun$2uri",
        r"=024  7\$aQ397948$2wikidata",
    ]
    assert fields("people/awajun", "670") == [
        r"=670  \\$aRegistro <de> pueblos & lenguas, Ministerio$brow 1$uhttps://example.org/registro?a=1&b=2"
    ]
    assert fields("people/awajun", "856") == [rf"=856  40$u{IDS}people/awajun$yculturegraph"]


def test_headings_follow_the_kind_and_places_are_told_apart():
    assert fields("person/rosa", "100") == [r"=100  0\$aRosa <b>Tijeras</b> & hija"]
    assert fields("work/libro", "130") == [r"=130  \0$aThe book"]
    assert fields("place/pe-0101", "151") == [r"=151  \\$aBagua (Amazonas)"]
    assert fields("place/pe-0101", "551") == [r"=551  \\$aAmazonas$0" + IDS + "place/pe-01$wg"]
    assert fields("place/pe-01", "024")[-1] == r"=024  8\$aPE01$qcódigo FIPS"


def test_008_has_forty_characters_and_fields_stand_in_order():
    for key in ("people/awajun", "person/rosa", "work/libro"):
        made = record(key)
        assert len(made["008"].data) == 40
        assert len(str(made.leader)) == 24
        assert [field.tag for field in made.fields] == sorted(field.tag for field in made.fields)


def export(form, path, kinds=()):
    (*_, written) = marc.export(repository().records, kinds, path, form, when)
    return written


def test_both_forms_say_the_same_to_pymarc(tmp_path):
    assert export("marc", tmp_path / "all.mrc") == export("marcxml", tmp_path / "all.xml") == 9
    schema("marc21slim.rng").assertValid(etree.parse(str(tmp_path / "all.xml")))
    iso = list(MARCReader((tmp_path / "all.mrc").read_bytes()))
    xml = marcxml.parse_xml_to_array(str(tmp_path / "all.xml"))
    assert [[str(field) for field in each.fields] for each in iso] == [[str(f) for f in each.fields] for each in xml]
    # Written again, they are what they were.
    assert b"".join(each.as_marc() for each in iso) == (tmp_path / "all.mrc").read_bytes()


def test_kinds_are_chosen_and_nothing_half_made_is_left(tmp_path):
    assert export("marcxml", tmp_path / "people.xml", ["people"]) == 1
    with pytest.raises(UsageError, match="there is no kind 'dancer'"):
        repository().records.check_kinds(["dancer"])
    steps = marc.export(repository().records, (), tmp_path / "broken.xml", "marcxml", lambda _: None)
    with pytest.raises(AttributeError):
        list(steps)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["people.xml"]


def test_what_iso_2709_has_no_room_for_is_left_out_and_the_rest_is_read():
    made = record("people/awajun")
    source = made["670"]
    for _ in range(30):
        made.add_field(marc.Field("670", source.indicators, [marc.Subfield("a", marc._shorten("ñ" * 20_000))]))
    data = marc.to_iso2709(made)
    assert len(data) < 100_000
    (read,) = MARCReader(io.BytesIO(data))
    assert read["150"]["a"] == "Awajún"
    assert len(read.get_fields("670")) > 5


def test_text_is_cleaned_of_what_xml_and_iso_2709_cannot_carry():
    assert clean("a\x00\x1d\x1e\x1fb\ud800\ufffe\x85\u200d\U0001f3b6 \n c") == "ab\u200d\U0001f3b6 c"


def test_mixnmatch_has_a_row_for_each_record(tmp_path):
    list(mixnmatch.export(repository().records, ["people"], tmp_path / "out.tsv"))
    lines = [line.split("\t") for line in (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()]
    assert lines == [
        ["id", "name", "desc", "url", "q"],
        ["id/people/awajun", "Awajún", "people in Amazonas", IDS + "people/awajun", "Q397948"],
    ]


def test_an_unknown_scheme_is_not_found(tmp_path):
    with pytest.raises(NotFoundError, match="there is no scheme 'x'"):
        skos_scheme.export(repository().records._store, QUERIES, "x", tmp_path / "x.ttl", RdfFormat.TURTLE)
    assert not list(tmp_path.iterdir())


def test_the_command_line_exports(tmp_path, monkeypatch, root, capsys):
    quads = [quad for quad in repository().records._store if quad.graph_name != DefaultGraph()]
    metadata = {"content_hash": "4" * 64, "built": BUILT.isoformat()}
    publish(tmp_path / "store", quads, version="marc-1", metadata=metadata, keep=2)
    monkeypatch.setenv("CULTUREGRAPH_ROOT", str(root))
    monkeypatch.setenv("CULTUREGRAPH_STORE", str(tmp_path / "store"))
    for form in ("marcxml", "marc", "mixnmatch"):
        assert app(["export", form, "-o", str(tmp_path / form)], standalone_mode=False) in (0, None)
        assert "9 records written" in capsys.readouterr().err
    assert len(list(MARCReader((tmp_path / "marc").read_bytes()))) == 9


@pytest.mark.slow
def test_the_whole_graph_goes_out_and_comes_back(built_store, tmp_path):
    """Every record of the bundled graph, valid, with a heading of its own, read by pymarc from both forms."""
    records = Records(built_store, QUERIES)
    for form in ("marcxml", "marc"):
        list(marc.export(records, (), tmp_path / form, form, when))
    schema("marc21slim.rng").assertValid(etree.parse(str(tmp_path / "marcxml"), etree.XMLParser(huge_tree=True)))
    iso = list(MARCReader((tmp_path / "marc").read_bytes()))
    xml = marcxml.parse_xml_to_array(str(tmp_path / "marcxml"))
    assert len(iso) == len(xml) == len(records.entries) > 4000
    assert None not in iso
    for one, other in zip(iso, xml, strict=True):
        assert [str(field) for field in one.fields] == [str(field) for field in other.fields]
    places = [each["151"]["a"] for each in iso if "151" in each]
    assert len(places) - len(set(places)) <= 10, sorted({name for name in places if places.count(name) > 1})


@pytest.mark.slow
def test_the_expression_types_go_out_with_every_alignment(built_store, tmp_path):
    matches = skos_scheme.export(built_store, QUERIES, "expression-types", tmp_path / "types.ttl", RdfFormat.TURTLE)
    (row,) = built_store.query(
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> SELECT (COUNT(*) AS ?n) { "
        "?c skos:inScheme <https://w3id.org/culturegraph/schemes/expression-types> ; ?p ?o "
        'FILTER(STRENDS(STR(?p), "Match") && STRSTARTS(STR(?p), STR(skos:))) }'
    )
    assert matches == int(row["n"].value) > 20
    assert json.dumps((tmp_path / "types.ttl").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_every_query_gives_the_rows_that_its_head_expects(built_store):
    for query in read_queries(QUERIES / "exports"):
        if query.kind not in ("exports", "marc"):
            continue
        rows = built_store.query(query.text, prefixes=dict(PREFIXES))
        assert sum(1 for _ in rows) >= query.head["expect"]["min"], query.path.name
