"""Releases on disk: immutable folders, one a version, each with a manifest that has the checksum of every file.

    {root}/{version}/manifest.json                  version, commit, time, content hash, hash of every graph, files
    {root}/{version}/culturegraph-{version}.nq.gz   the named graphs as sorted N-Quads (canonical, RDFC-1.0)
    {root}/{version}/…                              the other distributions (see `culturegraph.release`)
    {root}/{version}/SHA256SUMS                     for `sha256sum -c`

Knows how a release lies on disk and neither how one is made nor how it is served.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from culturegraph.errors import NotFoundError, StorageError, UsageError

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
# Calendar versions: year, month, number within the month.
_VERSION: Final = re.compile(r"(20[0-9]{2})\.(0[1-9]|1[0-2])\.(0|[1-9][0-9]*)")


@dataclass(frozen=True)
class Release:
    """One release, as its manifest describes it."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def version(self) -> str:
        """The calendar version."""
        return str(self.manifest["version"])

    @property
    def built(self) -> datetime:
        """The time of the commit that it was made from."""
        return datetime.fromisoformat(self.manifest["built"])

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        """Size in bytes and SHA-256 of every file, by name."""
        files: Mapping[str, Mapping[str, Any]] = self.manifest["files"]
        return files

    @property
    def nquads(self) -> Path:
        """The named graphs as sorted N-Quads, compressed by gzip."""
        return self.path / f"culturegraph-{self.version}.nq.gz"

    def lines(self) -> Iterator[bytes]:
        """Yield the sorted N-Quads lines. Raises StorageError where the file is missing or cut off."""
        return read_lines(self.nquads)


def parse_version(text: str) -> tuple[int, int, int]:
    """Return year, month and number of a calendar version. Raises UsageError for anything else."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no version: year, month and number within the month, such as 2026.11.0")
    year, month, number = match.groups()
    return int(year), int(month), int(number)


def list_releases(root: Path) -> list[Release]:
    """Return all releases, newest version first. Raises StorageError where a manifest is damaged."""
    return list(_list(root, identify_releases(root)))


def identify_releases(root: Path) -> str:
    """Return what changes when a release is added or redacted: both rename a folder here. Cheap to ask for."""
    try:
        return str(root.stat().st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=16)
def _list(root: Path, _identity: str) -> tuple[Release, ...]:
    if not root.is_dir():
        return ()
    names = [path.name for path in root.iterdir() if _VERSION.fullmatch(path.name) and (path / MANIFEST).is_file()]
    return tuple(_read(root / name) for name in sorted(names, key=parse_version, reverse=True))


def find_release(root: Path, version: str) -> Release:
    """Return a release. Raises NotFoundError where there is none of the version, StorageError where it is damaged."""
    # Checked first: what is no version never becomes part of a path.
    if _VERSION.fullmatch(version) is None or not (root / version / MANIFEST).is_file():
        known = ", ".join(release.version for release in list_releases(root)) or "none"
        raise NotFoundError(f"there is no release {version!r} (there are: {known})")
    return _read(root / version)


def _read(path: Path) -> Release:
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise StorageError(f"the release {path.name} is damaged: {MANIFEST}: {error}") from error
    if not isinstance(manifest, dict) or not {"version", "built", "files"} <= manifest.keys():
        raise StorageError(f"the release {path.name} is damaged: {MANIFEST} is incomplete")
    return Release(path, manifest)


def verify(release: Release) -> None:
    """Raise StorageError, naming the file, where a file of the release is not as it was released."""
    for name, expected in release.files.items():
        path = release.path / name
        if not path.is_file():
            raise StorageError(f"release {release.version}: {name} is missing")
        found = checksum(path)
        if found != expected["sha256"]:
            raise StorageError(f"release {release.version}: {name} has the checksum {found}, not {expected['sha256']}")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of an N-Quads file, compressed or not. Raises StorageError where it cannot be read to its end."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield from file
    except (OSError, EOFError) as error:
        raise StorageError(f"{path} cannot be read: {error}") from error


def find_marks(folder: Path, marks: Iterable[bytes]) -> list[str]:
    """Return the files of a release, members of archives included, in whose bytes one of some expressions is found."""
    found = [re.compile(mark) for mark in marks]
    return [
        name
        for path in sorted(folder.iterdir())
        for name, data in _contents(path)
        if any(mark.search(data) for mark in found)
    ]


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{path.name}/{name}", archive.read(name)
    elif path.suffix == ".gz":
        yield path.name, gzip.decompress(path.read_bytes())
    elif path.is_file():
        yield path.name, path.read_bytes()
