"""Answers as GeoJSON: a feature for each row, also for one without a place, so that nothing is lost.

Source: RFC 7946 (a feature without a location has the geometry null; longitude comes first).
"""

from __future__ import annotations

import json
from typing import Any

from culturegraph.protocols.places import Location, Places, locate_rows
from culturegraph.protocols.solutions import Row, Solutions
from culturegraph.rdf.dataset import Dataset


def to_geojson(solutions: Solutions, store: Dataset) -> bytes:
    """Return a FeatureCollection. Properties are the values of the row; an IRI brings its name as `…Label`."""
    located = locate_rows(solutions, Places(store))
    features = [_feature(row, solutions, located.get(place)) for place, row in enumerate(solutions.rows)]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()


def _feature(row: Row, solutions: Solutions, location: Location | None) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name in solutions.variables:
        if name not in row:
            continue
        value = row[name]
        properties[name] = value.text if value.number is None else _plain(value.number)
        if value.is_iri and f"{name}Label" not in solutions.variables:
            properties[f"{name}Label"] = value.name.text
    point = {"type": "Point", "coordinates": [location.longitude, location.latitude]} if location else None
    return {"type": "Feature", "geometry": point, "properties": properties}


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number
