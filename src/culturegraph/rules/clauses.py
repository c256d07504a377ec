"""Narrowing rules to the axioms of an ontology, once, before any instance data is looked at.

A rule of the OWL 2 RL tables speaks of axioms and of facts: `?c1 rdfs:subClassOf ?c2 . ?x a ?c1`. The axioms are few
and do not grow while rules run, so each of their solutions makes one clause that speaks of facts alone:
`?x a cg:Dance`, therefore `?x a cg:CulturalExpression`. (The database world calls this partial evaluation.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyoxigraph import BlankNode, NamedNode, Triple, Variable

from culturegraph.errors import DataError
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG, OWL, RDF, RDFS, TYPE
from culturegraph.rules.files import Rule
from culturegraph.rules.patterns import Bindings, Pattern, PropertyPath, Term, select

_LIST = frozenset({NamedNode(RDF + "first"), NamedNode(RDF + "rest")})
_RDFS_AXIOMS = frozenset(NamedNode(RDFS + name) for name in ("subClassOf", "subPropertyOf", "domain", "range"))
# Says of a property from which others a rule works its values out.
_OWN = frozenset({NamedNode(CG + "readFrom")})
# Of OWL's terms, those that speak of individuals.
_FACTS = frozenset(NamedNode(OWL + name) for name in ("sameAs", "differentFrom", "Thing", "Nothing", "NamedIndividual"))


@dataclass(frozen=True)
class Clause:
    """A rule narrowed to one solution of its axioms: one conclusion (None: forbidden) and premises about facts."""

    rule: Rule
    conclusion: Pattern | None
    premises: tuple[Pattern, ...]
    axioms: tuple[Triple, ...] = ()
    expressions: tuple[str, ...] = ()
    bindings: Bindings | None = None

    @property
    def sparql(self) -> str:
        """The premises and expressions as a SPARQL group."""
        return "{ " + " ".join([*map(str, self.premises), *self.expressions]) + " }"


def is_axiom(pattern: Pattern) -> bool:
    """Whether a premise speaks of the ontology (a schema axiom) and not of facts."""
    predicate = pattern.predicate
    if predicate == TYPE:
        name = pattern.object
        return isinstance(name, NamedNode) and name.value.startswith(OWL) and name not in _FACTS
    if not isinstance(predicate, NamedNode):
        return isinstance(predicate, PropertyPath)
    return predicate in _RDFS_AXIOMS | _OWN | _LIST or (predicate.value.startswith(OWL) and predicate not in _FACTS)


def narrow_rules(rules: Iterable[Rule], store: Dataset) -> list[Clause]:
    """Return the clauses that the rules become under the axioms in the store's default graph, in a stable order.

    Clauses that say the same are kept once, and those that conclude one of their premises not at all.
    Raises DataError where a premise about facts is left without a known predicate.
    """
    clauses: dict[tuple[object, ...], Clause] = {}
    for rule in rules:
        for clause in _narrow(rule, store):
            key = (clause.rule.id if clause.conclusion is None else "", clause.conclusion, clause.premises)
            if clause.conclusion not in clause.premises:
                clauses.setdefault((*key, clause.expressions), clause)
    return list(clauses.values())


def _narrow(rule: Rule, store: Dataset) -> Iterable[Clause]:
    axioms = [pattern for pattern in rule.premises if is_axiom(pattern)]
    facts = [pattern for pattern in rule.premises if not is_axiom(pattern)]
    known = {name for pattern in axioms for name in pattern.variables}
    early = [text for text in rule.expressions if axioms and _variables(text) <= known]
    late = [text for text in rule.expressions if text not in early]
    for solution in _solve(axioms, early, store):
        premises = tuple(pattern.substitute(solution) for pattern in facts)
        for pattern in premises:
            _check_predicate(pattern, rule)
        statements = tuple(_ground(axioms, solution))
        expressions = tuple(_write(text, solution) for text in late)
        for conclusion in rule.conclusions or (None,):
            then = conclusion.substitute(solution) if conclusion else None
            if then is not None:
                _check_predicate(then, rule)
            yield Clause(rule, then, premises, statements, expressions, solution)


def _solve(axioms: list[Pattern], expressions: list[str], store: Dataset) -> list[dict[str, Term]]:
    if not axioms:
        return [{}]
    text = " ".join([*map(str, axioms), *expressions])
    found = select(store, f"SELECT DISTINCT * WHERE {{ {text} }}")
    names = sorted(found[0]) if found else []
    return sorted(found, key=lambda row: [str(row[name]) for name in names])


def _ground(axioms: list[Pattern], solution: Bindings) -> Iterable[Triple]:
    """Yield the axioms as triples. The cells of a list are no axioms: the triple that points to the list is."""
    for pattern in axioms:
        if pattern.predicate not in _LIST and (triple := pattern.substitute(solution).to_triple()):
            yield triple


def _check_predicate(pattern: Pattern, rule: Rule) -> None:
    if isinstance(pattern.predicate, BlankNode):
        raise DataError("meets an anonymous inverse property; give it a name", rule.file.path.name)
    if not isinstance(pattern.predicate, NamedNode) or (
        pattern.predicate == TYPE and isinstance(pattern.object, Variable)
    ):
        raise DataError(f"has a triple whose predicate or class no axiom names: {pattern}", rule.file.path.name)


def _variables(text: str) -> set[str]:
    return set(re.findall(r"\?(\w+)", text))


def _write(text: str, solution: Mapping[str, Term]) -> str:
    return re.sub(r"\?(\w+)", lambda m: str(solution[m[1]]) if m[1] in solution else m[0], text)
