"""A reconciler for the published snapshot, for the command line and the benchmark; a server makes its own."""

from __future__ import annotations

from culturegraph.protocols.reconciliation.matching import Reconciler
from culturegraph.queries import read_queries
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current


def open_reconciler(settings: Settings) -> Reconciler:
    """Return what reconciles with the published snapshot. Raises StorageError where none is published."""
    snapshot = open_current(settings.store, in_memory=True)
    queries = {query.id: query for query in read_queries(settings.queries / "pages")}
    return Reconciler(snapshot.store, snapshot.text_index, queries)
