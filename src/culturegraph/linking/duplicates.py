"""Entities that may be one thing: alike names, a place in common, the same class.

Owns the comparison of entities, which is a pure function of the quads: the same tables give the same suspects. Refuses
to decide: a suspected pair is judged by somebody, and the verdict is a row of `data/mappings.csv`.

How: names that share a word, or begin alike, make a block; the pairs of a block are compared word by word (Jaccard
index) and letter by letter. What holds for the names of one kind of thing alone is in `_KINDS`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.linking.likeness import Name, read_name
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import BASE, CG, RDFS, SKOS, TYPE

_NAMES: Final = (RDFS + "label", SKOS + "altLabel")
_PLACES: Final = (CG + "locatedIn", CG + "livesIn", CG + "within", CG + "jurisdiction")
# The class of an expression whose kind no source tells: it parts nothing.
_EXPRESSION: Final = CG + "CulturalExpression"
_PLACE: Final = BASE + "id/place/pe-"
_THRESHOLD: Final = 0.6
_OF_EXPRESSIONS: Final = frozenset(
    re.findall(
        r"\w+",
        """baile carnaval carnavales danza danzas festival festividad festividades fiesta fiestas feria celebracion
        musica honor patron patrona patronal patronales religiosa santisima tradicional tradicionales artesania
        conocimientos elaboracion practicas produccion saberes tecnicas usos asociada asociadas asociados campesina
        comunidad departamento distrito nativa provincia pueblo""",
    )
)
_OF_COMMUNITIES: Final = frozenset({"campesina", "centro", "comunidad", "indigena", "nativa", "pueblo"})
_OF_ORGANISATIONS: Final = frozenset(
    {"artistica", "asociacion", "centro", "civil", "colectivo", "cultural", "grupo", "taller"}
)
# A block of more names than this says nothing: blocks stay small.
_LARGEST_BLOCK: Final = 60


@dataclass(frozen=True)
class _Kind:
    """What is compared with what: things of one family, whose places agree in so many digits of their ubigeo."""

    family: str
    digits: int = 2
    threshold: float = _THRESHOLD
    # Words that say the kind of thing: two feasts are not one because both are called “fiesta patronal”.
    generic: frozenset[str] = frozenset()


# By the first part of the IRI. Situations and evidence are not here: two of them may well be called alike.
_KINDS: Final[Mapping[str, _Kind]] = {
    "expression": _Kind("expression", digits=4, generic=_OF_EXPRESSIONS),
    "community": _Kind("community", threshold=0.85, generic=_OF_COMMUNITIES),
    "people": _Kind("people"),
    "language": _Kind("language"),
    "person": _Kind("person"),
    "institution": _Kind("organisation", threshold=0.75, generic=_OF_ORGANISATIONS),
    "group": _Kind("organisation", generic=_OF_ORGANISATIONS),
    "punto": _Kind("organisation", generic=_OF_ORGANISATIONS),
    "programme": _Kind("programme"),
    "cooperation": _Kind("programme"),
    "norm": _Kind("norm", threshold=0.85),
    "treaty": _Kind("treaty", threshold=0.85),
    "event": _Kind("event", threshold=0.75),
    "supported-project": _Kind("project"),
    "work": _Kind("work"),
    "documentary-heritage": _Kind("work"),
    "document": _Kind("work"),
    "instrument": _Kind("instrument"),
    "place": _Kind("place", digits=4, threshold=0.85),
}


@dataclass(frozen=True, order=True)
class Suspect:
    """Two entities that may be one, and how alike their closest names are (0 to 1)."""

    first: str
    second: str
    likeness: float


@dataclass
class _Entity:
    kind: _Kind
    segment: str
    names: set[Name] = field(default_factory=set)
    other_names: set[Name] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    is_coded: bool = False

    def add(self, predicate: str, value: NamedNode | Literal) -> None:
        """Take in one statement about the entity."""
        if isinstance(value, Literal):
            if predicate in _NAMES and value.language == "es":
                names = self.names if predicate == _NAMES[0] else self.other_names
                names.add(read_name(value.value, self.kind.generic))
            elif predicate == CG + "number":
                self.numbers.add(value.value.upper().replace(" ", ""))
            elif predicate == CG + "ubigeoInei":
                self.is_coded = True
        elif predicate == TYPE.value and value.value != _EXPRESSION:
            self.classes.add(value.value)
        elif predicate in _PLACES and value.value.startswith(_PLACE):
            self.places.add(value.value.removeprefix(_PLACE)[: self.kind.digits])


def _read(quads: Iterable[Quad]) -> tuple[dict[str, _Entity], set[frozenset[str]]]:
    """The entities that are compared, and the pairs that a verdict names."""
    entities: dict[str, _Entity] = {}
    verdicts: dict[str, set[str]] = defaultdict(set)
    for quad in quads:
        # What is inferred (a superclass, a wider place) makes unlike things look alike.
        if quad.graph_name == INFERRED or not isinstance(quad.subject, NamedNode):
            continue
        subject, predicate, value = quad.subject.value, quad.predicate.value, quad.object
        if isinstance(value, NamedNode) and predicate in (CG + "mappingSubject", CG + "mappingObject"):
            verdicts[subject].add(value.value)
        segment = subject.removeprefix(BASE + "id/").partition("/")[0]
        if segment in _KINDS and isinstance(value, NamedNode | Literal):
            entities.setdefault(subject, _Entity(_KINDS[segment], segment)).add(predicate, value)
    judged = {frozenset(pair) for named in verdicts.values() for pair in combinations(sorted(named), 2)}
    # Administrative places are told apart by their codes.
    return {iri: entity for iri, entity in entities.items() if not entity.is_coded}, judged


def _blocks(entities: Mapping[str, _Entity]) -> Iterator[set[str]]:
    index: dict[tuple[str, str], set[str]] = defaultdict(set)
    for iri, entity in entities.items():
        family = entity.kind.family
        for name in entity.names | entity.other_names:
            for key in (*name.words, name.letters[:4] + "…", name.letters):
                index[family, key].add(iri)
        for number in entity.numbers:
            index[family, "no. " + number].add(iri)
    yield from (block for (_, key), block in index.items() if 1 < len(block) <= _LARGEST_BLOCK)


def _likeness(first: _Entity, second: _Entity) -> float:
    """Return how alike the closest names are; norms of one number are alike whatever they are called."""
    if first.numbers and second.numbers:
        return float(bool(first.numbers & second.numbers))
    # An outdated name is often one of several peoples: other names alone say nothing.
    pairs = {*product(first.names, second.names | second.other_names), *product(first.other_names, second.names)}
    return max((one.likeness(other) for one, other in pairs), default=0.0)


def _meet(first: _Entity, second: _Entity) -> bool:
    """Share a class and a place; a place or a class that is unknown does not part them."""
    same_class = (
        first.segment != second.segment
        or not first.classes
        or not second.classes
        or bool(first.classes & second.classes)
    )
    near = any(a.startswith(b) or b.startswith(a) for a in first.places for b in second.places)
    return same_class and (near or not first.places or not second.places)


def find_duplicates(quads: Iterable[Quad]) -> list[Suspect]:
    """Return the pairs of entities that may be one and that no verdict names, the most alike first."""
    entities, judged = _read(quads)
    pairs = {pair for block in _blocks(entities) for pair in combinations(sorted(block), 2)}
    suspects = []
    for first, second in pairs:
        one, other = entities[first], entities[second]
        if frozenset((first, second)) in judged or not _meet(one, other):
            continue
        likeness = _likeness(one, other)
        if likeness >= max(one.kind.threshold, other.kind.threshold):
            suspects.append(Suspect(first, second, round(likeness, 2)))
    return sorted(suspects, key=lambda suspect: (-suspect.likeness, suspect.first, suspect.second))
