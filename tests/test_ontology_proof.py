"""The proof of the ontology: skips with a reason without Java, and finds what is wrong where there is Java."""

from __future__ import annotations

import shutil

import ontology_proof
import pytest
from ontology_proof import ROOT, Unavailable, main, read_data, start_java
from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.exports.owl_data import select_owl_data, to_ntriples
from culturegraph.rdf.graphs import INFERRED, ONTOLOGY, source_graph
from culturegraph.rdf.vocabulary import BASE, CG, EDTF, LABEL, RDFS, TYPE, XSD

BAD = """
<https://w3id.org/culturegraph/id/people/kichwa> a <https://w3id.org/culturegraph/ontology/IndigenousPeople> .
<https://w3id.org/culturegraph/id/people/awajun>
    <https://w3id.org/culturegraph/ontology/speaks> <https://w3id.org/culturegraph/id/people/kichwa> .
"""


@pytest.fixture
def java() -> None:
    try:
        start_java()
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_it_is_skipped_with_a_reason_without_java(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)

    assert main([]) == 0
    assert "skipped: no Java" in capsys.readouterr().out


def test_it_is_skipped_with_a_reason_without_archives(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/java")
    monkeypatch.setattr(ontology_proof.importlib.util, "find_spec", lambda _name: None)

    assert main([]) == 0
    assert "skipped: jpype1" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("java")
def test_bad_data_are_inconsistent_and_the_reason_is_told(tmp_path, capsys):
    (tmp_path / "bad.ttl").write_text(BAD, encoding="utf-8")

    assert main(["--data", str(tmp_path / "bad.ttl")]) == 1
    report = capsys.readouterr().out
    assert "OWL 2 DL: 0 violations" in report and "OWL 2 RL: 0 violations" in report
    assert "INCONSISTENT" in report and "NOT proven" in report
    assert "ObjectPropertyRange" in report and "speaks" in report.partition("minimal justification:")[2]


@pytest.mark.slow
@pytest.mark.usefixtures("java")
def test_a_class_without_possible_members_is_named(capsys):
    graph = ontology_proof.read("culturegraph.ttl", "modules/*.ttl", "schemes/*.ttl")
    graph.parse(data=f"<{CG}Dance> <{RDFS}subClassOf> <{CG}Place> .", format="turtle")

    assert not ontology_proof.check("broken", graph)
    report = capsys.readouterr().out
    assert "consistent, 1 unsatisfiable classes" in report and f"<{CG}Dance>" in report


@pytest.mark.slow
@pytest.mark.usefixtures("java")
def test_a_literal_of_another_datatype_is_inconsistent(tmp_path, capsys):
    (tmp_path / "bad.ttl").write_text(f'<{BASE}id/case/x> <{CG}order> "first" .', encoding="utf-8")

    assert main(["--data", str(tmp_path / "bad.ttl")]) == 1
    assert "INCONSISTENT" in capsys.readouterr().out


def test_the_export_says_what_it_leaves_out():
    thing, source = NamedNode(BASE + "id/norm/x"), source_graph("x")
    term = NamedNode(CG + "Dance")
    date = Literal("2007-07-24", datatype=NamedNode(XSD + "date"))
    year = Literal("2007~", datatype=NamedNode(EDTF))
    label = Quad(thing, LABEL, Literal("x", language="es"), source)
    quads = [
        label,
        Quad(thing, LABEL, label.object, source_graph("y")),
        Quad(thing, NamedNode(CG + "dateIssued"), date, source),
        Quad(thing, NamedNode(CG + "dateIssued"), date, source_graph("y")),
        Quad(thing, NamedNode(CG + "startDate"), year, source),
        Quad(term, LABEL, Literal("danza", language="es"), ONTOLOGY),
        Quad(thing, TYPE, NamedNode(CG + "LegalResource"), INFERRED),
    ]
    triples, left_out = select_owl_data(quads)

    assert triples == [label.triple]
    assert left_out == {XSD + "date": 1, EDTF: 1}
    assert to_ntriples(triples) == f"{label.triple} .\n"


def test_data_from_a_file_are_sifted_too(tmp_path):
    path = tmp_path / "data.ttl"
    path.write_text(f'<{BASE}id/x> <{CG}date> "2007-07-24"^^<{XSD}date> ; a <{CG}Event> .', encoding="utf-8")
    graph, left_out = read_data(path)

    assert len(graph) == 1 and left_out == {XSD + "date": 1}


def test_make_and_ci_run_the_proof():
    assert "ontology:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make ontology" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
