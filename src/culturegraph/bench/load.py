"""The load on a server: requests prepared beforehand, connections kept open, times taken to the last byte.

Throughput is driven by wrk where it is installed (it takes a few microseconds a request); otherwise, and wherever each
request's own time or first byte matters, by one process for each connection with a plain blocking socket, which takes
some 20 microseconds a request. `DRIVER` says which.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import quantiles
from typing import Final, Self
from urllib.parse import quote

from culturegraph.errors import StorageError

_WRK: Final = shutil.which("wrk")
DRIVER: Final = "wrk" if _WRK else "blocking sockets, a process for each connection"
_RESULTS: Final = "application/sparql-results+json, application/n-triples;q=0.9, text/turtle;q=0.5"
_SCRIPT: Final = """
local requests, at = {}, 0
local headers = " HTTP/1.1\\r\\n" .. os.getenv("BENCH_HEADERS"):gsub("|", "\\r\\n") .. "\\r\\n\\r\\n"
for line in io.lines(os.getenv("BENCH_REQUESTS")) do requests[#requests + 1] = line end
function request()
  at = at + 1
  return "GET " .. requests[at % #requests + 1] .. headers
end
function done(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.stderr:write(string.format('{"requests": %d, "microseconds": %d, "failed": %d, "p50": %d, "p95": %d}\\n',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(95)))
end
"""


@dataclass(frozen=True)
class Load:
    """What came of a load. Times in seconds."""

    rate: float
    p50: float
    p95: float
    requests: int
    failed: int


@dataclass(frozen=True)
class Answer:
    """One answer: status (0: the connection broke), seconds to its first byte and to its last, bytes."""

    status: int
    first_byte: float
    seconds: float
    size: int


@dataclass(frozen=True)
class Target:
    """Where requests go: a port of this machine, and the path of the endpoint."""

    port: int
    path: str

    def request(self, query: str, accept: str = _RESULTS) -> bytes:
        """Return the bytes of a request."""
        head = f"GET {self._target(query)} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: {accept}\r\n\r\n"
        return head.encode()

    def _target(self, query: str) -> str:
        return f"{self.path}?query={quote(query, safe='')}"

    def targets(self, queries: Sequence[str]) -> list[str]:
        """Return the request targets of queries."""
        return [self._target(query) for query in queries]


class Client:
    """One connection, kept open until it is closed or the block that it is used in ends."""

    def __init__(self, target: Target, timeout: float = 120) -> None:
        self._target, self._timeout = target, timeout
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: bytes) -> Answer:
        """Send a request and read the whole answer."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._target.port), self._timeout)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._exchange(self._socket, request)
        except OSError:
            self.close()
            return Answer(0, 0, 0, 0)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, connection: socket.socket, request: bytes) -> Answer:
        start = time.perf_counter()
        connection.sendall(request)
        data = connection.recv(262_144)
        first_byte = time.perf_counter() - start
        while b"\r\n\r\n" not in data:
            data += self._more(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        status, head = int(head[9:12]), head.lower()
        size = len(body)
        if b"\r\ncontent-length:" in head:
            length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
            while size < length:
                size += len(self._more(connection))
        elif b"chunked" in head:
            tail = body[-5:]
            while tail != b"0\r\n\r\n":
                more = self._more(connection)
                size += len(more)
                tail = (tail + more)[-5:]
        else:
            while more := connection.recv(262_144):
                size += len(more)
            self.close()
        if b"\r\nconnection: close" in head:
            self.close()
        return Answer(status, first_byte, time.perf_counter() - start, size)

    def _more(self, connection: socket.socket) -> bytes:
        data = connection.recv(262_144)
        if not data:
            raise ConnectionResetError
        return data


def ask_each(target: Target, queries: Sequence[str], seconds: float) -> list[Answer]:
    """Ask queries one after the other, over one connection, until all are asked or the time is over."""
    answers, end = list[Answer](), time.perf_counter() + seconds
    with Client(target) as client:
        for query in queries:
            answers.append(client.ask(target.request(query)))
            if time.perf_counter() > end:
                break
    return answers


def drive(target: Target, queries: Sequence[str], connections: int, seconds: float) -> Load:
    """Send queries over and over, over so many connections, for so long."""
    if _WRK:
        return _drive_wrk(_WRK, target, queries, connections, seconds)
    return _drive_sockets(target, queries, connections, seconds)


def _drive_wrk(program: str, target: Target, queries: Sequence[str], connections: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        script, requests = Path(folder, "load.lua"), Path(folder, "requests")
        script.write_text(_SCRIPT, encoding="utf-8")
        requests.write_text("\n".join(target.targets(queries)) + "\n", encoding="utf-8")
        command = [program, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "120s"]
        done = subprocess.run(
            [*command, "-s", str(script), f"http://127.0.0.1:{target.port}"],
            capture_output=True,
            text=True,
            check=False,
            env={
                "BENCH_REQUESTS": str(requests),
                "BENCH_HEADERS": f"Host: 127.0.0.1:{target.port}|Accept: {_RESULTS}",
            },
        )
    try:
        told = json.loads(done.stderr.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise StorageError(f"wrk failed: {done.stderr.strip()[-300:]}") from error
    rate = (told["requests"] - told["failed"]) * 1e6 / max(told["microseconds"], 1)
    return Load(rate, told["p50"] / 1e6, told["p95"] / 1e6, told["requests"], told["failed"])


def _drive_sockets(target: Target, queries: Sequence[str], connections: int, seconds: float) -> Load:
    context = multiprocessing.get_context("fork")
    requests = [target.request(query) for query in queries]
    start = time.perf_counter()
    pipes = []
    for number in range(connections):
        ours, theirs = context.Pipe(duplex=False)
        share = requests[number * len(requests) // connections :] + requests
        worker = context.Process(target=_work, args=(target, share, seconds, theirs), daemon=True)
        worker.start()
        theirs.close()
        pipes.append((worker, ours))
    times, failed = list[float](), 0
    for worker, pipe in pipes:
        with suppress(EOFError):
            found, bad = pipe.recv()
            times += found
            failed += bad
        worker.join()
    elapsed = time.perf_counter() - start
    p50, p95 = percentiles(times)
    return Load(len(times) / elapsed, p50, p95, len(times) + failed, failed)


def _work(target: Target, requests: Sequence[bytes], seconds: float, pipe: Connection) -> None:
    times, failed = list[float](), 0
    end, at = time.perf_counter() + seconds, 0
    with Client(target) as client:
        while time.perf_counter() < end:
            answer = client.ask(requests[at % len(requests)])
            at += 1
            if answer.status == 200:
                times.append(answer.seconds)
            else:
                failed += 1
    pipe.send((times, failed))


def ask_once(target: Target, requests: Sequence[bytes], connections: int) -> tuple[list[Answer], float]:
    """Send each request once, shared out among so many connections; return the answers and the seconds for all."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(connections + 1)
    pipes = []
    for number in range(connections):
        ours, theirs = context.Pipe(duplex=False)
        share = requests[number::connections]
        context.Process(target=_ask_share, args=(target, share, barrier, theirs), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    barrier.wait()
    start = time.perf_counter()
    answers = [answer for pipe in pipes for answer in pipe.recv()]
    return answers, time.perf_counter() - start


def _ask_share(target: Target, requests: Sequence[bytes], barrier: Barrier, pipe: Connection) -> None:
    with Client(target) as client:
        barrier.wait()
        pipe.send([client.ask(request) for request in requests])


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """Return the 50th and the 95th percentile of times; 0 where there are none."""
    if len(times) < 2:
        return (times[0], times[0]) if times else (0.0, 0.0)
    cut = quantiles(times, n=100, method="inclusive")
    return cut[49], cut[94]
