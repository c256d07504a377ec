"""Publishing while a server serves: no error, no mixed answer, old files freed; kills lose nothing published."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from pyoxigraph import Literal, NamedNode, Quad
from small_site import BASE, Serving, publish_small, serving, small_settings
from test_processes import HOG, alive, count, descendants, get, wait_until

from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current

THINGS = 4000
SAID = NamedNode(BASE + "ontology/said")
GRAPH = NamedNode(BASE + "graph/source/live")
# Every thing says the number of its version: an answer from two versions has two numbers.
NUMBERS = f"SELECT (MIN(?n) AS ?least) (MAX(?n) AS ?most) (COUNT(*) AS ?count) {{ ?s <{SAID.value}> ?n }}"
LIST = f"SELECT ?n {{ ?s <{SAID.value}> ?n }}"


def publish_version(store: Path, number: int, keep: int = 1) -> None:
    quads = (Quad(NamedNode(f"{BASE}id/thing/{each}"), SAID, Literal(number), GRAPH) for each in range(THINGS))
    publish(store, quads, version=f"v{number}", metadata={"content_hash": "0" * 64}, keep=keep).close()


@pytest.mark.parametrize("memory_quads", [5_000_000, pytest.param(0, marks=pytest.mark.slow)], ids=["memory", "disk"])
def test_snapshots_are_swapped_while_eight_clients_query(tmp_path: Path, memory_quads: int) -> None:
    publish_version(tmp_path, 0)
    settings = small_settings(tmp_path, memory_quads=memory_quads)
    seen: list[list[int]] = [[] for _ in range(8)]
    stop = threading.Event()

    def ask(number: int, address: str) -> None:
        host = urlsplit(address).netloc
        with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
            # A pause, so that the next version gets its share of the processors and comes up in the time of a test.
            while not stop.wait(0.005):
                # One client reads pages, whose process is another.
                if number == 0:
                    connection.request("GET", "/health")
                    told = json.loads(connection.getresponse().read())
                    seen[number].append(int(told["version"][1:]))
                    continue
                query = LIST if number % 2 else NUMBERS
                connection.request("GET", "/sparql?format=csv&query=" + quote(query))
                response = connection.getresponse()
                rows = response.read().decode().splitlines()[1:]
                assert response.status == 200
                if number % 2:
                    assert len(rows) == THINGS
                    assert len(set(rows)) == 1, "one answer, one version"
                    seen[number].append(int(rows[0]))
                else:
                    least, most, total = map(int, rows[0].split(","))
                    assert (least, total) == (most, THINGS)
                    seen[number].append(least)

    with serving(settings) as address, ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, number, address) for number in range(8)]
        try:
            for version in (1, 2):
                publish_version(tmp_path, version)
                wait_until(lambda version=version: all(numbers and numbers[-1] == version for numbers in seen), 120)
        finally:
            stop.set()
        for future in asking:
            future.result()
        assert all(numbers == sorted(numbers) for numbers in seen), "nobody is served an older version again"
        assert {0, 1, 2} <= set().union(*seen)
        # The server is asked no more: the first two versions are let go and their files can be removed.
        wait_until(lambda: not open_files(address.process.pid, {"v0", "v1"}))
        publish_version(tmp_path, 3)
        assert not {"v0", "v1"} & {path.name for path in (tmp_path / "snapshots").iterdir()}


def open_files(process: int, names: set[str]) -> set[str]:
    """Which snapshots of these names a server's processes have open."""
    found = set()
    for each in descendants(process):
        for link in Path(f"/proc/{each}/fd").glob("*"):
            try:
                target = link.readlink()
            except OSError:
                continue
            found |= names & set(target.parts)
    return found


def test_a_damaged_snapshot_is_not_swapped_in(tmp_path: Path) -> None:
    publish_version(tmp_path, 0, keep=3)
    with serving(small_settings(tmp_path)) as address:
        publish_version(tmp_path, 1, keep=3)
        file = (tmp_path / "current").resolve() / "manifest.json"
        file.write_text(file.read_text().replace('"sha256": "', '"sha256": "0'))
        wait_until(lambda: "is not served" in address.told())
        assert b'"0"' in get(address, NUMBERS)[2]
        publish_version(tmp_path, 2, keep=3)
        wait_until(lambda: b'"2"' in get(address, NUMBERS)[2])


def test_sigterm_lets_queries_end(tmp_path: Path) -> None:
    publish_small(tmp_path)
    work = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STR(?a) < STR(?i)) }"
    with serving(small_settings(tmp_path, query_timeout=60)) as address, ThreadPoolExecutor(1) as pool:
        children = set(descendants(address.process.pid))
        answer = pool.submit(get, address, work)
        time.sleep(0.1)
        address.process.send_signal(signal.SIGTERM)
        assert answer.result()[0] == 200
        assert address.process.wait(8) == 0, "not only when the time to drain is over"
        with pytest.raises(OSError, match="refused"):
            get(address, "ASK {}")
        wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))


