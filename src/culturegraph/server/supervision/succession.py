"""Generations: starts one for each published snapshot, lets it take over when it is ready, lets the last one leave.

Owns which is current, and sees that each has evaluators enough. Knows nothing of connections.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final

from culturegraph.errors import CulturegraphError
from culturegraph.server import connections as wire
from culturegraph.server.board import FIRST_EVALUATOR, SLOTS
from culturegraph.server.supervision.generation import Child, Generation, start_generation
from culturegraph.server.supervision.poll import Poll
from culturegraph.server.zygote import Means
from culturegraph.store.snapshot import count_quads, find_published, read_current_manifest

# Quads that load into memory within a second or so; more are served from disk meanwhile.
_AT_ONCE: Final = 200_000


class Succession:
    """The generations of a server."""

    def __init__(
        self, means: Means, poll: Poll, on_child: Callable[[Child], None], on_first: Callable[[], None]
    ) -> None:
        """`on_child` is told of each child that is born, `on_first` when the first generation takes over."""
        self._means, self._settings, self._poll = means, means.settings, poll
        self._on_child, self._on_first = on_child, on_first
        self.generations: list[Generation] = []
        self.current: Generation | None = None
        self._next: Generation | None = None
        # What was published and cannot be served.
        self._refused = ""
        # Why there is nothing to serve.
        self.failure: str | None = None
        self._is_ending = False
        # How many evaluators can run at a time.
        self.cores: Final = len(os.sched_getaffinity(0))

    @property
    def evaluators(self) -> dict[int, Child]:
        """The evaluators of all generations by their slot."""
        return {slot: child for each in self.generations for slot, child in each.children.items()}

    def start_next(self) -> None:
        """Start a generation for the published snapshot: from disk where loading would keep clients waiting."""
        try:
            quads = count_quads(read_current_manifest(self._settings.store))
        except CulturegraphError as error:
            self._fail(str(error))
            return
        limit = self._settings.memory_quads
        in_memory = quads <= (min(_AT_ONCE, limit) if self.current is None else limit)
        generation = start_generation(self._means, in_memory=in_memory)
        generation.may_move_to_memory = not in_memory and quads <= limit
        self.generations.append(generation)
        self._next = generation
        self._poll.watch(generation.zygote.fileno(), lambda _: self._hear(generation))

    def look_for_snapshot(self) -> None:
        """Start a generation where another snapshot has been published."""
        if self._next is not None or self.current is None or self._is_ending:
            return
        published = find_published(self._settings.store)
        if published and published not in (self.current.identity, self._refused):
            self.start_next()

    def switch(self) -> None:
        """Let the next generation take over where it is ready."""
        following, before = self._next, self.current
        if following is None or self._is_ending or not following.is_ready:
            return
        self.current, self._next = following, None
        if before is not None:
            self._retire(before)
        else:
            self._on_first()
        if following.may_move_to_memory:
            self.start_next()

    def fill(self, generation: Generation) -> None:
        """See that enough evaluators are there, and as many free ones as can run at a time."""
        if generation.is_retired or not generation.is_loaded:
            return
        children, expected, settings = generation.children.values(), len(generation.expected), self._settings
        staying = sum(not child.is_slow for child in children) + expected
        free = sum(not child.is_busy for child in children) + expected
        room = settings.workers + settings.long_queries - len(children) - expected
        wanted = min(max(settings.workers - staying, self.cores - free), room)
        taken = {slot for each in self.generations for slot in (*each.children, *each.expected)}
        slots = (slot for slot in range(FIRST_EVALUATOR, SLOTS) if slot not in taken)
        for slot, _ in zip(slots, range(wanted), strict=False):
            generation.fork(wire.EVALUATOR, slot)

    def replace(self, dead: Child) -> None:
        """Let go of a child that has ended, and see that another comes where it is needed."""
        generation = dead.generation
        generation.remove(dead)
        if not dead.is_pages:
            self.fill(generation)
        elif generation.is_leaving:
            if not generation.pages:
                self._retire(generation)
        elif not generation.is_retired:
            generation.fork(wire.PAGES_PROCESS, dead.slot)
        self._dismiss(generation)

    def end(self) -> None:
        """Start no other generation; let all but the current one leave when they have answered."""
        self._is_ending = True
        for generation in list(self.generations):
            if generation is self.current:
                continue
            self._retire(generation)
            if not generation.is_loaded:
                # It hears nothing while it loads, and nobody waits for it any more.
                os.kill(generation.process, signal.SIGKILL)

    def leave(self) -> None:
        """Let the current generation leave when its pages have answered, which may ask its evaluators until then."""
        if self.current is not None and not self.current.is_leaving:
            self.current.leave()

    def close(self) -> None:
        """Let go of all that are left, at once."""
        for generation in self.generations:
            generation.close()

    def _hear(self, generation: Generation) -> None:
        kind, text, child = generation.receive()
        if child is not None:
            self._on_child(child)
        elif kind == wire.READY:
            generation.is_loaded, generation.identity = True, text
            self.fill(generation)
            for slot in range(generation.wanted_pages):
                generation.fork(wire.PAGES_PROCESS, slot)
        elif kind == wire.FAILED:
            self._refused = find_published(self._settings.store)
            self._fail(text)
        elif not kind:
            self._lose(generation)

    def _fail(self, reason: str) -> None:
        if self.current is None:
            self.failure = reason
        else:
            sys.stderr.write(f"the published snapshot is not served: {reason}\n")

    def _retire(self, generation: Generation) -> None:
        generation.retire()
        self._dismiss(generation)

    def _dismiss(self, generation: Generation) -> None:
        """Let a retired generation's pages leave when its evaluators have left, then its zygote."""
        if generation in self.generations and generation.is_retired and generation.is_empty:
            for child in generation.pages.values():
                child.dismiss()
            if not generation.pages:
                generation.zygote.shutdown(socket.SHUT_WR)

    def _lose(self, generation: Generation) -> None:
        """Let go of a generation whose zygote has ended; start another where it was needed."""
        self._poll.forget(generation.zygote.fileno())
        generation.close()
        generation.is_retired = True
        self.generations.remove(generation)
        os.waitpid(generation.process, 0)
        for child in [*generation.children.values(), *generation.pages.values()]:
            child.kill("broken_off", "the server restarts; try again")
        if generation is self._next:
            self._next = None
        if generation is self.current and self._next is None and not self._is_ending:
            self.start_next()
