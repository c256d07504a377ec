"""Suspected duplicates: what the matcher sees, what it leaves alone, and that none of the data is without a verdict."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from culturegraph.linking.duplicates import find_duplicates
from culturegraph.linking.likeness import read_name
from culturegraph.queries import read_query
from culturegraph.rdf.vocabulary import BASE, CG, SKOS
from culturegraph.sources.tables import read_tables

ROOT = Path(__file__).resolve().parents[1]
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
GRAPH = NamedNode(BASE + "graph/source/one")


def _thing(slug: str, name: str, kind: str = "Dance", place: str = "pe-2104", **more: str) -> list[Quad]:
    """An entity: the first part of its IRI, where the slug names none, is `expression`."""
    subject = NamedNode(BASE + "id/" + (slug if "/" in slug else "expression/" + slug))
    quads = [
        Quad(subject, LABEL, Literal(name, language="es"), GRAPH),
        Quad(subject, TYPE, NamedNode(CG + kind), GRAPH),
        *(Quad(subject, NamedNode(CG + key), Literal(value), GRAPH) for key, value in more.items()),
    ]
    if place:
        quads.append(Quad(subject, NamedNode(CG + "locatedIn"), NamedNode(BASE + "id/place/" + place), GRAPH))
    return quads


def _also_called(slug: str, name: str) -> Quad:
    return Quad(NamedNode(BASE + "id/" + slug), NamedNode(SKOS + "altLabel"), Literal(name, language="es"), GRAPH)


def _verdict(one: str, other: str) -> list[Quad]:
    verdict = NamedNode(BASE + "id/mapping/some")
    return [
        Quad(verdict, NamedNode(CG + name), NamedNode(BASE + "id/expression/" + slug), GRAPH)
        for name, slug in (("mappingSubject", one), ("mappingObject", other))
    ]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Danza Qanchi de Mamuera", "Danza Qanchis de Mamuera"),
        ("Warak’eros de Sandia", "Warakeros de Sandia"),
        ("Danza Q'arapulis de Juli", "Danza de los Q’Arapulis de Juli"),
        ("Semana Santa de Catacaos", "Semana Santa en Catacaos"),
        ("Negritos de Chavín de Huántar", "Danza de los Negritos de Chavin de Huantar"),
        ("Maijɨki", "Maijiki"),
    ],
)
def test_spellings_of_one_name_are_one(name: str, other: str) -> None:
    generic = frozenset({"danza"})
    assert set(read_name(name, generic).words) == set(read_name(other, generic).words)


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("Pintu Yaku", "Pintayacu", True),
        ("Kechwa Lamas", "Kichwa Lamas", True),
        ("Raymondi", "Raimondi", True),
        ("Nazca", "Nasca", True),
        # A common word hides that the rest differs.
        ("Quechua Chanka", "Quechua Wanka", False),
        ("Tratado de Libre Comercio Perú - Canadá", "Tratado de Libre Comercio Perú - Panamá", False),
        ("Ruraq maki 2019", "Ruraq maki 2020", False),
        ("I Encuentro de Danzantes", "II Encuentro de Danzantes", False),
        ("Yine", "Yora", False),
        ("", "", False),
    ],
)
def test_how_alike_names_are(name: str, other: str, alike: bool) -> None:
    assert (read_name(name).likeness(read_name(other)) >= 0.85) == alike
    assert read_name(name).likeness(read_name(other)) == read_name(other).likeness(read_name(name))


def test_generic_words_count_where_there_are_no_others() -> None:
    assert read_name("Danza de la Fiesta", frozenset({"danza", "fiesta"})).words == read_name("danza fiesta").words


def test_a_pair_is_suspected_once() -> None:
    quads = _thing("a", "Danza K'ajelo") + _thing("b", "K’ajelo")
    (suspect,) = find_duplicates(quads)
    assert (suspect.first, suspect.second) == (BASE + "id/expression/a", BASE + "id/expression/b")
    assert suspect.likeness == 1.0


@pytest.mark.parametrize(
    "pair",
    [
        _thing("community/a", "Flor de Ucayali", "NativeCommunity", "pe-250101")
        + _thing("community/b", "Comunidad Nativa Flor de Ucayali", "NativeCommunity", "pe-250104"),
        _thing("community/a", "Yamino", "NativeCommunity", "pe-250301")
        + _thing("community/b", "Yamino", "NativeCommunity", ""),
        _thing("group/a", "Grupo Teatro Vichama", "PerformingGroup", "pe-15")
        + _thing("punto/b", "Vichama Teatro", "PuntoDeCultura", "pe-1501"),
        _thing("norm/a", "Declara Patrimonio Cultural", "Norm", "", number="001-2012-VMPCIC-MC")
        + _thing("norm/b", "Sobre una danza", "Norm", "", number="001-2012-vmpcic-mc"),
        _thing("person/a", "Theo Buchwald", "Person", "") + _thing("person/b", "Buchwald, Theo", "Person", ""),
        _thing("work/a", "El arte de los Andes", "Work", "")
        + _thing("document/b", "El Arte de los Andes", "Document", ""),
        _thing("people/a", "Kichwa", "IndigenousPeople", "")
        + _thing("people/b", "Quichua", "IndigenousPeople", "")
        + [_also_called("people/b", "Kichwa")],
    ],
    ids=[
        "straddling",
        "place unknown",
        "group and punto",
        "number",
        "order of words",
        "work and document",
        "other name",
    ],
)
def test_every_kind_is_compared(pair: list[Quad]) -> None:
    assert len(find_duplicates(pair)) == 1
    assert find_duplicates(reversed(pair)) == find_duplicates(pair)


@pytest.mark.parametrize(
    "other",
    [
        _thing("b", "K’ajelo", kind="CulinaryTradition"),
        _thing("b", "K’ajelo", place="pe-2201"),
        _thing("b", "Danza Wifala"),
        _thing("community/b", "K’ajelo"),
    ],
    ids=["another class", "another place", "another name", "another kind"],
)
def test_unlike_things_are_left_alone(other: list[Quad]) -> None:
    assert find_duplicates(_thing("a", "Danza K'ajelo") + other) == []


@pytest.mark.parametrize(
    "pair",
    [
        _thing("community/a", "Santa Rosa", "NativeCommunity", "pe-250301")
        + _thing("community/b", "Santa Rosa", "NativeCommunity", "pe-220304"),
        _thing("norm/a", "Declara Patrimonio Cultural", "Norm", "", number="001-2012-MC")
        + _thing("norm/b", "Declara Patrimonio Cultural", "Norm", "", number="002-2012-MC"),
        _thing("place/a", "Santa Rosa", "District", "pe-2203", ubigeoInei="220304")
        + _thing("place/b", "Santa Rosa", "District", "pe-2203", ubigeoInei="220305"),
        [
            *_thing("people/a", "Nahua", "IndigenousPeople", ""),
            *_thing("people/b", "Sharanahua", "IndigenousPeople", ""),
            _also_called("people/a", "Yora"),
            _also_called("people/b", "Yora"),
        ],
    ],
    ids=["another department", "another number", "codes", "an outdated name of several"],
)
def test_namesakes_are_left_alone(pair: list[Quad]) -> None:
    assert find_duplicates(pair) == []


def test_a_district_lies_in_its_department() -> None:
    quads = _thing("a", "K’ajelo", place="pe-210401") + _thing("b", "K’ajelo", place="pe-21")
    assert len(find_duplicates(quads)) == 1


def test_a_verdict_silences_a_pair() -> None:
    quads = _thing("a", "K’ajelo") + _thing("b", "K’ajelo")
    assert find_duplicates(quads + _verdict("a", "b")) == []
    assert find_duplicates(quads + _verdict("b", "a")) == []


@pytest.fixture(scope="module")
def quads() -> list[Quad]:
    return read_tables(ROOT / "data" / "csv-metadata.json").quads


def test_verdicts_give_a_justification_a_confidence_and_a_reason(quads: list[Quad]) -> None:
    with (ROOT / "data" / "mappings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["mapping_justification"] and row["comment"] and 0 < float(row["confidence"]) <= 1 for row in rows)
    # An accepted pair is one entity: what was accepted is no entity of its own any more.
    known = {quad.subject.value for quad in quads}
    for row in rows:
        of_ours = {iri for iri in (row["object"], BASE + row["object_entity"]) if iri.startswith(BASE + "id/")}
        assert of_ours <= known if row["verdict"] == "rejected" else not of_ours & known, row["id"]


def test_no_suspected_pair_of_the_tables_is_without_a_verdict(quads: list[Quad]) -> None:
    suspects = find_duplicates(quads)
    assert suspects == [], "\n".join(f"{s.likeness} {s.first} {s.second}" for s in suspects)


def test_the_question_for_librarians_lists_no_judged_pair(built_store: Store) -> None:
    query = read_query(ROOT / "queries" / "competency" / "cq-33-suspected-duplicates.rq")
    assert [tuple(map(str, row)) for row in built_store.query(query.text)] == []
    # Without the verdicts it would list the namesakes.
    unfiltered = query.text.replace("cg:mappingSubject", "cg:nothing")
    assert len(list(built_store.query(unfiltered))) > 10
