"""How long a client may take: uvicorn's protocol with a deadline for a request to have come whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from culturegraph.server.limits import DRAIN
from culturegraph.settings import Settings

_TOO_SLOW: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%s"
)
_WORDS: Final = b"Request timeout: a request must come whole in %g seconds\n"
GiveBack = Callable[[str, int], None]


def configure(app: ASGIApp, settings: Settings, log_level: str = "warning", drain: float = DRAIN) -> uvicorn.Config:
    """Return how uvicorn runs the app; once told to stop it lets requests end for `drain` seconds."""
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        log_level=log_level,
        server_header=False,
        # The client's address, and https in links.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=sorted(settings.trusted_proxies),
        timeout_graceful_shutdown=round(drain),
        timeout_keep_alive=round(settings.keep_alive),
        ws="none",
        lifespan="on",
    )
    # The protocol knows the configuration only.
    config.read_timeout = settings.read_timeout  # type: ignore[attr-defined]
    return config


class PatientProtocol(HttpToolsProtocol):
    """A connection whose requests must each come whole in time, and that can be given to another process between two.

    `begun` is what another process has read of the first request.
    """

    def __init__(self, *args: Any, begun: bytes = b"", **options: Any) -> None:
        super().__init__(*args, **options)
        self._begun = begun
        self._is_reading = False
        self._deadline: asyncio.TimerHandle | None = None
        self._give_back: GiveBack | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with what has been read before."""
        super().connection_made(transport)
        self._expect()
        if self._begun:
            self.data_received(self._begun)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._relax()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes; the first of a request set its deadline."""
        self._expect()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Note that a request is coming."""
        self._is_reading = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note that the request is there."""
        self._is_reading = False
        self._relax()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Give the connection back where that is wanted, else wait for the next request."""
        super().on_response_complete()
        if self._give_back is not None:
            self.give_back(self._give_back)

    def give_back(self, give: GiveBack) -> None:
        """Give the connection away as soon as it idles."""
        self._give_back = give
        is_idle = self.cycle is None or (self.cycle.response_complete and self.cycle.keep_alive)
        if self.transport is None or self.transport.is_closing() or self._is_reading or not is_idle or self.pipeline:
            return
        if self.cycle is None and self._begun:
            return
        client = self.client[0] if self.client else ""
        if not client:
            self.transport.close()
            return
        self.transport.pause_reading()
        give(client, self.transport.get_extra_info("socket").fileno())
        # Only this process's descriptor is closed: the connection lives on.
        self.transport.abort()

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.config.read_timeout, self._lose_patience)  # type: ignore[attr-defined]

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _lose_patience(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            words = _WORDS % self.config.read_timeout  # type: ignore[attr-defined]
            self.transport.write(_TOO_SLOW % (len(words), words))
        self.transport.close()
