"""The logical axioms of the modules one by one: what each is made of, and what else would have to go to lose it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import BlankNode, NamedNode, Triple

from culturegraph.rdf.vocabulary import OWL, RDF, RDFS, TYPE, XSD, shrink

# What a triple of the ontology says, by its predicate (or, for kinds of property, by its object).
KINDS = {
    RDFS + "subClassOf": "sub-class",
    RDFS + "subPropertyOf": "sub-property",
    RDFS + "domain": "domain",
    RDFS + "range": "range",
    OWL + "inverseOf": "inverse",
    OWL + "propertyChainAxiom": "chain",
    OWL + "TransitiveProperty": "transitive",
    OWL + "SymmetricProperty": "symmetric",
    OWL + "disjointWith": "disjoint classes",
    OWL + "members": "set of disjoint classes",
}
VALUE, MEMBER, LITERAL = "class by fixed value", "member of a disjoint set", "range of literals"
_FIRST, _REST = NamedNode(RDF + "first"), NamedNode(RDF + "rest")
_INVERSE, _SUB_PROPERTY = NamedNode(OWL + "inverseOf"), NamedNode(RDFS + "subPropertyOf")
_HAS_VALUE, _ON_PROPERTY = NamedNode(OWL + "hasValue"), NamedNode(OWL + "onProperty")


@dataclass(frozen=True)
class Axiom:
    """A logical axiom: the triples that go and those that come when it is taken away, and its terms in order."""

    kind: str
    terms: tuple[NamedNode, ...]
    removed: tuple[Triple, ...]
    added: tuple[Triple, ...] = ()

    def __str__(self) -> str:
        return " · ".join(shrink(term.value) for term in self.terms)


class Index:
    """The triples of an ontology, with the walks that axioms need."""

    def __init__(self, triples: Iterable[Triple]) -> None:
        self.triples = list(triples)
        self.objects = {(t.subject, t.predicate): t.object for t in self.triples}
        pairs = [(t.subject, t.object) for t in self.triples if t.predicate == _INVERSE]
        self.inverse = dict(pairs) | {right: left for left, right in pairs}

    def cells(self, head: object) -> Iterator[BlankNode]:
        """Yield the cells of a list."""
        while isinstance(head, BlankNode):
            yield head
            head = self.objects[head, _REST]

    def items(self, head: object) -> list[NamedNode]:
        """Return the members of a list."""
        return [self.objects[cell, _FIRST] for cell in self.cells(head)]


def list_axioms(index: Index) -> list[Axiom]:
    """Return every logical axiom, in the order of the files."""
    return [axiom for triple in index.triples if (axiom := _read_axiom(triple, index))]


def _read_axiom(triple: Triple, index: Index) -> Axiom | None:
    subject, predicate, value = triple
    kind = KINDS.get(value.value if predicate == TYPE and isinstance(value, NamedNode) else predicate.value)
    if kind is None:
        return None
    if kind == "sub-class" and isinstance(subject, BlankNode):
        fixed = (index.objects[subject, _ON_PROPERTY], index.objects[subject, _HAS_VALUE])
        return Axiom(VALUE, (*fixed, value), (triple,))
    if kind == "chain":
        return Axiom(kind, (*index.items(value), subject), (triple,))
    if kind == "set of disjoint classes":
        return Axiom(kind, tuple(index.items(value)), (triple,))
    if kind in {"transitive", "symmetric"}:
        return Axiom(kind, (subject,), (triple,))
    is_literal = kind == "range" and value.value.startswith((XSD, RDFS + "Literal"))
    return Axiom(LITERAL if is_literal else kind, (subject, value), (triple,))


def list_members(index: Index) -> list[Axiom]:
    """Return, for each class of a set of disjoint classes, the loss of this class from the set."""
    found = []
    for triple in index.triples:
        if triple.predicate.value != OWL + "members":
            continue
        before, link = triple.subject, triple.predicate
        for cell in index.cells(triple.object):
            rest = index.objects[cell, _REST]
            removed = (Triple(before, link, cell), Triple(cell, _REST, rest))
            found.append(Axiom(MEMBER, (index.objects[cell, _FIRST],), removed, (Triple(before, link, rest),)))
            before, link = cell, _REST
    return found


def find_twin(axiom: Axiom, index: Index) -> Axiom | None:
    """Return the axiom that says the same of the inverses, if there is one: each of the two follows from the other."""
    if axiom.kind == "sub-property":
        left, right = (index.inverse.get(term) for term in axiom.terms)
        twin = Triple(left, _SUB_PROPERTY, right) if left and right else None
    elif axiom.kind == "transitive" and axiom.terms[0] in index.inverse:
        left = index.inverse[axiom.terms[0]]
        twin = Triple(left, TYPE, axiom.removed[0].object)
    else:
        twin = None
    return Axiom(axiom.kind, (), (twin,)) if twin in index.triples else None
