"""The files of whole profiles that a server gives away: made when first asked for, kept beside the snapshot.

A file belongs to one snapshot and one state of the profile; it goes when the snapshot goes.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from culturegraph import __version__
from culturegraph.errors import StorageError
from culturegraph.exports.profiles.bulk import Progress, write_profile
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.profile import Profile
from culturegraph.store.snapshot import Snapshot

# Below a snapshot.
FOLDER: Final = "exports"
_LOCKS: Final[dict[Path, threading.Lock]] = {}
_GUARD: Final = threading.Lock()


class ExportFiles:
    """The compressed files of the profiles of one snapshot, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[Path, str] = {}

    def find(self, export: Export, form: str, progress: Progress | None = None) -> Path:
        """Return the file (gzip) of a profile in a format, which is made where there is none yet.

        Raises NotFoundError where the profile is not offered in the format, StorageError where it cannot be written.
        """
        form = export.profile.check_format(form)
        # Only what a writer makes has words around the data.
        language = f"-{export.language}" if export.profile.writer else ""
        path = self._folder / f"{export.profile.id}-{export.profile.revision}-{__version__}{language}.{form}.gz"
        with _GUARD:
            lock = _LOCKS.setdefault(path, threading.Lock())
        with lock:
            if not path.is_file():
                self._make(export, form, path, progress)
        return path

    def _make(self, export: Export, form: str, path: Path, progress: Progress | None) -> None:
        # Another process may make the same file: each has its own until it takes its place.
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_profile(export, form, partial, progress, packed=True)
            partial.replace(path)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file, in hexadecimal digits."""
        if path not in self._digests:
            with path.open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[path]


def make_files(profiles: Sequence[Profile], snapshot: Snapshot, progress: Progress | None = None) -> int:
    """Make the files of all profiles that a server of a snapshot gives away; return their number."""
    files, number = ExportFiles(snapshot.path / FOLDER), 0
    for profile in profiles:
        export = Export(profile, snapshot.store)
        for form in profile.formats:
            files.find(export, form, progress)
            number += 1
    return number
