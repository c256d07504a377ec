"""The page of an entity: its statements with a sentence, a map, a timeline and a drawing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from culturegraph.protocols.entity import Entity, Part
from culturegraph.protocols.entity_maps import EntityMap, map_entity
from culturegraph.protocols.entity_reader import Reader
from culturegraph.protocols.neighbourhood import Neighbour, choose, draw_neighbourhood
from culturegraph.protocols.sentences import tell_what_it_is
from culturegraph.protocols.timeline import Moment, tell_time
from culturegraph.rdf.vocabulary import BASE

_THINGS: Final = (BASE + "id/",)


@dataclass(frozen=True)
class Words:
    """What the drawing says of itself, in the language of the reader."""

    neighbourhood: str
    neighbourhood_note: str


@dataclass(frozen=True)
class Drawing:
    """The neighbourhood, and the sections that its colours stand for."""

    svg: Markup
    sections: tuple[str, ...]


@dataclass(frozen=True)
class EntityPage:
    """What the page of an entity has beside its statements."""

    sentence: str = ""
    map: EntityMap | None = None
    timeline: tuple[Moment, ...] = ()
    drawing: Drawing | None = None


# Of what is no thing in the world (a class, a graph), and of a window into one property.
NO_PAGE: Final = EntityPage()


def describe_page(reader: Reader, entity: Entity, language: str, words: Words) -> EntityPage:
    """Return what the page of an entity has beside its statements."""
    if not entity.iri.startswith(_THINGS):
        return NO_PAGE
    labels = reader.labels(language)
    kind = ", ".join(dict.fromkeys(value.name.text for value in entity.types[:3]))
    store, layout = reader.store, reader.layout
    return EntityPage(
        sentence=tell_what_it_is(store, layout, entity.iri, kind, labels, language),
        map=map_entity(store, reader.gazetteer, layout.map_paths, entity.iri, labels),
        timeline=tell_time(store, layout, entity.own, labels, language),
        drawing=_draw(reader, entity, words),
    )


def _draw(reader: Reader, entity: Entity, words: Words) -> Drawing | None:
    neighbours = choose(_neighbours(part, entity.iri) for part in entity.parts)
    name = entity.name.text
    title = f"{words.neighbourhood} {name}"
    svg = draw_neighbourhood(reader.store, name, neighbours, title, words.neighbourhood_note)
    if svg is None:
        return None
    return Drawing(svg, tuple(dict.fromkeys(neighbour.section for neighbour in neighbours)))


def _neighbours(part: Part, iri: str) -> list[Neighbour]:
    return [
        Neighbour(value.iri, value.name.text, value.href, group.name.text, part.section.id)
        for group in part.groups
        for value in group.values
        if value.iri is not None and value.iri.startswith(_THINGS) and value.iri != iri
    ]
