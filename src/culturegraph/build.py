"""From files to a published snapshot: the only module that knows the order of the steps.

sources → gate → rules → shapes → catalogue → snapshot. A step that fails raises and leaves the published snapshot as
it was. The same files give the same quads, byte for byte, and the same content hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pyoxigraph import Quad, Store

from culturegraph import __version__
from culturegraph.catalogue import BuildInfo, describe
from culturegraph.errors import DataError, DataErrors, InvalidGraphError, StorageError
from culturegraph.freshness import INPUTS, fingerprint
from culturegraph.geometry import describe_geometry
from culturegraph.protocols.maps import GEOMETRY as OUTLINES
from culturegraph.queries import read_queries
from culturegraph.rdf.canonical import canonicalise, content_hash
from culturegraph.rdf.graphs import INFERRED, VALIDATION, merge, read_quads, read_rdf
from culturegraph.reasoning import Inconsistency, close, read_rules
from culturegraph.settings import Settings
from culturegraph.sources.bundle import read_bundle
from culturegraph.sources.restrictions import NOTHING, Restrictions, open_gate, read_restrictions, spread
from culturegraph.sources.tables import Origin
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import Snapshot, read_current_manifest
from culturegraph.validation import Report, validate

REPORT_FILE = "validation-report.ttl"

Progress = Callable[[str], AbstractContextManager[None]]


@contextmanager
def silent(_step: str) -> Iterator[None]:
    """Report nothing."""
    yield


@dataclass(frozen=True)
class Build:
    """What a build made: its quads, its report, and what is told of it."""

    snapshot: Snapshot
    report: Report
    content_hash: str
    quads_by_graph: Mapping[str, int]
    seconds_by_step: Mapping[str, float]
    has_hidden: bool = False
    # Restrictions that cover nothing, located.
    idle: Sequence[DataError] = ()


@dataclass
class Clock:
    """Times the steps while it shows them."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step, and show it."""
        start = time.perf_counter()
        with self.progress(name):
            yield
        self.seconds[name] = time.perf_counter() - start


