"""Linked data: what the graph says of one IRI, as a page shows it and as RDF. Pure: a store in, values out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from typing import Literal as OneOf

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, serialize

from culturegraph.protocols.labels import LABEL_PROPERTIES, Labels, Name, describe_term, to_href
from culturegraph.rdf.formats import MediaType
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, PREFIXES, PROV, RDFS, SKOS, TYPE

Direction = OneOf["out", "in"]

# Values of one property that a page shows before it offers the rest.
SHOWN: Final = 25
PAGE: Final = 200
# Incoming statements that a data document holds at most; the rest can be had by a query.
MAX_INCOMING: Final = 10_000

_DESCRIPTIONS: Final = (SKOS + "definition", RDFS + "comment", DCTERMS + "description", DCTERMS + "abstract")
_NAMES: Final = (*(label.value for label in LABEL_PROPERTIES), SKOS + "altLabel", SKOS + "hiddenLabel")
_LAST: Final = (SKOS + "editorialNote", CG + "locator", RDFS + "isDefinedBy", CG + "retrieved")


@dataclass(frozen=True)
class SourceNote:
    """A named graph that statements of a page come from, with what is known of its source."""

    number: int
    graph: str
    name: Name
    href: str | None
    publisher: str | None = None
    document: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Value:
    """One object (or, of incoming statements, subject) with the numbers of the sources that say so."""

    name: Name
    href: str | None
    iri: str | None
    datatype: str | None
    sources: tuple[int, ...]
    is_inferred: bool


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
    outgoing: tuple[Group, ...]
    incoming: tuple[Group, ...]
    sources: tuple[SourceNote, ...]


@dataclass(frozen=True)
class Window:
    """One property of an entity, shown a page at a time instead of everything else."""

    predicate: str
    direction: Direction
    page: int = 1


class _Sources:
    """Numbers the graphs of a page in the order in which they are first needed."""

    def __init__(self, store: Store, labels: Labels) -> None:
        self._store, self._labels = store, labels
        self._notes: dict[str, SourceNote] = {}

    def number(self, graph: str) -> int:
        if graph not in self._notes:
            node = NamedNode(graph)
            self._notes[graph] = SourceNote(
                number=len(self._notes) + 1,
                graph=graph,
                name=self._labels.of(graph),
                href=to_href(graph),
                publisher=self._first(node, "http://purl.org/dc/elements/1.1/publisher"),
                document=self._first(node, PROV + "wasDerivedFrom"),
                licence=self._first(node, DCTERMS + "license"),
            )
        return self._notes[graph].number

    def notes(self) -> tuple[SourceNote, ...]:
        return tuple(self._notes.values())

    def _first(self, subject: NamedNode, predicate: str) -> str | None:
        found = self._store.quads_for_pattern(subject, NamedNode(predicate), None, DefaultGraph())
        return min((getattr(quad.object, "value", "") for quad in found), default=None)


def is_known(store: Store, iri: str) -> bool:
    """Say whether the graph says anything of an IRI, or holds a graph of that name."""
    try:
        node = NamedNode(iri)
    except ValueError:  # A path can hold what no IRI can.
        return False
    patterns = ((node, None), (None, node))
    return store.contains_named_graph(node) or any(
        next(iter(store.quads_for_pattern(subject, None, term, None)), None) for subject, term in patterns
    )


def describe_entity(store: Store, iri: str, language: str, window: Window | None = None) -> Entity | None:
    """Return what the graph says of an IRI, or None where it says nothing."""
    if not is_known(store, iri):
        return None
    node = NamedNode(iri)
    labels = Labels(store, language)
    sources = _Sources(store, labels)
    outgoing = _collect(store.quads_for_pattern(node, None, None, None), "out")
    incoming = _collect(store.quads_for_pattern(None, None, node, None), "in")
    builder = _GroupBuilder(labels, sources, window)
    types = builder.build(TYPE.value, outgoing.get(TYPE.value, {}), "out")
    return Entity(
        iri=iri,
        name=labels.of(iri),
        types=types.values,
        description=_description(outgoing, labels),
        outgoing=builder.groups(outgoing, "out"),
        incoming=builder.groups(incoming, "in"),
        sources=sources.notes(),
    )


_Statements = Mapping[str, Mapping[Any, set[str]]]


def _collect(quads: Iterable[Quad], direction: Direction) -> dict[str, dict[Any, set[str]]]:
    """Return predicate → other term → graphs that say so. The merge says nothing of its own."""
    found: dict[str, dict[Any, set[str]]] = {}
    for quad in quads:
        other = quad.object if direction == "out" else quad.subject
        graphs = found.setdefault(quad.predicate.value, {}).setdefault(other, set())
        if isinstance(quad.graph_name, NamedNode):
            graphs.add(quad.graph_name.value)
    return found


def _description(outgoing: _Statements, labels: Labels) -> Name | None:
    for iri in _DESCRIPTIONS:
        literals = [term for term in outgoing.get(iri, {}) if isinstance(term, Literal)]
        if literals:
            best = labels.best(literals)
            return Name(best.value, best.language)
    return None


class _GroupBuilder:
    def __init__(self, labels: Labels, sources: _Sources, window: Window | None) -> None:
        self._labels, self._sources, self._window = labels, sources, window

    def groups(self, statements: _Statements, direction: Direction) -> tuple[Group, ...]:
        """Return the groups of one direction in reading order: names, type, our own properties, notes."""
        if self._window is not None:
            if self._window.direction != direction or self._window.predicate not in statements:
                return ()
            return (self.build(self._window.predicate, statements[self._window.predicate], direction),)
        ordered = sorted(statements, key=self._reading_order)
        return tuple(self.build(iri, statements[iri], direction) for iri in ordered)

    def build(self, iri: str, terms: Mapping[Any, set[str]], direction: Direction) -> Group:
        start, size = 0, SHOWN
        if self._window is not None and (iri, direction) == (self._window.predicate, self._window.direction):
            start, size = (self._window.page - 1) * PAGE, PAGE
        ordered = sorted(terms, key=self._sort_key if len(terms) <= PAGE else str)
        values = tuple(self._value(term, terms[term]) for term in ordered[start : start + size])
        return Group(iri, self._labels.of(iri), to_href(iri), direction, values, len(terms))

    def _value(self, term: Any, graphs: set[str]) -> Value:
        name, href = describe_term(term, self._labels)
        datatype = term.datatype.value if isinstance(term, Literal) and not term.language else None
        return Value(
            name=name,
            href=href,
            iri=term.value if isinstance(term, NamedNode) else None,
            datatype=datatype,
            sources=tuple(sorted(self._sources.number(graph) for graph in sorted(graphs - {INFERRED.value}))),
            is_inferred=graphs == {INFERRED.value},
        )

    def _sort_key(self, term: Any) -> tuple[str, str]:
        return describe_term(term, self._labels)[0].text.casefold(), str(term)

    def _reading_order(self, iri: str) -> tuple[int, int, str]:
        name = self._labels.of(iri).text.casefold()
        if iri in _NAMES:
            return 0, _NAMES.index(iri), name
        if iri in _DESCRIPTIONS:
            return 1, _DESCRIPTIONS.index(iri), name
        if iri == TYPE.value:
            return 2, 0, name
        if iri in _LAST:
            return 9, _LAST.index(iri), name
        return (3 if iri.startswith(CG) else 4), 0, name


def statements(store: Store, iri: str) -> list[Quad]:
    """Return the quads about an IRI in their named graphs: as subject, with blank nodes followed, then as object."""
    if not is_known(store, iri):
        return []
    node = NamedNode(iri)
    found: list[Quad] = []
    waiting: list[Any] = [node]
    seen: set[Any] = set()
    while waiting:
        subject = waiting.pop()
        seen.add(subject)
        about = _without_merge(store.quads_for_pattern(subject, None, None, None))
        found += about
        waiting += {quad.object for quad in about if isinstance(quad.object, BlankNode)} - seen
    incoming = islice(store.quads_for_pattern(None, None, node, None), 2 * MAX_INCOMING)
    return found + _without_merge(incoming)[:MAX_INCOMING]


def graph_content(store: Store, graph: NamedNode) -> list[Quad]:
    """Return the quads of one named graph."""
    return list(store.quads_for_pattern(None, None, None, graph))


def instances_data(store: Store, kind: str) -> list[Quad]:
    """Return what is said of every instance of a class."""
    found = {quad.subject for quad in store.quads_for_pattern(None, TYPE, NamedNode(kind), DefaultGraph())}
    about = (quad for node in found for quad in store.quads_for_pattern(node, None, None, None))
    return _without_merge(about)


def _without_merge(quads: Iterable[Quad]) -> list[Quad]:
    """Leave out what the default graph only repeats."""
    found = list(quads)
    named = {quad.triple for quad in found if isinstance(quad.graph_name, NamedNode)}
    return [quad for quad in found if isinstance(quad.graph_name, NamedNode) or quad.triple not in named]


def to_document(quads: Iterable[Quad], media_type: MediaType) -> bytes:
    """Serialise quads; graph names survive where the format has them, else each triple is written once."""
    fmt = media_type.rdf or RdfFormat.TURTLE
    kept = list(quads)
    used = "\n".join({term.value for quad in kept for term in quad.triple if isinstance(term, NamedNode)})
    prefixes = {prefix: iri for prefix, iri in PREFIXES.items() if iri in used}
    if fmt in (RdfFormat.N_QUADS, RdfFormat.TRIG):
        kept.sort(key=lambda quad: str(quad.graph_name))
        return serialize(kept, format=fmt, prefixes=prefixes) or b""
    triples = sorted({quad.triple for quad in kept}, key=lambda triple: (str(triple.subject), str(triple.predicate)))
    return serialize(triples, format=fmt, prefixes=prefixes) or b""


def own_iris(store: Store) -> list[str]:
    """Return every IRI of ours that has a type: what an unknown name may have been meant for."""
    typed = {quad.subject for quad in store.quads_for_pattern(None, TYPE, None, DefaultGraph())}
    return sorted(node.value for node in typed if isinstance(node, NamedNode) and node.value.startswith(BASE))


def near_matches(iri: str, known: Iterable[str], limit: int = 5) -> list[str]:
    """Return the known IRIs whose last part is most like that of an unknown one."""
    by_slug: dict[str, list[str]] = {}
    for candidate in known:
        by_slug.setdefault(candidate.rstrip("/").rsplit("/", 1)[-1].lower(), []).append(candidate)
    slug = iri.rstrip("/").rsplit("/", 1)[-1].lower()[:100]
    found = difflib.get_close_matches(slug, by_slug, n=limit, cutoff=0.6)
    ranked = [candidate for name in found for candidate in by_slug[name]]
    return sorted(ranked, key=lambda candidate: -_common_length(candidate, iri))[:limit]


def _common_length(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
