"""Runs the server on an address until it is told to stop: several processes, or a single one."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from culturegraph.errors import StorageError
from culturegraph.server.board import Board
from culturegraph.settings import Settings
from culturegraph.store.snapshot import read_current_manifest

if TYPE_CHECKING:
    from fastapi import FastAPI

    from culturegraph.server.zygote import PagesProcess

Progress = Callable[[str], AbstractContextManager[None]]


def serve(
    settings: Settings,
    *,
    on_ready: Callable[[str], None] | None = None,
    progress: Progress = lambda _: nullcontext(),
) -> None:
    """Serve the published snapshot until interrupted; `on_ready` gets the address once requests are answered.

    Where the settings name endpoints, what is published there is served; `progress` shows what has to be made first.

    Without `on_ready` the address goes to standard error. Raises StorageError where the port is taken, no usable
    snapshot is published or the tokens cannot be read, UsageError where a private snapshot would be served without.
    """
    from culturegraph.server.tokens import read_tokens
    from culturegraph.web.private import check_door

    # Bound first: a port in use is told at once, before the graph is loaded.
    listener = bind(settings.host, settings.port)

    def tell() -> None:
        (on_ready or _announce)(address(listener))

    with listener:
        if settings.tokens is not None:
            read_tokens(settings.tokens)  # A faulty file is told now; later it opens the door to nobody.
        if settings.endpoints:
            _serve_endpoints(settings, listener, tell, progress)
            return
        # Where there is nothing to serve this says so, before a process is started.
        check_door(settings, read_current_manifest(settings.store))
        if settings.single_process or not sys.platform.startswith("linux"):
            _serve_alone(settings, listener, tell)
        else:
            _serve_by_processes(settings, listener, tell)


def _serve_alone(settings: Settings, listener: socket.socket, tell: Callable[[], None]) -> None:
    from culturegraph.web.app import create_app

    _run(create_app(settings), settings, listener, tell)


def _serve_endpoints(settings: Settings, listener: socket.socket, tell: Callable[[], None], progress: Progress) -> None:
    from culturegraph.web.remote import create_remote_app

    _run(create_remote_app(settings, progress), settings, listener, tell)


def _run(app: FastAPI, settings: Settings, listener: socket.socket, tell: Callable[[], None]) -> None:
    import uvicorn

    from culturegraph.web.patience import configure
    from culturegraph.web.private import guard

    class Server(uvicorn.Server):
        """A server that tells when it is ready."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Start, then tell."""
            await super().startup(sockets=sockets)
            if self.started:
                tell()

    app.state.site.prepare()
    Server(configure(guard(app, settings), settings)).run(sockets=[listener])


def _serve_by_processes(settings: Settings, listener: socket.socket, tell: Callable[[], None]) -> None:
    from culturegraph.server.journal import Journal
    from culturegraph.server.limits import ClientLimits
    from culturegraph.server.supervision.supervisor import Supervisor
    from culturegraph.server.zygote import Means

    if settings.tokens is not None:
        # One door, which counts all failures of a client.
        settings = settings.model_copy(update={"page_workers": 1})
    means = Means(settings, Board(), ClientLimits(settings), Journal(settings), partial(_load_pages, settings))
    Supervisor(means, listener, tell).run()


def _load_pages(settings: Settings) -> PagesProcess:
    # The web framework is loaded once, and not by the evaluators that are forked before.
    from culturegraph.web.kept import make_room
    from culturegraph.web.reception import run_pages

    return partial(run_pages, settings, room=make_room(settings.kept_pages))


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
