"""A server between us and a real store, for the tests: it passes requests on, or misbehaves as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    body: bytes
    authorization: str

    @property
    def query(self) -> str:
        return parse_qs(self.body.decode("utf-8", "replace")).get("query", [""])[0]


@dataclass
class Reply:
    """What is answered: a status, headers and a body, of which `cut` bytes are sent; after `delay` seconds.

    `stall` is how long the connection then stays open without a word.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None
    delay: float = 0.0
    stall: float = 0.0


# None: pass the request on. A number: pass it on and send so many bytes of the answer.
Behaviour = Callable[[Asked], Reply | int | None]
JSON = "application/sparql-results+json"


class FakeStore:
    """The server: its address, what it was asked, how it behaves."""

    def __init__(self, target: str, port: int = 0) -> None:
        self.asked: list[Asked] = []
        self.behave: Behaviour = lambda asked: None
        self.client = httpx.Client(base_url=target, timeout=30)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Else each answer waits for the acknowledgement of its head.
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                asked = Asked(self.command, self.path, body, self.headers.get("authorization") or "")
                fake.asked.append(asked)
                told = fake.behave(asked)
                reply = told if isinstance(told, Reply) else fake.forward(asked, dict(self.headers))
                if isinstance(told, int):
                    reply.cut = told
                time.sleep(reply.delay)
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                if reply.cut is not None and reply.cut < 0:  # Not even a status line.
                    self._hang_up()
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body[: reply.cut])
                if reply.cut is not None:
                    time.sleep(reply.stall)
                    self._hang_up()

            def _hang_up(self) -> None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self.server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}/query"

    def forward(self, asked: Asked, headers: dict[str, str]) -> Reply:
        kept = {name: value for name, value in headers.items() if name.lower() in ("accept", "content-type")}
        answer = self.client.request(asked.method, asked.path, content=asked.body, headers=kept)
        return Reply(answer.status_code, {"content-type": answer.headers.get("content-type", "")}, answer.content)

    def gets(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if urlsplit(asked.path).path == path]


@contextmanager
def fake_store(target: str) -> Iterator[FakeStore]:
    fake = FakeStore(target)
    thread = threading.Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.server.shutdown()
        fake.server.server_close()
        thread.join(5)
        fake.client.close()
