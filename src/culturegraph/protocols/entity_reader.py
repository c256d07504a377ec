"""What pages about entities need to know of a store, read once, and the statements of one IRI as they come from it.

An inverse pair is one statement to a reader: `x practises y` and `y practisedBy x` become one, with the sources of
both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pyoxigraph import DefaultGraph, NamedNode, Quad

from culturegraph.protocols.attribution import Attribution, SourceNote
from culturegraph.protocols.entity import HIDDEN
from culturegraph.protocols.entity_maps import Gazetteer
from culturegraph.protocols.labels import Labels
from culturegraph.protocols.layout import OTHER, Layout
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import INFERRED, VALIDATION
from culturegraph.rdf.vocabulary import CG, OWL, RDFS, TYPE

_IDENTIFIER: Final = CG + "identifier"

# Predicate → the other term → the graphs that say so. The merge (the default graph) says nothing of its own.
Statements = dict[str, dict[Any, set[str]]]
RULES: Final = {INFERRED.value}


class Reader:
    """What pages about entities need to know of a store, read once: axioms, places, names that were looked up."""

    def __init__(
        self, store: Dataset, layout: Layout | None = None, module_of: Mapping[str, str] | None = None
    ) -> None:
        self.store, self.layout = store, layout or Layout()
        self.gazetteer = Gazetteer(store)
        self._module_of = module_of or {}
        self._labels: dict[str, Labels] = {}
        self._notes: dict[str, dict[str, SourceNote]] = {}
        self.inverses = _read_inverses(store)
        self.broader = _read_broader(store, RDFS + "subPropertyOf")
        self._broader_classes = _read_broader(store, RDFS + "subClassOf")

    def labels(self, language: str) -> Labels:
        """Return the names for readers of a language; they are kept from page to page."""
        return self._labels.setdefault(language, Labels(self.store, language))

    def attribution(self, language: str) -> Attribution:
        """Return what numbers the sources of one page."""
        return Attribution(self.store, self.labels(language), self._notes.setdefault(language, {}))

    def section(self, predicate: str) -> str:
        """Return the section that a property is shown in."""
        layout = self.layout
        if predicate in layout.by_property:
            return layout.by_property[predicate]
        if _IDENTIFIER in self.broader.get(predicate, ()) and _IDENTIFIER in layout.by_property:
            return layout.by_property[_IDENTIFIER]
        return layout.by_module.get(self._module_of.get(predicate, ""), OTHER)

    def most_specific(self, classes: Iterable[Any]) -> list[Any]:
        """Return the classes that are broader than none of the others."""
        given = list(classes)
        broader = {above for term in given for above in self._broader_classes.get(getattr(term, "value", ""), ())}
        return [term for term in given if getattr(term, "value", "") not in broader] or given

    def kind(self, iri: str, language: str) -> str:
        """Return what a thing of ours is, in a word; empty where no class of ours says so."""
        found = self.store.quads_for_pattern(NamedNode(iri), TYPE, None, DefaultGraph())
        own = [quad.object for quad in found if isinstance(quad.object, NamedNode) and quad.object.value.startswith(CG)]
        return min((self.labels(language).of(term.value).text for term in self.most_specific(own)), default="")

    def fold_inverses(self, outgoing: Statements, incoming: Statements) -> None:
        """Move incoming statements into the outgoing ones of which they are the inverse, with their sources."""
        for predicate in list(incoming):
            terms = incoming[predicate]
            for inverse in self.inverses.get(predicate, ()):
                known = outgoing.get(inverse, {})
                for term in [term for term in terms if term in known]:
                    known[term] |= terms.pop(term)
            if not terms:
                del incoming[predicate]

    def repeats(self, statements: Statements, predicate: str, term: Any) -> bool:
        """Say whether a statement that no source makes only repeats another: elsewhere named, or less precise."""
        if not statements[predicate][term] <= RULES or not statements[predicate][term]:
            return False
        if predicate == TYPE.value:
            return not getattr(term, "value", "").startswith(CG)
        if not predicate.startswith(CG):
            return True
        return any(
            predicate in self.broader.get(other, ()) and term in terms
            for other, terms in statements.items()
            if other != predicate
        )


def collect(quads: Iterable[Quad], *, is_incoming: bool) -> Statements:
    """Return the statements of quads by their predicate, without hidden names and what a report says of a thing."""
    found: Statements = {}
    for quad in quads:
        predicate, graph = quad.predicate.value, quad.graph_name
        if predicate in HIDDEN or (is_incoming and graph == VALIDATION):
            continue
        other = quad.subject if is_incoming else quad.object
        graphs = found.setdefault(predicate, {}).setdefault(other, set())
        if isinstance(graph, NamedNode):
            graphs.add(graph.value)
    return found


def _read_inverses(store: Dataset) -> dict[str, set[str]]:
    """Return, of each property, those that say the same backwards."""
    found: dict[str, set[str]] = {}
    for one, other in _pairs(store, OWL + "inverseOf"):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    for quad in store.quads_for_pattern(None, TYPE, NamedNode(OWL + "SymmetricProperty"), DefaultGraph()):
        if isinstance(quad.subject, NamedNode):
            found.setdefault(quad.subject.value, set()).add(quad.subject.value)
    return found


def _read_broader(store: Dataset, relation: str) -> dict[str, frozenset[str]]:
    """Return, of each term, all that are broader by a relation."""
    above: dict[str, set[str]] = {}
    for one, other in _pairs(store, relation):
        above.setdefault(one, set()).add(other)
    found: dict[str, frozenset[str]] = {}
    for start in above:
        reached: set[str] = set()
        waiting = [start]
        while waiting:
            for other in above.get(waiting.pop(), ()):
                if other not in reached and other != start:
                    reached.add(other)
                    waiting.append(other)
        found[start] = frozenset(reached)
    return found


def _pairs(store: Dataset, predicate: str) -> Iterable[tuple[str, str]]:
    for quad in store.quads_for_pattern(None, NamedNode(predicate), None, DefaultGraph()):
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode):
            yield quad.subject.value, quad.object.value
