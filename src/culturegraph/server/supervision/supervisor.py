"""The supervisor's loop: lets all be heard that has come, looks after everything every 20 ms, ends when it is told."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from math import inf
from typing import Final

from culturegraph.errors import StorageError
from culturegraph.server.board import now
from culturegraph.server.confinement import allow_deep_stacks
from culturegraph.server.limits import DRAIN
from culturegraph.server.supervision.clients import Clients
from culturegraph.server.supervision.custody import Custody
from culturegraph.server.supervision.generation import Child
from culturegraph.server.supervision.poll import Poll
from culturegraph.server.supervision.succession import Succession
from culturegraph.server.supervision.watch import Watch
from culturegraph.server.zygote import Means

_TICK: Final = 0.02
_LOOK_FOR_SNAPSHOTS: Final = 1.0


class Supervisor:
    """One running server."""

    def __init__(self, means: Means, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        self._board, self._on_ready = means.board, on_ready
        self._poll = Poll()
        self._clients = Clients(means.settings, listener, self._poll)
        self._succession = Succession(means, self._poll, self._welcome, self._open)
        self._custody = Custody(means, self._poll, self._clients, self._succession)
        self._watch = Watch(means, self._clients, self._succession, self._custody)
        self._stops_at = inf
        self._next_tick = self._next_look = 0.0

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises StorageError where there is no snapshot to begin with."""
        allow_deep_stacks()
        self._catch_signals()
        succession, custody = self._succession, self._custody
        succession.start_next()
        while succession.generations and succession.failure is None and now() < self._stops_at:
            is_busy = any(self._board.active())
            self._poll.wait(_TICK if is_busy else 5 * _TICK)
            custody.give_waiting()
            if (time := now()) >= self._next_tick:
                self._next_tick = time + _TICK
                self._look(time)
        succession.close()
        if succession.failure is not None:
            raise StorageError(succession.failure)
        if self._stops_at == inf:
            raise StorageError("the process that held the snapshot ended, and no other could take its place")

    def _welcome(self, child: Child) -> None:
        self._custody.welcome(child)

    def _open(self) -> None:
        self._clients.open()
        self._on_ready()

    def _look(self, time: float) -> None:
        self._watch.judge(time)
        self._clients.close_idle(time)
        if self._stops_at < inf and self._clients.is_quiet:
            self._succession.leave()
        if time >= self._next_look:
            self._next_look = time + _LOOK_FOR_SNAPSHOTS
            self._custody.gather(time)
            self._succession.look_for_snapshot()

    def _catch_signals(self) -> None:
        awake, wake = socket.socketpair()
        for end in (awake, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._wake = (awake, wake)
        self._poll.watch(awake.fileno(), lambda _: self._stop(awake.recv(16)))

    def _stop(self, _signals: bytes) -> None:
        """Take no more connections and let every query under way be answered; at once where told twice."""
        if self._stops_at < inf:
            self._stops_at = 0.0
            return
        self._stops_at = now() + DRAIN
        self._board.stopping[0] = 1
        self._clients.drain()
        self._custody.gather_all()
        self._succession.end()
