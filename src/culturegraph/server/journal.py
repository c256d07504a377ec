"""The access log and the log of slow queries: one JSON object a line, written at once so that processes do not mix."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime

from culturegraph.settings import Settings

_QUERY = 2000


class Journal:
    """Writes what queries took. Open it before the processes that share it are forked."""

    def __init__(self, settings: Settings) -> None:
        self._slow = settings.slow_query
        self._descriptor: int | None = None
        if settings.access_log is not None:
            self._descriptor = os.open(settings.access_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    @property
    def descriptors(self) -> set[int]:
        """The open files of this log."""
        return set() if self._descriptor is None else {self._descriptor}

    def wants(self, seconds: float) -> bool:
        """Say whether a request that took so long is written down."""
        return self._descriptor is not None or seconds >= self._slow

    def write(
        self, *, request_id: str, client: str, outcome: str, status: int, seconds: float, size: int, query: str
    ) -> None:
        """Write down one request to /sparql; a slow one also on standard error."""
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request": request_id,
            "client": client,
            "outcome": outcome,
            "status": status,
            "seconds": round(seconds, 6),
            "bytes": size,
            "query": query[:_QUERY],
        }
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
        # A full disk or a closed terminal must not end an evaluator.
        with suppress(OSError):
            if self._descriptor is not None:
                os.write(self._descriptor, line)
            if seconds >= self._slow:
                os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"slow query " + line)
