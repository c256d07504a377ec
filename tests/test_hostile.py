"""What is thrown at a public endpoint, at a running server: each is answered in order, and afterwards all is as before.

The last test of this file tells that the server still answers and that its memory is back; it prints a summary
(`pytest -s`).
"""

from __future__ import annotations

import http.client
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from small_site import HOG, ONE, Serving, many_quads, serving, small_quads, small_settings
from test_evaluators import DISGUISES
from test_processes import EATER, alive, assert_takes, descendants, get, wait_until

from culturegraph.protocols.sparql import FORM, QUERY
from culturegraph.store.publishing import publish

TIMEOUT = 2.0
SUMMARY: Counter[str] = Counter()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    store = tmp_path_factory.mktemp("store")
    quads = [*small_quads(), *many_quads(3000)]
    publish(store, quads, version="hostile", metadata={"content_hash": "0" * 64}, keep=2)
    limits = small_settings(
        store, query_timeout=TIMEOUT, memory_limit=200_000_000, max_result_size=20_000_000, read_timeout=1.5, workers=4
    )
    with serving(limits) as address:
        yield address


@pytest.fixture(scope="module")
def before(server: Serving) -> dict[str, int]:
    """Memory and processes of the server before all this."""
    assert get(server, "ASK {}")[0] == 200
    return {"memory": memory(server), "processes": len(descendants(server.process.pid))}


def memory(server: Serving) -> int:
    """Bytes that the server's processes hold for themselves."""
    total = 0
    for process in [server.process.pid, *descendants(server.process.pid)]:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(
            int(line.split()[1]) * 1024 for line in lines if line.startswith(("Private_Dirty", "Private_Clean"))
        )
    return total


def send(server: str, data: bytes, *, timeout: float = 20) -> bytes:
    """Send bytes as they are; return what comes until the connection ends or is quiet."""
    host, port = urlsplit(server).netloc.split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                received += piece
                connection.settimeout(0.3)
        except (TimeoutError, ConnectionError):
            pass
    return received


def post(server: str, body: bytes, content_type: str) -> int:
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as connection:
        connection.putrequest("POST", "/sparql")
        connection.putheader("Content-Type", content_type)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        with suppress(OSError):  # Refused before it was read whole.
            connection.send(body)
        return connection.getresponse().status


QUERIES = {
    "syntax": ("SELECT * WHERE { ?s ?p", 400),
    "nothing": ("", 400),
    "binary": ("\x00\x01\x02", 400),
    "unknown function": ("SELECT * { ?s ?p ?o FILTER(<http://x/f>(?o)) }", 400),
    "unknown graph": ("SELECT * FROM <http://x/none> { ?s ?p ?o }", 200),
    "load": ("LOAD <http://127.0.0.1/>", 400),
    "load in disguise": ("PREFIX a: <http://a/>\n#x\nLOAD SILENT <http://127.0.0.1/> INTO GRAPH a:b", 400),
    "update": ("INSERT DATA { <http://a> <http://a> <http://a> }", 400),
    "50,000 braces": ("SELECT * " + "{" * 50_000, 400),
    "50,000 brackets": ("SELECT * { FILTER(" + "(" * 50_000 + "1" + ")" * 50_000 + ") }", 400),
    "operators": ("SELECT * { FILTER(" + "!" * 30_000 + "true) }", 400),
    "10 MB": ("ASK {} #" + "x" * 10_000_000, 413),
    "cartesian product": (HOG, 503),
    "cartesian product in order": (EATER, 503),
    "path": ("SELECT (COUNT(*) AS ?n) { ?a (<http://x>|!<http://x>)* ?b . ?b (<http://y>|!<http://y>)* ?c }", 503),
    "concatenation": (
        "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g))) AS ?x) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
        503,
    ),
    "doubling": (
        "SELECT * { "
        + " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(40)).replace(
            "BIND(CONCAT(?x0, ?x0)", "BIND('abcdefghij' AS ?x0) BIND(CONCAT(?x0, ?x0)", 1
        )
        + " }",
        (503, 413, 200),
    ),
    "regular expression": ('SELECT * { ?s ?p ?o FILTER(REGEX(STR(?o), "' + "(a*)*" * 30 + '$")) }', (200, 400, 503)),
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries(server: Serving, before: dict[str, int], name: str) -> None:
    query, expected = QUERIES[name]

    def ask() -> float:
        started = time.monotonic()
        status = post(server, query.encode(), QUERY)
        elapsed = time.monotonic() - started
        assert status in (expected if isinstance(expected, tuple) else (expected,))
        SUMMARY[f"{status}"] += 1
        return elapsed

    # Within the time limit and a second.
    assert_takes(TIMEOUT + 1.5, ask)


def test_service_in_every_disguise(server: Serving, before: dict[str, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/"
        for disguise in DISGUISES:
            status = post(server, disguise.replace("URL", url).encode(), QUERY)
            assert status == 400, disguise
            SUMMARY["400"] += 1
        with pytest.raises(TimeoutError):
            trap.accept()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"ASK {}", 415),
        ("", b"ASK {}", 415),
        ("application/sparql-query; charset=utf-16", b"ASK {}", 415),
        ("application/sparql-update", b"CLEAR ALL", 400),
        (FORM, b"query=%zz", 400),
        (FORM, b"query=%", 400),
        (FORM, b"query=ASK%20%7B%7D%ff", 400),
        (FORM, b"query=ASK {}&query=ASK {}", 400),
        (FORM, b"&&&===&", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n", 415),
    ],
)
def test_bodies(server: Serving, before: dict[str, int], content_type: str, body: bytes, status: int) -> None:
    assert post(server, body, content_type) == status
    SUMMARY[f"{status}"] += 1


