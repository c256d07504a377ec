"""The endpoint benchmark: its queries find something, its load is counted right, its bars judge by ratios."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import QueryBoolean, Store
from small_site import listening, publish_small, small_settings

from culturegraph.bench import load
from culturegraph.bench.endpoint import run
from culturegraph.bench.endpoint_bars import judge, rows
from culturegraph.bench.endpoint_findings import DISK, NATIVE, OURS, PARTS, RDFLIB, Effort, Figure, Findings
from culturegraph.bench.endpoint_queries import DASHBOARD, KINDS, rounds, text_search, texts
from culturegraph.bench.generator import generate
from culturegraph.bench.load import Client, Target, ask_each, percentiles
from culturegraph.bench.pictures import draw
from culturegraph.errors import UsageError
from culturegraph.store.evaluation import Task, evaluate
from culturegraph.store.text_index import TextIndex

SIZE = 6_000


class _Site:
    def __init__(self) -> None:
        self.store = Store()
        self.store.bulk_extend(generate(SIZE, 1))
        self.text_index = TextIndex.of(self.store)


@pytest.fixture(scope="module")
def site() -> _Site:
    return _Site()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("bench")
    with listening(small_settings(folder), publish_small(folder)) as address:
        yield Target(int(address.rpartition(":")[2]), "/sparql")


def test_there_are_nineteen_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == 19
    assert {kind.name for kind in KINDS} >= set(DASHBOARD)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_finds_something(site: _Site, kind: object) -> None:
    found = 0
    for text in texts(kind, SIZE, 8, seed=1):  # type: ignore[arg-type]
        outcome = evaluate(site.store, Task(text)).outcome
        found += bool(outcome) if isinstance(outcome, QueryBoolean) else len(list(outcome))
    assert found


def test_the_same_seed_gives_the_same_queries() -> None:
    for kind in KINDS:
        assert texts(kind, SIZE, 5, 1) == texts(kind, SIZE, 5, 1)
    light = next(kind for kind in KINDS if kind.name == "label")
    assert texts(light, SIZE, 5, 1) != texts(light, SIZE, 5, 2)
    assert rounds(SIZE) == pytest.approx(SIZE / 121, abs=5)


def test_index_and_scan_find_the_same(site: _Site) -> None:
    for index, scan in zip(*text_search(SIZE, 5, 1), strict=True):
        by_index, by_scan = (
            {str(row[0]) for row in evaluate(site.store, Task(query), snapshot=site).outcome}  # type: ignore[union-attr]
            for query in (index, scan)
        )
        assert by_index == by_scan != set()


def test_a_client_reads_answers_whole(target: Target) -> None:
    queries = ["SELECT * { ?s ?p ?o }", "ASK {}", "not a query", "CONSTRUCT WHERE { ?s ?p ?o }"]
    answers = ask_each(target, queries, 10)
    assert [answer.status for answer in answers] == [200, 200, 400, 200]
    assert answers[0].size > 2_000 > answers[1].size > 10
    assert all(0 < answer.first_byte <= answer.seconds for answer in answers)


def test_a_broken_connection_is_an_answer_without_status() -> None:
    assert Client(Target(9, "/")).ask(b"GET / HTTP/1.1\r\n\r\n").status == 0


@pytest.mark.parametrize("program", [load._WRK, None], ids=["wrk", "sockets"])
def test_a_load_counts_what_succeeds(target: Target, monkeypatch: pytest.MonkeyPatch, program: str | None) -> None:
    if program is None and load._WRK is None:
        pytest.skip("both drivers are the same where wrk is not installed")
    monkeypatch.setattr(load, "_WRK", program)
    found = load.drive(target, ["ASK {}", "SELECT * { ?s ?p ?o } LIMIT 2"], 2, 0.5)
    assert found.failed == 0
    assert found.rate > 5
    assert 0 < found.p50 <= found.p95 < 5
    assert load.drive(target, ["not a query"], 1, 0.2).rate == 0


def test_percentiles() -> None:
    assert percentiles([]) == (0, 0)
    assert percentiles([3.0]) == (3, 3)
    assert percentiles([float(number) for number in range(1, 102)]) == (51, 96)


def _findings(ours: float, native: float) -> Findings:
    found = Findings()
    found.add(1000, "light, c=8", "req/s", {OURS: [1, ours, 10_000], NATIVE: [native], RDFLIB: [ours / 40]})
    found.add(1000, "sort, p50", "ms", {OURS: [30.0], NATIVE: [25.0]})
    found.add(1000, "path, p50", "ms", {OURS: [10.0], NATIVE: [40.0]})
    found.add(1000, "label, p50", "ms", {OURS: [1.0], NATIVE: [0.1], DISK: [1.0]})
    found.add(2000, "label, p50", "ms", {OURS: [1.4], NATIVE: [0.1], DISK: [1.6]})
    found.add(1000, "hostile query refused after, at most", "s", {OURS: [5.5]})
    return found


def test_the_bars_judge_medians_side_by_side() -> None:
    judged = {bar.what: (round(bar.found, 3), bar.is_reached) for bar in judge(_findings(900, 1000))}
    assert judged == {
        "light, c=8: ours / native": (0.9, False),
        "light, c=8: ours / rdflib-endpoint": (40, True),
        "kinds over 20 ms, p50: ours / native, mean": (0.725, True),
        "kinds over 20 ms, p50: ours / native, worst (sort)": (1.2, True),
        "hostile query refused after, at most: ours": (5.5, False),
        "label, p50: ours, 2,000 / 1,000 quads": (1.4, True),
        "label, p50: ours, disk, 2,000 / 1,000 quads": (1.6, False),
    }
    assert judge(_findings(1100, 1000))[0].is_reached


def test_the_picture_is_an_svg_with_a_dot_for_each_median() -> None:
    table = rows(_findings(900, 1000))
    drawing = ET.fromstring(draw(table))
    titles = [node.text for node in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 3 + 2 + 2 + 3 + 3
    assert "ours: 900 req/s" in titles


def test_an_unknown_part_is_told() -> None:
    with pytest.raises(UsageError, match="there is no part 'all'"):
        Effort(parts=("light", "all"))


@pytest.mark.slow
def test_a_small_run_measures_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps: list[str] = []
    found = run([SIZE], Effort(rounds=1, seconds=1, queries=2), steps.append)
    measured = {figure.what: figure for figure in found.figures}
    assert {f"{kind.name}, p50" for kind in KINDS} <= set(measured)
    assert measured["light, c=8"].values[OURS] > 0
    assert measured["memory after all this"].values[OURS] > 10
    assert isinstance(measured["mixed, c=8"], Figure)
    assert any("hostile" in step for step in steps)
    assert {part for part in PARTS if any(part in step for step in steps)} == set(PARTS)
    installed = NATIVE in measured["light, c=8"].values
    assert installed != any(remark.startswith("native is not installed") for remark in found.remarks)
