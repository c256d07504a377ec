"""Reasoning: each rule by a case on disk, and the engine against the plain reference and against owlrl."""

from __future__ import annotations

from pathlib import Path

import pytest
from entailment import (
    CASES,
    ROOT,
    RULES,
    close_with_owlrl,
    graphs,
    is_instance_triple,
    read_turtle,
    store_of,
)
from hypothesis import HealthCheck, given, settings
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Store, Triple, parse

from culturegraph.bench.reasoning import ONTOLOGY, generate, run
from culturegraph.build import Build
from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import CG, LABEL, OWL, RDF, RDFS, TYPE
from culturegraph.reasoning import close, engine, find_inconsistencies, infer, read_rules, reference
from culturegraph.rules.clauses import is_axiom
from culturegraph.rules.patterns import Pattern

RULE_FILES = read_rules(RULES)
MODES = {"engine": engine.close, "reference": reference.close}
SMALL = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
FACTS = """
@prefix cg: <https://w3id.org/culturegraph/ontology/> .
@prefix ex: <https://w3id.org/culturegraph/id/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:huaconada a cg:Dance ; cg:recognisedThrough ex:declaration ; cg:locatedIn ex:mito ; cg:practisedBy ex:people .
ex:declaration cg:grantedByNorm ex:norm .
ex:mito cg:within ex:concepcion . ex:concepcion cg:within ex:junin . ex:junin cg:within ex:pe .
ex:act cg:memberOfProgramme ex:ibermedia ; cg:member ex:peru .
ex:dance-type skos:broader ex:expression-type ; skos:prefLabel "danza"@es ; skos:topConceptOf ex:scheme .
"""


def outcome(triples, rule, mode):
    """Return what a case is judged by: what a rule infers, or what it forbids."""
    closure = MODES[mode](store_of(triples), RULE_FILES)
    if rule.forbids:
        return {triple for found in closure.inconsistencies if found.rule.id == rule.id for triple in found.premises}
    return set(closure.triples)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rule", RULE_FILES, ids=lambda rule: rule.id)
def test_rule_case(rule, mode):
    folder = CASES / rule.id
    axioms, facts = read_turtle(folder / "axioms.ttl"), read_turtle(folder / "given.ttl")
    then = set(read_turtle(folder / "then.ttl"))

    assert then, f"every rule has a case: {folder}"
    assert outcome(axioms + facts, rule, mode) == then
    for axiom in axioms:
        if axiom.predicate.value not in {RDF + "first", RDF + "rest"}:
            rest = [triple for triple in axioms if triple != axiom]
            assert not then <= outcome(rest + facts, rule, mode), f"nothing depends on {axiom}"


def test_every_case_has_its_rule():
    names = {folder.name for folder in CASES.iterdir() if folder.is_dir()}
    assert names - {"ontology"} == {rule.id for rule in RULE_FILES}


@pytest.mark.parametrize("rule", RULE_FILES, ids=lambda rule: rule.id)
def test_a_case_fails_without_its_rule(rule):
    folder = CASES / rule.id
    triples = read_turtle(folder / "axioms.ttl", folder / "given.ttl")
    then = set(read_turtle(folder / "then.ttl"))
    closure = close(store_of(triples), [other for other in RULE_FILES if other.id != rule.id])
    found = {triple for inconsistency in closure.inconsistencies for triple in inconsistency.premises}

    assert not then <= (found if rule.forbids else set(closure.triples))


def assert_equal_to_oracles(triples, *, with_owlrl=True):
    store = store_of(triples)
    closure, plain = engine.close(store, RULE_FILES), reference.close(store, RULE_FILES)

    assert len(store) == len(set(triples)), "the store stays as it is"
    assert not set(closure.triples) & set(triples), "only what is new"
    assert closure.triples == plain.triples
    assert {(i.rule.id, frozenset(i.premises)) for i in closure.inconsistencies} == {
        (i.rule.id, frozenset(i.premises)) for i in plain.inconsistencies
    }
    if with_owlrl:
        assert {t for t in closure.triples if is_instance_triple(t)} == close_with_owlrl(triples)


@pytest.mark.parametrize("rule", RULE_FILES, ids=lambda rule: rule.id)
def test_cases_equal_owlrl(rule):
    triples = read_turtle(CASES / rule.id / "axioms.ttl", CASES / rule.id / "given.ttl")

    # owlrl makes identical things interchangeable (eq-rep); our data never say owl:sameAs.
    assert_equal_to_oracles(triples, with_owlrl=rule.id != "eq-diff1")


