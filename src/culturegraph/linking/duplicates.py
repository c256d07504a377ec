"""Entities that may be one thing: same names, same place, same class.

Owns the comparison of names, places and classes, which is a pure function of the quads. Refuses to decide: a suspected
pair is judged by somebody, and the verdict is a row of `data/mappings.csv`.

How: names that share a word make a block; the pairs of a block are compared word by word (Jaccard index).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.linking.names import spell, words
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import BASE, CG

_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_NAMES = ("http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#altLabel")
_EXPRESSION = BASE + "id/expression/"
_PLACE = BASE + "id/place/pe-"
# Words that say the kind of thing or join others: two feasts are not one because both are called “fiesta patronal”.
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        """a al con de del e el en la las lo los o para por su sus u y
        baile carnaval carnavales danza danzas festival festividad festividades fiesta fiestas feria celebracion musica
        honor patron patrona patronal patronales religiosa santisima tradicional tradicionales
        artesania conocimientos elaboracion practicas produccion saberes tecnicas usos asociada asociadas asociados
        campesina comunidad departamento distrito nativa provincia pueblo""",
    )
)
_THRESHOLD = 0.6
# A token in more names than this says nothing: blocks stay small.
_LARGEST_BLOCK = 60


@dataclass(frozen=True, order=True)
class Suspect:
    """Two entities that may be one, and how alike their closest names are (0 to 1)."""

    first: str
    second: str
    likeness: float


@dataclass
class _Entity:
    names: list[frozenset[str]] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)


def tokens(name: str) -> frozenset[str]:
    """Words of a name that tell it from others: without accents, spelling variants, plurals and generic words."""
    return frozenset(spell(word) for word in words(name) if word not in _GENERIC)


def _read(quads: Iterable[Quad]) -> tuple[dict[str, _Entity], set[frozenset[str]]]:
    """The expressions, and the pairs that a verdict names."""
    entities: dict[str, _Entity] = defaultdict(_Entity)
    verdicts: dict[str, set[str]] = defaultdict(set)
    for quad in quads:
        # What is inferred (a superclass, a wider place) makes unlike things look alike.
        if quad.graph_name == INFERRED or not isinstance(quad.subject, NamedNode):
            continue
        subject, predicate, value = quad.subject.value, quad.predicate.value, quad.object
        if isinstance(value, NamedNode) and predicate in (CG + "mappingSubject", CG + "mappingObject"):
            verdicts[subject].add(value.value)
        if not subject.startswith(_EXPRESSION):
            continue
        if predicate in _NAMES and isinstance(value, Literal) and value.language == "es":
            entities[subject].names.append(tokens(value.value))
        elif not isinstance(value, NamedNode):
            continue
        elif predicate == _RDF_TYPE and value.value != CG + "CulturalExpression":
            entities[subject].classes.add(value.value)
        elif predicate == CG + "locatedIn" and value.value.startswith(_PLACE):
            entities[subject].places.add(value.value.removeprefix(_PLACE)[:4])
    judged = {frozenset(pair) for named in verdicts.values() for pair in combinations(sorted(named), 2)}
    return entities, judged


def _blocks(entities: dict[str, _Entity]) -> Iterator[set[str]]:
    index: dict[str, set[str]] = defaultdict(set)
    for iri, entity in entities.items():
        for name in entity.names:
            for token in name:
                index[token].add(iri)
    yield from (block for block in index.values() if 1 < len(block) <= _LARGEST_BLOCK)


def _likeness(first: _Entity, second: _Entity) -> float:
    """Jaccard index of the two closest names."""
    pairs = [(one, other) for one in first.names for other in second.names if one | other]
    return max((len(one & other) / len(one | other) for one, other in pairs), default=0.0)


def _meet(first: _Entity, second: _Entity) -> bool:
    """Share a class and a province; a place or a class that is unknown does not part them."""
    same_class = not first.classes or not second.classes or bool(first.classes & second.classes)
    near = any(a.startswith(b) or b.startswith(a) for a in first.places for b in second.places)
    return same_class and (near or not first.places or not second.places)


def find_duplicates(quads: Iterable[Quad]) -> list[Suspect]:
    """Return the pairs of expressions that may be one and that no verdict names, the most alike first."""
    entities, judged = _read(quads)
    pairs = {pair for block in _blocks(entities) for pair in combinations(sorted(block), 2)}
    suspects = []
    for first, second in pairs:
        if frozenset((first, second)) in judged or not _meet(entities[first], entities[second]):
            continue
        likeness = _likeness(entities[first], entities[second])
        if likeness >= _THRESHOLD:
            suspects.append(Suspect(first, second, round(likeness, 2)))
    return sorted(suspects, key=lambda suspect: (-suspect.likeness, suspect.first, suspect.second))
