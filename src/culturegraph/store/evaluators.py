"""The evaluators: the seam behind which queries run. Owns threads, time limits and backpressure; no SPARQL, no HTTP.

    event loop                                evaluator thread
    evaluate(task) ── job ──────────────────► evaluation.evaluate, Answer.write
                   ◄── frame (≤ 64 KB) ───── _Frames: waits while FRAMES_AHEAD frames are unread
                   ◄── last frame | error ──
    cancel ────────────────────────────────► the next write raises

A thread cannot be killed: past the time limit the client has its answer (503) but the thread runs on until it next
writes, and is missing from the pool meanwhile. In a server of several processes the threads only wait for evaluators
that are processes (`server.inquiry`): what crosses the seam is a Task, then a kind, frames of bytes, at most one error.
"""

from __future__ import annotations

import asyncio
import io
import queue
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Final, Protocol

from culturegraph.errors import CulturegraphError, LimitExceededError, StorageError
from culturegraph.settings import Settings
from culturegraph.store.evaluation import STACK_SIZE, Answer, Kind, Task, evaluate, evaluate_rows, evaluate_to
from culturegraph.store.snapshot import Snapshot

__all__ = ["Evaluation", "Evaluators", "evaluate_rows", "evaluate_to"]

FRAME: Final = 64 * 1024
FRAMES_AHEAD: Final = 8


class _CancelledError(Exception):
    """Nobody reads the answer any more."""


@dataclass(frozen=True)
class _Frame:
    data: bytes
    is_last: bool


class _Job:
    """One task under way: what the evaluator thread and the event loop share."""

    def __init__(self, task: Task, stall: float, leave: Callable[[], None]) -> None:
        self.task = task
        self.stall = stall
        self.leave = leave
        self.kind: Kind = "solutions"
        self.volatile = False
        self.messages: asyncio.Queue[_Frame | Exception] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(FRAMES_AHEAD)
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()
        self._room.release()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def post(self, message: _Frame | Exception) -> None:
        """Hand a message to the event loop (from the evaluator thread), waiting while enough frames are unread."""
        if isinstance(message, _Frame) and not self._room.acquire(timeout=self.stall):
            self._cancelled.set()
        if self.is_cancelled and isinstance(message, _Frame):
            raise _CancelledError
        with suppress(RuntimeError):  # The loop is closed: the server has stopped.
            self._loop.call_soon_threadsafe(self.messages.put_nowait, message)

    async def next_frame(self, timeout: float) -> _Frame:
        async with asyncio.timeout(timeout):
            message = await self.messages.get()
        if isinstance(message, Exception):
            raise message
        self._room.release()
        return message


class _Frames(io.RawIOBase):
    """A binary file that collects small writes into frames."""

    def __init__(self, job: _Job) -> None:
        self._job = job
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        if self._job.is_cancelled:
            raise _CancelledError
        self._buffer += data
        if len(self._buffer) >= FRAME:
            self._send(is_last=False)
        return len(data)

    def finish(self) -> None:
        self._send(is_last=True)

    def _send(self, *, is_last: bool) -> None:
        frame, self._buffer = bytes(self._buffer), bytearray()
        self._job.post(_Frame(frame, is_last))


class Evaluation:
    """The answer to a task as it arrives. Close it (`aclose`) when done with, read to the end or not."""

    def __init__(self, job: _Job, first: _Frame) -> None:
        self._job = job
        self._first = first

    @property
    def kind(self) -> Kind:
        """What the answer is: a boolean, solutions or a graph."""
        return self._job.kind

    @property
    def is_volatile(self) -> bool:
        """Whether the same query may give another answer from the same snapshot."""
        return self._job.volatile

    @property
    def body(self) -> bytes | None:
        """The whole answer where it fits into one frame."""
        return self._first.data if self._first.is_last else None

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield the answer. Raises where evaluation fails or stalls half-way: what came before is then no answer."""
        frame = self._first
        yield frame.data
        while not frame.is_last:
            try:
                frame = await self._job.next_frame(self._job.stall)
            except TimeoutError as error:
                raise LimitExceededError(f"no result for {self._job.stall:g} seconds") from error
            yield frame.data

    async def aclose(self) -> None:
        """End the evaluation if it still runs."""
        self._job.cancel()


class Outcome(Protocol):
    """An evaluation that has begun: what it answers, and its answer when it is written."""

    @property
    def kind(self) -> Kind:
        """What it answers with."""

    @property
    def volatile(self) -> bool:
        """Whether the same query may give another answer."""

    def write(self, output: IO[bytes]) -> None:
        """Write the answer; whatever `output.write` raises ends the evaluation."""


Evaluate = Callable[[Task], Outcome]
# Lets a query of a client in, or raises; returns what is called once the query is no longer under way.
Admit = Callable[[str], Callable[[], None]]


class Evaluators:
    """A bounded pool of threads that evaluate queries on one snapshot, or wait for who evaluates them."""

    def __init__(
        self,
        snapshot: Snapshot,
        settings: Settings,
        evaluate: Evaluate | None = None,
        admit: Admit = lambda _: lambda: None,
    ) -> None:
        self._evaluate, self._admit = evaluate or evaluate_here(snapshot, settings), admit
        self._timeout = settings.query_timeout
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = self._start(settings.workers)

    def _start(self, count: int) -> list[threading.Thread]:
        # Daemons: a query that runs on must not keep a stopped server alive.
        threads = [threading.Thread(target=self._work, name=f"evaluator-{n}", daemon=True) for n in range(count)]
        previous = threading.stack_size(STACK_SIZE)
        try:
            for thread in threads:
                thread.start()
        finally:
            threading.stack_size(previous)
        return threads

    async def evaluate(self, task: Task) -> Evaluation:
        """Evaluate a task; return when its first frame is there.

        Raises what `evaluation.evaluate` and `admit` raise, LimitExceededError at the time limit. Cancelling ends the
        evaluation.
        """
        job = _Job(task, self._timeout, self._admit(task.client))
        self._jobs.put(job)
        try:
            return Evaluation(job, await job.next_frame(self._timeout))
        except TimeoutError as error:
            job.cancel()
            raise LimitExceededError(f"a query may take {self._timeout:g} seconds") from error
        except BaseException:
            job.cancel()
            raise

    def close(self) -> None:
        """Let the threads end when they are done with what they have."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if not job.is_cancelled:
                    self._run(job)
            finally:
                # Not before: past its time limit a thread is still at the query.
                job.leave()

    def _run(self, job: _Job) -> None:
        try:
            answer = self._evaluate(job.task)
            job.kind, job.volatile = answer.kind, answer.volatile
            output = _Frames(job)
            answer.write(output)  # type: ignore[arg-type]
            output.finish()
        except _CancelledError:
            pass
        except CulturegraphError as error:
            # Its frames hold what is bound to this thread, and must not be let go of in another.
            error.__traceback__ = error.__cause__ = error.__context__ = None
            job.post(error)
        except OSError as error:
            job.post(StorageError(f"the snapshot cannot be read: {error}"))
        except BaseException as error:  # A panic of the engine is no Exception; the pool must outlive it.
            job.post(CulturegraphError(f"the evaluation failed: {error}"))


def evaluate_here(snapshot: Snapshot, settings: Settings) -> Callable[[Task], Answer]:
    """Return what evaluates tasks in this process."""

    def evaluate_task(task: Task) -> Answer:
        return evaluate(
            snapshot.store,
            task,
            max_query_size=settings.max_query_size,
            services=settings.service_endpoints,
            snapshot=snapshot,
        )

    return evaluate_task
