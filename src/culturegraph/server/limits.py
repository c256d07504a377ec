"""How much one client may ask: queries a second, queries at a time; how long all have at the end. Owns who is a client.

Evaluators that are processes check a client's share themselves and have slots of the board. Where threads of one
process evaluate, `Places` gives each query of a client a slot for as long as it is under way.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable, Collection
from hashlib import blake2b
from ipaddress import ip_address
from typing import Final

from culturegraph.errors import LimitExceededError
from culturegraph.server.board import EVALUATING, FIRST_EVALUATOR, FREE, SLOTS, Board, now
from culturegraph.settings import Settings

# Seconds that requests under way have to end when a server is told to stop.
DRAIN: Final = 10.0
_CLIENTS: Final = 4096
_SECONDS: Final = 10.0


class TooManyRequestsError(LimitExceededError):
    """One client asks more than its share."""

    title = "Too many requests"
    status = 429


def name_client(peer: str, forwarded_for: str | None, proxies: Collection[str]) -> str:
    """Return the client's address: the peer, or whom the last trusted proxy names."""
    hops = [peer, *(hop.strip() for hop in reversed((forwarded_for or "").split(",")) if hop.strip())]
    return next((hop for hop in hops if hop not in proxies), hops[-1])


def is_local(client: str) -> bool:
    """Say whether a client is this machine: it is not limited, as a proxy on it that nobody declared is all clients."""
    try:
        return ip_address(client.partition("%")[0]).is_loopback
    except ValueError:
        return not client


def hash_client(client: str) -> int:
    """Return a number other than 0 for a client."""
    return int.from_bytes(blake2b(client.encode(), digest_size=8).digest()) | 1


class ClientLimits:
    """A bucket of queries for each client, filled at a rate: in shared memory, so that all evaluators count together.

    Not locked: two processes that write at once lose one query, and two clients in one place forget each other.
    """

    def __init__(self, settings: Settings) -> None:
        self._rate, self._at_once = settings.client_rate, settings.client_queries
        self._burst = max(1.0, settings.client_rate * _SECONDS)
        memory = memoryview(mmap.mmap(-1, _CLIENTS * 24))
        self._client = memory[: _CLIENTS * 8].cast("Q")
        self._queries = memory[_CLIENTS * 8 : _CLIENTS * 16].cast("d")
        self._time = memory[_CLIENTS * 16 :].cast("d")

    def check(self, client: int, board: Board) -> None:
        """Count a query of a client. Raises TooManyRequestsError."""
        if board.queries_of(client) >= self._at_once:
            raise TooManyRequestsError(f"a client may have {self._at_once} queries under way at the same time")
        place, time = client % _CLIENTS, now()
        left = self._burst
        if self._client[place] == client:
            left = min(self._burst, self._queries[place] + (time - self._time[place]) * self._rate)
        self._client[place], self._time[place] = client, time
        self._queries[place] = max(left - 1.0, 0.0)
        if left < 1.0:
            raise TooManyRequestsError(f"a client may send {self._rate:g} queries a second")


class Places:
    """Slots of the board for the queries of clients in a process that evaluates alone."""

    def __init__(self, limits: ClientLimits, board: Board) -> None:
        self._limits, self._board = limits, board
        self._lock = threading.Lock()

    def take(self, client: str) -> Callable[[], None]:
        """Count a query of a client as under way; return what is called once it is not, from whatever thread.

        Raises TooManyRequestsError where the client has its share, LimitExceededError where no slot is free.
        """
        if is_local(client):
            return _nothing
        number, board = hash_client(client), self._board
        with self._lock:
            self._limits.check(number, board)
            slot = next((each for each in range(FIRST_EVALUATOR, SLOTS) if board.state[each] == FREE), None)
            if slot is None:
                raise LimitExceededError("too many queries are under way; try again later")
            board.client[slot], board.state[slot] = number, EVALUATING
        return lambda: board.clear(slot)


def _nothing() -> None:
    """Give nothing back: nothing was taken."""
