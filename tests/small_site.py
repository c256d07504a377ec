"""A server on the small graph of cases/protocol, for the tests of store, protocols and web."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from culturegraph.settings import Settings
from culturegraph.store.snapshot import Snapshot, open_current, publish
from culturegraph.web.app import create_app
from culturegraph.web.server import address, bind, configure

CASES = Path(__file__).parent / "cases" / "protocol"
BASE = "https://w3id.org/culturegraph/"
ONE, TWO = BASE + "graph/source/one", BASE + "graph/source/two"
PREFIXES = "PREFIX cg: <https://w3id.org/culturegraph/ontology/>\n"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
# Some millions of combinations, counted one by one: longer than the time limits of these tests, yet it ends.
HOG = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(STR(?c) < STR(?l)) }"


def small_quads() -> list[Quad]:
    return list(parse(path=str(CASES / "small.trig"), format=RdfFormat.TRIG))


def many_quads(count: int) -> Iterator[Quad]:
    graph, predicate = NamedNode(BASE + "graph/source/many"), NamedNode(BASE + "ontology/next")
    for number in range(count):
        yield Quad(NamedNode(f"{BASE}id/thing/{number}"), predicate, NamedNode(f"{BASE}id/thing/{number + 1}"), graph)


def small_settings(store: Path, **changes: Any) -> Settings:
    defaults: dict[str, Any] = {"root": CASES, "store": store, "query_timeout": 10.0, "workers": 2, "port": 0}
    return Settings(**defaults | changes)


def publish_small(store: Path) -> Snapshot:
    publish(store, small_quads(), version="small-1", metadata={"content_hash": "0" * 64}, keep=2)
    return open_current(store, in_memory=True)


@contextmanager
def listening(settings: Settings, snapshot: Snapshot) -> Iterator[str]:
    """Serve over a real socket; give the address."""
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(configure(create_app(settings, snapshot), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield address(listener).rstrip("/")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
