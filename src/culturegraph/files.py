"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

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
