"""The supervisor: accepts connections, hands them to evaluators, watches, kills, answers for the dead, swaps snapshots.

It never waits for anything but its poll, and reads no byte of a client.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Final

from culturegraph.errors import CulturegraphError, LimitExceededError, StorageError
from culturegraph.protocols.problems import Problem
from culturegraph.server import connections as wire
from culturegraph.server.board import (
    EVALUATING,
    FIRST_EVALUATOR,
    KINDS,
    OUTCOMES,
    SLOTS,
    SUPERVISOR,
    now,
)
from culturegraph.server.confinement import allow_deep_stacks, look_at, total_memory
from culturegraph.server.endpoint import make_problem
from culturegraph.server.generation import Child, Generation, start_generation
from culturegraph.server.zygote import Means
from culturegraph.store.snapshot import count_quads, find_published, read_current_manifest

_TICK: Final = 0.02
# Seconds under way after which a query counts as long.
_LONG: Final = 0.5
# Seconds of processor time after which a query runs with lower priority; its evaluator then ends when it has answered.
_SLOW: Final = 0.25
_NICE: Final = 19
# Seconds under way from which a client that has left is worth a kill: what is faster ends sooner by itself.
_ABANDONED: Final = 0.1
# Quads that load into memory within a second or so; more are served from disk meanwhile.
_AT_ONCE: Final = 200_000
_LOOK_FOR_SNAPSHOTS: Final = 1.0
# Seconds in which nothing took long after which the reserve is no longer needed.
_CALM: Final = 2.0
# Seconds for which a closed connection stays to let the client read what it was sent.
_LINGER: Final = 2.0
_DRAIN: Final = 10.0
_RESET: Final = struct.pack("ii", 1, 0)
_READ, _GONE = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLONESHOT, select.EPOLLRDHUP | select.EPOLLONESHOT


@dataclass(slots=True)
class _Client:
    """A duplicate of a client's connection."""

    number: int
    socket: socket.socket
    address: str
    is_out: bool = False  # Waits for an evaluator, or is with one.
    holder: Child | None = None
    is_gone: bool = False
    ends: float = inf  # When it is closed at the latest.


