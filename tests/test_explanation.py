"""Explanations: every inferred statement has a proof, minimal, without circles, step by step true to its rule."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from math import inf

import pytest
from entailment import CASES, RULES, graphs, publish, read_turtle, store_of
from hypothesis import HealthCheck, given, settings
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from culturegraph.build import Build
from culturegraph.errors import NotFoundError
from culturegraph.explanation import Explainer, Proof, explain, tell, to_provenance
from culturegraph.rdf.graphs import INFERRED, ONTOLOGY, source_graph
from culturegraph.rdf.statements import find_statement, statement_hash, statement_iri
from culturegraph.rdf.vocabulary import BASE, CG, PREFIXES, PROV, RDF, TYPE
from culturegraph.reasoning import infer, read_rules
from culturegraph.rules import Clause, narrow_rules

RULE_FILES = read_rules(RULES)
INFERRING = [rule for rule in RULE_FILES if not rule.forbids]
SMALL = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


def published(triples: list[Triple]) -> tuple[Store, list[Triple]]:
    """Return a store with the closure of the triples, as a build publishes it, and what was inferred."""
    store = store_of(triples)
    inferred = infer(store, RULE_FILES)
    return publish(store, inferred), inferred


def axioms_and_lists(store: Store) -> list[Triple]:
    names = {clause.rule.id: clause for clause in narrow_rules(RULE_FILES, store)}
    assert names
    return [
        quad.triple
        for quad in store.quads_for_pattern(None, None, None, None)
        if str(quad.predicate).startswith(("<http://www.w3.org/2002/07/owl#", "<http://www.w3.org/2000/01/rdf-schema#"))
        or (quad.predicate.value.startswith(RDF) and isinstance(quad.subject, BlankNode))
        or str(quad.object).startswith("<http://www.w3.org/2002/07/owl#")
        or quad.predicate.value == CG + "readFrom"
    ]


def assert_is_sound(proof: Proof, store: Store, above: tuple[Triple, ...] = ()) -> None:
    """Check a proof without the code that made it: the rule file itself, run on the premises, gives the conclusion."""
    assert proof.statement not in above, "a proof never rests on itself"
    if proof.rule is None:
        triple = proof.statement
        assert Quad(triple.subject, triple.predicate, triple.object) in store
        assert Quad(triple.subject, triple.predicate, triple.object, INFERRED) not in store
        return
    premises = store_of([*(premise.statement for premise in proof.premises), *axioms_and_lists(store)])
    assert proof.statement in set(premises.query(proof.rule.file.text, prefixes=dict(PREFIXES)))
    for premise in (*proof.premises, *proof.axioms):
        assert_is_sound(premise, store, (*above, proof.statement))


def fewest_steps(store: Store, inferred: list[Triple]) -> dict[Triple, float]:
    """Return the fewest steps to each inferred statement, found forwards by trying until nothing improves."""
    asserted = {quad.triple for quad in store.quads_for_pattern(None, None, None, None)} - set(inferred)
    steps: dict[Triple, float] = dict.fromkeys(asserted, 0)
    clauses = [clause for clause in narrow_rules(INFERRING, store) if clause.conclusion]
    improved = True
    while improved:
        improved = False
        for clause in clauses:
            for premises, conclusion in ground(clause, list(steps)):
                cost = 1 + sum(steps[premise] for premise in premises)
                if cost < steps.get(conclusion, inf):
                    steps[conclusion], improved = cost, True
    return steps


def ground(clause: Clause, known: list[Triple]) -> Iterator[tuple[list[Triple], Triple]]:
    def extend(place: int, bindings: dict, found: list[Triple]) -> Iterator[tuple[list[Triple], Triple]]:
        if place == len(clause.premises):
            conclusion = clause.conclusion.substitute(bindings).to_triple()
            if conclusion is not None:
                yield found, conclusion
            return
        pattern = clause.premises[place].substitute(bindings)
        for triple in known:
            matched = pattern.match(triple)
            if matched is not None:
                yield from extend(place + 1, {**bindings, **matched}, [*found, triple])

    yield from extend(0, {}, [])


@pytest.mark.parametrize("rule", INFERRING, ids=lambda rule: rule.id)
def test_cases_are_proved_by_their_rule(rule):
    store, inferred = published(read_turtle(CASES / rule.id / "axioms.ttl", CASES / rule.id / "given.ttl"))
    explainer = Explainer(store, RULE_FILES)
    proofs = [explainer.explain(triple) for triple in inferred]

    assert rule.id in {step.rule.id for proof in proofs for step in proof.walk() if step.rule}
    for proof in proofs:
        assert_is_sound(proof, store)
        for language in ("es", "en"):
            sentences = tell(proof, store, language)
            assert sentences
            assert not any("{" in sentence.text for sentence in sentences)


def assert_minimal_and_sound(triples: list[Triple]) -> None:
    store, inferred = published(triples)
    fewest = fewest_steps(store, inferred)
    explainer = Explainer(store, RULE_FILES)
    for triple in inferred:
        proof = explainer.explain(triple)
        assert_is_sound(proof, store)
        assert proof.steps == fewest[triple], str(triple)


@settings(max_examples=15, **SMALL)
@given(graphs())
def test_proofs_of_made_up_ontologies_are_minimal_and_sound(triples):
    assert_minimal_and_sound(triples)


@pytest.mark.slow
@settings(max_examples=200, **SMALL)
@given(graphs())
def test_many_proofs_of_made_up_ontologies_are_minimal_and_sound(triples):
    assert_minimal_and_sound(triples)


def test_a_proof_does_not_depend_on_the_order_of_loading():
    triples = read_turtle(CASES / "prp-trp" / "axioms.ttl", CASES / "prp-trp" / "given.ttl")
    (one, inferred), (other, _) = published(triples), published(triples[::-1])

    assert [explain(one, t, RULE_FILES) for t in inferred] == [explain(other, t, RULE_FILES) for t in inferred]


NORM = """
@prefix cg: <https://w3id.org/culturegraph/ontology/> .
@prefix ex: <https://w3id.org/culturegraph/id/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
cg:recognisedByNorm owl:propertyChainAxiom ( cg:recognisedThrough cg:grantedByNorm ) ;
  rdfs:label "reconocida por la norma"@es , "recognised by norm"@en .
