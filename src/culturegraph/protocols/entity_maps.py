"""Where things are: the coordinates and departments of places, and the map of an entity. Pure: a store in, SVG out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from culturegraph.protocols.labels import Labels, Name
from culturegraph.protocols.maps import Area, Point, draw_map, is_drawn
from culturegraph.protocols.steps import Path
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG, PREFIXES

_WITHIN: Final = NamedNode(CG + "within")
_MERGE: Final = DefaultGraph()
# Places that one map shows at most.
MAX_PLACES: Final = 300
# How an area is shaded: what the page is about, and the department that a point lies in.
_STRONG, _WEAK = 4, 1


class Gazetteer:
    """The places of a store: coordinates (WGS84 degrees) and department codes, read once."""

    def __init__(self, store: Dataset) -> None:
        self._store = store
        latitudes, longitudes = self._numbers("lat"), self._numbers("long")
        self.coordinates = {iri: (latitudes[iri], longitudes[iri]) for iri in latitudes.keys() & longitudes.keys()}
        found = store.quads_for_pattern(None, NamedNode(CG + "fipsCode"), None, _MERGE)
        codes = {str(quad.subject.value): str(quad.object.value) for quad in found}  # type: ignore[union-attr]
        self.codes = {iri: code for iri, code in codes.items() if is_drawn(code)}

    def department(self, iri: str) -> str | None:
        """Return the department that a place lies in, or is."""
        if iri in self.codes:
            return iri
        above = self._store.quads_for_pattern(NamedNode(iri), _WITHIN, None, _MERGE)
        return next((str(q.object.value) for q in above if q.object.value in self.codes), None)  # type: ignore[union-attr]

    def is_drawable(self, iri: str) -> bool:
        """Say whether a place has coordinates or an outline."""
        return iri in self.coordinates or iri in self.codes

    def _numbers(self, local: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for quad in self._store.quads_for_pattern(None, NamedNode(PREFIXES["geo"] + local), None, _MERGE):
            try:
                found.setdefault(quad.subject.value, float(quad.object.value))  # type: ignore[union-attr]
            except ValueError:  # What is no number is for validation to tell, not for a map.
                continue
        return found


@dataclass(frozen=True)
class EntityMap:
    """A map with the names of what it shows, for those who do not see it."""

    svg: Markup
    shown: tuple[Name, ...]


def find_places(store: Dataset, gazetteer: Gazetteer, paths: Iterable[Path], iri: str) -> list[str]:
    """Return where an entity is, as IRIs that can be drawn: itself, else what the first paths lead to."""
    if gazetteer.is_drawable(iri):
        return [iri]
    found: dict[str, None] = {}
    for path in paths:
        for node in path.nodes(store, NamedNode(iri)):
            if isinstance(node, NamedNode) and gazetteer.is_drawable(node.value):
                found[node.value] = None
        if found and not all(place in gazetteer.codes for place in found):
            break  # What is precise is enough; areas are made more precise by the paths that follow.
    return list(found)[:MAX_PLACES]


def map_entity(
    store: Dataset, gazetteer: Gazetteer, paths: Iterable[Path], iri: str, labels: Labels
) -> EntityMap | None:
    """Return the map of an entity, or None where nothing says where it is."""
    # By name: the order in which a store finds them says nothing.
    shown = sorted(find_places(store, gazetteer, paths, iri), key=lambda place: (labels.of(place).text, place))
    areas = {place: _STRONG for place in shown if place in gazetteer.codes}
    points = [place for place in shown if place not in areas]
    for place in points:
        department = gazetteer.department(place)
        if department is not None:
            areas.setdefault(department, _WEAK)
    if not areas and not points:
        return None
    title = labels.of(iri).text
    # The lists beside it hold the links: one picture is easier on a keyboard than two hundred stops.
    svg = draw_map(
        [Point(*gazetteer.coordinates[place], labels.of(place).text) for place in points],
        [Area(gazetteer.codes[place], labels.of(place).text, shade=shade) for place, shade in areas.items()],
        name="map",
        title=title,
        description=", ".join(labels.of(place).text for place in shown[:30]),
    )
    return EntityMap(svg, tuple(labels.of(place) for place in shown))
