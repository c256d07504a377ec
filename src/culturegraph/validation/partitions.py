"""Validation by shares of the focus nodes: in processes of one machine, or on several machines.

A constraint may look as far beyond its focus node as its paths and queries lead, so every share is judged with the
whole data graph, which processes have in common and nobody writes; what is divided are the focus nodes. The results of
a focus node do not depend on which other nodes are focus nodes (the report is the union over them), so the shares'
results together are those of the whole. Two things are done by the first share alone: SPARQL-based constraints of
shapes within shapes, whose focus nodes several shares may lead to, and shapes that only the reference engine can run.

Source: SHACL §3.4 (Validation).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from culturegraph.errors import CulturegraphError, StorageError, UsageError
from culturegraph.validation.results import Result

_MOST: Final = 256


@dataclass(frozen=True)
class Share:
    """One of several shares of the focus nodes; `number` counts from 1. The same node is in the same share anywhere."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Share:
        """Read `2/8`. Raises UsageError where it is none."""
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= _MOST):
            raise UsageError(f"a share is written 1/4, 2/4 …, of at most {_MOST}, not {text!r}")
        return cls(int(number), int(of))

    @property
    def is_first(self) -> bool:
        """Whether this share does what is done once."""
        return self.number == 1

    def narrow(self, pattern: str) -> str:
        """Return a pattern that binds ?this to those of its nodes that are in the share."""
        chosen = ", ".join(f'"{value:02x}"' for value in range(_MOST) if value % self.of == self.number - 1)
        # A blank node has no text; all of them are in the first share.
        return f'{pattern} FILTER(COALESCE(SUBSTR(MD5(STR(?this)), 1, 2), "00") IN ({chosen}))'


def run_in_processes(run: Callable[[Share], list[Result]], processes: int) -> list[Result]:
    """Run every share in a process forked from this one, and return the results of all.

    Raises what a process raised, StorageError where one ended unexpectedly.
    """
    context = multiprocessing.get_context("fork")
    started = []
    for number in range(1, processes + 1):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(run, Share(number, processes), theirs), daemon=True)
        process.start()
        theirs.close()
        started.append((process, ours))
    results: list[Result] = []
    try:
        for process, pipe in started:
            results += _receive(pipe)
            process.join()
    finally:
        for process, pipe in started:
            pipe.close()
            process.kill()
    return results


def _receive(pipe: Connection) -> list[Result]:
    try:
        answer: list[Result] | CulturegraphError = pipe.recv()
    except EOFError:
        raise StorageError("a process of the validation ended unexpectedly; is there memory enough?") from None
    if isinstance(answer, CulturegraphError):
        raise answer
    return answer


def _work(run: Callable[[Share], list[Result]], share: Share, pipe: Connection) -> None:
    try:
        pipe.send(run(share))
    except CulturegraphError as error:
        pipe.send(error)
