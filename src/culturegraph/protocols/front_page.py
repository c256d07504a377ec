"""What the front page shows of the graph: some things to begin with, and where expressions are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode, Quad

from culturegraph.protocols.documents import is_known
from culturegraph.protocols.entity_reader import Reader
from culturegraph.protocols.labels import Name, to_href
from culturegraph.protocols.linkeddata import read_entity
from culturegraph.protocols.maps import Area, draw_map
from culturegraph.protocols.search_answers import shade
from culturegraph.protocols.sentences import tell_what_it_is
from culturegraph.protocols.steps import read_path
from culturegraph.rdf.vocabulary import CG, TYPE

_EXPRESSIONS: Final = read_path("cg:placeEncloses[cg:CulturalExpression]")
_DEPARTMENT: Final = NamedNode(CG + "Department")


@dataclass(frozen=True)
class Beginning:
    """A thing that one can begin with, in one sentence."""

    name: Name
    href: str | None
    sentence: str


@dataclass(frozen=True)
class FrontPage:
    """What the front page shows of the graph. `departments` has the numbers of the map, most first."""

    beginnings: tuple[Beginning, ...]
    map: Markup | None
    departments: tuple[tuple[Name, str | None, int], ...]


def describe_front(reader: Reader, language: str, title: str, one: str) -> FrontPage:
    """Return what the front page shows; `title` names the map, `one` what it counts."""
    labels, store = reader.labels(language), reader.store
    beginnings = []
    for iri in reader.layout.front:
        if is_known(store, iri):
            entity = read_entity(reader, iri, language)
            kind = ", ".join(dict.fromkeys(value.name.text for value in entity.types[:1])) if entity else ""
            told = tell_what_it_is(store, reader.layout, iri, kind, labels, language)
            beginnings.append(Beginning(labels.of(iri), to_href(iri), told))
    counts = {iri: len(_EXPRESSIONS.nodes(store, NamedNode(iri))) for iri in _departments(reader)}
    most = max(counts.values(), default=0)
    areas = [
        Area(
            reader.gazetteer.codes[iri],
            f"{labels.of(iri).text}: {count} {one}",
            to_href(iri),
            shade(count, most) if count else 0,
        )
        for iri, count in sorted(counts.items())
    ]
    ranked = sorted(counts, key=lambda iri: (-counts[iri], labels.of(iri).text))
    return FrontPage(
        beginnings=tuple(beginnings),
        map=draw_map(areas=areas, name="front-map", title=title) if most else None,
        departments=tuple((labels.of(iri), to_href(iri), counts[iri]) for iri in ranked),
    )


def _departments(reader: Reader) -> list[str]:
    """Return the departments that can be drawn, and what is drawn beside them (Callao is a province of its own)."""
    codes, country = reader.gazetteer.codes, DefaultGraph()
    departments = [iri for iri in codes if Quad(NamedNode(iri), TYPE, _DEPARTMENT, country) in reader.store]
    drawn = {codes[iri] for iri in departments}
    return [*departments, *(iri for iri, code in codes.items() if code not in drawn)]
