"""The zygote of a generation: holds one snapshot, forks evaluators and pages from itself on command. No threads.

supervisor → zygote   e, slot    fork an evaluator        P, slot   fork a pages process  end: leave, last of all
zygote → supervisor   r          the snapshot is loaded   f, text   it cannot be
child → supervisor    b          born: its control socket and a descriptor of the process
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from culturegraph.errors import CulturegraphError
from culturegraph.server import confinement
from culturegraph.server.board import Board
from culturegraph.server.cache import AnswerCache
from culturegraph.server.connections import BORN, EVALUATOR, FAILED, PAGES_PROCESS, READY, announce_birth
from culturegraph.server.endpoint import Endpoint, Shared
from culturegraph.server.evaluator import Evaluator, ReservedEvaluator
from culturegraph.server.journal import Journal
from culturegraph.server.limits import ClientLimits
from culturegraph.settings import Settings
from culturegraph.store.snapshot import Held, Snapshot, hold_current

# New objects after which cycles are sought.
_COLLECT_AFTER: Final = 50_000
# Runs the pages in this process until the control socket ends: snapshot, control, socket of handed-over connections.
PagesProcess = Callable[[Snapshot, socket.socket, socket.socket, Board], None]


@dataclass(frozen=True)
class Means:
    """What the supervisor made before it forked: shared by all generations."""

    settings: Settings
    board: Board
    limits: ClientLimits
    journal: Journal
    # Loads what the pages processes of a generation share, before the first is forked.
    load_pages: Callable[[], PagesProcess]


class Zygote:
    """One zygote process."""

    def __init__(
        self, means: Means, control: socket.socket, pages: Sequence[tuple[socket.socket, socket.socket]]
    ) -> None:
        """`pages`: of each pages process, where evaluators hand over, and where it takes what they hand over."""
        self._means, self._control = means, control
        self._to_pages, self._from_evaluators = zip(*pages, strict=True)
        self._run_pages: PagesProcess | None = None
        self._held: Held
        self._snapshot: Snapshot | None = None
        self._cache = AnswerCache(means.settings.cache_size)

    def run(self, *, in_memory: bool) -> None:
        """Load, then fork on command until the supervisor closes the control socket."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # The terminal and service managers signal all processes; the supervisor tells when to leave.
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        confinement.die_with_parent()
        try:
            self._held = hold_current(self._means.settings.store)
            if in_memory:
                self._snapshot = self._held.load(in_memory=True)
        except CulturegraphError as error:
            self._control.send(FAILED + str(error).encode())
            return
        _freeze()
        identity = self._held.identity.encode()
        self._control.send(READY + identity)
        while message := self._control.recv(64):
            self._fork(message[:1], int(message[1:]))
        # The kernel kills children whose parent dies: stay until they have left.
        while True:
            try:
                os.wait()
            except ChildProcessError:
                return

    def _fork(self, kind: bytes, slot: int) -> None:
        if kind == PAGES_PROCESS and self._run_pages is None:
            self._run_pages = self._means.load_pages()
            _freeze()
        try:
            process = os.fork()
        except OSError as error:
            self._control.send(BORN + b"!" + str(error).encode())
            return
        if process:
            return
        status = 1
        try:
            confinement.die_with_parent()
            if kind == EVALUATOR:
                self._become_evaluator(slot)
            elif kind == PAGES_PROCESS:
                self._become_pages(slot)
            status = 0
        except Exception:
            # The outermost boundary of a process: what is wrong with it must be read somewhere.
            traceback.print_exc()
        finally:
            os._exit(status)

    def _become_evaluator(self, slot: int) -> None:
        settings, means = self._means.settings, self._means
        snapshot = self._open()
        confinement.limit_memory(settings.memory_limit)
        if not settings.service_endpoints:
            confinement.forbid_connections()
        control = announce_birth(self._control, EVALUATOR, slot)
        self._control.close()
        for end in self._from_evaluators:
            end.close()
        shared = Shared(means.board, settings, means.limits, self._cache, means.journal, self._held.key)
        endpoint = Endpoint(shared, snapshot, slot)
        evaluator = Evaluator if settings.tokens is None else ReservedEvaluator
        evaluator(endpoint, means.board, slot, control, self._to_pages).run()

    def _become_pages(self, slot: int) -> None:
        snapshot = self._open()
        control = announce_birth(self._control, PAGES_PROCESS, slot)
        self._control.close()
        incoming = self._from_evaluators[slot]
        for end in (*self._to_pages, *self._from_evaluators):
            if end is not incoming:
                end.close()
        if self._run_pages is not None:
            self._run_pages(snapshot, control, incoming, self._means.board)

    def _open(self) -> Snapshot:
        # On disk every process opens the store itself: its engine runs threads, which a fork would lose.
        return self._snapshot or self._held.load(in_memory=False)


def _freeze() -> None:
    """Let what is there now never be collected: looking at it would copy the pages of memory that children share.

    What children make is looked at seldom: answers and pages leave hardly any cycles.
    """
    gc.set_threshold(_COLLECT_AFTER)
    gc.collect()
    gc.freeze()
