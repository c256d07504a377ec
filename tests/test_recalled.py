"""No value that was recalled or doubted when the facts were gathered is in the graph.

The list is `cases/recalled.csv`; how it is read and where each column went is in `recalled_facts.py`.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad
from recalled_facts import (
    BASE,
    CG,
    DEPARTMENTS,
    EDITORIAL,
    ELEMENTS,
    FOAF,
    GEO,
    LABEL,
    MAPPED,
    NOT_YET,
    SOURCE_GRAPH,
    Graph,
    Recalled,
    find_recalled,
    read_list,
    read_since,
)

from culturegraph.sources.tables import read_tables

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "tests" / "cases"


@pytest.fixture(scope="module")
def listed() -> list[Recalled]:
    return read_list(CASES / "recalled.csv")


@pytest.fixture(scope="module")
def since() -> dict[tuple[str, str, str, str], set[str]]:
    return read_since(CASES / "recalled_since_sourced.csv")


@pytest.fixture(scope="module")
def quads() -> list[Quad]:
    return read_tables(ROOT / "data" / "csv-metadata.json").quads


def test_no_recalled_value_is_asserted(
    listed: list[Recalled], quads: list[Quad], since: dict[tuple[str, str, str, str], set[str]]
) -> None:
    found = find_recalled(listed, Graph(quads), since)
    assert not found, "\n".join(f"{item} in {quad.graph_name.value}" for item, quad in found)


def test_no_source_without_a_whole_address(quads: list[Quad]) -> None:
    """Rows marked `url_complete: no` have no address to be found again by: their sources cannot be in the graph."""
    addresses = [q.object.value for q in quads if q.predicate.value == "http://www.w3.org/ns/prov#wasDerivedFrom"]
    assert addresses
    assert [a for a in addresses if not re.match(r"https?://[\w.-]+\.\w+(/|$)", a) or "…" in a or "..." in a] == []


def test_every_listed_column_has_a_place(listed: list[Recalled]) -> None:
    """A table or column that nobody mapped would let its recalled values through unseen."""
    lost = set()
    for item in listed:
        if item.table in NOT_YET or item.marker.startswith("url_complete"):
            continue
        table = MAPPED.get(item.table)
        if table is None or item.column not in {*table.columns, *table.without_property}:
            lost.add((item.table, item.column))
    assert lost == set()
    assert not set(MAPPED) & set(NOT_YET)


def test_tables_not_in_use_stay_out(quads: list[Quad]) -> None:
    """When their entities come in, their columns must be mapped above."""
    subjects = {quad.subject.value.removeprefix(BASE) for quad in quads}
    came_in = {table for table, start in NOT_YET.items() if any(s.startswith(start) for s in subjects)}
    assert came_in == set()


# Tables of which no row, or no marked row, has an entity of its own.
WITHOUT_ENTITIES = {
    "unesco2_peru_reports",
    "policies_measures",
    "links_labels",
    "links_wikidata_misc",
    "links_wikidata_properties",
    "vocab_alignments",
}


@pytest.mark.parametrize("table", sorted(set(MAPPED) - WITHOUT_ENTITIES))
def test_ids_of_a_mapped_table_lead_to_entities(table: str, listed: list[Recalled], quads: list[Quad]) -> None:
    """An id that leads nowhere proves nothing: at least one of each table must be an entity of the graph."""
    graph = Graph(quads)
    ids = {item.id for item in listed if item.table == table and not item.marker.startswith("url_complete")}
    if not ids:
        pytest.skip("only rows without a whole address are marked in it")
    assert any(graph.by_subject[subject] for fact_id in ids for subject in MAPPED[table].subjects(fact_id))


# One listed value for each way of matching, as it would stand in the graph if somebody had let it in.
INJECTED = [
    ("peoples", "pueblo-wampis", "departments", "livesIn", NamedNode(DEPARTMENTS["Loreto"])),
    ("languages", "lengua-quechua-chanka", "glottocode", "glottocode", Literal("ayac1239")),
    ("languages", "lengua-quechua-chanka", "latitude", GEO + "lat", Literal("-13.84714000")),
    ("languages", "lengua-yine", "family_mincul", "familyName", Literal("Arawak", language="es")),
    ("unesco_ich_pe", "ich-pe-00166", "label_es", LABEL, Literal("Taquile y su arte textil ", language="es")),
    ("institutions", "inst-inc", "start_date", "founded", Literal("1971-03-01")),
    ("institutions", "inst-bnp", "website", FOAF + "homepage", NamedNode("http://www.gob.pe/bnp/")),
]


@pytest.mark.parametrize(("table", "fact_id", "column", "predicate", "value"), INJECTED)
def test_an_injected_value_is_found(
    table: str, fact_id: str, column: str, predicate: str, value: Literal | NamedNode, listed: list[Recalled]
) -> None:
    predicate = predicate if "//" in predicate else CG + predicate
    subject = NamedNode(MAPPED[table].subjects(fact_id)[0])
    graph = Graph([Quad(subject, NamedNode(predicate), value, NamedNode(SOURCE_GRAPH + "some-source"))])
    found = find_recalled(listed, graph, {})
    assert (table, fact_id, column) in {(item.table, item.id, item.column) for item, _ in found}


@pytest.mark.parametrize("number", ["00390", "00391"])
def test_an_injected_value_of_a_situation_is_found(number: str, listed: list[Recalled]) -> None:
    """The element number of the huaconada is recalled, that of the scissors dance is not."""
    act, graph_name = NamedNode(BASE + "id/recognition/some"), NamedNode(SOURCE_GRAPH + "some-source")
    element = NamedNode(BASE + "id/expression/" + ELEMENTS[number])
    graph = Graph(
        [
            Quad(act, NamedNode(CG + "recognises"), element, graph_name),
            Quad(act, NamedNode(CG + "elementNumber"), Literal(number), graph_name),
        ]
    )
    assert bool(find_recalled(listed, graph, {})) is (number == "00390")


def test_our_own_classification_stays_in_the_editorial_graph(listed: list[Recalled]) -> None:
    subject, predicate = NamedNode(BASE + "id/expression/ceviche"), NamedNode(CG + "ichDomain")
    craft = NamedNode(BASE + "schemes/ich-domains/craft")
    ours, theirs = (Graph([Quad(subject, predicate, craft, NamedNode(n))]) for n in (EDITORIAL, SOURCE_GRAPH + "some"))
    assert find_recalled(listed, ours, {}) == []
    assert find_recalled(listed, theirs, {}) != []


def test_values_sourced_since_were_listed_and_name_a_source(
    listed: list[Recalled], since: dict[tuple[str, str, str, str], set[str]]
) -> None:
    cells = {(item.table, item.id, item.column) for item in listed}
    values = {(item.table, item.id, item.column, item.value) for item in listed}
    assert {key for key in since if key[:3] not in cells or (key[3] and key not in values)} == set()
    with (ROOT / "data" / "sources.csv").open(encoding="utf-8", newline="") as file:
        known = {row["id"] for row in csv.DictReader(file)}
    assert {source for sources in since.values() for source in sources} <= known
