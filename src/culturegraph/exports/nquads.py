"""The whole graph as sorted N-Quads: every named graph, without the merge (which is derived from them)."""

from __future__ import annotations

import sys
from pathlib import Path

from pyoxigraph import DefaultGraph

from culturegraph.files import write_whole
from culturegraph.rdf.canonical import to_nquads
from culturegraph.store.snapshot import open_current


def export(store: Path, output: Path | None) -> None:
    """Write the published snapshot's named graphs to a file, or to standard output.

    The file appears whole or not at all. Raises StorageError where it cannot be written.
    """
    snapshot = open_current(store)
    data = to_nquads(quad for quad in snapshot.store if not isinstance(quad.graph_name, DefaultGraph))
    if output is None:
        sys.stdout.buffer.write(data)
        return
    write_whole(output, data)
