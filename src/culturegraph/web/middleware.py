"""What every response has in common: CORS, security headers, HEAD, OPTIONS, a request id.

Plain ASGI, so that bodies stream and disconnects are seen.
"""

from __future__ import annotations

import secrets
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from culturegraph.protocols.headers import COMMON, CONTENT_SECURITY_POLICY, REQUEST_ID

# The editor runs our bundle, asks this server, and its table has one style element of its own: that of the package
# `column-resizer`, known by its hash (to be computed anew when the package changes; the browser tests notice).
EDITOR_SECURITY_POLICY: Final = CONTENT_SECURITY_POLICY.replace(
    "style-src 'self'", "style-src 'self' 'sha256-zCK2EVMoPc04mRF/g5CotUvxbJPWS+8V0b+s9ptqQIk='"
).replace("img-src 'self'", "script-src 'self'; connect-src 'self'; img-src 'self' data:")
_POLICY: Final = b"content-security-policy"
_PREFLIGHT: Final = [
    (b"allow", b"GET, HEAD, POST, OPTIONS"),
    (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Accept, Accept-Language, Content-Type, If-None-Match, X-Request-ID, *"),
    (b"access-control-max-age", b"86400"),
]


class CommonHeaders:
    """Answers OPTIONS, turns HEAD into GET without a body, adds the common headers.

    `scope["is_head"]` lets an endpoint spare itself a long body; `scope["request_id"]` is what the answer will name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        is_head = scope["method"] == "HEAD"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", [])
                # A page may have a policy of its own.
                own = {_POLICY} & {name for name, _ in given}
                common = [header for header in COMMON if header[0] not in own]
                message["headers"] = [*given, *common, (b"x-request-id", request_id)]
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if scope["method"] == "OPTIONS":
            await send_with_headers({"type": "http.response.start", "status": 204, "headers": list(_PREFLIGHT)})
            await send_with_headers({"type": "http.response.body", "body": b""})
            return
        inner = {**scope, "request_id": request_id.decode()}
        if is_head:
            inner |= {"method": "GET", "is_head": True}
        await self.app(inner, receive, send_with_headers)


def _request_id(scope: Scope) -> bytes:
    given: bytes = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8).encode()
