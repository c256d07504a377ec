"""Lists of what the graph holds as a whole: the terms of the ontology, the concept schemes, the named graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels, Name, sort_key, to_href
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import GRAPH, INFERRED
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, OWL, RDFS, SKOS, TYPE

_TERM_KINDS: Final = {
    "classes": (OWL + "Class",),
    "object_properties": (OWL + "ObjectProperty",),
    "datatype_properties": (OWL + "DatatypeProperty",),
    "annotation_properties": (OWL + "AnnotationProperty",),
}
_COUNT: Final = """SELECT ?class (COUNT(DISTINCT ?thing) AS ?count) {
  GRAPH ?graph { ?thing a ?class } FILTER(?graph != %s)
  FILTER(STRSTARTS(STR(?class), "%s") && STRSTARTS(STR(?thing), "%s"))
} GROUP BY ?class"""
_NOTES: Final = (SKOS + "definition", RDFS + "comment", DCTERMS + "description")


@dataclass(frozen=True)
class Entry:
    """One line of a list."""

    iri: str
    name: Name
    href: str | None
    note: Name | None = None
    count: int | None = None


@dataclass(frozen=True)
class Section:
    """A part of a list; its key names its heading among the words of the interface."""

    key: str
    entries: tuple[Entry, ...]


def list_terms(store: Dataset, language: str) -> list[Section]:
    """Return the terms of our ontology by kind, sorted by name."""
    labels = Labels(store, language)
    sections = []
    for key, types in _TERM_KINDS.items():
        iris = {iri for kind in types for iri in _instances(store, kind) if iri.startswith(CG)}
        sections.append(Section(key, list_entries(store, labels, iris)))
    return [section for section in sections if section.entries]


def list_schemes(store: Dataset, language: str) -> list[Section]:
    """Return our concept schemes with the number of concepts of each."""
    labels = Labels(store, language)
    schemes = {iri for iri in _instances(store, SKOS + "ConceptScheme") if iri.startswith(BASE)}
    counts = {
        iri: sum(1 for _ in store.quads_for_pattern(None, NamedNode(SKOS + "inScheme"), NamedNode(iri), DefaultGraph()))
        for iri in schemes
    }
    return [Section("schemes", list_entries(store, labels, schemes, counts))]


def list_graphs(store: Dataset, language: str, counts: Mapping[str, int]) -> list[Section]:
    """Return the named graphs with their number of quads: sources first, then what was made of them."""
    labels = Labels(store, language)
    sources = {iri for iri in counts if iri.startswith(GRAPH + "source/")}
    return [
        Section("source_graphs", list_entries(store, labels, sources, counts)),
        Section("other_graphs", list_entries(store, labels, set(counts) - sources, counts)),
    ]


def count_instances(store: Dataset, language: str, prefix: str = BASE + "id/") -> list[Entry]:
    """Return the classes that our entities are stated to be of (not inferred), by number of entities, most first."""
    # Counted by the engine: reading every type into Python takes thirty times as long.
    rows: Any = store.query(_COUNT % (INFERRED, CG, prefix))
    counts = {row["class"].value: int(row["count"].value) for row in rows}
    return sorted(list_entries(store, Labels(store, language), counts, counts), key=lambda entry: -(entry.count or 0))


def _instances(store: Dataset, kind: str) -> set[str]:
    found = store.quads_for_pattern(None, TYPE, NamedNode(kind), DefaultGraph())
    return {quad.subject.value for quad in found if isinstance(quad.subject, NamedNode)}


def list_entries(
    store: Dataset, labels: Labels, iris: Iterable[str], counts: Mapping[str, int] | None = None
) -> tuple[Entry, ...]:
    """Return the line of a list for each IRI, sorted by name."""
    entries = (
        Entry(iri, labels.of(iri), to_href(iri), _note(store, labels, iri), (counts or {}).get(iri)) for iri in iris
    )
    return tuple(sorted(entries, key=lambda entry: (sort_key(entry.name.text), entry.iri)))


def _note(store: Dataset, labels: Labels, iri: str) -> Name | None:
    for predicate in _NOTES:
        found = [
            quad.object
            for quad in store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None, DefaultGraph())
            if isinstance(quad.object, Literal)
        ]
        if found:
            best = labels.best(found)
            return Name(best.value, best.language)
    return None
