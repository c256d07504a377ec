"""Pages that were made once: what a snapshot says does not change, so the same request has the same answer.

Kept under the ETag, which stands for all that an answer depends on (snapshot, software, address, language, format).
Bounded by bytes; what was asked for longest ago goes first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

MAX_BYTES: Final = 32_000_000


@dataclass(frozen=True)
class _Kept:
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class KeptPages:
    """Answers by ETag, shared by the threads of a server."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._size = max_bytes, 0
        self._pages: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tag: str) -> Response | None:
        """Return a new response like the one that was kept."""
        with self._lock:
            kept = self._pages.get(tag)
            if kept is None:
                return None
            self._pages.move_to_end(tag)
        response = Response(kept.body)
        response.raw_headers = list(kept.headers)
        return response

    def keep(self, tag: str, response: Response) -> None:
        """Keep an answer that is a success and is whole."""
        body = bytes(response.body)
        if response.status_code != 200 or len(body) > self._max_bytes // 8:
            return
        with self._lock:
            if tag in self._pages:
                return
            self._pages[tag] = _Kept(body, tuple(response.raw_headers))
            self._size += len(body)
            while self._size > self._max_bytes:
                self._size -= len(self._pages.popitem(last=False)[1].body)
