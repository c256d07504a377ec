"""Where a thing is: a point of its own, that of the place it is in, or the department around it.

Source: W3C Basic Geo (wgs84_pos); GeoSPARQL 1.1 §8 (WKT literals, longitude first).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.solutions import Row, Solutions
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG, TYPE

_GEO: Final = "http://www.w3.org/2003/01/geo/wgs84_pos#"
_LATITUDE, _LONGITUDE = NamedNode(_GEO + "lat"), NamedNode(_GEO + "long")
_FIPS: Final = NamedNode(CG + "fipsCode")
_DEPARTMENT: Final = NamedNode(CG + "Department")
# From near to far: each is tried for a thing without a point of its own.
_PATHS: Final = tuple(
    tuple(NamedNode(CG + name) for name in path.split("/"))
    for path in ("locatedIn", "practisedThrough/locatedIn", "recognises/locatedIn", "locatedWithin", "observedFor")
)
_POINT: Final = re.compile(r"^(?:<[^>]*>\s*)?POINT\s*Z?\s*\(\s*(-?[\d.eE+-]+)[\s,]+(-?[\d.eE+-]+)", re.IGNORECASE)
_LATITUDES, _LONGITUDES = ("lat", "latitude", "latitud"), ("long", "lon", "lng", "longitude", "longitud")


@dataclass(frozen=True)
class Location:
    """WGS84 degrees, and the FIPS 10-4 code where the location is a whole department."""

    latitude: float
    longitude: float
    department: str | None = None
    # The place whose location it is; None where the row has its own coordinates.
    iri: str | None = None


class Places:
    """Looks up locations in one store; remembers what it has found."""

    def __init__(self, store: Dataset) -> None:
        self._store = store
        self._known: dict[str, Location | None] = {}

    def of(self, iri: str) -> Location | None:
        """Return where a thing is, or None where the graph does not say."""
        if iri not in self._known:
            self._known[iri] = self._find(iri)
        return self._known[iri]

    def of_row(self, row: Row, variables: Sequence[str]) -> Location | None:
        """Return where a row of results is: by its coordinates, its geometry, else by its first thing with a place."""
        values = {name.lower(): row[name] for name in variables if name in row}
        latitude = next((values[name].number for name in _LATITUDES if name in values), None)
        longitude = next((values[name].number for name in _LONGITUDES if name in values), None)
        if latitude is not None and longitude is not None:
            return Location(latitude, longitude)
        for value in values.values():
            if value.is_geometry and (match := _POINT.match(value.text)):
                return Location(float(match[2]), float(match[1]))
        return next((found for value in values.values() if value.is_iri and (found := self.of(value.text))), None)

    def _find(self, iri: str) -> Location | None:
        try:
            node = NamedNode(iri)
        except ValueError:
            return None
        if own := self._own(node):
            return own
        for path in _PATHS:
            reached = [node]
            for step in path:
                reached = [thing for start in reached for thing in self._objects(start, step)]
            # The smallest area first: a district says more than its department.
            for place in sorted(reached, key=lambda place: (-len(place.value), place.value)):
                if found := self._own(place):
                    return found
        return None

    def _own(self, node: NamedNode) -> Location | None:
        latitude, longitude = self._number(node, _LATITUDE), self._number(node, _LONGITUDE)
        if latitude is None or longitude is None:
            return None
        return Location(latitude, longitude, self._fips(node), node.value)

    def _fips(self, node: NamedNode) -> str | None:
        if not any(self._store.quads_for_pattern(node, TYPE, _DEPARTMENT, DefaultGraph())):
            return None
        found = self._store.quads_for_pattern(node, _FIPS, None, DefaultGraph())
        return min((quad.object.value for quad in found if isinstance(quad.object, Literal)), default=None)

    def _number(self, node: NamedNode, predicate: NamedNode) -> float | None:
        found = self._store.quads_for_pattern(node, predicate, None, DefaultGraph())
        return min((float(quad.object.value) for quad in found if isinstance(quad.object, Literal)), default=None)

    def _objects(self, node: NamedNode, predicate: NamedNode) -> list[NamedNode]:
        found = self._store.quads_for_pattern(node, predicate, None, DefaultGraph())
        return [quad.object for quad in found if isinstance(quad.object, NamedNode)]


def locate_rows(solutions: Solutions, places: Places) -> Mapping[int, Location]:
    """Return the location of each row that has one, by its place in the answer."""
    located = {}
    for place, row in enumerate(solutions.rows):
        if (found := places.of_row(row, solutions.variables)) is not None:
            located[place] = found
    return located