@settings(max_examples=25, **SMALL)
@given(graphs())
def test_made_up_ontologies_equal_owlrl(triples):
    assert_equal_to_oracles(triples)


@pytest.mark.slow
@settings(max_examples=600, **SMALL)
@given(graphs())
def test_many_made_up_ontologies_equal_owlrl(triples):
    assert_equal_to_oracles(triples)


@pytest.fixture(scope="module")
def ontology() -> list[Triple]:
    return read_turtle(*sorted((ROOT / "ontology").rglob("*.ttl")))


def test_our_ontology_equals_reference(ontology):
    facts = [quad.triple for quad in parse(input=FACTS, format=RdfFormat.TURTLE)]
    assert_equal_to_oracles(ontology + facts, with_owlrl=False)
    inferred = set(infer(store_of(ontology + facts), RULE_FILES))
    base = "https://w3id.org/culturegraph/id/"
    for s, p, o in (
        ("huaconada", "recognisedByNorm", "norm"),
        ("huaconada", "locatedWithin", "pe"),
        ("pe", "contains", "mito"),
        ("people", "practises", "huaconada"),
    ):
        assert Triple(NamedNode(base + s), NamedNode(CG + p), NamedNode(base + o)) in inferred
    assert Triple(NamedNode(base + "dance-type"), LABEL, Literal("danza", language="es")) in inferred


@pytest.mark.slow
def test_our_ontology_equals_owlrl(ontology):
    facts = [quad.triple for quad in parse(input=FACTS, format=RdfFormat.TURTLE)]
    assert_equal_to_oracles(ontology + facts)


