"""`culturegraph reconcile`: spreadsheets in and out, going on after an interruption, bad files."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from culturegraph.errors import CulturegraphError, DataError, UsageError
from culturegraph.protocols.reconciliation.matching import Reconciler
from culturegraph.protocols.reconciliation.opening import open_reconciler
from culturegraph.worklists.reconciling import Task, reconcile
from culturegraph.worklists.spreadsheets import read_sheet

CODE = "from culturegraph.cli import main; main()"
LIST = [
    ("NOMBRE", "REGIÓN"),
    ("Danza de Tijeras", "Ayacucho"),
    ("=HYPERLINK(1)", "Cusco"),
    ("", ""),
    ("Semana Santa", "-12.05"),
    ("Danza de Tijeras", "Ayacucho"),
]


@pytest.fixture(scope="module")
def reconciler(built, settings) -> Reconciler:
    return open_reconciler(settings)


def write_list(path: Path, rows: Any = LIST, separator: str = ";") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    return path


def make_task(folder: Path, file: Path | None = None, **changes: Any) -> Task:
    given = {"types": ("CulturalExpression",), "properties": (("department", "REGIÓN"),), **changes}
    return Task(file or write_list(folder / "list.csv"), "NOMBRE", folder / "out.csv", **given)


def test_a_list_comes_back_with_matches_and_candidates(reconciler: Reconciler, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    tally = reconcile(make_task(tmp_path), reconciler, lambda done, total: told.append((done, total)))
    assert (tally.rows, tally.matched, tally.empty) == (5, 2, 1)
    assert told[-1] == (5, 5)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["match_iri"] == "https://w3id.org/culturegraph/id/expression/danza-de-tijeras"
    assert float(rows[0]["candidate_1_score"]) > 95
    assert rows[0]["candidate_1_iri"] == rows[0]["match_iri"]
    assert rows[1]["NOMBRE"] == "'=HYPERLINK(1)", "no cell is a formula"
    assert rows[3]["REGIÓN"] == "-12.05", "a number is none"
    assert rows[3]["match_iri"] == ""
    assert rows[3]["candidate_1_iri"]
    assert not (tmp_path / "out.csv.partial").exists()


def test_a_workbook_goes_in_and_out(reconciler: Reconciler, tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "list.xlsx", {"strings_to_formulas": False})
    page = book.add_worksheet("lista")
    for number, row in enumerate(LIST):
        page.write_row(number, 0, row)
    book.close()
    task = make_task(tmp_path, tmp_path / "list.xlsx", sheet="lista")
    task = Task(**{**vars(task), "output": tmp_path / "out.xlsx"})
    assert reconcile(task, reconciler).matched == 2
    found = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert found["A3"].value == "=HYPERLINK(1)"
    assert found["A3"].data_type == "s", "text, not a formula"
    assert str(found["C2"].value).endswith("danza-de-tijeras")
    with pytest.raises(DataError, match="there are lista"):
        read_sheet(tmp_path / "list.xlsx", sheet="otra")


def test_an_interrupted_run_goes_on(reconciler: Reconciler, tmp_path: Path) -> None:
    names = [("NOMBRE", "REGIÓN"), *((f"Fiesta de San Juan {n}", "") for n in range(350))]
    task = make_task(tmp_path, write_list(tmp_path / "list.csv", names))

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 200:
            raise Stop

    with pytest.raises(Stop):
        reconcile(task, reconciler, stop)
    assert not task.output.exists()
    kept = task.partial.read_text(encoding="utf-8")
    task.partial.write_text(kept + '[["half a li', encoding="utf-8")
    assert reconcile(task, reconciler).resumed == 200
    whole = task.output.read_bytes()
    assert reconcile(task, reconciler).resumed == 0
    assert task.output.read_bytes() == whole
    task.partial.write_text(kept, encoding="utf-8")
    other = Task(**{**vars(task), "candidates": 5})
    assert reconcile(other, reconciler).resumed == 0, "another task does not go on from it"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"NOMBRE\n\xe1rbol\n", "a.csv:2 is not utf-8-sig"),
        ("a.csv", b"", "there is no header"),
        ("a.csv", b"NOMBRE,B\n\"open,1\n", "a.csv:2"),
        ("a.csv", b"NAME\nx\n", "there is no column 'NOMBRE'; there are 'NAME'"),
        ("a.csv", b"NOMBRE\nx\0y\n", "NUL"),
        ("a.xlsx", b"no workbook", "is no XLSX workbook"),
        ("a.ods", b"", "a file that ends in .csv"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_where(
    reconciler: Reconciler, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CulturegraphError) as told:
        reconcile(Task(tmp_path / name, "NOMBRE", tmp_path / "out.csv"), reconciler)
    assert message in str(told.value)
    assert not (tmp_path / "out.csv").exists()


def test_what_the_graph_does_not_have_is_told(reconciler: Reconciler, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no type 'NoSuch'; there are .*Place"):
        reconcile(make_task(tmp_path, types=("NoSuch",)), reconciler)
    with pytest.raises(UsageError, match="no property 'nosuch'"):
        reconcile(make_task(tmp_path, properties=(("nosuch", "REGIÓN"),)), reconciler)
    with pytest.raises(UsageError, match="may not be the file"):
        reconcile(Task(tmp_path / "list.csv", "NOMBRE", tmp_path / "list.csv"), reconciler)


def test_the_command(built, settings, tmp_path: Path) -> None:
    write_list(tmp_path / "list.csv")
    command = [sys.executable, "-c", CODE, "reconcile", str(tmp_path / "list.csv"), "--column", "NOMBRE"]
    command += ["--type", "Dance", "--json", "--store", str(settings.store)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["matched"] == 2
    assert (tmp_path / "list-reconciled.csv").exists()
    bad = subprocess.run([*command, "--property", "x"], capture_output=True, text=True, check=False)
    assert bad.returncode == 2
    assert "PROPERTY=COLUMN" in bad.stderr
