"""Linked data: what the graph says of one IRI, as a page shows it. Pure: a store in, values out.

An inverse pair is one statement to a reader: `x practises y` and `y practisedBy x` are shown once, with the sources of
both. What no source says, but rules add, is shown apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from typing import Literal as OneOf

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store, Triple

from culturegraph.protocols.attribution import Attribution, SourceNote
from culturegraph.protocols.documents import is_known
from culturegraph.protocols.labels import LABEL_PROPERTIES, Labels, Name, describe_term, sort_key, to_href
from culturegraph.rdf.graphs import INFERRED, VALIDATION
from culturegraph.rdf.statements import statement_iri
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, OWL, RDFS, SKOS, TYPE

Direction = OneOf["out", "inferred", "in"]

# Values of one property that a page shows before it offers the rest.
SHOWN: Final = 25
PAGE: Final = 200

_DESCRIPTIONS: Final = (SKOS + "definition", RDFS + "comment", DCTERMS + "description", DCTERMS + "abstract")
_NAMES: Final = (*(label.value for label in LABEL_PROPERTIES), SKOS + "altLabel")
_LAST: Final = (SKOS + "editorialNote", CG + "locator", RDFS + "isDefinedBy", CG + "retrieved")
# Outdated or derogatory names: they make things findable and are never shown.
HIDDEN: Final = frozenset({SKOS + "hiddenLabel"})
_INVERSE: Final = NamedNode(OWL + "inverseOf")
_SYMMETRIC: Final = NamedNode(OWL + "SymmetricProperty")


@dataclass(frozen=True)
class Value:
    """One object (or, of incoming statements, subject) with the numbers of the sources that say so."""

    name: Name
    href: str | None
    iri: str | None
    datatype: str | None
    sources: tuple[int, ...]
    # Where it says why, for what no source states.
    why: str | None = None


@dataclass(frozen=True)
class Group:
    """The statements of one property, in one direction."""

    predicate: str
    name: Name
    href: str | None
    direction: Direction
    values: tuple[Value, ...]
    total: int

    @property
    def has_more(self) -> bool:
        """Whether there are values that are not shown."""
        return self.total > len(self.values)


@dataclass(frozen=True)
class Entity:
    """What a page tells of one IRI."""

    iri: str
    name: Name
    types: tuple[Value, ...]
    description: Name | None
    stated: tuple[Group, ...]
    inferred: tuple[Group, ...]
    incoming: tuple[Group, ...]
    sources: tuple[SourceNote, ...]


@dataclass(frozen=True)
class Window:
    """One property of an entity, shown a page at a time instead of everything else."""

    predicate: str
    direction: Direction
    page: int = 1


def describe_entity(store: Store, iri: str, language: str, window: Window | None = None) -> Entity | None:
    """Return what the graph says of an IRI, or None where it says nothing."""
    if not is_known(store, iri):
        return None
    node = NamedNode(iri)
    labels = Labels(store, language)
    outgoing = _collect(store.quads_for_pattern(node, None, None, None), is_incoming=False)
    incoming = _collect(store.quads_for_pattern(None, None, node, None), is_incoming=True)
    _fold_inverses(store, outgoing, incoming)
    stated, inferred = _split(outgoing)
    builder = _GroupBuilder(node, labels, Attribution(store, labels), window)
    return Entity(
        iri=iri,
        name=labels.of(iri),
        types=builder.types(stated, inferred),
        description=_description(outgoing, labels),
        stated=builder.groups(stated, "out"),
        inferred=builder.groups(inferred, "inferred"),
        incoming=builder.groups(incoming, "in"),
        sources=builder.sources.notes(),
    )


# Predicate → the other term → the graphs that say so. The merge (the default graph) says nothing of its own.
_Statements = dict[str, dict[Any, set[str]]]


def _collect(quads: Iterable[Quad], *, is_incoming: bool) -> _Statements:
    found: _Statements = {}
    for quad in quads:
        if quad.predicate.value in HIDDEN or (is_incoming and quad.graph_name == VALIDATION):
            continue
        other = quad.subject if is_incoming else quad.object
        graphs = found.setdefault(quad.predicate.value, {}).setdefault(other, set())
        if isinstance(quad.graph_name, NamedNode):
            graphs.add(quad.graph_name.value)
    return found


def _fold_inverses(store: Store, outgoing: _Statements, incoming: _Statements) -> None:
    """Move incoming statements into the outgoing statements of which they are the inverse, with their sources."""
    for predicate in list(incoming):
        for inverse in _inverses(store, predicate):
            for term in [term for term in incoming[predicate] if term in outgoing.get(inverse, {})]:
                outgoing[inverse][term] |= incoming[predicate].pop(term)
        if not incoming[predicate]:
            del incoming[predicate]


def _inverses(store: Store, predicate: str) -> set[str]:
    node = NamedNode(predicate)
    merge = DefaultGraph()
    found: set[str] = {predicate} if list(store.quads_for_pattern(node, TYPE, _SYMMETRIC, merge)) else set()
    for quad in store.quads_for_pattern(node, _INVERSE, None, merge):
        found.add(getattr(quad.object, "value", ""))
    for quad in store.quads_for_pattern(None, _INVERSE, node, merge):
        found.add(getattr(quad.subject, "value", ""))
    return found


def _split(statements: _Statements) -> tuple[_Statements, _Statements]:
    """Part what some graph states from what only the rules add."""
    stated: _Statements = {}
    inferred: _Statements = {}
    for predicate, terms in statements.items():
        for term, graphs in terms.items():
            part = inferred if graphs == {INFERRED.value} else stated
            part.setdefault(predicate, {})[term] = graphs - {INFERRED.value}
    return stated, inferred


def _description(outgoing: _Statements, labels: Labels) -> Name | None:
    for iri in _DESCRIPTIONS:
        literals = [term for term in outgoing.get(iri, {}) if isinstance(term, Literal)]
        if literals:
            best = labels.best(literals)
            return Name(best.value, best.language)
    return None


class _GroupBuilder:
    def __init__(self, node: NamedNode, labels: Labels, sources: Attribution, window: Window | None) -> None:
        self.sources = sources
        self._node, self._labels, self._window = node, labels, window

    def types(self, stated: _Statements, inferred: _Statements) -> tuple[Value, ...]:
        """Return what an entity is: the classes that a source gives, ours before others."""
        terms = stated.get(TYPE.value) or inferred.get(TYPE.value) or {}
        own = {term: graphs for term, graphs in terms.items() if getattr(term, "value", "").startswith(BASE)}
        return tuple(self._value(term, set()) for term in sorted(own or terms, key=self._sort_key))

    def groups(self, statements: _Statements, direction: Direction) -> tuple[Group, ...]:
        """Return the groups of one direction in reading order: names, type, our own properties, notes."""
        if self._window is not None:
            if self._window.direction != direction or self._window.predicate not in statements:
                return ()
            return (self._build(self._window.predicate, statements[self._window.predicate], direction),)
        ordered = sorted(statements, key=self._reading_order)
        return tuple(self._build(iri, statements[iri], direction) for iri in ordered)

    def _build(self, iri: str, terms: Mapping[Any, set[str]], direction: Direction) -> Group:
        start, size = 0, SHOWN
        if self._window is not None:
            start, size = (self._window.page - 1) * PAGE, PAGE
        # Sorting by name looks every name up: too much for a class of thousands.
        ordered = sorted(terms, key=self._sort_key if len(terms) <= PAGE else str)
        values = tuple(
            self._value(term, terms[term], self._why(iri, term, terms[term], direction))
            for term in ordered[start : start + size]
        )
        return Group(iri, self._labels.of(iri), to_href(iri), direction, values, len(terms))

    def _why(self, predicate: str, term: Any, graphs: set[str], direction: Direction) -> str | None:
        """Return where an inferred statement is explained."""
        if direction == "inferred":
            return to_href(statement_iri(Triple(self._node, NamedNode(predicate), term)).value)
        if direction == "in" and graphs == {INFERRED.value}:
            return to_href(statement_iri(Triple(term, NamedNode(predicate), self._node)).value)
        return None

    def _value(self, term: Any, graphs: set[str], why: str | None = None) -> Value:
        name, href = describe_term(term, self._labels)
        return Value(
            name=name,
            href=href,
            iri=term.value if isinstance(term, NamedNode) else None,
            datatype=term.datatype.value if isinstance(term, Literal) and not term.language else None,
            sources=tuple(sorted(self.sources.number(graph) for graph in sorted(graphs))),
            why=why,
        )

    def _sort_key(self, term: Any) -> tuple[int, str, str]:
        """Sort texts by how well the reader knows their language, then our own things before foreign ones, by name."""
        if isinstance(term, Literal):
            rank = self._labels.rank(term.language)
        else:
            rank = int(isinstance(term, NamedNode) and not term.value.startswith(BASE))
        return rank, sort_key(describe_term(term, self._labels)[0].text), str(term)

    def _reading_order(self, iri: str) -> tuple[int, int, str]:
        name = sort_key(self._labels.of(iri).text)
        if iri in _NAMES:
            return 0, _NAMES.index(iri), name
        if iri in _DESCRIPTIONS:
            return 1, _DESCRIPTIONS.index(iri), name
        if iri == TYPE.value:
            return 2, 0, name
        if iri in _LAST:
            return 9, _LAST.index(iri), name
        return (3 if iri.startswith(CG) else 4), 0, name
