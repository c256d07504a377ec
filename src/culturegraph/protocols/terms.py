"""What a page tells of one term: meaning, place among others, axioms, use. Pure: a store in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Triple

from culturegraph.protocols.labels import Labels, Name, Reference, refer, to_href
from culturegraph.protocols.modules import Module
from culturegraph.protocols.ontology import Ontology, module_name, other_names, short_name, sort_by_name
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import GRAPH, INFERRED
from culturegraph.rdf.statements import statement_iri
from culturegraph.rdf.vocabulary import CG, OWL, RDFS, SKOS, TYPE

_LINKS: Final = GRAPH + "links/"
_ALIGNING: Final = (
    OWL + "equivalentClass",
    OWL + "equivalentProperty",
    RDFS + "subClassOf",
    RDFS + "subPropertyOf",
    *(SKOS + name for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")),
)
# Example instances or statements on a page, and the triples that are looked through for stated ones.
_EXAMPLES: Final = 6
_LOOKED_AT: Final = 500


@dataclass(frozen=True)
class Branch:
    """A term in the hierarchy with what is narrower."""

    term: Reference
    is_self: bool
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Example:
    """An instance of a class, or a statement with a property (then with its value and where it is explained)."""

    subject: Reference
    object: Reference | None = None
    statement: str | None = None


@dataclass(frozen=True)
class Usage:
    """How often the graph uses a term: instances of a class, triples of a property."""

    asserted: int
    inferred: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Alignment:
    """The foreign terms that a term is related to in one way."""

    relation: Reference
    terms: tuple[Reference, ...]


@dataclass(frozen=True)
class TermPage:
    """What a page tells of a term. `chains` and `used_in_chains` hold the parts and, last, what follows from them."""

    iri: str
    short: str
    kind: str
    name: Name
    other_names: tuple[Name, ...]
    definition: Name | None
    notes: tuple[tuple[str, Name], ...]
    module: Module
    module_name: Name
    hierarchy: tuple[Branch, ...]
    axioms: tuple[tuple[str, tuple[Reference, ...]], ...]
    characteristics: tuple[str, ...]
    chains: tuple[tuple[Reference, ...], ...]
    usage: Usage
    questions: tuple[QueryFile, ...]
    alignments: tuple[Alignment, ...]


def describe_term_page(
    store: Dataset, ontology: Ontology, iri: str, language: str, queries: Iterable[QueryFile]
) -> TermPage | None:
    """Return what a page tells of a term of ours, or None where the ontology does not declare it."""
    if iri not in ontology.kinds:
        return None
    labels = Labels(store, language)
    kind, name = ontology.kinds[iri], labels.of(iri)
    definition = _texts(store, iri, SKOS + "definition", labels)
    return TermPage(
        iri=iri,
        short=short_name(iri),
        kind=kind,
        name=name,
        other_names=other_names(store, iri, name),
        definition=definition[0] if definition else None,
        notes=tuple(
            (key, text)
            for key in ("example", "scopeNote", "historyNote", "editorialNote")
            for text in _texts(store, iri, SKOS + key, labels)
        ),
        module=ontology.module_of[iri],
        module_name=module_name(ontology.module_of[iri], labels),
        hierarchy=tuple(_hierarchy(ontology, iri, labels)),
        axioms=tuple((key, _refer_all(iris, labels)) for key, iris in _axioms(ontology, iri, kind) if iris),
        characteristics=tuple(ontology.characteristics(iri)),
        chains=_chains(ontology, iri, labels),
        usage=_count_instances(store, iri, labels) if kind == "classes" else _count_triples(store, iri, labels),
        questions=tuple(find_questions(iri, queries)),
        alignments=_alignments(store, iri, labels),
    )


def find_questions(iri: str, queries: Iterable[QueryFile]) -> list[QueryFile]:
    """Return the queries that name a term, by its prefixed name or its IRI."""
    local = re.escape(iri.removeprefix(CG))
    pattern = re.compile(rf"(?<![\w:-])cg:{local}(?![\w-])|<{re.escape(iri)}>")
    return [query for query in queries if pattern.search(query.sparql)]


def _axioms(ontology: Ontology, iri: str, kind: str) -> list[tuple[str, Sequence[str]]]:
    """Return what is declared of a term as a key and the terms it names."""
    if kind == "classes":
        return [
            ("applies_here", [term for term, classes in ontology.domains.items() if iri in classes]),
            ("leads_here", [term for term, classes in ontology.ranges.items() if iri in classes]),
            ("disjoint", ontology.disjoint.get(iri, ())),
        ]
    return [
        ("domain", ontology.domains.get(iri, ())),
        ("range", ontology.ranges.get(iri, ())),
        ("inverse", ontology.inverses.get(iri, ())),
        ("disjoint", ontology.disjoint.get(iri, ())),
    ]


def _chains(ontology: Ontology, iri: str, labels: Labels) -> tuple[tuple[Reference, ...], ...]:
    """Return the chains that conclude a property, then those that it is a part of."""
    rows = [(*chain, result) for result, chains in ontology.chains.items() for chain in chains]
    kept = sorted((row for row in rows if iri in row), key=lambda row: (row[-1] != iri, row))
    return tuple(tuple(refer(NamedNode(part), labels) for part in row) for row in kept)


def _hierarchy(ontology: Ontology, iri: str, labels: Labels) -> list[Branch]:
    """Return the trees from the broadest terms above a term down to the narrowest below it."""
    above, below = _reach(ontology.parents, iri), _reach(ontology.children, iri)
    kept = above | below | {iri}

    def grow(term: str, path: frozenset[str]) -> Branch:
        narrower = [child for child in ontology.children.get(term, ()) if child in kept and child not in path]
        if term not in below and term != iri:
            narrower = [child for child in narrower if child in above or child == iri]
        branches = (grow(child, path | {child}) for child in sort_by_name(narrower, labels))
        return Branch(refer(NamedNode(term), labels), term == iri, tuple(branches))

    roots = [term for term in above | {iri} if not set(ontology.parents.get(term, ())) & above]
    return [grow(root, frozenset({root})) for root in sort_by_name(roots, labels)]


def _reach(links: dict[str, tuple[str, ...]], iri: str) -> set[str]:
    found: set[str] = set()
    waiting = [iri]
    while waiting:
        for other in links.get(waiting.pop(), ()):
            if other not in found and other != iri and other.startswith(CG):
                found.add(other)
                waiting.append(other)
    return found


def _count_instances(store: Dataset, iri: str, labels: Labels) -> Usage:
    asserted, inferred, triples = _count(store, TYPE, NamedNode(iri))
    return Usage(asserted, inferred, tuple(Example(refer(triple.subject, labels)) for triple in triples))


def _count_triples(store: Dataset, iri: str, labels: Labels) -> Usage:
    asserted, inferred, triples = _count(store, NamedNode(iri), None)
    examples = (
        Example(refer(t.subject, labels), refer(t.object, labels), to_href(statement_iri(t).value)) for t in triples
    )
    return Usage(asserted, inferred, tuple(examples))


def _count(store: Dataset, predicate: NamedNode, value: NamedNode | None) -> tuple[int, int, list[Triple]]:
    """Return how many triples sources state and how many are inferred, and some of them: stated ones if there are."""
    total = sum(1 for _ in store.quads_for_pattern(None, predicate, value, DefaultGraph()))
    inferred = sum(1 for _ in store.quads_for_pattern(None, predicate, value, INFERRED))
    looked_at = islice(store.quads_for_pattern(None, predicate, value, DefaultGraph()), _LOOKED_AT)
    triples = sorted((quad.triple for quad in looked_at), key=str)
    stated = [t for t in triples if Quad(t.subject, t.predicate, t.object, INFERRED) not in store]
    return total - inferred, inferred, (stated or triples)[:_EXAMPLES]


def _alignments(store: Dataset, iri: str, labels: Labels) -> tuple[Alignment, ...]:
    found: dict[str, set[NamedNode]] = {}
    for quad in store.quads_for_pattern(NamedNode(iri), None, None, None):
        graph = getattr(quad.graph_name, "value", "")
        if graph.startswith(_LINKS) and quad.predicate.value in _ALIGNING and isinstance(quad.object, NamedNode):
            found.setdefault(quad.predicate.value, set()).add(quad.object)
    return tuple(
        Alignment(refer(NamedNode(key), labels), tuple(refer(term, labels) for term in sorted(found[key], key=str)))
        for key in _ALIGNING
        if key in found
    )


def _texts(store: Dataset, iri: str, predicate: str, labels: Labels) -> list[Name]:
    """Return the texts of a term in the language of the reader; where there is none, the best one."""
    quads = store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None, DefaultGraph())
    literals = [quad.object for quad in quads if isinstance(quad.object, Literal)]
    if not literals:
        return []
    best = labels.best(literals)
    return [Name(text, best.language) for text in sorted({o.value for o in literals if o.language == best.language})]


def _refer_all(iris: Iterable[str], labels: Labels) -> tuple[Reference, ...]:
    return tuple(refer(NamedNode(iri), labels) for iri in sort_by_name(iris, labels))
