"""The plain way to the fixpoint: every rule file as it stands, run on a store again and again until nothing new comes.

Slow and obvious. It is the oracle of the engine's tests, and the way back for whoever inherits the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, Store, Triple

from culturegraph.rdf.vocabulary import OWL, PREFIXES, RDFS, TYPE
from culturegraph.reasoning.engine import Closure, Inconsistency
from culturegraph.rules import Rule
from culturegraph.rules.clauses import is_axiom
from culturegraph.rules.patterns import select

_FORBIDS = re.compile(r"CONSTRUCT\s*\{\s*\}", re.IGNORECASE)
_EVERYTHING = frozenset({NamedNode(OWL + "Thing"), NamedNode(RDFS + "Resource")})


def close(store: Store, rules: Iterable[Rule]) -> Closure:
    """Do what `engine.close` does, plainly."""
    asserted = list(store.quads_for_pattern(None, None, None, DefaultGraph()))
    rules, work = list(rules), Store()
    work.extend(asserted)
    count = -1
    while len(work) > count:
        count = len(work)
        for rule in rules:
            if not rule.forbids:
                concluded = work.query(rule.file.text, prefixes=dict(PREFIXES))
                work.extend([Quad(t.subject, t.predicate, t.object) for t in concluded])  # type: ignore[union-attr]
    known = set(asserted)
    inferred = [quad.triple for quad in work if quad not in known and _is_worth_stating(quad.triple)]
    found = [inconsistency for rule in rules if rule.forbids for inconsistency in _find(rule, work)]
    distinct = {(i.rule.id, frozenset(i.premises)): i for i in found}
    return Closure(sorted(inferred, key=lambda t: tuple(map(str, t))), list(distinct.values()))


def _is_worth_stating(triple: Triple) -> bool:
    target = triple.object
    return triple.predicate != TYPE or not (target in _EVERYTHING or isinstance(target, BlankNode))


def _find(rule: Rule, work: Store) -> Iterable[Inconsistency]:
    for bindings in select(work, _FORBIDS.sub("SELECT *", rule.file.text)):
        triples = [(is_axiom(p), p.substitute(bindings).to_triple()) for p in rule.premises]
        yield Inconsistency(
            rule,
            tuple(triple for axiom, triple in triples if triple and not axiom),
            tuple(triple for axiom, triple in triples if triple and axiom),
        )
