"""Exports, measured: records a minute of one core, and whether memory grows with their number.

The published graph has few EDM records, so it is made larger: each thing that has one, with the acts that recognise it,
is copied as often as the size asks, with what every named graph says of it. Each run is a process of its own, which
opens the graph on disk as the command does.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyoxigraph import NamedNode, Quad, Store

from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.forms import write_records
from culturegraph.exports.profiles.profile import read_profile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

# Records of the profile that is copied.
SIZES: Final = (2_000, 10_000)
COPIED: Final = "edm"
# Each with the format that it is harvested in.
MEASURED: Final = (("edm", "rdf"), ("edm-contextual", "rdf"), ("linked-art", "jsonld"))
# Records a minute of processor that EDM must reach.
BAR: Final = 20_000
_ACT: Final = NamedNode(CG + "recognisedThrough")


@dataclass(frozen=True)
class Run:
    """One measured run; CPU seconds hold everything from the selection of the records on, peak memory is in bytes."""

    profile: str
    quads: int
    records: int
    cpu_seconds: float
    seconds: float
    records_a_minute: float
    peak_memory: int


def run(settings: Settings, sizes: Sequence[int], progress: Callable[[str], None] = lambda _: None) -> list[Run]:
    """Measure the profiles over the published graph, made larger to each of the sizes (records of EDM)."""
    runs = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            progress(f"making a graph of {size} EDM records")
            quads = enlarge(open_current(settings.store).store, settings.queries, size, Path(folder))
            for profile, form in MEASURED:
                progress(f"exporting {profile} of {quads} quads")
                command = [sys.executable, "-m", __name__, folder, str(settings.queries), profile, form]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                runs.append(Run(quads=quads, **json.loads(done.stdout)))
    return runs


def judge(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Return whether EDM reaches its bar, and whether memory stays flat."""
    edm = [run for run in runs if run.profile == COPIED]
    slowest = min((run.records_a_minute for run in edm), default=0.0)
    bars = [_bar(f"EDM: records a minute of one core, at least {BAR:,}", slowest, reached=slowest >= BAR)]
    if len(edm) > 1 and edm[-1].records > edm[0].records:
        growth = edm[-1].peak_memory / edm[0].peak_memory
        asked = f"EDM: peak memory at {edm[-1].records:,} records beside {edm[0].records:,}, at most twice"
        bars.append(_bar(asked, growth, reached=growth <= 2))
    return bars


def _bar(name: str, value: float, *, reached: bool) -> dict[str, Any]:
    return {"bar": name, "measured": round(value, 2), "reached": reached}


def enlarge(store: Dataset, queries: Path, size: int, folder: Path) -> int:
    """Write a graph with about so many EDM records into a folder; return its quads."""
    export = Export(read_profile(queries, COPIED), store)
    chosen = {NamedNode(iri) for iri in export.iris}
    for node in tuple(chosen):
        acts = store.quads_for_pattern(node, _ACT, None, None)
        chosen |= {quad.object for quad in acts if isinstance(quad.object, NamedNode)}
    told = [quad for node in chosen for quad in store.quads_for_pattern(node, None, None, None)]
    larger = Store(str(folder))
    larger.bulk_extend(store)
    copies = max(0, round(size / max(1, len(export.iris))) - 1)
    larger.bulk_extend(_copies(told, {node: node.value for node in chosen}, copies))
    larger.optimize()
    larger.flush()
    return len(larger)


def _copies(quads: Sequence[Quad], names: Mapping[NamedNode, str], number: int) -> Iterator[Quad]:
    for copy in range(1, number + 1):
        new = {node: NamedNode(f"{name}-copy-{copy}") for node, name in names.items()}
        for quad in quads:
            subject, value = new[quad.subject], quad.object  # type: ignore[index]
            if isinstance(value, NamedNode):
                value = new.get(value, value)
            yield Quad(subject, quad.predicate, value, quad.graph_name)


def measure(folder: Path, queries: Path, profile: str, form: str) -> dict[str, Any]:
    """Export once, in this process, to nowhere."""
    store = Store.read_only(str(folder))
    cpu, start = time.process_time(), time.perf_counter()
    export = Export(read_profile(queries, profile), store)
    records = sum(count for _, count in write_records(export, form))
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - start
    return {
        "profile": profile,
        "records": records,
        "cpu_seconds": round(cpu, 2),
        "seconds": round(seconds, 2),
        "records_a_minute": round(60 * records / cpu),
        "peak_memory": _peak_memory(),
    }


def _peak_memory() -> int:
    """Return the peak of the memory of this program, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        # What getrusage tells holds the peak of the process that this program was started in, too.
        lines = status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    _folder, _queries, _profile, _form = sys.argv[1:]
    sys.stdout.write(json.dumps(measure(Path(_folder), Path(_queries), _profile, _form)))
