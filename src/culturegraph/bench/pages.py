"""The pages benchmark: entities chosen at random, asked for by clients at the same time, the first time and again.

A server of its own serves the published snapshot. In every round other entities are asked for, each once, by eight
clients that keep their connections: `first time` no page has been made before; `again` the same are asked for once
more. The times are those of the clients, to the last byte; the time of the processor is that of all processes of the
server, and does not grow where a machine is shared. What is measured has no peer: no other site shows this graph.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from culturegraph.bench import servers
from culturegraph.bench.load import Answer, Client, Target, ask_once, percentiles
from culturegraph.errors import StorageError
from culturegraph.protocols.documents import own_iris
from culturegraph.rdf.vocabulary import BASE
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

PAGES: Final = 400
CLIENTS: Final = 8
ROUNDS: Final = 5
# Milliseconds that 95 of 100 pages may take.
BAR: Final = 30.0
_THINGS: Final = BASE + "id/"


@dataclass(frozen=True)
class Run:
    """What came of asking for some pages: medians over the rounds. Times in milliseconds, bytes as they were sent."""

    what: str
    clients: int
    pages: int
    p50_ms: float
    p95_ms: float
    pages_per_second: float
    cpu_ms_per_page: float
    bytes_per_page: float


@dataclass(frozen=True)
class _Sample:
    p50: float
    p95: float
    rate: float
    processor: float
    size: float


def run(
    settings: Settings,
    sizes: Sequence[int],
    rounds: int = ROUNDS,
    seed: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Run]:
    """Measure so many pages a round. Raises StorageError where nothing is published or a page fails."""
    # On disk: what reads the names of the entities is not what is measured.
    store = open_current(settings.store, in_memory=False).store
    paths = sorted("/doc/" + iri.removeprefix(_THINGS) for iri in own_iris(store) if iri.startswith(_THINGS))
    found = []
    for size in sizes:
        progress(f"{size:,} pages: starting a server")
        with (
            tempfile.TemporaryDirectory(prefix="culturegraph-bench-") as folder,
            servers.running(servers.ours("ours", settings.store), Path(folder, "log")) as server,
        ):
            found += _measure(server, _choose(paths, size * rounds, seed), size, progress)
    return found


def _choose(paths: Sequence[str], number: int, seed: int) -> list[str]:
    """Return so many different addresses, or all where there are fewer; the same for the same seed."""
    return random.Random(seed).sample(paths, min(number, len(paths)))  # noqa: S311 - not a secret


def _measure(server: servers.Server, paths: Sequence[str], size: int, progress: Callable[[str], None]) -> list[Run]:
    target = Target(server.port, "")
    with Client(target) as client:
        first = client.ask(_request(target, paths[0]))
    servers.settle(server)
    cold, warm = list[_Sample](), list[_Sample]()
    for start in range(1, len(paths), size):
        progress(f"{size:,} pages: from the {start:,}. on")
        requests = [_request(target, path) for path in paths[start : start + size]]
        cold.append(_sample(server, target, requests))
        warm.append(_sample(server, target, requests))
    soon = round(1000 * first.seconds, 2)
    start_up = Run("first page after start", 1, 1, soon, soon, 0.0, 0.0, first.size)
    return [start_up, _tell("first time", size, cold), _tell("again", size, warm)]


def _request(target: Target, path: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
    return head.encode()


def _sample(server: servers.Server, target: Target, requests: Sequence[bytes]) -> _Sample:
    before = server.processor_seconds()
    answers, seconds = ask_once(target, requests, CLIENTS)
    processor = server.processor_seconds() - before
    _refuse_failures(answers)
    p50, p95 = percentiles([answer.seconds for answer in answers])
    count = len(answers)
    return _Sample(p50, p95, count / seconds, processor / count, sum(answer.size for answer in answers) / count)


def _refuse_failures(answers: Iterable[Answer]) -> None:
    failed = [answer.status for answer in answers if answer.status != 200]
    if failed:
        raise StorageError(f"{len(failed)} pages failed, the first with status {failed[0]}")


def _tell(what: str, size: int, samples: Sequence[_Sample]) -> Run:
    def middle(of: Callable[[_Sample], float], factor: float = 1.0) -> float:
        return round(median(of(sample) for sample in samples) * factor, 2)

    return Run(
        what,
        CLIENTS,
        size,
        p50_ms=middle(lambda sample: sample.p50, 1000),
        p95_ms=middle(lambda sample: sample.p95, 1000),
        pages_per_second=middle(lambda sample: sample.rate),
        cpu_ms_per_page=middle(lambda sample: sample.processor, 1000),
        bytes_per_page=middle(lambda sample: sample.size),
    )


def judge(runs: Iterable[Run]) -> list[dict[str, object]]:
    """Return what must be reached, and whether it was."""
    return [
        {"bar": f"{run.what}, p95 in ms", "value": run.p95_ms, "must be": f"< {BAR:g}", "reached": run.p95_ms < BAR}
        for run in runs
        if run.clients > 1
    ]
