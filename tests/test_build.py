"""From files to a published snapshot; and that nothing that fails harms what is published."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, NamedNode, Quad

from culturegraph.build import (
    REPORT_FILE,
    build,
    build_from_quads,
    build_time,
)
from culturegraph.errors import DataError, DataErrors, InvalidGraphError, StorageError
from culturegraph.freshness import fingerprint, is_stale
from culturegraph.rdf.canonical import to_nquads
from culturegraph.rdf.graphs import CATALOGUE, EDITORIAL, INFERRED, ONTOLOGY, VALIDATION, source_graph
from culturegraph.rdf.vocabulary import BASE, CG, TYPE
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

MINIMAL = Path(__file__).parent / "cases" / "build" / "minimal"


@pytest.fixture
def small(tmp_path, root):
    """Settings of a tiny project with the real rules."""
    folder = shutil.copytree(MINIMAL, tmp_path / "root")
    shutil.copytree(root / "queries/rules", folder / "queries/rules", dirs_exist_ok=True)
    return Settings(root=folder, store=tmp_path / "store")


def _edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _published(settings):
    return to_nquads(quad for quad in open_current(settings.store).store if quad.graph_name != DefaultGraph())


def test_a_build_publishes_sources_inferences_report_and_catalogue(small):
    made = build(small)
    graphs = {NamedNode(name) for name in made.quads_by_graph}
    assert graphs == {
        source_graph("a"), source_graph("b"), EDITORIAL, ONTOLOGY, INFERRED, VALIDATION, CATALOGUE,
    }  # fmt: skip
    store = open_current(small.store).store
    law = NamedNode(BASE + "id/norm/law-1")
    # The subclass and the inverse were inferred, and the merge holds them too.
    assert Quad(law, TYPE, NamedNode(CG + "LegalInstrument"), INFERRED) in store
    assert Quad(law, NamedNode(CG + "isAmendedBy"), NamedNode(BASE + "id/norm/law-3")) in store


def test_the_merge_counts_each_triple_once(small):
    build(small)
    store = open_current(small.store).store
    triples = {quad.triple for quad in store if quad.graph_name not in (DefaultGraph(), VALIDATION)}
    counted = next(iter(store.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")))[0]
    assert int(counted.value) == len(triples)


def test_the_same_files_give_the_same_bytes(small, tmp_path):
    first = build(small)
    again = Settings(root=small.root, store=tmp_path / "again")
    second = build(again)
    assert first.content_hash == second.content_hash
    assert _published(small) == _published(again)


def test_another_statement_gives_another_hash_and_keeps_the_previous_snapshot(small):
    first = build(small)
    _edit(small.data / "norms.csv", "2001-01-31", "2001-02-01")
    second = build(small)
    assert first.content_hash != second.content_hash
    assert first.snapshot.path.is_dir()
    assert open_current(small.store).version == second.snapshot.version


def test_a_store_is_stale_when_a_file_changed(small):
    assert is_stale(small)
    build(small)
    assert not is_stale(small)
    _edit(small.data / "norms.csv", "Primera", "La primera")
    assert is_stale(small)


def test_the_fingerprint_tells_a_moved_file_from_the_same_bytes(small):
    before = fingerprint(small)
    (small.queries / "examples/norms.rq").rename(small.queries / "examples/other.rq")
    assert fingerprint(small) != before


BREAKAGES = {
    "bad table": ("data/norms.csv", "2001-01-31", "2001-13-31", DataErrors, "norms.csv:2:issued"),
    "bad ontology": ("ontology/modules/core.ttl", "cg:SourceGraph a", "cg:SourceGraph", DataErrors, "core.ttl:5"),
    "bad shapes": ("shapes/legal.ttl", "sh:maxCount 2 ;", "sh:maxCount 2", DataError, "legal.ttl"),
    "bad query": ("queries/examples/norms.rq", "#+ id: norms", "#+ id: [", DataErrors, "norms.rq"),
    "violation": ("shapes/legal.ttl", "sh:maxCount 2", "sh:maxCount 1", InvalidGraphError, "Una norma de la prueba"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_failed_step_leaves_the_published_snapshot_as_it_was(small, name):
    file, old, new, error, message = BREAKAGES[name]
    version = build(small).snapshot.version
    before = _published(small)
    _edit(small.root / file, old, new)
    with pytest.raises(error) as caught:
        build(small)
    assert message in str(caught.value)
    assert open_current(small.store).version == version
    assert _published(small) == before
    assert len(list((small.store / "snapshots").iterdir())) == 1


def test_a_violation_leaves_its_report_beside_the_snapshot(small):
    _edit(small.shapes / "legal.ttl", "sh:maxCount 2", "sh:maxCount 1")
    with pytest.raises(InvalidGraphError):
        build(small)
    report = (small.store / REPORT_FILE).read_text(encoding="utf-8")
    assert "law-3" in report
    assert "MaxCountConstraintComponent" in report


def test_violations_are_published_on_request_and_the_report_with_them(small):
    _edit(small.shapes / "legal.ttl", "sh:maxCount 2", "sh:maxCount 1")
    made = build(small, allow_violations=True)
    assert made.report.violations
    assert made.quads_by_graph[VALIDATION.value] > 1


def test_a_warning_does_not_stop_publication(small):
    _edit(small.shapes / "legal.ttl", "sh:maxCount 2 ;", "sh:maxCount 1 ; sh:severity sh:Warning ;")
    made = build(small)
    assert made.report.counts == {"Warning": 1}


def test_both_engines_publish_the_same(small, tmp_path):
    other = Settings(root=small.root, store=tmp_path / "other")
    build(small)
    build(other, engine="pyshacl")
    assert _published(small) == _published(other)


def test_the_build_time_is_that_of_the_environment_then_of_the_files(small, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1325376000")
    assert build_time(small.root) == datetime(2012, 1, 1, tzinfo=UTC)


def test_a_store_folder_that_cannot_be_made_is_an_input_output_error(small, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    blocked = Settings(root=small.root, store=tmp_path / "file" / "store")
    with pytest.raises(StorageError):
        build(blocked)


def test_quads_are_published_as_they_are(tmp_path):
    path = tmp_path / "given.nq"
    path.write_text("<http://x/s> <http://x/p> <http://x/o> <http://x/g> .\n", encoding="utf-8")
    settings = Settings(store=tmp_path / "store")
    made = build_from_quads(settings, [path])
    assert made.quads_by_graph == {"http://x/g": 1}
    assert _published(settings) == path.read_bytes()
    # A server must not build the bundled graph over it.
    assert not is_stale(settings)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bad.nq", "<http://x/s> <http://x/p>\n", r"bad\.nq:2:1 is not valid N-Quads"),
        ("bad.ttl", "", "neither N-Quads"),
        ("bad.trig", "<http://x/g> {", r"bad\.trig:\d+:\d+ is not valid TriG"),
    ],
)
def test_quads_that_do_not_parse_are_located(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        build_from_quads(Settings(store=tmp_path / "store"), [tmp_path / name])


def test_a_contradiction_by_the_rules_stops_the_build(small):
    _edit(small.ontology / "modules/core.ttl", "cg:LegalInstrument )", "cg:LegalInstrument cg:NationalNorm )")
    with pytest.raises(InvalidGraphError, match=r"cax-adc.*law-1"):
        build(small)
