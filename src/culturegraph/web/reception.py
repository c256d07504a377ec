"""The pages as a process of their own: connections come by descriptor from evaluators, queries go to evaluators."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from culturegraph.server import connections as wire
from culturegraph.server.board import Board
from culturegraph.server.cache import AnswerCache
from culturegraph.server.inquiry import Inquiry
from culturegraph.server.request import MAX_REQUEST
from culturegraph.settings import Settings
from culturegraph.store.snapshot import Snapshot
from culturegraph.web.app import create_app
from culturegraph.web.patience import PatientProtocol, configure
from culturegraph.web.private import guard

_MESSAGE: Final = 4 * MAX_REQUEST


def run_pages(
    settings: Settings,
    snapshot: Snapshot,
    control: socket.socket,
    incoming: socket.socket,
    board: Board,
    room: AnswerCache,
) -> None:
    """Serve what evaluators hand over, until the supervisor closes the control socket."""

    def offer(descriptor: int) -> None:
        wire.offer(control, "", descriptor)

    # The evaluator's own limit comes first; this one is for when there is none.
    patience = 2 * settings.query_timeout + 5
    app = create_app(settings, snapshot, board=board, evaluate=lambda task: Inquiry(task, offer, patience), room=room)
    app.state.site.prepare()
    # How long they may take to leave the supervisor decides: it ends all that it has started.
    _PagesServer(configure(guard(app, settings), settings, drain=patience), control, incoming).run()


class _PagesServer(uvicorn.Server):
    """A server without a listener."""

    def __init__(self, config: uvicorn.Config, control: socket.socket, incoming: socket.socket) -> None:
        super().__init__(config)
        self._control, self._incoming = control, incoming
        self._is_draining = False
        self._tasks: set[asyncio.Task[Any]] = set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the supervisor tells when to end."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then take what comes."""
        await super().startup(sockets=sockets or [])
        loop = asyncio.get_running_loop()
        for end in (self._control, self._incoming):
            end.setblocking(False)
        loop.add_reader(self._incoming, self._receive)
        loop.add_reader(self._control, self._hear)
        self._control.send(wire.pack_note(wire.READY, 0))

    def _hear(self) -> None:
        message = self._control.recv(16)
        if message == wire.DRAIN:
            self._is_draining = True
            for connection in list(self.server_state.connections):
                if isinstance(connection, PatientProtocol):
                    connection.give_back(self._give_back)
        elif not message:
            asyncio.get_running_loop().remove_reader(self._control)
            self._receive()
            self.should_exit = True

    def _receive(self) -> None:
        while True:
            try:
                begun, descriptors, _, _ = socket.recv_fds(self._incoming, _MESSAGE, 1)
            except BlockingIOError:
                return
            if not descriptors:
                # The end: no evaluator is left.
                asyncio.get_running_loop().remove_reader(self._incoming)
                return
            connection = socket.socket(fileno=descriptors[0])
            connection.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._welcome(connection, begun))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _welcome(self, connection: socket.socket, begun: bytes) -> None:
        def protocol() -> HttpToolsProtocol:
            made = PatientProtocol(self.config, self.server_state, self.lifespan.state, begun=begun)
            if self._is_draining:
                made.give_back(self._give_back)
            return made

        await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)

    def _give_back(self, client: str, descriptor: int) -> None:
        wire.offer(self._control, client, descriptor)
