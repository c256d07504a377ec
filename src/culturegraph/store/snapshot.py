"""Published snapshots: immutable directories of which one is current. Owns their layout and opens them.

    {root}/lock                          held (flock) while a snapshot is built
    {root}/current                       symbolic link to snapshots/{name}, swapped by rename
    {root}/snapshots/{name}/store/       the graph: named graphs as built, their merge in the default graph
    {root}/snapshots/{name}/quads.nq     the same as N-Quads, which loads into memory fastest (small snapshots only)
    {root}/snapshots/{name}/names.sqlite    the text index of the merge
    {root}/snapshots/{name}/manifest.json   version, content hash, counts, size and SHA-256 of every file

`publishing` writes them. A read-only store never sees later writes, hence a new directory for every build. A reader
holds a shared lock on the manifest of its snapshot, so that pruning leaves alone what is still being read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pyoxigraph import Quad, RdfFormat, Store, parse

from culturegraph.errors import StorageError
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import LABEL, TYPE
from culturegraph.store.statement_index import StatementIndex
from culturegraph.store.text_index import TextIndex

CURRENT: Final = "current"
SNAPSHOTS: Final = "snapshots"
MANIFEST: Final = "manifest.json"
STORE: Final = "store"
QUADS: Final = "quads.nq"
TEXT_INDEX: Final = "names.sqlite"
STATEMENTS: Final = "statements"
# Bytes up to which opening a snapshot checks every checksum; above, sizes only (the store checks blocks as it reads).
_CHECKSUM_LIMIT: Final = 256_000_000
# Times that a reader tries to get hold of a snapshot while others publish.
_ATTEMPTS: Final = 5
_SCANNED: Final = (TYPE, LABEL)


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
class Published:
    """What is told of a published snapshot."""

    path: Path
    manifest: Mapping[str, Any]

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

    @cached_property
    def key(self) -> str:
        """What stands for the content in ETags and caches: a text that is the same on whatever machine.

        The same graph built from the same inputs has the same, so the replicas of a server give the same ETag, wherever
        each has its snapshot from. A snapshot whose inputs nobody told has a key of its own.
        """
        manifest = self.manifest
        inputs = manifest.get("fingerprint") or manifest.get("inputs")
        if not inputs:
            return self.identity
        names = ("version", "content_hash", "built", "triples", "quads_by_graph")
        told = json.dumps([inputs, *(manifest.get(name) for name in names)], sort_keys=True)
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()

    @property
    def triples(self) -> int:
        """The number of distinct triples: those of the merge."""
        return int(self.manifest["triples"])


@dataclass(frozen=True)
class Snapshot(Published):
    """A published snapshot, open for reading."""

    store: Dataset
    _hold: _Hold | None = field(default=None, repr=False, compare=False)
    is_in_memory: bool = False

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

    def close(self) -> None:
        """Let go of the snapshot, so that a later build may remove it."""
        if self._hold is not None:
            self._hold.close()


@dataclass(frozen=True)
class Held(Published):
    """A published snapshot that nothing removes as long as this is there; not yet open."""

    _hold: _Hold = field(repr=False, compare=False)

    def load(self, *, in_memory: bool) -> Snapshot:
        """Open it: read-only on disk, or loaded into memory. Raises StorageError where it is damaged."""
        quads = self.path / QUADS
        try:
            disk = None if in_memory and quads.is_file() else Store.read_only(str(self.path / STORE))
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


def read_current_manifest(root: Path) -> Mapping[str, Any]:
    """Return what is told of the published snapshot, without opening it. Raises StorageError as `open_current` does."""
    path = _find_current(root)
    try:
        return _read_manifest(path / MANIFEST)
    except (OSError, ValueError) as error:
        raise _damaged(root, path, error) from error


def count_quads(manifest: Mapping[str, Any]) -> int:
    """Return the number of quads that a store holds, the merge included."""
    return int(manifest["triples"] + sum(manifest.get("quads_by_graph", {}).values()))


def find_published(root: Path) -> str:
    """Return the identity of the published snapshot (see `Snapshot.identity`), or "" where none can be read."""
    try:
        path = _find_current(root)
        return Published(path, _read_manifest(path / MANIFEST)).identity
    except (OSError, ValueError, StorageError):
        return ""


def open_current(root: Path, *, in_memory: bool = False) -> Snapshot:
    """Open the published snapshot: read-only on disk, or loaded into memory where it is small and `in_memory` is set.

    Raises StorageError, which says what to do, where none is published or it is damaged.
    """
    held = hold_current(root)
    return held.load(in_memory=in_memory and (held.path / QUADS).is_file())


def _find_current(root: Path) -> Path:
    link = root / CURRENT
    if not link.is_symlink():
        raise StorageError(f"no snapshot is published in {root}; run `culturegraph build`")
    return link.resolve()


def _damaged(root: Path, path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"the published snapshot {path} is damaged ({error}); run `culturegraph build` to publish it anew, "
        f"or point {root / CURRENT} to an earlier one in {root / SNAPSHOTS}"
    )


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
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
            if checksum(path / name) != expected["sha256"]:
                raise ValueError(f"{name} does not have its checksum")
