"""The notes of a draft: which statements a sentence says, and which sources state them where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Triple

from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import GRAPH, INFERRED
from culturegraph.rdf.statements import statement_iri
from culturegraph.rdf.vocabulary import CG, DCTERMS, LABEL, PROV

_SAYING: Final = (GRAPH + "source/", GRAPH + "links/", GRAPH + "scheme/", GRAPH + "ontology")
_DOCUMENT, _LICENCE = NamedNode(PROV + "wasDerivedFrom"), NamedNode(DCTERMS + "license")
_TITLES: Final = (NamedNode(DCTERMS + "title"), LABEL)


@dataclass(frozen=True)
class Source:
    """A named graph that states something: its title, the document, the licence, the places in it."""

    graph: str
    title: str
    document: str | None
    licence: str | None
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """A statement of the graph, as N-Triples and by its IRI; `inferred` where no source states it itself."""

    iri: str
    triple: Triple
    sources: tuple[Source, ...]
    inferred: bool


@dataclass(frozen=True)
class Note:
    """What a sentence rests on."""

    number: int
    statements: tuple[Statement, ...]

    def sources(self) -> Iterator[Source]:
        """Yield each source once."""
        yield from {(source.graph, source.places): source for s in self.statements for source in s.sources}.values()


class Notes:
    """Numbers the notes of a draft in the order in which they are first needed; the same statements share a note."""

    def __init__(self, store: Dataset) -> None:
        self._store = store
        self._notes: dict[tuple[Triple, ...], Note] = {}
        self._known: dict[str, tuple[str, str | None, str | None]] = {}

    def number(self, triples: tuple[Triple, ...]) -> int:
        """Return the number of the note on these statements."""
        key = tuple(dict.fromkeys(triples))
        if key not in self._notes:
            self._notes[key] = Note(len(self._notes) + 1, tuple(map(self._statement, key)))
        return self._notes[key].number

    def all(self) -> tuple[Note, ...]:
        """Return the notes by number."""
        return tuple(self._notes.values())

    def _statement(self, triple: Triple) -> Statement:
        graphs = self._graphs(triple)
        sources = tuple(self._source(graph, triple.subject) for graph in graphs)
        inferred = not graphs and Quad(triple.subject, triple.predicate, triple.object, INFERRED) in self._store
        return Statement(statement_iri(triple).value, triple, sources, inferred)

    def _graphs(self, triple: Triple) -> list[NamedNode]:
        quads = self._store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        graphs = {quad.graph_name for quad in quads if isinstance(quad.graph_name, NamedNode)}
        return sorted((g for g in graphs if g.value.startswith(_SAYING)), key=lambda graph: graph.value)

    def _source(self, graph: NamedNode, subject: Any) -> Source:
        if graph.value not in self._known:
            title = next((t for name in _TITLES if (t := self._first(graph, name))), None)
            document, licence = (self._first(graph, name) for name in (_DOCUMENT, _LICENCE))
            self._known[graph.value] = (title or graph.value.removeprefix(GRAPH), document, licence)
        quads = self._store.quads_for_pattern(subject, NamedNode(CG + "locator"), None, graph)
        places = sorted({quad.object.value for quad in quads if isinstance(quad.object, Literal)})
        return Source(graph.value, *self._known[graph.value], tuple(places))

    def _first(self, subject: NamedNode, predicate: NamedNode) -> str | None:
        found = self._store.quads_for_pattern(subject, predicate, None, DefaultGraph())
        return min((getattr(quad.object, "value", "") for quad in found), default=None)
