"""The validation benchmark: the engines side by side on the same generated graph, each in a process of its own.

Run one engine by hand: `python -m culturegraph.bench.validation ENGINE DATA.nq SHAPES.ttl` prints its figures as JSON.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from pyoxigraph import NamedNode, RdfFormat, parse, serialize

from culturegraph.errors import StorageError
from culturegraph.rdf.graphs import read_rdf
from culturegraph.validation import validate

Engine = Literal["compiled", "pyshacl"]
ENGINES: tuple[Engine, ...] = ("compiled", "pyshacl")


@dataclass(frozen=True)
class Measurement:
    """What one engine needed for one graph: from N-Quads on disk to the report, imports included in CPU and memory."""

    size: int
    engine: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    results: int
    digest: str


def run(sizes: Iterable[int], engines: Sequence[Engine] = ENGINES, seed: int = 1) -> list[Measurement]:
    """Measure every engine on a graph of each size (triples); equal digests mean equal results."""
    # Here, so that the measured processes do not import it.
    from culturegraph.bench.generator import generate, generated_shapes

    found = []
    with tempfile.TemporaryDirectory() as folder:
        shapes = Path(folder, "shapes.ttl")
        shapes.write_text(generated_shapes(), encoding="utf-8")
        for size in sizes:
            data = Path(folder, f"{size}.nq")
            with data.open("wb") as target:
                serialize(generate(size, seed), target, format=RdfFormat.N_QUADS)
            found += [_measure(size, engine, data, shapes) for engine in engines]
            data.unlink()
    return found


def _measure(size: int, engine: Engine, data: Path, shapes: Path) -> Measurement:
    command = [sys.executable, "-m", __name__, engine, str(data), str(shapes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StorageError(f"{engine} failed on {size} triples: {done.stderr.strip()}")
    return Measurement(size, engine, **json.loads(done.stdout))


def _run_one(engine: Engine, data: Path, shapes: Path) -> dict[str, float | int | str]:
    graph = read_rdf(shapes, NamedNode("urn:x-culturegraph:bench"))
    start = time.perf_counter()
    report = validate(parse(path=str(data), format=RdfFormat.N_QUADS), graph, engine=engine)
    seconds = time.perf_counter() - start
    # Named shapes and IRIs only, so that two processes write the same keys.
    keys = sorted(" ".join(map(str, (*result.key,))) for result in report.results)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
        "results": len(report.results),
        "digest": hashlib.sha256("\n".join(keys).encode()).hexdigest()[:12],
    }


if __name__ == "__main__":
    name, quads, turtle = sys.argv[1:]
    json.dump(_run_one(cast("Engine", name), Path(quads), Path(turtle)), sys.stdout)
