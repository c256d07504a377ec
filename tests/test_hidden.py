"""No byte of what a community does not want shown can be reached: on a running server, by every way, and on the disk.

The same requests go to two servers of several processes: one of before the restriction, where each way that can tell
something does, and one of after it, where none does. So a way that is no longer looked at would be noticed.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hidden_site import (
    FIRST,
    HIDDEN_NAME,
    HIDDEN_THING,
    MARKS,
    PROBES,
    SECOND,
    Probe,
    find_marks,
    make_project,
    restrict,
    twins,
)
from httpx import Client, Response
from pyoxigraph import Store
from released_project import commit
from small_site import Serving, serving

from culturegraph.build import build
from culturegraph.errors import DataErrors
from culturegraph.rdf.statements import statement_hash
from culturegraph.redaction import redact
from culturegraph.release import make_release
from culturegraph.settings import Settings
from culturegraph.sources.restrictions import read_restrictions
from culturegraph.store.snapshot import open_current

# Pages of one crawl; far more than there are kinds of page.
_PAGES = 250


@pytest.fixture(scope="module")
def open_project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Before: all is told, and released."""
    folder = tmp_path_factory.mktemp("open")
    settings = make_project(folder).model_copy(update={"access_log": folder / "log", "slow_query": 0.0001})
    build(settings)
    make_release(settings, FIRST)
    return settings


