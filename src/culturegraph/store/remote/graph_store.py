"""Writing graphs to a store on another server: the SPARQL 1.1 Graph Store HTTP Protocol, or updates where it is absent.

What is sent is a set of triples; sending it twice changes nothing. So whatever fails for a moment is sent again.
Source: SPARQL 1.1 Graph Store HTTP Protocol §4.2 (indirect identification), §5; SPARQL 1.1 Protocol §2.2.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import uuid4

import httpx

from culturegraph.errors import LimitExceededError, UpstreamError
from culturegraph.rdf.vocabulary import BASE
from culturegraph.store.remote.reading import select
from culturegraph.store.remote.upstream import Endpoint, read_words, refused_credentials

# Seconds before what failed is sent again.
PAUSES: Final = (0.2, 1.0, 4.0)
_PROBE_PATIENCE: Final = 10.0
_PROBE: Final = BASE + "generation/probe"


class GraphStore(Protocol):
    """Where graphs are written. `triples` is N-Triples; each method returns once the store has it."""

    address: str
    # Triples that one request carries.
    piece: int
    # Seconds before what failed for a moment is sent again, as often as there are pauses.
    pauses: Sequence[float]

    def replace(self, graph: str, triples: bytes) -> None:
        """Make these triples all that a graph holds."""

    def add(self, graph: str, triples: bytes) -> None:
        """Add triples to a graph."""

    def drop(self, graph: str) -> None:
        """Remove a graph; one that is not there is no fault."""


@dataclass(frozen=True)
class Addresses:
    """Where a store is written, as far as that was said; what is not is found out (`find_graph_store`)."""

    graph_store: str | None = None
    update: str | None = None


class GraphStoreProtocol:
    """A store that speaks the Graph Store HTTP Protocol."""

    piece = 25_000

    def __init__(self, endpoint: Endpoint, address: str) -> None:
        self._endpoint, self.address = endpoint, address
        self.pauses: Sequence[float] = ()

    def replace(self, graph: str, triples: bytes) -> None:
        """PUT."""
        self._send("PUT", graph, triples)

    def add(self, graph: str, triples: bytes) -> None:
        """POST."""
        self._send("POST", graph, triples)

    def drop(self, graph: str) -> None:
        """DELETE; 404 says that it was not there."""
        self._send("DELETE", graph, None, (404,))

    def _send(self, method: str, graph: str, triples: bytes | None, accepted: Sequence[int] = ()) -> None:
        headers = {"Content-Type": "application/n-triples"} if triples is not None else {}
        request = self._endpoint.build(method, self.address, params={"graph": graph}, content=triples, headers=headers)
        _send(self._endpoint, request, self.pauses, accepted)


class Updates:
    """A store that is written by SPARQL 1.1 Update."""

    # The text of an update is parsed as a whole.
    piece = 2_000

    def __init__(self, endpoint: Endpoint, address: str) -> None:
        self._endpoint, self.address = endpoint, address
        self.pauses: Sequence[float] = ()

    def replace(self, graph: str, triples: bytes) -> None:
        """Drop and insert."""
        self.drop(graph)
        self.add(graph, triples)

    def add(self, graph: str, triples: bytes) -> None:
        """Insert."""
        if triples:
            self._update(f"INSERT DATA {{ GRAPH <{graph}> {{\n{triples.decode()}}} }}")

    def drop(self, graph: str) -> None:
        """Drop, silently where it is not there."""
        self._update(f"DROP SILENT GRAPH <{graph}>")

    def _update(self, text: str) -> None:
        _send(self._endpoint, self._endpoint.build("POST", self.address, data={"update": text}), self.pauses)


def find_graph_store(endpoint: Endpoint, addresses: Addresses) -> GraphStore:
    """Return how a store is written: as was said, else the first place, of those that engines use, that proves to work.

    A triple is written, asked for by the endpoint and removed again. Raises UpstreamError where nothing works.
    """
    tried: list[str] = []
    for writer in _candidates(endpoint, addresses):
        probe = f"{_PROBE}/{uuid4()}"
        try:
            writer.replace(probe, f"<{probe}> <{BASE}generation/probe> <{probe}> .\n".encode())
        except (_RefusedError, LimitExceededError) as error:
            tried.append(f"{writer.address}: {error}")
            continue
        try:
            found = list(select(endpoint, f"SELECT ?s {{ ?s ?p <{probe}> }}", [probe]))
        finally:
            writer.drop(probe)
        if found:
            writer.pauses = PAUSES
            return writer
        tried.append(f"{writer.address}: what is written there is not seen by {endpoint.address}")
    raise UpstreamError(
        "no way to write to the store was found; give the address of its graph store (--graph-store) or of its updates "
        f"(--update). Tried: {'; '.join(tried)}"
    )


class _RefusedError(UpstreamError):
    """The store does not take what was sent there; another address may."""


def _candidates(endpoint: Endpoint, addresses: Addresses) -> Iterable[GraphStore]:
    address = endpoint.address.rstrip("/")
    stem = address.rpartition("/")[0]
    if addresses.graph_store:
        stores = [addresses.graph_store]
    elif addresses.update:
        stores = []
    else:
        # Oxigraph; Fuseki; RDF4J and GraphDB; Neptune and others.
        stores = [f"{stem}/store", f"{stem}/data", f"{address}/rdf-graphs/service", f"{address}/gsp/"]
        # Virtuoso, which leaves a PUT to elsewhere unanswered.
        stores.insert(0 if address.endswith("/sparql") else 2, f"{address}-graph-crud-auth")
    updates = [] if addresses.graph_store else [f"{stem}/update", f"{address}-auth", f"{address}/statements", address]
    yield from (GraphStoreProtocol(endpoint, each) for each in stores)
    yield from (Updates(endpoint, each) for each in ([addresses.update] if addresses.update else updates))


def _send(endpoint: Endpoint, request: httpx.Request, pauses: Sequence[float], accepted: Sequence[int] = ()) -> None:
    """Send a request until it is answered; what fails for a moment is sent again after a pause."""
    if not pauses:  # Only to see whether this is the place.
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), _PROBE_PATIENCE)
    for pause in (*pauses, None):
        try:
            response = endpoint.send(request)
        except (UpstreamError, LimitExceededError):
            if pause is None:
                raise
        else:
            status, words = response.status_code, read_words(response)
            if 200 <= status < 300 or status in accepted:
                return
            if status in (401, 403):
                raise refused_credentials(str(request.url.copy_with(query=None)), status)
            if status < 500 or pause is None or status == 501:
                raise _RefusedError(f"{request.method} is answered {status}: {words}")
        time.sleep(pause)
