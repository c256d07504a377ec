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


@pytest.mark.parametrize("verb", ["build", "serve", "check", "query", "search", "export nquads", "export owl-data"])
def test_help_shows_an_example(run, verb):
    shown = run(*verb.split(), "--help")
    assert shown.returncode == 0
    assert "Example: " in shown.stdout


def test_version(run):
    assert run("--version").stdout.startswith("culturegraph 0.")


def test_validate_judges_a_file_and_writes_every_form(run):
    bad = run.folder / "bad.trig"
    bad.write_text(
        "PREFIX cg: <https://w3id.org/culturegraph/ontology/>\n"
        "<http://x/g> { <http://x/law> a cg:NationalNorm ; cg:amends <http://x/1>, <http://x/2>, <http://x/3> . }\n",
        encoding="utf-8",
    )
    for form, mark in {
        "text": "NationalNorm-amends",
        "csv": "focusNode,path,value,component,sourceShape,severity,message,row",
        "json": '"@context"',
        "ttl": "sh:ValidationReport",
        "html": "<html",
    }.items():
        judged = run("validate", str(bad), "--format", form)
        assert (judged.returncode, mark in judged.stdout) == (1, True), judged.stdout + judged.stderr
    again = run("validate", str(bad), "--format", "csv", "-o", "report.csv")
    assert again.returncode == 1
    assert "MaxCountConstraintComponent" in (run.folder / "report.csv").read_text(encoding="utf-8")


def test_validate_of_a_copy_of_a_table_names_its_row(run):
    copy = run.folder / "norms.csv"
    text = (run.root / "data/norms.csv").read_text(encoding="utf-8")
    copy.write_text(text.replace("a,law-1;law-2", "a,law-1;law-2;law-3"), encoding="utf-8")
    judged = run("validate", str(copy), "--format", "csv")
    assert judged.returncode == 1, judged.stderr
    assert "norms.csv:4:amends" in judged.stdout


def test_validate_of_our_data_by_their_shapes(run):
    shapes = run.folder / "theirs.ttl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix cg: <https://w3id.org/culturegraph/ontology/> .\n"
        "<http://x/s> a sh:NodeShape ; sh:targetClass cg:LegalInstrument ;\n"
        "  sh:property [ sh:path cg:dateIssued ; sh:minCount 1 ] .\n",
        encoding="utf-8",
    )
    judged = run("validate", "--shapes", str(shapes), "--format", "csv")
    assert judged.returncode == 1
    assert [row.split(",")[0].rsplit("/", 1)[-1] for row in judged.stdout.splitlines()[1:]] == ["law-3"]
    assert run("validate").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("validate", "none.ttl"), 3, "no such file"),
        (("validate", "other.csv"), 2, "no copy of a table"),
        (("validate", "http://127.0.0.1:9/sparql"), 3, "did not answer"),
        (("validate", "--format", "pdf"), 2, "Invalid value"),
        (("explain", "a", "b"), 2, "give a subject"),
        (("explain", "id/norm/law-1", "cg:amends", "id/norm/law-1"), 2, "does not say"),
        (("explain", "id/norm/law-1", "foo:amends", "id/norm/law-1"), 2, "no statement"),
        (("explain", "0" * 64), 2, "no statement of the graph has the hash"),
    ],
)
def test_validate_and_explain_say_what_is_wrong(run, arguments, code, message):
    if arguments[0] == "explain":
        run("build")
    finished = run(*arguments)
    assert (finished.returncode, message in finished.stderr) == (code, True), finished.stderr
    assert "Traceback" not in finished.stderr


def test_explain_tells_rule_premises_and_sources(run):
    run("build")
    told = run("explain", "id/norm/law-1", "cg:isAmendedBy", "id/norm/law-3", "--lang", "en")
    assert told.returncode == 0, told.stderr
    conclusion, premise, axiom = told.stdout.splitlines()
    assert "[prp-inv1]" in conclusion
    assert premise.startswith("  ")
    assert "The gazette" in premise
    assert "owl:inverseOf" in axiom
    turtle = run("explain", "id/norm/law-1", "cg:isAmendedBy", "id/norm/law-3", "--turtle")
    assert "prov:hadPlan" in turtle.stdout


def test_search_finds_names_in_any_language_and_narrows(run):
    assert run("build").returncode == 0
    found = json.loads(run("search", "nawpaq", "--json", "--lang", "en").stdout)
    assert [(item["iri"].rsplit("/", 1)[-1], item["name"]) for item in found["results"]] == [("law-1", "First")]
    assert found["results"][0]["matched"] == "Ñawpaq"
    everything = json.loads(run("search", "--json", "--limit", "2", "--narrow", "source=a").stdout)
    assert len(everything["results"]) == 2
    assert {facet["key"] for facet in everything["facets"]} >= {"type", "department", "people", "source"}
    shown = run("search", "segunda", "--type", "Dragon")
    assert shown.returncode == 0
    assert "id/norm/law-2" in shown.stdout
    assert "ignored: type=Dragon" in shown.stderr
    for arguments, message in ((("--narrow", "colour=red"), "no facet"), (("--narrow", "x"), "FACET=VALUE")):
        refused = run("search", "x", *arguments)
        assert (refused.returncode, message in refused.stderr) == (2, True)


def test_a_server_without_the_build_extra_says_what_is_missing(tmp_path):
    code = (
        "import sys; sys.modules['rdflib'] = None; sys.argv = ['culturegraph', 'build'];"
        "from culturegraph.cli import main; main()"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert finished.returncode == 2
    assert finished.stderr == "this needs rdflib: install culturegraph[build]\n"
