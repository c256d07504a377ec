"""The fast way to the fixpoint: clauses run on sets of numbers, each time only on what is new (semi-naive evaluation).

Equal to `reference` and, on our fragment, to owlrl; the tests hold it to both.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyoxigraph import BlankNode, NamedNode, Store, Triple, Variable

from culturegraph.rdf.vocabulary import OWL, RDFS
from culturegraph.reasoning.computed import conclude_computed, solve_computed
from culturegraph.reasoning.joins import Plan
from culturegraph.reasoning.relations import Relation, Relations, relation_of
from culturegraph.rules import Clause, Rule, narrow_rules
from culturegraph.rules.patterns import Bindings

_EVERYTHING = frozenset({NamedNode(OWL + "Thing"), NamedNode(RDFS + "Resource")})


@dataclass(frozen=True)
class Inconsistency:
    """Statements that cannot hold together, and the rule that forbids it."""

    rule: Rule
    premises: tuple[Triple, ...]
    axioms: tuple[Triple, ...]


@dataclass(frozen=True)
class Closure:
    """What the rules add to a graph, and what they find inconsistent in it. Both sorted."""

    triples: list[Triple]
    inconsistencies: list[Inconsistency]


def close(store: Store, rules: Iterable[Rule]) -> Closure:
    """Run the rules on the store's default graph, which stays as it is.

    Leaves out what says nothing (`owl:Thing`) and membership in anonymous classes, which only leads to conclusions.
    """
    return run_clauses(narrow_rules(rules, store), store)


def run_clauses(clauses: Sequence[Clause], store: Store) -> Closure:
    """Do what `close` does with rules that were narrowed before, for many small graphs under the same axioms."""
    with _without_collector():
        relations, inferred = _infer(store, clauses)
        stated = {relation: rows for relation, rows in inferred.items() if is_worth_stating(relation)}
        return Closure(relations.sort(stated), _find(clauses, relations))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector away: nothing here is cyclic, and its passes would take half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def infer(store: Store, rules: Iterable[Rule]) -> list[Triple]:
    """Return the triples that follow from the store's default graph by the rules and are not in it, sorted."""
    return close(store, rules).triples


def find_inconsistencies(store: Store, rules: Iterable[Rule]) -> list[Inconsistency]:
    """Return what the rules forbid and the store's default graph, with all that follows from it, holds."""
    return close(store, rules).inconsistencies


def is_worth_stating(relation: Relation) -> bool:
    """Whether the conclusions of a relation belong into a graph that people read."""
    return relation.member_of not in _EVERYTHING and not isinstance(relation.member_of, BlankNode)


def _infer(store: Store, clauses: Sequence[Clause]) -> tuple[Relations, dict[Relation, set[Any]]]:
    relations = Relations()
    used = (p for clause in clauses for p in (*clause.premises, clause.conclusion) if p is not None)
    for relation in dict.fromkeys(map(relation_of, used)):
        relations.load(store, relation)
    plans, computed = _plan(clauses, relations)
    inferred: dict[Relation, set[Any]] = defaultdict(set)
    # A relation that waits is its own set of new rows at first.
    pending = {relation: rows for relation, rows in relations.rows.items() if rows}

    def add(target: Relation, found: set[Any]) -> None:
        if new := found - relations.rows[target]:
            relations.add(target, new)
            inferred[target] |= new
            pending.setdefault(target, set()).update(new)

    for clause in clauses:
        if clause.conclusion and not clause.premises:
            add(relation_of(clause.conclusion), conclude_computed(clause, relations))
    while pending:
        relation = next(iter(pending))
        rows = pending.pop(relation)
        concluded = [(plan.target, plan.conclude(rows)) for plan in plans.get(relation, ())]
        concluded += [(relation_of(c.conclusion), conclude_computed(c, relations)) for c in computed.get(relation, ())]  # type: ignore[arg-type]
        for target, found in concluded:
            add(target, found)
    return relations, inferred


def _plan(
    clauses: Sequence[Clause], relations: Relations
) -> tuple[dict[Relation, list[Plan]], dict[Relation, list[Clause]]]:
    """Return, by the relation that sets them off, the plans of plain clauses and the clauses that compute."""
    plans: dict[Relation, list[Plan]] = defaultdict(list)
    computed: dict[Relation, list[Clause]] = defaultdict(list)
    for clause in clauses:
        if clause.conclusion is None:
            continue
        for position, premise in enumerate(clause.premises):
            if clause.expressions:
                computed[relation_of(premise)].append(clause)
            else:
                plans[relation_of(premise)].append(Plan(clause, position, relations))
    return plans, computed


def _find(clauses: Sequence[Clause], relations: Relations) -> list[Inconsistency]:
    found: dict[tuple[str, frozenset[Triple]], Inconsistency] = {}
    for clause in clauses:
        if clause.conclusion is not None:
            continue
        for bindings in _solve(clause, relations):
            premises = tuple(t for pattern in clause.premises if (t := pattern.substitute(bindings).to_triple()))
            # Disjointness is found from both sides; once is enough.
            found.setdefault((clause.rule.id, frozenset(premises)), Inconsistency(clause.rule, premises, clause.axioms))
    return sorted(found.values(), key=lambda i: (i.rule.id, [str(t) for t in i.premises]))


def _solve(clause: Clause, relations: Relations) -> list[Bindings]:
    if clause.expressions or not clause.premises:
        return solve_computed(clause, relations)
    plan = Plan(clause, 0, relations)
    slots = [(place.value, slot) for place, slot in plan.slots.items() if isinstance(place, Variable)]
    rows = plan.solve(relations.rows[plan.trigger])
    return [{name: relations.term(row[slot]) for name, slot in slots} for row in rows]
