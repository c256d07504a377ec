"""The mutation runner notices a lost axiom, leaves a harmless change alone, and its report is up to date."""

from __future__ import annotations

import pytest
from axioms import KINDS, LITERAL, MEMBER, VALUE, Axiom, list_axioms, list_members
from mutation import ENOUGH, Mutator, mutate
from mutation_report import REPORT, share, write_report
from pyoxigraph import Literal, NamedNode, Triple

from culturegraph.rdf.vocabulary import CG, SKOS


@pytest.fixture(scope="module")
def mutator() -> Mutator:
    return Mutator()


def find(mutator: Mutator, text: str) -> Axiom:
    (axiom,) = [axiom for axiom in list_axioms(mutator.index) if f"{axiom.kind}: {axiom}" == text]
    return axiom


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("domain: cg:practises · cg:Agent", "IV"),
        ("chain: cg:locatedIn · cg:within · cg:locatedWithin", "CQ"),
        ("disjoint classes: cg:NationalNorm · cg:Treaty", "EP"),
        ("sub-class: cg:Dance · cg:PerformingArt", "IV"),
    ],
)
def test_a_lost_axiom_is_noticed(mutator, text, kind):
    axiom = find(mutator, text)

    assert mutator.judge(axiom).noticed[kind]
    assert not mutator.judge(Axiom("nothing", axiom.terms, ())).noticed, "it came back"


def test_a_class_lost_from_a_disjoint_set_is_noticed(mutator):
    member = next(axiom for axiom in list_members(mutator.index) if axiom.terms[0].value == CG + "Language")

    assert "EP" in mutator.judge(member).noticed


def test_a_harmless_change_is_not_noticed(mutator):
    dance, word = NamedNode(CG + "Dance"), NamedNode(SKOS + "definition")
    said = [t for t in mutator.index.triples if t.subject == dance and t.predicate == word]
    triple = next(t for t in said if t.object.language == "en")
    reworded = Triple(dance, word, Literal("Bodily movement in a pattern, mostly with music.", language="en"))
    verdict = mutator.judge(Axiom("wording", (dance,), (triple,), (reworded,)))

    assert not verdict.noticed and not verdict.checks


def test_an_axiom_that_others_entail_is_told_apart(mutator):
    verdict = mutator.judge(find(mutator, "sub-property: cg:partyTo · cg:participatesIn"))

    assert not verdict.noticed
    assert verdict.entailed and verdict.with_twin and verdict.checks == ("inverse-parent",)


def test_every_kind_of_axiom_is_in_the_report(mutator):
    kinds = {axiom.kind for axiom in [*list_axioms(mutator.index), *list_members(mutator.index)]}
    text = REPORT.read_text(encoding="utf-8")

    assert kinds <= {*KINDS.values(), VALUE, MEMBER, LITERAL}
    assert all(f"| {kind} |" in text for kind in kinds)


@pytest.mark.slow
def test_nearly_every_axiom_is_noticed_and_the_report_says_so():
    verdicts = mutate()

    assert share(verdicts) >= ENOUGH
    assert write_report(verdicts) == REPORT.read_text(encoding="utf-8"), "run `make mutation`"
