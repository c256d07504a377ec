"""What the files at hand cover, before anything is published; how it is counted is in `protocols.coverage`."""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import Quad, Store

from culturegraph.build import Progress, assemble, silent
from culturegraph.protocols.coverage import Section, read_coverage_queries, read_section
from culturegraph.rdf.graphs import merge
from culturegraph.settings import Settings


def whole_store(quads: Iterable[Quad]) -> Store:
    """Return an in-memory store with the named graphs, and their merge in the default graph."""
    store, held = Store(), list(quads)
    store.bulk_extend(held)
    store.bulk_extend(merge(held))
    return store


def cover(settings: Settings, *, progress: Progress = silent) -> list[Section]:
    """Return the sections of the bundled files, in the order that the heads of the queries give (`order`).

    Raises DataErrors with every fault of the files, or of the queries.
    """
    queries = read_coverage_queries(settings.queries / "pages")
    store = whole_store(assemble(settings, progress).quads)
    with progress("coverage"):
        return [read_section(store, query) for query in queries]
