"""The cases of our own ontology: what must follow from given facts, and what bad facts must clash with.

A case is a folder `cases/inference/ontology/{module}/{case}/`, written by hand and kept as it is:

    given.ttl    a few facts
    then.ttl     inference verification: exactly what the modules of the ontology add to them
    clash.csv    or error provocation: exactly the inconsistencies, each as rule, thing and the two classes
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from entailment import CASES, ROOT, RULES, read_turtle, store_of
from pyoxigraph import NamedNode, Triple

from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.reasoning import read_rules, run_clauses
from culturegraph.reasoning.relations import relation_of
from culturegraph.rules import Clause, Pattern, narrow_rules

FOLDER = CASES / "ontology"
RULE_FILES = read_rules(RULES)
_PREFIX = re.compile(r"^@prefix (\w+): <([^>]*)> \.$", re.MULTILINE)


@dataclass(frozen=True)
class Clash:
    """One inconsistency: a thing that the named rule forbids to be in both classes."""

    rule: str
    thing: NamedNode
    classes: frozenset[NamedNode]


@dataclass(frozen=True)
class Outcome:
    """What follows from facts, and what in them clashes."""

    then: frozenset[Triple]
    clashes: frozenset[Clash]


@dataclass(frozen=True)
class Case:
    """Facts with what is expected of them: conclusions without a clash, or clashes whatever else follows."""

    name: str
    given: tuple[Triple, ...]
    expected: Outcome
    provokes_error: bool

    @property
    def terms(self) -> frozenset[NamedNode]:
        """Every predicate and class that the case or its outcome names."""
        triples = {*self.given, *self.expected.then}
        names = {
            node for triple in triples for node in (triple.predicate, triple.object) if isinstance(node, NamedNode)
        }
        return frozenset(names.union(*(clash.classes for clash in self.expected.clashes)))

    def holds(self, clauses: Sequence[Clause]) -> bool:
        """Whether exactly what is expected happens under an ontology, given as its narrowed rules."""
        outcome = judge(clauses, self.given)
        return outcome.clashes == self.expected.clashes and (self.provokes_error or outcome.then == self.expected.then)


def read_modules() -> list[Triple]:
    """Return the triples of all modules of the ontology, without schemes and alignments."""
    return read_turtle(*sorted((ROOT / "ontology" / "modules").glob("*.ttl")))


@cache
def clauses_of_modules() -> list[Clause]:
    """Return the rules narrowed to the axioms of the modules."""
    return narrow_rules(RULE_FILES, store_of(read_modules()))


def judge(clauses: Sequence[Clause], facts: Sequence[Triple]) -> Outcome:
    """Return what follows from facts under an ontology, and what clashes."""
    closure = run_clauses(list(_select_clauses(clauses, facts)), store_of(facts))
    clashes = {
        Clash(found.rule.id, found.premises[0].subject, frozenset(premise.object for premise in found.premises))
        for found in closure.inconsistencies
    }
    return Outcome(frozenset(closure.triples), frozenset(clashes))


def _select_clauses(clauses: Sequence[Clause], facts: Sequence[Triple]) -> Iterator[Clause]:
    """Yield the clauses that these few facts can set off at all; planning the others would take most of the time."""
    known = {relation_of(Pattern(*triple)) for triple in facts}
    waiting = [(clause, {relation_of(premise) for premise in clause.premises}) for clause in clauses]
    more = True
    while more:
        more = False
        later = []
        for clause, needed in waiting:
            if not needed <= known:
                later.append((clause, needed))
                continue
            yield clause
            if clause.conclusion is not None:
                known.add(relation_of(clause.conclusion))
            more = True
        waiting = later


def read_case(folder: Path) -> Case:
    """Read one case. A folder without `then.ttl` provokes an error."""
    given = tuple(read_turtle(folder / "given.ttl"))
    clashes = frozenset(_read_clashes(folder))
    then = frozenset(read_turtle(folder / "then.ttl"))
    name = folder.relative_to(FOLDER).as_posix()
    return Case(name, given, Outcome(then, clashes), provokes_error=not (folder / "then.ttl").exists())


@cache
def read_cases() -> tuple[Case, ...]:
    """Read all cases, by module."""
    return tuple(read_case(path.parent) for path in sorted(FOLDER.glob("*/*/given.ttl")))


def _read_clashes(folder: Path) -> list[Clash]:
    path = folder / "clash.csv"
    if not path.exists():
        return []
    prefixes = dict(PREFIXES) | dict(_PREFIX.findall((folder / "given.ttl").read_text(encoding="utf-8")))

    def expand(name: str) -> NamedNode:
        if name.startswith("<"):
            return NamedNode(name[1:-1])
        prefix, _, local = name.partition(":")
        return NamedNode(prefixes[prefix] + local)

    with path.open(encoding="utf-8", newline="") as file:
        return [
            Clash(row["rule"], expand(row["thing"]), frozenset({expand(row["one"]), expand(row["other"])}))
            for row in csv.DictReader(file)
        ]
