"""Answers of one snapshot in shared memory: a ring that evaluators share, and another one that pages processes share.

It ends with the processes that share it.

    index    digest (two words), place, length      one entry for each value of the digest's last bits
    ring     answer, answer, …                      a new answer overwrites the oldest

Writers hold a lock that the kernel takes back from the dead. Readers hold none: a place counts bytes ever written, so
after copying a reader can tell whether the ring has gone on over what it copied.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import Final

from culturegraph.protocols.headers import CODINGS
from culturegraph.server.output import SMALLEST_PACKED, pack, unpack

ENTRIES: Final = 4096
_WORDS: Final = 4
_CODINGS: Final = (None, *CODINGS)


class AnswerCache:
    """A cache of `size` bytes; none is kept where that is 0. Make it before the processes that share it are forked.

    `entries` is how many answers it knows at the most. A process that writes from several threads takes a lock itself.
    """

    def __init__(self, size: int, entries: int = ENTRIES) -> None:
        self.size, self._entries = size, entries
        self.largest = size // 16
        index = 8 + entries * _WORDS * 8
        memory = memoryview(mmap.mmap(-1, index + max(size, 1)))
        self._head = memory[:8].cast("Q")
        self._index = memory[8:index].cast("Q")
        self._ring = memory[index:]
        self._lock = os.memfd_create("answers")

    def find(self, digest: bytes, coding: str | None) -> tuple[int, bytes, str | None] | None:
        """Return kind, body and coding of an answer, in the wanted coding unless it is small; packs it once."""
        data = self.get(digest)
        if data is None:
            return None
        kind, kept = data[0], _CODINGS[data[1]]
        if kept == coding:
            return kind, data[2:], kept
        variant = digest[:15] + bytes([digest[15] ^ (1 + _CODINGS.index(coding))])
        if (packed := self.get(variant)) is not None:
            return kind, packed[2:], coding
        body = unpack(data[2:], kept)
        if coding is None or len(body) < SMALLEST_PACKED:
            return kind, body, None
        body = pack(body, coding)
        self.put(variant, bytes([kind, _CODINGS.index(coding)]) + body)
        return kind, body, coding

    def keep(self, digest: bytes, kind: int, coding: str | None, body: bytes) -> None:
        """Keep an answer as it went out."""
        self.put(digest, bytes([kind, _CODINGS.index(coding)]) + body)

    def get(self, digest: bytes) -> bytes | None:
        """Return what is kept under a digest of 16 bytes."""
        if not self.size:
            return None
        first, second = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16])
        entry = self._entry(second)
        found = self._index[entry : entry + _WORDS].tolist()
        if found[0] != first or found[1] != second or not found[3]:
            return None
        place, length = found[2], found[3]
        start = place % self.size
        data = bytes(self._ring[start : start + length])
        is_whole = self._head[0] - place <= self.size and self._index[entry : entry + _WORDS].tolist() == found
        return data if is_whole else None

    def put(self, digest: bytes, data: bytes) -> None:
        """Keep an answer, where it is not too large."""
        if len(data) > self.largest or not data:
            return
        first, second = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16])
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            place = self._head[0]
            if place % self.size + len(data) > self.size:
                place += self.size - place % self.size
            # Before the bytes: a reader of what lies there now must see that it is gone.
            self._head[0] = place + len(data)
            start = place % self.size
            self._ring[start : start + len(data)] = data
            entry = self._entry(second)
            self._index[entry + 3] = 0
            self._index[entry], self._index[entry + 1], self._index[entry + 2] = first, second, place
            self._index[entry + 3] = len(data)
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _entry(self, second: int) -> int:
        return (second % self._entries) * _WORDS
