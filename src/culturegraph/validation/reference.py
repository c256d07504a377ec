"""The reference engine: pyshacl over plain rdflib graphs. The oracle of the compiled engine, and its fallback.

Knows how to ask pyshacl and how to read its report.

Source: https://github.com/RDFLib/pySHACL; SHACL §3.6 (Validation Report).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

import rdflib
from pyoxigraph import DefaultGraph, NamedNode, Quad

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.bridge import from_rdflib, term_to_rdflib, to_rdflib
from culturegraph.rdf.triples import Triples
from culturegraph.rdf.vocabulary import RDFS, SH, TYPE
from culturegraph.validation.literals import quiet_rdflib
from culturegraph.validation.messages import default_messages
from culturegraph.validation.paths import parse_path, path_predicates
from culturegraph.validation.results import Node, Result, Texts
from culturegraph.validation.shapes import PARAMETERS, TARGETS, ShapesGraph, shacl, texts
from culturegraph.validation.sparql import SHAPES_GRAPH, uses_named_graphs

# Shapes that refer to themselves are refused before, so the depth is only that of the shapes graph.
_MAX_DEPTH: Final = 100
_SHACL: Final = rdflib.Namespace(SH)


def run_reference(quads: Iterable[Quad], shapes: ShapesGraph, only: Collection[Node] | None = None) -> list[Result]:
    """Validate the merge of the quads by pyshacl, by all shapes or by the given target shapes only.

    Raises DataErrors where pyshacl cannot evaluate the shapes.
    """
    # pyshacl over an oxigraph store gives false results: typed and plain strings are one there.
    with quiet_rdflib():
        data = _to_dataset(quads) if uses_named_graphs(shapes) else to_rdflib(quads)
        return _validate(data, shapes, only)


def _to_dataset(quads: Iterable[Quad]) -> rdflib.Dataset:
    """Return the named graphs and, as their union, the merge: for queries that ask which graph says what."""
    graphs: dict[str, list[Quad]] = {}
    for quad in quads:
        name = "" if isinstance(quad.graph_name, DefaultGraph) else quad.graph_name.value
        graphs.setdefault(name, []).append(quad)
    dataset = rdflib.Dataset(default_union=True)
    for name, members in graphs.items():
        graph = dataset.graph(rdflib.URIRef(name)) if name else dataset.default_graph
        for triple in to_rdflib(members):
            graph.add(triple)
    return dataset


def needed_predicates(shapes: ShapesGraph, only: Collection[Node]) -> set[NamedNode] | None:
    """Return the predicates that the shapes look at; None where that is not known beforehand, so all."""
    needed = {TYPE, NamedNode(RDFS + "subClassOf")}
    for shape in (member for node in only for member in shapes.closure(shapes.shapes[node])):
        if shape.custom or shape.targets["target"] or {"closed", "sparql", "expression"} & shape.values.keys():
            return None
        if shape.path is not None:
            needed.update(path_predicates(shape.path))
        named = [shape.targets["targetSubjectsOf"], shape.targets["targetObjectsOf"]]
        named += [shape.values.get(name, ()) for name in ("equals", "disjoint", "lessThan", "lessThanOrEquals")]
        needed.update(value for values in named for value in values if isinstance(value, NamedNode))
    return needed


def _validate(data: rdflib.Graph, shapes: ShapesGraph, only: Collection[Node] | None) -> list[Result]:
    # Here, because it takes half a second to import and most runs need no pyshacl.
    import pyshacl

    _bind_prefixes(data, shapes.graph)
    # Made anew each time, since pyshacl adds triples of its own to the shapes graph.
    graph = to_rdflib(shapes.graph) if only is None else without_other_targets(shapes, only)
    advanced = any(shape.targets["target"] or "expression" in shape.values for shape in shapes.shapes.values())
    if advanced:
        # Then pyshacl would run rules first; inference is not validation.
        graph.remove((None, _SHACL.rule, None))
    logging.getLogger("pyshacl").setLevel(logging.CRITICAL)
    try:
        _, report, text = pyshacl.validate(
            data, shacl_graph=graph, advanced=advanced, inplace=not advanced, max_validation_depth=_MAX_DEPTH
        )
    except Exception as error:
        # pyshacl lets through whatever rdflib, pyparsing and re raise, down to a bare Exception.
        raise _failure(str(error)) from error
    if not isinstance(report, rdflib.Graph):
        raise _failure(str(text))
    return list(_read_report(Triples(from_rdflib(report, SHAPES_GRAPH)), shapes))


def _bind_prefixes(data: rdflib.Graph, shapes: Triples) -> None:
    """Give the data the declared prefixes: pyshacl looks for those behind owl:imports there (SHACL §5.2.1)."""
    for _, declaration in shapes.pairs(shacl("declare")):
        prefix, namespace = (shapes.value(declaration, shacl(name)) for name in ("prefix", "namespace"))
        if prefix is not None and namespace is not None:
            data.bind(prefix.value, namespace.value, override=False)


def _failure(message: str) -> DataErrors:
    return DataErrors([DataError(f"cannot be evaluated: {message.strip()}", "shapes")])


def without_other_targets(shapes: ShapesGraph, kept: Collection[Node]) -> rdflib.Graph:
    """Return the shapes graph in which only the kept shapes choose focus nodes.

    pyshacl's own `use_shapes` skips named property shapes in silence, so every shape stays and only targets go.
    """
    graph = to_rdflib(shapes.graph)
    for shape in shapes.shapes.values():
        if not shape.has_targets or shape.node in kept:
            continue
        subject = term_to_rdflib(shape.node)
        for name in TARGETS:
            graph.remove((subject, _SHACL[name], None))
        if shape.implicit_class:
            graph.remove((subject, rdflib.RDF.type, None))
            kind = _SHACL.NodeShape if shape.path is None else _SHACL.PropertyShape
            graph.add((subject, rdflib.RDF.type, kind))
    return graph


def _read_report(report: Triples, shapes: ShapesGraph) -> Iterator[Result]:
    for _, node in report.pairs(shacl("result")):

        def value(name: str, subject: Any = node) -> Any:
            return report.value(subject, shacl(name))

        path = value("resultPath")
        shape, component = shapes.shapes[value("sourceShape")], value("sourceConstraintComponent")
        said = texts(report, node, shacl("resultMessage"))
        yield Result(
            focus_node=value("focusNode"),
            # A blank path keeps its label, so it is read where it is whole: in the shapes graph.
            path=None if path is None else parse_path(shapes.graph if path in shapes.graph else report, path),
            value=value("value"),
            component=component,
            source_shape=shape.node,
            severity=value("resultSeverity"),
            constraint=value("sourceConstraint"),
            shape_name=shape.name,
            messages=said if shape.messages else _own_messages(component, shape.values) or said,
            hint=shape.hint,
        )


def _own_messages(component: NamedNode, values: Any) -> Texts | None:
    """Return our messages for a core component, instead of pyshacl's in English only."""
    name = component.value.removeprefix(SH).removesuffix("ConstraintComponent")
    parameter = name[:1].lower() + name[1:]
    if parameter not in PARAMETERS or parameter not in values:
        return None
    wanted = values[parameter]
    return default_messages(parameter, wanted[0] if len(wanted) == 1 else wanted)
