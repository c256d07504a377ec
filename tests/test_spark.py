"""The PySpark job: the sorted parts have the hash of what one process writes; faults of every sort are told."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_parts import DESCRIBED

from culturegraph.bench.tables import generate
from culturegraph.sources.adapters.ingestion import ingest, plan_job

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("pyspark") is None, reason="pyspark is not installed (culturegraph[spark])"),
    pytest.mark.skipif(shutil.which("java") is None, reason="no Java 17 on this machine, which Spark needs"),
]


def _run(metadata: Path, output: Path) -> None:
    source = Path(__file__).parents[1] / "src"
    environment = {
        **os.environ,
        "PYTHONPATH": str(source),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    # From where the tables are, as the documentation shows it.
    command = [sys.executable, "-m", "culturegraph.sources.spark", metadata.name, str(output)]
    # Two cores of this machine stand for a cluster; the job is the same.
    environment["PYSPARK_SUBMIT_ARGS"] = (
        "--master local[2] --conf spark.ui.enabled=false --driver-memory 1g pyspark-shell"
    )
    done = subprocess.run(
        command, cwd=metadata.parent, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _lines(folder: Path, kind: str) -> list[bytes]:
    files = (folder / f"kind={kind}").glob("*.txt")
    return sorted({line for file in files for line in file.read_bytes().splitlines(keepends=True)})


def test_the_sorted_parts_have_the_hash_of_one_process(tmp_path: Path, settings) -> None:
    metadata = generate(tmp_path, 20_000)
    _run(metadata, tmp_path / "quads")
    job = plan_job(settings, "csvw", (metadata,), source="cases", described=DESCRIBED, options={})
    ingest("csvw", job, tmp_path / "one.nq", tmp_path / "one.csv")
    # The description of the source is the command's own.
    wanted = [
        line for line in (tmp_path / "one.nq").read_bytes().splitlines(keepends=True) if b"source/cases>" not in line
    ]
    found = _lines(tmp_path / "quads", "quads")
    assert hashlib.sha256(b"".join(found)).hexdigest() == hashlib.sha256(b"".join(wanted)).hexdigest()
    assert _lines(tmp_path / "quads", "rejects") == []


def test_faults_are_located_by_file_and_key(tmp_path: Path) -> None:
    metadata = generate(tmp_path, 300)
    table = tmp_path / "places.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace("-4.000004", "far north")
    lines[6] = lines[6].replace("s-5", "s-99")
    lines[7] = lines[7] + ",one more"
    lines += [lines[8]]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _run(metadata, tmp_path / "quads")
    rejects = [
        row for line in _lines(tmp_path / "quads", "rejects") for row in csv.reader([line.decode().rstrip("\n")])
    ]
    told = {(row[0], row[2].split(":")[0]) for row in rejects}
    assert ("places.csv:p-4", "latitude") in told
    assert ("places.csv:p-5", "source") in told
    assert ("places.csv:p-7", "has the key of another row") in told
    assert any("not as many cells" in row[2] for row in rejects)
    assert len(rejects) == 4
    subjects = {line.split(b" ", 1)[0] for line in _lines(tmp_path / "quads", "quads")}
    assert not {
        name for name in subjects if name.endswith((b"place/p-4>", b"place/p-5>", b"place/p-6>", b"place/p-7>"))
    }
    assert sum(b"/id/place/" in name for name in subjects) == 296
