"""What pages, exports and proofs ask of a graph, whichever engine holds it: the RDF dataset of one snapshot.

Two things are one: the store of the embedded engine (`pyoxigraph.Store`), and a published generation in somebody else's
store (`store.remote.dataset`). Both hold the named graphs as built and their merge in the default graph. Both are read
by many threads; what a query or a pattern gives is read in the thread that asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    Triple,
)


class Dataset(Protocol):
    """A dataset that is only read."""

    def quads_for_pattern(
        self,
        subject: NamedNode | BlankNode | Triple | None,
        predicate: NamedNode | None,
        object: NamedNode | BlankNode | Literal | Triple | None,  # noqa: A002: as the embedded engine calls it.
        graph_name: NamedNode | BlankNode | DefaultGraph | None = None,
        /,
    ) -> Iterator[Quad]:
        """Yield the quads of a pattern, where None stands for any term (and any graph, the default graph included)."""
        ...

    def query(
        self, query: str, /, *, prefixes: dict[str, str] | None = None
    ) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Evaluate a query on the merge and the named graphs; `prefixes` need not be declared in it."""
        ...

    def contains_named_graph(self, graph_name: NamedNode | BlankNode | DefaultGraph, /) -> bool:
        """Say whether there is a named graph of this name."""
        ...

    def __contains__(self, key: Any, /) -> bool: ...

    def __iter__(self) -> Any: ...
