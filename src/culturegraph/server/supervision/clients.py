"""The connections of all clients: accepts them, keeps a duplicate of each, knows who is idle, waits, or is with whom.

Reads no byte of them, and does not choose who answers.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import Final

from culturegraph.server import connections as wire
from culturegraph.server.board import now
from culturegraph.server.supervision.generation import Child
from culturegraph.server.supervision.poll import Poll
from culturegraph.settings import Settings

# Connections that are accepted before others are heard.
_AT_ONCE: Final = 64
# Seconds for which a closed connection stays to let the client read what it was sent.
_LINGER: Final = 2.0
_LEFT: Final = select.EPOLLRDHUP | select.EPOLLONESHOT
_ASKED: Final = select.EPOLLIN | _LEFT


@dataclass(slots=True)
class Client:
    """A duplicate of a client's connection."""

    number: int
    socket: socket.socket
    address: str
    is_out: bool = False  # Waits for an evaluator, or is with one.
    holder: Child | None = None
    is_gone: bool = False
    ends: float = inf  # When it is closed at the latest, while it is not out.

    def release(self) -> None:
        """Take note that no evaluator holds it any more."""
        if self.holder is not None:
            self.holder.connections.discard(self.number)
            self.holder = None


class Clients:
    """All connections of a server."""

    def __init__(self, settings: Settings, listener: socket.socket, poll: Poll) -> None:
        self._settings, self._listener, self._poll = settings, listener, poll
        listener.setblocking(False)
        self._clients: dict[int, Client] = {}
        self._numbers = 0
        # Those who have asked something and whom no evaluator has yet.
        self.waiting: deque[Client] = deque()
        self._is_draining = False

    def find(self, number: int) -> Client | None:
        """Return the connection of a number, unless it is closed."""
        return self._clients.get(number)

    def open(self) -> None:
        """Accept connections from now on."""
        self._poll.watch(self._listener.fileno(), self._accept)

    def drain(self) -> None:
        """Accept no more than have come; close each connection as soon as nothing is asked on it."""
        self._accept(0)
        self._is_draining = True
        self._poll.forget(self._listener.fileno())
        self._listener.close()
        for client in [client for client in self._clients.values() if not client.is_out and self._may_end(client)]:
            self.close(client)

    @property
    def is_quiet(self) -> bool:
        """Whether nobody from outside waits for an evaluator, or is with one."""
        return not any(client.is_out and client.address for client in self._clients.values())

    def take_offered(self, address: str, connection: socket.socket) -> None:
        """Take what the pages offer: a client's connection; without an address, the other end of one of their own."""
        if self._is_draining and address:
            connection.close()
        else:
            self._add(connection, address, self._settings.keep_alive)

    def give_next(self, child: Child) -> None:
        """Give an evaluator who has waited longest. Raises OSError where it cannot take it."""
        client = self.waiting[0]
        wire.give(child.control, client.number, client.address, client.socket.fileno())
        self.waiting.popleft()
        client.holder = child
        child.connections.add(client.number)

    def take_back(self, client: Client, *, is_ending: bool) -> None:
        """Hold a connection that no process has in hands; close it soon where its last answer is out."""
        client.is_out = False
        if client.is_gone or (not is_ending and self._may_end(client)):
            self.close(client)
            return
        client.ends = now() + (_LINGER if is_ending else self._settings.keep_alive)
        self._poll.change(client.socket.fileno(), _LEFT if is_ending else _ASKED)

    def close(self, client: Client) -> None:
        """Let go of a connection."""
        del self._clients[client.number]
        self._poll.forget(client.socket.fileno())
        client.socket.close()

    def close_idle(self, time: float) -> None:
        """Close those whose time is over and who have asked nothing."""
        for client in [client for client in self._clients.values() if not client.is_out and client.ends < time]:
            self.close(client)

    def _may_end(self, client: Client) -> bool:
        """Say whether the server is stopping, and this one is neither of our pages, which ask to the last, nor asks."""
        return self._is_draining and bool(client.address) and not _has_asked(client)

    def _accept(self, _events: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            self._add(connection, address[0], self._settings.read_timeout)

    def _add(self, connection: socket.socket, address: str, patience: float) -> None:
        connection.setblocking(False)
        self._numbers += 1
        client = Client(self._numbers, connection, address, ends=now() + patience)
        self._clients[client.number] = client
        self._poll.watch(connection.fileno(), lambda events: self._hear(client, events), _ASKED)

    def _hear(self, client: Client, events: int) -> None:
        if client.is_out:
            client.is_gone = True
        elif events & select.EPOLLIN and not _has_left(client, events):
            client.is_out = True
            self._poll.change(client.socket.fileno(), _LEFT)
            self.waiting.append(client)
        else:
            self.close(client)


def _has_left(client: Client, events: int) -> bool:
    """Say whether a client has closed its connection and left nothing to read."""
    return bool(events & (select.EPOLLRDHUP | select.EPOLLHUP)) and not _has_asked(client)


def _has_asked(client: Client) -> bool:
    """Say whether there is something to read."""
    try:
        return bool(client.socket.recv(1, socket.MSG_PEEK))
    except OSError:
        return False
