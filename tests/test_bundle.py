"""Files of every kind to quads in their graphs, and the check that what is used is defined."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from culturegraph.errors import DataErrors
from culturegraph.rdf.graphs import ONTOLOGY, scheme_graph
from culturegraph.sources.bundle import read_bundle

MINIMAL = Path(__file__).parent / "cases" / "build" / "minimal"


@pytest.fixture
def root(tmp_path):
    return shutil.copytree(MINIMAL, tmp_path / "root")


def _read(root):
    return read_bundle(root / "data", root / "ontology")


def test_each_file_goes_to_its_graph(root):
    (root / "ontology/schemes").mkdir(exist_ok=True)
    (root / "ontology/schemes/kinds.ttl").write_text(
        "<https://w3id.org/culturegraph/schemes/kinds> a <http://www.w3.org/2004/02/skos/core#ConceptScheme> .",
        encoding="utf-8",
    )
    graphs = {quad.graph_name for quad in _read(root).quads}
    assert {ONTOLOGY, scheme_graph("kinds")} <= graphs


def test_a_reference_to_nothing_is_located(root):
    path = root / "data/names.csv"
    path.write_text(path.read_text(encoding="utf-8") + "id/norm/law-1,es,x,a\n", encoding="utf-8")
    metadata = root / "data/csv-metadata.json"
    text = metadata.read_text(encoding="utf-8")
    # The column becomes a link, so that its cells must lead somewhere.
    names, related = "http://www.w3.org/2004/02/skos/core#altLabel", "http://www.w3.org/2004/02/skos/core#related"
    text = text.replace(f'"{names}"', f'"{related}", "valueUrl": "https://w3id.org/culturegraph/id/norm/{{name}}"')
    metadata.write_text(text, encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        _read(root)
    assert 'names.csv:4:name "id/norm/x" is defined nowhere' in str(caught.value).splitlines()


def test_an_undefined_property_is_an_error(root):
    module = root / "ontology/modules/core.ttl"
    module.write_text(
        module.read_text(encoding="utf-8").replace("cg:dateIssued a owl:DatatypeProperty .", ""), encoding="utf-8"
    )
    with pytest.raises(DataErrors, match=r'norms\.csv:2:issued "ontology/dateIssued" is defined nowhere'):
        _read(root)


def test_turtle_that_does_not_parse_is_located_together_with_faults_of_tables(root):
    (root / "ontology/modules/bad.ttl").write_text("@prefix cg: <http://x/> .\ncg:a cg:b\n", encoding="utf-8")
    path = root / "data/norms.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2001-01-31", "2001-13-31"), encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        _read(root)
    first, second = str(caught.value).splitlines()
    assert first.startswith("bad.ttl:3:1 is not valid Turtle: ")
    assert "Parser error" not in first
    assert second == 'norms.csv:2:issued "2001-13-31" is not a date'
