"""Published snapshots: immutable directories of which one is current. Owns their layout; knows nothing of queries.

    {root}/lock                          held (flock) while a snapshot is built
    {root}/current                       symbolic link to snapshots/{name}, swapped by rename
    {root}/snapshots/{name}/store/       the graph: named graphs as built, their merge in the default graph
    {root}/snapshots/{name}/quads.nq     the same as N-Quads, which loads into memory fastest (small snapshots only)
    {root}/snapshots/{name}/names.sqlite    the text index of the merge
    {root}/snapshots/{name}/manifest.json   version, content hash, counts, size and SHA-256 of every file

A read-only store never sees later writes, hence a new directory for every build. A reader holds a shared lock on the
manifest of its snapshot, so that pruning leaves alone what is still being read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pyoxigraph import DefaultGraph, Quad, RdfFormat, Store, parse

from culturegraph.errors import StorageError
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import GEOMETRY, VALIDATION
from culturegraph.rdf.vocabulary import LABEL, TYPE
from culturegraph.store.statement_index import StatementIndex
from culturegraph.store.text_index import TextIndex
from culturegraph.store.text_index_file import write_text_index

CURRENT: Final = "current"
MANIFEST: Final = "manifest.json"
TEXT_INDEX: Final = "names.sqlite"
STATEMENTS: Final = "statements"
# Quads (merge included) up to which a snapshot is also kept as N-Quads and may be held in memory (half a second).
MEMORY_LIMIT: Final = 100_000
# Bytes up to which opening a snapshot checks every checksum; above, sizes only (the store checks blocks as it reads).
_CHECKSUM_LIMIT: Final = 256_000_000
# What stays out of the merge: a report tells of the graph, geometry only says again in another form what is known.
_UNMERGED: Final = frozenset({DefaultGraph(), VALIDATION, GEOMETRY})
# Times that a reader tries to get hold of a snapshot while others publish.
_ATTEMPTS: Final = 5
_SCANNED: Final = (TYPE, LABEL)
_PARTIAL: Final = ".partial-"
# What the store engine writes for itself and may touch when it opens.
_UNCHECKED: Final = re.compile(r"LOCK|LOG.*|OPTIONS-.*")


class _Hold:
    """A shared lock on the manifest of a snapshot, let go when the last reference to its snapshot goes."""

    def __init__(self, manifest: Path) -> None:
        # A bare descriptor: a file object would warn that nobody closed it.
        self._descriptor: int | None = os.open(manifest, os.O_RDONLY)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let go before the last reference goes."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            self.close()


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot, open for reading."""

    path: Path
    manifest: Mapping[str, Any]
    store: Dataset
    _hold: _Hold | None = field(default=None, repr=False, compare=False)
    is_in_memory: bool = False

    @property
    def version(self) -> str:
        """The version that the build gave."""
        return str(self.manifest["version"])

    @property
    def built(self) -> datetime:
        """The time that the build states, else the time of publication."""
        return datetime.fromisoformat(str(self.manifest.get("built") or self.manifest["published"]))

    @property
    def identity(self) -> str:
        """A text that differs between any two builds, those of one version included."""
        return f"{self.path.name} {self.manifest.get('published')}"

    @property
    def key(self) -> str:
        """What stands for the content in ETags and caches (see `content_key`)."""
        return content_key(self.path, self.manifest)

    @cached_property
    def text_index(self) -> TextIndex:
        """The names and identifiers of the snapshot; made in memory where the snapshot is older than its file."""
        file = self.path / TEXT_INDEX
        return TextIndex(file) if file.is_file() else TextIndex.of(self.store)

    @cached_property
    def statement_index(self) -> StatementIndex:
        """The statements of the merge by their hash; made in memory where there is no file of them."""
        file = self.path / STATEMENTS
        return StatementIndex.read(file, self.store) if file.is_file() else StatementIndex(self.store)

    @property
    def triples(self) -> int:
        """The number of distinct triples: those of the merge."""
        return int(self.manifest["triples"])

    def close(self) -> None:
        """Let go of the snapshot, so that a later build may remove it."""
        if self._hold is not None:
            self._hold.close()


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
        snapshots = root / "snapshots"
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


def read_current_manifest(root: Path) -> Mapping[str, Any]:
    """Return what is told of the published snapshot, without opening it. Raises StorageError as `open_current` does."""
    path = _find_current(root)
    try:
        return _read_manifest(path / MANIFEST)
    except (OSError, ValueError) as error:
        raise _damaged(root, path, error) from error


@dataclass(frozen=True)
class Held:
    """A published snapshot that nothing removes as long as this is there; not yet open."""

    path: Path
    manifest: Mapping[str, Any]
    _hold: _Hold = field(repr=False, compare=False)

    @property
    def built(self) -> datetime:
        """The time that the build states, else the time of publication."""
        return datetime.fromisoformat(str(self.manifest.get("built") or self.manifest["published"]))

    @property
    def identity(self) -> str:
        """A text that differs between any two builds, those of one version included."""
        return f"{self.path.name} {self.manifest.get('published')}"

    @property
    def key(self) -> str:
        """What stands for the content in ETags and caches (see `content_key`)."""
        return content_key(self.path, self.manifest)

    def load(self, *, in_memory: bool) -> Snapshot:
        """Open it: read-only on disk, or loaded into memory. Raises StorageError where it is damaged."""
        quads = self.path / "quads.nq"
        try:
            disk = None if in_memory and quads.is_file() else Store.read_only(str(self.path / "store"))
            if not in_memory:
                return Snapshot(self.path, self.manifest, disk or Store(), self._hold)
            store = Store()
            # A bulk load would give blank nodes new labels, and the statements that hold them new hashes.
            store.bulk_extend(_by_use(disk) if disk else parse(path=str(quads), format=RdfFormat.N_QUADS))
        except (OSError, ValueError, SyntaxError) as error:
            raise _damaged(self.path.parents[1], self.path, error) from error
        return Snapshot(self.path, self.manifest, store, self._hold, is_in_memory=True)


