"""A private snapshot: what it holds, and that nobody without a token gets a byte of it."""

from __future__ import annotations

import base64
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest
from httpx import Client, Response
from small_site import HOG, Serving, many_quads, publish_small, serving, small_quads, small_settings
from test_processes import descendants, wait_until
from typer.testing import CliRunner

from culturegraph.build import build, build_from_quads
from culturegraph.cli import app as command_line
from culturegraph.errors import CulturegraphError, DataErrors, StorageError, UsageError
from culturegraph.freshness import is_stale
from culturegraph.release import make_release
from culturegraph.server.tokens import Verdict, drop_token, judge, make_token, read_tokens, write_tokens
from culturegraph.settings import Settings
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current
from culturegraph.web.app import create_app
from culturegraph.web.private import FAILURES, WINDOW, Failures, read_credentials
from culturegraph.web.server import serve

MINIMAL = Path(__file__).parent / "cases" / "build" / "minimal"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RESTRICTIONS = "thing,statement,text,level,role,date\n"


# What a private build holds


@pytest.fixture
def small(tmp_path: Path, root: Path) -> Settings:
    folder = shutil.copytree(MINIMAL, tmp_path / "root")
    shutil.copytree(root / "queries/rules", folder / "queries/rules", dirs_exist_ok=True)
    private = tmp_path / "private"
    private.mkdir()
    (private / "restrictions.csv").write_text(
        RESTRICTIONS + "id/norm/law-2,,,restricted,community,2026-11-23\n", encoding="utf-8"
    )
    header = (folder / "data" / "norms.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "id,title,title_en_editorial,issued,source,amends"
    (private / "norms.csv").write_text(f"{header}\nlaw-9,Reservada,,2009-01-01,b,law-1\n", encoding="utf-8")
    return Settings(root=folder, store=tmp_path / "store", private_data=private)


def private_of(settings: Settings) -> Settings:
    return settings.model_copy(update={"private": True, "store": settings.store.with_name("private-store")})


def bytes_of(settings: Settings) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(settings.store.rglob("*")) if path.is_file())


def test_private_rows_and_hidden_ones_are_in_the_private_snapshot_alone(small: Settings) -> None:
    build(small)
    made = build(private_of(small))
    assert made.snapshot.manifest["private"] is True
    for word in (b"Reservada", b"Segunda", b"law-9", b"norm/law-2>"):
        assert word not in bytes_of(small)
        assert word in bytes_of(private_of(small)), word
    assert "private" not in open_current(small.store).manifest


def test_private_and_public_snapshots_never_share_a_folder(small: Settings, tmp_path: Path) -> None:
    build(small)
    before = bytes_of(small)
    with pytest.raises(StorageError, match=r"a private snapshot needs a folder of its own: .* holds the public one"):
        build(small.model_copy(update={"private": True}))
    build(private_of(small))
    quads = tmp_path / "some.nq"
    quads.write_text("<urn:a> <urn:b> <urn:c> <urn:g> .\n", encoding="utf-8")
    for attempt in (build, lambda settings: build_from_quads(settings, [quads])):
        with pytest.raises(
            StorageError, match=r"the public snapshot needs a folder of its own: .* holds a private one"
        ):
            attempt(private_of(small).model_copy(update={"private": False}))
    assert bytes_of(small) == before


def test_private_rows_make_only_the_private_snapshot_stale(small: Settings) -> None:
    build(small)
    build(private_of(small))
    assert small.private_data is not None
    norms = small.private_data / "norms.csv"
    norms.write_text(norms.read_text(encoding="utf-8").replace("Reservada", "Guardada"), encoding="utf-8")
    assert is_stale(private_of(small))
    assert not is_stale(small)
    # Where the private folder is not at hand, the private snapshot is served as it is, never built as a public one.
    assert not is_stale(private_of(small).model_copy(update={"private": False, "private_data": None}))


@pytest.mark.parametrize(
    ("file", "row", "told"),
    [
        ("norms.csv", "law-9,Reservada,,2009-13-01,b,", "private/norms.csv:2:issued"),
        ("norms.csv", "law-9,Reservada,,2009-01-01,nowhere,", 'private/norms.csv:2:source "nowhere" is not in sources'),
        ("norms.csv", "law-1,Primera,,2001-01-31,a,", "private/norms.csv:2 repeats the key of row 2"),
        ("norm.csv", "law-9,Reservada,,2009-01-01,b,", "private/norm.csv has the name of no table"),
    ],
)
def test_faults_of_private_rows_are_located(small: Settings, file: str, row: str, told: str) -> None:
    assert small.private_data is not None
    (small.private_data / "norms.csv").unlink()
    (small.private_data / file).write_text(
        f"id,title,title_en_editorial,issued,source,amends\n{row}\n", encoding="utf-8"
    )
    with pytest.raises(DataErrors) as caught:
        build(private_of(small))
    assert told in str(caught.value)
    build(small)


