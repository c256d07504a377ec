"""A SKOS scheme as people read it: a tree of concepts, the same from A to Z, and where a concept stands.

What is a concept of a scheme, what lies above it and how much it classifies is the query `scheme-concepts.rq`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels, Name, Reference, refer, sort_key
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import DCTERMS, SKOS

CONCEPTS: Final = "scheme-concepts"
# Concepts that a page shows; a larger scheme is downloaded.
MAX_SHOWN: Final = 3_000
_ALTERNATIVE: Final = NamedNode(SKOS + "altLabel")
_TEXTS: Final = ("definition", "scopeNote", "note", "example")
_IN_SCHEME: Final = NamedNode(SKOS + "inScheme")


@dataclass(frozen=True)
class Node:
    """A concept in the tree of its scheme: its notation, how many things it classifies, the concepts below it."""

    concept: Reference
    notation: str
    count: int
    below: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Listed:
    """A line from A to Z: a name of a concept, which is its preferred one where `instead` is None; its notes."""

    name: Name
    concept: Reference
    count: int
    instead: Name | None = None
    notes: tuple[tuple[str, Name], ...] = ()


@dataclass(frozen=True)
class Scheme:
    """What a page tells of a scheme. `letters`: the lines from A to Z under their first letter."""

    iri: str
    name: Name
    description: Name | None
    about: tuple[tuple[str, Reference], ...]
    total: int
    tree: tuple[Node, ...]
    letters: tuple[tuple[str, tuple[Listed, ...]], ...]
    sparql: str


@dataclass(frozen=True)
class Position:
    """Where a concept stands in its scheme: the ways from the top down to it, and what lies below it."""

    scheme: Reference
    ways: tuple[tuple[Reference, ...], ...]
    below: tuple[Node, ...]
    beside: tuple[Reference, ...]


@dataclass(frozen=True)
class _Concepts:
    """The rows of a scheme: what lies above and below each concept, notations and counts."""

    above: Mapping[str, Sequence[str]]
    below: Mapping[str, Sequence[str]]
    notations: Mapping[str, str]
    counts: Mapping[str, int]

    @property
    def tops(self) -> list[str]:
        """The concepts with nothing above; of a ring of concepts, the first."""
        found = [concept for concept in self.above if not self.above[concept]]
        reached = set(self._reach(found))
        for concept in self.above:
            if concept not in reached:
                found.append(concept)
                reached |= set(self._reach([concept]))
        return found

    def _reach(self, start: Iterable[str]) -> Iterable[str]:
        waiting, seen = list(start), set()
        while waiting:
            concept = waiting.pop()
            if concept not in seen:
                seen.add(concept)
                waiting += self.below.get(concept, ())
        return seen


def describe_scheme(store: Dataset, query: QueryFile, iri: str, language: str) -> Scheme | None:
    """Return what a page tells of a scheme, or None where nothing is in it."""
    concepts = _read(store, query, iri)
    if not concepts.above:
        return None
    labels = Labels(store, language)
    shown = list(concepts.above)[:MAX_SHOWN]
    return Scheme(
        iri=iri,
        name=labels.of(iri),
        description=_text(store, labels, iri, DCTERMS + "description"),
        about=tuple(_about(store, labels, iri)),
        total=len(concepts.above),
        tree=_nodes(concepts.tops[:MAX_SHOWN], concepts, labels, frozenset()),
        letters=_letters(_list(store, shown, concepts, labels)),
        sparql=query.bind({"scheme": iri}),
    )


def find_position(store: Dataset, query: QueryFile, iri: str, language: str) -> Position | None:
    """Return where a concept stands, or None where it is in no scheme of ours."""
    found = store.quads_for_pattern(NamedNode(iri), _IN_SCHEME, None, DefaultGraph())
    schemes = sorted(
        q.object.value for q in found if isinstance(q.object, NamedNode) and iri.startswith(q.object.value)
    )
    if not schemes:
        return None
    labels, concepts = Labels(store, language), _read(store, query, schemes[0])
    above = concepts.above.get(iri, ())
    siblings = {other for parent in above for other in concepts.below[parent]} if above else set(concepts.tops)
    beside = (refer(NamedNode(other), labels) for other in siblings - {iri})
    return Position(
        refer(NamedNode(schemes[0]), labels),
        tuple(tuple(refer(NamedNode(step), labels) for step in way) for way in _ways(iri, concepts, ())),
        _nodes(concepts.below.get(iri, ()), concepts, labels, frozenset({iri})),
        tuple(sorted(beside, key=lambda reference: sort_key(reference.name.text))),
    )


def _read(store: Dataset, query: QueryFile, scheme: str) -> _Concepts:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    notations: dict[str, str] = {}
    counts: dict[str, int] = {}
    rows: Any = store.query(query.bind({"scheme": scheme}))
    for row in sorted(rows, key=str):
        if row["concept"] is None:
            continue
        concept = row["concept"].value
        parents = above.setdefault(concept, [])
        counts[concept] = int(row["count"].value)
        if row["notation"] is not None:
            notations[concept] = row["notation"].value
        if row["broader"] is not None and row["broader"].value not in parents:
            parents.append(row["broader"].value)
            below.setdefault(row["broader"].value, []).append(concept)
    return _Concepts(above, below, notations, counts)


def _nodes(concepts: Iterable[str], all_of_them: _Concepts, labels: Labels, path: frozenset[str]) -> tuple[Node, ...]:
    nodes = (
        Node(
            refer(NamedNode(concept), labels),
            all_of_them.notations.get(concept, ""),
            all_of_them.counts[concept],
            _nodes(all_of_them.below.get(concept, ()), all_of_them, labels, path | {concept}),
        )
        for concept in concepts
        # A ring of concepts is an error of the scheme, and no reason to go round in it for ever.
        if concept not in path
    )
    return tuple(sorted(nodes, key=lambda node: (_natural(node.notation), sort_key(node.concept.name.text))))


def _natural(notation: str) -> tuple[tuple[int, str], ...]:
    """Return what a notation is sorted by: 4.10 after 4.9."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in re.findall(r"\d+|\D+", notation))


