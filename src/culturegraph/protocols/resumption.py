"""Resumption tokens without a memory: the token is the request and how far it has come.

A list is ordered by the keys of its records, which no restart and no new release changes, so that the next page begins
behind the last key that was given, whatever has come or gone in between.

Source: OAI-PMH 2.0 §3.5 (flow control).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import astuple, dataclass
from typing import Final

_VERSION: Final = 1
_LONGEST: Final = 2_000


@dataclass(frozen=True)
class Position:
    """A list request, the key that was last given, and how many records went before."""

    prefix: str
    set: str
    since: str
    until: str
    last: str
    cursor: int


def write_token(position: Position) -> str:
    """Return a token of letters, digits, `-` and `_`."""
    data = json.dumps([_VERSION, *astuple(position)], ensure_ascii=False, separators=(",", ":")).encode()
    checked = data + binascii.crc32(data).to_bytes(4, "big")
    return base64.urlsafe_b64encode(checked).decode().rstrip("=")


def read_token(token: str) -> Position | None:
    """Return what a token says; None where it is none of ours or was altered."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        checked = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        data, check = checked[:-4], checked[-4:]
        if binascii.crc32(data).to_bytes(4, "big") != check:
            return None
        version, *fields = json.loads(data)
        position = Position(*fields)
    except (ValueError, TypeError, binascii.Error):
        return None
    texts = (position.prefix, position.set, position.since, position.until, position.last)
    if version != _VERSION or not all(isinstance(text, str) for text in texts) or type(position.cursor) is not int:
        return None
    return position