def test_no_release_is_made_of_a_private_graph(small: Settings, tmp_path: Path) -> None:
    settings = private_of(small).model_copy(update={"releases": tmp_path / "releases"})
    with pytest.raises(UsageError, match="a release is public"):
        make_release(settings, "2026.11.0")
    assert not (tmp_path / "releases").exists()


# Tokens


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret" / "tokens"


def test_a_token_is_kept_as_a_hash_that_only_its_owner_reads(file: Path) -> None:
    secret, token = make_token(file, "curator", 30, NOW)
    assert secret.startswith("cgp_")
    assert secret.removeprefix("cgp_") not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_tokens(file) == [token]
    other, _ = make_token(file, "community council", 1, NOW)
    assert other != secret
    assert [each.role for each in read_tokens(file)] == ["curator", "community council"]


def test_what_is_found_of_a_token(file: Path) -> None:
    secret, _ = make_token(file, "curator", 30, NOW)
    tokens = read_tokens(file)
    assert judge(tokens, secret, NOW) is Verdict.VALID
    assert judge(tokens, secret, NOW + timedelta(days=30) - timedelta(seconds=1)) is Verdict.VALID
    assert judge(tokens, secret, NOW + timedelta(days=30)) is Verdict.EXPIRED
    forged = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for wrong in ("", forged, secret + "A", secret.upper(), tokens[0].digest, "cgp_", "\0" * 9, "ñ" * 47):
        assert judge(tokens, wrong, NOW) is Verdict.UNKNOWN, wrong
    assert judge([], secret, NOW) is Verdict.UNKNOWN


