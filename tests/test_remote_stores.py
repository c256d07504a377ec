"""Stores on other servers that misbehave: down, slow, lying, cut off, without a graph store, half published.

A fake server stands before a real one (the native oxigraph server), passes requests on and misbehaves as it is told.
"""

from __future__ import annotations

import io
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from engines import missing, oxigraph, virtuoso
from fake_store import JSON, Asked, FakeStore, Reply, fake_store
from pydantic import SecretStr
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, parse
from small_site import BASE, ONE, many_quads, running, small_quads, small_settings

from culturegraph.cli import main
from culturegraph.errors import CulturegraphError, LimitExceededError, RequestError, UpstreamError, UsageError
from culturegraph.rdf.sparql_text import outline
from culturegraph.settings import Settings
from culturegraph.store.evaluation import Task, evaluate
from culturegraph.store.publishing import publish
from culturegraph.store.remote import graph_store
from culturegraph.store.remote.generation import POINTER, Pointer, choose_generation, name_graph, prefix
from culturegraph.store.remote.graph_store import Addresses, GraphStoreProtocol, Updates, find_graph_store
from culturegraph.store.remote.opening import connect, look, open_remote
from culturegraph.store.remote.publishing import find_pointer, publish_everywhere, write_generation
from culturegraph.store.remote.upstream import Endpoint
from culturegraph.store.remote.wording import without_values, word
from culturegraph.store.snapshot import Snapshot, open_current
from culturegraph.web.remote import create_remote_app

pytestmark = pytest.mark.skipif(missing("oxigraph") is not None, reason=str(missing("oxigraph")))
NONE = "https://example.org/none"


