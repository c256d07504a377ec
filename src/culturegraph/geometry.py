"""Places as GeoSPARQL wants them: points from their coordinates, outlines of departments, as well-known text.

Derived by the build, not stated by a source: they have a named graph of their own (`graph/geometry`), which is neither
merged into the default graph nor part of the content hash. Geometry is WGS84 degrees, longitude first (CRS84, which is
what a WKT literal without a reference system means).

Source: OGC GeoSPARQL 1.1 §8 (geometry); TopoJSON specification §2.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.rdf.graphs import CATALOGUE, GEOMETRY
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, LABEL, TYPE, WGS84

GEO: Final = "http://www.opengis.net/ont/geosparql#"
_SIMPLE_FEATURES: Final = "http://www.opengis.net/ont/sf#"
_LATITUDE, _LONGITUDE = NamedNode(WGS84 + "lat"), NamedNode(WGS84 + "long")
_FIPS: Final = NamedNode(CG + "fipsCode")
_TOLD: Final = frozenset({_LATITUDE, _LONGITUDE, _FIPS})
# Who drew the outlines; in the public domain.
_OUTLINES: Final = NamedNode("https://www.naturalearthdata.com/")
# The units of the file that a code of ours covers without being named by it.
_WITHOUT_CODE: Final = {"Lima Province": "PE15"}
_TITLES: Final = {
    "es": "Geometrías: puntos según las coordenadas de las fuentes, contornos de Natural Earth",
    "en": "Geometries: points by the coordinates of the sources, outlines of Natural Earth",
}
_Position = tuple[float, float]


def describe_geometry(quads: Iterable[Quad], outlines: Path) -> list[Quad]:
    """Return the quads of `graph/geometry`, and its title in the catalogue.

    `outlines` is a TopoJSON file of first-order divisions with their FIPS 10-4 codes. Without the file there are points
    alone.
    """
    told = _read(quads)
    quads = [*_points(told), *_areas(told, read_outlines(outlines) if outlines.is_file() else {})]
    titles = (Quad(GEOMETRY, LABEL, Literal(text, language=lang), CATALOGUE) for lang, text in _TITLES.items())
    return [*quads, *titles, Quad(GEOMETRY, NamedNode(DCTERMS + "source"), _OUTLINES, CATALOGUE)] if quads else []


def read_outlines(path: Path) -> dict[str, str]:
    """Return the outline of each division, as a WKT multipolygon, by its FIPS code."""
    topology: dict[str, Any] = json.loads(path.read_text("utf-8"))
    arcs = _decode(topology)
    polygons: dict[str, list[str]] = {}
    for unit in topology["objects"]["units"]["geometries"]:
        about = unit["properties"]
        code = about["fips"] or _WITHOUT_CODE.get(about["name"], "")
        for rings in [unit["arcs"]] if unit["type"] == "Polygon" else unit["arcs"]:
            written = ", ".join(_write(_join(arcs, ring)) for ring in rings)
            polygons.setdefault(code, []).append(f"({written})")
    return {code: f"MULTIPOLYGON ({', '.join(found)})" for code, found in sorted(polygons.items()) if code}


def _decode(topology: dict[str, Any]) -> list[list[_Position]]:
    """Return the arcs in degrees: in the file each point is a step from the one before, in whole units."""
    (scale_x, scale_y), (shift_x, shift_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * scale_x + shift_x, y * scale_y + shift_y))
        arcs.append(line)
    return arcs


def _join(arcs: Sequence[Sequence[_Position]], indices: Sequence[int]) -> list[_Position]:
    """Return a ring from its arcs; a negative index is an arc backwards, whose first point the one before has."""
    ring: list[_Position] = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring += arc[1:] if ring else arc
    return ring


def _write(ring: Sequence[_Position]) -> str:
    # Four decimals are eleven metres: finer than the outlines are.
    return f"({', '.join(f'{longitude:.4f} {latitude:.4f}' for longitude, latitude in ring)})"


def _read(quads: Iterable[Quad]) -> dict[NamedNode, dict[NamedNode, str]]:
    """Return coordinates and codes of our places, in their order; of two values the first in the order of the text."""
    told: dict[NamedNode, dict[NamedNode, str]] = {}
    for quad in quads:
        if quad.predicate not in _TOLD or not isinstance(quad.object, Literal):
            continue
        if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(BASE):
            values = told.setdefault(quad.subject, {})
            values[quad.predicate] = min(values.get(quad.predicate, quad.object.value), quad.object.value)
    return dict(sorted(told.items(), key=lambda item: item[0].value))


def _points(told: Mapping[NamedNode, Mapping[NamedNode, str]]) -> Iterator[Quad]:
    for place, values in told.items():
        if _LATITUDE in values and _LONGITUDE in values:
            yield from _geometry(place, "point", "Point", f"POINT ({values[_LONGITUDE]} {values[_LATITUDE]})")


def _areas(told: Mapping[NamedNode, Mapping[NamedNode, str]], outlines: Mapping[str, str]) -> Iterator[Quad]:
    for place, values in told.items():
        if values.get(_FIPS) in outlines:
            yield from _geometry(place, "area", "MultiPolygon", outlines[values[_FIPS]])


def _geometry(place: NamedNode, part: str, kind: str, text: str) -> Iterator[Quad]:
    node = NamedNode(f"{place.value}#{part}")
    yield Quad(place, NamedNode(GEO + "hasGeometry"), node, GEOMETRY)
    yield Quad(node, TYPE, NamedNode(_SIMPLE_FEATURES + kind), GEOMETRY)
    yield Quad(node, NamedNode(GEO + "asWKT"), Literal(text, datatype=NamedNode(GEO + "wktLiteral")), GEOMETRY)