cg:recognises owl:inverseOf cg:recognisedThrough .
cg:recognisedThrough rdfs:label "reconocida mediante"@es , "recognised through"@en .
ex:huaconada rdfs:label "Huaconada de Mito"@es .
ex:declaration rdfs:label "Declaración de 2003"@es , "Declaration of 2003"@en ;
  cg:recognises ex:huaconada ; cg:grantedByNorm ex:norm .
ex:norm rdfs:label "RDN 835"@es ; cg:repealedBy ex:later .
ex:later rdfs:label "RVM 1"@es .
"""
ASKED = Triple(NamedNode(BASE + "id/huaconada"), NamedNode(CG + "recognisedByNorm"), NamedNode(BASE + "id/norm"))
DECLARED = NamedNode(BASE + "id/declaration")


@pytest.fixture
def norm_store() -> Store:
    triples = [quad.triple for quad in parse(input=NORM, format=RdfFormat.TURTLE)]
    store, _ = published(triples)
    register = source_graph("register")
    return publish(store, [], [(t, register if t.subject == DECLARED else ONTOLOGY) for t in triples])


def test_a_proof_goes_down_to_the_sources(norm_store):
    proof = explain(norm_store, ASKED, RULE_FILES)

    assert [step.rule.id for step in proof.walk() if step.rule] == ["prp-spo2", "prp-inv1"]
    assert proof.steps == 2
    leaves = [step for step in proof.walk() if step.is_asserted]
    assert {leaf.statement.subject for leaf in leaves} == {DECLARED}
    assert {leaf.sources for leaf in leaves} == {(source_graph("register"),)}
    assert [axiom.sources for axiom in proof.axioms] == [(ONTOLOGY,)]


def test_prose_in_spanish_names_things_rules_sources_and_the_repeal(norm_store):
    sentences = tell(explain(norm_store, ASKED, RULE_FILES), norm_store, "es")

    assert sentences[0].text.startswith(
        "Huaconada de Mito — reconocida por la norma — RDN 835, porque Huaconada de Mito"
    )
    assert sentences[0].text.endswith("[prp-spo2]")
    assert [s.depth for s in sentences] == [0, 1, 2, 2, 1, 1, 0]
    assert "Lo dice: source/register." in sentences[2].text
    assert sentences[-1].text.startswith("Atención: RDN 835 fue derogada por RVM 1")


def test_prose_in_english_falls_back_to_other_labels(norm_store):
    texts = [sentence.text for sentence in tell(explain(norm_store, ASKED, RULE_FILES), norm_store, "en")]

    assert "because Huaconada de Mito — recognised through — Declaration of 2003" in texts[0]
    assert texts[-1].startswith("Note: RDN 835 was repealed by RVM 1")


def test_an_asserted_statement_is_explained_by_its_sources(norm_store):
    triple = Triple(DECLARED, NamedNode(CG + "grantedByNorm"), NamedNode(BASE + "id/norm"))
    proof = explain(norm_store, triple, RULE_FILES)

    assert (proof.is_asserted, proof.steps, proof.sources) == (True, 0, (source_graph("register"),))
    assert len(to_provenance(proof)) == 6


def test_what_the_graph_does_not_say_is_not_found(norm_store):
    with pytest.raises(NotFoundError, match="does not say"):
        explain(norm_store, Triple(DECLARED, TYPE, NamedNode(CG + "Dance")), RULE_FILES)


def test_what_no_rule_supports_any_more_is_not_found(norm_store):
    with pytest.raises(NotFoundError, match="no rule leads"):
        explain(norm_store, ASKED, [rule for rule in RULE_FILES if rule.id != "prp-spo2"])


def test_provenance_links_conclusion_premises_rule_and_sources(norm_store):
    store = Store()
    store.extend(to_provenance(explain(norm_store, ASKED, RULE_FILES)))
    query = """
      SELECT ?rule (COUNT(DISTINCT ?premise) AS ?premises) (GROUP_CONCAT(DISTINCT STR(?source)) AS ?sources) WHERE {
        ?statement a rdf:Statement , prov:Entity ; prov:wasGeneratedBy ?activity ; prov:wasDerivedFrom+ ?premise ;
          prov:qualifiedDerivation [ a prov:Derivation ; prov:entity ?direct ; prov:hadActivity ?activity ] .
        ?activity a prov:Activity ; prov:used ?direct ; prov:qualifiedAssociation [ prov:hadPlan ?rule ] .
        ?rule a prov:Plan ; rdfs:label ?title .
        ?premise rdf:subject ?s ; prov:hadPrimarySource ?source .
        FILTER(?statement = ?asked)
      } GROUP BY ?rule"""
    asked = f"FILTER(?statement = {statement_iri(ASKED)})"
    rows = list(store.query(query.replace("FILTER(?statement = ?asked)", asked), prefixes=dict(PREFIXES)))

    assert [row["rule"].value for row in rows] == [BASE + "queries/prp-spo2"]
    # Two facts of the register, two axioms of the ontology.
    assert rows[0]["premises"].value == "4"
    assert set(rows[0]["sources"].value.split()) == {source_graph("register").value, ONTOLOGY.value}
    assert all(not isinstance(quad.subject, BlankNode) for quad in store)


def test_provenance_can_be_named(norm_store):
    graph = NamedNode(PROV + "bundle")
    assert {q.graph_name for q in to_provenance(explain(norm_store, ASKED, RULE_FILES), graph)} == {graph}


def test_the_hash_is_that_of_the_canonical_line():
    triple = Triple(NamedNode("urn:s"), NamedNode("urn:p"), Literal('línea\n"2"', language="es-PE"))
    line = '<urn:s> <urn:p> "línea\\n\\"2\\""@es-pe .'
    summed = subprocess.run(["sha256sum"], input=f"{line}\n".encode(), capture_output=True, check=True)

    assert statement_hash(triple) == summed.stdout.decode().split()[0]
    assert statement_iri(triple).value == f"{BASE}statement/{statement_hash(triple)}"


def test_a_statement_is_found_by_its_hash(norm_store):
    repeal = Triple(NamedNode(BASE + "id/norm"), NamedNode(CG + "repealedBy"), NamedNode(BASE + "id/later"))
    assert [find_statement(norm_store, statement_hash(triple)) for triple in (ASKED, repeal)] == [ASKED, repeal]
    assert find_statement(norm_store, "0" * 64) is None


def test_explaining_needs_no_reasoner():
    """A server explains without the packages that only building needs."""
    code = "import sys, json, culturegraph.explanation; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    )
    assert not [name for name in modules if name.startswith(("culturegraph.reasoning", "rdflib", "owlrl", "pyshacl"))]


@pytest.fixture(scope="module")
def bundled(built: Build, built_store: Store) -> list[Triple]:
    return [quad.triple for quad in built_store.quads_for_pattern(None, None, None, INFERRED)]


class CountingStore:
    """A store that counts how often it is looked into: the work of a proof, on whatever machine."""

    def __init__(self, store: Store) -> None:
        self.store, self.looks = store, 0

    def __contains__(self, quad: Quad) -> bool:
        self.looks += 1
        return quad in self.store

    def quads_for_pattern(self, *pattern: object) -> Iterator[Quad]:
        self.looks += 1
        return self.store.quads_for_pattern(*pattern)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


# All of them take longer than any other test.
@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)], ids=["one in nine", "every"])
def test_inferred_statements_of_the_bundled_graph_have_a_proof(bundled, built_store, step):
    store = CountingStore(built_store)
    explainer, looks = Explainer(store, RULE_FILES), []
    assert bundled
    for triple in bundled[::step]:
        store.looks = 0
        proof = explainer.explain(triple)
        looks.append(store.looks)
        assert proof.rule is not None
        for step in proof.walk():
            assert step.rule is None or step.premises or step.axioms
            assert step.rule is not None or step.sources, f"asserted by no source: {step.statement}"
    looks.sort()
    assert looks[len(looks) // 2] < 60, "a proof looks where its premises can be"
    assert looks[len(looks) * 95 // 100] < 150
