"""The command line as a user meets it: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MINIMAL = Path(__file__).parent / "cases" / "build" / "minimal"
COMMAND = Path(sys.executable).with_name("culturegraph")


@pytest.fixture
def run(tmp_path, root):
    """Run the command in a tiny project of its own; return the finished process."""
    folder = shutil.copytree(MINIMAL, tmp_path / "root")
    shutil.copytree(root / "queries/rules", folder / "queries/rules", dirs_exist_ok=True)
    shutil.copytree(root / "queries/pages", folder / "queries/pages", dirs_exist_ok=True)
    environment = {**os.environ, "CULTUREGRAPH_ROOT": str(folder), "CULTUREGRAPH_STORE": str(tmp_path / "store")}

    def call(*arguments, text=None):
        return subprocess.run(
            [COMMAND, *arguments],
            capture_output=True,
            text=True,
            input=text,
            env=environment,
            cwd=tmp_path,
            timeout=120,
            check=False,
        )

    call.root, call.folder = folder, tmp_path
    return call


def test_build_query_and_export(run):
    built = run("build", "--json")
    assert built.returncode == 0, built.stderr
    summary = json.loads(built.stdout)
    assert summary["quads"] == sum(summary["quads_by_graph"].values())
    assert set(summary["seconds"]) == {"sources", "gate", "rules", "shapes", "catalogue", "snapshot"}

    answer = run("query", "norms", "--format", "csv")
    assert answer.returncode == 0, answer.stderr
    assert [line.rsplit("/", 1)[-1] for line in answer.stdout.split()] == ["norm", "law-1", "law-2", "law-3"]

    counted = run("query", "-", "--format", "csv", text="SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
    exported = run("export", "nquads")
    assert int(counted.stdout.split()[1]) == len(exported.stdout.splitlines()) == summary["quads"]
    again = run("export", "nquads", "-o", "out.nq")
    assert again.returncode == 0
    assert (run.folder / "out.nq").read_text(encoding="utf-8") == exported.stdout


def test_check_of_a_faulty_table_names_the_cell_and_exits_1(run):
    path = run.root / "data/norms.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2001-01-31", "2001-13-31"), encoding="utf-8")
    checked = run("check")
    assert checked.returncode == 1
    assert 'norms.csv:2:issued "2001-13-31" is not a date' in checked.stdout


def test_build_of_a_faulty_table_names_the_cell_and_exits_1(run):
    path = run.root / "data/norms.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2001-01-31", "2001-13-31"), encoding="utf-8")
    built = run("build")
    assert built.returncode == 1
    assert built.stderr.splitlines() == ['norms.csv:2:issued "2001-13-31" is not a date', "Invalid data: 1 error"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("query", "no-such-query"), 2, "neither a file nor the id"),
        (("query", "norms"), 3, "culturegraph build"),
        (("export", "nquads"), 3, "culturegraph build"),
        (("build", "--quads", "none.nq"), 3, "cannot be read"),
        (("build", "--no-such-option"), 2, "No such option"),
        (("query",), 2, "Missing argument"),
        (("serve", "--port", "99999"), 2, "port"),
    ],
)
def test_failures_have_their_exit_code_and_a_message(run, arguments, code, message):
    finished = run(*arguments)
    assert (finished.returncode, message in finished.stderr) == (code, True), finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_bad_query_is_located(run):
    run("build")
    finished = run("query", "-", text="SELECT * {\n  ?s foo:bar ?o }")
    assert finished.returncode == 2
    assert "line 2, column 6" in finished.stderr


@pytest.mark.parametrize("verb", ["build", "serve", "check", "query", "export nquads"])
def test_help_shows_an_example(run, verb):
    shown = run(*verb.split(), "--help")
    assert shown.returncode == 0
    assert "Example: " in shown.stdout


def test_version(run):
    assert run("--version").stdout.startswith("culturegraph 0.")
