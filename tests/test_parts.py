"""A package mapped by several processes: the sorted parts, the rejects and the counts are those of the one process."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from culturegraph.bench.tables import generate
from culturegraph.errors import CulturegraphError, DataError, StorageError, UsageError
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.sources import workers
from culturegraph.sources.adapters.csvw_parts import Effort
from culturegraph.sources.adapters.ingestion import ingest, ingest_parts, plan_job

DESCRIBED = {"title": "Cases", "publisher": "us", "kind": "dataset", "licence": "https://example.org/licence"}


def _package(folder: Path, rows: str, *, encoding: str = "utf-8", key: object = "id", mark: bytes = b"") -> Path:
    columns = [
        {
            "name": "id",
            "required": True,
            "datatype": {"base": "string", "format": "[a-z0-9-]+"},
            "propertyUrl": CG + "i",
        },
        {"name": "label", "datatype": "string", "lang": "es", "propertyUrl": CG + "label"},
        {"name": "within", "propertyUrl": CG + "within", "valueUrl": BASE + "id/{within}", "separator": ";"},
        {"name": "height", "datatype": {"base": "decimal", "minimum": 0}, "propertyUrl": CG + "h"},
    ]
    reference = {"columnReference": ["within"], "reference": {"resource": "t.csv", "columnReference": ["id"]}}
    schema = {"aboutUrl": BASE + "x#{_sourceRow}", "columns": columns, "primaryKey": key, "foreignKeys": [reference]}
    table = {"url": "t.csv", "tableSchema": schema, "dialect": {"encoding": encoding}}
    (folder / "t.csv").write_bytes(mark + ("id,label,within,height" + rows).encode(encoding))
    metadata = folder / "csv-metadata.json"
    metadata.write_text(json.dumps({"@context": "http://www.w3.org/ns/csvw", "tables": [table]}), encoding="utf-8")
    return metadata


def _compare(folder: Path, metadata: Path, settings, span: int, workers: int = 2) -> dict:
    """Map by both ways; return the counts, which are equal."""
    job = plan_job(settings, "csvw", (metadata,), source="cases", described=DESCRIBED, options={})
    one = ingest("csvw", job, folder / "one.nq", folder / "one.csv")
    parts = folder / "parts"
    several = ingest_parts(job, parts, folder / "several.csv", Effort(workers, span))
    lines = sorted({line for part in parts.iterdir() for line in part.read_bytes().splitlines(keepends=True)})
    assert hashlib.sha256(b"".join(lines)).digest() == hashlib.sha256((folder / "one.nq").read_bytes()).digest()
    assert (folder / "several.csv").read_text().splitlines() == (folder / "one.csv").read_text().splitlines()
    told, wanted = several.to_json(), one.to_json()
    assert {**told, "quads": 0} == {**wanted, "quads": 0}
    return told


def _rows(count: int, change: Callable[[int], str | None] = lambda _: None) -> str:
    plain = (f"p-{n},Ñusta {n},p-{n // 7};p-0,{n}.5" for n in range(count))
    return "\n" + "".join(f"{change(n) or line}\n" for n, line in enumerate(plain))


CASES: dict[str, Callable[[int], str | None]] = {
    "plain": lambda n: None,
    "quoted line ends": lambda n: f'p-{n},"one\ntwo, three\n""four""",,{n}' if n % 3 == 1 else None,
    "a quote in the middle of a cell": lambda n: f'p-{n},5" disc {n},,' if n % 5 == 2 else None,
    "wrong cells": {3: "P-3,x,,", 4: ",no id,,1", 9: "p-9,x,,-1", 30: "p-30,x,p-99999,high"}.get,
    "repeated keys": lambda n: f"p-{n % 40},again,,1" if n % 11 == 0 else None,
    "dangling references": lambda n: f"p-{n},x,p-{n * 1000 + 7};gone,1" if n % 13 == 5 else None,
    "wrong number of cells": {7: "p-7,x", 8: "p-8,x,,1,more", 9: "", 10: ",,,", 11: " , ,,"}.get,
    "carriage returns": {5: "p-5,x,,1\rp-1005,y,,2", 9: 'p-9,"c\r\nd",,1\r', 60: 'p-60,"e\rf",,1', 63: "P-63,x,,"}.get,
    "spaces and escapes": {5: ' p-5 , "x" ,p-1 ; p-2,1 ', 6: "p-6,back\\slash \x7f,,", 7: "p-7,\u2028,,"}.get,
}  # fmt: skip