def build_time(root: Path) -> datetime:
    """Return the time that a build states: SOURCE_DATE_EPOCH, else the last commit's, else the newest input's."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch.isdigit():
        found = subprocess.run(
            ["git", "-C", str(root), "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False
        )
        epoch = found.stdout.strip()
    if not epoch.isdigit():
        epoch = str(int(max((path.stat().st_mtime for p in INPUTS for path in root.glob(p)), default=0)))
    return datetime.fromtimestamp(int(epoch), UTC)


def read_shapes(folder: Path) -> list[Quad]:
    """Return the triples of all shapes below a folder. Raises DataError, located, where a file does not parse."""
    return [quad for path in sorted(folder.rglob("*.ttl")) for quad in read_rdf(path, VALIDATION)]


def memory_store(quads: Sequence[Quad]) -> Store:
    """Return an in-memory store of the merge: each triple once, in the default graph."""
    store = Store()
    store.bulk_extend(merge(quads))
    return store


@dataclass(frozen=True)
class Assembled:
    """Asserted and inferred quads, canonical, with the cells that the asserted ones come from and the rows read."""

    quads: Sequence[Quad]
    origin: Mapping[Quad, Origin]
    rows: Mapping[str, int]
    hidden: Restrictions = NOTHING
    idle: Sequence[DataError] = ()


def assemble(
    settings: Settings,
    progress: Progress = silent,
    *,
    replacements: Mapping[str, Path] | None = None,
) -> Assembled:
    """Read everything, let out what may go out, and infer what the rules say.

    `replacements` are read in place of the tables that they name.

    Raises DataErrors with every fault of the files, InvalidGraphError where statements contradict each other,
    StorageError where the private folder that the settings name cannot be read.
    """
    with progress("sources"):
        bundle = read_bundle(settings.data, settings.ontology, replacements, settings.additions)
    with progress("gate"):
        # Read in a private build too: a table of restrictions that cannot be read is an error there as here.
        restrictions = read_restrictions(settings.private_data)
        hidden = NOTHING if settings.private else spread(restrictions, bundle.quads, bundle.origin)
        asserted = open_gate(bundle.quads, hidden, bundle.origin)
    with progress("rules"):
        closure = close(memory_store(asserted), read_rules(settings.queries / "rules"))
    if closure.inconsistencies:
        raise InvalidGraphError("\n".join(["inconsistent by the rules:", *map(_tell, closure.inconsistencies)]))
    inferred = [Quad(t.subject, t.predicate, t.object, INFERRED) for t in closure.triples]
    if again := hidden.concluded(inferred):
        raise DataErrors(again)
    # After the rules: what they say of blank nodes has a part in the labels of these.
    quads = canonicalise([*asserted, *inferred])
    return Assembled(quads, bundle.origin, bundle.rows, hidden, restrictions.idle(bundle.quads))


def _tell(inconsistency: Inconsistency) -> str:
    premises = " and ".join(str(premise) for premise in (*inconsistency.premises, *inconsistency.axioms))
    return f"{inconsistency.rule.id} ({inconsistency.rule.title['en']}): {premises}"


def _fail(report: Report, folder: Path) -> InvalidGraphError:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT_FILE
    path.write_text(report.to_turtle(), encoding="utf-8")
    return InvalidGraphError(f"not published; the report is in {path}\n{report.to_text()}")


def check_store(settings: Settings) -> None:
    """Raise StorageError where a private snapshot would come beside public ones or the other way round."""
    try:
        is_private = bool(read_current_manifest(settings.store).get("private"))
    except StorageError:
        return
    if is_private != settings.private:
        kinds = ("a private", "the public") if settings.private else ("the public", "a private")
        raise StorageError(f"{kinds[0]} snapshot needs a folder of its own: {settings.store} holds {kinds[1]} one")


def build(
    settings: Settings,
    *,
    progress: Progress = silent,
    engine: Literal["compiled", "pyshacl"] = "compiled",
    allow_violations: bool = False,
) -> Build:
    """Build the bundled graph and publish it.

    Raises DataErrors (every fault of the files), InvalidGraphError (a violation, report written beside the snapshots),
    StorageError (the store folder). The published snapshot is unharmed by any of them.
    """
    clock = Clock(progress)
    check_store(settings)
    made = compose(settings, clock, engine=engine, allow_violations=allow_violations)
    quads = [*made.quads, *describe_geometry(made.quads, OUTLINES)]
    with clock.step("snapshot"):
        snapshot = publish(
            settings.store,
            quads,
            version=made.info.version,
            metadata={
                "content_hash": made.info.content_hash,
                "fingerprint": fingerprint(settings),
                "built": made.info.built.isoformat(),
                **({"private": True} if settings.private else {}),
            },
            # Earlier snapshots may hold what is hidden now.
            keep=1 if made.has_hidden else settings.keep_snapshots,
        )
    (settings.store / REPORT_FILE).unlink(missing_ok=True)
    counts = count_by_graph(quads)
    return Build(snapshot, made.report, made.info.content_hash, counts, clock.seconds, made.has_hidden, made.idle)


@dataclass(frozen=True)
class Composed:
    """Every quad of a build with its report, before anything is written."""

    quads: Sequence[Quad]
    report: Report
    info: BuildInfo
    has_hidden: bool = False
    idle: Sequence[DataError] = ()


def compose(
    settings: Settings,
    clock: Clock,
    *,
    version: str | None = None,
    built: datetime | None = None,
    engine: Literal["compiled", "pyshacl"] = "compiled",
    allow_violations: bool = False,
) -> Composed:
    """Return the whole graph: sources, inferences, report and catalogue; the version is that of its content by default.

    Raises what `build` raises, save what concerns the snapshot.
    """
    assembled = assemble(settings, clock.step)
    quads = assembled.quads
    with clock.step("shapes"):
        report = validate(quads, read_shapes(settings.shapes), engine=engine, origin=assembled.origin)
        if report.violations and not allow_violations:
            raise _fail(report, settings.store)
    with clock.step("catalogue"):
        digest = content_hash(quads)
        info = BuildInfo(
            version or digest[:16], digest, built or build_time(settings.root), f"culturegraph {__version__}"
        )
        reported = report.to_quads(VALIDATION)
        queries = [q for q in read_queries(settings.queries) if q.kind in {"competency", "examples", "dashboards"}]
        catalogue = describe(memory_store(quads), [*quads, *reported], queries, info)
    whole = [*quads, *reported, *catalogue]
    check_hidden(settings, whole, assembled.hidden)
    return Composed(whole, report, info, bool(assembled.hidden), assembled.idle)


def check_hidden(settings: Settings, quads: Sequence[Quad], hidden: Restrictions) -> None:
    """Raise InvalidGraphError where something hidden stands in a quad after all, or in a file that a server shows.

    Nothing passes the gate; but a comment of the ontology or the text of a question may name what came to be hidden.
    """
    if not hidden:
        return
    mark = re.compile(b"|".join(hidden.marks()))
    found = [f"in what is said of {quad.subject}" for quad in quads if mark.search(str(quad).encode())]
    shown = (path for pattern in INPUTS if not pattern.startswith("data/") for path in settings.root.glob(pattern))
    found += [str(path.relative_to(settings.root)) for path in sorted(shown) if mark.search(path.read_bytes())]
    if found:
        raise InvalidGraphError("not published: something restricted stands " + "; ".join(found[:20]))


def build_from_quads(settings: Settings, paths: Sequence[Path], *, progress: Progress = silent) -> Build:
    """Publish a snapshot straight from N-Quads or TriG files: no tables, rules or shapes."""
    clock = Clock(progress)
    check_store(settings)
    with clock.step("sources"):
        quads = canonicalise(read_quads(paths))
    with clock.step("snapshot"):
        digest = content_hash(quads)
        inputs = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()
        metadata = {"content_hash": digest, "built": build_time(settings.root).isoformat(), "inputs": inputs}
        snapshot = publish(settings.store, quads, version=digest[:16], metadata=metadata, keep=settings.keep_snapshots)
    return Build(snapshot, Report.of(()), digest, count_by_graph(quads), clock.seconds)


def count_by_graph(quads: Sequence[Quad]) -> dict[str, int]:
    """Return the number of quads of each named graph, by graph IRI, largest first."""
    counts = Counter(getattr(quad.graph_name, "value", "") for quad in quads)
    return dict(counts.most_common())