def _by_use(store: Store) -> Iterator[Quad]:
    """Yield all quads: those that whole scans read side by side, then the rest, each thing's together.

    In memory quads lie as they came. Counting classes takes half the time so, searching labels two thirds.
    """
    for predicate in _SCANNED:
        yield from store.quads_for_pattern(None, predicate, None, None)
    yield from (quad for quad in store if quad.predicate not in _SCANNED)


def content_key(path: Path, manifest: Mapping[str, Any]) -> str:
    """Return a text that is the same for the same graph built from the same inputs, on whatever machine.

    So the replicas of a server give the same ETag, wherever each has its snapshot from. A snapshot whose inputs nobody
    told has a key of its own.
    """
    inputs = manifest.get("fingerprint") or manifest.get("inputs")
    if not inputs:
        return f"{path.name} {manifest.get('published')}"
    names = ("version", "content_hash", "built", "triples", "quads_by_graph")
    told = json.dumps([inputs, *(manifest.get(name) for name in names)], sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def hold_current(root: Path) -> Held:
    """Take hold of the published snapshot. Raises StorageError where none is published or it is damaged."""
    for attempt in range(_ATTEMPTS):
        path = _find_current(root)
        try:
            hold = _Hold(path / MANIFEST)
            manifest = _read_manifest(path / MANIFEST)
            _verify(path, manifest["files"])
        except (OSError, ValueError) as error:
            # A build may have published the next one and removed this in between.
            if path == _find_current(root) or attempt == _ATTEMPTS - 1:
                raise _damaged(root, path, error) from error
            continue
        return Held(path, manifest, hold)
    raise StorageError(f"no snapshot in {root} stays long enough to be opened")


def count_quads(manifest: Mapping[str, Any]) -> int:
    """Return the number of quads that a store holds, the merge included."""
    return int(manifest["triples"] + sum(manifest.get("quads_by_graph", {}).values()))


def find_published(root: Path) -> str:
    """Return the identity of the published snapshot (see `Snapshot.identity`), or "" where none can be read."""
    try:
        path = _find_current(root)
        return f"{path.name} {_read_manifest(path / MANIFEST).get('published')}"
    except (OSError, ValueError, StorageError):
        return ""


def open_current(root: Path, *, in_memory: bool = False) -> Snapshot:
    """Open the published snapshot: read-only on disk, or loaded into memory where it is small and `in_memory` is set.

    Raises StorageError, which says what to do, where none is published or it is damaged.
    """
    held = hold_current(root)
    return held.load(in_memory=in_memory and (held.path / "quads.nq").is_file())


def _find_current(root: Path) -> Path:
    link = root / CURRENT
    if not link.is_symlink():
        raise StorageError(f"no snapshot is published in {root}; run `culturegraph build`")
    return link.resolve()


def _damaged(root: Path, path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"the published snapshot {path} is damaged ({error}); run `culturegraph build` to publish it anew, "
        f"or point {root / CURRENT} to an earlier one in {root / 'snapshots'}"
    )


def _write(path: Path, quads: Iterable[Quad], *, version: str, metadata: Mapping[str, Any]) -> None:
    path.mkdir()
    store = Store(str(path / "store"))
    # The store is a set: a triple of several graphs reaches its default graph once.
    store.bulk_extend(part for quad in quads for part in _with_merge(quad))
    store.optimize()
    store.flush()
    write_text_index(path / TEXT_INDEX, store)
    counts = _count(store)
    triples = counts.pop("", 0)
    if triples + sum(counts.values()) <= MEMORY_LIMIT:
        store.dump(str(path / "quads.nq"), RdfFormat.N_QUADS)
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
        item.relative_to(path).as_posix(): {"size": item.stat().st_size, "sha256": _checksum(item)} for item in files
    }


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(file: Path) -> dict[str, Any]:
    manifest = json.loads(file.read_bytes())
    if not isinstance(manifest, dict) or not {"version", "triples", "files"} <= manifest.keys():
        raise ValueError(f"{MANIFEST} is incomplete")
    return manifest


def _verify(path: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError where a file of the snapshot is missing or not as it was written."""
    for name, expected in files.items():
        file = path / name
        if not file.is_file():
            raise ValueError(f"{name} is missing")
        if file.stat().st_size != expected["size"]:
            raise ValueError(f"{name} has {file.stat().st_size} bytes instead of {expected['size']}")
    if sum(expected["size"] for expected in files.values()) <= _CHECKSUM_LIMIT:
        for name, expected in files.items():
            if _checksum(path / name) != expected["sha256"]:
                raise ValueError(f"{name} does not have its checksum")


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
    found = sorted((root / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
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
