"""Would the tests notice a lost axiom? Takes each logical axiom of the modules away in turn and runs the cases again.

    python tests/mutation.py            # print the report
    python tests/mutation.py --write    # and keep it as ontology/MUTATION.md

Three kinds of test may notice: inference verification (IV) and error provocation (EP) by the cases of
`ontology_cases`, and the competency questions (CQ) by their answers on the invented graph, with what the modules infer
on it. What none of them notices is judged by the checks of `queries/checks/` and by whether the other axioms entail it.
"""

# ruff: noqa: T201 - it is a program: its report goes to standard output
from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from axioms import VALUE, Axiom, Index, find_twin, list_axioms, list_members
from entailment import ROOT, store_of
from mutation_report import REPORT, share, write_report
from ontology_cases import RULE_FILES, judge, read_cases, read_modules
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store, Triple, parse

from culturegraph.queries import read_queries
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import BASE, OWL, PREFIXES, TYPE
from culturegraph.rules import Clause, narrow_rules

ENOUGH = 95  # percent
_TOY = ROOT / "tests" / "cases" / "competency" / "toy.trig"


@dataclass(frozen=True)
class Verdict:
    """What became of a lost axiom: the tests that noticed it by kind, or why none could."""

    axiom: Axiom
    noticed: dict[str, list[str]] = field(default_factory=dict)
    entailed: bool = False
    with_twin: bool = False
    checks: tuple[str, ...] = ()


