"""What our axioms entail and what they forbid, by cases written by hand (see `ontology_cases`)."""

from __future__ import annotations

import pytest
from axioms import Index, list_axioms
from ontology_cases import FOLDER, ROOT, Case, clauses_of_modules, judge, read_cases, read_modules

from culturegraph.rdf.vocabulary import CG, OWL, TYPE

CASES = read_cases()
MODULES = {path.stem for path in (ROOT / "ontology" / "modules").glob("*.ttl")}


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", [case for case in CASES if not case.provokes_error], ids=by_name)
def test_exactly_this_follows(case):
    outcome = judge(clauses_of_modules(), case.given)

    assert case.expected.then, "a case shows that something follows"
    assert outcome.then == case.expected.then
    assert outcome.clashes == set()


@pytest.mark.parametrize("case", [case for case in CASES if case.provokes_error], ids=by_name)
def test_exactly_this_clashes(case):
    assert case.expected.clashes
    assert judge(clauses_of_modules(), case.given).clashes == case.expected.clashes


def test_nothing_follows_without_the_ontology():
    for case in CASES:
        assert judge([], case.given).then == set()
        assert not case.holds([]), case.name


def test_each_folder_is_one_of_two_kinds_and_each_module_has_cases():
    assert {case.name.partition("/")[0] for case in CASES} == MODULES
    for case in CASES:
        names = {path.name for path in (FOLDER / case.name).iterdir()}
        assert names in ({"given.ttl", "then.ttl"}, {"given.ttl", "clash.csv"}), case.name


def test_every_term_with_a_logical_axiom_has_a_case():
    """Quick; whether the loss of each axiom is noticed is what `make mutation` finds out."""
    axioms = list_axioms(Index(read_modules()))
    named = {term for axiom in axioms for term in axiom.terms if term.value.startswith(CG)}

    assert len(named) > 300
    assert sorted(term.value for term in named - set().union(*(case.terms for case in CASES))) == []


def test_the_readme_counts_what_there_is():
    text = (ROOT / "ontology" / "README.md").read_text(encoding="utf-8")
    kinds = [t.object.value for t in read_modules() if t.predicate == TYPE and t.subject.value.startswith(CG)]
    counts = [kinds.count(OWL + name) for name in ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty")]
    provoking = [case for case in CASES if case.provokes_error]
    then = sum(len(case.expected.then) for case in CASES)
    clashes = sum(len(case.expected.clashes) for case in CASES)

    assert f"| {counts[0]} |" in text
    assert "| {} ({} object, {} data, {} annotation) |".format(sum(counts[1:]), *counts[1:]) in text
    assert (
        f"{len(CASES) - len(provoking)} IV and {len(provoking)} EP cases ({then} conclusions, {clashes} clash" in text
    )
    assert f"| {len(list((ROOT / 'queries' / 'checks').glob('*.rq')))}, each with a bad example" in text
