"""An evaluator: holds connections, answers their requests to /sparql one by one, and lets go of what is not for it.

One thread, one request at a time; whatever happens in here ends with this process at worst. Of the connections that it
holds it has read only what it is answering: all others can be taken away from it at any moment that it is busy.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from culturegraph.server import connections as wire
from culturegraph.server.board import IDLE, Board, now
from culturegraph.server.connections import CLOSED, HANDED_OVER, PARKED, Connection
from culturegraph.server.endpoint import Endpoint
from culturegraph.server.output import ClientGoneError
from culturegraph.server.request import MAX_OWN_REQUEST, MAX_REQUEST, ForeignRequestError, read_request

# Seconds that the rest of a request may take to come before the pages wait for it instead.
_GRACE: Final = 0.01
# Seconds after which a client that asks nothing goes back to the supervisor.
_STAY: Final = 1.0
# Seconds that handing over may take; the pages are stuck where it takes longer.
_PATIENCE: Final = 2.0


class Evaluator:
    """The loop of one evaluator process."""

    def __init__(
        self, endpoint: Endpoint, board: Board, slot: int, control: socket.socket, pages: Sequence[socket.socket]
    ) -> None:
        self._endpoint, self._board, self._slot = endpoint, board, slot
        self._control, self._pages = control, pages
        for each in pages:
            each.settimeout(_PATIENCE)
        self._held: dict[int, Connection] = {}
        # What has come of a request that is not whole yet.
        self._received = b""
        self._is_leaving = False
        self._poll = select.epoll()
        self._poll.register(control, select.EPOLLIN)

    def run(self) -> None:
        """Serve until the supervisor closes the control socket or lets this evaluator retire."""
        board, slot, control, held_by = self._board, self._slot, self._control.fileno(), self._held
        board.state[slot] = IDLE
        next_look = now() + _STAY
        while not (self._is_leaving or board.retiring[slot]):
            for descriptor, _ in self._poll.poll(_STAY if held_by else None):
                if descriptor == control:
                    self._hear()
                elif (held := held_by.get(descriptor)) is not None:
                    self._serve(held)
                if self._is_leaving or board.retiring[slot]:
                    break
            if (time := now()) > next_look:
                next_look = time + _STAY
                self._release_all(used_before=time - _STAY)
        self._release_all()
        board.clear(slot)

    def _hear(self) -> bytes:
        """Take in one message of the supervisor's and return its kind; nothing at the end."""
        kind, number, connection = wire.receive(self._control)
        if connection is not None:
            self._held[connection.socket.fileno()] = connection
            self._poll.register(connection.socket, select.EPOLLIN)
        elif kind == wire.TAKEN:
            for held in [held for held in self._held.values() if held.number == number]:
                self._drop(held)
        elif kind == wire.ALL:
            self._release_all()
        elif not kind:
            self._is_leaving = True
        return kind

    def _settle(self) -> None:
        """Hear what has become of the other connections while this evaluator was busy, before touching any of them."""
        self._control.send(wire.pack_note(wire.SETTLING, 0))
        while self._hear() not in (wire.SETTLED, b""):
            pass

    def _drop(self, held: Connection) -> None:
        del self._held[held.socket.fileno()]
        self._poll.unregister(held.socket)
        held.socket.close()

    def _release(self, held: Connection, outcome: bytes) -> None:
        """Let go of a connection and tell the supervisor what has become of it."""
        self._drop(held)
        # Where the supervisor is gone, so is the client.
        with suppress(OSError):
            self._control.send(wire.pack_note(outcome, held.number))

    def _release_all(self, *, used_before: float | None = None) -> None:
        for held in list(self._held.values()):
            if used_before is None or held.used < used_before:
                self._release(held, PARKED)

    def _serve(self, held: Connection) -> None:
        """Answer the requests that have come; leave the connection held, closed or handed over."""
        held.used = now()
        self._board.connection[self._slot] = held.number
        until = 0.0
        while True:
            try:
                data = held.socket.recv(MAX_REQUEST)
            except BlockingIOError:
                if not self._received:
                    break
                until = until or now() + (_PATIENCE if held.is_own else _GRACE)
                if not self._wait(held.socket, until - now()):
                    self._hand_over(held)
                    break
                continue
            except OSError:
                data = b""
            if not data:
                self._release(held, CLOSED)
                break
            if not self._answer_received(held, self._received + data) or not self._received:
                break
        self._received = b""
        self._board.connection[self._slot] = 0
        if now() - held.used > wire.BUSY:
            self._settle()

    def _answer_received(self, held: Connection, received: bytes) -> bool:
        """Answer what is whole, keep what is not; say whether the connection is still held."""
        try:
            while received and not self._endpoint.answer_known(received, held):
                read = read_request(received, MAX_OWN_REQUEST if held.is_own else MAX_REQUEST)
                if read is None:
                    self._received = received
                    return True
                request, length = read
                if not self._endpoint.answer(request, received[:length], held):
                    self._reset_or_close(held)
                    return False
                received = received[length:]
            self._received = b""
        except ForeignRequestError:
            self._received = received
            self._hand_over(held)
            return False
        except ClientGoneError:
            self._reset_or_close(held, is_broken=True)
            return False
        return True

    def _reset_or_close(self, held: Connection, *, is_broken: bool = False) -> None:
        """End a connection: after its last answer in order, else so that the client sees it break."""
        if is_broken:
            wire.break_off(held.socket)
        else:
            with suppress(OSError):  # The client was faster.
                held.socket.shutdown(socket.SHUT_WR)
        self._release(held, CLOSED)

    def _hand_over(self, held: Connection) -> None:
        """Give the connection and what has come of its request to the pages, unless it is theirs."""
        if held.is_own:
            self._reset_or_close(held)
            return
        try:
            # In turn: the pages processes then hold about as many clients each.
            pages = self._pages[held.number % len(self._pages)]
            socket.send_fds(pages, [self._received[: 2 * MAX_REQUEST]], [held.socket.fileno()])
        except OSError:
            self._reset_or_close(held)
            return
        self._release(held, HANDED_OVER)

    @staticmethod
    def _wait(connection: socket.socket, seconds: float) -> bool:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return seconds > 0 and bool(poll.poll(seconds * 1000))


class ReservedEvaluator(Evaluator):
    """An evaluator that answers nobody but our own pages: they know who may ask, and it does not."""

    def _answer_received(self, held: Connection, received: bytes) -> bool:
        if held.is_own:
            return super()._answer_received(held, received)
        self._received = received
        self._hand_over(held)
        return False
