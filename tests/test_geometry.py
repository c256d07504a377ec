"""Geometry: what the build derives, and what GeoSPARQL answers with it on the places we have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from culturegraph.build import Build
from culturegraph.geometry import GEO, describe_geometry, read_outlines
from culturegraph.protocols.description import GEO_FUNCTIONS
from culturegraph.protocols.maps import GEOMETRY as OUTLINES
from culturegraph.rdf.graphs import CATALOGUE, GEOMETRY, UNHASHED
from culturegraph.rdf.vocabulary import BASE, CG, PREFIXES, WGS84
from culturegraph.store.evaluation import Task, evaluate

PLACE = BASE + "id/place/"
# Two squares that share a border, and a third unit without a code that counts to the second.
TOPOLOGY = {
    "arcs": [[[2, 0], [0, 2]], [[2, 2], [-2, 0], [0, -2], [2, 0]], [[2, 0], [2, 0], [0, 2], [-2, 0]]],
    "transform": {"scale": [0.5, 0.5], "translate": [-76, -13]},
    "objects": {
        "units": {
            "geometries": [
                {"type": "Polygon", "arcs": [[0, 1]], "properties": {"fips": "PE01", "name": "Amazonas"}},
                {"type": "MultiPolygon", "arcs": [[[2, -1]]], "properties": {"fips": "PE15", "name": "Lima"}},
                {"type": "Polygon", "arcs": [[0, 1]], "properties": {"fips": "", "name": "Lima Province"}},
                {"type": "Polygon", "arcs": [[0, 1]], "properties": {"fips": "", "name": "Elsewhere"}},
            ]
        }
    },
}


@pytest.fixture
def outlines(tmp_path: Path) -> Path:
    path = tmp_path / "outlines.json"
    path.write_text(json.dumps(TOPOLOGY), encoding="utf-8")
    return path


def _place(slug: str, **values: str) -> list[Quad]:
    predicates = {"lat": WGS84 + "lat", "long": WGS84 + "long", "fips": CG + "fipsCode"}
    return [
        Quad(NamedNode(PLACE + slug), NamedNode(predicates[name]), Literal(value), NamedNode(BASE + "graph/source/x"))
        for name, value in values.items()
    ]


QUADS = [
    *_place("west", lat="-12.5", long="-75.5"),
    *_place("east", lat="-12.5", long="-74.5"),
    *_place("half", lat="-12.5"),
    *_place("one", fips="PE01"),
    *_place("lima", fips="PE15", lat="-12", long="-75"),
    *_place("none", fips="PE99"),
]


def test_outlines_are_joined_from_their_arcs(outlines: Path) -> None:
    found = read_outlines(outlines)
    west = "((-75.0000 -13.0000, -75.0000 -12.0000, -76.0000 -12.0000, -76.0000 -13.0000, -75.0000 -13.0000))"
    east = "((-75.0000 -13.0000, -74.0000 -13.0000, -74.0000 -12.0000, -75.0000 -12.0000, -75.0000 -13.0000))"
    assert found == {"PE01": f"MULTIPOLYGON ({west})", "PE15": f"MULTIPOLYGON ({east}, {west})"}


def test_places_get_points_and_areas(outlines: Path) -> None:
    quads = [quad for quad in describe_geometry(QUADS, outlines) if quad.graph_name == GEOMETRY]
    nodes = {quad.object.value for quad in quads if quad.predicate.value == GEO + "hasGeometry"}  # type: ignore[union-attr]
    assert nodes == {PLACE + part for part in ("west#point", "east#point", "one#area", "lima#area", "lima#point")}
    text = {quad.subject.value: quad.object.value for quad in quads if quad.predicate.value == GEO + "asWKT"}  # type: ignore[union-attr]
    assert text[PLACE + "west#point"] == "POINT (-75.5 -12.5)"
    assert quads == [q for q in describe_geometry(list(reversed(QUADS)), outlines) if q.graph_name == GEOMETRY]


def test_without_outlines_there_are_points_alone(tmp_path: Path) -> None:
    quads = describe_geometry(QUADS, tmp_path / "none.json")
    assert {quad.graph_name for quad in quads} == {GEOMETRY, CATALOGUE}
    assert sum(quad.predicate.value == GEO + "asWKT" for quad in quads) == 3
    assert describe_geometry([], tmp_path / "none.json") == []


def _select(store: Store, pattern: str) -> list[tuple[str, ...]]:
    rows = evaluate(store, Task(f"{''.join(f'PREFIX {p}: <{i}> ' for p, i in PREFIXES.items())} {pattern}")).outcome
    return [tuple(term.value.removeprefix(PLACE) for term in row) for row in rows]  # type: ignore[union-attr]


def test_within_and_distance(outlines: Path) -> None:
    store = Store()
    store.extend(describe_geometry(QUADS, outlines))
    inside = _select(
        store,
        "SELECT ?p { GRAPH cgg:geometry { <https://w3id.org/culturegraph/id/place/one#area> gsp:asWKT ?a . "
        "?p gsp:hasGeometry ?g . ?g a <http://www.opengis.net/ont/sf#Point> ; gsp:asWKT ?w } "
        "FILTER(geof:sfWithin(?w, ?a)) }",
    )
    assert inside == [("west",)]
    ((metres,),) = _select(
        store,
        "SELECT ?m { GRAPH cgg:geometry { <https://w3id.org/culturegraph/id/place/west#point> gsp:asWKT ?a . "
        "<https://w3id.org/culturegraph/id/place/east#point> gsp:asWKT ?b } "
        "BIND(geof:distance(?a, ?b, uom:metre) AS ?m) }",
    )
    # One degree of longitude at 12.5° south: 111.32 km × cos 12.5°.
    assert float(metres) == pytest.approx(108_600, rel=0.002)


@pytest.mark.parametrize("name", GEO_FUNCTIONS)
def test_the_engine_has_every_function_that_is_described(name: str) -> None:
    one, other = (f'"POINT ({x} -12)"^^gsp:wktLiteral' for x in (-75, -76))
    arguments = {"getSRID": one, "distance": f"{one}, {other}, uom:metre"}.get(name, f"{one}, {other}")
    ((answer,),) = _select(Store(), f"SELECT (geof:{name}({arguments}) AS ?x) {{}}")
    if name not in ("getSRID", "distance"):
        assert answer == ("true" if name in ("sfDisjoint", "ehDisjoint", "rcc8dc") else "false")


def test_geometry_is_of_the_build_and_not_merged(built: Build) -> None:
    assert GEOMETRY in UNHASHED
    store = built.snapshot.store
    in_graph = _select(store, "SELECT (COUNT(*) AS ?n) { GRAPH cgg:geometry { ?s gsp:asWKT ?w } }")
    merged = _select(store, "SELECT (COUNT(*) AS ?n) { ?s gsp:asWKT ?w }")
    assert int(in_graph[0][0]) > 2_000
    assert merged == [("0",)]
    labels = _select(store, "SELECT ?l { cgg:geometry rdfs:label ?l }")
    assert len(labels) == 2


def test_districts_lie_in_their_departments(built: Build) -> None:
    if not OUTLINES.is_file():
        pytest.skip("the file of outlines is built with the web front end")
    ((all_of_them, within),) = _select(
        built.snapshot.store,
        "SELECT (COUNT(*) AS ?n) (SUM(IF(geof:sfWithin(?w, ?a), 1, 0)) AS ?in) "
        "{ ?p a cg:District ; cg:within ?d . ?d a cg:Department . GRAPH cgg:geometry { "
        "?d gsp:hasGeometry [ a <http://www.opengis.net/ont/sf#MultiPolygon> ; gsp:asWKT ?a ] . "
        "?p gsp:hasGeometry/gsp:asWKT ?w } }",
    )
    # The outlines are coarse: a few capitals at a border or on the coast lie beside them.
    assert 0.95 < int(within) / int(all_of_them) < 1
