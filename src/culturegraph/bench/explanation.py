"""Explanations, measured: inferred statements of the published graph, found by their hash and proved, one by one.

As a page of a statement does it. No other engine that is at hand explains by these rules, so there is no peer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from culturegraph.bench.load import percentiles
from culturegraph.explanation import Explainer
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.statements import statement_hash
from culturegraph.rules import read_rules
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current
from culturegraph.store.statement_index import StatementIndex

STATEMENTS: Final = 2000
# Milliseconds that half of the statements may take, and 95 of 100.
BARS: Final = {"p50_ms": 5.0, "p95_ms": 20.0}


@dataclass(frozen=True)
class Run:
    """What came of one size. Milliseconds of the processor, which do not grow where a machine is shared."""

    statements: int
    steps: float
    p50_ms: float
    p95_ms: float
    slowest_ms: float


def run(settings: Settings, sizes: Sequence[int], seed: int = 1) -> list[Run]:
    """Explain so many inferred statements chosen at random. Raises StorageError where nothing is published."""
    store = open_current(settings.store).store
    index, explainer = StatementIndex(store), Explainer(store, read_rules(settings.queries / "rules"))
    digests = sorted(statement_hash(quad.triple) for quad in store.quads_for_pattern(None, None, None, INFERRED))
    runs = []
    for size in sizes:
        times, steps = [], 0
        for digest in random.Random(seed).sample(digests, min(size, len(digests))):  # noqa: S311 - not a secret
            start = time.process_time()
            triple = index.find(digest)
            proof = explainer.explain(triple) if triple is not None else None
            times.append(time.process_time() - start)
            steps += len(list(proof.walk())) if proof is not None else 0
        p50, p95 = percentiles(times)
        mean = steps / max(1, len(times))
        runs.append(Run(len(times), round(mean, 2), *(round(1000 * t, 3) for t in (p50, p95, max(times, default=0)))))
    return runs


def judge(runs: Iterable[Run]) -> list[dict[str, object]]:
    """Return what must be reached, and whether it was."""
    return [
        {"bar": name, "value": value, "must be": f"< {bar:g}", "reached": value < bar}
        for found in runs
        for name, bar in BARS.items()
        for value in [getattr(found, name)]
    ]