def test_sigterm_lets_pages_ask_to_the_last(tmp_path: Path) -> None:
    """A request of which half has come is with the pages: they ask an evaluator when the server is stopping."""
    publish_small(tmp_path)
    body = b"SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    head = "POST /sparql HTTP/1.1\r\nHost: it\r\nContent-Type: application/sparql-query\r\nContent-Length: %d\r\n\r\n"
    with serving(small_settings(tmp_path, query_timeout=60)) as address:
        netloc = urlsplit(address).netloc.split(":")
        with socket.create_connection((netloc[0], int(netloc[1])), timeout=30) as half:
            half.sendall((head % len(body)).encode() + body[:9])
            time.sleep(0.3)
            address.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            half.sendall(body[9:])
            response = http.client.HTTPResponse(half)
            response.begin()
            assert (response.status, response.headers["connection"]) == (200, "close")
            assert b'"n"' in response.read()
        assert address.process.wait(8) == 0


@pytest.mark.parametrize("seconds", [0.6, 1.2])
def test_sigterm_also_ends_what_is_just_starting(tmp_path: Path, seconds: float) -> None:
    """The processes of the next snapshot are born while the server stops: they are told, too."""
    publish_version(tmp_path, 0)
    with serving(small_settings(tmp_path)) as address:
        publish_version(tmp_path, 1, keep=2)
        time.sleep(seconds)
        address.process.send_signal(signal.SIGTERM)
        assert address.process.wait(8) == 0


def test_a_killed_server_leaves_no_process_and_another_starts(tmp_path: Path) -> None:
    publish_small(tmp_path)
    with serving(small_settings(tmp_path)) as address:
        children = set(descendants(address.process.pid))
        assert len(children) >= 4

        def hog_in_vain() -> None:
            with pytest.raises((OSError, http.client.HTTPException)):
                get(address, HOG)

        hog = threading.Thread(target=hog_in_vain)
        hog.start()
        time.sleep(0.1)
        address.process.kill()
        address.process.wait(60)
        hog.join()
        wait_until(lambda: not any(alive(child) for child in children), 15)
    with serving(small_settings(tmp_path)) as address:
        assert count(address) > 0


def test_a_dead_zygote_or_pages_process_is_replaced(tmp_path: Path) -> None:
    publish_small(tmp_path)
    with serving(small_settings(tmp_path)) as address:
        zygote = next(
            child for child, parent in descendants(address.process.pid).items() if parent == address.process.pid
        )
        os.kill(zygote, signal.SIGKILL)

        def works() -> bool:
            try:
                return get(address, "ASK {}")[0] == 200
            except (OSError, http.client.HTTPException):
                return False

        # Its evaluators may answer for a moment longer than it lives.
        wait_until(lambda: zygote not in descendants(address.process.pid))
        wait_until(works)
        pages = wait_until(lambda: len(found := pages_processes(address)) == 2 and found)
        os.kill(killed := min(pages), signal.SIGKILL)
        wait_until(lambda: len(found := pages_processes(address)) == 2 and killed not in found)
        assert pages & pages_processes(address), "the other one lives on"
        for _ in range(4):  # Each goes to the next pages process.
            with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection:
                connection.request("GET", "/health")
                assert connection.getresponse().status == 200


def pages_processes(address: Serving) -> set[int]:
    """The processes that run threads."""
    return {process for process in descendants(address.process.pid) if runs_threads(process)}


def runs_threads(process: int) -> bool:
    try:
        return len(list(Path(f"/proc/{process}/task").iterdir())) > 1
    except OSError:
        return False


@pytest.mark.slow
def test_a_build_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    publish_version(tmp_path, 0, keep=2)
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from test_publishing_live import publish_version\npublish_version(Path(sys.argv[1]), 1, keep=2)"
    )
    with serving(small_settings(tmp_path)) as address:
        for moment in range(12):
            command = [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)]
            with subprocess.Popen(command, stderr=subprocess.DEVNULL) as build:
                time.sleep(0.3 + 0.15 * moment)
                build.kill()
            snapshot = open_current(tmp_path)
            assert len(list(snapshot.store.quads_for_pattern(None, SAID, None, GRAPH))) == THINGS
            snapshot.close()
            assert get(address, NUMBERS)[0] == 200
    publish_version(tmp_path, 2)
    assert not list((tmp_path / "snapshots").glob(".partial-*"))
