"""An evaluator: takes a connection, answers its requests to /sparql one by one, waits for more, gives it back.

One thread, one connection at a time; whatever happens in here ends with this process at worst.
"""

from __future__ import annotations

import select
import socket
import struct
from typing import Final

from culturegraph.server.board import IDLE, Board, now
from culturegraph.server.connections import (
    CLOSED,
    HANDED_OVER,
    PARKED,
    Connection,
    pack_note,
    receive_connection,
)
from culturegraph.server.endpoint import Endpoint
from culturegraph.server.output import ClientGoneError
from culturegraph.server.request import MAX_OWN_REQUEST, MAX_REQUEST, ForeignRequestError, read_request

# Seconds that the rest of a request may take to come before the pages wait for it instead.
_GRACE: Final = 0.03
# A client keeps its evaluator for a turn (seconds) even if others wait, and for so long after an answer (milliseconds):
# changing at every request would take both through the supervisor each time.
_TURN, _STAY = 0.005, 1
# Seconds that handing over may take; the pages are stuck where it takes longer.
_PATIENCE: Final = 2.0
_RESET: Final = struct.pack("ii", 1, 0)


class Evaluator:
    """The loop of one evaluator process."""

    def __init__(
        self,
        endpoint: Endpoint,
        board: Board,
        slot: int,
        queue: socket.socket,
        control: socket.socket,
        pages: socket.socket,
    ) -> None:
        self._endpoint, self._board, self._slot = endpoint, board, slot
        self._queue, self._control = queue, control
        self._pages = pages
        pages.settimeout(_PATIENCE)
        self._held: Connection | None = None
        # What has come of a request that is not whole yet.
        self._received = b""
        queue.setblocking(False)
        self._own, self._turn_ends = select.poll(), 0.0
        self._poll = select.epoll()
        # One of the evaluators that wait wakes up, not all.
        self._poll.register(queue, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        self._poll.register(control, select.EPOLLIN)

    def run(self) -> None:
        """Serve until the supervisor closes the queue or the control socket, or lets this evaluator retire."""
        board, slot = self._board, self._slot
        board.state[slot] = IDLE
        while not board.retiring[slot]:
            if self._held is not None and now() < self._turn_ends and self._own.poll(_STAY):
                self._serve(self._held)
                continue
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._control.fileno() in ready:
                break
            # Who waits in the queue comes first: the client that is held has had its turn.
            if self._queue.fileno() in ready and not self._take():
                break
            if self._held is not None and self._held.socket.fileno() in ready:
                self._turn_ends = now() + _TURN
                self._serve(self._held)
        if self._held is not None:
            self._release(PARKED)
        board.clear(slot)

    def _take(self) -> bool:
        """Take a connection from the queue instead of the one that is held; False at the end of the queue."""
        try:
            connection = receive_connection(self._queue)
        except BlockingIOError:
            return True
        if connection is None:
            return False
        if self._held is not None:
            self._release(PARKED)
        self._held = connection
        self._board.connection[self._slot] = connection.number
        self._poll.register(connection.socket, select.EPOLLIN)
        self._own.register(connection.socket, select.POLLIN)
        self._turn_ends = now() + _TURN
        self._serve(connection)
        return True

    def _release(self, outcome: bytes) -> None:
        """Let go of the connection and tell the supervisor what has become of it."""
        held, self._held = self._held, None
        if held is None:
            return
        self._board.connection[self._slot] = 0
        self._poll.unregister(held.socket)
        self._own.unregister(held.socket)
        held.socket.close()
        self._received = b""
        self._control.send(pack_note(outcome, held.number))

    def _serve(self, held: Connection) -> None:
        """Answer the requests that have come; leave the connection held, parked, closed or handed over."""
        until = 0.0
        while True:
            try:
                data = held.socket.recv(MAX_REQUEST)
            except BlockingIOError:
                if not self._received:
                    return
                until = until or now() + (_PATIENCE if held.is_own else _GRACE)
                if not self._wait(held.socket, until - now()):
                    self._hand_over(held)
                    return
                continue
            except OSError:
                data = b""
            if not data:
                self._release(CLOSED)
                return
            if not self._answer_received(held, self._received + data) or not self._received:
                return

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
        try:
            if is_broken:
                held.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            else:
                held.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The client was faster.
        self._release(CLOSED)

    def _hand_over(self, held: Connection) -> None:
        """Give the connection and what has come of its request to the pages, unless it is theirs."""
        if held.is_own:
            self._reset_or_close(held)
            return
        try:
            socket.send_fds(self._pages, [self._received[: 2 * MAX_REQUEST]], [held.socket.fileno()])
        except OSError:
            self._reset_or_close(held)
            return
        self._release(HANDED_OVER)

    @staticmethod
    def _wait(connection: socket.socket, seconds: float) -> bool:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return seconds > 0 and bool(poll.poll(seconds * 1000))
