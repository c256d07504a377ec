"""The benchmarks run, tell comparable figures, and say what they could not measure."""

from __future__ import annotations

import json

import pytest
from small_site import publish_small, small_settings

from culturegraph.bench import figures, tables
from culturegraph.bench.figures import BENCHES, Figures, Options, measure
from culturegraph.bench.load import Answer
from culturegraph.bench.pages import _refuse_failures
from culturegraph.cli.judging import Bench
from culturegraph.errors import StorageError, UsageError
from culturegraph.settings import Settings


def test_the_readers_read_the_same(tmp_path):
    metadata = tables.generate(tmp_path, 300)
    found = {reader: tables.measure(reader, metadata) for reader in tables.READERS}
    assert {figure["rows"] for figure in found.values()} == {350}
    # Eleven cells and the class for each row, and a second kind for two rows in three.
    assert found["tables"]["quads"] == found["lines"]["quads"] == 300 * 12 + 200


def test_a_generated_table_is_the_same_each_time(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = tables.generate(tmp_path / "a", 50), tables.generate(tmp_path / "b", 50)
    assert one.with_name("places.csv").read_bytes() == other.with_name("places.csv").read_bytes()


def test_each_reader_runs_in_a_process_of_its_own(tmp_path):
    runs = tables.run(tables.generate(tmp_path, 20), sizes=(40,), repeats=2)
    assert [(run.data, run.reader) for run in runs] == [
        (data, reader) for data in ("bundled tables", "generated, 40 rows") for reader in tables.READERS
    ]
    assert all(run.seconds > 0 and run.peak_mb > 10 for run in runs)


def test_the_tables_are_concluded_in_words():
    def run(data, reader, rows, seconds, peak):
        return tables.Run(data, reader, rows, rows * 4, seconds, seconds, round(rows * 4 / seconds), peak)

    runs = [
        run("bundled tables", "csvw", 100, 3.0, 60.0),
        run("bundled tables", "tables", 100, 1.5, 120.0),
        run("bundled tables", "lines", 100, 0.5, 65.0),
        run("generated, 20 rows", "lines", 20, 0.1, 50.0),
        run("generated, 20 rows", "parts", 20, 0.02, 50.0),
        run("generated, 200 rows", "lines", 200, 1.0, 55.0),
        run("generated, 200 rows", "parts", 200, 0.1, 50.0),
    ]
    assert tables.conclude(runs) == [
        "tables, bundled tables: 2.0 times as fast as the csvw library's reading alone",
        "lines, bundled tables: 6.0 times as fast as the csvw library's reading alone",
        "parts, 20 rows: 4,000 quads a second by 2 processes, 5.0 times as many as lines",
        "parts, 200 rows: 8,000 quads a second by 2 processes, 10.0 times as many as lines",
        "lines, memory: 50.0 MB for 20 rows, 55.0 MB for 200 (10 times the rows, 1.10 times the memory)",
    ]


@pytest.mark.slow
def test_the_fast_path_is_fast_and_memory_is_flat(tmp_path):
    small, large = (
        next(run for run in tables.run(tables.generate(tmp_path, 20), sizes=(size,), repeats=1) if str(size) in
             run.data.replace(",", "") and run.reader == "lines")
        for size in (30_000, 150_000)
    )  # fmt: skip
    # The target is 150,000 a second; a shared machine may halve it.
    assert large.quads_per_second > 75_000
    assert large.peak_mb < small.peak_mb + 10


def test_every_benchmark_of_the_command_is_known():
    assert {bench.value for bench in Bench} == set(BENCHES)


def test_an_unknown_name_and_wrong_sizes_are_told(root):
    with pytest.raises(UsageError, match="there is no benchmark 'nothing'"):
        measure("nothing", Settings(root=root), Options())
    for sizes in ("a", "0", "1,,2", "-5"):
        with pytest.raises(UsageError, match="--sizes takes whole numbers"):
            measure("tables", Settings(root=root), Options(sizes))


def test_a_peer_that_is_not_installed_is_told(root, monkeypatch):
    monkeypatch.setattr(figures, "find_spec", lambda name: None)
    asked = []
    monkeypatch.setattr(figures.validation, "run", lambda sizes, engines: asked.append(engines) or [])
    monkeypatch.setattr(figures.reasoning, "run", lambda sizes, rules: [])
    told = measure("validation", Settings(root=root), Options("10"))
    assert asked == [("compiled",)]
    assert told.remarks == ["pyshacl is not installed, so it was not measured (pip install 'culturegraph[build]')"]
    assert "owlrl is not installed" in measure("reasoning", Settings(root=root), Options("10")).remarks[0]


def test_reasoning_and_validation_run(root):
    for name in ("reasoning", "validation"):
        made = measure(name, Settings(root=root), Options("300"))
        assert {row["engine"] for row in made.rows} >= {{"reasoning": "culturegraph", "validation": "compiled"}[name]}
        json.dumps(made.to_json())


def test_figures_as_markdown():
    made = Figures("x", [{"what": "a", "seconds": 0.12345, "quads": 12345}])
    assert made.to_markdown().splitlines() == [
        "| what | seconds | quads |",
        "| --- | --- | --- |",
        "| a | 0.123 | 12,345 |",
    ]


@pytest.mark.slow
def test_pages_are_asked_for_once_and_once_more(tmp_path):
    publish_small(tmp_path)
    table = measure("pages", small_settings(tmp_path), Options("2", rounds=2))
    first, cold, warm = table.rows
    assert first["pages"] == 1
    for row in (cold, warm):
        assert (row["clients"], row["pages"]) == (8, 2)
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert row["bytes_per_page"] > 500
    assert [bar["bar"] for bar in table.bars] == ["first time, p95 in ms", "again, p95 in ms"]


def test_a_page_that_fails_is_told():
    with pytest.raises(StorageError, match="1 pages failed, the first with status 500"):
        _refuse_failures([Answer(200, 0.1, 0.1, 10), Answer(500, 0.1, 0.1, 10)])