class Supervisor:
    """One running server."""

    def __init__(self, means: Means, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        self._means, self._settings, self._board = means, means.settings, means.board
        self._listener, self._on_ready = listener, on_ready
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._clients: dict[int, _Client] = {}
        self._numbers = 0
        self._waiting: deque[_Client] = deque()
        self._generations: list[Generation] = []
        self._current: Generation | None = None
        self._next: Generation | None = None
        self._refused_identity = ""
        self._stops_at = inf
        self._is_stopping = False
        self._next_tick = self._next_look = self._last_busy = 0.0
        self._cores = len(os.sched_getaffinity(0))
        self._failure: str | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises StorageError where there is no snapshot to begin with."""
        allow_deep_stacks()
        self._listener.setblocking(False)
        self._catch_signals()
        self._start_next()
        while self._generations and now() < self._stops_at:
            is_busy = any(self._board.active())
            for descriptor, events in self._poll.poll(_TICK if is_busy else 5 * _TICK):
                if (handler := self._handlers.get(descriptor)) is not None:
                    handler(events)
            self._send_waiting()
            if now() >= self._next_tick:
                self._next_tick = now() + _TICK
                self._tick()
        for generation in self._generations:
            generation.close()
        if self._failure is not None:
            raise StorageError(self._failure)

    def _watch(self, descriptor: int, events: int, handler: Callable[[int], None]) -> None:
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, events)

    def _forget(self, descriptor: int) -> None:
        if self._handlers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    # Stopping

    def _catch_signals(self) -> None:
        awake, wake = socket.socketpair()
        for end in (awake, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._wake = (awake, wake)
        self._watch(awake.fileno(), select.EPOLLIN, lambda _: self._stop(awake.recv(16)))

    def _stop(self, _signals: bytes) -> None:
        """Take no more connections and let every query under way be answered; at once where told twice."""
        if self._is_stopping:
            self._stops_at = 0.0
            return
        self._is_stopping, self._stops_at = True, now() + _DRAIN
        self._forget(self._listener.fileno())
        self._listener.close()
        for client in [client for client in self._clients.values() if not client.is_out]:
            self._close(client)
        for generation in list(self._generations):
            generation.retire()
            self._dismiss(generation)

    # Clients

    def _accept(self, _events: int) -> None:
        for _ in range(64):
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            self._add(connection, address[0], now() + self._settings.read_timeout)

    def _add(self, connection: socket.socket, address: str, ends: float) -> None:
        connection.setblocking(False)
        self._numbers += 1
        client = _Client(self._numbers, connection, address, ends=ends)
        self._clients[client.number] = client
        self._watch(connection.fileno(), _READ, lambda events: self._hear_client(client, events))

    def _hear_client(self, client: _Client, events: int) -> None:
        if client.is_out:
            client.is_gone = True
        elif events & select.EPOLLIN and not self._has_left(client, events):
            client.is_out = True
            self._poll.modify(client.socket, _GONE)
            self._waiting.append(client)
        else:
            self._close(client)

    @staticmethod
    def _has_left(client: _Client, events: int) -> bool:
        """Say whether a client has closed its connection and left nothing to read."""
        if not events & (select.EPOLLRDHUP | select.EPOLLHUP):
            return False
        try:
            return not client.socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _send_waiting(self) -> None:
        while self._waiting and (child := self._choose()) is not None:
            client = self._waiting[0]
            try:
                wire.give(child.control, client.number, client.address, client.socket.fileno())
            except OSError:
                return  # It has died, or is stuck: the next look tells.
            self._waiting.popleft()
            client.holder = child
            child.connections.add(client.number)

    def _choose(self) -> Child | None:
        """Return the evaluator that holds the fewest connections, of as many free ones as can run at a time.

        Others stay in reserve: the fewer take turns, the more of what they need is in the processor's caches.
        """
        if self._current is None or self._current.is_retired:
            return None
        state = self._board.state
        first = self._free()[: self._cores]
        return min(first, key=lambda child: (state[child.slot] >= EVALUATING, len(child.connections)), default=None)

    def _free(self) -> list[Child]:
        children = self._current.children if self._current is not None else {}
        return [children[slot] for slot in sorted(children) if not (children[slot].is_busy or children[slot].verdict)]

    def _close(self, client: _Client) -> None:
        del self._clients[client.number]
        self._forget(client.socket.fileno())
        client.socket.close()

    def _take_back(self, client: _Client, *, is_ending: bool) -> None:
        """Hold a connection that no process has in hands; close it soon where its last answer is out."""
        client.is_out = False
        if client.is_gone or (self._is_stopping and not is_ending):
            self._close(client)
            return
        client.ends = now() + (_LINGER if is_ending else self._settings.keep_alive)
        self._poll.modify(client.socket, _GONE if is_ending else _READ)

    # Children

    def _hear_child(self, child: Child, _events: int) -> None:
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
            client = self._clients.get(number)
            if kind == wire.OFFERED and descriptors:
                self._add_offered(message[9:].decode(), descriptors[0])
            elif kind == wire.READY:
                child.is_ready = True
                self._switch()
            elif kind == wire.SETTLING:
                child.is_busy = child.is_long = False
                with suppress(OSError):
                    child.control.send(wire.pack_note(wire.SETTLED, 0))
            elif client is not None and client.holder is child:
                self._release(client)
                if kind == wire.HANDED_OVER:
                    self._close(client)
                else:
                    self._take_back(client, is_ending=kind == wire.CLOSED)

    @staticmethod
    def _release(client: _Client) -> None:
        if client.holder is not None:
            client.holder.connections.discard(client.number)
            client.holder = None

    def _add_offered(self, address: str, descriptor: int) -> None:
        family = socket.AF_UNIX if not address else socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM, 0, fileno=descriptor)
        if self._is_stopping and address:
            connection.close()
        else:
            self._add(connection, address, now() + self._settings.keep_alive)

    def _bury(self, child: Child) -> None:
        """Let go of a child that has ended; answer its client where it was at something; see that another comes."""
        generation, board, slot = child.generation, self._board, child.slot
        self._forget(child.control.fileno())
        if child.is_pages:
            del generation.pages[slot]
            child.close()
            if not generation.is_retired:
                generation.fork(wire.PAGES_PROCESS, slot)
        else:
            del generation.children[slot]
            client = self._clients.get(board.connection[slot])
            if client is not None and client.holder is child:
                self._release(client)
                self._answer_for(child, client)
            self._take_others(child)
            board.clear(slot)
            child.close()
            self._fill(generation)
        self._dismiss(generation)

    def _answer_for(self, child: Child, client: _Client) -> None:
        board, slot = self._board, child.slot
        seconds = now() - board.started[slot]
        note = board.read_note(slot)
        outcome, reason = child.verdict or (
            "broken_off",
            "the evaluation ended unexpectedly: the query needs too much memory or shows a fault of the engine",
        )
        state = board.state[slot]
        client.is_out = False
        if state == EVALUATING and not client.is_gone:
            problem = Problem.of(LimitExceededError(reason))
            tail = b"connection: close\r\nx-request-id: %s\r\n" % note.request_id
            with suppress(OSError):
                client.socket.send(make_problem(problem, as_json=note.wants_problem, tail=tail))
                client.socket.shutdown(socket.SHUT_WR)
            self._take_back(client, is_ending=True)
        else:
            # Part of the answer is out: the client must see that it is not whole.
            with suppress(OSError):
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._close(client)
        if state >= EVALUATING:
            board.count(SUPERVISOR, KINDS.index("unknown"), OUTCOMES.index(outcome), seconds)
            if self._means.journal.wants(seconds):
                self._means.journal.write(
                    request_id=note.request_id.decode(),
                    client=note.client,
                    outcome=outcome,
                    status=503 if state == EVALUATING else 499,
                    seconds=seconds,
                    size=0,
                    query=note.query,
                )

    def _fill(self, generation: Generation) -> None:
        """See that enough evaluators are there, and as many free ones as can run at a time."""
        if generation.is_retired or not generation.is_loaded:
            return
        children, expected, settings = generation.children.values(), len(generation.expected), self._settings
        staying = sum(not child.is_slow for child in children) + expected
        free = sum(not child.is_busy for child in children) + expected
        room = settings.workers + settings.long_queries - len(children) - expected
        wanted = min(max(settings.workers - staying, self._cores - free), room)
        taken = {slot for each in self._generations for slot in (*each.children, *each.expected)}
        slots = (slot for slot in range(FIRST_EVALUATOR, SLOTS) if slot not in taken)
        for slot, _ in zip(slots, range(wanted), strict=False):
            generation.fork(wire.EVALUATOR, slot)

    # Generations

    def _start_next(self) -> None:
        """Start a generation for the published snapshot: from disk where loading would keep clients waiting."""
        try:
            quads = count_quads(read_current_manifest(self._settings.store))
        except CulturegraphError as error:
            self._fail(str(error))
            return
        is_first = self._current is None
        in_memory = quads <= (min(_AT_ONCE, self._settings.memory_quads) if is_first else self._settings.memory_quads)
        generation = start_generation(self._means, in_memory=in_memory)
        generation.may_move_to_memory = not in_memory and quads <= self._settings.memory_quads
        self._generations.append(generation)
        self._next = generation
        self._watch(generation.zygote.fileno(), select.EPOLLIN, lambda _: self._hear_zygote(generation))

    def _hear_zygote(self, generation: Generation) -> None:
        kind, text, child = generation.receive()
        if child is not None:
            self._watch(child.control.fileno(), select.EPOLLIN, lambda events: self._hear_child(child, events))
        elif kind == wire.READY:
            generation.is_loaded, generation.identity = True, text
            self._fill(generation)
            for slot in range(generation.wanted_pages):
                generation.fork(wire.PAGES_PROCESS, slot)
        elif kind == wire.FAILED:
            self._refused_identity = find_published(self._settings.store)
            self._fail(text)
        elif not kind:
            self._lose(generation)

    def _fail(self, reason: str) -> None:
        if self._current is None:
            self._failure = reason
            self._stops_at = 0.0
        else:
            sys.stderr.write(f"the published snapshot is not served: {reason}\n")

    def _lose(self, generation: Generation) -> None:
        """Let go of a generation whose zygote has ended; start another where it was needed."""
        self._forget(generation.zygote.fileno())
        generation.close()
        generation.is_retired = True
        self._generations.remove(generation)
        os.waitpid(generation.process, 0)
        for child in [*generation.children.values(), *generation.pages.values()]:
            child.kill("broken_off", "the server restarts; try again")
        if generation is self._next:
            self._next = None
        if generation is self._current and not self._is_stopping and self._next is None:
            self._start_next()

    def _switch(self) -> None:
        """Let the next generation take over where it is ready."""
        following, before = self._next, self._current
        if following is None or not following.is_ready:
            return
        self._current, self._next = following, None
        if before is not None:
            before.retire()
            self._dismiss(before)
        else:
            self._watch(self._listener.fileno(), select.EPOLLIN, self._accept)
            self._on_ready()
        if following.may_move_to_memory:
            self._start_next()

    def _dismiss(self, generation: Generation) -> None:
        """Let a retired generation's pages leave when its evaluators have left, then its zygote."""
        if generation in self._generations and generation.is_retired and generation.is_empty:
            for child in generation.pages.values():
                child.control.shutdown(socket.SHUT_WR)
            if not generation.pages:
                generation.zygote.shutdown(socket.SHUT_WR)

    # Watching

    def _tick(self) -> None:
        time = now()
        self._judge(time)
        for client in [client for client in self._clients.values() if not client.is_out and client.ends < time]:
            self._close(client)
        if time >= self._next_look and time - self._last_busy > _CALM:
            self._gather()
        if time >= self._next_look:
            self._next_look = time + _LOOK_FOR_SNAPSHOTS
            self._look_for_snapshot()

    def _judge(self, time: float) -> None:
        """Kill what is over a limit or is nobody's any more; let what takes long be replaced."""
        board, settings = self._board, self._settings
        children = {slot: child for each in self._generations for slot, child in each.children.items()}
        used: dict[int, int] = {}
        for slot in board.active():
            child = children.get(slot)
            if child is None or child.verdict is not None:
                continue
            elapsed = time - board.started[slot]
            if time >= board.deadline[slot]:
                child.kill("time_limit", f"a query may take {settings.query_timeout:g} seconds")
            elif elapsed > _ABANDONED and self._is_abandoned(slot):
                child.kill("broken_off", "the client has left")
            elif elapsed > wire.BUSY_LONG:
                self._relieve(child)
                if not child.is_busy:
                    continue
                use = look_at(child.process)
                used[slot] = use.memory - child.memory
                if used[slot] > settings.memory_limit:
                    child.kill("memory_limit", f"a query may use {settings.memory_limit:,} bytes of memory")
                else:
                    self._slow_down(child, elapsed, use.processor - child.processor)
        if used and sum(used.values()) > total_memory() // 2:
            worst = children[max(used, key=lambda slot: used[slot])]
            worst.kill("memory_limit", "the queries under way use too much memory together; try again later")

    def _relieve(self, child: Child) -> None:
        """Give the other connections of a busy evaluator to others: it has read nothing of them."""
        board, slot = self._board, child.slot
        # What it said before it became busy comes first.
        started = board.started[slot]
        if child.is_busy or now() - started <= wire.BUSY_LONG:
            return
        self._hear_child(child, 0)
        if slot not in child.generation.children or board.state[slot] < EVALUATING or board.started[slot] != started:
            return  # It has died, or is at something else.
        child.is_busy, child.processor = True, look_at(child.process).processor
        self._last_busy = now()
        self._take_others(child, but=board.connection[slot])
        self._fill(child.generation)

    def _take_others(self, child: Child, *, but: int = 0) -> None:
        """Let others answer what an evaluator holds, but for the one connection that it is at."""
        for number in sorted(child.connections - {but}):
            client = self._clients[number]
            self._release(client)
            with suppress(OSError):
                child.control.send(wire.pack_note(wire.TAKEN, number))
            self._waiting.append(client)

    def _gather(self) -> None:
        """Let those in reserve give back what they took over in busy times; let those beyond the reserve leave."""
        free = self._free()
        for child in free[self._settings.workers :]:
            child.dismiss()
        for child in free[self._cores : self._settings.workers]:
            if child.connections:
                with suppress(OSError):
                    child.control.send(wire.pack_note(wire.ALL, 0))

    def _is_abandoned(self, slot: int) -> bool:
        client = self._clients.get(self._board.connection[slot])
        return client is not None and client.is_gone

    def _slow_down(self, child: Child, elapsed: float, processor: float) -> None:
        """Let others go before what takes long. A lower priority is for good, so the evaluator ends when it can."""
        others = child.generation.children.values()
        if elapsed > _LONG and not child.is_long:
            child.is_long = True
            limit = self._settings.long_queries
            if sum(each.is_long for each in others) > limit:
                child.kill("time_limit", f"{limit} queries already run longer than {_LONG} seconds; try again later")
        # What is alone is in nobody's way, and an evaluator that stays need not copy again what it has copied.
        is_crowded = sum(each.is_busy for each in others) >= self._cores
        if is_crowded and processor > _SLOW and not child.is_slow:
            child.is_slow = True
            self._board.retiring[child.slot] = 1
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child.process, _NICE)
            self._fill(child.generation)

    def _look_for_snapshot(self) -> None:
        if self._next is not None or self._current is None or self._is_stopping:
            return
        published = find_published(self._settings.store)
        if published and published not in (self._current.identity, self._refused_identity):
            self._start_next()
