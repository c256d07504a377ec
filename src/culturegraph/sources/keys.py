"""Keys of rows that were seen, on disk: memory stays flat however many rows there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_CACHE_KIB = 8_000
# Stands in no cell: rows are split into cells on text, and this is a control character that cells may not hold.
_BETWEEN = "\x1f"


class KeyIndex:
    """Which key was first seen in which row, by space (a table and its columns)."""

    def __init__(self) -> None:
        # An empty name is a private file that is deleted on closing.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._database.execute(f"PRAGMA {statement}")
        self._database.execute(
            "CREATE TABLE keys (space TEXT, key TEXT, row INTEGER, PRIMARY KEY (space, key)) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def add(self, space: str, key: Sequence[str], row: int) -> int | None:
        """Remember a key; return the row that had it before, or None where it is new."""
        joined = _BETWEEN.join(key)
        made = self._database.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", (space, joined, row))
        return None if made.rowcount else self.find(space, key)

    def find(self, space: str, key: Sequence[str]) -> int | None:
        """Return the row that has a key, or None."""
        found = self._database.execute(
            "SELECT row FROM keys WHERE space = ? AND key = ?", (space, _BETWEEN.join(key))
        ).fetchone()
        return None if found is None else int(found[0])

    def close(self) -> None:
        """Delete the index."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