def test_our_ontology_is_covered_by_rules(ontology):
    """Each kind of axiom that the ontology uses is read by some rule, so none is silently ignored."""
    read = {p.predicate for rule in RULE_FILES for p in rule.premises if is_axiom(p)}
    read |= {p.object for rule in RULE_FILES for p in rule.premises if p.predicate == TYPE and is_axiom(p)}
    idle = {
        *(NamedNode(OWL + name) for name in ("versionIRI", "versionInfo", "imports", "Ontology", "deprecated")),
        *(NamedNode(OWL + name) for name in ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty")),
        *(NamedNode(OWL + name) for name in ("priorVersion", "backwardCompatibleWith", "incompatibleWith")),
        # "The target is typed": OWL 2 RL draws nothing from these.
        *(NamedNode(OWL + name) for name in ("NamedIndividual", "Thing", "Restriction")),
    }
    used = {t.predicate for t in ontology if is_axiom(Pattern(t.subject, t.predicate, t.object))}
    used |= {t.object for t in ontology if t.predicate == TYPE and str(t.object).startswith(f"<{OWL}")}

    assert used - {TYPE} <= read | idle


def test_the_bundled_graph_is_consistent(built: Build, built_store: Store):
    assert find_inconsistencies(built_store, RULE_FILES) == []


def test_the_bundled_graph_is_closed(built: Build, built_store: Store):
    assert infer(built_store, RULE_FILES) == []


def asserted_of(store: Store) -> list[Triple]:
    inferred = {quad.triple for quad in store.quads_for_pattern(None, None, None, INFERRED)}
    merged = {quad.triple for quad in store.quads_for_pattern(None, None, None, None) if quad.graph_name != INFERRED}
    return [triple for triple in merged if triple not in inferred]


@pytest.mark.slow
def test_the_bundled_graph_equals_the_reference(built_store: Store):
    assert_equal_to_oracles(asserted_of(built_store), with_owlrl=False)


@pytest.mark.slow
def test_the_bundled_graph_equals_owlrl(built_store: Store):
    asserted = asserted_of(built_store)
    ours = {triple for triple in infer(store_of(asserted), RULE_FILES) if is_instance_triple(triple)}

    assert ours == close_with_owlrl(asserted)


def test_the_bench_reasons_over_what_owlrl_reasons_over():
    triples = [*(quad.triple for quad in parse(input=ONTOLOGY, format=RdfFormat.TURTLE)), *generate(600, seed=3)]

    assert list(generate(600, seed=3)) == triples[-len(list(generate(600, seed=3))) :]
    assert_equal_to_oracles(triples)


def test_the_bench_measures_each_engine_in_a_process_of_its_own():
    ours, theirs = run([500])

    assert (ours.engine, theirs.engine) == ("culturegraph", "owlrl")
    assert ours.triples == theirs.triples
    assert 0 < ours.cpu_seconds < theirs.cpu_seconds
    assert min(ours.peak_memory, theirs.peak_memory) > 10_000_000


def test_the_order_is_that_of_the_terms():
    triples = read_turtle(CASES / "prp-trp" / "axioms.ttl", CASES / "prp-trp" / "given.ttl")
    closure = infer(store_of(triples), RULE_FILES)

    assert closure == infer(store_of(reversed(triples)), RULE_FILES)
    assert closure == sorted(closure, key=lambda t: (str(t.subject), str(t.predicate), str(t.object)))


def test_anonymous_classes_and_everything_are_not_stated():
    triples = read_turtle(CASES / "cls-hv1" / "axioms.ttl", CASES / "cls-hv1" / "given.ttl")
    thing = Triple(NamedNode(CG + "PeruvianNorm"), NamedNode(RDFS + "subClassOf"), NamedNode(OWL + "Thing"))
    closure = infer(store_of([*triples, thing]), RULE_FILES)

    assert [t for t in closure if t.predicate == TYPE or isinstance(t.object, BlankNode)] == []


def write_rule(folder: Path, body: str, prose: str = "{x}") -> Path:
    head = f'#+ title: {{es: regla, en: rule}}\n#+ specification: ours\n#+ prose: {{es: "{prose}", en: "{prose}"}}\n'
    path = folder / "rule.rq"
    path.write_text(head + "PREFIX cg: <https://w3id.org/culturegraph/ontology/>\n" + body, encoding="utf-8")
    return path


YEARS = """CONSTRUCT { ?x cg:earliest ?day }
WHERE {
  ?x cg:year ?year .  # a year, "{1990}"
  FILTER(REGEX(?year, "^[0-9]{4}$"))
  BIND(STRDT(CONCAT(?year, "-01-01"), xsd:date) AS ?day)
}"""


@pytest.mark.parametrize("mode", MODES)
def test_a_rule_of_our_own_may_compute(tmp_path, mode):
    write_rule(tmp_path, YEARS)
    norm, year, day = NamedNode(CG + "x"), NamedNode(CG + "year"), NamedNode(CG + "earliest")
    store = store_of([Triple(norm, year, Literal("1990")), Triple(norm, year, Literal("siglo XX"))])
    date = Literal("1990-01-01", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#date"))

    assert MODES[mode](store, read_rules(tmp_path)).triples == [Triple(norm, day, date)]


@pytest.mark.parametrize("mode", MODES)
def test_a_rule_of_our_own_may_forbid(tmp_path, mode):
    write_rule(tmp_path, "CONSTRUCT { } WHERE { ?x cg:from ?a ; cg:to ?b . FILTER(?a > ?b) }")
    x, start, end = (NamedNode(CG + name) for name in ("x", "from", "to"))
    triples = [Triple(x, start, Literal(2012)), Triple(x, end, Literal(2010)), Triple(x, end, Literal(2020))]
    found = MODES[mode](store_of(triples), read_rules(tmp_path)).inconsistencies

    assert [set(inconsistency.premises) for inconsistency in found] == [set(triples[:2])]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("SELECT ?x WHERE { ?x a cg:Dance }", "is no rule"),
        ("CONSTRUCT { ?x a cg:B } WHERE { ?x a cg:A . OPTIONAL { ?x cg:p ?y } }", "is no rule"),
        ("CONSTRUCT { ?x a cg:B } WHERE { ?x a cg:A . FILTER(?x = cg:a || EXISTS { ?x a cg:C }) }", "is no rule"),
        ("CONSTRUCT { ?x a cg:B } WHERE { ?x ^cg:p ?y }", "no triple pattern"),
        ("CONSTRUCT { ?x cg:p ?y } WHERE { ?x a cg:A }", "concludes on ?y"),
        ("CONSTRUCT { ?x a cg:B } WHERE { ?x a cg:A", "rule.rq:5:42"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_file(tmp_path, body, message):
    write_rule(tmp_path, body)
    with pytest.raises(DataErrors) as refused:
        read_rules(tmp_path)
    assert message in str(refused.value)
    assert "rule.rq" in str(refused.value)


def test_prose_may_only_name_what_premises_bind(tmp_path):
    write_rule(tmp_path, "CONSTRUCT { ?x a cg:B } WHERE { ?x a cg:A }", prose="{nobody}")
    with pytest.raises(DataErrors, match="nobody"):
        read_rules(tmp_path)


def test_a_rule_without_a_known_predicate_is_refused(tmp_path):
    write_rule(tmp_path, "CONSTRUCT { ?x cg:p ?y } WHERE { ?x ?p ?y }")
    with pytest.raises(DataError, match="no axiom names"):
        infer(store_of([]), read_rules(tmp_path))
