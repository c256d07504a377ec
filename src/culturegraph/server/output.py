"""How an answer leaves an evaluator: in one piece where it is small, else in frames as it is evaluated.

Source: RFC 9112 §7.1 (chunked), RFC 8878 (zstd), RFC 1952 (gzip).
"""

from __future__ import annotations

import select
import socket
import zlib
from collections.abc import Callable
from functools import lru_cache
from math import inf
from time import gmtime, strftime
from typing import Final, Protocol

import zstandard

from culturegraph.protocols.headers import COMMON
from culturegraph.protocols.problems import PROBLEM, RETRY_AFTER, TEXT, Problem
from culturegraph.rdf.formats import choose
from culturegraph.server.board import STREAMING, Board, now
from culturegraph.store.evaluation import TooLargeError

FRAME: Final = 64 * 1024
# Less is not worth packing.
SMALLEST_PACKED: Final = 1000
_GZIP_LEVEL, _ZSTD_LEVEL = 5, 3
_COMMON: Final = b"".join(b"%s: %s\r\n" % header for header in COMMON)
_REASONS: Final = {
    200: b"OK",
    304: b"Not Modified",
    400: b"Bad Request",
    406: b"Not Acceptable",
    413: b"Content Too Large",
    415: b"Unsupported Media Type",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}


