"""The site around the protocols: front page, queries, health, errors, headers, start and stop of the server."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from httpx import ASGITransport, AsyncClient, Client, Response
from pyoxigraph import Quad, Store
from small_site import BASE, CASES, listening, many_quads, publish_small, small_settings

from culturegraph.errors import StorageError
from culturegraph.queries import read_queries
from culturegraph.store.snapshot import Snapshot
from culturegraph.web.app import create_app
from culturegraph.web.pages import LANGUAGES, read_words
from culturegraph.web.server import address, bind, serve

TEMPLATES = Path(__file__).resolve().parents[1] / "src" / "culturegraph" / "web" / "templates"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return publish_small(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def client(snapshot: Snapshot) -> Iterator[Client]:
    with listening(small_settings(snapshot.path), snapshot) as server, Client(base_url=server, timeout=30) as client:
        yield client


def test_health(client: Client, snapshot: Snapshot) -> None:
    health = client.get("/health").json()
    assert health["status"] == "ok"
    assert health["version"] == "small-1"
    assert health["triples"] == snapshot.triples
    assert health["quads"] == snapshot.triples + 1


def test_the_front_page_tells_what_is_here(client: Client) -> None:
    page = client.get("/", headers={"accept-language": "es"}).text
    assert re.search(r"<strong>2</strong>\s*<span>pueblo indígena", page)
    assert "¿Qué pueblos hay?" in page
    assert f"curl {str(client.base_url).rstrip('/')}/sparql" in page
    assert "Which peoples are there?" in client.get("/", headers={"accept-language": "en"}).text


def test_queries_are_listed_shown_and_run(client: Client) -> None:
    listed = client.get("/queries/", headers={"accept-language": "en"}).text
    assert 'href="/queries/all-peoples"' in listed
    page = client.get("/queries/all-peoples", headers={"accept": "text/html", "accept-language": "es"}).text
    assert "¿Qué pueblos hay?" in page
    assert "SELECT ?people WHERE" in page
    assert "#+" not in page, "the head is told in words"
    assert ">Awajún</a>" in page, "the answer is there"
    run = re.search(r'class="button" href="(/sparql\?query=[^"]+)"', page)
    assert run is not None
    result = client.get(run[1].replace("&amp;", "&"), headers={"accept": "text/html", "accept-language": "es"})
    assert ">Awajún</a>" in result.text
    missing = client.get("/queries/all-people", headers={"accept": "text/html"})
    assert missing.status_code == 404
    assert "all-peoples" in missing.text


def test_the_bundled_queries_have_pages(snapshot: Snapshot, root: Path) -> None:
    settings = small_settings(snapshot.path, root=root)
    with listening(settings, snapshot) as server, Client(base_url=server, timeout=30) as client:
        listed = client.get("/queries/").text
        for query in read_queries(settings.queries):
            is_shown = query.kind in ("competency", "examples", "dashboards")
            assert (f'href="/queries/{query.id}"' in listed) is is_shown
            if is_shown:
                assert client.get(f"/queries/{query.id}", headers={"accept": "text/html"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/health", "/sparql", "/id/people/awajun", "/doc/people/awajun", "/nothing", "/openapi.json"]
)
def test_headers_of_every_response(client: Client, path: str) -> None:
    for response in (client.get(path), client.head(path)):
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-request-id"]
        assert "server" not in response.headers
        assert "set-cookie" not in response.headers
    assert client.head(path).content == b""
    assert client.head(path).status_code == client.get(path).status_code
    assert client.options(path).status_code == 204


def test_a_request_id_is_kept_if_it_is_harmless(client: Client) -> None:
    assert client.get("/health", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/health", headers={"x-request-id": "a b<>"}).headers["x-request-id"] != "a b<>"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/problem+json"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("image/png", "application/problem+json"),
    ],
)
def test_errors_by_accept(client: Client, accept: str, content_type: str) -> None:
    response = client.get("/nothing", headers={"accept": accept})
    assert response.status_code == 404
    assert response.headers["content-type"] == content_type
    assert "Accept" in response.headers["vary"]


def test_other_errors(client: Client) -> None:
    assert client.post("/health").status_code == 405
    assert client.get("/doc/people/awajun?page=0").status_code == 422
    assert client.get("/doc/people/awajun?page=x", headers={"accept": "text/html"}).status_code == 422
    assert client.get("/data/people/awajun", headers={"accept": "image/png"}).status_code == 406


def test_a_wrong_parameter_is_told(client: Client) -> None:
    problem = client.get("/doc/people/awajun?page=0")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["detail"].startswith("page: ")


def test_a_defect_is_told_without_its_details(snapshot: Snapshot, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(small_settings(snapshot.path), snapshot)

    @app.get("/defect")
    def fail() -> None:
        raise ZeroDivisionError("secret")

    async def get() -> Response:
        transport = ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/defect")

    response = asyncio.run(get())
    app.state.site.evaluators.close()
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.headers["access-control-allow-origin"] == "*"
    assert "secret" in caplog.text, "the log has them"


def test_static_files_and_openapi(client: Client) -> None:
    page = client.get("/").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        assert client.get(path).status_code == 200
    assert "/doc/{path}" in client.get("/openapi.json").json()["paths"]
    assert client.get("/static/../app.py").status_code == 404


def test_no_page_asks_another_host(client: Client) -> None:
    for path in ("/", "/doc/people/awajun", "/sparql", "/queries/", "/ontology/"):
        page = client.get(path, headers={"accept": "text/html"}).text
        assert not re.search(r'<(?:img|script|iframe|link rel="stylesheet")[^>]+(?:src|href)="(?:https?:)?//', page)
    assert "http" not in client.get("/static/culturegraph.css").text


def test_the_interface_has_the_same_words_in_every_language() -> None:
    words = {language: read_words(language) for language in LANGUAGES}
    assert len({frozenset(known) for known in words.values()}) == 1
    assert all(text.strip() for known in words.values() for text in known.values())
    assert all(not next(iter(Formatter().parse(text)))[1] for known in words.values() for text in known.values())
    used = set(re.findall(r"words\.(?!get\b)(\w+)", "".join(path.read_text() for path in TEMPLATES.glob("*.html"))))
    assert used <= set(words["es"])


def test_entity_pages_are_light(client: Client) -> None:
    for path in ("/doc/people/awajun", "/", "/sparql"):
        assert len(client.get(path, headers={"accept": "text/html"}).content) < 50_000
    assert len(client.get("/static/culturegraph.css").content) < 20_000


def test_a_crowded_page_is_light_and_paged(tmp_path: Path) -> None:
    store = Store()
    quads = [
        Quad(quad.subject, quad.predicate, many[0].object, quad.graph_name)
        for many in [list(many_quads(5000))]
        for quad in many
    ]
    store.bulk_extend(quads)
    snapshot = Snapshot(tmp_path, {"version": "crowd", "triples": 5000, "quads_by_graph": {}}, store)
    with listening(small_settings(tmp_path), snapshot) as server, Client(base_url=server, timeout=30) as client:
        page = client.get("/doc/thing/1", headers={"accept-language": "es"})
        assert len(page.content) < 50_000
        more = re.search(r'href="(/doc/thing/1\?predicate=[^"]+)"', page.text)
        assert more is not None
        first = client.get(more[1].replace("&amp;", "&"))
        assert first.text.count("<dd>") == 200
        following = re.search(r'rel="next" href="([^"]+)"', first.text)
        assert following is not None
        assert client.get(following[1].replace("&amp;", "&")).text.count("<dd>") == 200


def test_a_port_in_use_is_told(snapshot: Snapshot) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StorageError, match=f"port {port} .* in use") as caught:
            serve(small_settings(snapshot.path, port=port))
        assert caught.value.exit_code == 3
    with pytest.raises(StorageError, match="cannot listen"):
        bind("192.0.2.1", 0)


def test_a_server_without_a_snapshot_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="culturegraph build"):
        serve(small_settings(tmp_path / "none"))


def test_small_answers_are_not_held_back() -> None:
    """Headers and body are two writes: without TCP_NODELAY each answer takes 40 ms more."""
    with (
        bind("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as end,
    ):
        assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_addresses() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"
    if socket.has_ipv6:
        try:
            with bind("::1", 0) as listener:
                assert address(listener).startswith("http://[::1]:")
        except StorageError:
            pytest.skip("this machine has no IPv6 address")


@pytest.mark.parametrize("single", ["", "1"], ids=["processes", "single"])
def test_the_server_starts_serves_and_stops_on_sigterm(tmp_path: Path, single: str) -> None:
    publish_small(tmp_path / "store")
    code = (
        "import pathlib, sys; from culturegraph.settings import Settings; from culturegraph.web.server import serve\n"
        "serve(Settings(root=pathlib.Path(sys.argv[1]), store=pathlib.Path(sys.argv[2]), port=0,"
        " single_process=bool(sys.argv[3])))"
    )
    command = [sys.executable, "-c", code, str(CASES), str(tmp_path / "store"), single]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://(\S+)/", line)
        assert found is not None, line
        connection = http.client.HTTPConnection(found[1], timeout=10)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
        stopped = time.monotonic()
        process.terminate()
        rest = process.stderr.read()
    # Ten seconds are for what is under way.
    assert time.monotonic() - stopped < 5, "nothing was under way"
    assert process.returncode in (0, -15), rest
    assert "Traceback" not in rest


def test_the_canonical_base_is_never_rewritten(client: Client) -> None:
    assert BASE in client.get("/data/people/awajun.nt").text
    assert str(client.base_url) not in client.get("/data/people/awajun.nt").text
