"""The modules of the ontology: which file declares which term. The merged graph no longer tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import DefaultGraph, NamedNode, Quad

from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import ONTOLOGY, read_rdf
from culturegraph.rdf.vocabulary import CG, OWL, TYPE

KINDS: Final = {
    "classes": NamedNode(OWL + "Class"),
    "object_properties": NamedNode(OWL + "ObjectProperty"),
    "datatype_properties": NamedNode(OWL + "DatatypeProperty"),
    "annotation_properties": NamedNode(OWL + "AnnotationProperty"),
}
# What all others build on comes first.
_FIRST: Final = "core"


@dataclass(frozen=True)
class Module:
    """A module with the IRIs of the terms that it declares, sorted. Without a name: what no module file declares."""

    name: str
    iri: str
    terms: tuple[str, ...]


def read_modules(folder: Path, store: Dataset) -> tuple[Module, ...]:
    """Return the modules that declare terms of ours which the store holds; the files may be absent."""
    left = _declared(store)
    modules = []
    for path in sorted(folder.glob("*.ttl"), key=lambda path: (path.stem != _FIRST, path.stem)):
        quads = read_rdf(path, ONTOLOGY)
        terms = {iri for quad in quads if (iri := _term(quad)) is not None} & left
        left -= terms
        if terms:
            modules.append(Module(path.stem, f"{CG}modules/{path.stem}", tuple(sorted(terms))))
    if left:
        modules.append(Module("", CG, tuple(sorted(left))))
    return tuple(modules)


def _declared(store: Dataset) -> set[str]:
    quads = (quad for kind in KINDS.values() for quad in store.quads_for_pattern(None, TYPE, kind, DefaultGraph()))
    return {iri for quad in quads if (iri := _term(quad)) is not None}


def _term(quad: Quad) -> str | None:
    """Return the term of ours that a quad declares, or None."""
    if quad.predicate != TYPE or quad.object not in KINDS.values() or not isinstance(quad.subject, NamedNode):
        return None
    return quad.subject.value if quad.subject.value.startswith(CG) else None
