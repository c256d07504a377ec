"""Links names in records to what the graph has, as reconciliation judges: for `culturegraph ingest marcxml`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from culturegraph.protocols.reconciliation.matching import Query, Reconciler
from culturegraph.queries import read_queries
from culturegraph.store.snapshot import Snapshot

# From this score (of 100) on, a candidate is worth a look.
_DOUBTFUL: Final = 75.0
_SUSPECTS: Final = 3
# The IRI that a name surely stands for, or ""; then what it may stand for: IRI, name, score.
Linked = tuple[str, Sequence[tuple[str, str, float]]]


def make_linker(
    snapshot: Snapshot, queries: Path
) -> Callable[[str, str], tuple[str, Sequence[tuple[str, str, float]]]]:
    """Return what links a name of a class (an IRI, or "" for any): the IRI it is sure of, else what may be meant."""
    pages = {query.id: query for query in read_queries(queries / "pages")}
    reconciler = Reconciler(snapshot.store, snapshot.text_index, pages)

    @lru_cache(maxsize=65_536)
    def link(text: str, kind: str) -> Linked:
        asked = Query(text, types=(kind,) if kind else (), strictness="all" if kind else "any", limit=_SUSPECTS)
        found = reconciler.find(asked)
        sure = next((candidate.iri for candidate in found if candidate.match), "")
        return sure, [(one.iri, one.matched, one.score) for one in found if one.score >= _DOUBTFUL and not sure]

    return link
