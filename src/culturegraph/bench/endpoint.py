"""The endpoint benchmark: our server in its configurations, the native oxigraph server, rdflib-endpoint, on one graph.

All run at the same time, on the same machine; what is measured of one is at once measured of the next, for several
rounds, and the medians are told. So what else the machine does falls on all alike, and ratios hold where absolute
figures do not.
"""

from __future__ import annotations

import random
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import RdfFormat, serialize

from culturegraph.bench import load, servers
from culturegraph.bench.endpoint_findings import (
    CACHED,
    DISK,
    GLIBC,
    NATIVE,
    OURS,
    RDFLIB,
    Effort,
    Figure,
    Findings,
)
from culturegraph.bench.endpoint_hostile import hostile
from culturegraph.bench.endpoint_queries import DASHBOARD, EVERYTHING, KINDS, QueryKind, text_search, texts
from culturegraph.bench.generator import generate
from culturegraph.bench.load import Client, Target, percentiles
from culturegraph.bench.servers import Plan, Server
from culturegraph.store.publishing import publish

# Larger graphs do not go into rdflib-endpoint: it takes minutes to load them.
_RDFLIB_LIMIT: Final = 1_500_000


def run(sizes: Iterable[int], effort: Effort, progress: Callable[[str], None] = lambda _: None) -> Findings:
    """Measure graphs of so many quads. Peers that are not installed are remarked on."""
    findings = Findings([], [f"load driver: {load.DRIVER}"])
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="culturegraph-bench-") as folder:
            _measure(size, Path(folder), effort, findings, progress)
    return findings


def _measure(size: int, folder: Path, effort: Effort, findings: Findings, progress: Callable[[str], None]) -> None:
    progress(f"{size:,} quads: generating and loading")
    plans = _prepare(size, folder, effort, findings)
    with ExitStack() as stack:
        running: dict[str, Server] = {}
        for plan in plans:
            progress(f"{size:,} quads: starting {plan.name}")
            running[plan.name] = stack.enter_context(servers.running(plan, folder / f"{len(running)}.log"))
        for server in running.values():
            servers.settle(server)
        bench = _Bench(size, running, effort, findings)
        for part in effort.parts:
            progress(f"{size:,} quads: {part}")
            if part != "hostile":
                bench.measure(part)
        findings.figures.append(
            Figure(size, "memory after all this", "MB", {name: server.memory() for name, server in running.items()})
        )
    if "hostile" in effort.parts:
        progress(f"{size:,} quads: beside hostile queries")
        hostile(size, folder, [plan for plan in plans if plan.name in (OURS, NATIVE)], effort, findings)


def _prepare(size: int, folder: Path, effort: Effort, findings: Findings) -> list[Plan]:
    """Write the graph for each server that there is; return how they are started."""
    store, data = folder / "store", folder / "data.nq"
    publish(store, generate(size, effort.seed), version=f"bench-{size}", metadata={"content_hash": "0" * 64})
    everything = 10**12
    plans = [
        servers.ours(OURS, store, memory_quads=everything, cache_size=0),
        servers.ours(DISK, store, memory_quads=0, cache_size=0),
    ]
    if {"light", "mixed"} & set(effort.parts):
        # Of ten million quads it takes gigabytes, which the others need where nothing is asked of it.
        plans.append(servers.ours(GLIBC, store, memory_quads=everything, cache_size=0, jemalloc=False))
    if "dashboard" in effort.parts:
        plans.append(servers.ours(CACHED, store, memory_quads=everything))
    oxigraph, rdflib = servers.native_program(), servers.rdflib_program()
    if oxigraph or rdflib:
        with data.open("wb") as target:
            serialize(generate(size, effort.seed), target, format=RdfFormat.N_QUADS)
    if oxigraph:
        servers.load_native(oxigraph, data, folder / "native")
        plans.append(servers.native(NATIVE, oxigraph, folder / "native"))
    if rdflib and size <= _RDFLIB_LIMIT and "light" in effort.parts:
        plans.append(servers.rdflib_endpoint(RDFLIB, rdflib, data))
    for name, program in ((NATIVE, oxigraph), (RDFLIB, rdflib)):
        if program is None:
            findings.remark(f"{name} is not installed, so it was not measured (uv sync --group bench)")
    if rdflib and size > _RDFLIB_LIMIT:
        findings.remark(f"{RDFLIB} was left out above {_RDFLIB_LIMIT:,} quads")
    return plans


