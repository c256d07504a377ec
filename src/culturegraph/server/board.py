"""The memory that all processes of a server share: what each evaluator is at, and every counter.

Each slot has one writer, so nothing is locked: the evaluator that holds the slot (its successor goes on counting), or
of the first one the supervisor. A server of a single process, which supervises itself, counts there too.
"""

from __future__ import annotations

import mmap
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

SLOTS: Final = 128
SUPERVISOR, FIRST_EVALUATOR = 0, 1

# What an evaluator is at. From STREAMING on part of the answer may be out.
FREE, IDLE, EVALUATING, STREAMING = range(4)

KINDS: Final = ("boolean", "solutions", "graph", "unknown")
OUTCOMES: Final = ("ok", "not_modified", "cached", "refused", "time_limit", "memory_limit", "size_limit", "broken_off")
# Upper bounds of the latency histogram, in seconds; one more class for what took longer.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_QUERIES: Final = len(KINDS) * len(OUTCOMES)
_COUNTERS: Final = _QUERIES + len(BUCKETS) + 1
# Of the request under way, for who must answer in place of a dead evaluator: request id, client, query (cut off).
_NOTE: Final = 4096


# Monotonic seconds, comparable between processes.
now: Final = time.monotonic


class Note(NamedTuple):
    """What the supervisor needs to answer a request in place of an evaluator that is dead."""

    request_id: bytes
    client: str
    wants_problem: bool
    query: str


@dataclass(frozen=True)
class Totals:
    """The counters of all processes."""

    queries: dict[tuple[str, str], int]
    latency: list[int]
    seconds: float
    bytes_sent: int
    busy: int
    evaluators: int


class Board:
    """The shared memory. Make it before the processes that share it are forked."""

    def __init__(self) -> None:
        words = SLOTS * (9 + _COUNTERS) + 1
        memory = memoryview(mmap.mmap(-1, words * 8 + SLOTS * _NOTE))
        place = 0

        def part(code: str, length: int = SLOTS) -> Any:
            nonlocal place
            view = memory[place : place + length * 8].cast(code)  # type: ignore[call-overload]
            place += length * 8
            return view

        self.state: memoryview[int] = part("Q")
        # Monotonic seconds: when the request began, until when it may be evaluated.
        self.started: memoryview[float] = part("d")
        self.deadline: memoryview[float] = part("d")
        # Number of the connection, and a hash of its client's address.
        self.connection: memoryview[int] = part("Q")
        self.client: memoryview[int] = part("Q")
        # Hash of what is being evaluated: others wait for its answer instead of evaluating the same.
        self.key: memoryview[int] = part("Q")
        # Set by the supervisor: end after this answer.
        self.retiring: memoryview[int] = part("Q")
        self.seconds: memoryview[float] = part("d")
        self.bytes_sent: memoryview[int] = part("Q")
        self._counters: memoryview[int] = part("Q", SLOTS * _COUNTERS)
        # Set by the supervisor when the server stops: each answer is the last on its connection.
        self.stopping: memoryview[int] = part("Q", 1)
        self._notes = memory[place:]

    def write_note(self, slot: int, request_id: bytes, client: str, query: str, wants_problem: bool) -> None:
        """Keep what is known of the request under way (see `Note`)."""
        parts = (request_id, client.encode(), b"1" if wants_problem else b"", query.encode(), b"")
        data = b"\0".join(parts)[:_NOTE]
        start = slot * _NOTE
        self._notes[start : start + len(data)] = data

    def read_note(self, slot: int) -> Note:
        """Return what a slot's holder wrote last."""
        start = slot * _NOTE
        data = bytes(self._notes[start : start + _NOTE])
        request_id, client, wants_problem, query = (data.split(b"\0", 4) + [b""] * 4)[:4]
        return Note(request_id, client.decode(), bool(wants_problem), query.decode(errors="replace"))

    def count(self, slot: int, kind: int, outcome: int, seconds: float, sent: int = 0) -> None:
        """Count one request to /sparql."""
        counters, start = self._counters, slot * _COUNTERS
        counters[start + kind * len(OUTCOMES) + outcome] += 1
        counters[start + _QUERIES + bisect_left(BUCKETS, seconds)] += 1
        self.seconds[slot] += seconds
        self.bytes_sent[slot] += sent

    def clear(self, slot: int) -> None:
        """Make a slot free for another evaluator. Its counters stay."""
        self.state[slot] = FREE
        self.connection[slot] = self.client[slot] = self.key[slot] = self.retiring[slot] = 0

    def active(self) -> Iterator[int]:
        """Yield the slots whose evaluator is at a request."""
        return (slot for slot in range(FIRST_EVALUATOR, SLOTS) if self.state[slot] >= EVALUATING)

    def queries_of(self, client: int) -> int:
        """Return how many requests of a client are under way."""
        if client not in (clients := self.client.tolist()):
            return 0
        return sum(1 for slot, other in enumerate(clients) if other == client and self.state[slot] >= EVALUATING)

    def leader(self, slot: int, key: int) -> int | None:
        """Return the slot that began the same evaluation before this one, if any."""
        if self.key.tolist().count(key) < 2:
            return None
        mine = (self.started[slot], slot)
        return next(
            (
                other
                for other in range(FIRST_EVALUATOR, SLOTS)
                if self.key[other] == key and (self.started[other], other) < mine
            ),
            None,
        )

    def totals(self) -> Totals:
        """Return the sums over all slots."""
        sums = [0] * _COUNTERS
        for slot in range(SLOTS):
            for index in range(_COUNTERS):
                sums[index] += self._counters[slot * _COUNTERS + index]
        names = [(kind, outcome) for kind in KINDS for outcome in OUTCOMES]
        states = self.state.tolist()
        return Totals(
            queries=dict(zip(names, sums, strict=False)),
            latency=sums[_QUERIES:],
            seconds=sum(self.seconds),
            bytes_sent=sum(self.bytes_sent),
            busy=sum(state >= EVALUATING for state in states),
            evaluators=sum(state >= IDLE for state in states),
        )
