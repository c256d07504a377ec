"""Clauses with FILTER or BIND: SPARQL evaluates them, on a small store of just the relations that they read.

They are run again in full whenever one of these relations grew; rules that compute are few.
"""

from __future__ import annotations

from typing import Any

from pyoxigraph import Literal, Quad, Store

from culturegraph.reasoning.relations import Relations, relation_of
from culturegraph.rules import Clause
from culturegraph.rules.patterns import Bindings, select


def solve_computed(clause: Clause, relations: Relations) -> list[Bindings]:
    """Return the solutions of a clause's premises and expressions."""
    store = Store()
    for relation in dict.fromkeys(map(relation_of, clause.premises)):
        rows = relations.rows[relation]
        store.extend(Quad(t.subject, t.predicate, t.object) for t in relations.triples(relation, rows))
    return list(select(store, f"SELECT DISTINCT * WHERE {clause.sparql}"))


def conclude_computed(clause: Clause, relations: Relations) -> set[Any]:
    """Return the rows of the clause's conclusion, known ones included."""
    if clause.conclusion is None:
        return set()
    by_class = relation_of(clause.conclusion).member_of is not None
    rows: set[Any] = set()
    for bindings in solve_computed(clause, relations):
        subject, _, value = clause.conclusion.substitute(bindings)
        if not isinstance(subject, Literal):
            number = relations.number(subject)  # type: ignore[arg-type]
            rows.add(number if by_class else (number, relations.number(value)))  # type: ignore[arg-type]
    return rows
