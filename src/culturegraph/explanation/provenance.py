"""A proof as RDF: a statement is a reified prov:Entity, a rule application a prov:Activity, a rule a prov:Plan.

Source: W3C PROV-O; RDF Schema 1.1 §5.3 (reification). The IRI of a statement is made of its hash (rdf/statements).
"""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Triple

from culturegraph.explanation.proofs import Proof
from culturegraph.rdf.statements import statement_iri
from culturegraph.rdf.vocabulary import BASE, DCTERMS, LABEL, PROV, RDF, TYPE
from culturegraph.rules import Rule

REASONER = NamedNode(BASE + "reasoner")


def rule_iri(rule: Rule) -> NamedNode:
    """Return the IRI of a rule: that of its query file."""
    return NamedNode(f"{BASE}queries/{rule.id}")


def to_provenance(proof: Proof, graph: NamedNode | DefaultGraph | None = None) -> list[Quad]:
    """Return the proof as quads of one graph (the default graph unless named), each once, conclusion first."""
    name = DefaultGraph() if graph is None else graph
    triples = dict.fromkeys(triple for step in proof.walk() for triple in _describe(step))
    return [Quad(t.subject, t.predicate, t.object, name) for t in triples]


def _describe(proof: Proof) -> Iterator[Triple]:
    statement = statement_iri(proof.statement)
    yield from _reify(proof)
    if proof.rule is None:
        return
    activity, association = NamedNode(statement.value + "#inference"), NamedNode(statement.value + "#association")
    yield Triple(statement, _prov("wasGeneratedBy"), activity)
    yield Triple(activity, TYPE, _prov("Activity"))
    yield Triple(activity, _prov("wasAssociatedWith"), REASONER)
    yield Triple(activity, _prov("qualifiedAssociation"), association)
    yield Triple(association, TYPE, _prov("Association"))
    yield Triple(association, _prov("agent"), REASONER)
    yield Triple(association, _prov("hadPlan"), rule_iri(proof.rule))
    yield Triple(REASONER, TYPE, _prov("SoftwareAgent"))
    yield from describe_rule(proof.rule)
    for number, used in enumerate((*proof.premises, *proof.axioms), start=1):
        source, derivation = statement_iri(used.statement), NamedNode(f"{statement.value}#derivation-{number}")
        yield Triple(activity, _prov("used"), source)
        yield Triple(statement, _prov("wasDerivedFrom"), source)
        yield Triple(statement, _prov("qualifiedDerivation"), derivation)
        yield Triple(derivation, TYPE, _prov("Derivation"))
        yield Triple(derivation, _prov("entity"), source)
        yield Triple(derivation, _prov("hadActivity"), activity)
    for axiom in proof.axioms:
        yield from _reify(axiom)


def _reify(proof: Proof) -> Iterator[Triple]:
    statement, triple = statement_iri(proof.statement), proof.statement
    yield Triple(statement, TYPE, NamedNode(RDF + "Statement"))
    yield Triple(statement, TYPE, _prov("Entity"))
    yield Triple(statement, NamedNode(RDF + "subject"), triple.subject)
    yield Triple(statement, NamedNode(RDF + "predicate"), triple.predicate)
    yield Triple(statement, NamedNode(RDF + "object"), triple.object)
    for source in proof.sources:
        yield Triple(statement, _prov("hadPrimarySource"), source)


def describe_rule(rule: Rule) -> Iterator[Triple]:
    """Yield what is said of a rule as a plan of inference."""
    plan = rule_iri(rule)
    yield Triple(plan, TYPE, _prov("Plan"))
    yield Triple(plan, TYPE, _prov("Entity"))
    yield Triple(plan, NamedNode(DCTERMS + "identifier"), Literal(rule.id))
    yield Triple(plan, NamedNode(DCTERMS + "bibliographicCitation"), Literal(rule.specification))
    for language, title in sorted(rule.title.items()):
        yield Triple(plan, LABEL, Literal(title, language=language))


def _prov(name: str) -> NamedNode:
    return NamedNode(PROV + name)
