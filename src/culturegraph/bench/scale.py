"""Growth: what a graph of our kind needs as it gets larger, of one machine, size by size.

Each figure is taken in a process of its own, one after the other, on generated data (`bench.generator`, and
`bench.reasoning` for inference):

- publishing: N-Quads on disk to a snapshot that can be served (merge, optimising, text index, checksums);
- loading the same into memory;
- queries by class, from disk and in memory: the median of the class's kinds (`bench.endpoint_queries`), of each the
  median of three queries;
- validation by the generated shapes, and inference by our rules.

What would not fit into the free memory, as the size before it grew, is left out, and that is told; so is a query class
that takes longer than two minutes. A billion is extrapolated, never measured: each figure goes on as it grew between
the two largest sizes.

Run one by hand: `python -m culturegraph.bench.scale PART FOLDER QUADS` prints its figures as lines of JSON.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Final

from pyoxigraph import RdfFormat, Store, parse, serialize

from culturegraph.bench import endpoint_queries, reasoning
from culturegraph.bench.generator import generate, generated_shapes
from culturegraph.bench.tables import peak_mb
from culturegraph.errors import StorageError
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import VALIDATION, read_rdf
from culturegraph.settings import default_root
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current

SIZES: Final = (1_000_000, 10_000_000, 30_000_000)
PARTS: Final = ("publish", "disk", "memory", "validation", "inference")
TARGET: Final = 1_000_000_000
# Smaller graphs do not tell how large ones grow: what a process needs at any size outweighs them.
_LEAST: Final = 1_000_000
_DATA, _SHAPES, _STORE = "data.nq", "shapes.ttl", "store"
_QUERIES: Final = 3
# Seconds for a class of queries, and for a part.
_PATIENCE: Final = 120
_LIMIT: Final = 3 * 3600
_CLASSES: Final[Mapping[str, Sequence[str]]] = {
    "lookups": [kind.name for kind in endpoint_queries.KINDS if kind.is_light],
    "joins": ["star", "optional and union"],
    "aggregates": ["classes", "aggregate", "aggregate of a join"],
    "ranges": ["range", "sort"],
    "scans": ["text scan"],
    "paths": ["path"],
    "streams": ["stream"],
}


@dataclass(frozen=True)
class Growth:
    """One figure at one size: `value` None where it was not taken, with the reason in `remark`."""

    quads: int
    part: str
    name: str
    unit: str
    value: float | None
    basis: str = "measured"
    remark: str = ""


def run(
    sizes: Sequence[int], parts: Sequence[str] = PARTS, progress: Callable[[str], None] = lambda _: None
) -> list[Growth]:
    """Measure every part at every size, smallest first, and extrapolate. Raises StorageError where a part fails."""
    found: list[Growth] = []
    for size in sorted(sizes):
        with tempfile.TemporaryDirectory(prefix="culturegraph-scale-") as name:
            folder = Path(name)
            progress(f"{size:,}: generating")
            _write_data(folder, size)
            for part in PARTS:
                # What queries from disk are asked of is published first.
                if part in parts or (part == "publish" and "disk" in parts):
                    progress(f"{size:,}: {part}")
                    found += _take(part, folder, size, found)
    return [*found, *extrapolate(found)]


def machine() -> dict[str, str]:
    """Return what is to be known of where and when figures were taken."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{cores} shared {'core' if cores == 1 else 'cores'}, {memory:.0f} GB",
        "python": platform.python_version(),
    }


def extrapolate(found: Sequence[Growth]) -> Iterator[Growth]:
    """Yield what each figure would be at a billion quads, were it to grow on as between its two largest sizes."""
    series: dict[tuple[str, str, str], list[Growth]] = {}
    for each in found:
        if each.value and each.quads >= _LEAST:
            series.setdefault((each.part, each.name, each.unit), []).append(each)
    for (part, name, unit), taken in series.items():
        if len(taken) > 1:
            before, last = sorted(taken, key=lambda each: each.quads)[-2:]
            assert before.value
            assert last.value
            power = math.log(last.value / before.value) / math.log(last.quads / before.quads)
            value = last.value * (TARGET / last.quads) ** max(power, 0)
            yield Growth(TARGET, part, name, unit, _round(value), "extrapolated", f"grows with the power {power:.2f}")


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def _write_data(folder: Path, size: int) -> None:
    with (folder / _DATA).open("wb") as target:
        serialize(generate(size), target, format=RdfFormat.N_QUADS)
    (folder / _SHAPES).write_text(generated_shapes(), encoding="utf-8")


