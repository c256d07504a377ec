"""A proof in words: one sentence for each step, Spanish or English, from the templates of the rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, Triple

from culturegraph.explanation.proofs import Proof
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import GRAPH
from culturegraph.rdf.vocabulary import CG, DCTERMS, LABEL, TYPE, shrink
from culturegraph.rules.patterns import Term

_REPEALED_BY: Final = NamedNode(CG + "repealedBy")
_TITLE: Final = NamedNode(DCTERMS + "title")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_ARTICLE: Final = re.compile(r"\b(a) (?=[aeioAEIO]|u(?!ni|se))")
_TEXTS: Final = MappingProxyType(
    {
        "es": {
            "type": "{s} es {o}.",
            "fact": "{s} — {p} — {o}.",
            "source": "Lo dice: {sources}.",
            "unsourced": "Está en el grafo sin fuente propia.",
            "axiom": "Axioma: {s} {p} {o}. Lo dice: {sources}.",
            "repealed": "Atención: {norm} fue derogada por {by}; la conclusión habla del acto, no del derecho vigente.",
        },
        "en": {
            "type": "{s} is a {o}.",
            "fact": "{s} — {p} — {o}.",
            "source": "Stated by: {sources}.",
            "unsourced": "It is in the graph without a source of its own.",
            "axiom": "Axiom: {s} {p} {o}. Stated by: {sources}.",
            "repealed": "Note: {norm} was repealed by {by}; the conclusion speaks of the act, not of the law in force.",
        },
    }
)


@dataclass(frozen=True)
class Sentence:
    """One sentence of an explanation. `depth` counts from 0, the statement itself; `statement` is what it speaks of.

    `claim` is the statement alone, without what supports it.
    """

    depth: int
    text: str
    statement: Triple
    claim: str


def tell(
    proof: Proof, store: Dataset, language: str = "es", name: Callable[[str], str] | None = None
) -> list[Sentence]:
    """Return the proof in sentences, the conclusion first, each premise under what it supports; then warnings.

    Labels come from the store, in the language where there is one; or `name` gives one for each IRI.
    """
    teller = _Teller(store, language if language in _TEXTS else "en", name)
    return [*teller.tell(proof, 0), *teller.warn(proof)]


class _Teller:
    def __init__(self, store: Dataset, language: str, name: Callable[[str], str] | None) -> None:
        self.store = store
        self.name = name
        self.language = language
        self.texts: Mapping[str, str] = _TEXTS[language]

    def tell(self, proof: Proof, depth: int) -> list[Sentence]:
        if proof.rule is None:
            claim = self.state(proof.statement)
            return [Sentence(depth, f"{claim} {self.name_sources(proof)}", proof.statement, claim)]
        names = {name: self.label(term) for name, term in proof.bindings.items()}
        text = _SLOT.sub(lambda slot: names[slot[1]], proof.rule.prose[self.language])
        claim = self.state(proof.statement)
        sentences = [Sentence(depth, f"{self.polish(text)} [{proof.rule.id}]", proof.statement, claim)]
        for premise in proof.premises:
            sentences += self.tell(premise, depth + 1)
        return sentences + [self.tell_axiom(axiom, depth + 1) for axiom in proof.axioms]

    def state(self, triple: Triple) -> str:
        template = self.texts["type" if triple.predicate == TYPE else "fact"]
        names = (self.label(triple.subject), self.label(triple.predicate), self.label(triple.object))  # type: ignore[arg-type]
        return self.polish(template.format(s=names[0], p=names[1], o=names[2]))

    def polish(self, text: str) -> str:
        """Return the English article that fits the label it came to stand before."""
        return _ARTICLE.sub(r"\1n ", text) if self.language == "en" else text

    def tell_axiom(self, axiom: Proof, depth: int) -> Sentence:
        """Return an axiom as the ontology writes it; the rule's own sentence has put it into words."""
        triple = axiom.statement
        terms = (triple.subject, triple.predicate, triple.object)
        s, p, o = (shrink(term.value) if isinstance(term, NamedNode) else "[…]" for term in terms)
        text = self.texts["axiom"].format(s=s, p=p, o=o, sources=self.list_sources(axiom))
        return Sentence(depth, text, triple, f"{s} {p} {o}")

    def name_sources(self, proof: Proof) -> str:
        if not proof.sources:
            return self.texts["unsourced"]
        return self.texts["source"].format(sources=self.list_sources(proof))

    def list_sources(self, proof: Proof) -> str:
        return ", ".join(self.label(source) for source in proof.sources) or "—"

    def warn(self, proof: Proof) -> list[Sentence]:
        """Return a warning for each repealed norm that the proof goes through: recognition is not protection."""
        sentences: dict[Triple, Sentence] = {}
        for step in proof.walk():
            for term in (step.statement.subject, step.statement.object):
                if isinstance(term, NamedNode):
                    for quad in self.store.quads_for_pattern(term, _REPEALED_BY, None, DefaultGraph()):
                        text = self.texts["repealed"].format(norm=self.label(term), by=self.label(quad.object))  # type: ignore[arg-type]
                        sentences[quad.triple] = Sentence(0, text, quad.triple, text)
        return sorted(sentences.values(), key=lambda sentence: str(sentence.statement))

    def label(self, term: Term) -> str:
        """Return a name for a term: its label in the language, else in another one, else its IRI in short."""
        if isinstance(term, Literal):
            return f"“{term.value}”"
        if not isinstance(term, NamedNode):
            return "[…]"
        if self.name is not None:
            return self.name(term.value)
        for predicate in (LABEL, _TITLE):
            found = [quad.object for quad in self.store.quads_for_pattern(term, predicate, None, DefaultGraph())]
            labels = sorted((o for o in found if isinstance(o, Literal)), key=lambda o: (o.language or "", o.value))
            own = [label for label in labels if label.language == self.language]
            if labels:
                return (own or labels)[0].value
        return term.value.removeprefix(GRAPH) if term.value.startswith(GRAPH) else shrink(term.value)
