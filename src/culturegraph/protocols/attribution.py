"""Who says so: the named graphs that the statements of a page come from, numbered, with what is known of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from pyoxigraph import DefaultGraph, NamedNode

from culturegraph.protocols.labels import Labels, Name, to_href
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import DCTERMS, PROV

# Titles that many documents of a portal share carry the address in brackets; a page links the document itself.
_ADDRESS: Final = re.compile(r"\s*\[https?://[^\]]*\]")
_PUBLISHER: Final = "http://purl.org/dc/elements/1.1/publisher"


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


class Attribution:
    """Numbers the graphs of a page in the order in which they are first needed.

    `known` keeps what is known of each graph from page to page of one store and one language.
    """

    def __init__(self, store: Dataset, labels: Labels, known: dict[str, SourceNote] | None = None) -> None:
        self._store, self._labels = store, labels
        self._known = {} if known is None else known
        self._notes: dict[str, SourceNote] = {}

    def number(self, graph: str) -> int:
        """Return the number of a graph on this page."""
        if graph not in self._notes:
            if graph not in self._known:
                self._known[graph] = self._find(graph)
            self._notes[graph] = replace(self._known[graph], number=len(self._notes) + 1)
        return self._notes[graph].number

    def _find(self, graph: str) -> SourceNote:
        node = NamedNode(graph)
        return SourceNote(
            number=0,
            graph=graph,
            name=self._name(graph),
            href=to_href(graph),
            publisher=self._first(node, _PUBLISHER),
            document=self._first(node, PROV + "wasDerivedFrom"),
            licence=self._first(node, DCTERMS + "license"),
        )

    def _name(self, graph: str) -> Name:
        name = self._labels.of(graph)
        return replace(name, text=_ADDRESS.sub("", name.text) or name.text)

    def notes(self) -> tuple[SourceNote, ...]:
        """Return the notes of all graphs that were numbered, in the order of their numbers."""
        return tuple(self._notes.values())

    def _first(self, subject: NamedNode, predicate: str) -> str | None:
        found = self._store.quads_for_pattern(subject, NamedNode(predicate), None, DefaultGraph())
        return min((getattr(quad.object, "value", "") for quad in found), default=None)
