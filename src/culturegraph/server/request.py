"""The requests that an evaluator reads itself: whole, plain, to /sparql. Everything else is left to the pages.

Source: RFC 9112 (HTTP/1.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

# A request that is larger goes to the pages, whose event loop waits for many at a time.
MAX_REQUEST: Final = 64 * 1024
# Our own pages send what they have read whole.
MAX_OWN_REQUEST: Final = 1 << 30
_END: Final = b"\r\n\r\n"


@dataclass(slots=True)
class Request:
    """One request, as it was sent."""

    method: str = ""
    target: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    keep_alive: bool = True
    is_old: bool = False  # HTTP/1.0: no chunks

    def header(self, name: bytes) -> str | None:
        """Return a header by its name in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        """Take the target, in one piece or several."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a repeated one is a list."""
        name = name.lower()
        before = self.headers.get(name)
        self.headers[name] = value if before is None else before + b", " + value


class ForeignRequestError(Exception):
    """A request for the pages: not to /sparql, not HTTP, or of a kind that takes more care."""


def read_request(data: bytes | bytearray, largest: int = MAX_REQUEST) -> tuple[Request, int] | None:
    """Return the first request of what has been received and its length in bytes, or None where more must come.

    Raises ForeignRequestError.
    """
    end = data.find(_END)
    if end < 0:
        if len(data) > largest:
            raise ForeignRequestError
        return None
    request = Request()
    parser = HttpRequestParser(request)
    try:
        parser.feed_data(memoryview(data)[: end + 4])
    except (HttpParserError, HttpParserUpgrade) as error:
        raise ForeignRequestError from error
    request.method = parser.get_method().decode()
    request.keep_alive = parser.should_keep_alive()
    request.is_old = parser.get_http_version() != "1.1"
    if request.method not in ("GET", "POST") or request.target.partition(b"?")[0] != b"/sparql":
        raise ForeignRequestError
    if b"transfer-encoding" in request.headers or b"expect" in request.headers:
        raise ForeignRequestError
    length = end + 4 + int(request.headers.get(b"content-length", b"0"))
    if length > largest:
        raise ForeignRequestError
    if length > len(data):
        return None
    request.body = bytes(data[end + 4 : length])
    return request, length
