"""Runs the app on an address until it is told to stop."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from culturegraph.errors import StorageError
from culturegraph.settings import Settings
from culturegraph.store.snapshot import Snapshot
from culturegraph.web.app import create_app


def serve(
    settings: Settings, snapshot: Snapshot | None = None, *, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted; `on_ready` gets the address once requests are answered (else it goes to stderr).

    Raises StorageError where the port is taken or no usable snapshot is published.
    """
    # Bound first: a port in use is told at once, before the graph is loaded.
    listener = bind(settings.host, settings.port)
    with listener:
        app = create_app(settings, snapshot)
        server = _Server(configure(app), lambda: (on_ready or _announce)(address(listener)))
        server.run(sockets=[listener])


def configure(app: FastAPI, log_level: str = "warning") -> uvicorn.Config:
    """Return how uvicorn runs the app."""
    return uvicorn.Config(
        app, log_level=log_level, server_header=False, timeout_graceful_shutdown=5, ws="none", lifespan="on"
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises StorageError in words where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # Accepted sockets inherit it. Without it a body waits 40 ms for the headers' acknowledgement: asyncio sets it
        # only on sockets that were made with an explicit protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StorageError(f"port {port} on {host} is in use; choose another with --port") from error
        raise StorageError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return listener


def address(listener: socket.socket) -> str:
    """Return the address at which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _announce(url: str) -> None:
    sys.stderr.write(f"culturegraph answers at {url}\n")
    sys.stderr.flush()


class _Server(uvicorn.Server):
    """A server that tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()
