"""What other sources say instead: the statements that the validation found to disagree with one, and its text.

Whether a property can have one value only is for the shapes to say (`shapes/sources.ttl`); here their report is read.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import DefaultGraph, NamedNode, Triple

from culturegraph.protocols.labels import Labels, Name, Reference, refer
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import GRAPH, VALIDATION
from culturegraph.rdf.statements import statement_hash
from culturegraph.rdf.vocabulary import BASE, SH, SKOS

_FOCUS, _PATH, _SHAPE = (NamedNode(SH + name) for name in ("focusNode", "resultPath", "sourceShape"))
_HIDDEN = NamedNode(SKOS + "hiddenLabel")
_SHAPES = BASE + "shapes/Disagreement"


@dataclass(frozen=True)
class Disagreement:
    """Another value for the same property, with the sources that say it."""

    digest: str
    value: Reference
    sources: tuple[Name, ...]


def find_disagreements(store: Dataset, triple: Triple, language: str) -> list[Disagreement]:
    """Return the statements about the same property of the same thing that sources make instead; mostly none."""
    if not _disagree(store, triple):
        return []
    labels = Labels(store, language)
    found = []
    for quad in store.quads_for_pattern(triple.subject, triple.predicate, None, DefaultGraph()):
        if quad.object != triple.object:
            graphs = [
                other.graph_name
                for other in store.quads_for_pattern(triple.subject, triple.predicate, quad.object, None)
                if isinstance(other.graph_name, NamedNode) and other.graph_name.value.startswith(GRAPH + "source/")
            ]
            names = tuple(labels.of(graph.value) for graph in graphs)
            found.append(Disagreement(statement_hash(quad.triple), refer(quad.object, labels), names))
    return found


def _disagree(store: Dataset, triple: Triple) -> bool:
    for quad in store.quads_for_pattern(None, _FOCUS, triple.subject, VALIDATION):
        result = quad.subject
        shapes = store.quads_for_pattern(result, _SHAPE, None, VALIDATION)
        paths = store.quads_for_pattern(result, _PATH, triple.predicate, VALIDATION)
        if any(getattr(shape.object, "value", "").startswith(_SHAPES) for shape in shapes) and any(True for _ in paths):
            return True
    return False


def tell_statement(store: Dataset, triple: Triple, language: str) -> str:
    """Return a statement in one line: the names of its subject, property and value.

    A hidden name is findable by who knows it and shown nowhere, so it is not told here either.
    """
    labels = Labels(store, language)
    names = [refer(term, labels).name.text for term in (triple.subject, triple.predicate, triple.object)]
    if triple.predicate == _HIDDEN:
        names[2] = "[…]"
    return " — ".join(names)
