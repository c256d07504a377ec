"""Maps: the outlines of the package, points where they belong, links with names, nothing that executes."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from culturegraph.protocols import maps
from culturegraph.protocols.maps import Area, Point, draw_map, is_drawn, project, simplify

needs_outlines = pytest.mark.skipif(
    not maps.GEOMETRY.is_file(), reason="the outlines are built with the front end (make frontend); npm was not reached"
)
SVG = "{http://www.w3.org/2000/svg}"
CUSCO, LIMA = (-13.52, -71.97), (-12.05, -77.04)


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def corners(path: str) -> list[tuple[int, int]]:
    """The absolute corners of path data as the module writes them."""
    found = []
    for ring in re.findall(r"M(-?\d+) (-?\d+)l([^zM]*)", path):
        x, y = int(ring[0]), int(ring[1])
        found.append((x, y))
        numbers = [int(number) for number in re.findall(r"-?\d+", ring[2])]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found


@needs_outlines
def test_every_department_has_an_outline_and_the_rest_has_none() -> None:
    assert all(is_drawn(f"PE{number:02}") for number in range(1, 26))
    assert not is_drawn("PE26")
    assert not is_drawn("")


@needs_outlines
def test_an_area_encloses_the_points_in_it() -> None:
    svg = parse(draw_map([Point(*CUSCO, "Cusco")], [Area("PE08", "Cusco")], name="m", title="Cusco"))
    area = svg.find(f"{SVG}path[@class='area shade-3']")
    assert area is not None
    xs, ys = zip(*corners(area.attrib["d"]), strict=True)
    circle = next(svg.iter(f"{SVG}circle"))
    assert min(xs) < float(circle.attrib["cx"]) < max(xs)
    assert min(ys) < float(circle.attrib["cy"]) < max(ys)
    other_x, _ = project(*LIMA)
    assert not min(xs) < other_x < max(xs)


@needs_outlines
def test_the_whole_country_is_light() -> None:
    everything = draw_map(areas=[Area(f"PE{n:02}", "x") for n in range(1, 26)], name="m", title="x")
    assert len(draw_map(name="m", title="x")) < 6_000
    assert len(everything) < 16_000


def test_names_and_links() -> None:
    points = [Point(*CUSCO, "Cusco", "/doc/place/pe-08"), Point(48.85, 2.35, "París")]
    svg = parse(draw_map(points, name="m", title="Dos lugares", description="Uno fuera."))
    assert svg.attrib["role"] == "group"
    assert svg.attrib["aria-labelledby"] == "m-title m-desc"
    links = list(svg.iter(f"{SVG}a"))
    assert [(link.attrib["href"], link.attrib["aria-label"]) for link in links] == [("/doc/place/pe-08", "Cusco")]
    assert len(list(svg.iter(f"{SVG}circle"))) == 1, "what lies outside the country is not drawn"
    assert parse(draw_map([Point(*CUSCO, "Cusco")], name="m", title="x")).attrib["role"] == "img"


def test_nothing_in_a_name_is_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    svg = parse(draw_map([Point(*CUSCO, hostile, hostile)], name="m", title=hostile, description=hostile))
    assert not list(svg.iter(f"{SVG}script"))
    assert next(svg.iter(f"{SVG}a")).attrib["aria-label"] == hostile


def test_more_things_make_a_larger_circle_up_to_a_limit() -> None:
    def radius(weight: int) -> float:
        svg = parse(draw_map([Point(*CUSCO, "x", weight=weight)], name="m", title="x"))
        return float(next(svg.iter(f"{SVG}circle")).attrib["r"])

    assert radius(1) < radius(10) < radius(100) <= radius(10_000) == radius(20_000)


def test_a_simplified_line_stays_near_the_original() -> None:
    line = [(float(x), 10 * math.sin(x / 7)) for x in range(100)]
    short = simplify(line, 0.5)
    assert short[0] == line[0]
    assert short[-1] == line[-1]
    assert len(short) < len(line) / 2
    for x, y in line:
        before = max(corner for corner in short if corner[0] <= x)
        after = min((corner for corner in short if corner[0] >= x), default=before)
        share = 0.0 if after == before else (x - before[0]) / (after[0] - before[0])
        assert abs(before[1] + share * (after[1] - before[1]) - y) <= 1.0