# Cases that the others nearly cover.
_SLOW = {"plain", "spaces and escapes", "a quote in the middle of a cell"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in _SLOW else ()) for name in CASES]
)
def test_parts_are_what_one_process_gives(name: str, tmp_path: Path, settings) -> None:
    metadata = _package(tmp_path, _rows(120, CASES[name]))
    told = _compare(tmp_path, metadata, settings, span=500)
    assert len(list((tmp_path / "parts").glob("t-*.nq"))) > 2
    is_good = name in {"plain", "quoted line ends", "a quote in the middle of a cell", "spaces and escapes"}
    assert bool(told["rejected_rows"]) != is_good


@pytest.mark.parametrize("spans", [(1, 60, 100_000), pytest.param((7, 333), marks=pytest.mark.slow)])
def test_every_size_of_span_gives_the_same(spans: tuple[int, ...], tmp_path: Path, settings) -> None:
    metadata = _package(tmp_path, _rows(40, lambda n: f'p-{n},"a\n{n}"" b",,' if n % 2 else f'p-{n},5" {n},,'))
    for span in spans:
        folder = tmp_path / str(span)
        folder.mkdir()
        _compare(folder, metadata, settings, span, workers=1)


@pytest.mark.parametrize(
    "encoding", ["latin-1", "utf-16", *(pytest.param(name, marks=pytest.mark.slow) for name in ("utf-8", "cp1252"))]
)
def test_encodings(encoding: str, tmp_path: Path, settings) -> None:
    _compare(tmp_path, _package(tmp_path, _rows(60).replace("\n", "\r\n"), encoding=encoding), settings, 400)


def test_a_mark_of_byte_order_and_a_missing_last_line_end(tmp_path: Path, settings) -> None:
    metadata = _package(tmp_path, _rows(60).removesuffix("\n"), mark=b"\xef\xbb\xbf", key=["id", "label"])
    _compare(tmp_path, metadata, settings, 400)


def test_after_a_quote_that_never_closes_nothing_is_read(tmp_path: Path, settings) -> None:
    metadata = _package(tmp_path, _rows(80, lambda n: f'p-{n},"open,,1' if n == 41 else None))
    told = _compare(tmp_path, metadata, settings, 300)
    assert told["rejected_rows"] == 1
    assert told["rows"] == 42


def test_bytes_of_another_encoding_are_located(tmp_path: Path, settings) -> None:
    metadata = _package(tmp_path, _rows(80))
    file = tmp_path / "t.csv"
    file.write_bytes(file.read_bytes().replace("Ñusta 60".encode(), b"\xd1usta 60"))
    job = plan_job(settings, "csvw", (metadata,), source="cases", described=DESCRIBED, options={})
    with pytest.raises(DataError, match=r"t\.csv:62 is not UTF-8"):
        ingest_parts(job, tmp_path / "parts", None, Effort(2, 300))
    assert not list(tmp_path.glob("parts*")), "nothing half done is left"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, settings) -> None:
    metadata = _package(tmp_path, _rows(3))
    job = plan_job(settings, "csvw", (metadata,), source="cases", described=DESCRIBED, options={})
    with pytest.raises(UsageError, match="not an empty folder"):
        ingest_parts(job, tmp_path, None, Effort(2))


def test_a_worker_that_dies_is_told_of(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = _package(tmp_path, _rows(80))
    job = plan_job(settings, "csvw", (metadata,), source="cases", described=DESCRIBED, options={})
    monkeypatch.setattr(workers, "gc", SimpleNamespace(disable=lambda: os._exit(9)))
    with pytest.raises(StorageError, match="a worker ended unexpectedly") as caught:
        ingest_parts(job, tmp_path / "parts", None, Effort(2, 300))
    assert isinstance(caught.value, CulturegraphError)
    assert not list(tmp_path.glob("parts*"))


@pytest.mark.slow
def test_the_benchmarks_table(tmp_path: Path, settings) -> None:
    told = _compare(tmp_path, generate(tmp_path, 3000), settings, 100_000)
    assert told["rejected_rows"] == 0
