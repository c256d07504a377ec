"""The reference engine: pyshacl over plain rdflib graphs. The oracle of the compiled engine, and its fallback.

Knows how to ask pyshacl and how to read its report.

Source: https://github.com/RDFLib/pySHACL; SHACL §3.6 (Validation Report).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import rdflib
from pyoxigraph import BlankNode, Quad

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.bridge import to_rdflib
from culturegraph.validation.literals import quiet_rdflib
from culturegraph.validation.paths import parse_path
from culturegraph.validation.results import Node, Result
from culturegraph.validation.shapes import SHACL, TARGETS, ShapesGraph, term


def run_reference(quads: Iterable[Quad], shapes: ShapesGraph, only: Collection[Node] | None = None) -> list[Result]:
    """Validate the merge of the quads by pyshacl, by all shapes or by the given target shapes only.

    Raises DataErrors where pyshacl cannot evaluate the shapes.
    """
    # pyshacl over an oxigraph store gives false results: typed and plain strings are one there.
    with quiet_rdflib():
        return _validate(to_rdflib(quads), shapes, only)


def _validate(data: rdflib.Graph, shapes: ShapesGraph, only: Collection[Node] | None) -> list[Result]:
    # Here, because it takes half a second to import and most runs need no pyshacl.
    import pyshacl
    from pyshacl.errors import ReportableRuntimeError

    _bind_prefixes(data, shapes.graph)
    graph = shapes.graph if only is None else without_other_targets(shapes, only)
    advanced = any(shape.targets["target"] or "expression" in shape.values for shape in shapes.shapes.values())
    logging.getLogger("pyshacl").setLevel(logging.CRITICAL)
    try:
        _, report, text = pyshacl.validate(data, shacl_graph=graph, advanced=advanced, inplace=not advanced)
    except (ReportableRuntimeError, NotImplementedError, re.error) as error:
        raise _failure(str(error)) from error
    if not isinstance(report, rdflib.Graph):
        raise _failure(str(text))
    return list(_read_report(report, shapes))


def _bind_prefixes(data: rdflib.Graph, shapes: rdflib.Graph) -> None:
    """Give the data the declared prefixes: pyshacl looks for those behind owl:imports there (SHACL §5.2.1)."""
    for declaration in shapes.objects(None, SHACL.declare):
        prefix, namespace = (shapes.value(declaration, SHACL[name]) for name in ("prefix", "namespace"))
        if prefix is not None and namespace is not None:
            data.bind(str(prefix), str(namespace), override=False)


def _failure(message: str) -> DataErrors:
    return DataErrors([DataError(f"cannot be evaluated: {message.strip()}", "shapes")])


def without_other_targets(shapes: ShapesGraph, kept: Collection[Node]) -> rdflib.Graph:
    """Return the shapes graph in which only the kept shapes choose focus nodes.

    pyshacl's own `use_shapes` skips named property shapes in silence, so every shape stays and only targets go.
    """
    graph = rdflib.Graph(bind_namespaces="none")
    for triple in shapes.graph:
        graph.add(triple)
    for node in [shape.node for shape in shapes.shapes.values() if shape.has_targets and shape.node not in kept]:
        subject = rdflib.URIRef(node.value) if not isinstance(node, BlankNode) else rdflib.BNode(node.value)
        for name in TARGETS:
            graph.remove((subject, SHACL[name], None))
        if shapes.shapes[node].implicit_class:
            graph.remove((subject, rdflib.RDF.type, None))
            kind = SHACL.NodeShape if shapes.shapes[node].path is None else SHACL.PropertyShape
            graph.add((subject, rdflib.RDF.type, kind))
    return graph


def _read_report(report: rdflib.Graph, shapes: ShapesGraph) -> Iterator[Result]:
    for node in report.objects(None, SHACL.result):

        def value(name: str, subject: Any = node) -> Any:
            found = report.value(subject, SHACL[name])
            return None if found is None else term(found)

        path = report.value(node, SHACL.resultPath)
        messages = sorted(m for m in report.objects(node, SHACL.resultMessage) if isinstance(m, rdflib.Literal))
        yield Result(
            focus_node=value("focusNode"),
            path=None if path is None else _read_path(path, report, shapes),
            value=value("value"),
            component=value("sourceConstraintComponent"),
            source_shape=value("sourceShape"),
            severity=value("resultSeverity"),
            constraint=value("sourceConstraint"),
            messages={message.language or "": str(message) for message in messages},
        )


def _read_path(node: Any, report: rdflib.Graph, shapes: ShapesGraph) -> Any:
    # A blank path keeps its label, so it is read where it is whole: in the shapes graph.
    graph = shapes.graph if isinstance(node, rdflib.BNode) and (node, None, None) in shapes.graph else report
    return parse_path(graph, node)
