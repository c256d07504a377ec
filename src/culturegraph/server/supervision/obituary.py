"""What a client is told whose evaluator has died, and what is written down of it."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

from culturegraph.errors import LimitExceededError
from culturegraph.protocols.problems import Problem
from culturegraph.server import connections as wire
from culturegraph.server.board import EVALUATING, KINDS, OUTCOMES, SUPERVISOR, Note, now
from culturegraph.server.output import make_problem
from culturegraph.server.supervision.clients import Client
from culturegraph.server.supervision.generation import Child
from culturegraph.server.zygote import Means

_UNEXPECTED: Final = (
    "broken_off",
    "the evaluation ended unexpectedly: the query needs too much memory or shows a fault of the engine",
)


def answer_for(dead: Child, client: Client, means: Means) -> bool:
    """Tell the client of a dead evaluator why; say whether it could be told. The board still has what it was at.

    Where part of the answer may be out the client must see that it is not whole: its connection will break.
    """
    board, slot = means.board, dead.slot
    note, state, seconds = board.read_note(slot), board.state[slot], now() - board.started[slot]
    outcome, reason = dead.verdict or _UNEXPECTED
    is_told = state == EVALUATING and not client.is_gone
    if is_told:
        problem = Problem.of(LimitExceededError(reason))
        tail = b"connection: close\r\nx-request-id: %s\r\n" % note.request_id
        with suppress(OSError):
            client.socket.send(make_problem(problem, as_json=note.wants_problem, tail=tail))
            client.socket.shutdown(socket.SHUT_WR)
    else:
        wire.break_off(client.socket)
    if state >= EVALUATING:
        status = 503 if state == EVALUATING else 499
        _write_down(means, note, outcome=outcome, status=status, seconds=seconds)
    return is_told


def _write_down(means: Means, note: Note, *, outcome: str, status: int, seconds: float) -> None:
    means.board.count(SUPERVISOR, KINDS.index("unknown"), OUTCOMES.index(outcome), seconds)
    if means.journal.wants(seconds):
        means.journal.write(
            request_id=note.request_id.decode(),
            client=note.client,
            outcome=outcome,
            status=status,
            seconds=seconds,
            size=0,
            query=note.query,
        )
