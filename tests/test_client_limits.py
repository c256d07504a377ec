"""What one client may ask, which endpoints SERVICE may name, what is written down."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from pyoxigraph import Store
from small_site import HOG, listening, publish_small, serving, small_settings
from test_processes import get

from culturegraph.errors import LimitExceededError, RequestError
from culturegraph.server.board import EVALUATING, FIRST_EVALUATOR, SLOTS, Board
from culturegraph.server.cache import AnswerCache
from culturegraph.server.limits import ClientLimits, Places, hash_client, is_local, name_client
from culturegraph.server.output import pack, unpack
from culturegraph.store.evaluation import Task, check, evaluate

PROXIES = frozenset({"127.0.0.1", "10.0.0.1"})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        # Who is no trusted proxy cannot say that it is somebody else.
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "203.0.113.5, 198.51.100.9, 10.0.0.1", "198.51.100.9"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_who_the_client_is(peer: str, forwarded: str | None, client: str) -> None:
    assert name_client(peer, forwarded, PROXIES) == client


def test_this_machine_is_not_limited() -> None:
    assert [is_local(each) for each in ("127.0.0.1", "::1", "", "192.0.2.1", "nonsense")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_client_has_a_rate_and_a_number_at_a_time(tmp_path: Path) -> None:
    limits = ClientLimits(small_settings(tmp_path, client_rate=0.5, client_queries=2))
    board, one, other = Board(), hash_client("192.0.2.1"), hash_client("192.0.2.2")
    for _ in range(5):
        limits.check(one, board)
    with pytest.raises(LimitExceededError, match=r"0\.5 queries a second"):
        limits.check(one, board)
    limits.check(other, board)
    for slot in (2, 3):
        board.client[slot], board.state[slot] = other, EVALUATING
    with pytest.raises(LimitExceededError, match="2 queries under way"):
        limits.check(other, board)


def test_threads_of_one_process_give_each_query_of_a_client_a_place(tmp_path: Path) -> None:
    board = Board()
    places = Places(ClientLimits(small_settings(tmp_path, client_rate=100.0, client_queries=2)), board)
    first, _ = places.take("192.0.2.1"), places.take("192.0.2.1")
    with pytest.raises(LimitExceededError, match="2 queries under way"):
        places.take("192.0.2.1")
    places.take("127.0.0.1")
    assert board.totals().busy == 2
    first()
    last = places.take("192.0.2.1")
    for number in range(SLOTS - FIRST_EVALUATOR - 2):
        places.take(f"198.51.100.{number}")
    with pytest.raises(LimitExceededError, match="too many queries are under way"):
        places.take("203.0.113.1")
    last()
    assert board.totals().busy == SLOTS - FIRST_EVALUATOR - 1


def test_a_client_over_its_limits_is_told_when_to_come_back(tmp_path: Path) -> None:
    publish_small(tmp_path)
    log = tmp_path / "access.log"
    settings = small_settings(
        tmp_path,
        trusted_proxies=["127.0.0.1"],
        client_rate=0.3,
        client_queries=2,
        query_timeout=1.5,
        access_log=log,
        slow_query=1.0,
    )
    asked = 0
    with serving(settings) as address:

        def ask_until_refused(**given: str) -> tuple[int, dict[str, str], bytes]:
            """Ask as one client; on a busy machine it may have earned another query since the last."""
            nonlocal asked
            for _ in range(30):
                asked += 1
                if (answer := get(address, "ASK {}", x_forwarded_for="192.0.2.7", **given))[0] != 200:
                    return answer
            raise AssertionError("it is never refused")

        started = time.monotonic()
        ask_until_refused()
        assert 3 <= asked - 1 <= 3 + 0.3 * (time.monotonic() - started)
        status, headers, body = ask_until_refused(x_request_id="mine-1")
        assert (status, headers["retry-after"], headers["x-request-id"]) == (429, "1", "mine-1")
        assert body == b"Too many requests: a client may send 0.3 queries a second\n"
        # The page of a result counts like the result.
        assert ask_until_refused(accept="text/html")[0] == 429
        assert get(address, "ASK {}", x_forwarded_for="192.0.2.8")[0] == 200
        assert get(address, "ASK {}", x_forwarded_for="192.0.2.8", accept="text/html")[0] == 200
        with ThreadPoolExecutor(3) as pool:
            hogs = [pool.submit(get, address, f"{HOG} #{n}", x_forwarded_for="192.0.2.9") for n in range(3)]
            assert sorted(hog.result()[0] for hog in hogs) == [429, 503, 503]
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        assert len(entries) == asked + 5
        mine = next(entry for entry in entries if entry["request"] == "mine-1" and entry["status"] != 200)
        assert (mine["client"], mine["outcome"], mine["status"]) == ("192.0.2.7", "refused", 429)
        killed = [entry for entry in entries if entry["outcome"] == "time_limit"]
        assert len(killed) == 2
        assert killed[0]["seconds"] > 1.4
        assert killed[0]["query"].startswith("SELECT (COUNT")
        assert address.told().count("slow query {") == 2, address.told()


def test_a_single_process_writes_down_the_same(tmp_path: Path) -> None:
    snapshot = publish_small(tmp_path)
    log = tmp_path / "access.log"
    settings = small_settings(tmp_path, access_log=log, trusted_proxies=["127.0.0.1"], query_timeout=0.3)
    with listening(settings, snapshot) as address:
        assert get(address, "ASK {}", x_forwarded_for="192.0.2.7", x_request_id="mine-1")[0] == 200
        assert get(address, "ASK { ?s }", x_request_id="mine-2")[0] == 400
        assert get(address, HOG, x_request_id="mine-3")[0] == 503
        with urlopen(f"{address}/sparql", timeout=30) as form:
            assert form.status == 200
    first, wrong, long = (json.loads(line) for line in log.read_text().splitlines())
    assert (first["request"], first["client"], first["outcome"]) == ("mine-1", "192.0.2.7", "ok")
    assert (first["status"], first["query"], first["bytes"] > 20) == (200, "ASK {}", True)
    assert (wrong["request"], wrong["outcome"], wrong["status"]) == ("mine-2", "refused", 400)
    assert (long["request"], long["outcome"], long["status"]) == ("mine-3", "time_limit", 503)
    assert 0.3 <= long["seconds"] < 10


# SERVICE


class _Endpoint(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/sparql")
            self.end_headers()
            return
        body = json.dumps(
            {"head": {"vars": ["x"]}, "results": {"bindings": [{"x": {"type": "literal", "value": "far"}}]}}
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/sparql-results+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def endpoint() -> Iterator[tuple[str, list[str]]]:
    """Another endpoint, which notes what it is asked."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", server.asked  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def test_an_allowed_endpoint_is_asked_and_no_other(tmp_path: Path) -> None:
    publish_small(tmp_path)
    with endpoint() as (far, asked):
        settings = small_settings(tmp_path, service_endpoints=[f"{far}/sparql", f"{far}/moved"])
        with serving(settings) as address:
            for words in ("SERVICE", "service SILENT"):
                status, _, body = get(address, f"SELECT ?x {{ {words} <{far}/sparql> {{ ?x ?y ?z }} }}")
                assert (status, b'"far"' in body) == (200, True), body
            assert len(asked) == 2
            assert get(address, f"SELECT ?x {{ SERVICE <{far}/other> {{ ?x ?y ?z }} }}")[0] == 400
            assert len(asked) == 2
            # A redirect is not followed.
            status, _, body = get(address, f"SELECT ?x {{ SERVICE <{far}/moved> {{ ?x ?y ?z }} }}")
            assert status == 500, body
            assert [path.partition("?")[0] for path in asked[2:]] == ["/moved"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE ?u { ?s ?p ?o } }",
        "SELECT * { VALUES ?u { <http://ok/> } SERVICE ?u { ?s ?p ?o } }",
        "PREFIX ok: <http://ok/> SELECT * { SERVICE ok: { ?s ?p ?o } }",
        "BASE <http://ok/> SELECT * { SERVICE <> { ?s ?p ?o } }",
        "SELECT * { SERVICE <http://ok/> { ?s ?p ?o } SERVICE <http://bad/> { ?s ?p ?o } }",
        "SELECT * { SERVICE <http://ok/> { SERVICE <http://bad/> { ?s ?p ?o } } }",
        "SELECT * { SERVICESILENT<http://ok/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE<http://bad/>{ ?a ?b ?c } . SERVICE <http://ok/> { ?s ?p ?o } }",
        "SELECT * { SERVICE <http://ok/x> { ?s ?p ?o } }",
        "SELECT * { SERVICE <http://OK/> { ?s ?p ?o } }",
        "SELECT * { SERVICE SILENT SILENT <http://bad/> { ?s ?p ?o } }",
        "SELECT * { SERVICE",
    ],
)
def test_only_an_endpoint_spelt_out_is_allowed(query: str) -> None:
    with pytest.raises(RequestError, match="SERVICE is not allowed here: only of http://ok/"):
        check(query, services=frozenset({"http://ok/"}))
    with pytest.raises(RequestError, match="this endpoint queries no other"):
        check(query)