ACCEPTS = [
    "*/*;q=" + "9" * 5000,
    ",".join(f"x/y{n};q=0.{n}" for n in range(1500)),
    ",,,;;;===",
    "text/csv;q=nan, */*;q=-1",
    "\xff\xfe",
    "application/sparql-results+json;q=1;q=0;q=1",
    "*" * 20_000,
]


def test_accept_headers_from_hell(server: Serving, before: dict[str, int]) -> None:
    for accept in ACCEPTS:
        request = f"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        status = send(server, request.encode("latin-1"))[9:12].decode()
        assert status in ("200", "400", "406", "431"), accept[:60]
        SUMMARY[status] += 1


REQUESTS = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "endless line": b"GET /sparql?query=" + b"A" * 300_000,
    "no host": b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nASK {}",
    "negative length": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "length and chunks": (
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "broken chunks": b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "folded header": b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "bytes in the target": b"GET /sparql?query=ASK%7B%7D\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute target": b"GET http://x/sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n\r\n",
    "upgrade": b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "many headers": b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    "our own headers": b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nculturegraph-rows: x\r\n\r\n",
    "path up": b"GET /sparql/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_are_none(server: Serving, before: dict[str, int], name: str) -> None:
    received = send(server, REQUESTS[name])
    assert b"HTTP/1.1 500" not in received
    assert b"Traceback" not in received
    SUMMARY[received[9:12].decode("latin-1") or "closed"] += 1
    assert get(server, "ASK {}")[0] == 200


def test_slow_and_silent_clients(server: Serving, before: dict[str, int]) -> None:
    host, port = urlsplit(server).netloc.split(":")
    slow = [socket.create_connection((host, int(port)), timeout=60) for _ in range(100)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall((b"", b"GET /spar", b"POST /sparql HTTP/1.1\r\nContent-Length: 900\r\n\r\n")[number % 3])
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            for connection in slow[1::3]:
                try:
                    connection.sendall(b"a")
                except OSError:
                    continue
            assert get(server, "ASK {}")[0] == 200
            time.sleep(0.2)
        # All are given up in the end, those that send a byte now and then too.
        for connection in slow:
            connection.settimeout(60)
            while connection.recv(4096):
                pass
    except ConnectionError:
        pass
    finally:
        for connection in slow:
            connection.close()
    SUMMARY["given up"] += len(slow)


def test_two_hundred_clients_of_whom_twenty_are_hostile(server: Serving, before: dict[str, int]) -> None:
    def ask(number: int) -> int:
        query = HOG.replace("?l)", f"?l && {number} > -1)") if number % 10 == 0 else f"ASK {{}} #{number}"
        return get(server, query)[0]

    resource_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert resource_limit > 500
    with ThreadPoolExecutor(200) as pool:
        statuses = list(pool.map(ask, range(200)))
    assert {status for number, status in enumerate(statuses) if number % 10} == {200}
    assert {status for number, status in enumerate(statuses) if number % 10 == 0} == {503}
    SUMMARY.update(map(str, statuses))


def test_clients_that_stop_reading(server: Serving, before: dict[str, int]) -> None:
    host, port = urlsplit(server).netloc.split(":")
    request = f"GET /sparql?query={quote('SELECT * { ?s ?p ?o . ?x ?y ?z }')} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    stalled = [socket.create_connection((host, int(port)), timeout=60) for _ in range(10)]
    for connection in stalled:
        connection.sendall(request)
    time.sleep(0.5)
    assert get(server, "ASK {}")[0] == 200
    for connection in stalled:
        connection.close()
    SUMMARY["stalled"] += 10


@pytest.mark.slow
def test_schemathesis_finds_no_failure_of_the_server(server: Serving, before: dict[str, int]) -> None:
    """Requests made up from the OpenAPI description of all routes: none may be answered 500."""
    schema = schemathesis.openapi.from_url(f"{server}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    tried = [operation for operation in operations if operation.method.upper() == "GET"]
    assert len(tried) > 10
    for operation in tried:

        @given(case=operation.as_strategy())
        @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def try_case(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=[not_a_server_error])

        try_case()
    SUMMARY["routes tried by schemathesis"] = len(tried)


def test_afterwards_all_is_as_before(server: Serving, before: dict[str, int]) -> None:
    assert get(server, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")[0] == 200
    assert get(server, f"ASK FROM <{ONE}> {{ ?s ?p ?o }}")[0] == 200
    wait_until(lambda: len(descendants(server.process.pid)) <= before["processes"] + 1)
    allowed = before["memory"] + 150_000_000
    wait_until(lambda: memory(server) < allowed)
    assert "Traceback" not in server.told(), server.told()
    assert alive(server.process.pid)
    grown = (memory(server) - before["memory"]) / 1e6
    told = ", ".join(f"{number} × {status}" for status, number in sorted(SUMMARY.items()))
    sys.stderr.write(f"\nhostile suite: {sum(SUMMARY.values())} ({told}); memory {grown:+.0f} MB; the server answers\n")
