"""Files that appear whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from culturegraph.errors import StorageError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file by way of a neighbour that is then renamed. Raises StorageError where it cannot be written."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def writing(path: Path | None, fallback: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """Open a file that takes its place once everything is written; without a path, a fallback or standard output.

    Raises StorageError where it cannot be written.
    """
    if path is None:
        yield fallback or sys.stdout.buffer
        return
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
