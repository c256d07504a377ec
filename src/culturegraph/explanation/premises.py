"""One step back: all premises from which a clause concludes a given statement, found in the store's default graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from pyoxigraph import BlankNode, DefaultGraph, Literal, Quad, Triple, Variable

from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import TYPE
from culturegraph.rules import Clause, Pattern
from culturegraph.rules.patterns import Bindings, Term, select

_DEFAULT = DefaultGraph()


@dataclass(frozen=True)
class Candidate:
    """A clause with the statements it would rest on; whether these can be proved is not said."""

    clause: Clause
    premises: tuple[Triple, ...]
    bindings: Bindings


def is_hidden(triple: Triple) -> bool:
    """Whether a statement is never stored when it is inferred: membership in an anonymous class."""
    return triple.predicate == TYPE and isinstance(triple.object, BlankNode)


def find_candidates(clause: Clause, goal: Triple, store: Dataset) -> list[Candidate]:
    """Return what the clause could rest the goal on, sorted by the text of the premises."""
    bindings = clause.conclusion.match(goal) if clause.conclusion else None
    if bindings is None:
        return []
    solutions = _compute(clause, bindings, store) if clause.expressions else _join(clause.premises, bindings, store)
    found = []
    for solution in solutions:
        triples = [pattern.substitute(solution).to_triple() for pattern in clause.premises]
        premises = tuple(triple for triple in triples if triple is not None)
        if goal not in premises:
            found.append(Candidate(clause, premises, solution))
    return sorted(found, key=lambda candidate: list(map(str, candidate.premises))) if len(found) > 1 else found


def _join(patterns: Iterable[Pattern], bindings: Bindings, store: Dataset) -> list[Bindings]:
    """Return the bindings under which all patterns are in the store, or hidden."""
    rest = [pattern.substitute(bindings) for pattern in patterns]
    unbound = [pattern for pattern in rest if pattern.variables]
    if not unbound:
        return [bindings] if all(_holds(pattern, store) for pattern in rest) else []
    # Fewest unknowns first; what may be hidden is not looked up as long as something else can be.
    best = min(map(_rank, unbound))
    chosen, found = _fewest([(pattern, _lookup(pattern, store)) for pattern in unbound if _rank(pattern) == best])
    solutions: list[Bindings] = []
    for triple in found:
        matched = chosen.match(triple)
        if matched is not None:
            solutions += _join(rest, {**bindings, **matched}, store)
    return solutions


def _rank(pattern: Pattern) -> tuple[bool, int]:
    return pattern.predicate == TYPE and isinstance(pattern.object, BlankNode), len(pattern.variables)


def _holds(pattern: Pattern, store: Dataset) -> bool:
    triple = pattern.to_triple()
    if triple is None:
        return False
    return is_hidden(triple) or Quad(triple.subject, triple.predicate, triple.object) in store


def _lookup(pattern: Pattern, store: Dataset) -> Iterator[Triple]:
    s, p, o = (None if isinstance(place, Variable) else place for place in pattern)
    if isinstance(s, Literal):
        return iter(())
    return (quad.triple for quad in store.quads_for_pattern(s, p, o, _DEFAULT))  # type: ignore[arg-type]


def _fewest(lookups: list[tuple[Pattern, Iterator[Triple]]]) -> tuple[Pattern, list[Triple]]:
    """Read several lookups in step and return the one that ends first: the way round a place that everything is in."""
    if len(lookups) == 1:
        return lookups[0][0], list(lookups[0][1])
    read: list[list[Triple]] = [[] for _ in lookups]
    for row in zip_longest(*(triples for _, triples in lookups)):
        for triples, triple in zip(read, row, strict=True):
            if triple is not None:
                triples.append(triple)
        if None in row:
            break
    shortest = next((n for n, triple in enumerate(row) if triple is None), 0) if any(read) else 0
    return lookups[shortest][0], read[shortest]


def _compute(clause: Clause, bindings: Bindings, store: Dataset) -> list[Bindings]:
    """Return the solutions of a clause with expressions that fit the bindings."""
    named = {name for pattern in clause.premises for name in pattern.variables}
    given: dict[str, Term] = {name: term for name, term in bindings.items() if name in named}
    tests = [f"FILTER(sameTerm(?{name}, {term}))" for name, term in bindings.items() if name not in named]
    group = Clause(clause.rule, None, tuple(p.substitute(given) for p in clause.premises), (), clause.expressions)
    values = " ".join(f"VALUES ?{name} {{ {term} }}" for name, term in given.items())
    query = f"SELECT * WHERE {{ {values} {group.sparql[1:-1]} {' '.join(tests)} }}"
    return [{**given, **solution} for solution in select(store, query)]