def test_an_allowed_service_passes_the_guard() -> None:
    check("SELECT * { SERVICE <http://ok/> { ?s ?p ?o } service silent<http://ok/>{} }", services={"http://ok/"})
    output = io.BytesIO()
    evaluate(Store(), Task("ASK { FILTER NOT EXISTS { ?s ?p 'SERVICE' } }"), services={"http://ok/"}).write(output)
    assert b"true" in output.getvalue()


# The cache


@pytest.mark.parametrize("coding", [None, "gzip", "zstd"])
def test_the_cache_gives_back_what_it_was_given(coding: str | None) -> None:
    cache = AnswerCache(1_000_000)
    body = b"answer " * 500
    cache.keep(b"0" * 16, 1, coding, pack(body, coding))
    for wanted in (None, "gzip", "zstd", coding):
        found = cache.find(b"0" * 16, wanted)
        assert found is not None
        assert (found[0], found[2], unpack(found[1], found[2])) == (1, wanted, body)
    assert cache.find(b"1" * 16, None) is None


def test_the_cache_forgets_the_oldest_and_never_mixes() -> None:
    cache = AnswerCache(20_000)
    digests = [number.to_bytes(16) for number in range(200)]
    for number, digest in enumerate(digests):
        cache.keep(digest, 1, None, bytes([number]) * 900)
    kept = {number: cache.find(digest, None) for number, digest in enumerate(digests)}
    assert kept[0] is None
    assert kept[199] is not None
    assert all(found is None or found[1] == bytes([number]) * 900 for number, found in kept.items())
    assert 10 < sum(found is not None for found in kept.values()) < 23
    cache.keep(b"x" * 16, 1, None, b"y" * 5000)
    assert cache.find(b"x" * 16, None) is None, "too large"
    assert AnswerCache(0).find(digests[0], None) is None
