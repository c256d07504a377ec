"""A server on the graph of cases/search, with the real queries behind its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from httpx import Client
from pyoxigraph import RdfFormat, parse
from small_site import listening, small_settings

from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current

GRAPH = Path(__file__).parent / "cases" / "search" / "site.trig"


@contextmanager
def searched(folder: Path, root: Path) -> Iterator[Client]:
    """Publish the graph and serve it; give a client."""
    quads = list(parse(path=str(GRAPH), format=RdfFormat.TRIG))
    publish(folder / "store", quads, version="search-1", metadata={"content_hash": "2" * 64}, keep=2)
    snapshot = open_current(folder / "store", in_memory=True)
    with (
        listening(small_settings(folder / "store", root=root), snapshot) as server,
        Client(base_url=server, timeout=30) as client,
    ):
        yield client