@pytest.fixture(scope="module")
def hidden_project(open_project: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """After: the release is redacted, the rows are out of the tables, the snapshot is built anew, one more release."""
    folder = tmp_path_factory.mktemp("hidden") / "project"
    shutil.copytree(open_project.root.parent, folder, symlinks=True, ignore=shutil.ignore_patterns("log"))
    places = {name: folder / name for name in ("root", "store", "releases")}
    hiding = open_project.model_copy(
        update={**places, "access_log": folder / "log", "private_data": restrict(folder / "private")}
    )
    assert redact(hiding) == [FIRST]
    build(hiding)
    with pytest.raises(DataErrors, match=r"names\.csv:2:name is restricted: move it"):
        make_release(hiding, SECOND)
    take_rows_out(hiding)
    commit(hiding.root, "two", "2026-11-01T12:00:00Z")
    make_release(hiding, SECOND)
    return hiding


def take_rows_out(settings: Settings) -> None:
    """Move what is restricted out of the tables, as a curator would."""
    from culturegraph.redaction import spread_over, take_out

    assert settings.private_data is not None
    take_out(settings.data, spread_over(settings.root, read_restrictions(settings.private_data)))


@pytest.fixture(scope="module")
def told(open_project: Settings) -> Iterator[Serving]:
    with serving(open_project) as address:
        yield address


@pytest.fixture(scope="module")
def hiding(hidden_project: Settings) -> Iterator[Serving]:
    with serving(hidden_project) as address:
        yield address


def send(client: Client, probe: Probe) -> Response:
    return client.request(probe.method, probe.path, headers=dict(probe.headers), data=probe.form, content=probe.body)


def seen(response: Response) -> set[bytes]:
    """The marks in status line, headers and body of an answer."""
    head = b"\n".join(name + b": " + value for name, value in response.headers.raw)
    return find_marks(head) | find_marks(response.content)


def test_no_way_tells_a_mark_and_each_way_could(told: Serving, hiding: Serving) -> None:
    with Client(base_url=told, timeout=30, follow_redirects=True) as client:
        open_answers = {name: send(client, probe) for name, probe in PROBES.items()}
    silent = [name for name, probe in PROBES.items() if probe.tells and not seen(open_answers[name])]
    assert not silent, "these ways tell nothing even where nothing is hidden"
    assert {mark for answer in open_answers.values() for mark in seen(answer)} == set(MARKS)
    with Client(base_url=hiding, timeout=30, follow_redirects=True) as client:
        answers = {name: send(client, probe) for name, probe in PROBES.items()}
    assert {name: found for name, answer in answers.items() if (found := seen(answer))} == {}
    # Nothing is hidden by failing: what was answered is answered still, where the thing asked for is not itself hidden.
    assert {name for name, answer in answers.items() if answer.status_code >= 500} == set()
    changed = [name for name in PROBES if answers[name].status_code != open_answers[name].status_code]
    assert changed == ["difference"], "it needs the second release"


def crawl(address: str, start: list[str]) -> dict[str, Response]:
    """Follow every link of the site, as far as a crawler would in some hundred pages."""
    found: dict[str, Response] = {}
    with Client(base_url=address, timeout=30, headers={"accept": "text/html, */*;q=0.5"}) as client:
        waiting = list(start)
        while waiting and len(found) < _PAGES:
            path = waiting.pop(0)
            if path in found:
                continue
            response = found[path] = client.get(path)
            if location := response.headers.get("location"):
                waiting.append(urlsplit(location)._replace(scheme="", netloc="").geturl())
            kind = response.headers.get("content-type", "")
            if kind.startswith(("text/html", "application/xml", "application/atom")):
                links = re.findall(r'(?:href="|<loc>)([^"#<]*)', response.text)
                local = [unescape(link).removeprefix(address) for link in links]
                # What a query says about itself is crawled once, not in every language and order.
                waiting += [link for link in local if link.startswith("/") and "lang=" not in link]
    return found


@pytest.mark.slow
def test_no_page_that_links_lead_to_has_a_mark(told: Serving, hiding: Serving) -> None:
    start = ["/", "/search?q=danza", "/graph/", "/browse/", "/sitemap.xml", "/releases/", "/validation/", "/exports/"]
    told_pages = {path for path, page in crawl(told, start).items() if seen(page)}
    # The crawl passes by where there would be something to find.
    assert {"/doc/" + HIDDEN_THING.removeprefix("id/"), "/doc/people/omaru"} <= told_pages
    pages = crawl(hiding, start)
    assert {path: found for path, page in pages.items() if (found := seen(page))} == {}
    assert len(pages) > 100


def answer_of(client: Client, path: str) -> tuple[int, list[tuple[str, str]], str]:
    response = client.get(path, headers={"accept": "text/html, */*;q=0.5"})
    own = {"date", "x-request-id", "etag", "content-length"}
    headers = sorted((name, value) for name, value in response.headers.items() if name not in own)
    return response.status_code, headers, response.text


def test_hidden_and_unknown_answer_alike(hiding: Serving) -> None:
    with Client(base_url=hiding, timeout=30) as client:
        for hidden, never in twins():
            answers = [answer_of(client, path) for path in (hidden, never)]
            words = [
                [text.replace(word, "·") for text in (answer[2], str(answer[1]))]
                for answer, path in zip(answers, (hidden, never), strict=True)
                for word in [re.sub(r".*?((?:danza|libro)-\w+|[0-9a-f]{64}).*", r"\1", path)]
            ]
            assert answers[0][0] == answers[1][0], hidden
            assert words[0] == words[1], hidden


def test_the_same_names_are_answered_where_nothing_is_hidden(told: Serving) -> None:
    """Else the test above would pass for names that no way knows."""
    with Client(base_url=told, timeout=30) as client:
        statuses = {path: client.get(path).status_code for path, _ in twins()}
    assert statuses[f"/doc/statement/{statement_hash(HIDDEN_NAME)}"] == 200
    assert statuses["/doc/" + HIDDEN_THING.removeprefix("id/")] == 200
    assert sum(status in (200, 303) for status in statuses.values()) > 15


def disk_marks(folder: Path) -> set[bytes]:
    found: set[bytes] = set()
    for path in sorted(folder.rglob("*")):
        found |= find_marks(path.name.encode())
        if path.is_file():
            found |= find_marks(path.read_bytes())
    return found


def test_no_file_of_snapshot_release_or_log_has_a_mark(
    open_project: Settings, hidden_project: Settings, told: Serving, hiding: Serving
) -> None:
    for settings, expected in ((open_project, set(MARKS)), (hidden_project, set())):
        assert disk_marks(settings.store) == expected
        assert disk_marks(settings.releases) == expected
        # The store packs its files: its quads are read as well.
        store: Store = open_current(settings.store).store
        assert find_marks("\n".join(map(str, store)).encode()) == expected
    assert disk_marks(hidden_project.data) == set()
    log = hidden_project.access_log
    assert log is not None
    assert not find_marks("".join(part for part in (log.read_text(), hiding.told())).encode()) - {b"q7x1z", b"p4m5z"}


def test_a_redacted_release_says_so_and_not_what(
    hiding: Serving, hidden_project: Settings, open_project: Settings
) -> None:
    with Client(base_url=hiding, timeout=30) as client:
        page = client.get(f"/releases/{FIRST}", headers={"accept": "text/html", "accept-language": "en"}).text
    assert "redact" in page.lower()
    manifests = [
        json.loads((settings.releases / FIRST / "manifest.json").read_text())
        for settings in (open_project, hidden_project)
    ]
    assert manifests[0]["content_hash"] != manifests[1]["content_hash"]
    assert manifests[1]["redacted"] is True