class ClientGoneError(Exception):
    """The client closed its connection, or reads nothing for too long."""


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def make_packer(coding: str | None) -> _Packer | None:
    """Return what packs a stream in a content coding."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    return zlib.compressobj(_GZIP_LEVEL, wbits=31) if coding == "gzip" else None


def pack(data: bytes, coding: str | None) -> bytes:
    """Return data in a content coding."""
    packer = make_packer(coding)
    return data if packer is None else packer.compress(data) + packer.flush()


def unpack(data: bytes, coding: str | None) -> bytes:
    """Return what `pack` was given."""
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return zlib.decompress(data, wbits=31) if coding == "gzip" else data


def make_head(status: int, headers: bytes) -> bytes:
    """Return the head of a response as far as its headers are known; an empty line must follow."""
    return b"HTTP/1.1 %d %s\r\n%s%s" % (status, _REASONS[status], _COMMON, headers)


@lru_cache(256)
def head_of(content_type: str, coding: str | None) -> bytes:
    """Return the head of an answer of a content type in a content coding, as `make_head` does."""
    lines = b"content-type: %s\r\nvary: Accept, Accept-Encoding\r\n" % content_type.encode()
    return make_head(200, lines + (b"content-encoding: %s\r\n" % coding.encode() if coding else b""))


@lru_cache(256)
def wants_problem(accept: str | None) -> bool:
    """Say whether a client would rather have problem details than text."""
    return choose(accept, None, (TEXT, PROBLEM)) is PROBLEM


def make_problem(problem: Problem, *, as_json: bool, tail: bytes) -> bytes:
    """Return the whole response that tells of a problem."""
    body = problem.to_body(PROBLEM if as_json else TEXT)
    lines = b"content-type: %s\r\nvary: Accept\r\n" % (PROBLEM if as_json else TEXT).content_type.encode()
    if problem.status in RETRY_AFTER:
        lines += b"retry-after: %s\r\n" % RETRY_AFTER[problem.status].encode()
    return make_head(problem.status, lines) + tail + b"content-length: %d\r\n\r\n%s" % (len(body), body)


class Clock:
    """The Date header, made anew each second."""

    def __init__(self) -> None:
        self._until, self._header = 0.0, b""

    def header(self, time: float) -> bytes:
        """Return the header line for a monotonic time."""
        if time >= self._until:
            self._until = time + 1.0
            self._header = strftime("date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime()).encode()
        return self._header


class Channel:
    """The socket of the client that is served. Waits where it is slow, and gives it that time on top of the limit."""

    def __init__(self, board: Board, slot: int, stall: float) -> None:
        self.connection: socket.socket
        self._board, self._slot, self._stall = board, slot, stall

    def mark_streaming(self) -> None:
        """Say that from now on part of the answer may be out."""
        self._board.state[self._slot] = STREAMING

    def send_last(self, data: bytes) -> None:
        """Send what is left of an answer: all of it is there, so that no time limit holds. Raises ClientGoneError."""
        self._board.state[self._slot] = STREAMING
        self._board.deadline[self._slot] = inf
        self.send(data)

    def send(self, data: bytes) -> None:
        """Send all of it. Raises ClientGoneError."""
        try:
            sent = self.connection.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise ClientGoneError from error
        if sent < len(data):
            self._send_rest(memoryview(data)[sent:])

    def _send_rest(self, data: memoryview) -> None:
        poll = select.poll()
        poll.register(self.connection, select.POLLOUT)
        while data:
            waited_from = now()
            # The supervisor's clock stands still meanwhile: it is the client that takes the time.
            self._board.deadline[self._slot] += self._stall + 1.0
            if not poll.poll(self._stall * 1000):
                raise ClientGoneError
            self._board.deadline[self._slot] -= self._stall + 1.0 - (now() - waited_from)
            try:
                data = data[self.connection.send(data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ClientGoneError from error


class Body:
    """A binary file whose content is a response's body. The head goes out with the first frame, or with all."""

    __slots__ = (
        "_buffer", "_channel", "_keep", "_limit", "_packer",
        "coding", "head", "is_begun", "is_chunked", "is_single", "kept", "size",
    )  # fmt: skip

    def __init__(self, channel: Channel, limit: int, coding: str | None, is_chunked: bool, keep: int = 0) -> None:
        self.is_begun = False
        self.head: Callable[[], bytes] = bytes
        self.is_chunked = is_chunked
        # Whether all went out in one piece, with its length.
        self.is_single = False
        self.size = 0
        # What has gone out, as packed, as long as it has no more than `keep` bytes.
        self.kept: list[bytes] | None = [] if keep else None
        self.coding = coding
        self._channel, self._limit, self._keep = channel, limit, keep
        self._packer: _Packer | None = None
        self._buffer = bytearray()

    def write(self, data: bytes, /) -> int:
        """Take a piece. Raises TooLargeError over the limit, ClientGoneError."""
        self._buffer += data
        if len(self._buffer) >= FRAME:
            self._check_size()
            self._send_frame()
        return len(data)

    def flush(self) -> None:
        """Do nothing: frames go out when they are full."""

    def finish(self) -> None:
        """Send what remains, and the end."""
        self._check_size()
        if self.is_begun:
            self._send_frame(is_last=True)
            return
        data = bytes(self._buffer)
        if self.coding is not None:
            if len(data) < SMALLEST_PACKED:
                self.coding = None
            data = pack(data, self.coding)
        self.is_begun = self.is_single = True
        self.size = len(data)
        if self.kept is not None:
            self._note(data)
        head, self.head = self.head(), bytes  # Nothing that knows this body is kept by it.
        self._channel.send_last(b"%scontent-length: %d\r\n\r\n%s" % (head, len(data), data))

    def _check_size(self) -> None:
        self.size += len(self._buffer)
        if self.size > self._limit:
            raise TooLargeError(f"an answer may have {self._limit:,} bytes")

    def _send_frame(self, *, is_last: bool = False) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        if self.coding:
            if self._packer is None:
                self._packer = make_packer(self.coding)
            assert self._packer is not None
            data = self._packer.compress(data) + (self._packer.flush() if is_last else b"")
        self._note(data)
        framed = b"%x\r\n%s\r\n" % (len(data), data) if self.is_chunked and data else data
        if not self.is_begun:
            self.is_begun = True
            self._channel.mark_streaming()
            end = b"transfer-encoding: chunked\r\n\r\n" if self.is_chunked else b"\r\n"
            framed = self.head() + end + framed
        if is_last:
            self._channel.send_last(framed + b"0\r\n\r\n" if self.is_chunked else framed)
        elif framed:
            self._channel.send(framed)

    def _note(self, data: bytes) -> None:
        if self.kept is not None:
            self.kept.append(data)
            self._keep -= len(data)
            if self._keep < 0:
                self.kept = None
