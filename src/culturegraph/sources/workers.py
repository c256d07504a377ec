"""Forked processes that each take the next piece of a work when they are done with the one before."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Final, Protocol, TypeVar

from culturegraph.errors import CulturegraphError, StorageError

# Pieces that wait at each worker, so that none waits for the next to be found.
_AHEAD: Final = 2

Piece = TypeVar("Piece", contravariant=True)
Answer = TypeVar("Answer", covariant=True)


class Mapper(Protocol[Piece, Answer]):
    """What every worker holds."""

    def open(self) -> None:
        """Open what a process must have of its own."""

    def map(self, number: int, piece: Piece, /) -> Answer:
        """Do one piece of the work."""
        ...


def run(
    mapper: Mapper[Piece, Answer], pieces: Iterable[tuple[int, Piece]], workers: int
) -> Generator[tuple[int, Answer], None, None]:
    """Yield the numbers and answers of pieces as they are done, in this process where there is one worker.

    Close it to end the workers early. Raises what a worker raised, StorageError where one ended.
    """
    if workers < 2:
        mapper.open()
        yield from ((number, mapper.map(number, piece)) for number, piece in pieces)
        return
    context = multiprocessing.get_context("fork")
    pipes, todo = dict[Connection, Any](), iter(pieces)
    for _ in range(workers):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(mapper, theirs, [*pipes, ours]), daemon=True)
        process.start()
        theirs.close()
        pipes[ours] = process
    processes = list(pipes.values())
    try:
        for pipe in [*pipes] * _AHEAD:
            _send(pipe, next(todo, None))
        while pipes:
            for ready in wait(list(pipes)):
                assert isinstance(ready, Connection)
                answer = _receive(ready)
                if answer is None:
                    del pipes[ready]
                    ready.close()
                else:
                    _send(ready, next(todo, None))
                    yield answer
    finally:
        for process in processes:
            process.kill() if pipes else process.join()


def _send(pipe: Connection, item: tuple[int, Any] | None) -> None:
    # Whoever has ended takes no more: what it said last is still to be read.
    with suppress(OSError):
        pipe.send(item)


def _receive(pipe: Connection) -> tuple[int, Any] | None:
    try:
        answer: tuple[int, Any] | Exception | None = pipe.recv()
    except (EOFError, OSError):
        raise StorageError("a worker ended unexpectedly; is there memory enough for so many?") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _work(mapper: Mapper[Any, Any], pipe: Connection, inherited: Sequence[Connection]) -> None:
    """Do one piece after the other until there is none."""
    for each in inherited:
        # Else nobody here would learn that whoever asked is gone.
        each.close()
    # What is made here holds no cycles, and looking for them takes a tenth of the time.
    gc.disable()
    try:
        mapper.open()
        while (item := pipe.recv()) is not None:
            number, piece = item
            pipe.send((number, mapper.map(number, piece)))
        pipe.send(None)
    except EOFError:
        pass  # Whoever asked is gone.
    except (OSError, UnicodeDecodeError, CulturegraphError) as error:
        pipe.send(error)
