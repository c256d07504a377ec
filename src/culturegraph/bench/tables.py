"""The tables benchmark: our reading of CSVW tables beside the `csvw` library's own, on the same files, in one run.

Three readers, each in a process of its own, one after the other, several times; medians are told:

- `csvw`: the library alone: rows read, cells parsed, keys and references checked; no quads;
- `tables`: `sources.tables`, which builds: the same checks by the library's datatypes, and quads;
- `lines`: the fast path of `culturegraph ingest csvw`: the same checks, N-Quads written to a file;
- `parts`: `culturegraph ingest csvw --workers 2`: the same lines, written by two processes into parts on disk.

Run one by hand: `python -m culturegraph.bench.tables READER METADATA` prints its figures as JSON.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from culturegraph.errors import StorageError
from culturegraph.rdf.vocabulary import BASE, CG, RDFS, TYPE
from culturegraph.sources.adapters import csvw_package, csvw_parts
from culturegraph.sources.adapters.job import Job, Source, Tally
from culturegraph.sources.tables import read_tables

READERS: Final = ("csvw", "tables", "lines", "parts")
_WORKERS: Final = 2
# Rows of the generated table; the slow readers take part up to this many.
SIZES: Final = (20_000, 200_000, 950_000)
_SLOW: Final = 20_000
_REPEATS: Final = 5
_BUNDLED: Final = "bundled tables"


@dataclass(frozen=True)
class Run:
    """The medians of one reader on one set of files, without start-up.

    `seconds` are of CPU, of all processes; `elapsed` those that went by, which the rate is of; memory in MB, of the
    largest process.
    """

    data: str
    reader: str
    rows: int
    quads: int
    seconds: float
    elapsed: float
    quads_per_second: float
    peak_mb: float


def run(bundled: Path, sizes: Sequence[int] = SIZES, repeats: int = _REPEATS) -> list[Run]:
    """Measure all readers on the bundled tables, then on generated ones of each size (rows)."""
    runs = _compare(_BUNDLED, bundled, READERS, repeats)
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            metadata = generate(Path(folder), size)
            readers = READERS if size <= _SLOW else READERS[-2:]
            runs += _compare(f"generated, {size:,} rows", metadata, readers, repeats // 2 + 1)
    return runs


def conclude(runs: Sequence[Run]) -> list[str]:
    """Return in words what the figures are to show: quads beside the library's reading alone, and flat memory."""
    told = []
    bundled = {run.reader: run for run in runs if run.data == _BUNDLED}
    if "csvw" in bundled:
        alone = bundled["csvw"].seconds
        for reader in ("tables", "lines"):
            ratio = alone / bundled[reader].seconds
            told.append(f"{reader}, bundled tables: {ratio:.1f} times as fast as the csvw library's reading alone")
    lines = [run for run in runs if run.reader == "lines" and run.data != _BUNDLED]
    parts = [run for run in runs if run.reader == "parts" and run.data != _BUNDLED]
    for one, several in zip(lines, parts, strict=True):
        ratio = several.quads_per_second / one.quads_per_second
        told.append(
            f"parts, {several.rows:,} rows: {several.quads_per_second:,} quads a second by {_WORKERS} processes,"
            f" {ratio:.1f} times as many as lines"
        )
    if len(lines) > 1:
        few, many = min(lines, key=lambda run: run.rows), max(lines, key=lambda run: run.rows)
        told.append(
            f"lines, memory: {few.peak_mb} MB for {few.rows:,} rows, {many.peak_mb} MB for {many.rows:,}"
            f" ({many.rows / few.rows:.0f} times the rows, {many.peak_mb / few.peak_mb:.2f} times the memory)"
        )
    return told


