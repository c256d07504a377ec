"""Response headers and content codings that all answers have in common, whichever process sends them.

Source: RFC 9110 §8.4 (content coding), §12.5.3 (Accept-Encoding); Fetch standard (CORS).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Nothing is loaded from elsewhere and nothing inline runs.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
COMMON: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Location, Retry-After, X-Request-ID"),
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
REQUEST_ID: Final = re.compile(rb"[\w.:-]{1,64}")
# By preference: what packs fastest first.
CODINGS: Final = ("zstd", "gzip")


@lru_cache(256)
def choose_coding(accept_encoding: str) -> str | None:
    """Return the content coding that the client likes best (zstd among equals), or None for none."""
    best, coding = 0.0, None
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.strip().partition(";")
        quality = _quality(parameter)
        found = CODINGS[0] if name.strip() == "*" else name.strip()
        if found in CODINGS and (quality > best or (quality == best and found == CODINGS[0] and quality > 0)):
            best, coding = quality, found
    return coding


def _quality(parameter: str) -> float:
    key, _, value = parameter.strip().partition("=")
    if key.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def matches_tag(if_none_match: str, tag: str) -> bool:
    """Say whether an If-None-Match header names this entity tag (weak comparison)."""
    bare = tag.removeprefix("W/")
    given = if_none_match.strip()
    return given == "*" or any(item.strip().removeprefix("W/") == bare for item in given.split(","))
