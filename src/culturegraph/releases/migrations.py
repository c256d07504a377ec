"""Turns data in the terms of an older ontology into those of a newer one: a SPARQL Update for each step of its version.

    ontology/migrations/1.0.0-2.0.0.ru    head (`#+`: from, to, title and description in es and en), then the update

An update names graphs (`GRAPH ?graph { … }`), so that each statement stays in the graph of its source. The triples of
files without graphs are one graph while it runs.

Source: W3C SPARQL 1.1 Update §3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from culturegraph.errors import DataError, DataErrors, UsageError
from culturegraph.queries import QueryFile, read_query
from culturegraph.rdf.graphs import INFERRED, ONTOLOGY, UNHASHED
from culturegraph.rdf.sparql_text import locate_syntax_error
from culturegraph.rdf.vocabulary import PREFIXES, TYPE
from culturegraph.releases.ontology_changes import OntologyChanges, parse_version

FOLDER: Final = "migrations"
Version = tuple[int, int, int]
_NONE: Final = (0, 0, 0)
_WITHOUT_GRAPH: Final = NamedNode("urn:x-culturegraph:without-graph")


@dataclass(frozen=True)
class Migration:
    """One step: the versions that it leads from and to, and the file with the update."""

    before: str
    after: str
    query: QueryFile

    @property
    def span(self) -> tuple[Version, Version]:
        """The two versions as numbers."""
        return parse_version(self.before) or _NONE, parse_version(self.after) or _NONE


def read_migrations(folder: Path) -> list[Migration]:
    """Return all migrations below a folder, oldest first; none where there is no folder.

    Raises DataErrors with every file that is malformed, does not parse, or has no place in one chain of steps.
    """
    found, errors = [], []
    for path in sorted(folder.glob("*.ru")):
        try:
            found.append(_read(path))
        except DataError as error:
            errors.append(error)
    found.sort(key=lambda step: step.span)
    for one, other in pairwise(found):
        if other.span[0] < one.span[1]:
            errors.append(DataError(f"begins before {one.query.path.name} ends", other.query.path.name))
    if errors:
        raise DataErrors(errors)
    return found


def _read(path: Path) -> Migration:
    query = read_query(path)
    before, after = str(query.head.get("from", "")), str(query.head.get("to", ""))
    versions = parse_version(before), parse_version(after)
    if versions[0] is None or versions[1] is None or versions[0] >= versions[1]:
        raise DataError("needs `from` and `to`: an earlier and a later version such as 1.0.0", path.name)
    if path.name != f"{before}-{after}.ru":
        raise DataError(f"leads from {before} to {after} and should be named {before}-{after}.ru", path.name)
    try:
        # An empty store: what is wrong is told before any data are touched.
        Store().update(query.text, prefixes=dict(PREFIXES))
    except SyntaxError as error:
        line, column, message = locate_syntax_error(query.text, error, PREFIXES)
        raise DataError(f"is not valid SPARQL Update: {message}", path.name, line, column) from error
    return Migration(before, after, query)


def plan(migrations: Sequence[Migration], before: str, after: str) -> list[Migration]:
    """Return the steps between two versions in order; none where nothing needs to be done.

    Raises UsageError where these are no versions in that order.
    """
    start, end = parse_version(before), parse_version(after)
    if start is None or end is None or start > end:
        raise UsageError(f"{before!r} and {after!r} are no earlier and later version of the ontology")
    return [step for step in migrations if start <= step.span[0] and step.span[1] <= end]


def migrate(quads: Iterable[Quad], steps: Sequence[Migration]) -> list[Quad]:
    """Return quads in the terms of the newer version, in no order. Raises DataError where an update fails."""
    store = Store()
    store.bulk_extend(_rename_graph(quads, DefaultGraph(), _WITHOUT_GRAPH))
    for step in steps:
        try:
            store.update(step.query.text, prefixes=dict(PREFIXES))
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"failed: {error}", step.query.path.name) from error
    return list(_rename_graph(store, _WITHOUT_GRAPH, DefaultGraph()))


def _rename_graph(
    quads: Iterable[Quad], old: NamedNode | DefaultGraph, new: NamedNode | DefaultGraph
) -> Iterable[Quad]:
    return (Quad(quad.subject, quad.predicate, quad.object, new) if quad.graph_name == old else quad for quad in quads)


def find_left(quads: Iterable[Quad], changes: OntologyChanges) -> dict[str, int]:
    """Return how many statements still use each term that the newer ontology does not have, inferences left out."""
    gone = set(changes.removed())
    skipped = {INFERRED, ONTOLOGY, *UNHASHED}
    left: dict[str, int] = {}
    for quad in quads:
        if quad.graph_name in skipped:
            continue
        used = quad.object if quad.predicate == TYPE else quad.predicate
        if isinstance(used, NamedNode) and used.value in gone:
            left[used.value] = left.get(used.value, 0) + 1
    return left


def check_step(previous: Iterable[Quad], changes: OntologyChanges, migrations: Sequence[Migration]) -> list[str]:
    """Return what speaks against publishing a new ontology after another, by the data of the previous release.

    The version number must say what changed; and of the terms that are gone, no datum of the previous release may be
    left once the migrations are through with it.
    """
    before, after = changes.versions
    faults = []
    if not changes.is_enough:
        worst = [term for term in changes.terms if term.level == changes.level]
        told = ", ".join(term.iri or "a structure without a name" for term in worst[:5])
        step = f"its version stays {after}" if before == after else f"its version goes from {before} to {after}"
        faults.append(f"the ontology changed by a {changes.level.name} change ({told}), but {step}")
    if changes.removed() and parse_version(before) and parse_version(after) and before != after:
        steps = plan(migrations, before, after)
        for iri, count in sorted(find_left(migrate(previous, steps), changes).items()):
            faults.append(f"{iri} is gone, and no migration from {before} to {after} moves its {count} statements")
    return faults
