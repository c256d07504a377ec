"""Pages that were made once: what a snapshot says does not change, so the same request has the same answer.

Kept under the ETag, which stands for all that an answer depends on (snapshot, software, address, language, format);
compressed, as most clients want them; in memory that all pages processes share. Bounded by bytes; what was made longest
ago goes first.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from dataclasses import dataclass
from typing import Final, Self

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from culturegraph.server.cache import AnswerCache

# Pages that are known at the most.
_ENTRIES: Final = 1 << 16
# As the middleware that compresses all other answers; what is smaller is kept as it is.
LEVEL: Final = 4
SMALL: Final = 1000


def make_room(max_bytes: int) -> AnswerCache:
    """Return the memory for kept pages. Make it before the processes that share it are forked."""
    return AnswerCache(max_bytes, _ENTRIES)


@dataclass(frozen=True)
class _Kept:
    headers: list[tuple[str, str]]
    is_compressed: bool
    body: bytes

    @classmethod
    def of(cls, response: Response) -> Self:
        body = bytes(response.body)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
        if len(body) < SMALL:
            return cls(headers, False, body)
        return cls(headers, True, gzip.compress(body, LEVEL, mtime=0))

    @classmethod
    def read(cls, data: bytes) -> Self:
        head, _, body = data.partition(b"\n")
        headers, is_compressed = json.loads(head)
        return cls(headers, is_compressed, body)

    def write(self) -> bytes:
        return json.dumps([self.headers, self.is_compressed]).encode() + b"\n" + self.body

    def respond(self, *, compressed: bool) -> Response:
        """Return a new response, compressed or not."""
        body = gzip.decompress(self.body) if self.is_compressed and not compressed else self.body
        response = Response(body)
        response.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        if self.is_compressed:
            headers = MutableHeaders(raw=response.raw_headers)
            headers.add_vary_header("Accept-Encoding")
            if compressed:
                headers["Content-Encoding"] = "gzip"
                headers["Content-Length"] = str(len(body))
        return response


class KeptPages:
    """Answers by ETag, shared by the threads and processes of a server."""

    def __init__(self, room: AnswerCache) -> None:
        self._room = room
        # The lock of the memory is one between processes.
        self._lock = threading.Lock()

    def get(self, tag: str, *, compressed: bool = False) -> Response | None:
        """Return a new response like the one that was kept."""
        data = self._room.get(_digest(tag))
        return None if data is None else _Kept.read(data).respond(compressed=compressed)

    def keep(self, tag: str, response: Response, *, compressed: bool = False) -> Response:
        """Keep an answer that is a success; return it as the client wants it."""
        if response.status_code != 200:
            return response
        kept = _Kept.of(response)
        with self._lock:
            self._room.put(_digest(tag), kept.write())
        return kept.respond(compressed=True) if compressed else response


def _digest(tag: str) -> bytes:
    return hashlib.blake2b(tag.encode(), digest_size=16).digest()


def wants_compressed(request: Request) -> bool:
    """Say whether a client reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")
