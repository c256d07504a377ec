"""What changed in the ontology between two releases: terms and axioms, and how much of a new version that asks for.

An axiom is a statement of the ontology that a reasoner reads; the rest are notes. A structure without a name (a list, a
restriction) is told by what it is made of. The levels are those of Semantic Versioning:

major   a term or an axiom is gone, or a disjointness and the like makes wrong what was right before
minor   a new term or axiom; a term is deprecated
patch   labels, definitions, notes

Source: Semantic Versioning 2.0.0, §4 (before 1.0.0 the minor number counts as the major) and §6 to §8; OWL 2 Web
Ontology Language, Mapping to RDF Graphs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from culturegraph.errors import UsageError
from culturegraph.rdf.graphs import ONTOLOGY
from culturegraph.rdf.vocabulary import CG, OWL, RDF, RDFS, TYPE, shrink

_OF_ONTOLOGY: Final = f" <{ONTOLOGY.value}> .\n".encode()
_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_KINDS: Final = frozenset(
    OWL + name for name in ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty", "NamedIndividual")
)
_LOGICAL: Final = frozenset(
    {RDFS + name for name in ("subClassOf", "subPropertyOf", "domain", "range")}
    | {TYPE.value}
    | {
        OWL + name
        for name in (
            "allValuesFrom", "complementOf", "differentFrom", "disjointUnionOf", "disjointWith", "equivalentClass",
            "equivalentProperty", "hasKey", "hasSelf", "hasValue", "intersectionOf", "inverseOf", "members", "oneOf",
            "onProperty", "propertyChainAxiom", "propertyDisjointWith", "sameAs", "someValuesFrom", "unionOf",
        )
    }
)  # fmt: skip
# What makes statements wrong that were right before, instead of adding to what follows from them.
_FORBIDDING: Final = frozenset({OWL + name for name in ("disjointWith", "propertyDisjointWith", "complementOf")})
_FORBIDDING_KINDS: Final = re.compile(
    r"owl:(AllDisjoint\w+|\w*FunctionalProperty|AsymmetricProperty|IrreflexiveProperty|AllDifferent)\b"
)
_DEPRECATED: Final = OWL + "deprecated"
_MAX_DEPTH: Final = 12


class Level(IntEnum):
    """How much a change asks of who uses the ontology."""

    none = 0
    patch = 1
    minor = 2
    major = 3


@dataclass(frozen=True)
class Statement:
    """One statement about a term, written out; `is_axiom` where a reasoner reads it."""

    text: str
    is_axiom: bool
    forbids: bool


@dataclass(frozen=True)
class TermChange:
    """What changed about a term: "added", "removed", "changed"; structures without a name are told as of no term."""

    iri: str
    kind: str
    added: tuple[Statement, ...]
    removed: tuple[Statement, ...]

    @property
    def level(self) -> Level:
        """What the change asks for."""
        if self.kind == "removed" or any(one.is_axiom for one in self.removed):
            return Level.major
        if any(one.forbids for one in self.added):
            return Level.minor if self.kind == "added" else Level.major
        if self.kind == "added" or any(one.is_axiom or "owl:deprecated" in one.text for one in self.added):
            return Level.minor
        return Level.patch


@dataclass(frozen=True)
class OntologyChanges:
    """What changed between two versions of the ontology."""

    iris: tuple[str, str]
    versions: tuple[str, str]
    terms: tuple[TermChange, ...]

    @property
    def level(self) -> Level:
        """The level of the change that asks for most."""
        return max((term.level for term in self.terms), default=Level.none)

    @property
    def step(self) -> Level:
        """The level of the step between the two version numbers; none where there are no two numbers that rise."""
        before, after = (parse_version(version) for version in self.versions)
        if before is None or after is None or after <= before:
            return Level.none
        return level_of_step(before, after)

    @property
    def is_enough(self) -> bool:
        """Whether the version number says what happened."""
        return self.step >= self.level

    def removed(self) -> tuple[str, ...]:
        """Return the IRIs of the terms that are gone."""
        return tuple(term.iri for term in self.terms if term.kind == "removed")

    def record(self) -> dict[str, Any]:
        """Return the changes for machines."""
        return {
            "before": self.versions[0],
            "after": self.versions[1],
            "level": self.level.name,
            "step": self.step.name,
            "is_enough": self.is_enough,
            "terms": [
                {
                    "term": term.iri,
                    "kind": term.kind,
                    "level": term.level.name,
                    "added": [one.text for one in term.added],
                    "removed": [one.text for one in term.removed],
                }
                for term in self.terms
            ],
        }

    def to_text(self) -> str:
        """Return the changes for people."""
        if not self.terms:
            return f"ontology: no change ({self.versions[1] or 'no version'})"
        told = f"ontology: {self.versions[0]} → {self.versions[1]}, changes of level {self.level.name}"
        lines = [told if self.is_enough else f"{told}, more than the version number says"]
        for term in self.terms:
            lines.append(f"  {term.kind:<8} {shrink(term.iri) if term.iri else '(structures without a name)'}")
            lines += [f"    - {one.text}" for one in term.removed if term.kind == "changed"]
            lines += [f"    + {one.text}" for one in term.added if term.kind == "changed"]
        return "\n".join(lines)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return the three numbers of a version, None of what is none."""
    match = _VERSION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def level_of_step(before: tuple[int, int, int], after: tuple[int, int, int]) -> Level:
    """Return the level of a step up. Before 1.0.0 the minor number is the one that may break."""
    if before[0] != after[0]:
        return Level.major
    if before[1] != after[1]:
        return Level.major if before[0] == 0 else Level.minor
    # 0.1.1 may add to 0.1.0, and no more.
    return Level.minor if before[0] == 0 else Level.patch


