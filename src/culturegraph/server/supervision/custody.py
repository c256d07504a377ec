"""Which evaluator holds which connections: gives, hears what has become of them, takes back from the busy and the dead.

The fewer evaluators take turns, the more of what they need is in the processor's caches: as many as can run at a time
hold all connections, the others are a reserve.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

from culturegraph.server import connections as wire
from culturegraph.server.board import EVALUATING, now
from culturegraph.server.confinement import look_at
from culturegraph.server.supervision.clients import Client, Clients
from culturegraph.server.supervision.generation import Child
from culturegraph.server.supervision.obituary import answer_for
from culturegraph.server.supervision.poll import Poll
from culturegraph.server.supervision.succession import Succession
from culturegraph.server.zygote import Means

# Seconds in which nothing took long after which the reserve is no longer needed.
_CALM: Final = 2.0


class Custody:
    """Gives connections to evaluators and takes them back."""

    def __init__(self, means: Means, poll: Poll, clients: Clients, succession: Succession) -> None:
        self._means, self._board, self._poll = means, means.board, poll
        self._clients, self._succession = clients, succession
        self._last_busy = 0.0

    def welcome(self, child: Child) -> None:
        """Hear a child that is born from now on."""
        self._poll.watch(child.control.fileno(), lambda _: self.hear(child))

    def give_waiting(self) -> None:
        """Give those who wait to evaluators, as long as there is one."""
        while self._clients.waiting and (child := self._choose()) is not None:
            try:
                self._clients.give_next(child)
            except OSError:
                return  # It has died, or is stuck: the next look tells.

    def hear(self, child: Child) -> None:
        """Take in all messages of a child that have come; bury it where they have ended."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(child.control, 256, 1)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if not message:
                self._bury(child)
                return
            kind, number = wire.unpack_note(message)
            client = self._clients.find(number)
            if kind == wire.OFFERED and descriptors:
                self._clients.take_offered(*wire.unpack_connection(message, descriptors[0]))
            elif kind == wire.READY:
                child.is_ready = True
                self._succession.switch()
            elif kind == wire.SETTLING:
                child.is_busy = child.is_long = False
                with suppress(OSError):
                    child.control.send(wire.pack_note(wire.SETTLED, 0))
            elif client is not None and client.holder is child:
                self._take_back(client, kind)

    def relieve(self, child: Child) -> None:
        """Give the other connections of a busy evaluator to others: it has read nothing of them."""
        board, slot = self._board, child.slot
        # What it said before it became busy comes first.
        started = board.started[slot]
        if child.is_busy or now() - started <= wire.BUSY_LONG:
            return
        self.hear(child)
        if slot not in child.generation.children or board.state[slot] < EVALUATING or board.started[slot] != started:
            return  # It has died, or is at something else.
        child.is_busy, child.processor = True, look_at(child.process).processor
        self._last_busy = now()
        self._take_others(child, but=board.connection[slot])
        self._succession.fill(child.generation)

    def gather(self, time: float) -> None:
        """In calm times let the reserve give back what it took over in busy ones, and let those beyond it leave."""
        if time - self._last_busy <= _CALM or self._succession.current is None:
            return
        free, workers = self._succession.current.free, self._means.settings.workers
        for child in free[workers:]:
            child.dismiss()
        for child in free[self._succession.cores : workers]:
            if child.connections:
                with suppress(OSError):
                    child.control.send(wire.pack_note(wire.ALL, 0))

    def gather_all(self) -> None:
        """Let every evaluator give back what has asked nothing."""
        for child in self._succession.evaluators.values():
            with suppress(OSError):
                child.control.send(wire.pack_note(wire.ALL, 0))

    def _choose(self) -> Child | None:
        """Return the evaluator that holds the fewest connections, of as many free ones as can run at a time."""
        current = self._succession.current
        if current is None or current.is_retired:
            return None
        state = self._board.state
        first = current.free[: self._succession.cores]
        return min(first, key=lambda child: (state[child.slot] >= EVALUATING, len(child.connections)), default=None)

    def _take_back(self, client: Client, outcome: bytes) -> None:
        client.release()
        if outcome == wire.HANDED_OVER:
            self._clients.close(client)
        else:
            self._clients.take_back(client, is_ending=outcome == wire.CLOSED)

    def _take_others(self, child: Child, *, but: int = 0) -> None:
        """Let others answer what an evaluator holds, but for the one connection that it is at."""
        for number in sorted(child.connections - {but}):
            client = self._clients.find(number)
            assert client is not None, "nobody closes what an evaluator holds"
            client.release()
            with suppress(OSError):
                child.control.send(wire.pack_note(wire.TAKEN, number))
            self._clients.waiting.append(client)

    def _bury(self, child: Child) -> None:
        """Let go of a child that has ended; answer its client where it was at something; see that another comes."""
        self._poll.forget(child.control.fileno())
        if not child.is_pages:
            self._inherit(child)
            self._board.clear(child.slot)
        child.close()
        self._succession.replace(child)

    def _inherit(self, dead: Child) -> None:
        client = self._clients.find(self._board.connection[dead.slot])
        if client is not None and client.holder is dead:
            client.release()
            if answer_for(dead, client, self._means):
                self._clients.take_back(client, is_ending=True)
            else:
                self._clients.close(client)
        self._take_others(dead)
