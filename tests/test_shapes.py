"""The shapes: each says what it should of its case files, covers the tables, and speaks Spanish and English.

How a case is laid out and compared: `cases/validation/README.md`.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyshacl
import pytest
from rdflib import RDF, RDFS, SH, XSD, BNode, Dataset, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "tests" / "cases" / "validation"
BASE = "https://w3id.org/culturegraph/"
SHAPES = BASE + "shapes/"
GRAPH_BASED = ROOT / "shapes" / "sources.ttl"
FOLDERS = sorted(path.name for path in CASES.iterdir() if path.is_dir())


class Row(NamedTuple):
    """One validation result, as `expected.csv` writes it."""

    focus_node: str
    path: str
    component: str
    source_shape: str
    severity: str


@functools.cache
def read_shapes(*, graph_based: bool) -> Graph:
    """Shapes of every file, or without those that need named graphs."""
    graph = Graph()
    for path in sorted((ROOT / "shapes").glob("*.ttl")):
        if graph_based or path != GRAPH_BASED:
            graph.parse(path)
    return graph


@functools.cache
def read_ontology() -> Graph:
    graph = Graph()
    for path in sorted((ROOT / "ontology").rglob("*.ttl")):
        graph.parse(path)
    return graph


@functools.cache
def read_context() -> Graph:
    """What the cases refer to."""
    return Graph().parse(CASES / "context.ttl")


def read_case(path: Path) -> Graph:
    """The data of one case, with what it refers to and with the class tree; named graphs are kept apart."""
    data = Graph() if path.suffix == ".ttl" else Dataset(default_union=True)
    data.parse(path, format="turtle" if path.suffix == ".ttl" else "trig")
    open_nodes = set(data.subjects()) | set(data.objects())
    if isinstance(data, Dataset):
        open_nodes |= {graph.identifier for graph in data.graphs()}
    seen: set[Node] = set()
    while open_nodes:
        node = open_nodes.pop()
        if node not in seen:
            seen.add(node)
            for triple in read_context().triples((node, None, None)):
                data.add(triple)
                open_nodes.add(triple[2])
    for triple in read_ontology().triples((None, RDFS.subClassOf, None)):
        data.add(triple)
    return data


def write_path(graph: Graph, node: Node | None) -> str:
    """A property path in SPARQL's notation; the full IRI if it is one property."""
    if node is None:
        return ""
    if isinstance(node, URIRef):
        return str(node)
    if (inverse := graph.value(node, SH.inversePath)) is not None:
        return "^" + write_path(graph, inverse)
    if (alternatives := graph.value(node, SH.alternativePath)) is not None:
        return "|".join(write_path(graph, part) for part in Collection(graph, alternatives))
    return "/".join(write_path(graph, part) for part in Collection(graph, node))


def shorten(term: Node | None) -> str:
    return str(term).removeprefix(SHAPES).removeprefix(str(SH)).removesuffix("ConstraintComponent")


def validate(data: Graph, *, graph_based: bool = False) -> list[Row]:
    """Results of the reference engine."""
    shapes = read_shapes(graph_based=graph_based)
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True, do_owl_imports=False)
    assert isinstance(report, Graph)
    rows = [
        Row(
            str(report.value(result, SH.focusNode)).removeprefix(BASE),
            write_path(report, report.value(result, SH.resultPath)),
            shorten(report.value(result, SH.sourceConstraintComponent)),
            shorten(report.value(result, SH.sourceShape)),
            shorten(report.value(result, SH.resultSeverity)),
        )
        # The results of a nested shape hang below the outer one by sh:detail.
        for result in report.objects(None, SH.result)
    ]
    return sorted(set(rows))


def relevant(rows: list[Row], folder: str) -> list[Row]:
    stem = folder.removesuffix("Shape")
    context = {str(subject).removeprefix(BASE) for subject in read_context().subjects()}
    return [
        row
        for row in rows
        if row.severity == "Violation"
        or (row.source_shape.partition("-")[0] in (folder, stem) and row.focus_node not in context)
    ]


def read_expected(folder: str) -> list[Row]:
    with (CASES / folder / "expected.csv").open(encoding="utf-8", newline="") as lines:
        return sorted(
            Row(row["focusNode"], row["path"], row["component"], row["sourceShape"], row["severity"])
            for row in csv.DictReader(lines)
        )


