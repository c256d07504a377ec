"""Suspected duplicates: what the matcher sees, what it leaves alone, and that none of the data is without a verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.linking.duplicates import find_duplicates, tokens
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.sources.tables import read_tables

ROOT = Path(__file__).resolve().parents[1]
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
GRAPH = NamedNode(BASE + "graph/source/one")


def _expression(slug: str, name: str, kind: str = "Dance", place: str = "pe-2104") -> list[Quad]:
    subject = NamedNode(BASE + "id/expression/" + slug)
    return [
        Quad(subject, LABEL, Literal(name, language="es"), GRAPH),
        Quad(subject, TYPE, NamedNode(CG + kind), GRAPH),
        Quad(subject, NamedNode(CG + "locatedIn"), NamedNode(BASE + "id/place/" + place), GRAPH),
    ]


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
    ],
)
def test_spellings_of_one_name_are_one(name: str, other: str) -> None:
    assert tokens(name) == tokens(other)


def test_a_pair_is_suspected_once() -> None:
    quads = _expression("a", "Danza K'ajelo") + _expression("b", "K’ajelo")
    (suspect,) = find_duplicates(quads)
    assert (suspect.first, suspect.second) == (BASE + "id/expression/a", BASE + "id/expression/b")
    assert suspect.likeness == 1.0


@pytest.mark.parametrize(
    "other",
    [
        _expression("b", "K’ajelo", kind="CulinaryTradition"),
        _expression("b", "K’ajelo", place="pe-2201"),
        _expression("b", "Danza Wifala"),
    ],
    ids=["another class", "another place", "another name"],
)
def test_unlike_things_are_left_alone(other: list[Quad]) -> None:
    assert find_duplicates(_expression("a", "Danza K'ajelo") + other) == []


def test_a_district_lies_in_its_department() -> None:
    quads = _expression("a", "K’ajelo", place="pe-210401") + _expression("b", "K’ajelo", place="pe-21")
    assert len(find_duplicates(quads)) == 1


def test_a_verdict_silences_a_pair() -> None:
    quads = _expression("a", "K’ajelo") + _expression("b", "K’ajelo")
    assert find_duplicates(quads + _verdict("a", "b")) == []
    assert find_duplicates(quads + _verdict("b", "a")) == []


def test_no_suspected_pair_of_the_tables_is_without_a_verdict() -> None:
    suspects = find_duplicates(read_tables(ROOT / "data" / "csv-metadata.json").quads)
    assert suspects == [], "\n".join(f"{s.likeness} {s.first} {s.second}" for s in suspects)
