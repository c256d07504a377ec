"""Everything that domain people edit, read into quads: tables, ontology, alignments, concept schemes.

Owns which file goes to which named graph, and the check that every IRI of ours that is used is also defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode, Quad

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.graphs import GRAPH, ONTOLOGY, read_rdf, scheme_graph
from culturegraph.rdf.statements import STATEMENT, statement_hash
from culturegraph.rdf.vocabulary import BASE, CG, OWL
from culturegraph.sources.tables import Origin, read_tables

# What the graph itself must define: entities, concepts, terms, sources.
_OWN = (BASE + "id/", BASE + "schemes/", CG, GRAPH + "source/")
# Versions of the ontology are released documents: named here, defined by their release.
_VERSIONS = frozenset({NamedNode(OWL + "versionIRI"), NamedNode(OWL + "priorVersion")})


@dataclass(frozen=True)
class Bundle:
    """The asserted quads, and for those that come from tables the cell that said them."""

    quads: tuple[Quad, ...]
    origin: Mapping[Quad, Origin]
    rows: Mapping[str, int]


def ontology_files(folder: Path) -> Iterator[tuple[Path, NamedNode]]:
    """Yield each Turtle file of the ontology folder with the named graph that it goes to."""
    for path in sorted([*folder.glob("*.ttl"), *(folder / "modules").glob("*.ttl")]):
        yield path, ONTOLOGY
    for path in sorted((folder / "alignments").glob("*.ttl")):
        yield path, NamedNode(f"{GRAPH}links/{path.stem}")
    for path in sorted((folder / "schemes").glob("*.ttl")):
        yield path, scheme_graph(path.stem)


def undefined(quads: Iterable[Quad], defined: set[str], origin: Mapping[Quad, Origin]) -> Iterator[DataError]:
    """Yield a located error for each use of an IRI of ours that nothing defines."""
    for quad in quads:
        if quad.predicate in _VERSIONS:
            continue
        place = origin.get(quad)
        for term in (quad.predicate, quad.object):
            if isinstance(term, NamedNode) and term.value.startswith(_OWN) and term.value not in defined:
                shown = term.value.removeprefix(BASE)
                if place is not None:
                    yield DataError(f'"{shown}" is defined nowhere', place.file, place.row, place.column)
                else:
                    graph = getattr(quad.graph_name, "value", "").removeprefix(BASE)
                    yield DataError(f'"{shown}" is used but defined nowhere (by {quad.subject})', graph)


def unknown_statements(quads: Iterable[Quad], origin: Mapping[Quad, Origin]) -> Iterator[DataError]:
    """Yield a located error for each cell that names a statement by a hash that no statement of a source has."""
    named = {
        quad.object.value.removeprefix(STATEMENT): origin[quad]
        for quad in origin
        if isinstance(quad.object, NamedNode) and quad.object.value.startswith(STATEMENT)
    }
    if named:
        known = {statement_hash(quad.triple) for quad in quads}
        for digest in named.keys() - known:
            place = named[digest]
            yield DataError(f'no statement has the hash "{digest}"', place.file, place.row, place.column)


def read_ontology(folder: Path) -> tuple[list[Quad], list[DataError]]:
    """Return the quads of ontology, alignments and schemes, and the faults of the files that do not parse."""
    quads: list[Quad] = []
    errors: list[DataError] = []
    for path, graph in ontology_files(folder):
        try:
            quads += read_rdf(path, graph)
        except DataError as error:
            errors.append(error)
    return quads, errors


def read_bundle(
    data: Path, ontology: Path, replacements: Mapping[str, Path] | None = None, additions: Sequence[Path] = ()
) -> Bundle:
    """Read tables, ontology and schemes; `replacements` are read in place of the tables that they name.

    `additions` are folders of tables whose rows are added.

    Raises DataErrors with every fault of every file.
    """
    declared, errors = read_ontology(ontology)
    try:
        tables = read_tables(data / "csv-metadata.json", replacements, additions)
    except DataErrors as found:
        raise DataErrors([*errors, *found.errors]) from found
    if errors:
        raise DataErrors(errors)
    quads = (*tables.origin, *declared)
    defined = {quad.subject.value for quad in quads if isinstance(quad.subject, NamedNode)}
    faults = [*undefined(quads, defined, tables.origin), *unknown_statements(quads, tables.origin)]
    dangling = sorted(set(map(_key, faults)))
    if dangling:
        raise DataErrors([DataError(message, file, row, column) for file, row, column, message in dangling])
    return Bundle(quads, tables.origin, tables.rows)


def _key(error: DataError) -> tuple[str, int, str, str]:
    return error.file, error.row or 0, str(error.column or ""), error.message
