"""What a process keeps that evaluates queries by itself: the places of those under way, their counters, their log.

Evaluators that are processes keep the same in `endpoint`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from culturegraph.server.board import KINDS, OUTCOMES, SUPERVISOR, Board, now
from culturegraph.server.journal import Journal
from culturegraph.server.limits import ClientLimits, Places
from culturegraph.settings import Settings


@dataclass(frozen=True)
class Alone:
    """The books of one process. They outlive a snapshot, so that clients have one share on the old and the new."""

    board: Board
    places: Places
    journal: Journal

    @classmethod
    def open(cls, settings: Settings, board: Board) -> Self:
        """Open the log where there is one."""
        return cls(board, Places(ClientLimits(settings), board), Journal(settings))


@dataclass
class Reckoning:
    """One request to /sparql: what is counted and written down of it at its end."""

    books: Alone
    request_id: str
    client: str
    started: float
    query: str = ""
    kind: str = "unknown"
    outcome: str = "ok"
    status: int = 200
    size: int = 0

    def close(self) -> None:
        """Count the request, and write it down where it is wanted."""
        seconds = now() - self.started
        self.books.board.count(SUPERVISOR, KINDS.index(self.kind), OUTCOMES.index(self.outcome), seconds, self.size)
        if self.books.journal.wants(seconds):
            self.books.journal.write(
                request_id=self.request_id,
                client=self.client,
                outcome=self.outcome,
                status=self.status,
                seconds=seconds,
                size=self.size,
                query=self.query,
            )
