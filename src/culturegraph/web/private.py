"""The door of a private server: no request passes without a token, and no answer is kept by anybody.

A client sends `Authorization: Bearer {token}`; a browser asks for a name (any) and a password (the token). Whatever is
asked for, without a valid token the answer is the same 401. Who fails often hears 429 for a while.

Source: RFC 6750 §3 (WWW-Authenticate: Bearer), RFC 7617 (Basic), RFC 9111 §5.2.2 (no-store, private), RFC 6585 §4.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from culturegraph.errors import CulturegraphError, UsageError
from culturegraph.server.tokens import Token, Verdict, judge, read_tokens
from culturegraph.settings import Settings

_REALM: Final = 'realm="culturegraph, private snapshot"'
_NOTHING: Final = (b"cache-control", b"etag", b"last-modified", b"expires", b"access-control-allow-origin")
_KEPT_BY_NOBODY: Final = [(b"cache-control", b"private, no-store"), (b"vary", b"Authorization")]
# A client may fail so often within so many seconds.
FAILURES: Final = 20
WINDOW: Final = 60.0
_MAX_CLIENTS: Final = 10_000


def check_door(settings: Settings, manifest: Mapping[str, Any]) -> None:
    """Raise UsageError where a private snapshot would be served to everybody."""
    if manifest.get("private") and settings.tokens is None:
        raise UsageError("this snapshot is private: say who may read it, by --tokens FILE (see `culturegraph token`)")


class Failures:
    """Counts the failures of each client, within a window of time and a bound of memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, client: str) -> bool:
        """Count a failure; say whether there were too many."""
        now = self._clock()
        times = self._times.setdefault(client, deque(maxlen=FAILURES))
        self._times.move_to_end(client)
        is_over = len(times) == FAILURES and now - times[0] < WINDOW
        times.append(now)
        if len(self._times) > _MAX_CLIENTS:
            self._times.popitem(last=False)
        return is_over


def read_credentials(header: bytes | None) -> str | None:
    """Return the token that an Authorization header carries; None where there is no header, "" where it has none."""
    if header is None:
        return None
    scheme, _, rest = header.decode("latin-1").strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


class Door:
    """Lets requests with a valid token through and marks what comes back as nobody's to keep."""

    def __init__(self, app: ASGIApp, tokens: Path, failures: Failures | None = None) -> None:
        self.app = app
        self._path, self._failures = tokens, failures or Failures()
        self._tokens: list[Token] = []
        self._read_at: tuple[int, int] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        presented = read_credentials(given[0] if len(given) == 1 else b"" if given else None)
        verdict = judge(self._current(), presented or "", datetime.now(UTC))
        if verdict is not Verdict.VALID:
            client = scope["client"][0] if scope.get("client") else ""
            is_over = self._failures.note(client) if presented is not None else False
            await _refuse(send, presented, verdict, is_over=is_over)
            return

        async def send_unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [header for header in message.get("headers", []) if header[0].lower() not in _NOTHING]
                message["headers"] = [*headers, *_KEPT_BY_NOBODY]
            await send(message)

        # Nothing behind the door needs the token, so nothing behind it can tell it.
        headers = [header for header in scope["headers"] if header[0] not in (b"authorization", b"if-none-match")]
        await self.app({**scope, "headers": headers}, receive, send_unkept)

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    def _current(self) -> list[Token]:
        """Return the tokens as the file has them now: who is withdrawn there is out at once."""
        stamp = self._stamp()
        if stamp != self._read_at:
            try:
                self._tokens = read_tokens(self._path)
            except CulturegraphError:
                # A file that is gone or faulty opens the door to nobody.
                self._tokens = []
            self._read_at = stamp
        return self._tokens


def guard(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return the app behind a door where the settings name tokens."""
    return app if settings.tokens is None else Door(app, settings.tokens)


async def _refuse(send: Send, presented: str | None, verdict: Verdict, *, is_over: bool) -> None:
    if is_over:
        status, words = 429, "Too many failures: wait a minute\n"
        headers = [(b"retry-after", b"%d" % WINDOW)]
    else:
        status, words = 401, "This server asks for a token\n"
        fault = ""
        if presented is not None:
            # That a token has ended is told to the one who holds it; a forged one is not told from an unknown one.
            told = "the token has expired" if verdict is Verdict.EXPIRED else "the token is not valid"
            fault, words = f', error="invalid_token", error_description="{told}"', f"Unauthorized: {told}\n"
        headers = [
            (b"www-authenticate", f"Bearer {_REALM}{fault}".encode()),
            (b"www-authenticate", f'Basic {_REALM}, charset="UTF-8"'.encode()),
        ]
    body = words.encode()
    headers += [
        *_KEPT_BY_NOBODY,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
