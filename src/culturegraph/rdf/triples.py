"""A small graph in memory for what is read node by node: a shapes graph, a report.

A store answers queries over millions of triples; this answers "the values of a property of a node" over thousands,
without a query for each. Graph names are dropped and terms are kept as they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from culturegraph.rdf.vocabulary import RDF

Term: TypeAlias = NamedNode | BlankNode | Literal

FIRST: Final = NamedNode(RDF + "first")
REST: Final = NamedNode(RDF + "rest")
NIL: Final = NamedNode(RDF + "nil")


class Triples:
    """An immutable set of triples, indexed by subject and by predicate. Terms come in the order of the triples."""

    def __init__(self, triples: Iterable[Quad | Triple]) -> None:
        self._by_subject: dict[Any, dict[NamedNode, dict[Any, None]]] = {}
        self._by_predicate: dict[NamedNode, list[tuple[Any, Any]]] = {}
        self._by_object: dict[Any, list[tuple[Any, NamedNode]]] = {}
        for triple in triples:
            subject, predicate, value = triple.subject, triple.predicate, triple.object
            values = self._by_subject.setdefault(subject, {}).setdefault(predicate, {})
            if value not in values:
                values[value] = None
                self._by_predicate.setdefault(predicate, []).append((subject, value))
                self._by_object.setdefault(value, []).append((subject, predicate))

    def __iter__(self) -> Iterator[Triple]:
        for predicate, pairs in self._by_predicate.items():
            for subject, value in pairs:
                yield Triple(subject, predicate, value)

    def __contains__(self, node: Any) -> bool:
        """Return whether anything is said of the node."""
        return node in self._by_subject

    def objects(self, subject: Any, predicate: NamedNode) -> list[Any]:
        """Return the values of a property of a node."""
        return list(self._by_subject.get(subject, {}).get(predicate, ()))

    def value(self, subject: Any, predicate: NamedNode) -> Any:
        """Return one value of a property of a node, None where it has none."""
        return next(iter(self._by_subject.get(subject, {}).get(predicate, ())), None)

    def pairs(self, predicate: NamedNode) -> list[tuple[Any, Any]]:
        """Return subject and object of each triple of a predicate."""
        return self._by_predicate.get(predicate, [])

    def subjects(self, predicate: NamedNode, value: Any) -> list[Any]:
        """Return the nodes that have a value for a property."""
        return [subject for subject, found in self._by_object.get(value, ()) if found == predicate]

    def predicates(self, subject: Any) -> set[NamedNode]:
        """Return the properties that a node has."""
        return set(self._by_subject.get(subject, ()))

    def mentions(self, value: Any) -> list[tuple[Any, NamedNode]]:
        """Return subject and predicate of each triple with a node as its object."""
        return self._by_object.get(value, [])

    def members(self, head: Any) -> list[Any]:
        """Return the members of an RDF list. Raises ValueError where it is not well-formed (SHACL §1.4)."""
        members, seen = [], set()
        while head != NIL:
            first, rest = self.objects(head, FIRST), self.objects(head, REST)
            if head in seen or len(first) != 1 or len(rest) != 1:
                raise ValueError("is not a well-formed list")
            seen.add(head)
            members.append(first[0])
            head = rest[0]
        return members
