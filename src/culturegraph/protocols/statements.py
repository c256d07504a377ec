"""What a page tells of one statement: who says so and where, or why it follows. Pure: a store in, values out.

How a proof is found is the business of `explanation`; this module puts names, links and sources to its steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from culturegraph.explanation import Proof, Sentence, rule_iri, tell
from culturegraph.protocols.attribution import Attribution, SourceNote
from culturegraph.protocols.entity import HIDDEN
from culturegraph.protocols.labels import Labels, Name, Reference, refer, to_href
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.statements import statement_iri
from culturegraph.rdf.vocabulary import CG, RDF

_LOCATOR = NamedNode(CG + "locator")
_FIRST, _REST = NamedNode(RDF + "first"), NamedNode(RDF + "rest")
_NIL = NamedNode(RDF + "nil")
# What is shown in the place of a name that is never shown.
WITHHELD = Name("[…]")


@dataclass(frozen=True)
class RuleNote:
    """A rule as a step of a proof names it."""

    id: str
    title: str
    specification: str
    href: str | None


@dataclass(frozen=True)
class Step:
    """One statement of a proof: in words, where it is explained, what supports it.

    A step has a rule with premises and axioms, or the numbers of the sources that state it. `reason` says in a
    sentence what the rule concludes from what.
    """

    claim: str
    reason: str
    href: str | None
    rule: RuleNote | None
    sources: tuple[int, ...]
    premises: tuple[Step, ...] = ()
    axioms: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Locator:
    """Where a source speaks of something: pages, articles, rows, files."""

    about: Reference
    places: tuple[str, ...]


@dataclass(frozen=True)
class Support:
    """A source that a statement rests on, with the places in it."""

    note: SourceNote
    locators: tuple[Locator, ...]


@dataclass(frozen=True)
class StatementPage:
    """What a page tells of a statement. `proof` is None where it is inferred and no rule at hand leads to it."""

    iri: str
    line: str
    subject: Reference
    predicate: Reference
    object: Reference
    is_inferred: bool
    is_hidden: bool
    proof: Step | None
    warnings: tuple[str, ...]
    supports: tuple[Support, ...]


def describe_statement(store: Dataset, triple: Triple, proof: Proof | None, language: str) -> StatementPage:
    """Return what a page tells of a statement that the graph holds."""
    labels = Labels(store, language)
    teller = _Teller(store, labels, language)
    is_hidden = triple.predicate.value in HIDDEN
    step, warnings = teller.tell(proof) if proof is not None and not is_hidden else (None, ())
    if is_hidden:
        teller.number_sources(proof)
    return StatementPage(
        iri=statement_iri(triple).value,
        line="" if is_hidden else f"{triple} .",
        subject=refer(triple.subject, labels),
        predicate=refer(triple.predicate, labels),
        object=Reference(WITHHELD) if is_hidden else refer(triple.object, labels),
        is_inferred=Quad(triple.subject, triple.predicate, triple.object, INFERRED) in store,
        is_hidden=is_hidden,
        proof=step,
        warnings=warnings,
        supports=teller.supports(),
    )


class _Teller:
    """Turns a proof into steps; remembers which source supports a statement on which subject."""

    def __init__(self, store: Dataset, labels: Labels, language: str) -> None:
        self._store, self._labels, self._language = store, labels, language
        self._attribution = Attribution(store, labels)
        self._subjects: dict[str, dict[NamedNode | BlankNode, None]] = {}

    def tell(self, proof: Proof) -> tuple[Step, tuple[str, ...]]:
        """Return the proof as a tree, and its warnings."""
        sentences = iter(tell(proof, self._store, self._language, lambda iri: self._labels.of(iri).text))
        step = self._step(proof, sentences)
        return step, tuple(sentence.text for sentence in sentences)

    def _step(self, proof: Proof, sentences: Iterator[Sentence]) -> Step:
        # Sentences come in the order of the proof: conclusion, premises with theirs, axioms.
        sentence = next(sentences)
        premises = tuple(self._step(premise, sentences) for premise in proof.premises)
        axioms = tuple(self._axiom(axiom, next(sentences)) for axiom in proof.axioms)
        return Step(
            claim=sentence.claim,
            reason=sentence.text.removesuffix(f" [{proof.rule.id}]") if proof.rule else "",
            href=_href(proof.statement),
            rule=self._rule(proof),
            sources=self.number_sources(proof),
            premises=premises,
            axioms=axioms,
        )

    def _axiom(self, axiom: Proof, _sentence: Sentence) -> Step:
        triple = axiom.statement
        names = (refer(term, self._labels).name.text for term in (triple.subject, triple.predicate))
        text = " — ".join([*names, self._axiom_object(triple)])
        return Step(text, "", _href(triple), None, self.number_sources(axiom))

    def _axiom_object(self, triple: Triple) -> str:
        """Return the object of an axiom in words: the members of a list, the name of anything else."""
        members: list[str] = []
        node = triple.object
        while isinstance(node, BlankNode) and len(members) < 20:
            first, rest = self._value(node, _FIRST), self._value(node, _REST)
            if first is None:
                return "[…]"
            members.append(refer(first, self._labels).name.text)
            node = rest if rest is not None else _NIL
        return " ∘ ".join(members) if members else refer(node, self._labels).name.text

    def _value(self, subject: BlankNode, predicate: NamedNode) -> NamedNode | BlankNode | Literal | None:
        found = self._store.quads_for_pattern(subject, predicate, None, DefaultGraph())
        return next((quad.object for quad in found), None)  # type: ignore[return-value]

    def _rule(self, proof: Proof) -> RuleNote | None:
        rule = proof.rule
        if rule is None:
            return None
        title = rule.title.get(self._language, rule.id)
        return RuleNote(rule.id, title, rule.specification, to_href(rule_iri(rule).value))

    def number_sources(self, proof: Proof | None) -> tuple[int, ...]:
        """Return the numbers of the graphs that assert a statement."""
        graphs = [graph.value for graph in proof.sources] if proof is not None else []
        for graph in graphs:
            self._subjects.setdefault(graph, {})[proof.statement.subject] = None  # type: ignore[union-attr, index]
        return tuple(self._attribution.number(graph) for graph in graphs)

    def supports(self) -> tuple[Support, ...]:
        """Return the sources that were numbered, with the places in them."""
        return tuple(Support(note, self._locators(note.graph)) for note in self._attribution.notes())

    def _locators(self, graph: str) -> tuple[Locator, ...]:
        found = []
        for subject in self._subjects[graph]:
            quads = self._store.quads_for_pattern(subject, _LOCATOR, None, NamedNode(graph))
            if places := sorted({quad.object.value for quad in quads if isinstance(quad.object, Literal)}):
                found.append(Locator(refer(subject, self._labels), tuple(places)))
        return tuple(found)


def _href(triple: Triple) -> str | None:
    return to_href(statement_iri(triple).value)
