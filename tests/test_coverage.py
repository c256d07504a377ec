"""What the graph covers: the queries of `queries/pages/coverage-*.rq`, on made-up data whose figures are known."""

from __future__ import annotations

import pytest
from pyoxigraph import RdfFormat, parse

from culturegraph.coverage import cover, whole_store
from culturegraph.errors import DataErrors
from culturegraph.protocols.coverage import Section, read_section
from culturegraph.queries import read_queries
from culturegraph.settings import Settings

DATA = """
@prefix cg: <https://w3id.org/culturegraph/ontology/> .
@prefix x: <https://w3id.org/culturegraph/id/x/> .
@prefix p: <https://w3id.org/culturegraph/id/place/> .
@prefix g: <https://w3id.org/culturegraph/graph/> .
@prefix s: <https://w3id.org/culturegraph/graph/source/> .
@prefix l: <https://w3id.org/culturegraph/graph/links/> .
@prefix k: <https://w3id.org/culturegraph/schemes/source-kinds/> .
@prefix m: <https://w3id.org/culturegraph/schemes/measures/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
s:editorial {
  s:a a cg:SourceGraph ; cg:sourceKind k:primary . s:b a cg:SourceGraph ; cg:sourceKind k:secondary .
  s:editorial a cg:SourceGraph ; cg:sourceKind k:editorial .
  x:dance rdfs:label "dance"@en .
  x:gap a cg:KnownGap ; cg:gapAbout x:member ; cg:gapProperty cg:startDate .
}
s:a {
  x:dance a cg:CulturalExpression ; rdfs:label "danza"@es ; cg:founded "1900" ; cg:locator "p. 1" ;
    cg:locatedWithin p:pe-22 .
  p:pe-22 a cg:Department ; rdfs:label "San Martín"@es .
  p:pe-01 a cg:Department ; rdfs:label "Amazonas"@es .
  x:people a cg:IndigenousPeople ; rdfs:label "Awajún"@es ; cg:practises x:dance ; cg:livesIn p:pe-22 .
  x:iber a cg:CooperationProgramme ; rdfs:label "Iber"@es ; cg:supports x:project .
  x:project cg:startDate "2019-05" .
  x:member cg:memberOfProgramme x:iber ; cg:member <https://w3id.org/culturegraph/id/state/per> ; cg:attested "2012" .
  x:paid a cg:Contribution ; cg:recipient x:iber ; cg:amount 75000.5 ; cg:currency "USD" ; cg:period "2012" .
  x:declared a cg:HeritageDeclaration , cg:Recognition ; cg:recognises x:dance ; cg:grantedByNorm x:norm .
  x:norm cg:number "RVM 1" .
  x:undated a cg:HeritageDeclaration , cg:Recognition ; cg:recognises x:people .
  x:total cg:measure m:declared-expressions ; cg:observedFor p:pe ; cg:value 321 ; cg:period "2020-12" .
  x:older cg:measure m:declared-expressions ; cg:observedFor p:pe ; cg:value 9999 ; cg:period "2012" .
}
s:b { x:dance a cg:CulturalExpression ; cg:founded "1901" . }
l:wikidata { x:people skos:exactMatch <http://www.wikidata.org/entity/Q1> . }
g:inferred { x:dance a cg:Thing . }
"""


@pytest.fixture(scope="module")
def sections(root):
    store = whole_store(parse(input=DATA, format=RdfFormat.TRIG))
    queries = [query for query in read_queries(root / "queries/pages") if query.id.startswith("coverage-")]
    return {query.id.removeprefix("coverage-"): read_section(store, query) for query in queries}


EXPECTED = {
    "source-kinds": [
        ("primary", 41, 1),
        ("editorial", 10, 1),
        ("secondary", 2, 1),
        ("inferred", 1, 1),
        ("links", 1, 1),
    ],
    "labels": [("es", 5, 0), ("en", 0, 1)],
    "links": [("wikidata", "exactMatch", 1, 1)],
    "single-source": [(1, 40), (2, 1)],
    "gaps": [("cg:startDate", 1, 1)],
    "departments": [("id/place/pe-01", "Amazonas", 0, 0, 0, 0), ("id/place/pe-22", "San Martín", 1, 1, 1, 0)],
    "peoples": [("id/x/people", "Awajún", 1, 0, 1, 0, 1)],
    "cooperation": [("id/x/iber", "Iber", 1, "", "2012", 1)],
    "cooperation-years": [("id/x/iber", "2012", "USD", 75000.5, 1, 0), ("id/x/iber", "2019", "", "", 0, 1)],
    "declared-heritage": [(2, 1, 2, 321, "2020-12")],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_figures_of_known_data(sections, name):
    assert [tuple(row) for row in sections[name].rows] == EXPECTED[name]


def test_disagreements_are_counted_by_property(sections):
    rows = dict(map(tuple, sections["disagreements"].rows))
    assert rows["cg:founded"] == 1
    assert rows["cg:date"] == 0


def test_entities_are_counted_by_class(sections):
    counts = {row[0]: row[2] for row in sections["classes"].rows}
    # Twice asserted, once inferred of another class.
    assert (counts["cg:CulturalExpression"], counts["cg:Thing"], counts["cg:HeritageDeclaration"]) == (1, 1, 2)


def test_the_total_of_the_register_is_unknown_where_no_source_gives_it(root):
    query = next(q for q in read_queries(root / "queries/pages") if q.id == "coverage-declared-heritage")
    assert [tuple(row) for row in read_section(whole_store([]), query).rows] == [(0, 0, 0, "unknown", "unknown")]


def test_the_bundled_graph_is_covered(root):
    sections = cover(Settings(root=root))
    assert [section.id for section in sections][:2] == ["coverage-source-kinds", "coverage-classes"]
    assert len(sections) >= 12
    assert all(section.rows for section in sections)
    departments = next(section for section in sections if section.id == "coverage-departments")
    assert len(departments.rows) == 24


def test_a_faulty_coverage_query_is_told(root, tmp_path):
    for name in ("data", "ontology", "shapes"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "queries/pages").mkdir(parents=True)
    text = "#+ title: {es: x, en: y}\nSELECT * { ?s }\n"
    (tmp_path / "queries/pages/coverage-x.rq").write_text(text, encoding="utf-8")
    with pytest.raises(DataErrors, match=r"coverage-x\.rq:2:15"):
        cover(Settings(root=tmp_path))


def test_a_section_as_text_and_json():
    section = Section("coverage-x", "X", ["what", "number"], [["a", 1200], ["longer", 7]])
    assert section.to_text() == ["what    number", "a        1,200", "longer       7"]
    assert section.to_json() == {"title": "X", "rows": [{"what": "a", "number": 1200}, {"what": "longer", "number": 7}]}
