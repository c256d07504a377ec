"""The facts that clauses speak of, as sets of numbers: one relation for each predicate and for each class.

A class relation holds numbers (its members), a predicate relation holds pairs (subject, object). Literals have negative
numbers, so that nothing is concluded about a literal as subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Store, Triple

from culturegraph.rdf.vocabulary import TYPE
from culturegraph.rules import Pattern
from culturegraph.rules.patterns import Term


class Relation(NamedTuple):
    """The name of a relation: a predicate, or rdf:type and a class."""

    predicate: NamedNode
    member_of: NamedNode | BlankNode | None = None


def relation_of(pattern: Pattern) -> Relation:
    """Return the relation that a pattern of a clause speaks of."""
    predicate, target = pattern.predicate, pattern.object
    if not isinstance(predicate, NamedNode):
        raise TypeError(f"not a pattern of a clause: {pattern}")
    return Relation(predicate, target if isinstance(target, NamedNode | BlankNode) and predicate == TYPE else None)


class Relations:
    """All relations of a run, with the numbering of their terms and the indexes that joins ask for."""

    def __init__(self) -> None:
        self.rows: dict[Relation, set[Any]] = defaultdict(set)
        self.objects: dict[Relation, dict[int, list[int]]] = {}
        self.subjects: dict[Relation, dict[int, list[int]]] = {}
        self._numbers: dict[Term, int] = {}
        self._resources: list[Term] = []
        self._literals: list[Term] = []

    def number(self, term: Term) -> int:
        """Return the number of a term, giving it one at first sight."""
        number = self._numbers.get(term)
        if number is None:
            terms = self._literals if isinstance(term, Literal) else self._resources
            terms.append(term)
            number = -len(terms) if terms is self._literals else len(terms) - 1
            self._numbers[term] = number
        return number

    def term(self, number: int) -> Term:
        """Return the term of a number."""
        return self._literals[-number - 1] if number < 0 else self._resources[number]

    def load(self, store: Store, relation: Relation) -> None:
        """Read a relation from the store's default graph."""
        number = self.number
        quads = store.quads_for_pattern(None, relation.predicate, relation.member_of, DefaultGraph())
        if relation.member_of is None:
            rows: set[Any] = {(number(quad.subject), number(quad.object)) for quad in quads}  # type: ignore[arg-type]
        else:
            rows = {number(quad.subject) for quad in quads}  # type: ignore[arg-type]
        self.add(relation, rows)

    def add(self, relation: Relation, rows: set[Any]) -> None:
        """Add rows that the relation does not hold yet, and index them where joins ask for it."""
        self.rows[relation] |= rows
        if (objects := self.objects.get(relation)) is not None:
            for s, o in rows:
                objects[s].append(o)
        if (subjects := self.subjects.get(relation)) is not None:
            for s, o in rows:
                subjects[o].append(s)

    def index(self, relation: Relation, *, by_object: bool) -> dict[int, list[int]]:
        """Return (and from now on keep) the index of a predicate relation by its subjects or by its objects."""
        indexes = self.subjects if by_object else self.objects
        if relation not in indexes:
            index = indexes[relation] = defaultdict(list)
            for s, o in self.rows[relation]:
                index[o if by_object else s].append(s if by_object else o)
        return indexes[relation]

    def triples(self, relation: Relation, rows: Iterable[Any]) -> Iterator[Triple]:
        """Yield rows of a relation as triples."""
        predicate, target = relation
        for row in rows:
            subject, value = (row, target) if target is not None else (row[0], self.term(row[1]))
            yield Triple(self.term(subject), predicate, value)  # type: ignore[arg-type]

    def sort(self, relations: Mapping[Relation, set[Any]]) -> list[Triple]:
        """Return the rows of all the relations as triples, sorted by subject, predicate and object."""
        used = {self.number(name) for relation in relations for name in relation if name is not None}
        for relation, found in relations.items():
            used |= found if relation.member_of is not None else {number for row in found for number in row}
        # Terms are compared once, as text. Then a row is one number made of the ranks of its terms, which sorts fast.
        terms = sorted(map(self.term, used), key=str)
        rank = {self._numbers[term]: place for place, term in enumerate(terms)}
        size = len(terms)
        rows: list[int] = []
        for (predicate, target), found in relations.items():
            middle = rank[self.number(predicate)]
            if target is None:
                rows += [(rank[s] * size + middle) * size + rank[o] for s, o in found]
            else:
                last = middle * size + rank[self.number(target)]
                rows += [rank[s] * size * size + last for s in found]
        rows.sort()
        split = ((row // (size * size), row // size % size, row % size) for row in rows)
        return [Triple(terms[s], terms[p], terms[o]) for s, p, o in split]  # type: ignore[arg-type]
