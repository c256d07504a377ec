"""Many lines, sorted and each once, without holding them all: sorted runs on disk, then merged."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_RUN: Final = 150_000
# Files open at the same time while merging.
_WIDTH: Final = 64


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _once(lines: Iterable[bytes]) -> Iterator[bytes]:
    last = None
    for line in lines:
        if line != last:
            yield line
            last = line


def _write(lines: Iterable[bytes], path: Path) -> Path:
    with path.open("wb") as file:
        file.writelines(lines)
    return path


def sort_lines(lines: Iterable[str], *, run: int = _RUN) -> Iterator[bytes]:
    """Yield lines (each with its end) in the order of their UTF-8 bytes, each once.

    At most `run` lines are held in memory; the rest waits in a temporary folder.
    """
    with tempfile.TemporaryDirectory(prefix="culturegraph-") as name:
        folder, runs, held = Path(name), list[Path](), list[bytes]()
        for line in lines:
            held.append(line.encode())
            if len(held) >= run:
                held.sort()
                runs.append(_write(_once(held), folder / str(len(runs))))
                held = []
        made = len(runs)
        while len(runs) > _WIDTH:
            runs.append(_write(_once(heapq.merge(*map(_read, runs[:_WIDTH]))), folder / str(made)))
            made += 1
            for done in runs[:_WIDTH]:
                done.unlink()
            del runs[:_WIDTH]
        held.sort()
        yield from _once(heapq.merge(*map(_read, runs), held))
