"""Names that fool a matcher: peoples of Peru are not linked to namesakes elsewhere, nor to wider or other headings.

The traps come from reading the authority files; each row says which outside item a people must not be matched to.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad

from culturegraph.sources.tables import read_tables

ROOT = Path(__file__).resolve().parents[1]
BASE = "https://w3id.org/culturegraph/"
CG = BASE + "ontology/"
SKOS = "http://www.w3.org/2004/02/skos/core#"
WIKIDATA = "http://www.wikidata.org/entity/"
ARK = "https://data.bnf.fr/ark:/12148/"
LCSH = "http://id.loc.gov/authorities/subjects/"
SAME = {SKOS + "exactMatch", SKOS + "closeMatch", CG + "wikidataId"}


@pytest.fixture(scope="module")
def quads() -> list[Quad]:
    return read_tables(ROOT / "data" / "csv-metadata.json").quads


def matches(quads: list[Quad], subject: str, predicates: set[str] | None = None) -> set[tuple[str, str]]:
    return {
        (quad.predicate.value.rsplit("#", 1)[-1], quad.object.value)
        for quad in quads
        if quad.subject.value == BASE + subject
        and (quad.predicate.value.startswith(SKOS) and quad.predicate.value.endswith("Match"))
        and (predicates is None or quad.predicate.value in predicates)
    }


# What a matcher finds by the name, and what it really is.
NAMESAKES = [
    ("id/people/nahua", WIKIDATA + "Q826591", "the Nahua of Mexico"),
    ("id/people/shiwilu", ARK + "cb11979562d", "Jivaro, which has Jebero among its names"),
    ("id/people/shiwilu", LCSH + "sh85070557", "Jivaro"),
    ("id/people/mashco-piro", ARK + "cb120674830", "Harakmbut, which has Mashco Piro among its names"),
    ("id/people/mashco-piro", LCSH + "sh85081804", "Harakmbut"),
    ("id/people/quechuas", WIKIDATA + "Q1122582", "the Cañari of Ecuador, not the Cañaris of Lambayeque"),
    ("id/people/aimara", WIKIDATA + "Q4627", "the Aymara language"),
    ("id/people/quechuas", WIKIDATA + "Q5218", "the Quechua language"),
]


@pytest.mark.parametrize(("subject", "item", "what"), NAMESAKES, ids=lambda value: str(value).rsplit("/", 1)[-1])
def test_a_people_is_not_its_namesake(subject: str, item: str, what: str, quads: list[Quad]) -> None:
    assert item not in {found for _, found in matches(quads, subject, SAME)}, what


@pytest.mark.parametrize("item", ["Q826591", "Q1122582", "Q332976", "Q380436"])
def test_items_that_are_none_of_ours_are_nowhere(item: str, quads: list[Quad]) -> None:
    """Nahua of Mexico, Cañari of Ecuador, Miskito, the drink ayahuasca."""
    found = [q for q in quads if isinstance(q.object, NamedNode) and q.object.value == WIKIDATA + item]
    assert [q for q in found if q.predicate.value in SAME] == []


def test_no_people_is_the_piro_of_new_mexico(quads: list[Quad]) -> None:
    """Yine was once called Piro; the heading "Piro Indians" of a library is that of New Mexico (Pueblo)."""
    assert not {found for _, found in matches(quads, "id/people/yine") if found.endswith("sh85102440#pueblo")}
    names = {q.object.value for q in quads if q.subject.value == BASE + "id/people/yine"}
    labels = {
        q.object.value
        for q in quads
        if q.subject.value == BASE + "id/people/yine" and q.predicate.value.endswith("rdf-schema#label")
    }
    assert "Piro" not in labels
    assert names


def test_the_wide_ashaninka_heading_is_broader(quads: list[Quad]) -> None:
    """RAMEAU's Asháninka also covers asheninka, kakinte and nomatsigenga: never exact for one of them."""
    peoples = ("ashaninka", "asheninka", "kakinte", "nomatsigenga")
    of_bnf = {
        people: {(kind, iri) for kind, iri in matches(quads, f"id/people/{people}") if iri.startswith(ARK)}
        for people in peoples
    }
    shared = set.intersection(*({iri for _, iri in found} for found in of_bnf.values()))
    assert shared, "the four peoples share the heading"
    for people, found in of_bnf.items():
        assert {kind for kind, iri in found if iri in shared} == {"broadMatch"}, people


def test_the_zampogna_is_italian(quads: list[Quad]) -> None:
    """No panpipe of the Andes (zampoña) is matched to the Italian bagpipe (zampogna)."""
    panpipes = {
        q.subject for q in quads if getattr(q.object, "language", None) == "es" and "zampoña" in q.object.value.lower()
    }
    labels = {(q.subject, q.object.value.lower()) for q in quads if q.subject in panpipes}
    assert not [label for _, label in labels if "zampogna" in label]
