"""The limits of queries under way: looks at who is at what since when, has the busy relieved, slows down, kills."""

from __future__ import annotations

import os
from contextlib import suppress
from math import inf
from typing import Final

from culturegraph.server import connections as wire
from culturegraph.server.confinement import look_at, total_memory
from culturegraph.server.supervision.clients import Clients
from culturegraph.server.supervision.custody import Custody
from culturegraph.server.supervision.generation import Child
from culturegraph.server.supervision.succession import Succession
from culturegraph.server.zygote import Means

# Seconds under way after which a query counts as long.
_LONG: Final = 0.5
# Seconds of processor time after which a query runs with lower priority; its evaluator then ends when it has answered.
_SLOW: Final = 0.25
_NICE: Final = 19
# Seconds under way from which a client that has left is worth a kill: what is faster ends sooner by itself.
_ABANDONED: Final = 0.1


class Watch:
    """Holds evaluators to the limits."""

    def __init__(self, means: Means, clients: Clients, succession: Succession, custody: Custody) -> None:
        self._board, self._settings = means.board, means.settings
        self._clients, self._succession, self._custody = clients, succession, custody

    def judge(self, time: float) -> None:
        """Kill what is over a limit or is nobody's any more; let what takes long be replaced."""
        evaluators = self._succession.evaluators
        used: dict[int, int] = {}
        for slot in self._board.active():
            child = evaluators.get(slot)
            if child is None or child.verdict is not None:
                continue
            elapsed = time - self._board.started[slot]
            if time >= self._board.deadline[slot]:
                child.kill("time_limit", f"a query may take {self._settings.query_timeout:g} seconds")
            elif elapsed > _ABANDONED and self._is_abandoned(slot):
                child.kill("broken_off", "the client has left")
            elif elapsed > wire.BUSY_LONG:
                self._custody.relieve(child)
                if child.is_busy:
                    used[slot] = self._weigh(child, elapsed)
        if used and sum(used.values()) > total_memory() // 2:
            worst = evaluators[max(used, key=lambda slot: used[slot])]
            worst.kill("memory_limit", "the queries under way use too much memory together; try again later")

    def _is_abandoned(self, slot: int) -> bool:
        """Say whether a client has left before its answer was there: one that has all of it may leave at once."""
        if self._board.deadline[slot] == inf:
            return False
        client = self._clients.find(self._board.connection[slot])
        return client is not None and client.is_gone

    def _weigh(self, child: Child, elapsed: float) -> int:
        """Hold a busy evaluator to what it may use; return the bytes of memory that its query has taken."""
        use = look_at(child.process)
        memory, limit = use.memory - child.memory, self._settings.memory_limit
        if memory > limit:
            child.kill("memory_limit", f"a query may use {limit:,} bytes of memory")
        else:
            self._slow_down(child, elapsed, use.processor - child.processor)
        return memory

    def _slow_down(self, child: Child, elapsed: float, processor: float) -> None:
        """Let others go before what takes long. A lower priority is for good, so the evaluator ends when it can."""
        others = child.generation.children.values()
        if elapsed > _LONG and not child.is_long:
            child.is_long = True
            limit = self._settings.long_queries
            if sum(each.is_long for each in others) > limit:
                child.kill("time_limit", f"{limit} queries already run longer than {_LONG} seconds; try again later")
        # What is alone is in nobody's way, and an evaluator that stays need not copy again what it has copied.
        is_crowded = sum(each.is_busy for each in others) >= self._succession.cores
        if is_crowded and processor > _SLOW and not child.is_slow:
            child.is_slow = True
            self._board.retiring[child.slot] = 1
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child.process, _NICE)
            self._succession.fill(child.generation)
