"""Pages that were made once: what a snapshot says does not change, so the same request has the same answer.

Kept under the ETag, which stands for all that an answer depends on (snapshot, software, address, language, format);
compressed, as most clients want them. Bounded by bytes; what was asked for longest ago goes first.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

MAX_BYTES: Final = 32_000_000
# As the middleware that compresses all other answers; what is smaller is kept as it is.
LEVEL: Final = 5
SMALL: Final = 1000


@dataclass(frozen=True)
class _Kept:
    body: bytes
    is_compressed: bool
    headers: tuple[tuple[bytes, bytes], ...]

    def respond(self, *, compressed: bool) -> Response:
        """Return a new response, compressed or not."""
        body = gzip.decompress(self.body) if self.is_compressed and not compressed else self.body
        response = Response(body)
        response.raw_headers = list(self.headers)
        if self.is_compressed:
            headers = MutableHeaders(raw=response.raw_headers)
            headers.add_vary_header("Accept-Encoding")
            if compressed:
                headers["Content-Encoding"] = "gzip"
                headers["Content-Length"] = str(len(body))
        return response


class KeptPages:
    """Answers by ETag, shared by the threads of a server."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._size = max_bytes, 0
        self._pages: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tag: str, *, compressed: bool = False) -> Response | None:
        """Return a new response like the one that was kept."""
        with self._lock:
            kept = self._pages.get(tag)
            if kept is None:
                return None
            self._pages.move_to_end(tag)
        return kept.respond(compressed=compressed)

    def keep(self, tag: str, response: Response, *, compressed: bool = False) -> Response:
        """Keep an answer that is a success and is whole; return it as the client wants it."""
        body = bytes(response.body)
        if response.status_code != 200:
            return response
        is_compressed = len(body) >= SMALL
        stored = gzip.compress(body, LEVEL, mtime=0) if is_compressed else body
        if len(stored) > self._max_bytes // 8:
            return response
        kept = _Kept(stored, is_compressed, tuple(response.raw_headers))
        with self._lock:
            if tag not in self._pages:
                self._pages[tag] = kept
                self._size += len(stored)
                while self._size > self._max_bytes:
                    self._size -= len(self._pages.popitem(last=False)[1].body)
        return kept.respond(compressed=True) if compressed else response


def wants_compressed(request: Request) -> bool:
    """Say whether a client reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")