@dataclass
class _Bench:
    """The measurements on running servers."""

    size: int
    running: dict[str, Server]
    effort: Effort
    findings: Findings

    def measure(self, part: str) -> None:
        """Run one part."""
        {
            "light": self._light,
            "kinds": self._kinds,
            "mixed": self._mixed,
            "dashboard": self._dashboard,
            "stream": self._stream,
            "text": self._text,
        }[part]()

    def _rounds(self, *names: str) -> Iterator[tuple[int, str, Target]]:
        """Yield every server of these names in every round: one after the other, so that noise falls on all."""
        for number in range(self.effort.rounds):
            for name in names:
                if server := self.running.get(name):
                    yield number, name, Target(server.port, server.plan.path)

    def _texts(self, kinds: Sequence[QueryKind], each: int, number: int = 0) -> list[str]:
        """Return queries of several kinds, shuffled; the same for every server in a round."""
        seed = self.effort.seed * 1000 + number
        found = [text for kind in kinds for text in texts(kind, self.size, each, seed)]
        random.Random(seed).shuffle(found)  # noqa: S311 - not a secret
        return found

    def _drive(
        self,
        what: str,
        queries: Callable[[int], list[str]],
        connections: int,
        *names: str,
        seconds: float | None = None,
    ) -> None:
        rates: dict[str, list[float]] = defaultdict(list)
        slowest: dict[str, list[float]] = defaultdict(list)
        for number, name, target in self._rounds(*names):
            found = load.drive(target, queries(number), connections, seconds or self.effort.seconds)
            # What a server still computes for clients that have left must not fall on the next.
            servers.settle(self.running[name])
            rates[name].append(found.rate)
            slowest[name].append(found.p95 * 1000)
            if found.failed:
                self._failed(f"{found.failed} of {found.requests} requests failed", what, name)
        self.findings.add(self.size, f"{what}, c={connections}", "req/s", rates)
        self.findings.add(self.size, f"{what}, c={connections}, p95", "ms", slowest)

    def _failed(self, problem: str, what: str, name: str) -> None:
        self.findings.remark(f"{problem}: {what}, {name}, {self.size:,} quads")

    def _light(self) -> None:
        kinds = [kind for kind in KINDS if kind.is_light]
        for connections in (1, 8):
            queries = lambda number: self._texts(kinds, 400, number)  # noqa: E731
            self._drive("light", queries, connections, OURS, GLIBC, DISK, NATIVE, RDFLIB)

    def _mixed(self) -> None:
        queries = lambda number: self._texts(KINDS, 40, number)  # noqa: E731
        # Slow kinds take seconds on a large graph: a short load would count what happens to end in it.
        self._drive("mixed", queries, 8, OURS, GLIBC, DISK, NATIVE, seconds=4 * self.effort.seconds)

    def _dashboard(self) -> None:
        kinds = [kind for kind in KINDS if kind.name in DASHBOARD]
        queries = lambda _: self._texts(kinds, 1)  # noqa: E731
        self._drive("dashboard, repeated", queries, 8, CACHED, NATIVE, seconds=4 * self.effort.seconds)

    def _kinds(self) -> None:
        for kind in KINDS:
            times: dict[str, list[float]] = defaultdict(list)
            first: dict[str, list[float]] = defaultdict(list)
            for number, name, target in self._rounds(OURS, DISK, NATIVE):
                queries = texts(kind, self.size, self.effort.queries, self.effort.seed * 1000 + number)
                answers = load.ask_each(target, queries, self.effort.seconds)
                times[name].append(percentiles([answer.seconds * 1000 for answer in answers])[0])
                first[name].append(percentiles([answer.first_byte * 1000 for answer in answers])[0])
                if bad := [answer.status for answer in answers if answer.status != 200]:
                    self._failed(f"{len(bad)} answers with status {bad[0]}", kind.name, name)
            self.findings.add(self.size, f"{kind.name}, p50", "ms", times)
            if kind.name == "stream":
                self.findings.add(self.size, f"{kind.name}, first byte", "ms", first)

    def _stream(self) -> None:
        """Read the whole graph; the growth is that of the server's memory while it streams."""
        first: dict[str, list[float]] = defaultdict(list)
        speed: dict[str, list[float]] = defaultdict(list)
        growth: dict[str, list[float]] = defaultdict(list)
        for _, name, target in self._rounds(OURS, DISK, NATIVE):
            with _watching(self.running[name]) as grown, Client(target) as client:
                answer = client.ask(target.request(EVERYTHING))
            if answer.status != 200:
                self._failed(f"status {answer.status}", "stream of everything", name)
                continue
            first[name].append(answer.first_byte * 1000)
            speed[name].append(answer.size / answer.seconds / 1e6)
            growth[name].append(grown[0])
        self.findings.add(self.size, "everything, first byte", "ms", first)
        self.findings.add(self.size, "everything", "MB/s", speed)
        self.findings.add(self.size, "everything, growth of memory", "MB", growth)

    def _text(self) -> None:
        """Compare cg:textMatch with a scan, on our own server: a peer has no text search."""
        samples: dict[str, dict[str, list[float]]] = {way: defaultdict(list) for way in ("index", "scan")}
        for number, name, target in self._rounds(OURS):
            pairs = text_search(self.size, self.effort.queries, self.effort.seed * 1000 + number)
            for way, queries in zip(samples, pairs, strict=True):
                answers = load.ask_each(target, queries, self.effort.seconds)
                samples[way][name].append(percentiles([answer.seconds * 1000 for answer in answers])[0])
        self.findings.add(self.size, "text search by the index, p50", "ms", samples["index"])
        self.findings.add(self.size, "text search by a scan, p50", "ms", samples["scan"])


@contextmanager
def _watching(server: Server) -> Iterator[list[float]]:
    """Give the growth of a server's memory while the block runs, in MB: a list of one, filled at the end."""
    before, stop, grown = server.memory(), threading.Event(), [0.0]

    def watch() -> None:
        while not stop.wait(0.2):
            grown[0] = max(grown[0], server.memory() - before)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield grown
    finally:
        stop.set()
        thread.join()
