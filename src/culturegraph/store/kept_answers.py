"""Answers of a process that evaluates alone, kept: a snapshot gives the same query the same answer.

Servers of several processes share theirs (`server.cache`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import IO

from culturegraph.settings import Settings
from culturegraph.store.evaluation import Answer, Kind, Task
from culturegraph.store.evaluators import Evaluate, Outcome, evaluate_here
from culturegraph.store.snapshot import Snapshot


@dataclass
class _Kept:
    kind: Kind
    data: bytes
    volatile: bool = False

    def write(self, output: IO[bytes]) -> None:
        output.write(self.data)


class _Copying:
    """A file that passes on what it gets, and copies it as long as that is little."""

    def __init__(self, output: IO[bytes], most: int) -> None:
        self._output, self._most = output, most
        self.copy: bytearray | None = bytearray()

    def write(self, data: bytes) -> int:
        if self.copy is not None:
            self.copy += data
            if len(self.copy) > self._most:
                self.copy = None
        return self._output.write(data)

    def flush(self) -> None:
        self._output.flush()


@dataclass
class _Answers:
    """What was answered last, up to a number of bytes in all."""

    size: int
    _held: OrderedDict[Task, _Kept] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, task: Task) -> _Kept | None:
        with self._lock:
            if task in self._held:
                self._held.move_to_end(task)
            return self._held.get(task)

    def keep(self, task: Task, kept: _Kept) -> None:
        with self._lock:
            if task not in self._held:
                self._held[task] = kept
                self._bytes += len(kept.data)
            while self._bytes > self.size:
                self._bytes -= len(self._held.popitem(last=False)[1].data)


@dataclass
class _Fresh:
    """An answer that is kept once it has been written whole."""

    answer: Answer
    task: Task
    answers: _Answers

    @property
    def kind(self) -> Kind:
        return self.answer.kind

    @property
    def volatile(self) -> bool:
        return self.answer.volatile

    def write(self, output: IO[bytes]) -> None:
        copying = _Copying(output, self.answers.size // 16)
        self.answer.write(copying)  # type: ignore[arg-type]
        if copying.copy is not None and not self.volatile:
            self.answers.keep(self.task, _Kept(self.kind, bytes(copying.copy)))


def remember(snapshot: Snapshot, settings: Settings) -> Evaluate:
    """Return what evaluates tasks in this process, and keeps up to `cache_size` bytes of answers."""
    evaluate, answers = evaluate_here(snapshot, settings), _Answers(settings.cache_size)

    def evaluate_task(task: Task) -> Outcome:
        # Who asks makes no difference to the answer.
        known = task._replace(client="")
        return answers.get(known) or _Fresh(evaluate(task), known, answers)

    return evaluate_task