def _compare(data: str, metadata: Path, readers: Sequence[str], repeats: int) -> list[Run]:
    """Run the readers in turn, so that a slow minute of the machine strikes all alike."""
    figures: dict[str, list[dict[str, float]]] = {reader: [] for reader in readers}
    for _ in range(repeats):
        for reader in readers:
            command = [sys.executable, "-m", __name__, reader, str(metadata)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise StorageError(f"{reader} failed on {metadata}: {done.stderr.strip()[-500:]}")
            figures[reader].append(json.loads(done.stdout))
    runs = []
    for reader, found in figures.items():
        middle = {name: statistics.median(figure[name] for figure in found) for name in found[0]}
        rows, quads, elapsed = int(middle["rows"]), int(middle["quads"]), middle["elapsed"]
        seconds, peak = round(middle["seconds"], 3), round(middle["peak_mb"], 1)
        runs.append(Run(data, reader, rows, quads, seconds, round(elapsed, 3), round(quads / elapsed), peak))
    return runs


def _read_csvw(metadata: Path, _output: Path) -> tuple[int, int]:
    import csvw

    warnings.simplefilter("ignore")
    group = csvw.TableGroup.from_file(metadata)
    rows = sum(1 for table in group.tables for _ in table.iterdicts())
    group.check_referential_integrity()
    return rows, 0


def _read_tables(metadata: Path, _output: Path) -> tuple[int, int]:
    tables = read_tables(metadata)
    return sum(tables.rows.values()), len(tables.quads)


def _read_lines(metadata: Path, _output: Path) -> tuple[int, int]:
    source = Source({"id": "bench"})
    job, tally, quads = Job((metadata,), source, metadata.parent, metadata.parent, metadata.parent), Tally(), 0
    with Path(os.devnull).open("w", encoding="utf-8") as file:
        for line in csvw_package.adapt(job, tally):
            file.write(line)
            quads += 1
    if tally.rejected:
        raise StorageError(f"rows were rejected: {dict(tally.rejected)}")
    return tally.rows, quads


def _read_parts(metadata: Path, output: Path) -> tuple[int, int]:
    source = Source({"id": "bench"})
    job, tally = Job((metadata,), source, metadata.parent, metadata.parent, metadata.parent), Tally()
    csvw_parts.map_package(job, tally, output, csvw_parts.Effort(_WORKERS))
    if tally.rejected:
        raise StorageError(f"rows were rejected: {dict(tally.rejected)}")
    return tally.rows, tally.quads


_READ: Final[dict[str, Callable[[Path, Path], tuple[int, int]]]] = {
    "csvw": _read_csvw,
    "tables": _read_tables,
    "lines": _read_lines,
    "parts": _read_parts,
}


def measure(reader: str, metadata: Path) -> dict[str, float]:
    """Read once, in this process."""
    # What was written is removed when the clock has stopped.
    with tempfile.TemporaryDirectory() as output:
        start, began = _cpu_seconds(), time.perf_counter()
        rows, quads = _READ[reader](metadata, Path(output))
        elapsed, seconds = time.perf_counter() - began, _cpu_seconds() - start
    peak = round(max(peak_mb(), _children_mb()), 1)
    return {"rows": rows, "quads": quads, "seconds": round(seconds, 4), "elapsed": round(elapsed, 4), "peak_mb": peak}


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    # What `os.times` tells is in hundredths of a second.
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _children_mb() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def peak_mb() -> float:
    """Return the most memory that this process held. On Linux rusage keeps the parent's peak: its own file is read."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _columns() -> list[dict[str, object]]:
    """Return thirteen columns of every sort that our tables have, and the class."""
    slug = {"base": "string", "format": "[a-z0-9]+(-[a-z0-9]+)*"}
    label, editorial = RDFS + "label", {CG + "inGraph": BASE + "graph/source/editorial"}
    place = BASE + "id/place/{within}"
    earth = {"base": "decimal", "minimum": -180, "maximum": 180}
    return [
        {"name": "id", "datatype": slug, "required": True, "suppressOutput": True},
        {"name": "label_es", "datatype": "string", "lang": "es", "propertyUrl": label},
        {"name": "label_en", "datatype": "string", "lang": "en", "propertyUrl": label, **editorial},
        {"name": "within", "datatype": slug, "propertyUrl": CG + "within", "valueUrl": place},
        {"name": "ubigeo", "datatype": {"base": "string", "format": "[0-9]{6}"}, "propertyUrl": CG + "ubigeoInei"},
        {"name": "capital", "datatype": "string", "lang": "es", "propertyUrl": CG + "capitalName"},
        {"name": "latitude", "datatype": {"base": "decimal", "minimum": -90, "maximum": 90}, "propertyUrl": CG + "a"},
        {"name": "longitude", "datatype": earth, "propertyUrl": CG + "b"},
        {"name": "founded", "datatype": "date", "propertyUrl": CG + "founded"},
        {"name": "kinds", "datatype": slug, "separator": ";", "propertyUrl": CG + "c", "valueUrl": BASE + "k/{kinds}"},
        {"name": "page", "datatype": "string", "propertyUrl": CG + "page", "valueUrl": "{+page}"},
        {"name": "source", "datatype": slug, "required": True, "suppressOutput": True},
        {"name": "locator", "datatype": "string", "propertyUrl": CG + "locator"},
        {"name": "class", "virtual": True, "propertyUrl": TYPE.value, "valueUrl": CG + "District"},
    ]  # fmt: skip


def generate(folder: Path, rows: int) -> Path:
    """Write a table of made-up places, its sources and its metadata; the same files for the same number of rows."""
    columns = _columns()
    reference = {"columnReference": ["source"], "reference": {"resource": "sources.csv", "columnReference": ["id"]}}
    places = {"aboutUrl": BASE + "id/place/{id}", "columns": columns, "primaryKey": "id", "foreignKeys": [reference]}
    sources = {"aboutUrl": BASE + "graph/source/{id}", "columns": [columns[0]], "primaryKey": "id"}
    graph = {CG + "inGraph": BASE + "graph/source/{source}"}
    with (folder / "places.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column["name"] for column in columns if not column.get("virtual")])
        for n in range(rows):
            writer.writerow(
                [f"p-{n}", f"Señor de los Milagros {n}", f"Lord of Miracles {n}", f"p-{n // 60}", f"{n % 999_999:06d}",
                 f'Villa "Ñ" {n}', f"-{n % 18}.{n:06d}", f"-{70 + n % 11}.{n:06d}", f"{1900 + n % 99}-0{1 + n % 9}-15",
                 "dance;music" if n % 3 else "craft", f"https://example.org/p?n={n}", f"s-{n % 50}", f"row {n}"]
            )  # fmt: skip
    (folder / "sources.csv").write_text("id\n" + "".join(f"s-{n}\n" for n in range(50)), encoding="utf-8")
    metadata = folder / "csv-metadata.json"
    tables = [
        {"url": "sources.csv", CG + "inGraph": BASE + "graph/x", "tableSchema": sources},
        {"url": "places.csv", **graph, "tableSchema": places},
    ]
    metadata.write_text(json.dumps({"@context": "http://www.w3.org/ns/csvw", "tables": tables}), encoding="utf-8")
    return metadata


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
