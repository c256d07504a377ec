"""Files that are written as they are made, and appear whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from culturegraph.errors import StorageError


@contextmanager
def writing(path: Path | None) -> Iterator[BinaryIO]:
    """Open a file that takes its place only when everything is written; without a path, standard output.

    Raises StorageError where it cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
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
