"""What a page tells of the ontology as a whole: its header, its modules with their diagrams and terms."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from pyoxigraph import NamedNode

from culturegraph.protocols.diagrams import Diagram, draw_module
from culturegraph.protocols.labels import Labels, Reference, refer, to_href
from culturegraph.protocols.listing import Section, list_entries
from culturegraph.protocols.modules import KINDS, Module
from culturegraph.protocols.ontology import Header, Ontology, module_name, read_header
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG


@dataclass(frozen=True)
class Relation:
    """A property that leads from class to class: what a diagram draws as a dashed line, in words."""

    domain: Reference
    term: Reference
    range: Reference


@dataclass(frozen=True)
class ModuleOverview:
    """A module with its diagram, its terms by kind, and what the diagram shows as lists."""

    module: Module
    header: Header
    href: str | None
    diagram: Diagram | None
    sections: tuple[Section, ...]
    broader: tuple[tuple[Reference, tuple[Reference, ...]], ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True)
class Overview:
    """The ontology as a whole. `counts` has the number of terms of each kind that occurs."""

    header: Header
    counts: tuple[tuple[str, int], ...]
    modules: tuple[ModuleOverview, ...]


def describe_ontology(store: Dataset, ontology: Ontology, language: str) -> Overview:
    """Return what the page of the ontology tells."""
    labels = Labels(store, language)
    counts = Counter(ontology.kinds.values())
    return Overview(
        header=read_header(store, CG, labels),
        counts=tuple((kind, counts[kind]) for kind in KINDS if counts[kind]),
        modules=tuple(describe_module(store, ontology, module, labels) for module in ontology.modules),
    )


def describe_module(store: Dataset, ontology: Ontology, module: Module, labels: Labels) -> ModuleOverview:
    """Return what a page tells of one module."""
    sections = (Section(kind, list_entries(store, labels, ontology.terms(module, kind))) for kind in KINDS)

    def name(iri: str) -> Reference:
        return refer(NamedNode(iri), labels)

    drawn = draw_module(ontology, module, labels)
    broader = [(iri, ontology.parents[iri]) for iri in ontology.terms(module, "classes") if iri in ontology.parents]
    return ModuleOverview(
        module=module,
        header=replace(read_header(store, module.iri, labels), title=module_name(module, labels)),
        href=to_href(module.iri),
        diagram=drawn.diagram if drawn else None,
        sections=tuple(section for section in sections if section.entries),
        broader=tuple((name(iri), tuple(map(name, parents))) for iri, parents in broader),
        relations=tuple(Relation(name(one), name(term), name(other)) for term, one, other in drawn.links)
        if drawn
        else (),
    )
