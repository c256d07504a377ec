"""Keys of rows that were seen, on disk: memory stays flat however many rows there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_CACHE_KIB = 8_000
# Keys that were found are remembered, so many at most: most references lead to few rows.
_REMEMBERED = 4096
# Stands in no cell: rows are split into cells on text, and this is a control character that cells may not hold.
_BETWEEN = "\x1f"


class KeyIndex:
    """Which key was first seen in which row, by space (a table and its columns)."""

    def __init__(self, path: Path | None = None) -> None:
        """Begin an empty index: in a private file that is deleted on closing, or in one that others open later."""
        self._database = sqlite3.connect(path or "", isolation_level=None)
        for statement in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._database.execute(f"PRAGMA {statement}")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS keys"
            " (space TEXT, key TEXT, row INTEGER, PRIMARY KEY (space, key)) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")
        self._found: dict[tuple[str, str], int] = {}

    @classmethod
    def reopen(cls, path: Path) -> KeyIndex:
        """Open an index that another process has made and closed, to find keys in it."""
        index = cls.__new__(cls)
        index._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        index._found = {}
        return index

    def add(self, space: str, key: Sequence[str], row: int) -> int | None:
        """Remember a key; return the row that had it before, or None where it is new."""
        joined = _BETWEEN.join(key)
        made = self._database.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", (space, joined, row))
        return None if made.rowcount else self.find(space, key)

    def find(self, space: str, key: Sequence[str]) -> int | None:
        """Return the row that has a key, or None."""
        joined = _BETWEEN.join(key)
        known = self._found.get((space, joined))
        if known is not None:
            return known
        found = self._database.execute("SELECT row FROM keys WHERE space = ? AND key = ?", (space, joined)).fetchone()
        if found is None:
            return None
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        row = self._found[space, joined] = int(found[0])
        return row

    def close(self) -> None:
        """Close the index; what no file was named for is gone."""
        if self._database.in_transaction:
            self._database.execute("COMMIT")
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
