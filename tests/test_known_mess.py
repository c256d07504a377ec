"""What gathered facts get wrong most easily, held on the tables themselves (adapters, names and dates have tests too).

Each test is a trap that was met while the facts were gathered: two of one name, two dates, codes that look alike.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad

from culturegraph.rdf.vocabulary import BASE, CG, RDFS, SKOS
from culturegraph.sources.bundle import read_ontology
from culturegraph.sources.tables import read_tables

ROOT = Path(__file__).resolve().parents[1]
SUSPICIOUS = re.compile(r"^[=+@\t\r]|^-[^0-9 ]")


@pytest.fixture(scope="module")
def quads() -> list[Quad]:
    return read_tables(ROOT / "data" / "csv-metadata.json").quads


def values(quads: list[Quad], subject: str, property_: str) -> dict[str, set[str]]:
    """Return the values of a property, and by which graphs each is said."""
    found: dict[str, set[str]] = defaultdict(set)
    for quad in quads:
        if quad.subject.value == BASE + subject and quad.predicate.value == CG + property_:
            found[quad.object.value.removeprefix(BASE)].add(quad.graph_name.value)
    return dict(found)


def test_one_law_has_two_publication_dates_each_by_its_source(quads: list[Quad]) -> None:
    found = values(quads, "id/norm/law-28131", "datePublished")
    assert set(found) == {"2003-12-18", "2003-12-19"}
    assert not set.intersection(*found.values())


def test_the_film_decree_was_repealed_by_the_law_of_2025(quads: list[Quad]) -> None:
    assert "id/norm/du-022-2019" in values(quads, "id/norm/law-32309", "repeals")


def test_the_law_on_puntos_is_no_statement_of_2012(quads: list[Quad]) -> None:
    graphs = values(quads, "id/programme/puntos", "legalBasis")["id/norm/law-30487"]
    assert not [graph for graph in graphs if "2012" in graph]


def test_the_crafts_directorate_belongs_to_mincetur(quads: list[Quad]) -> None:
    above, unit = [], "id/institution/dga"
    while found := values(quads, unit, "unitOf"):
        (unit,) = found
        above.append(unit)
    assert above[-1] == "id/institution/mincetur"
    assert "id/institution/mincul" not in above


def test_the_andean_community_is_not_canada(quads: list[Quad]) -> None:
    names = {
        quad.subject.value.rsplit("/", 1)[1]: quad.object.value
        for quad in quads
        if quad.subject.value.startswith(BASE + "id/treaty/fta-can")
        and quad.predicate.value == RDFS + "label"
        and quad.object.language == "en"
    }
    assert "Andean" in names["fta-can"]
    assert "Canada" in names["fta-can-ca"]


def test_codes_of_territory_are_whole_and_of_their_list(quads: list[Quad]) -> None:
    codes: dict[str, dict[str, str]] = defaultdict(dict)
    for quad in quads:
        name = quad.predicate.value.removeprefix(CG)
        if name in {"ubigeoInei", "ubigeoReniec", "ubigeoSunat"}:
            assert re.fullmatch("[0-9]{6}", quad.object.value), f"{name} {quad.object.value}"
            codes[name][quad.subject.value.rsplit("/", 1)[1]] = quad.object.value
    # San Martín is 22 for INEI and 21 for RENIEC, and 21 is Puno for INEI.
    assert (codes["ubigeoInei"]["pe-22"], codes["ubigeoReniec"]["pe-22"]) == ("220000", "210000")
    assert codes["ubigeoInei"]["pe-21"] == "210000"
    differing = [place for place, code in codes["ubigeoReniec"].items() if codes["ubigeoInei"].get(place, code) != code]
    assert len(differing) > 1_500
    # Ours is INEI's: the address of a place is its code.
    assert all(code.startswith(place.removeprefix("pe-")) for place, code in codes["ubigeoInei"].items())


def test_acts_of_declaration_have_several_issuers(quads: list[Quad]) -> None:
    issuers = {
        quad.object.value
        for quad in quads
        if quad.predicate.value == CG + "grantedBy" and "/id/recognition/" in quad.subject.value
    }
    assert {BASE + "id/institution/inc", BASE + "id/institution/mincul"} <= issuers


def test_plain_tags_stay_as_they_are(quads: list[Quad]) -> None:
    """A label that a gazetteer tags `qu` or `ay` is not made Cusco or Ayacucho Quechua, or Central Aymara."""
    tags = {
        quad.object.language
        for quad in quads
        if getattr(quad.object, "language", None) and quad.graph_name.value.endswith("/whosonfirst-admin-pe")
    }
    assert tags >= {"qu", "ay"}
    assert not tags & {"quz", "quy", "ayr"}


def test_no_cell_is_a_formula_and_none_is_damaged() -> None:
    for path in sorted((ROOT / "data").glob("*.csv")):
        text = path.read_bytes().decode("utf-8")
        assert "\ufffd" not in text, path.name
        assert not re.search("Ã[\x80-\xbf±³©¡]", text), path.name
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                assert not [cell for cell in row if SUSPICIOUS.match(cell)], f"{path.name}:{number}"
                assert not [cell for cell in row if cell != cell.strip()], f"{path.name}:{number} has edge spaces"


def test_no_personal_contact_is_in_the_tables() -> None:
    """Field 3.1 of the outline for inventories asks who gave the information: that stays out, as do mails."""
    mail = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", re.IGNORECASE)
    for path in sorted((ROOT / "data").glob("*.csv")):
        assert not mail.search(path.read_text(encoding="utf-8")), path.name


def test_an_indicator_has_its_scheme_and_edition(root: Path) -> None:
    """“33 core indicators” are of an older framework: a code says nothing without its list and edition."""
    for name in ("culture-2030", "convention-2005-framework-2020", "fcs-2009"):
        text = (root / "ontology" / "schemes" / f"{name}.ttl").read_text(encoding="utf-8")
        assert re.search(r"20[0-9]{2}", re.search(r"dcterms:title .*", text)[0] + name)  # type: ignore[index]
        assert NamedNode(BASE + "schemes/" + name).value in text


def test_the_two_statuses_are_not_one(root: Path) -> None:
    """A declaration of cultural interest endorses something without making it heritage of the nation."""
    declared, errors = read_ontology(root / "ontology")
    assert not errors
    above = {
        (quad.subject.value, quad.object.value) for quad in declared if quad.predicate.value == RDFS + "subClassOf"
    }
    interest, heritage = CG + "CulturalInterestDeclaration", CG + "HeritageDeclaration"
    assert {(interest, CG + "Recognition"), (heritage, CG + "Recognition")} <= above
    assert not {(interest, heritage), (heritage, interest)} & above


def test_the_craft_lines_are_those_of_the_source_that_lists_them(root: Path) -> None:
    """One source lists 16 lines, another speaks of 19 without naming them."""
    declared, _ = read_ontology(root / "ontology")
    scheme = BASE + "schemes/craft-lines"
    lines = {
        quad.subject for quad in declared if quad.predicate.value == SKOS + "inScheme" and quad.object.value == scheme
    }
    told = [
        quad.object.value for quad in declared if quad.subject.value == scheme and "description" in quad.predicate.value
    ]
    assert len(lines) == 16
    assert told
    assert all("19" in text for text in told)


def test_mentions_of_the_statement_lead_to_things_that_are_there(quads: list[Quad], root: Path) -> None:
    """38 of the 66 ids that were gathered with it are in no table; what a mention leads to is, and may be several."""
    declared, _ = read_ontology(root / "ontology")
    there = {quad.subject for quad in (*quads, *declared)}
    targets: dict[NamedNode, set[NamedNode]] = defaultdict(set)
    for quad in quads:
        if quad.predicate.value == CG + "mentions" and isinstance(quad.object, NamedNode):
            targets[quad.subject].add(quad.object)
    assert len(targets) == 66
    assert not [target for found in targets.values() for target in found if target not in there]
    assert max(map(len, targets.values())) > 1