@pytest.fixture(autouse=True)
def impatient_and_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Do not wait long between attempts, and leave no connection open where a test ends in an error."""
    opened: list[Endpoint] = []
    make = Endpoint.__init__

    def note(endpoint: Endpoint, *given: Any) -> None:
        make(endpoint, *given)
        opened.append(endpoint)

    monkeypatch.setattr(graph_store, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(Endpoint, "__init__", note)
    yield
    for endpoint in opened:
        endpoint.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with oxigraph(tmp_path_factory.mktemp("engine")) as engine:
        yield engine.query.removesuffix("/query")


@pytest.fixture
def fake(engine: str) -> Iterator[FakeStore]:
    with fake_store(engine) as fake:
        fake.client.post("/update", data={"update": "DROP ALL"})
        yield fake


def build(folder: Path, version: str = "small-1") -> Path:
    extra = Quad(NamedNode(BASE + "id/x"), NamedNode(BASE + "ontology/name"), NamedNode(f"{BASE}id/{version}"))
    quads = [*small_quads(), Quad(*extra.triple, NamedNode(ONE))]
    publish(folder, quads, version=version, metadata={"content_hash": version})
    return folder


def settings_of(folder: Path, *fakes: FakeStore, **changes: Any) -> Settings:
    # No copy: the store itself is to answer.
    given = {"endpoint_check": 2.0, "endpoint_copy": 0, **changes}
    return small_settings(folder, endpoints=tuple(fake.address for fake in fakes), **given)


def published(tmp_path: Path, *fakes: FakeStore, **changes: Any) -> tuple[Settings, Snapshot]:
    settings = settings_of(build(tmp_path / "store"), *fakes, **changes)
    publish_everywhere(settings, Addresses())
    return settings, open_remote(settings, connect(settings))


def ask(snapshot: Snapshot, query: str = "SELECT * { ?s ?p ?o }", **options: Any) -> bytes:
    output = io.BytesIO()
    evaluate(snapshot.store, Task(query, **options), snapshot=snapshot).write(output)
    return output.getvalue()


def only(condition: Callable[[Asked], bool], told: Reply | int) -> Callable[[Asked], Reply | int | None]:
    return lambda asked: told if condition(asked) else None


# Reading.


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(200, {"content-type": "text/html"}, b"<p>Welcome"), UpstreamError, "text/html"),
        (Reply(200, {"content-type": JSON}, b"<p>Welcome"), UpstreamError, "malformed|no application|cut off"),
        (Reply(200, {"content-type": JSON}, b'{"head":{"vars":["s"]},"results":{"bindings":['), UpstreamError, "cut"),
        (Reply(200, {"content-type": JSON}, b'{"head":{},"boolean":true}'), UpstreamError, "a boolean, not with rows"),
        (Reply(200, {"content-type": "text/turtle"}, b"<a:b> <a:b> <a:b> ."), UpstreamError, "with text/turtle, not"),
        (Reply(500, {}, b"Virtuoso 37000 Error SQ156: Internal"), RequestError, "refuses the query: Virtuoso 37000"),
        (Reply(500, {}, b"Virtuoso S1T00 Error SR171"), LimitExceededError, "time limit of its own"),
        (Reply(200, {"content-type": JSON, "x-sparql-maxrows": "10"}, b"{}"), LimitExceededError, "at 10 rows"),
        (Reply(200, {"content-type": JSON, "x-sql-state": "S1TAT"}, b"{}"), LimitExceededError, "part of the answer"),
        (Reply(400, {}, b"no, not  this\nquery"), RequestError, "refuses the query: no, not this query"),
        (Reply(401, {}), UpstreamError, "CULTUREGRAPH_ENDPOINT_PASSWORD"),
        (Reply(403, {}), UpstreamError, "CULTUREGRAPH_ENDPOINT_PASSWORD"),
        (Reply(307, {"location": "http://evil.example/"}), UpstreamError, "redirects to http://evil.example/"),
        (Reply(500, {}, b"oops"), UpstreamError, "answers 500: oops"),
        (Reply(503, {}, b"busy"), UpstreamError, "answers 503: busy"),
        (Reply(cut=-1), UpstreamError, "broke off before"),
    ],
)  # fmt: skip
def test_answers_that_are_none(
    tmp_path: Path, fake: FakeStore, reply: Reply, error: type[CulturegraphError], words: str
) -> None:
    _, snapshot = published(tmp_path, fake)
    fake.behave = lambda asked: reply
    with pytest.raises(error, match=words):
        ask(snapshot)
    # Also where a page asks, for a pattern or by a query.
    with pytest.raises(error):
        list(snapshot.store.quads_for_pattern(NamedNode(BASE + "id/other"), None, None, DefaultGraph()))
    with pytest.raises(error):
        snapshot.store.query("SELECT ?x { ?x ?y ?z } LIMIT 3")


@pytest.mark.parametrize("query", ["SELECT * { ?s ?p ?o }", "CONSTRUCT WHERE { ?s ?p ?o }"])
def test_an_answer_cut_in_the_middle_is_never_whole(tmp_path: Path, fake: FakeStore, query: str) -> None:
    _, snapshot = published(tmp_path, fake)
    fake.behave = lambda asked: 900
    with pytest.raises(UpstreamError, match="broke off in the middle"):
        ask(snapshot, query)
    fake.behave = lambda asked: None
    assert ask(snapshot, query)


def test_a_slow_store_is_left_at_the_limit(tmp_path: Path, fake: FakeStore) -> None:
    _, snapshot = published(tmp_path, fake, query_timeout=0.5)
    fake.behave = lambda asked: Reply(delay=3.0)
    started = time.monotonic()
    with pytest.raises(LimitExceededError, match=r"0\.5 seconds"):
        ask(snapshot)
    assert time.monotonic() - started < 2.0


@pytest.mark.parametrize("copied", [0, 1000])
def test_opening_a_generation_may_take_longer_than_a_query(tmp_path: Path, fake: FakeStore, copied: int) -> None:
    settings, _ = published(tmp_path, fake, query_timeout=0.5, endpoint_copy=copied)
    shutil.rmtree(settings.store / "remote")
    replicas = connect(settings)
    fake.behave = lambda asked: time.sleep(1.0) if " ?o " in asked.query else None
    snapshot = open_remote(settings, replicas)
    assert snapshot.text_index.matches("awajún")
    with pytest.raises(LimitExceededError, match=r"0\.5 seconds"):
        ask(snapshot, "SELECT ?s { ?s ?p ?o }", client="192.0.2.7")


def test_a_store_that_falls_silent_in_the_middle_is_left_at_the_limit(tmp_path: Path, fake: FakeStore) -> None:
    _, snapshot = published(tmp_path, fake, query_timeout=0.5)
    head = b'{"head":{"vars":["s"]},"results":{"bindings":[' + b" " * 1000
    fake.behave = lambda asked: Reply(200, {"content-type": JSON}, head, cut=500, stall=3.0)
    started = time.monotonic()
    with pytest.raises(LimitExceededError, match="sent nothing more in time"):
        ask(snapshot)
    assert time.monotonic() - started < 2.0


def test_a_client_sees_that_an_answer_broke_off(tmp_path: Path, fake: FakeStore) -> None:
    quads = [*small_quads(), *many_quads(4000)]
    publish(tmp_path / "store", quads, version="many-1", metadata={"content_hash": "m"})
    settings = settings_of(tmp_path / "store", fake)
    publish_everywhere(settings, Addresses())
    app = create_remote_app(settings, lambda _: nullcontext())
    asked = {"query": "SELECT * { ?s ?p ?o }", "format": "csv"}
    with running(app, settings) as address, httpx.Client(base_url=address, timeout=20) as client:
        fake.behave = only(lambda asked: "?s ?p ?o" in asked.query, 800_000)
        # Its head is out by then: nothing but the end of the connection can tell.
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/sparql", params=asked)
        fake.behave = lambda asked: None
        assert client.get("/sparql", params=asked).text.count("\r\n") > 4000
    app.state.watch.stop()


def test_a_store_that_ignores_the_dataset_of_a_request_is_found_out(tmp_path: Path, fake: FakeStore) -> None:
    settings = settings_of(build(tmp_path / "store"), fake)

    def forget(asked: Asked) -> None:
        form = parse_qs(asked.body.decode("utf-8", "replace"))
        if asked.path == "/query" and "query" in form:
            asked.body = urlencode({"query": form["query"][0]}).encode()

    fake.behave = forget
    with pytest.raises(UpstreamError, match="is not seen by"):
        publish_everywhere(settings, Addresses())


def test_an_answer_beyond_the_limit_is_refused(tmp_path: Path, fake: FakeStore) -> None:
    _, snapshot = published(tmp_path, fake, max_result_size=60_000)
    assert ask(snapshot, "ASK { ?s ?p ?o }")
    with pytest.raises(LimitExceededError, match="60,000 bytes"):
        ask(snapshot, "SELECT * { ?s ?p ?o . ?a ?b ?c }")


def test_results_in_xml_are_read_too(tmp_path: Path, fake: FakeStore) -> None:
    _, snapshot = published(tmp_path, fake)
    kind = "application/sparql-results+xml; charset=utf-8"
    body = b'<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head/><boolean>true</boolean></sparql>'
    fake.behave = lambda asked: Reply(200, {"content-type": kind}, body)
    assert b"true" in ask(snapshot, "ASK {}")


def test_a_geometry_under_another_datatype_is_itself(tmp_path: Path, fake: FakeStore) -> None:
    _, snapshot = published(tmp_path, fake)
    datatype = "http://www.openlinksw.com/schemas/virtrdf#Geometry"
    row = {"o": {"type": "literal", "value": "POINT(1 2)", "datatype": datatype}}
    body = json.dumps({"head": {"vars": ["o"]}, "results": {"bindings": [row] * 3_000}}).encode()
    fake.behave = lambda asked: Reply(200, {"content-type": JSON}, body)
    bindings = json.loads(ask(snapshot))["results"]["bindings"]
    assert {row["o"]["datatype"] for row in bindings} == {"http://www.opengis.net/ont/geosparql#wktLiteral"}
    assert len(bindings) == 3_000


def test_what_was_read_is_not_asked_again(tmp_path: Path, fake: FakeStore) -> None:
    _, snapshot = published(tmp_path, fake)
    subject = NamedNode(BASE + "id/people/awajun")
    first = list(snapshot.store.quads_for_pattern(subject, None, None, DefaultGraph()))
    fake.asked.clear()
    for quad in first:
        assert quad in list(snapshot.store.quads_for_pattern(subject, quad.predicate, None, DefaultGraph()))
    snapshot.store.query("SELECT ?x { ?x ?y ?z } LIMIT 3")
    snapshot.store.query("SELECT ?x { ?x ?y ?z } LIMIT 3")
    assert len(fake.asked) == 1


def test_a_small_generation_is_copied_and_only_clients_ask_the_store(tmp_path: Path, fake: FakeStore) -> None:
    settings, _ = published(tmp_path, fake)
    snapshot = open_remote(settings.model_copy(update={"endpoint_copy": 1000}), connect(settings))
    embedded = open_current(settings.store).store
    fake.asked.clear()
    for query in ("SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o", f"SELECT * FROM <{ONE}> {{ ?s ?p ?o }} ORDER BY ?s ?p ?o"):
        assert ask(snapshot, query) == ask(Snapshot(snapshot.path, snapshot.manifest, embedded), query)
    assert set(snapshot.store) == set(embedded)
    assert snapshot.store.query("ASK { ?s ?p ?o }")
    assert not fake.asked
    assert ask(snapshot, "ASK { ?s ?p ?o }", client="192.0.2.1")
    assert len(fake.asked) == 1


def test_a_copy_that_lacks_a_row_is_none(tmp_path: Path, fake: FakeStore) -> None:
    settings, _ = published(tmp_path, fake)

    def shorten(asked: Asked) -> None:
        # As a store does that has a limit of its own and does not say so.
        asked.body = asked.body.replace(b"%3Fs+%3Fp+%3Fo+%7D", b"%3Fs+%3Fp+%3Fo+%7D+LIMIT+1")

    fake.behave = shorten
    with pytest.raises(UpstreamError, match="the store gives 1 of"):
        open_remote(settings.model_copy(update={"endpoint_copy": 1000}), connect(settings))


# Replicas.


def test_a_dead_replica_costs_no_request(tmp_path: Path, fake: FakeStore) -> None:
    with fake_store(str(fake.client.base_url)) as other:
        settings, _ = published(tmp_path, fake)
        settings = settings_of(settings.store, fake, other)
        replicas = connect(settings)
        snapshot = open_remote(settings, replicas)
        for number in range(4):
            assert ask(snapshot, f"ASK {{ ?s ?p {number} }}")
        fake.asked.clear()
        # It dies unnoticed: the request that finds out is answered by the other.
        other.behave = lambda asked: Reply(cut=-1)
        for number in range(6):
            assert ask(snapshot, f"ASK {{ ?s ?p {number} }}")
        assert len(fake.asked) == 6
        assert [replica.is_alive for replica in replicas.replicas] == [True, False]
        other.asked.clear()
        assert ask(snapshot, "ASK {}")
        assert not other.asked
        # It comes back, and the next look sees it.
        other.behave = lambda asked: None
        look(replicas, 2.0)
        assert [replica.is_alive for replica in replicas.replicas] == [True, True]
        fake.behave = other.behave = lambda asked: Reply(503, {}, b"both")
        with pytest.raises(UpstreamError, match="both"):
            ask(snapshot)


@pytest.mark.slow
def test_a_replica_without_the_generation_is_not_asked(tmp_path: Path, fake: FakeStore) -> None:
    (tmp_path / "second").mkdir()
    with oxigraph(tmp_path / "second") as engine, fake_store(engine.query.removesuffix("/query")) as other:
        settings, _ = published(tmp_path, fake)
        settings = settings_of(settings.store, fake, other)
        snapshot = open_remote(settings, connect(settings))
        other.asked.clear()
        for number in range(4):
            assert ask(snapshot, f"ASK {{ ?s ?p {number} }}")
        assert not other.asked


def test_the_generation_that_most_replicas_hold_is_read() -> None:
    old, both, new = Pointer("a", ("a",)), Pointer("b", ("b", "a")), Pointer("b", ("b",))
    assert choose_generation([]) is None
    assert choose_generation([old, both]) == "a"
    assert choose_generation([both, both]) == "b"
    assert choose_generation([both]) == "b"
    assert choose_generation([new, new, old]) == "b"


def test_endpoints_that_cannot_be_opened(tmp_path: Path, fake: FakeStore) -> None:
    with pytest.raises(UpstreamError, match="nothing is published"):
        connect(settings_of(tmp_path, fake))
    nobody = small_settings(tmp_path, endpoints=("http://127.0.0.1:9/sparql",), endpoint_check=1.0)
    with pytest.raises(UpstreamError, match="cannot be reached"):
        connect(nobody)
    for address, words in (("ftp://x/", "not the address"), ("http://me:secret@127.0.0.1/", "holds no credentials")):
        with pytest.raises(UsageError, match=words) as refused:
            Endpoint(address, nobody)
        assert "secret" not in str(refused.value)


def test_a_server_changes_to_a_new_generation_while_it_answers(tmp_path: Path, fake: FakeStore) -> None:
    settings = settings_of(build(tmp_path / "store"), fake).model_copy(update={"endpoint_check": 0.2})
    publish_everywhere(settings, Addresses())
    app = create_remote_app(settings, lambda _: nullcontext())
    counts, seen = {"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "format": "csv"}, list[str]()
    with running(app, settings) as address, httpx.Client(base_url=address, timeout=20) as client:
        assert "awajun" in client.get("/search?q=awajun&format=json").text
        publish_everywhere(settings_of(build(tmp_path / "store", "small-2"), fake), Addresses())
        deadline = time.monotonic() + 20
        while (version := client.get("/health").json()["version"]) != "small-2":
            assert version == "small-1"
            assert client.get("/doc/people/awajun").status_code == 200
            seen.append(client.get("/sparql", params=counts).text)
            assert time.monotonic() < deadline
        assert client.get("/sparql", params=counts).text == seen[0]
        # Whoever asks while the store is gone hears so; what was answered before still is.
        fake.behave = lambda asked: Reply(cut=-1)
        assert client.get("/sparql", params=counts).status_code == 200
        answer = client.get("/sparql", params={"query": "ASK { ?x ?y 77 }"})
        assert (answer.status_code, "broke off" in answer.text) == (502, True)
    app.state.watch.stop()


def test_a_client_has_the_share_before_a_store_that_it_has_before_ours(tmp_path: Path, fake: FakeStore) -> None:
    share: dict[str, Any] = {"client_rate": 0.3, "client_queries": 2, "trusted_proxies": frozenset({"127.0.0.1"})}
    settings = settings_of(build(tmp_path / "store"), fake, query_timeout=1.5, workers=1, **share)
    publish_everywhere(settings, Addresses())
    app = create_remote_app(settings, lambda _: nullcontext())
    with running(app, settings) as address, httpx.Client(base_url=address, timeout=20) as client:

        def get(query: str, who: str, accept: str = "*/*") -> httpx.Response:
            return client.get("/sparql", params={"query": query}, headers={"x-forwarded-for": who, "accept": accept})

        assert [get("ASK {}", "192.0.2.7").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = get("ASK {}", "192.0.2.7")
        assert refused.text == "Too many requests: a client may send 0.3 queries a second\n"
        assert refused.headers["retry-after"] == "1"
        assert get("ASK {}", "192.0.2.7", "text/html").status_code == 429
        assert [get("ASK {}", "192.0.2.8", kind).status_code for kind in ("*/*", "text/html")] == [200, 200]
        # Slow ones: two at a time, and others are answered meanwhile; when they are over there is room again.
        fake.behave = only(lambda asked: "slow" in asked.query, Reply(delay=3.0))
        with ThreadPoolExecutor(3) as pool:
            slow = [pool.submit(get, f"ASK {{ ?slow ?p {number} }}", "192.0.2.9") for number in range(3)]
            time.sleep(0.3)
            assert get("ASK { ?quick ?p 1 }", "192.0.2.10").status_code == 200
            assert sorted(each.result().status_code for each in slow) == [429, 503, 503]
        deadline = time.monotonic() + 10
        while app.state.site.board.totals().busy:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert get("ASK { ?quick ?p 2 }", "192.0.2.9").status_code == 200
    app.state.watch.stop()


def test_the_command_line_publishes(tmp_path: Path, fake: FakeStore, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["culturegraph", "publish", "--store", str(build(tmp_path / "store")), "--endpoint", fake.address]
    for expected in ("verified", "was published already"):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
            patch.setattr("sys.argv", command)
            main()
        assert left.value.code == 0
        assert expected in capsys.readouterr().out


# Publishing.


def test_publishing_again_does_nothing(tmp_path: Path, fake: FakeStore) -> None:
    settings, _ = published(tmp_path, fake)
    ((_, done),) = publish_everywhere(settings, Addresses())
    assert done.was_current
    assert done.sent == 0


def test_a_cut_publication_goes_on_and_is_never_read(
    tmp_path: Path, fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GraphStoreProtocol, "piece", 140)
    settings, before = published(tmp_path, fake)
    store = tmp_path / "store"
    quads = [*small_quads(), *many_quads(600)]
    publish(store, quads, version="small-2", metadata={"content_hash": "x"})
    merge = prefix("")[:-1]
    left = 3

    def die_in_the_merge(asked: Asked) -> Reply | None:
        nonlocal left
        if asked.method in ("PUT", "POST") and "%2Fmerge" in asked.path and merge:
            left -= 1
            return Reply(cut=-1) if left < 0 else None
        return None

    fake.behave = die_in_the_merge
    with pytest.raises(UpstreamError, match="broke off before"):
        publish_everywhere(settings, Addresses())
    fake.behave = lambda asked: None
    # Who reads now reads the generation before, whole.
    replicas = connect(settings)
    assert open_remote(settings, replicas).version == before.version
    assert len(list(open_remote(settings, replicas).store)) == len(list(before.store))
    ((_, done),) = publish_everywhere(settings, Addresses())
    assert done.resumed
    # Each graph, and the merge of all.
    assert done.triples == len(set(quads)) + len({quad.triple for quad in quads})
    # Of 600 and some triples of the merge 420 were acknowledged; all other graphs were there.
    assert 0 < done.sent < 300
    assert open_remote(settings, connect(settings)).version == "small-2"
    assert not list((store / "publishing").iterdir())


@pytest.mark.slow
def test_a_generation_that_was_begun_elsewhere_is_removed(tmp_path: Path, fake: FakeStore) -> None:
    settings = settings_of(build(tmp_path / "store"), fake)
    fake.behave = only(lambda asked: "merge" in asked.path, Reply(cut=-1))
    with pytest.raises(UpstreamError):
        publish_everywhere(settings, Addresses())
    fake.behave = lambda asked: None
    with pytest.raises(UpstreamError, match="nothing is published"):
        connect(settings)
    other = settings_of(build(tmp_path / "elsewhere", "small-2"), fake)
    ((_, done),) = publish_everywhere(other, Addresses())
    assert done.removed > 3
    assert not done.resumed
    (identity,) = {name.split("/generation/")[1].split("/")[0] for name in graphs(fake) if "/current" not in name}
    assert identity == done.generation


def graphs(fake: FakeStore) -> set[str]:
    form = {"query": "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"}
    rows = fake.client.post("/query", data=form, headers={"accept": JSON}).json()["results"]["bindings"]
    return {row["g"]["value"] for row in rows}


@pytest.mark.slow
def test_older_generations_are_kept_and_then_removed(tmp_path: Path, fake: FakeStore) -> None:
    made = []
    for version in ("small-1", "small-2", "small-3"):
        settings = settings_of(build(tmp_path / "store", version), fake)
        ((_, done),) = publish_everywhere(settings, Addresses())
        made.append(done)
    pointer = find_pointer(Endpoint(fake.address, settings))
    assert pointer == Pointer(made[2].generation, (made[2].generation, made[1].generation))
    assert made[2].removed == len(made[0].graphs)
    assert not any(name.startswith(prefix(made[0].generation)) for name in graphs(fake))


# What is altered has the right number of triples: the hardest to find.
@pytest.mark.parametrize(
    "fault",
    ["altered", pytest.param("lost", marks=pytest.mark.slow), pytest.param("added", marks=pytest.mark.slow)],
)
def test_a_store_that_does_not_hold_what_it_took_is_found_out(tmp_path: Path, fake: FakeStore, fault: str) -> None:
    settings = settings_of(build(tmp_path / "store"), fake)

    def falsify(asked: Asked) -> Reply | None:
        if asked.method != "PUT" or "two" not in asked.path:
            return None
        lines = asked.body.decode().splitlines(keepends=True)
        altered = {
            "lost": lines[1:],
            "altered": [lines[0].replace("> .", "x> .").replace('" .', 'x" .').replace('"@', 'x"@'), *lines[1:]],
            "added": [*lines, f"<{NONE}> <{NONE}> <{NONE}> .\n"],
        }[fault]
        asked.body = "".join(altered).encode()
        return None

    fake.behave = falsify
    with pytest.raises(UpstreamError, match="source/two> as it was sent") as told:
        publish_everywhere(settings, Addresses())
    assert (NONE in str(told.value)) == (fault == "added")
    assert find_pointer(Endpoint(fake.address, settings)) is None
    # It is loaded anew, though an altered graph has the right number of triples.
    fake.behave = lambda asked: None
    ((_, done),) = publish_everywhere(settings, Addresses())
    assert 0 < done.sent < 20


def test_a_store_without_the_graph_store_protocol_is_written_by_updates(tmp_path: Path, fake: FakeStore) -> None:
    fake.behave = only(lambda asked: asked.method == "PUT", Reply(405, {}, b"no"))
    settings, snapshot = published(tmp_path, fake)
    assert isinstance(find_graph_store(Endpoint(fake.address, settings), Addresses()), Updates)
    assert len(list(snapshot.store)) == len(list(open_current(settings.store).store))
    assert fake.gets("/update")


def test_a_store_that_cannot_be_written_says_what_was_tried(tmp_path: Path, fake: FakeStore) -> None:
    settings = settings_of(build(tmp_path / "store"), fake)
    fake.behave = only(lambda asked: asked.path.partition("?")[0] != "/query", Reply(405, {}, b"no"))
    with pytest.raises(UpstreamError, match=r"--graph-store.*/store: PUT is answered 405.*/update: POST"):
        publish_everywhere(settings, Addresses())
    # A graph store of another dataset: what is written there is not seen here.
    fake.behave = only(lambda asked: asked.method in ("PUT", "POST") and asked.path != "/query", Reply(204))
    with pytest.raises(UpstreamError, match="is not seen by"):
        publish_everywhere(settings, Addresses())


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
def test_credentials_go_as_they_are_asked_for_and_into_no_message(
    tmp_path: Path, fake: FakeStore, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    challenge = {"www-authenticate": f'{scheme} realm="r", nonce="n", qop="auth", algorithm=MD5'}
    fake.behave = lambda asked: None if asked.authorization.startswith(scheme) else Reply(401, challenge)
    wrong = settings_of(build(tmp_path / "store"), fake)
    with pytest.raises(UpstreamError, match="refuses the credentials"):
        publish_everywhere(wrong, Addresses())
    right = settings_of(wrong.store, fake, endpoint_user="me", endpoint_password=SecretStr("sesame-1"))
    publish_everywhere(right, Addresses())
    assert ask(open_remote(right, connect(right)), "ASK {}")
    assert "sesame-1" not in caplog.text + repr(right) + right.model_dump_json()
    fake.behave = lambda asked: Reply(401, challenge)
    with pytest.raises(UpstreamError) as refused:
        connect(right)
    assert "sesame-1" not in str(refused.value)


def test_a_token_goes_as_it_is(tmp_path: Path, fake: FakeStore) -> None:
    fake.behave = lambda asked: None if asked.authorization == "Bearer t-1" else Reply(401)
    published(tmp_path, fake, endpoint_token=SecretStr("t-1"))


@pytest.mark.parametrize(
    "text", ["no json", "{}", '{"format": 1, "current": "../x", "generations": []}', '{"format": 9}']
)
def test_a_pointer_that_is_none_is_told(tmp_path: Path, fake: FakeStore, text: str) -> None:
    settings, _ = published(tmp_path, fake)
    line = f"<{POINTER}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#value> {json.dumps(text)} ."
    headers = {"content-type": "application/n-triples"}
    fake.client.put("/store", params={"graph": POINTER}, content=line, headers=headers)
    with pytest.raises(UpstreamError, match=r"names no generation|another version"):
        connect(settings)


def test_a_generation_loaded_in_bulk_is_only_verified(tmp_path: Path, fake: FakeStore) -> None:
    settings = settings_of(build(tmp_path / "store"), fake)
    count = write_generation(open_current(settings.store), tmp_path / "generation.nq")
    data = (tmp_path / "generation.nq").read_bytes()
    assert len(list(parse(data, RdfFormat.N_QUADS))) == count
    fake.client.post("/store", content=data, headers={"content-type": "application/n-quads"})
    ((_, done),) = publish_everywhere(settings, Addresses())
    assert (done.sent, done.triples) == (0, count)


# Wording.


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT ?s { GRAPH <a:1> { ?s ?p ?o } }", "SELECT ?s { GRAPH  <gen:a:1> { ?s ?p ?o } }"),
        ("SELECT ?s { GRAPH <a:9> { ?s ?p ?o } }", "SELECT ?s { GRAPH  <gen:none> { ?s ?p ?o } }"),
        ("PREFIX a: <a:> SELECT ?s { GRAPH a:1 { } }", "PREFIX a: <a:> SELECT ?s { GRAPH  <gen:a:1> { } }"),
        (
            "SELECT * { GRAPH ?g {} }",
            "SELECT  ?s ?g { GRAPH ?graph_1 { VALUES (?graph_1 ?g) { (<gen:a:1> <a:1>) } } }",
        ),
        (
            "SELECT ?g { GRAPH ?g { SELECT * { ?s ?p ?o } } }",
            "SELECT ?g { { VALUES (?graph_1 ?g) { (<gen:a:1> <a:1>) } GRAPH ?graph_1 { SELECT * { ?s ?p ?o } }} }",
        ),
        (
            "SELECT ?g { GRAPH ?g { SELECT ?g { ?s ?p ?g } } }",
            "SELECT ?g { GRAPH ?graph_1 { VALUES (?graph_1 ?g) { (<gen:a:1> <a:1>) } { SELECT ?g { ?s ?p ?g } }} }",
        ),
        ('SELECT ("GRAPH ?g {" AS ?x) {}', 'SELECT ("GRAPH ?g {" AS ?x) {}'),
        ("SELECT ?graph_1 FROM <a:1> FROM NAMED <a:1> {}", "SELECT ?graph_1     {}"),
        ("BASE <http://a/> SELECT ?s { ?s <b> <c:d> }", "  SELECT ?s { ?s <http://a/b> <c:d> }"),
        ("SELECT ?s { VALUES ?s { UNDEF } ?s a ?c }", "SELECT ?s {   ?s a ?c }"),
    ],
)
def test_a_query_in_the_words_of_a_store(query: str, expected: str) -> None:
    worded = word(query, outline(query), ["a:1"], ["s", "g"], lambda graph: f"gen:{graph}").text
    assert " ".join(worded.split()) == " ".join(expected.split())


def test_the_data_of_values_are_not_evaluated_to_read_a_query() -> None:
    rows = " ".join(f"({number})" for number in range(300))
    blocks = " ".join(f"VALUES (?v{number}) {{ {rows} }}" for number in range(6))
    query = f"ASK {{ {blocks} FILTER(?v0 = -1) }}"
    blank = without_values(query)
    assert len(blank) == len(query)
    assert "299" not in blank
    assert without_values("SELECT * { VALUES ?x { 1\n2 } ?x ?y '}' }").count("\n") == 1


def test_graphs_of_generations_have_names_that_differ() -> None:
    names = {name_graph("0" * 16, graph) for graph in ("", ONE, "https://e.example/a?b=c&d", BASE + "merge/x")}
    assert len(names) == 4
    assert all(NamedNode(name) for name in names)


@pytest.mark.slow
@pytest.mark.skipif(missing("virtuoso") is not None, reason=str(missing("virtuoso")))
def test_virtuoso_refuses_wrong_credentials(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    with virtuoso(tmp_path / "engine") as engine:
        wrong = {"endpoint_user": "dba", "endpoint_password": SecretStr("sesame-2")}
        settings = small_settings(build(tmp_path / "store"), endpoints=(engine.query,), **wrong)
        with pytest.raises(UpstreamError, match="refuses the credentials") as refused:
            publish_everywhere(settings, Addresses())
        assert "sesame-2" not in str(refused.value)
        assert find_pointer(Endpoint(engine.query, settings)) is None
