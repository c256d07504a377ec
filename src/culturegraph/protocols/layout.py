"""How the page of an entity is laid out, as `queries/pages/entity.yaml` says: sections, sentences, map, timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, Final

import yaml

from culturegraph.errors import DataError
from culturegraph.protocols.steps import Path, expand, read_path
from culturegraph.rdf.vocabulary import BASE

FILE: Final = "pages/entity.yaml"
# What is placed nowhere else.
OTHER: Final = "other"


@dataclass(frozen=True)
class Section:
    """A part of the page: its heading by language."""

    id: str
    label: Mapping[str, str]


@dataclass(frozen=True)
class Sentence:
    """What an entity of a class is, by language, with the paths that fill the names in it."""

    kind: str
    text: Mapping[str, str]
    names: Mapping[str, Path]


@dataclass(frozen=True)
class Layout:
    """The page of an entity. Without a file everything stands in one section and says what class it is of."""

    sections: tuple[Section, ...] = (Section(OTHER, {"es": "Afirmaciones", "en": "Statements"}),)
    by_property: Mapping[str, str] = field(default_factory=dict)
    by_module: Mapping[str, str] = field(default_factory=dict)
    sentences: tuple[Sentence, ...] = ()
    map_paths: tuple[Path, ...] = ()
    # Date properties of an entity, and those of them that also date what it is linked to.
    dates: tuple[str, ...] = ()
    linked_dates: tuple[str, ...] = ()
    dated_through: frozenset[str] = frozenset()
    # Entities that the front page begins with.
    front: tuple[str, ...] = ()
    # Where a value of an identifying property is looked up: its web address with {} in the place of the value.
    addresses: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The places of the properties that are named, in the order of the file."""
        return {iri: place for place, iri in enumerate(self.by_property)}


def read_layout(queries: FilePath) -> Layout:
    """Return the layout of a folder of queries. Raises DataError where its file cannot be used."""
    path = queries / FILE
    if not path.is_file():
        return Layout()
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise DataError(
            f"is not YAML: {getattr(error, 'problem', error)}", path.name, mark and mark.line + 1
        ) from error
    try:
        return _layout(given, path.name)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"lacks something or has it in another form: {error}", path.name) from error


def _layout(given: Mapping[str, Any], file: str) -> Layout:
    by_property: dict[str, str] = {}
    by_module: dict[str, str] = {}
    sections = []
    for entry in given["sections"]:
        sections.append(Section(entry["id"], {key: text for key, text in entry["label"].items() if text}))
        for name in entry.get("properties", ()):
            if by_property.setdefault(expand(name, file), entry["id"]) != entry["id"]:
                raise DataError(f"`{name}` stands in two sections", file)
        for module in entry.get("modules", ()):
            by_module[module] = entry["id"]
    if not sections or sections[-1].id != OTHER:
        raise DataError(f"the last section must be `{OTHER}`", file)
    shared = {name: read_path(text, file) for name, text in given.get("names", {}).items()}
    timeline = given.get("timeline", {})
    dates = [expand(name, file) for name in timeline.get("dates", ())]
    own_only = {expand(name, file) for name in timeline.get("own_only", ())}
    return Layout(
        sections=tuple(sections),
        by_property=by_property,
        by_module=by_module,
        sentences=tuple(_sentence(entry, shared, file) for entry in given.get("sentences", ())),
        map_paths=tuple(read_path(text, file) for text in given.get("map", ())),
        dates=tuple(dates),
        linked_dates=tuple(date for date in dates if date not in own_only),
        dated_through=frozenset(expand(name, file) for name in timeline.get("through", ())),
        front=tuple(BASE + "id/" + name for name in given.get("front", ())),
        addresses={expand(name, file): text for name, text in given.get("addresses", {}).items()},
    )


def _sentence(entry: Mapping[str, Any], shared: Mapping[str, Path], file: str) -> Sentence:
    own = {name: read_path(text, file) for name, text in entry.get("names", {}).items()}
    texts = {key: text for key, text in entry.items() if key not in ("class", "names")}
    return Sentence(expand(entry["class"], file), texts, {**shared, **own})
