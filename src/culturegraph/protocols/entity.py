"""What a page tells of one IRI, as values: groups of statements in sections, with the numbers of their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from typing import Literal as OneOf

from culturegraph.protocols.attribution import SourceNote
from culturegraph.protocols.labels import Name
from culturegraph.protocols.layout import Section
from culturegraph.rdf.vocabulary import SKOS

Direction = OneOf["out", "in"]

# Values of one property that a page shows before it offers the rest, and on a page of its own.
SHOWN: Final = 10
PAGE: Final = 200
# Outdated or derogatory names: they make things findable and are never shown.
HIDDEN: Final = frozenset({SKOS + "hiddenLabel"})


@dataclass(frozen=True)
class Value:
    """One object (or, of incoming statements, subject) with the numbers of the sources that say so."""

    name: Name
    href: str | None
    iri: str | None
    datatype: str | None
    sources: tuple[int, ...]
    # Where it says why, for what no source states.
    why: str | None = None
    # The RDF term itself.
    term: Any = None
    # Of a name: "variant" or "editorial", empty for one by which a source calls the thing.
    status: str = ""

    @cached_property
    def is_local(self) -> bool:
        """Whether a click stays on this server."""
        return self.href is not None and self.href.startswith("/")


@dataclass(frozen=True)
class Group:
    """The statements of one property, in one direction."""

    predicate: str
    name: Name
    href: str | None
    direction: Direction
    values: tuple[Value, ...]
    total: int

    @property
    def has_more(self) -> bool:
        """Whether there are values that are not shown."""
        return self.total > len(self.values)


@dataclass(frozen=True)
class Part:
    """A section of the page with its groups."""

    section: Section
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Entity:
    """What a page tells of one IRI. `repeated` are groups without values: inferences that would repeat the rest."""

    iri: str
    name: Name
    types: tuple[Value, ...]
    description: Name | None
    names: Group | None
    parts: tuple[Part, ...]
    repeated: tuple[Group, ...]
    sources: tuple[SourceNote, ...]
    own: Mapping[str, tuple[Any, ...]]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of all parts, in the order of the page."""
        return tuple(group for part in self.parts for group in part.groups)


@dataclass(frozen=True)
class Window:
    """One property of an entity, shown a page at a time instead of everything else."""

    predicate: str
    direction: Direction
    page: int = 1
