"""What an editor suggests: the classes and properties that the graph has, by VoID, and its prefixes.

Source: W3C VoID §4.5 (class and property partitions); SHACL §5.2.1 (sh:declare).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels, sort_key
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import PREFIXES, SH, VOID, shrink

# What a partition is about, and what counts it.
_PARTITIONS: Final = {"class": ("class", "entities"), "property": ("property", "triples")}
LIMIT: Final = 60


@dataclass(frozen=True)
class Suggestion:
    """A class or property, and how many entities or triples have it."""

    iri: str
    count: int


class Suggestions:
    """The classes, properties and prefixes of one store; read once."""

    def __init__(self, store: Dataset) -> None:
        self._store = store

    @cached_property
    def prefixes(self) -> Mapping[str, str]:
        """The declared prefixes; ours where the store declares none."""
        found = {
            self._value(quad.subject, SH + "prefix"): self._value(quad.subject, SH + "namespace")
            for quad in self._store.quads_for_pattern(None, NamedNode(SH + "prefix"), None, DefaultGraph())
        }
        return {prefix: found[prefix] for prefix in sorted(found) if found[prefix]} or dict(PREFIXES)

    @cached_property
    def _known(self) -> Mapping[str, list[Suggestion]]:
        return {kind: self._read(*names) for kind, names in _PARTITIONS.items()}

    def find(self, kind: str, text: str, language: str) -> list[tuple[Suggestion, str]]:
        """Return the classes or properties whose IRI, prefixed name or label has a text, best first."""
        labels, wanted = Labels(self._store, language), sort_key(text.strip())
        ranked = []
        for item in self._known[kind]:
            label = labels.of(item.iri).text
            rank = _rank(wanted, item.iri, label)
            if rank is not None:
                ranked.append((rank, -item.count, item.iri, item, label))
        return [(item, label) for *_, item, label in sorted(ranked, key=lambda entry: entry[:3])[:LIMIT]]

    def _read(self, about: str, count: str) -> list[Suggestion]:
        found: dict[str, int] = {}
        for quad in self._store.quads_for_pattern(None, NamedNode(VOID + about), None, DefaultGraph()):
            if isinstance(quad.object, NamedNode):
                number = int(self._value(quad.subject, VOID + count) or 0)
                # A named graph may have a partition of its own: the data set's is the largest.
                found[quad.object.value] = max(number, found.get(quad.object.value, 0))
        return [Suggestion(iri, number) for iri, number in found.items()]

    def _value(self, subject: Any, predicate: str) -> str:
        found = self._store.quads_for_pattern(subject, NamedNode(predicate), None, DefaultGraph())
        return next((quad.object.value for quad in found if isinstance(quad.object, Literal | NamedNode)), "")


def _rank(wanted: str, iri: str, label: str) -> int | None:
    if not wanted:
        return 0
    keys = (sort_key(iri), sort_key(shrink(iri)), sort_key(label))
    if any(key.startswith(wanted) for key in keys):
        return 0
    return 1 if any(wanted in key for key in keys) else None
