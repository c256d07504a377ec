"""The requests that an evaluator reads itself: whole, plain, to /sparql. Everything else is left to the pages.

Source: RFC 9112 (HTTP/1.1).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

# A request that is larger goes to the pages, whose event loop waits for many at a time.
MAX_REQUEST: Final = 64 * 1024
# Our own pages send what they have read whole.
MAX_OWN_REQUEST: Final = 1 << 30
_END: Final = b"\r\n\r\n"


# Header sections that are known, and the bytes that each may have.
_KNOWN, _KNOWN_SIZE = 256, 2048
# Without these a target is empty, unless it has something that the parser must judge.
_VISIBLE: Final = bytes(range(0x21, 0x7F))


class Head:
    """What the header section of a request says. Clients send the same one again and again: it is read once."""

    __slots__ = (
        "accept", "accept_encoding", "condition", "content_type", "headers", "is_old", "keep_alive", "target",
    )  # fmt: skip

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.keep_alive = True
        self.is_old = False  # HTTP/1.0: no chunks
        # What is asked of every head, from its headers.
        self.accept: str | None = None
        self.accept_encoding: str | None = None
        self.content_type: str | None = None
        self.condition: str | None = None  # If-None-Match

    def get(self, name: bytes) -> str | None:
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


class Request(NamedTuple):
    """One request, as it was sent."""

    method: str
    target: bytes
    head: Head
    body: bytes = b""


class ForeignRequestError(Exception):
    """A request for the pages: not to /sparql, not HTTP, or of a kind that takes more care."""


_known: Final[dict[bytes, Head]] = {}


def read_request(data: bytes, largest: int = MAX_REQUEST) -> tuple[Request, int] | None:
    """Return the first request of what has been received and its length in bytes, or None where more must come.

    Raises ForeignRequestError.
    """
    line = data.find(b" HTTP/1.1\r\n")
    if (
        (head := _known.get(data[line + 11 :])) is not None
        and data.startswith(b"GET /sparql?")
        and not (target := data[4:line]).translate(None, _VISIBLE)
    ):
        return Request("GET", target, head), len(data)
    return _parse(data, largest)


def _parse(data: bytes, largest: int) -> tuple[Request, int] | None:
    end = data.find(_END)
    if end < 0:
        if len(data) > largest:
            raise ForeignRequestError
        return None
    head = Head()
    parser = HttpRequestParser(head)
    try:
        parser.feed_data(memoryview(data)[: end + 4])
    except (HttpParserError, HttpParserUpgrade) as error:
        raise ForeignRequestError from error
    method, target = parser.get_method().decode(), head.target
    head.is_old = parser.get_http_version() != "1.1"
    # The parser forgets it at the end of a request.
    wishes = {wish.strip() for wish in head.headers.get(b"connection", b"").lower().split(b",")}
    head.keep_alive = b"keep-alive" in wishes if head.is_old else b"close" not in wishes
    head.accept, head.accept_encoding = head.get(b"accept"), head.get(b"accept-encoding")
    head.content_type, head.condition = head.get(b"content-type"), head.get(b"if-none-match")
    if method not in ("GET", "POST") or target.partition(b"?")[0] != b"/sparql":
        raise ForeignRequestError
    if b"transfer-encoding" in head.headers or b"expect" in head.headers:
        raise ForeignRequestError
    length = end + 4 + int(head.headers.get(b"content-length", b"0"))
    if length > largest:
        raise ForeignRequestError
    if length > len(data):
        return None
    if data.startswith(b"GET ") and not head.is_old and length == end + 4:
        _remember(data[data.find(b"\r\n") + 2 : length], head)
    return Request(method, target, head, data[end + 4 : length]), length


def _remember(section: bytes, head: Head) -> None:
    # What names one request comes once.
    if len(section) > _KNOWN_SIZE or b"x-request-id" in head.headers or b"if-none-match" in head.headers:
        return
    if len(_known) >= _KNOWN:
        _known.clear()
    _known[section] = head
