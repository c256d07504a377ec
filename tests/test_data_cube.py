"""The figures as an RDF Data Cube: what an observation says, and that every integrity constraint can be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, Store, parse

from culturegraph.build import Build
from culturegraph.check import check_data_cube
from culturegraph.exports.data_cube import build_cube, count_observations, export, find_faults, to_turtle
from culturegraph.settings import Settings

CASE = Path(__file__).parent / "cases" / "data-cube.trig"
PREFIXES = {
    "cube": "https://w3id.org/culturegraph/cube#",
    "o": "https://w3id.org/culturegraph/id/observation/",
    "qb": "http://purl.org/linked-data/cube#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
FIRST = "<https://w3id.org/culturegraph/id/observation/awajun#census>"


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "queries" / "data-cube"


@pytest.fixture
def cube(folder: Path) -> Store:
    store = Store()
    store.load(path=str(CASE), format=RdfFormat.TRIG)
    return build_cube(store, folder)


def test_an_observation_for_each_figure_and_source(cube: Store) -> None:
    query = "SELECT ?o ?observed ?respect ?period ?value { ?o cube:observed ?observed ; cube:respect ?respect ;"
    rows = cube.query(query + " cube:period ?period ; cube:value ?value } ORDER BY ?o", prefixes=PREFIXES)
    assert [[term.value.rsplit("/", 1)[-1] for term in row] for row in rows] == [
        ["awajun#census", "awajun", "cube#whole", "2017", "37690"],
        ["awajun#database", "awajun", "cube#whole", "2017", "37000"],
        ["calls#database", "ibermedia", "cube#whole", "XXXX", "27"],
        ["projects#database", "ibermedia", "per", "2019", "131"],
    ]


def test_the_cube_is_well_formed(cube: Store, folder: Path) -> None:
    assert count_observations(cube) == 4
    assert find_faults(cube, folder) == []


BREAKS = {
    "ic-01": f"DELETE DATA {{ {FIRST} qb:dataSet cube:figures }}",
    "ic-01 twice": f"INSERT DATA {{ {FIRST} qb:dataSet cube:other . cube:other qb:structure cube:structure }}",
    "ic-02": "INSERT DATA { cube:figures qb:structure cube:another }",
    "ic-03": "DELETE DATA { cube:of-value qb:measure cube:value }",
    "ic-04": "DELETE WHERE { cube:period rdfs:range ?range }",
    "ic-05": "DELETE WHERE { cube:measure qb:codeList ?list }",
    "ic-06": "INSERT DATA { cube:of-period qb:componentRequired false }",
    "ic-11": f"DELETE WHERE {{ {FIRST} cube:period ?period }}",
    "ic-11 twice": f'INSERT DATA {{ {FIRST} cube:period "2018" }}',
    "ic-12": "DELETE { ?o cube:source ?s } INSERT { ?o cube:source cube:one } WHERE { ?o cube:source ?s }",
    "ic-13": f"DELETE WHERE {{ {FIRST} cube:unit ?unit }}",
    "ic-14": f"DELETE WHERE {{ {FIRST} cube:value ?value }}",
    "ic-19": "DELETE WHERE { ?code skos:inScheme ?list }",
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_constraint_can_be_broken(cube: Store, folder: Path, name: str) -> None:
    cube.update("".join(f"PREFIX {key}: <{iri}> " for key, iri in PREFIXES.items()) + BREAKS[name])
    faults = find_faults(cube, folder)
    assert faults
    assert {fault.split()[0] for fault in faults} == {f"cube-{name.split()[0]}"}


def test_every_constraint_is_tested(folder: Path) -> None:
    files = {path.stem for path in folder.glob("ic-*.rq")}
    assert files == {name.split()[0] for name in BREAKS}


def test_a_broken_cube_is_a_finding(folder: Path) -> None:
    quads = list(parse(path=str(CASE), format=RdfFormat.TRIG))
    assert check_data_cube(quads, folder).passed
    measured = next(quad for quad in quads if quad.predicate.value.endswith("/measure"))
    another = Quad(measured.subject, measured.predicate, NamedNode(measured.object.value + "-2"), measured.graph_name)
    found = check_data_cube([*quads, another], folder)
    assert not found.passed
    assert [fault.split()[0] for fault in found.faults] == ["cube-ic-11"]


def test_the_bundled_figures_are_a_cube(built: Build, settings: Settings, folder: Path, tmp_path: Path) -> None:
    written = export(settings.store, folder, tmp_path / "cube.ttl")
    cube = Store()
    cube.load(path=str(tmp_path / "cube.ttl"), format=RdfFormat.TURTLE)
    assert count_observations(cube) == written > 100
    assert find_faults(cube, folder) == []
    assert to_turtle(cube) == (tmp_path / "cube.ttl").read_bytes()