class Questions:
    """The competency questions on the invented graph, under different ontologies."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        quads = list(parse(path=str(_TOY), format=RdfFormat.TRIG))
        said = {quad.triple for quad in quads if quad.graph_name != INFERRED}
        follows = judge(clauses, [*said]).then
        # The file states what rules would add, and besides a few labels of things that it leaves undescribed.
        self.facts = [*said, *({quad.triple for quad in quads} - follows - said)]
        self.whole = judge(clauses, self.facts).then
        self.queries = read_queries(ROOT / "queries" / "competency")
        self.store = Store()
        self.store.extend(quad for quad in quads if quad.graph_name != INFERRED)
        self.store.extend(Quad(*triple, DefaultGraph()) for triple in self.facts)
        self._change(self.whole, self.store.add)
        self.answers = self._ask()

    def notice(self, clauses: Sequence[Clause]) -> list[str]:
        """Return the questions whose answer is another one under the given ontology."""
        lost = self.whole - judge(clauses, self.facts).then
        if not lost:
            return []
        self._change(lost, self.store.remove)
        answers = self._ask()
        self._change(lost, self.store.add)
        return [name for name, answer in answers.items() if answer != self.answers[name]]

    @staticmethod
    def _change(triples, change) -> None:
        for triple in triples:
            for graph in (DefaultGraph(), INFERRED):
                change(Quad(triple.subject, triple.predicate, triple.object, graph))

    def _ask(self) -> dict[str, list[str]]:
        return {query.id: sorted(map(str, self.store.query(query.sparql))) for query in self.queries}


class Mutator:
    """Takes axioms away from the modules and asks who notices."""

    def __init__(self) -> None:
        self.index = Index(read_modules())
        self.store = store_of(self.index.triples)
        self.cases = [(case, case.terms) for case in read_cases()]
        self.checks = read_queries(ROOT / "queries" / "checks")
        # What all axioms give, before the first is taken away: the answers to the questions, the rows of the checks.
        self.questions = Questions(narrow_rules(RULE_FILES, self.store))
        self.rows = self._count_rows()

    def judge(self, axiom: Axiom) -> Verdict:
        """Return what becomes of an axiom that is taken away."""
        self._take(axiom)
        clauses = narrow_rules(RULE_FILES, self.store)
        verdict = Verdict(axiom, self._find_noticing(axiom, clauses))
        if not verdict.noticed:
            rows = self._count_rows()
            checks = tuple(name for name, count in rows.items() if count > self.rows[name])
            verdict = replace(verdict, checks=checks, entailed=follows(axiom, clauses))
        self._give_back(axiom)
        if verdict.entailed and (twin := find_twin(axiom, self.index)):
            return replace(verdict, with_twin=self._notices_both(axiom, twin))
        return verdict

    def _find_noticing(self, axiom: Axiom, clauses: list[Clause]) -> dict[str, list[str]]:
        touched = [case for case, terms in self.cases if terms & set(axiom.terms)]
        failed = [case for case in touched if not case.holds(clauses)]
        found = {
            "IV": [case.name for case in failed if not case.provokes_error],
            "EP": [case.name for case in failed if case.provokes_error],
            "CQ": self.questions.notice(clauses),
        }
        return {kind: names for kind, names in found.items() if names}

    def _notices_both(self, axiom: Axiom, twin: Axiom) -> bool:
        both = replace(axiom, removed=axiom.removed + twin.removed)
        self._take(both)
        noticed = self._find_noticing(both, narrow_rules(RULE_FILES, self.store))
        self._give_back(both)
        return bool(noticed)

    def _take(self, axiom: Axiom) -> None:
        self._swap(axiom.removed, axiom.added)

    def _give_back(self, axiom: Axiom) -> None:
        self._swap(axiom.added, axiom.removed)

    def _swap(self, out: Sequence[Triple], into: Sequence[Triple]) -> None:
        for triple in out:
            self.store.remove(Quad(*triple))
        self.store.extend(Quad(*triple) for triple in into)

    def _count_rows(self) -> dict[str, int]:
        prefixes = dict(PREFIXES)
        return {query.id: len(list(self.store.query(query.text, prefixes=prefixes))) for query in self.checks}


def follows(axiom: Axiom, clauses: Sequence[Clause]) -> bool:
    """Whether an axiom follows from others: what it says of arbitrary things is concluded without it."""
    x, y, z = (NamedNode(f"{BASE}id/arbitrary/{name}") for name in "xyz")
    terms, kind = axiom.terms, axiom.kind
    given, then = {
        "sub-class": lambda c, d: ([Triple(x, TYPE, c)], [Triple(x, TYPE, d)]),
        "sub-property": lambda p, q: ([Triple(x, p, y)], [Triple(x, q, y)]),
        "domain": lambda p, c: ([Triple(x, p, y)], [Triple(x, TYPE, c)]),
        "range": lambda p, c: ([Triple(x, p, y)], [Triple(y, TYPE, c)]),
        "inverse": lambda p, q: ([Triple(x, p, y), Triple(x, q, z)], [Triple(y, q, x), Triple(z, p, x)]),
        "transitive": lambda p: ([Triple(x, p, y), Triple(y, p, z)], [Triple(x, p, z)]),
        "symmetric": lambda p: ([Triple(x, p, y)], [Triple(y, p, x)]),
        "chain": lambda p, q, r: ([Triple(x, p, y), Triple(y, q, z)], [Triple(x, r, z)]),
        VALUE: lambda p, v, c: ([Triple(x, p, v)], [Triple(x, TYPE, c)]),
        "disjoint classes": lambda c, d: ([Triple(x, TYPE, c), Triple(x, TYPE, d)], None),
    }.get(kind, lambda *_: ([], [Triple(x, TYPE, NamedNode(OWL + "Nothing"))]))(*terms)
    outcome = judge(clauses, given)
    return bool(outcome.clashes) if then is None else set(then) <= outcome.then | set(given)


def mutate() -> list[Verdict]:
    """Return the verdict on each axiom, and on each class of a set of disjoint classes."""
    mutator = Mutator()
    return [mutator.judge(axiom) for axiom in [*list_axioms(mutator.index), *list_members(mutator.index)]]


def main(arguments: list[str]) -> int:
    verdicts = mutate()
    text = write_report(verdicts)
    print(text)
    if "--write" in arguments:
        REPORT.write_text(text, encoding="utf-8")
    return 0 if share(verdicts) >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