def test_an_empty_string_is_never_a_token(file: Path) -> None:
    """What has not the form of a token is hashed as nothing: a row with that hash must let nobody in."""
    _, token = make_token(file, "curator", 30, NOW)
    nothing = replace(token, digest=sha256(b"").hexdigest())
    assert judge([nothing], "", NOW) is Verdict.UNKNOWN
    assert judge([nothing], "anything", NOW) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,hash\n", "tokens:1 must have the columns"),
        (
            "id,sha256,role,created,expires\na,cgp_secret,curator,2026-01-01,2027-01-01\n",
            "tokens:2:sha256 is no SHA-256",
        ),
        (f"id,sha256,role,created,expires\na,{'0' * 64},curator,2026-01-01,soon\n", "tokens:2:expires is no time"),
        (f"id,sha256,role,created,expires\na,{'0' * 64}\n", "tokens:2:created is no time"),
    ],
)
def test_a_faulty_file_of_tokens_is_located_and_tells_no_secret(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        read_tokens(path)
    assert str(caught.value).startswith(told)
    assert "cgp_secret" not in str(caught.value)
    with pytest.raises(StorageError, match="cannot be read"):
        read_tokens(tmp_path / "nowhere")


def test_the_command_shows_a_token_once(file: Path) -> None:
    run = CliRunner()
    made = run.invoke(command_line, ["token", "new", str(file), "--role", "curator", "--days", "7"])
    assert made.exit_code == 0
    secret = made.stdout.strip()
    token = read_tokens(file)[0]
    assert judge([token], secret, datetime.now(UTC)) is Verdict.VALID
    listed = run.invoke(command_line, ["token", "list", str(file)]).stdout
    assert token.id in listed
    assert "holds" in listed
    assert secret not in listed
    assert run.invoke(command_line, ["token", "drop", str(file), token.id]).exit_code == 0
    assert read_tokens(file) == []
    for bad in (["--days", "0"], ["--days", "5000"], ["--role", ""], ["--role", "María\n"]):
        failed = run.invoke(command_line, ["token", "new", str(file), "--role", "curator", *bad])
        assert isinstance(failed.exception, UsageError), bad
    with pytest.raises(UsageError, match="no token has the id"):
        drop_token(file, "nothing")


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (None, None),
        (b"", ""),
        (b"Bearer abc", "abc"),
        (b"bearer  abc ", "abc"),
        (b"Basic " + base64.b64encode(b"anyone:abc"), "abc"),
        (b"Basic " + base64.b64encode(b":a:c"), "a:c"),
        (b"Basic !!!", ""),
        (b"Basic /w==", ""),
        (b"Digest abc", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_credentials(header: bytes | None, read: str | None) -> None:
    assert read_credentials(header) == read


def test_who_fails_often_waits() -> None:
    time = [0.0]
    failures = Failures(lambda: time[0])
    assert [failures.note("one") for _ in range(FAILURES + 2)] == [False] * FAILURES + [True, True]
    assert not failures.note("another")
    time[0] = WINDOW + 1
    assert not failures.note("one")


# The server


PATHS = (
    "/", "/sparql?query=ASK%7B%7D", "/sparql", "/search?q=danza", "/id/expression/danza", "/data/expression/danza.ttl",
    "/static/culturegraph.css", "/static/nothing", "/oai?verb=Identify", "/sru", "/reconcile", "/metrics", "/health",
    "/robots.txt", "/sitemap.xml", "/feed.atom", "/releases/", "/dumps/", "/statement/" + "0" * 64, "/graph/",
    "/openapi.json", "/.well-known/void", "/nothing/at/all", "/%2e%2e/etc/passwd",
)  # fmt: skip


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A file of tokens; a valid token, one that has expired, one that is forged."""
    path = tmp_path_factory.mktemp("tokens") / "tokens"
    now = datetime.now(UTC)
    valid, _ = make_token(path, "curator", 1, now)
    expired, _ = make_token(path, "curator", 1, now - timedelta(days=2))
    return {"file": str(path), "valid": valid, "expired": expired, "forged": "cgp_" + "A" * 43}


@pytest.fixture(scope="module", params=["processes", pytest.param("single", marks=pytest.mark.slow)])
def private(
    request: pytest.FixtureRequest, secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    store = tmp_path_factory.mktemp("private")
    publish(store, small_quads(), version="p", metadata={"content_hash": "0" * 64, "private": True})
    settings = small_settings(
        store, tokens=Path(secrets["file"]), single_process=request.param == "single", access_log=store / "log"
    )
    with serving(settings) as address:
        yield address


def ask(
    private: str, path: str, authorization: str | None = None, method: str = "GET", accept: str = "text/html, */*;q=0.5"
) -> Response:
    headers = {"accept": accept} | ({"authorization": authorization} if authorization else {})
    with Client(base_url=private, timeout=20) as client:
        return client.request(method, path, headers=headers)


def test_without_a_token_every_path_answers_401_and_nothing_else(private: Serving) -> None:
    answers = [ask(private, path) for path in PATHS]
    answers += [ask(private, "/sparql", method=method) for method in ("POST", "OPTIONS", "HEAD", "PUT")]
    for answer in answers:
        assert answer.status_code == 401, answer.url
        assert answer.headers.get_list("www-authenticate")[0].startswith('Bearer realm="culturegraph')
        assert "Basic realm=" in answer.headers["www-authenticate"]
        assert answer.headers["cache-control"] == "private, no-store"
        assert "access-control-allow-origin" not in answer.headers
    assert {answer.text for answer in answers} == {"This server asks for a token\n", ""}


def test_a_wrong_token_is_no_token(private: Serving, secrets: dict[str, str]) -> None:
    wrong = {
        "forged": (f"Bearer {secrets['forged']}", "the token is not valid"),
        "expired": (f"Bearer {secrets['expired']}", "the token has expired"),
        "malformed": ("Bearer ,,,", "the token is not valid"),
        "other scheme": ("Digest abc", "the token is not valid"),
        "a password": ("Basic " + base64.b64encode(b"curator:secret").decode(), "the token is not valid"),
    }
    for path in ("/", "/sparql?query=ASK%7B%7D", "/static/culturegraph.css"):
        for authorization, told in wrong.values():
            answer = ask(private, path, authorization)
            assert (answer.status_code, answer.text) == (401, f"Unauthorized: {told}\n")
            assert f'error="invalid_token", error_description="{told}"' in answer.headers["www-authenticate"]
    assert ask(private, f"/?access_token={secrets['valid']}").status_code == 401


def test_with_a_token_the_site_is_there_and_nobody_keeps_it(private: Serving, secrets: dict[str, str]) -> None:
    basic = "Basic " + base64.b64encode(f"x:{secrets['valid']}".encode()).decode()
    for authorization in (f"Bearer {secrets['valid']}", basic):
        for path in ("/", "/sparql?query=ASK%7B%7D", "/static/culturegraph.css", "/robots.txt", "/health"):
            answer = ask(private, path, authorization)
            assert answer.status_code == 200, path
            assert answer.headers.get_list("cache-control") == ["private, no-store"]
            assert "Authorization" in answer.headers["vary"]
            assert "etag" not in answer.headers
            assert "access-control-allow-origin" not in answer.headers
    assert ask(private, "/nothing/at/all", basic).status_code == 404


def test_too_many_failures_are_told_to_wait_and_a_token_still_opens(private: Serving, secrets: dict[str, str]) -> None:
    statuses = [ask(private, "/", f"Bearer {secrets['forged']}").status_code for _ in range(FAILURES + 1)]
    assert statuses[-1] == 429
    refused = ask(private, "/", f"Bearer {secrets['forged']}")
    assert refused.headers["retry-after"] == "60"
    assert refused.headers["cache-control"] == "private, no-store"
    assert ask(private, "/health", f"Bearer {secrets['valid']}").status_code == 200


def test_a_withdrawn_token_opens_no_more_and_a_faulty_file_opens_to_nobody(
    private: Serving, secrets: dict[str, str]
) -> None:
    path = Path(secrets["file"])
    before = read_tokens(path)
    bearer = f"Bearer {secrets['valid']}"
    try:
        write_tokens(path, before[1:])
        assert ask(private, "/health", bearer).status_code in (401, 429)
        path.write_text("nonsense", encoding="utf-8")
        assert ask(private, "/health", bearer).status_code in (401, 429)
        path.unlink()
        assert ask(private, "/health", bearer).status_code in (401, 429)
    finally:
        write_tokens(path, before)
    assert ask(private, "/health", bearer).status_code == 200


def test_no_token_is_in_a_log(private: Serving, secrets: dict[str, str]) -> None:
    ask(private, "/sparql?query=SELECT+*%7B%3Fs+%3Fp+%3Fo%7D", f"Bearer {secrets['valid']}")
    logged = private.told()
    for secret in (secrets["valid"], secrets["expired"], secrets["forged"]):
        assert secret not in logged


def test_a_query_that_runs_away_is_ended_behind_the_door_too(tmp_path: Path, secrets: dict[str, str]) -> None:
    publish(tmp_path, many_quads(3000), version="p", metadata={"content_hash": "0" * 64, "private": True})
    settings = small_settings(tmp_path, tokens=Path(secrets["file"]), query_timeout=1.0)
    with serving(settings) as address:
        before = set(descendants(address.process.pid))
        answer = ask(address, f"/sparql?query={quote(HOG)}", f"Bearer {secrets['valid']}", accept="text/csv")
        assert (answer.status_code, answer.text) == (503, "Limit exceeded: a query may take 1 seconds\n")
        assert answer.headers["cache-control"] == "private, no-store"
        # The evaluator went with its query.
        wait_until(lambda: len(before - set(descendants(address.process.pid))) == 1)
        assert ask(address, "/sparql?query=ASK%7B%7D", f"Bearer {secrets['valid']}").status_code == 200
        assert ask(address, "/sparql?query=ASK%7B%7D").status_code == 401


def test_a_private_snapshot_is_not_served_to_everybody(tmp_path: Path, secrets: dict[str, str]) -> None:
    publish(tmp_path / "store", small_quads(), version="p", metadata={"content_hash": "0" * 64, "private": True})
    settings = small_settings(tmp_path / "store")
    for attempt in (serve, create_app):
        with pytest.raises(UsageError, match="--tokens FILE"):
            attempt(settings)
    assert create_app(settings.model_copy(update={"tokens": Path(secrets["file"])}))
    publish_small(tmp_path / "public")
    with pytest.raises(CulturegraphError, match="cannot be read"):
        serve(small_settings(tmp_path / "public", tokens=tmp_path / "nowhere"))


@pytest.mark.parametrize("way", ["--endpoint", "--nquads"])
def test_a_private_snapshot_is_not_published_elsewhere(tmp_path: Path, way: str) -> None:
    store, file = tmp_path / "store", tmp_path / "all.nq"
    target = {"--endpoint": "http://127.0.0.1:9/query", "--nquads": str(file)}[way]
    publish(store, small_quads(), version="p", metadata={"content_hash": "0" * 64, "private": True})
    done = CliRunner().invoke(command_line, ["publish", way, target, "--store", str(store)])
    assert isinstance(done.exception, UsageError)
    assert "private snapshot stays here" in str(done.exception)
    assert not file.exists()
