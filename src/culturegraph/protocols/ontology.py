"""The axioms of the ontology, read once from a store into mappings that pages and diagrams walk. IRIs throughout.

What the alignments add about foreign terms stays out: `terms` shows it apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import LABEL_PROPERTIES, Labels, Name, sort_key
from culturegraph.protocols.modules import KINDS, Module
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import ONTOLOGY
from culturegraph.rdf.vocabulary import CG, DCTERMS, OWL, RDF, RDFS, TYPE

CHARACTERISTICS: Final = {
    OWL + "TransitiveProperty": "transitive",
    OWL + "SymmetricProperty": "symmetric",
    OWL + "AsymmetricProperty": "asymmetric",
    OWL + "IrreflexiveProperty": "irreflexive",
    OWL + "ReflexiveProperty": "reflexive",
    OWL + "FunctionalProperty": "functional",
    OWL + "InverseFunctionalProperty": "inverse_functional",
}
_SHARED: Final = "culturegraph: "
_FIRST, _REST = NamedNode(RDF + "first"), NamedNode(RDF + "rest")


class Ontology:
    """Terms of ours with what the axioms say of them; each mapping goes from an IRI to sorted IRIs."""

    def __init__(self, store: Dataset, modules: Iterable[Module]) -> None:
        self._store = store
        self.modules = tuple(modules)
        self.module_of: Mapping[str, Module] = {term: module for module in self.modules for term in module.terms}
        self.kinds = {
            quad.subject.value: key
            for key, kind in reversed(KINDS.items())
            for quad in store.quads_for_pattern(None, TYPE, kind, DefaultGraph())
            if isinstance(quad.subject, NamedNode) and quad.subject.value in self.module_of
        }
        above = self._pairs(RDFS + "subClassOf") + self._pairs(RDFS + "subPropertyOf")
        self.parents = _group(above)
        self.children = _group((other, one) for one, other in above)
        self.domains = _group(self._pairs(RDFS + "domain"))
        self.ranges = _group(self._pairs(RDFS + "range"))
        inverses = self._pairs(OWL + "inverseOf")
        self.inverses = _group([*inverses, *((other, one) for one, other in inverses)])
        self.disjoint = _group(self._disjoint_pairs())
        self.chains = self._chains()

    def terms(self, module: Module, kind: str) -> list[str]:
        """Return the terms of one kind that a module declares."""
        return [term for term in module.terms if self.kinds.get(term) == kind]

    def characteristics(self, iri: str) -> list[str]:
        """Return what kind of property a term is, as keys: transitive, symmetric …"""
        types = self._store.quads_for_pattern(NamedNode(iri), TYPE, None, ONTOLOGY)
        return sorted(CHARACTERISTICS[q.object.value] for q in types if q.object.value in CHARACTERISTICS)  # type: ignore[union-attr]

    def domain(self, iri: str) -> tuple[str, ...]:
        """Return what a property applies to: as declared, else as its inverse or a broader property has it."""
        return self._end(iri, self.domains, self.ranges, frozenset())

    def range(self, iri: str) -> tuple[str, ...]:
        """Return what values a property takes, likewise."""
        return self._end(iri, self.ranges, self.domains, frozenset())

    def _end(self, iri: str, own: _Links, opposite: _Links, seen: frozenset[str]) -> tuple[str, ...]:
        if iri in own:
            return own[iri]
        for inverse in self.inverses.get(iri, ()):
            if inverse in opposite:
                return opposite[inverse]
        for parent in self.parents.get(iri, ()):
            if parent not in seen and (found := self._end(parent, own, opposite, seen | {iri})):
                return found
        return ()

    def _pairs(self, predicate: str) -> list[tuple[str, str]]:
        quads = self._store.quads_for_pattern(None, NamedNode(predicate), None, ONTOLOGY)
        return [
            (quad.subject.value, quad.object.value)
            for quad in quads
            if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode)
        ]

    def _disjoint_pairs(self) -> list[tuple[str, str]]:
        pairs = self._pairs(OWL + "disjointWith")
        for name in ("members", "disjointUnionOf"):
            for quad in self._store.quads_for_pattern(None, NamedNode(OWL + name), None, ONTOLOGY):
                members = self._list(quad.object)
                pairs += [(one, other) for one in members for other in members if one != other]
        return [*pairs, *((other, one) for one, other in pairs)]

    def _chains(self) -> dict[str, list[tuple[str, ...]]]:
        found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for quad in self._store.quads_for_pattern(None, NamedNode(OWL + "propertyChainAxiom"), None, ONTOLOGY):
            found[getattr(quad.subject, "value", "")].append(tuple(self._list(quad.object)))
        return {iri: sorted(chains) for iri, chains in found.items()}

    def _list(self, head: Any) -> list[str]:
        members: list[str] = []
        while isinstance(head, BlankNode) and len(members) < 1000:
            about = {q.predicate: q.object for q in self._store.quads_for_pattern(head, None, None, ONTOLOGY)}
            if isinstance(about.get(_FIRST), NamedNode):
                members.append(about[_FIRST].value)  # type: ignore[union-attr]
            head = about.get(_REST)
        return members


_Links = Mapping[str, tuple[str, ...]]


def _group(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        found[one].add(other)
    return {one: tuple(sorted(others)) for one, others in found.items()}


@dataclass(frozen=True)
class Header:
    """What the ontology, or a module of it, says of itself."""

    iri: str
    title: Name
    description: Name | None
    version: str | None
    version_iri: str | None
    licence: str | None
    creators: tuple[str, ...]
    prefix: str | None


def read_header(store: Dataset, iri: str, labels: Labels) -> Header:
    """Return what an ontology says of itself; its title is at least its short name."""
    node = NamedNode(iri)

    def values(predicate: str) -> list[Any]:
        found = store.quads_for_pattern(node, NamedNode(predicate), None, DefaultGraph())
        return sorted((quad.object for quad in found), key=str)

    def first(predicate: str) -> str | None:
        return next((term.value for term in values(predicate)), None)

    descriptions = [term for term in values(DCTERMS + "description") if isinstance(term, Literal)]
    best = labels.best(descriptions) if descriptions else None
    return Header(
        iri=iri,
        title=labels.of(iri),
        description=Name(best.value, best.language) if best else None,
        version=first(OWL + "versionInfo"),
        version_iri=first(OWL + "versionIRI"),
        licence=first(DCTERMS + "license"),
        creators=tuple(term.value for term in values(DCTERMS + "creator")),
        prefix=first("http://purl.org/vocab/vann/preferredNamespacePrefix"),
    )


def module_name(module: Module, labels: Labels) -> Name:
    """Return the name of a module without what the titles of all modules begin with."""
    title = labels.of(module.iri)
    return Name(title.text.removeprefix(_SHARED), title.language)


def sort_by_name(iris: Iterable[str], labels: Labels) -> list[str]:
    """Return IRIs in the order of their names."""
    return sorted(iris, key=lambda iri: (sort_key(labels.of(iri).text), iri))


def short_name(iri: str) -> str:
    """Return the prefixed name of a term of ours."""
    return f"cg:{iri.removeprefix(CG)}"


def other_names(store: Dataset, iri: str, shown: Name) -> tuple[Name, ...]:
    """Return the names of a term in languages other than the one shown."""
    quads = (quad for label in LABEL_PROPERTIES for quad in store.quads_for_pattern(NamedNode(iri), label, None, None))
    names = {Name(q.object.value, q.object.language) for q in quads if isinstance(q.object, Literal)}
    return tuple(sorted(names - {shown}, key=lambda name: (name.language or "", name.text)))
