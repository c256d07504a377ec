"""Minimal proofs, searched backwards from a statement to asserted ones.

A proof is minimal when it takes the fewest rule applications; among equals the first one wins, by rule id, then by the
text of axioms and premises, so that the same graph always gives the same proof. The search deepens step by step,
and what it learns about a statement ("not within two steps") it does not learn again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pyoxigraph import NamedNode, Quad, Triple

from culturegraph.errors import NotFoundError
from culturegraph.explanation.premises import Candidate, find_candidates, is_hidden
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import TYPE
from culturegraph.rules import Clause, Rule, narrow_rules
from culturegraph.rules.patterns import Bindings, Term

# No bundled proof is near; it only ends the search for what no rule supports.
_MOST_STEPS = 64


@dataclass(frozen=True)
class Proof:
    """A statement, and why it holds: the rule with its premises and axioms, or the named graphs that assert it."""

    statement: Triple
    rule: Rule | None = None
    premises: tuple[Proof, ...] = ()
    axioms: tuple[Proof, ...] = ()
    sources: tuple[NamedNode, ...] = ()
    bindings: Bindings = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_asserted(self) -> bool:
        """Whether the statement stands in the graph of a source, the ontology or a scheme."""
        return self.rule is None

    @property
    def steps(self) -> int:
        """The number of rule applications."""
        return 0 if self.rule is None else 1 + sum(premise.steps for premise in self.premises)

    def walk(self) -> Iterator[Proof]:
        """Yield this proof and those of its premises, from the conclusion down."""
        yield self
        for premise in self.premises:
            yield from premise.walk()


class Explainer:
    """Explains statements of one store, whose default graph holds asserted and inferred statements.

    Narrowing the rules to the store's axioms takes some milliseconds and is done once, here.
    """

    def __init__(self, store: Dataset, rules: Iterable[Rule]) -> None:
        self.store = store
        self._by_conclusion: dict[tuple[NamedNode, Term | None], list[Clause]] = defaultdict(list)
        for clause in narrow_rules(sorted(rules, key=lambda rule: rule.id), store):
            if clause.conclusion is not None:
                self._by_conclusion[_key(clause.conclusion.predicate, clause.conclusion.object)].append(clause)  # type: ignore[arg-type]

    def explain(self, triple: Triple) -> Proof:
        """Return a minimal proof. Raises NotFoundError where the graph does not hold the statement."""
        if Quad(triple.subject, triple.predicate, triple.object) not in self.store:
            raise NotFoundError(f"the graph does not say: {triple} .")
        proof = _Search(self).prove(triple, _MOST_STEPS)
        if proof is None:
            raise NotFoundError(f"no rule leads to the inferred statement: {triple} .")
        return proof

    def clauses(self, triple: Triple) -> Sequence[Clause]:
        """Return the clauses that may conclude the statement."""
        return self._by_conclusion.get(_key(triple.predicate, triple.object), ())  # type: ignore[arg-type]

    def is_asserted(self, triple: Triple) -> bool:
        """Whether the statement is in the default graph without having been inferred."""
        s, p, o = triple.subject, triple.predicate, triple.object
        return Quad(s, p, o) in self.store and Quad(s, p, o, INFERRED) not in self.store

    def read_asserted(self, triple: Triple) -> Proof:
        """Return an asserted statement with the named graphs that hold it, sorted."""
        quads = self.store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        graphs = [quad.graph_name for quad in quads if isinstance(quad.graph_name, NamedNode)]
        return Proof(triple, sources=tuple(sorted(graphs, key=lambda graph: graph.value)))


def explain(store: Dataset, triple: Triple, rules: Iterable[Rule]) -> Proof:
    """Explain one statement; keep an `Explainer` for more than one."""
    return Explainer(store, rules).explain(triple)


def _key(predicate: NamedNode, value: Term) -> tuple[NamedNode, Term | None]:
    return predicate, value if predicate == TYPE else None


class _Search:
    """The search for one proof, with what it has learnt about statements on the way."""

    def __init__(self, explainer: Explainer) -> None:
        self.explainer = explainer
        self.proofs: dict[Triple, Proof] = {}
        self.steps: dict[Triple, int] = {}
        self.fewest: dict[Triple, int] = {}
        self.candidates: dict[Triple, list[Candidate]] = {}

    def prove(self, goal: Triple, most: int) -> Proof | None:
        """Return a minimal proof of at most so many steps, or None."""
        if goal not in self.fewest:
            asserted = self.explainer.is_asserted(goal)
            self.fewest[goal] = 0 if asserted else 1
            if asserted:
                self.proofs[goal], self.steps[goal] = self.explainer.read_asserted(goal), 0
        while goal not in self.proofs and self.fewest[goal] <= most:
            # Every smaller number was tried, so what is found now is minimal, and never rests on itself.
            self.find(goal, self.fewest[goal])
            if goal not in self.proofs and not self.look(goal):
                self.fewest[goal] = _MOST_STEPS + 1
            elif goal not in self.proofs:
                self.fewest[goal] += 1
        return self.proofs[goal] if goal in self.proofs and self.steps[goal] <= most else None

    def look(self, goal: Triple) -> list[Candidate]:
        """Return all ways to conclude the goal in one step, in the order in which they are preferred."""
        if goal not in self.candidates:
            explainer, found = self.explainer, []
            # Members of an anonymous class are not in the store, though a rule may have passed through them.
            if is_hidden(goal) or Quad(goal.subject, goal.predicate, goal.object) in explainer.store:
                for clause in explainer.clauses(goal):
                    found += find_candidates(clause, goal, explainer.store)
            self.candidates[goal] = found
        return self.candidates[goal]

    def find(self, goal: Triple, steps: int) -> None:
        """Keep the first proof of exactly so many steps, if there is one."""
        for candidate in self.look(goal):
            least = sum(self.fewest.get(premise, 0) for premise in candidate.premises)
            if least < steps and (premises := self.prove_all(candidate.premises, steps - 1)) is not None:
                clause = candidate.clause
                axioms = tuple(self.explainer.read_asserted(axiom) for axiom in clause.axioms)
                bindings = {**(clause.bindings or {}), **candidate.bindings}
                self.proofs[goal] = Proof(goal, clause.rule, tuple(premises), axioms, (), bindings)
                self.steps[goal] = steps
                return

    def prove_all(self, premises: Sequence[Triple], most: int) -> list[Proof] | None:
        """Return minimal proofs of all premises with at most so many steps together, or None."""
        found = []
        for place, premise in enumerate(premises):
            later = sum(self.fewest.get(other, 0) for other in premises[place + 1 :])
            proof = self.prove(premise, most - later)
            if proof is None:
                return None
            found.append(proof)
            most -= self.steps[premise]
        return found