def _take(part: str, folder: Path, size: int, before: Sequence[Growth]) -> list[Growth]:
    """Take one part's figures in a process of its own, unless they would need more memory than there is."""
    if part == "disk" and not (folder / _STORE).exists():
        return [Growth(size, part, "peak", "MB", None, remark="left out: nothing was published")]
    peaks = [each for each in before if each.part == part and each.unit == "MB" and each.name == "peak" and each.value]
    if peaks:
        wanted = max((each.value or 0) * size / each.quads for each in peaks[-1:])
        if wanted > 0.9 * _available_mb():
            told = f"left out: it would need about {wanted / 1000:.0f} GB of memory"
            return [Growth(size, part, "peak", "MB", None, remark=told)]
    command = [sys.executable, "-m", __name__, part, str(folder), str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        return [Growth(size, part, "peak", "MB", None, remark=f"not done within {_LIMIT // 3600} hours")]
    if done.returncode:
        raise StorageError(f"{part} failed at {size:,} quads: {done.stderr.strip()[-500:]}")
    return [Growth(size, part, **json.loads(line)) for line in done.stdout.splitlines()]


def _available_mb() -> float:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) / 1024
    return math.inf


def _tell(name: str, unit: str, value: float | None, remark: str = "") -> None:
    told = {"name": name, "unit": unit, "value": None if value is None else _round(value), "remark": remark}
    sys.stdout.write(json.dumps(told) + "\n")


def _peak() -> None:
    _tell("peak", "MB", peak_mb())


def _take_publish(folder: Path, _size: int) -> None:
    start = time.perf_counter()
    quads = parse(path=str(folder / _DATA), format=RdfFormat.N_QUADS)
    publish(folder / _STORE, quads, version="scale", metadata={"content_hash": "0" * 64}).close()
    _tell("seconds", "s", time.perf_counter() - start)
    _peak()
    files = (path for path in (folder / _STORE).rglob("*") if path.is_file() and not path.is_symlink())
    _tell("disk", "MB", sum(path.stat().st_size for path in files) / 1e6)


def _take_disk(folder: Path, size: int) -> None:
    _ask_all(lambda: open_current(folder / _STORE).store, size)


def _take_memory(folder: Path, size: int) -> None:
    start, store = time.perf_counter(), Store()
    store.bulk_extend(parse(path=str(folder / _DATA), format=RdfFormat.N_QUADS))
    _tell("seconds", "s", time.perf_counter() - start)
    _peak()
    _ask_all(lambda: store, size)


def _ask_all(open_store: Callable[[], Dataset], size: int) -> None:
    """Ask each class in a process forked for it, so that one without end can be ended."""
    context = multiprocessing.get_context("fork")
    sys.stdout.flush()
    for name in _CLASSES:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_ask, args=(open_store, name, size, theirs), daemon=True)
        process.start()
        theirs.close()
        if ours.poll(_PATIENCE):
            _tell(name, "ms", ours.recv())
        else:
            _tell(name, "ms", None, f"longer than {_PATIENCE} seconds")
        process.kill()
        process.join()


def _ask(open_store: Callable[[], Dataset], name: str, size: int, pipe: Connection) -> None:
    store, times = open_store(), list[float]()
    for kind in endpoint_queries.KINDS:
        if kind.name in _CLASSES[name]:
            taken = []
            for text in endpoint_queries.texts(kind, size, _QUERIES, seed=1):
                start = time.perf_counter()
                answer: Any = store.query(text)
                # To the last row: nothing is computed before it is asked for.
                for _ in answer if hasattr(answer, "__iter__") else ():
                    pass
                taken.append(1000 * (time.perf_counter() - start))
            times.append(median(taken))
    pipe.send(median(times))


def _take_validation(folder: Path, _size: int) -> None:
    from culturegraph.validation import validate

    shapes = read_rdf(folder / _SHAPES, VALIDATION)
    start = time.perf_counter()
    validate(parse(path=str(folder / _DATA), format=RdfFormat.N_QUADS), shapes)
    _tell("seconds", "s", time.perf_counter() - start)
    _peak()


def _take_inference(_folder: Path, size: int) -> None:
    taken = reasoning.measure("culturegraph", size, 1, default_root() / "queries" / "rules")
    _tell("seconds", "s", taken.seconds)
    _peak()


_TAKERS: Final[Mapping[str, Callable[[Path, int], None]]] = {
    "publish": _take_publish,
    "disk": _take_disk,
    "memory": _take_memory,
    "validation": _take_validation,
    "inference": _take_inference,
}


def rows(found: Sequence[Growth]) -> list[dict[str, Any]]:
    """Return the figures as rows of a table."""
    return [asdict(each) for each in found]


if __name__ == "__main__":
    _part, _where, _quads = sys.argv[1:]
    _TAKERS[_part](Path(_where), int(_quads))
