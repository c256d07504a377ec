"""Answers as charts, maps and networks, and as GeoJSON and GraphML."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from culturegraph.errors import DataError
from culturegraph.protocols import maps
from culturegraph.protocols.charts import Captions
from culturegraph.protocols.geojson import to_geojson
from culturegraph.protocols.graphml import to_graphml
from culturegraph.protocols.labels import Labels
from culturegraph.protocols.places import Location, Places
from culturegraph.protocols.snippets import write_snippets
from culturegraph.protocols.solutions import Solutions, Value, read_solutions
from culturegraph.protocols.views import check_chart, draw_chart, draw_graph, draw_map, suggest_chart
from culturegraph.rdf.vocabulary import BASE, CG, LABEL, TYPE, XSD

CAPTIONS = Captions("picture", "Title <of it>", "What it shows", "es", "otros")
GEO = "http://www.w3.org/2003/01/geo/wgs84_pos#"
CUSCO, DANCE = BASE + "id/place/pe-08", BASE + "id/expression/danza"


def _number(text: str) -> Literal:
    return Literal(text, datatype=NamedNode(XSD + "decimal"))


@pytest.fixture(scope="module")
def store() -> Store:
    store = Store()
    facts: list[tuple[str, NamedNode, Any]] = [
        (CUSCO, TYPE, NamedNode(CG + "Department")),
        (CUSCO, LABEL, Literal("Cusco", language="es")),
        (CUSCO, NamedNode(GEO + "lat"), _number("-13.2")),
        (CUSCO, NamedNode(GEO + "long"), _number("-72.1")),
        (CUSCO, NamedNode(CG + "fipsCode"), Literal("PE08")),
        (DANCE, LABEL, Literal("Danza <script>", language="es")),
        (DANCE, NamedNode(CG + "locatedWithin"), NamedNode(CUSCO)),
    ]
    store.extend([Quad(NamedNode(subject), predicate, value) for subject, predicate, value in facts])
    return store


def _solutions(store: Store, *rows: dict[str, str | int]) -> Solutions:
    """Rows of plain values: an IRI where the text begins with http, an integer where it is one."""

    def term(value: str | int) -> dict[str, str]:
        if isinstance(value, int):
            return {"type": "literal", "value": str(value), "datatype": XSD + "integer"}
        return {"type": "uri" if value.startswith("http") else "literal", "value": value}

    bindings = [{name: term(value) for name, value in row.items()} for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return read_solutions({"head": {"vars": names}, "results": {"bindings": bindings}}, Labels(store, "es"))


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2012", (2012, 2012)),
        ("2012-05-27", (2012, 2012)),
        ("2008/2010", (2008, 2010)),
        ("1964~", (1964, 1964)),
        ("2008/..", (2008, 2008)),
        ("/2026-11-23", (2026, 2026)),
        ("12", None),
        ("Ley 29073", None),
        ("20125", None),
        ("", None),
    ],
)
def test_years_of_dates_and_intervals(store: Store, text: str, years: tuple[int, int] | None) -> None:
    assert _solutions(store, {"x": text}).rows[0]["x"].years == years


def test_what_an_answer_suggests(store: Store) -> None:
    by_year = _solutions(store, {"year": "2011", "kind": "a", "n": 2}, {"year": "2012", "kind": "b", "n": 1})
    assert suggest_chart(by_year) == {"kind": "columns", "x": "year", "y": "n", "series": "kind"}
    counted = _solutions(store, {"place": CUSCO, "n": 2}, {"place": DANCE, "n": 1})
    assert suggest_chart(counted) == {"kind": "bars", "x": "place", "y": "n"}
    repeated = _solutions(store, *({"thing": f"t{n}", "kind": f"k{n % 2}"} for n in range(6)))
    assert suggest_chart(repeated) == {"kind": "bars", "x": "kind"}
    assert suggest_chart(_solutions(store, {"name": "a"}, {"name": "b"})) is None


def test_columns_stand_on_each_other(store: Store) -> None:
    solutions = _solutions(
        store,
        {"year": "2011", "kind": "a", "n": 2},
        {"year": "2011", "kind": "b", "n": 4},
        {"year": "2013", "kind": "b", "n": 3},
    )
    markup = draw_chart({"kind": "columns", "x": "year", "y": "n", "series": "kind"}, solutions, CAPTIONS)
    assert markup.index("<li>") < markup.index('class="chart"'), "a legend for the series"
    svg = ET.fromstring(str(markup)[str(markup).index('<svg class="chart"') :])
    bars = [mark for mark in svg.iter("rect") if mark.find("title") is not None]
    first, second, third = sorted(bars, key=lambda bar: bar.find("title").text)  # type: ignore[union-attr, arg-type, return-value]
    assert [mark.find("title").text for mark in (first, second, third)] == ["2011: 2 · a", "2011: 4 · b", "2013: 3 · b"]  # type: ignore[union-attr]
    assert float(second.get("height", 0)) == pytest.approx(2 * float(first.get("height", 0)), rel=0.01)
    assert float(second.get("y", 0)) + float(second.get("height", 0)) == pytest.approx(
        float(first.get("y", 0)), abs=0.2
    )
    assert first.get("fill") != second.get("fill"), "a pattern of its own"
    assert svg.find("title").text == "Title <of it>" and svg.get("role") == "img"  # type: ignore[union-attr]


def test_small_series_are_folded(store: Store) -> None:
    rows = [{"year": "2011", "kind": f"kind {n}", "n": 10 - n} for n in range(9)]
    markup = draw_chart(
        {"kind": "columns", "x": "year", "y": "n", "series": "kind"}, _solutions(store, *rows), CAPTIONS
    )
    assert str(markup).count("<li>") == 6
    assert "2011: 14 · otros" in markup


def test_a_timeline_shows_points_spans_and_open_ends(store: Store) -> None:
    rows = (
        {"who": "A", "from": "2001", "to": "2004"},
        {"who": "B", "from": "2003"},
        {"who": "C", "from": "2002", "on": "true"},
    )
    chart = {"kind": "timeline", "lane": "who", "start": "from", "end": "to", "open": "on"}
    markup = str(draw_chart(chart, _solutions(store, *rows), CAPTIONS))
    assert "A: A, 2001-2004" in markup and "B: B, 2003" in markup
    assert markup.count('class="lane"') == 3


def test_a_network_stands_in_columns_and_ends_where_arrows_turn(store: Store) -> None:
    rows = [("c", "b"), ("b", "a"), ("a", "c")]
    solutions = _solutions(store, *({"x": f"http://e.org/{x}", "y": f"http://e.org/{y}"} for x, y in rows))
    markup = str(draw_chart({"kind": "network", "source": "x", "target": "y"}, solutions, CAPTIONS))
    assert markup.count('class="node"') == 3 and markup.count("marker-end") == 3
    assert not draw_graph(_solutions(store, {"x": "http://e.org/a", "n": 1}), CAPTIONS), "nothing is linked"


def test_a_matrix_counts(store: Store) -> None:
    rows = [{"a": "r1", "k": "c1"}, {"a": "r1", "k": "c1"}, {"a": "r2", "k": "c2"}]
    markup = str(draw_chart({"kind": "matrix", "row": "a", "column": "k"}, _solutions(store, *rows), CAPTIONS))
    assert "r1 · c1: 2" in markup and "r2 · c2: 1" in markup


def test_labels_are_escaped(store: Store) -> None:
    for markup in (
        draw_chart({"kind": "bars", "x": "x"}, _solutions(store, {"x": DANCE}), CAPTIONS),
        draw_map(_solutions(store, {"x": DANCE}), store, CAPTIONS),
        draw_graph(_solutions(store, {"x": DANCE, "y": CUSCO}), CAPTIONS),
    ):
        assert "Danza &lt;script&gt;" in markup or "Danza" not in markup
        assert "<script" not in markup


def test_places(store: Store) -> None:
    places = Places(store)
    assert places.of(CUSCO) == Location(-13.2, -72.1, "PE08", CUSCO)
    assert places.of(DANCE) == places.of(CUSCO), "where it lies in"
    assert places.of("http://e.org/unknown") is None and places.of("not an iri") is None
    wkt = Value(
        "POINT(-72.5 -13.5)", Labels(store, "es").of(CUSCO), datatype="http://www.opengis.net/ont/geosparql#wktLiteral"
    )
    assert places.of_row({"where": wkt}, ("where",)) == Location(-13.5, -72.5)


def test_a_map_shades_departments_or_shows_points(store: Store) -> None:
    shaded = str(draw_map(_solutions(store, {"d": CUSCO, "n": 3}), store, CAPTIONS))
    if maps.is_drawn("PE08"):
        assert "Cusco: 3" in shaded
    points = draw_map(_solutions(store, {"lat": 1, "long": 2}), store, CAPTIONS)
    assert "<svg" in points
    assert not draw_map(_solutions(store, {"x": "nowhere"}), store, CAPTIONS)


def test_geojson(store: Store) -> None:
    collection = json.loads(to_geojson(_solutions(store, {"thing": DANCE, "n": 2}, {"thing": "http://e.org/a"}), store))
    first, second = collection["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [-72.1, -13.2]}
    assert first["properties"] == {"thing": DANCE, "thingLabel": "Danza <script>", "n": 2}
    assert second["geometry"] is None, "a row without a place is not lost"


def test_graphml(store: Store) -> None:
    solutions = _solutions(store, {"thing": DANCE, "place": CUSCO, "year": "2011"})
    root = ET.fromstring(to_graphml(solutions, store))
    space = "{http://graphml.graphdrawing.org/xmlns}"
    assert {node.get("id") for node in root.iter(space + "node")} == {DANCE, CUSCO}
    (edge,) = root.iter(space + "edge")
    assert (edge.get("source"), edge.get("target")) == (DANCE, CUSCO)
    assert "2011" in [data.text for data in root.iter(space + "data")]


@pytest.mark.parametrize(
    ("chart", "fault"),
    [
        ({"kind": "pie"}, "unknown kind"),
        ({"kind": "columns"}, "without x"),
        ({"kind": "bars", "x": "a", "lane": "b"}, "does not take"),
        ("columns", "mapping"),
    ],
)
def test_a_wrong_chart_is_told(chart: Any, fault: str) -> None:
    with pytest.raises(DataError, match=f"year.rq.*{fault}"):
        check_chart(chart, "year.rq")


def test_programs_hold_the_query_whole() -> None:
    query = 'SELECT * { ?s ?p """a\\b""" . ?s ?q "`${x}`" }'
    written = write_snippets("https://example.org/sparql", query, "solutions")
    scope: dict[str, Any] = {}
    exec(next(line for line in written["Python"].splitlines() if line.startswith("query = ")), scope)
    assert scope["query"] == query
    assert "\\`\\${x}\\`" in written["JavaScript"] and 'r"---(' in written["R"]