def is_of_ontology(line: bytes) -> bool:
    """Say whether an N-Quads line stands in the graph of the ontology."""
    return line.endswith(_OF_ONTOLOGY)


def ontology_quads(lines: Iterable[bytes]) -> list[Quad]:
    """Return the quads of lines of the ontology."""
    return list(parse(b"".join(lines), format=RdfFormat.N_QUADS))


def compare_ontologies(before: Sequence[Quad], after: Sequence[Quad]) -> OntologyChanges:
    """Return what changed from one ontology to the other.

    Raises UsageError where both say which ontology they are and these are two: their terms have nothing in common.
    """
    (old_iri, old_version), (new_iri, new_version) = _head(before), _head(after)
    if old_iri and new_iri and old_iri != new_iri:
        raise UsageError(f"two different ontologies cannot be compared: {old_iri} and {new_iri}")
    old, new = _by_term(before), _by_term(after)
    changes = []
    for iri in sorted(old.keys() | new.keys(), key=lambda iri: (not iri, iri)):
        one, other = old.get(iri, {}), new.get(iri, {})
        added = tuple(other[text] for text in sorted(other.keys() - one.keys()))
        removed = tuple(one[text] for text in sorted(one.keys() - other.keys()))
        kind = "changed" if (one and other) or not iri else "added" if other else "removed"
        if added or removed:
            changes.append(TermChange(iri, kind, added, removed))
    return OntologyChanges((old_iri, new_iri), (old_version, new_version), tuple(changes))


def read_version(quads: Iterable[Quad]) -> str:
    """Return the version of an ontology, empty where it does not say."""
    return _head(quads)[1]


def _head(quads: Iterable[Quad]) -> tuple[str, str]:
    """Return the IRI and the version of an ontology: of the whole, where parts of it have heads too."""
    versions = {
        quad.subject.value: quad.object.value
        for quad in quads
        if quad.predicate.value == OWL + "versionInfo"
        and isinstance(quad.subject, NamedNode)
        and isinstance(quad.object, Literal)
    }
    own = next((iri for iri in versions if iri == CG), min(versions, key=len, default=""))
    return own, versions.get(own, "")


def _by_term(quads: Sequence[Quad]) -> dict[str, dict[str, Statement]]:
    """Return the statements about each declared term, by text; those of unnamed structures under the empty name."""
    about: dict[Any, list[Quad]] = defaultdict(list)
    for quad in quads:
        about[quad.subject].append(quad)
    inner = {quad.object for quad in quads if isinstance(quad.object, BlankNode)}
    found: dict[str, dict[str, Statement]] = defaultdict(dict)
    for subject, group in about.items():
        if isinstance(subject, BlankNode):
            if subject not in inner:
                text = _write(subject, about, 0)
                found[""][text] = Statement(text, True, _FORBIDDING_KINDS.search(text) is not None)
            continue
        if not any(quad.predicate == TYPE and getattr(quad.object, "value", "") in _KINDS for quad in group):
            continue
        for quad in group:
            statement = _statement(quad, about)
            found[subject.value][statement.text] = statement
    return dict(found)


def _statement(quad: Quad, about: Mapping[Any, Sequence[Quad]]) -> Statement:
    predicate, value = quad.predicate.value, _write(quad.object, about, 0)
    forbids = predicate in _FORBIDDING or (predicate == TYPE.value and _FORBIDDING_KINDS.search(value) is not None)
    return Statement(f"{shrink(predicate)} {value}", predicate in _LOGICAL, forbids)


def _write(term: Any, about: Mapping[Any, Sequence[Quad]], depth: int) -> str:
    """Return a term as Turtle has it, structures written out."""
    if isinstance(term, NamedNode):
        return shrink(term.value)
    if not isinstance(term, BlankNode):
        return str(term)
    parts = {quad.predicate.value: quad.object for quad in about.get(term, ())}
    if depth > _MAX_DEPTH:
        return "[…]"
    if RDF + "first" in parts:
        members: list[str] = []
        node: Any = term
        while isinstance(node, BlankNode) and len(members) < 1000:
            own = {quad.predicate.value: quad.object for quad in about.get(node, ())}
            members.append(_write(own.get(RDF + "first"), about, depth + 1))
            node = own.get(RDF + "rest")
        return f"( {' '.join(members)} )"
    told = sorted(f"{shrink(q.predicate.value)} {_write(q.object, about, depth + 1)}" for q in about.get(term, ()))
    return f"[ {' ; '.join(told)} ]"