def _ways(concept: str, concepts: _Concepts, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return each way from the top down to a concept, itself last."""
    if concept in path:
        return []
    parents = concepts.above.get(concept, ())
    own = (concept, *path)
    return [way for parent in parents for way in _ways(parent, concepts, own)] if parents else [own]


def _list(store: Dataset, iris: Iterable[str], concepts: _Concepts, labels: Labels) -> Iterable[Listed]:
    for iri in iris:
        concept = refer(NamedNode(iri), labels)
        notes = ((kind, _text(store, labels, iri, SKOS + kind)) for kind in _TEXTS)
        told = tuple((kind, note) for kind, note in notes if note)
        yield Listed(concept.name, concept, concepts.counts[iri], None, told)
        for quad in store.quads_for_pattern(NamedNode(iri), _ALTERNATIVE, None, DefaultGraph()):
            if isinstance(quad.object, Literal):
                name = Name(quad.object.value, quad.object.language)
                yield Listed(name, concept, concepts.counts[iri], concept.name)


def _letters(lines: Iterable[Listed]) -> tuple[tuple[str, tuple[Listed, ...]], ...]:
    found: dict[str, list[Listed]] = {}
    for line in sorted(lines, key=lambda line: sort_key(line.name.text)):
        first = sort_key(line.name.text)[:1].upper()
        found.setdefault(first if first.isalpha() else "0-9", []).append(line)
    return tuple((letter, tuple(lines)) for letter, lines in sorted(found.items()))


def _about(store: Dataset, labels: Labels, iri: str) -> Iterable[tuple[str, Reference]]:
    for name, predicate in (("licence", DCTERMS + "license"), ("source", DCTERMS + "source")):
        for quad in store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None, DefaultGraph()):
            yield name, refer(quad.object, labels)


def _text(store: Dataset, labels: Labels, iri: str, predicate: str) -> Name | None:
    found = store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None, DefaultGraph())
    literals = [quad.object for quad in found if isinstance(quad.object, Literal)]
    if not literals:
        return None
    best = labels.best(literals)
    return Name(best.value, best.language)
