"""The growth benchmark, its picture, and the page that shows what it wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from httpx import Client
from small_site import listening, publish_pages
from typer.testing import CliRunner

from culturegraph.bench import scale, scale_picture
from culturegraph.bench.scale import Growth
from culturegraph.cli import app
from culturegraph.errors import UsageError
from culturegraph.web.measured import FILE, read_growth


@pytest.mark.slow
def test_every_part_is_measured_at_every_size() -> None:
    found = scale.run((2000, 6000))
    for size in (2000, 6000):
        own = [each for each in found if each.quads == size]
        assert {each.part for each in own} == set(scale.PARTS)
        assert all(each.value and each.value > 0 for each in own)
    assert {each.basis for each in found} == {"measured"}, "so small, nothing is extrapolated"


def test_a_billion_is_extrapolated_from_the_two_largest_sizes() -> None:
    taken = [
        Growth(size, "publish", "seconds", "s", value) for size, value in ((10**6, 9.0), (10**7, 50.0), (10**8, 500.0))
    ]
    flat = [Growth(size, "disk", "lookups", "ms", value) for size, value in ((10**6, 2.0), (10**7, 1.0))]
    alone = [Growth(10**6, "memory", "peak", "MB", 5.0), Growth(10**7, "memory", "peak", "MB", None, remark="left out")]
    told = {(each.part, each.value): each for each in scale.extrapolate([*taken, *flat, *alone])}
    assert set(told) == {("publish", 5000.0), ("disk", 1.0)}
    assert told["publish", 5000.0].quads == 10**9
    assert told["publish", 5000.0].remark.endswith("1.00")


def test_what_would_not_fit_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "_available_mb", lambda: 1000.0)
    before = [Growth(1000, "inference", "peak", "MB", 500.0)]
    (told,) = scale._take("inference", tmp_path, 10_000, before)
    assert told.value is None
    assert told.remark == "left out: it would need about 5 GB of memory"
    (asked,) = scale._take("disk", tmp_path, 10_000, before)
    assert (asked.value, asked.remark) == (None, "left out: nothing was published")


def test_the_command_takes_some_parts_and_writes_what_the_page_reads(tmp_path: Path) -> None:
    options = ["--json", str(tmp_path / "scale.json"), "--picture", str(tmp_path / "scale.svg")]
    done = CliRunner().invoke(app, ["bench", "scale", "--sizes", "500", "--parts", "validation", *options])
    assert done.exit_code == 0, done.output
    growth = read_growth(tmp_path / "scale.json")
    assert growth.sizes == [500]
    assert {line.part for line in growth.lines} == {"validation"}
    assert {"date", "machine", "python"} == set(growth.taken)
    assert (tmp_path / "scale.svg").read_text().startswith("<svg")
    wrong = CliRunner().invoke(app, ["bench", "scale", "--parts", "dreams"])
    assert isinstance(wrong.exception, UsageError)


def test_the_picture_tells_measured_from_extrapolated() -> None:
    rows = scale.rows([Growth(10**6, "publish", "seconds", "s", 1.0), Growth(10**7, "publish", "seconds", "s", 10.0)])
    rows += scale.rows(list(scale.extrapolate([Growth(**row) for row in rows])))
    picture = scale_picture.draw(rows)
    assert picture.count("<circle") == 4, "three dots and one of the legend"
    assert picture.count("stroke-dasharray") == 1


def test_the_figures_that_the_page_shows_were_measured() -> None:
    told = json.loads(FILE.read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", told["taken"]["date"])
    measured = [Growth(**row) for row in told["rows"] if row["basis"] == "measured"]
    assert {each.part for each in measured} == set(scale.PARTS)
    extrapolated = [Growth(**row) for row in told["rows"] if row["basis"] != "measured"]
    assert extrapolated == list(scale.extrapolate(measured)), "what is no measurement follows from them"


def test_the_page_shows_every_figure(tmp_path: Path) -> None:
    settings, snapshot = publish_pages(tmp_path)
    with listening(settings, snapshot) as server, Client(base_url=server, timeout=30) as client:
        pages = [client.get(f"/about/scale?lang={language}").text for language in ("es", "en")]
        assert client.get("/static/measured/scale.json").json()["bench"] == "scale"
        assert client.get("/static/measured/scale.svg").headers["content-type"].startswith("image/svg")
    growth = read_growth()
    for page in pages:
        assert page.count('<th scope="row">') == len(growth.lines)
        assert page.count('<td class="number">') >= len(growth.lines) * len(growth.sizes)
        assert growth.taken["date"] in page
        assert "scale_" not in page, "every word is translated"
