"""Three servers behind nginx: a rolling publish and a rolling upgrade under load, without an error.

The configuration is the one of MAINTAINING.md.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pyoxigraph import Literal, NamedNode, Quad
from small_site import BASE, serving, small_settings
from test_processes import wait_until

from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
THINGS, CLIENTS = 2000, 9
SAID, GRAPH = NamedNode(BASE + "ontology/said"), NamedNode(BASE + "graph/source/live")
NUMBERS = f"SELECT (MIN(?n) AS ?least) (MAX(?n) AS ?most) (COUNT(*) AS ?count) {{ ?s <{SAID.value}> ?n }}"
PATH = "/sparql?format=csv&query=" + quote(NUMBERS)


def _publish(store: Path, number: int) -> None:
    quads = (Quad(NamedNode(f"{BASE}id/thing/{each}"), SAID, Literal(number), GRAPH) for each in range(THINGS))
    metadata = {"content_hash": f"{number:064}", "fingerprint": f"inputs of {number}"}
    publish(store, quads, version=f"v{number}", metadata=metadata, keep=1).close()


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _configuration(root: Path, ports: list[int], port: int, folder: Path) -> Path:
    """What MAINTAINING.md says, with these ports."""
    text = (root / "MAINTAINING.md").read_text(encoding="utf-8")
    lines = text[text.index("    upstream culturegraph {") : text.index("A rolling publish:")].splitlines()
    told = "\n".join(line.removeprefix("    ") for line in lines)
    for given, wanted in zip((8001, 8002, 8003), ports, strict=True):
        assert f"127.0.0.1:{given}" in told
        told = told.replace(f"127.0.0.1:{given}", f"127.0.0.1:{wanted}")
    assert "listen 8000;" in told
    told = told.replace("listen 8000;", f"listen 127.0.0.1:{port};")
    log = "log_format told '$status $upstream_status $request_uri';"
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
        f"http {{ {log} access_log {folder}/access.log told; {paths}\n{told}\n}}\n"
    )
    return file


@contextmanager
def _nginx(configuration: Path, port: int) -> Iterator[None]:
    assert NGINX is not None
    command = [
        NGINX,
        "-c",
        str(configuration),
        "-p",
        str(configuration.parent),
        "-e",
        str(configuration.parent / "error.log"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            wait_until(lambda: _is_open(port))
            yield
        finally:
            process.terminate()


def _is_open(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _get(port: int, path: str = PATH, **headers: str) -> tuple[int, str | None, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers["etag"], response.read()


class _Load:
    """Clients with addresses of their own that ask until told to stop, and what they were told."""

    def __init__(self, port: int) -> None:
        self.port, self.stop = port, threading.Event()
        self.seen: list[list[int]] = [[] for _ in range(CLIENTS)]
        self.statuses: Counter[str] = Counter()
        self._lock = threading.Lock()

    def ask(self, number: int) -> None:
        source, tag = (f"127.0.1.{number + 1}", 0), None
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=20, source_address=source)
        ) as connection:
            while not self.stop.is_set():
                body = None
                headers = {"If-None-Match": tag} if tag and number % 3 == 0 else {}
                if number % 3 == 1:
                    connection.request("GET", "/health")
                elif number % 3 == 2:
                    body = NUMBERS
                    headers = {"Content-Type": "application/sparql-query", "Accept": "text/csv"}
                    connection.request("POST", "/sparql", body, headers)
                else:
                    connection.request("GET", PATH, headers=headers)
                response = connection.getresponse()
                text = response.read().decode()
                with self._lock:
                    self.statuses[f"{response.status}"] += 1
                assert response.status in (200, 304), text
                if response.status == 304:
                    assert response.headers["etag"] == tag
                    continue
                tag = response.headers["etag"]
                self.seen[number].append(self._version(number, text))

    @staticmethod
    def _version(number: int, text: str) -> int:
        if number % 3 == 1:
            return int(json.loads(text)["version"][1:])
        least, most, total = map(int, text.splitlines()[1].split(","))
        assert (least, total) == (most, THINGS), "one answer, one version"
        return least


@pytest.mark.slow
@pytest.mark.skipif(NGINX is None, reason="nginx is not installed (apt-get install nginx-light)")
def test_a_rolling_publish_and_a_rolling_upgrade_without_an_error(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores, ports, port = [tmp_path / f"store{n}" for n in range(3)], [_free_port() for _ in range(3)], _free_port()
    told: list[str] = []
    started = time.monotonic()

    def tell(what: str, load: _Load) -> None:
        versions = Counter(version for numbers in load.seen for version in numbers)
        counts = ", ".join(f"v{version}: {count}" for version, count in sorted(versions.items()))
        told.append(f"{time.monotonic() - started:6.1f} s  {what:44} answers {counts or 'none'}; {dict(load.statuses)}")

    def version_of(server: int) -> Any:
        return json.loads(_get(ports[server], "/health")[2])["version"]

    with ExitStack() as stack, ThreadPoolExecutor(CLIENTS) as pool:
        running = []
        for store, each in zip(stores, ports, strict=True):
            _publish(store, 0)
            running.append(stack.enter_context(serving(small_settings(store, port=each))))
        stack.enter_context(_nginx(_configuration(root, ports, port, tmp_path), port))
        load = _Load(port)
        asking = [pool.submit(load.ask, number) for number in range(CLIENTS)]
        try:
            wait_until(lambda: all(map(bool, load.seen)))
            tell("three servers with v0", load)
            for server, store in enumerate(stores):
                _publish(store, 1)
                wait_until(lambda server=server: version_of(server) == "v1", 40)
                tell(f"server {server + 1} has v1", load)
            wait_until(lambda: all(numbers[-1] == 1 for numbers in load.seen), 40)
            tell("every client has v1", load)
            tags = {_get(each)[1] for each in ports}
            assert len(tags) == 1, "the same answer has the same tag on every server"
            for server, store in enumerate(stores):
                running[server].process.terminate()
                assert running[server].process.wait(20) == 0
                tell(f"server {server + 1} is stopped", load)
                stack.enter_context(serving(small_settings(store, port=ports[server])))
                wait_until(lambda server=server: version_of(server) == "v1", 40)
                tell(f"server {server + 1} is there again", load)
            tag = tags.pop()
            assert tag is not None
            assert _get(port, **{"If-None-Match": tag})[0] == 304
        finally:
            load.stop.set()
        for future in asking:
            future.result()
        tell("the end", load)
    assert set().union(*load.seen) == {0, 1}
    assert all(numbers == sorted(numbers) for numbers in load.seen), "nobody is served an older version again"
    assert set(load.statuses) <= {"200", "304"}
    assert load.statuses["304"] > 0
    log = (tmp_path / "access.log").read_text().splitlines()
    retried = sum("," in line or re.match(r"\d+ 502", line) is not None for line in log)
    with capsys.disabled():
        print("", *told, f"errors 0 of {len(log)} requests; asked of a second server: {retried}", sep="\n")  # noqa: T201


def test_the_key_of_a_graph_is_the_same_on_every_machine(tmp_path: Path) -> None:
    for number, store in ((1, "a"), (1, "b"), (2, "c")):
        _publish(tmp_path / store, number)
    first, second, other = (open_current(tmp_path / store) for store in "abc")
    assert first.key == second.key
    assert first.key != other.key