def case_file(folder: str, name: str) -> Path:
    return next((CASES / folder).glob(f"{name}.t*"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_passing_case_has_no_result(folder: str) -> None:
    path = case_file(folder, "pass")
    rows = validate(read_case(path), graph_based=path.suffix == ".trig")
    assert relevant(rows, folder) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_failing_case_has_exactly_the_expected_results(folder: str) -> None:
    path = case_file(folder, "fail")
    rows = validate(read_case(path), graph_based=path.suffix == ".trig")
    assert relevant(rows, folder) == read_expected(folder)


def test_every_shape_fails_in_some_case() -> None:
    shapes = read_shapes(graph_based=False)
    # Shapes that others call with sh:node, sh:or or sh:qualifiedValueShape are reported under the caller.
    called = {"SpanishText", "EnglishText", "EdtfDate", "Described", "Described-type"}
    called |= {"SourceGraph-isEditorial", "SourceGraph-hasAddress", "Own-isDefinedBy"}
    called |= {"LabelApplication-isLabel", "LabelApplication-isNotice"}
    failing = {row.source_shape for folder in FOLDERS for row in read_expected(folder)}
    property_shapes = {shorten(shape) for shape in shapes.subjects(RDF.type, SH.PropertyShape)}
    assert property_shapes - failing - called == set()
    constraints = set(SHAPE_LEVEL_CONSTRAINTS)
    node_shapes = {
        shorten(shape)
        for shape in shapes.subjects(RDF.type, SH.NodeShape)
        if constraints & set(shapes.predicates(shape))
    }
    assert node_shapes - failing - called == set()


SHAPE_LEVEL_CONSTRAINTS = (SH["not"], SH["or"], SH["class"], SH["sparql"])


def test_every_node_shape_has_a_case() -> None:
    shapes = read_shapes(graph_based=True)
    names = {
        shorten(shape)
        for shape in shapes.subjects(RDF.type, SH.NodeShape)
        if isinstance(shape, URIRef) and shorten(shape).endswith("Shape")
    }
    assert names - set(FOLDERS) == set()


def columns() -> Iterator[tuple[str, dict[str, object]]]:
    metadata = json.loads((ROOT / "data" / "csv-metadata.json").read_text(encoding="utf-8"))
    for table in metadata["tables"]:
        for column in table["tableSchema"]["columns"]:
            if "propertyUrl" in column:
                yield table["url"], column


def expand(template: str, name: str, column: dict[str, object]) -> list[str]:
    """IRIs that a template such as `…/ontology/{type}` can make: the alternatives of the column's format."""
    if "{" not in template:
        return [template]
    datatype = column.get("datatype")
    alternatives = datatype["format"].split("|") if isinstance(datatype, dict) else []
    return [template.replace("{" + name + "}", str(each)) for each in alternatives]


def formats(url: str) -> dict[str, dict[str, object]]:
    metadata = json.loads((ROOT / "data" / "csv-metadata.json").read_text(encoding="utf-8"))
    table = next(table for table in metadata["tables"] if table["url"] == url)
    return {column["name"]: column for column in table["tableSchema"]["columns"]}


def table_properties() -> set[str]:
    found: set[str] = set()
    for url, column in columns():
        template = str(column["propertyUrl"])
        name = template.partition("{")[2].rstrip("}")
        found.update(expand(template, name, formats(url)[name] if name else column))
    return found - {str(RDF.type)}


def table_classes() -> set[str]:
    found: set[str] = set()
    for url, column in columns():
        if column["propertyUrl"] == str(RDF.type):
            template = str(column["valueUrl"])
            name = template.partition("{")[2].rstrip("}")
            found.update(expand(template, name, formats(url)[name] if name else column))
    return found


def test_every_class_of_the_tables_has_a_node_shape() -> None:
    shapes, ontology = read_shapes(graph_based=False), read_ontology()
    targets = {
        target for shape in shapes.subjects(RDF.type, SH.NodeShape) for target in shapes.objects(shape, SH.targetClass)
    }
    missing = {
        name
        for name in table_classes()
        if not targets & set(ontology.transitive_objects(URIRef(name), RDFS.subClassOf))
    }
    assert missing == set()


def test_every_property_of_the_tables_has_a_property_shape() -> None:
    shapes = read_shapes(graph_based=False)
    paths = {
        str(path)
        for shape in shapes.subjects(RDF.type, SH.PropertyShape)
        for path in shapes.objects(shape, SH.path)
        if shapes.value(shape, SH.severity) == SH.Violation
    }
    assert table_properties() - paths == set()


def test_concept_columns_and_shapes_name_the_same_lists() -> None:
    shapes = read_shapes(graph_based=False)
    patterns: dict[str, set[str]] = {}
    for shape in shapes.subjects(RDF.type, SH.PropertyShape):
        for pattern in shapes.objects(shape, SH.pattern):
            patterns.setdefault(str(shapes.value(shape, SH.path)), set()).add(str(pattern))
    wrong = []
    for url, column in columns():
        concept_list, found, _ = str(column.get("valueUrl", "")).rpartition("/{")
        named = patterns.get(str(column["propertyUrl"]), set())
        if found and concept_list.startswith(BASE + "schemes/") and f"^{concept_list}/" not in named:
            wrong.append(f"{url} {column['name']}")
    assert wrong == []


def test_every_class_and_property_that_shapes_name_is_declared() -> None:
    shapes, ontology = read_shapes(graph_based=True), read_ontology()
    own = BASE + "ontology/"
    named = {term for triple in shapes for term in triple if str(term).startswith(own) and isinstance(term, URIRef)}
    declared = set(ontology.subjects(RDF.type, None))
    assert {shorten(term) for term in named - declared} == set()


def test_every_shape_has_a_severity_and_messages_in_two_languages() -> None:
    shapes = read_shapes(graph_based=True)
    silent = []
    for shape in set(shapes.subjects(RDF.type, SH.PropertyShape)):
        texts = list(shapes.objects(shape, SH.message))
        texts += [text for query in shapes.objects(shape, SH.sparql) for text in shapes.objects(query, SH.message)]
        languages = sorted(text.language or "" for text in texts if isinstance(text, Literal))
        if languages != ["en", "es"] or shapes.value(shape, SH.severity) is None:
            silent.append(shorten(shape))
    for shape in set(shapes.subjects(RDF.type, SH.NodeShape)):
        own = [constraint for constraint in SHAPE_LEVEL_CONSTRAINTS if (shape, constraint, None) in shapes]
        texts = list(shapes.objects(shape, SH.message))
        texts += [text for query in shapes.objects(shape, SH.sparql) for text in shapes.objects(query, SH.message)]
        languages = sorted(text.language or "" for text in texts if isinstance(text, Literal))
        if isinstance(shape, URIRef) and own and languages != ["en", "es"]:
            silent.append(shorten(shape))
    assert silent == []


def test_no_property_shape_is_a_blank_node() -> None:
    shapes = read_shapes(graph_based=True)
    assert [shape for shape in shapes.objects(None, SH.property) if isinstance(shape, BNode)] == []
    assert set(shapes.objects(None, SH.property)) - set(shapes.subjects(RDF.type, SH.PropertyShape)) == set()


def test_prefixes_are_declared_once() -> None:
    shapes = read_shapes(graph_based=True)
    for owner in set(shapes.objects(None, SH.prefixes)):
        prefixes = [shapes.value(declaration, SH.prefix) for declaration in shapes.objects(owner, SH.declare)]
        assert len(prefixes) == len(set(prefixes)) > 0
        for declaration in shapes.objects(owner, SH.declare):
            namespace = shapes.value(declaration, SH.namespace)
            assert isinstance(namespace, Literal) and namespace.datatype == XSD.anyURI


@pytest.mark.slow
def test_shapes_are_well_formed() -> None:
    conforms, _, text = pyshacl.validate(Graph(), shacl_graph=read_shapes(graph_based=True), meta_shacl=True)
    assert conforms, text


@pytest.mark.slow
def test_the_ontology_meets_its_shapes() -> None:
    shapes = Graph().parse(ROOT / "shapes" / "ontology.ttl").parse(ROOT / "shapes" / "core.ttl")
    _, report, text = pyshacl.validate(read_ontology(), shacl_graph=shapes)
    assert isinstance(report, Graph)
    assert list(report.subjects(SH.resultSeverity, SH.Violation)) == [], text
