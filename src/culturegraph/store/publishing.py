"""Publishing a snapshot: written whole beside the others, made current in one step, the oldest removed.

One build at a time, under the lock of the store folder. The layout is told in `snapshot`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pyoxigraph import DefaultGraph, Quad, RdfFormat, Store

from culturegraph.errors import StorageError
from culturegraph.rdf.graphs import GEOMETRY, VALIDATION
from culturegraph.store.snapshot import (
    CURRENT,
    MANIFEST,
    QUADS,
    SNAPSHOTS,
    STORE,
    TEXT_INDEX,
    Snapshot,
    checksum,
    open_current,
)
from culturegraph.store.text_index_file import write_text_index

# Quads (merge included) up to which a snapshot is also kept as N-Quads and may be held in memory (half a second).
MEMORY_LIMIT: Final = 100_000
# What stays out of the merge: a report tells of the graph, geometry only says again in another form what is known.
_UNMERGED: Final = frozenset({DefaultGraph(), VALIDATION, GEOMETRY})
_PARTIAL: Final = ".partial-"
# What the store engine writes for itself and may touch when it opens.
_UNCHECKED: Final = re.compile(r"LOCK|LOG.*|OPTIONS-.*")


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Hold the lock of a store folder, so that one build at a time publishes. Raises StorageError where it is held."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / "lock").open("ab")
    except OSError as error:
        raise StorageError(f"the store folder {root} cannot be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(f"another build is writing to {root}; wait until it has ended") from error
        yield


def publish(root: Path, quads: Iterable[Quad], *, version: str, metadata: Mapping[str, Any], keep: int = 2) -> Snapshot:
    """Write the quads, and their merge in the default graph, into a new snapshot and make it current.

    Quads are as built: named graphs only (a quad of the default graph goes into the merge as it is). The previous
    `keep` - 1 snapshots stay. Raises StorageError where the folder is unwritable or full or another build runs; the
    published snapshot is then unharmed and nothing half-made is left.
    """
    with exclusive(root):
        snapshots = root / SNAPSHOTS
        try:
            snapshots.mkdir(exist_ok=True)
            for leftover in snapshots.glob(_PARTIAL + "*"):
                shutil.rmtree(leftover, ignore_errors=True)
            partial = snapshots / f"{_PARTIAL}{os.getpid()}"
            try:
                _write(partial, quads, version=version, metadata=metadata)
                path = _free_name(snapshots, version)
                partial.rename(path)
                _sync(snapshots)
                _swap(root, path)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise StorageError(f"the snapshot cannot be written to {root}: {error.strerror or error}") from error
        _prune(root, keep)
    return open_current(root)


def _write(path: Path, quads: Iterable[Quad], *, version: str, metadata: Mapping[str, Any]) -> None:
    path.mkdir()
    store = Store(str(path / STORE))
    # The store is a set: a triple of several graphs reaches its default graph once.
    store.bulk_extend(part for quad in quads for part in _with_merge(quad))
    store.optimize()
    store.flush()
    write_text_index(path / TEXT_INDEX, store)
    counts = _count(store)
    triples = counts.pop("", 0)
    if triples + sum(counts.values()) <= MEMORY_LIMIT:
        store.dump(str(path / QUADS), RdfFormat.N_QUADS)
    del store  # Closes it: only now are its files final.
    manifest = {
        "version": version,
        "published": datetime.now(UTC).isoformat(timespec="seconds"),
        **metadata,
        "triples": triples,
        "quads_by_graph": counts,
        "files": _measure(path),
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (path / MANIFEST).write_text(text, encoding="utf-8")
    for item in (*path.rglob("*"), path):
        _sync(item)


def _with_merge(quad: Quad) -> Iterator[Quad]:
    yield quad
    if quad.graph_name not in _UNMERGED:
        yield Quad(quad.subject, quad.predicate, quad.object)


def _count(store: Store) -> dict[str, int]:
    """Return the number of quads by graph IRI; the default graph has the key ""."""
    # Counted by the engine: reading every quad into Python takes thirty times as long.
    rows: Any = store.query("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    counts = {row["g"].value: int(row["n"].value) for row in rows}
    return {"": len(store) - sum(counts.values()), **dict(sorted(counts.items()))}


def _measure(path: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file below a snapshot that must not change, by relative path."""
    files = sorted(item for item in path.rglob("*") if item.is_file() and not _UNCHECKED.fullmatch(item.name))
    return {
        item.relative_to(path).as_posix(): {"size": item.stat().st_size, "sha256": checksum(item)} for item in files
    }


def _free_name(snapshots: Path, version: str) -> Path:
    """Return a directory name that no snapshot has: the version, numbered where it is built again."""
    stem = re.sub(r"[^\w.+-]", "-", version).strip(".") or "snapshot"
    candidate, number = snapshots / stem, 1
    while candidate.exists():
        number += 1
        candidate = snapshots / f"{stem}-{number}"
    return candidate


def _swap(root: Path, target: Path) -> None:
    """Make `target` the current snapshot in one step: a reader finds the old or the new one."""
    link = root / f".{CURRENT}.new"
    link.unlink(missing_ok=True)
    link.symlink_to(target.relative_to(root))
    link.replace(root / CURRENT)
    _sync(root)


def _prune(root: Path, keep: int) -> None:
    """Remove snapshots beyond the newest `keep`, save those that a reader has open."""
    current = (root / CURRENT).resolve()
    found = sorted((root / SNAPSHOTS).iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    others = [path for path in found if path.resolve() != current]
    for path in others[max(keep, 1) - 1 :]:
        # A reader's lock, or a file that cannot be removed, is no reason to fail: the next build tries again.
        with suppress(OSError):
            if (path / MANIFEST).is_file():
                with (path / MANIFEST).open("rb") as manifest:
                    fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path)
            else:
                shutil.rmtree(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
