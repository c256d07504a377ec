"""Reads a shapes graph, and refuses what no engine could run: every fault is located by shape and parameter.

Knows the syntax of SHACL in RDF and not what its terms mean.

Source: SHACL §2 (Shapes and Constraints), §3.4.3 (Recursion), §6 (SPARQL-based Constraint Components).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.triples import Triples
from culturegraph.rdf.vocabulary import RDF, RDFS, SH, TYPE, shrink
from culturegraph.validation.paths import PropertyPath, parse_path, path_text
from culturegraph.validation.results import VIOLATION, Node
from culturegraph.validation.shapes import (
    LISTS,
    PARAMETERS,
    SHAPE_LISTS,
    SHAPE_VALUES,
    TARGETS,
    Shape,
    ShapesGraph,
    is_true,
    shacl,
    texts,
)

# What a shape may carry besides: SHACL §2.1, §2.3.4 (non-validating characteristics), rules and node expressions.
# fmt: off
_OTHER: Final = frozenset((
    "path", "severity", "message", "deactivated", "name", "description", "order", "group", "defaultValue", "rule",
    "values", "entailment", "declare", "prefixes", "select", "ask", "suggestedShapesGraph", "shapesGraph",
    "agentInstruction", "intent",
))
# fmt: on
_CLASS: Final = NamedNode(RDFS + "Class")
_VALIDATORS: Final = {shacl(name) for name in ("validator", "nodeValidator", "propertyValidator")}


def read_shapes_graph(graph: Triples) -> ShapesGraph:
    """Read all shapes of a graph.

    Raises DataErrors with every fault, located by the shape's name: broken lists and paths, unknown SHACL terms, shapes
    that refer to themselves.
    """
    reader = _Reader(graph)
    nodes = sorted(reader.shape_nodes(), key=str)
    shapes = {shape.node: shape for node in nodes if (shape := reader.read(node)) is not None}
    if reader.errors:
        raise DataErrors(sorted(reader.errors, key=str))
    found = ShapesGraph(graph, shapes)
    _refuse_missing(found)
    _refuse_recursion(found)
    return found


class _Reader:
    """Reads shapes one by one and gathers what is wrong with them."""

    def __init__(self, graph: Triples) -> None:
        self.graph = graph
        self.errors: list[DataError] = []
        self.class_types = {_CLASS, *graph.subjects(NamedNode(RDFS + "subClassOf"), _CLASS)}
        self.components = dict(self._components())

    def _components(self) -> Iterator[tuple[Any, list[Any]]]:
        """Yield each constraint component of the graph with the predicates that it makes mandatory."""
        graph = self.graph
        for node in {node for node, _ in graph.pairs(shacl("parameter"))}:
            if not graph.predicates(node) & _VALIDATORS:
                continue
            parameters = graph.objects(node, shacl("parameter"))
            mandatory = [p for p in parameters if not is_true(graph, p, "optional")]
            yield node, [graph.value(parameter, shacl("path")) for parameter in mandatory]

    def shape_nodes(self) -> set[Any]:
        """Return every node that is a shape (SHACL §2.1)."""
        graph = self.graph
        nodes: set[Any] = set()
        for kind in ("NodeShape", "PropertyShape"):
            nodes.update(graph.subjects(TYPE, shacl(kind)))
        for name in (*TARGETS, *PARAMETERS):
            nodes.update(node for node, _ in graph.pairs(shacl(name)))
        for name in SHAPE_VALUES:
            nodes.update(value for _, value in graph.pairs(shacl(name)))
        for name in SHAPE_LISTS:
            for _, head in graph.pairs(shacl(name)):
                with suppress(ValueError):  # Told where the shape is read.
                    nodes.update(graph.members(head))
        # A parameter declaration of a constraint component is a property shape in form only (SHACL §6.2.1).
        declared = {value for _, value in graph.pairs(shacl("parameter"))}
        return {node for node in nodes if not isinstance(node, Literal)} - declared

    def fault(self, name: str, message: str, parameter: str | None = None) -> None:
        """Note one fault of a shape."""
        self.errors.append(DataError(message, name, column=None if parameter is None else f"sh:{parameter}"))

    def name(self, node: Any) -> str:
        """Return the IRI of a shape in short, for a blank shape the way to it from its owner."""
        if isinstance(node, NamedNode):
            return shrink(node.value)
        trail: list[str] = []
        for _ in range(20):
            owner, predicate = next(
                ((s, p) for s, p in sorted(self.graph.mentions(node), key=str) if p.value.startswith((SH, RDF))),
                (None, None),
            )
            if predicate is not None and predicate.value.startswith(SH):
                trail.append(self._step(node, predicate.value))
            if not isinstance(owner, BlankNode):
                break
            node = owner
        head = shrink(owner.value) if isinstance(owner, NamedNode) else "_:shape"
        return "/".join([head, *reversed(trail)])

    def _step(self, node: Any, predicate: str) -> str:
        try:
            return path_text(parse_path(self.graph, self.graph.value(node, shacl("path"))))
        except ValueError:
            return "sh:" + predicate.removeprefix(SH)

    def read(self, node: Any) -> Shape | None:
        """Return the shape at a node, None where a fault keeps it from being read."""
        name = self.name(node)
        predicates = self.graph.predicates(node)
        for predicate in predicates:
            local = predicate.value.removeprefix(SH)
            if predicate.value.startswith(SH) and local not in PARAMETERS | _OTHER | set(TARGETS):
                self.fault(name, "is no SHACL term for a shape: it would be passed over in silence", local)
        faults = len(self.errors)
        path = self._path(node, name)
        values = {parameter: self._values(node, name, parameter) for parameter in PARAMETERS}
        severity = self.graph.value(node, shacl("severity"))
        self._refuse_idle(node, name, values)
        if len(self.errors) > faults:
            return None
        types = set(self.graph.objects(node, TYPE))
        return Shape(
            node=node,
            name=name,
            path=path,
            severity=VIOLATION if severity is None else severity,
            deactivated=is_true(self.graph, node, "deactivated"),
            messages=texts(self.graph, node, shacl("message")),
            hint=texts(self.graph, node, shacl("description"), NamedNode(RDFS + "comment")),
            targets={key: tuple(self.graph.objects(node, shacl(key))) for key in TARGETS},
            values={parameter: found for parameter, found in values.items() if found},
            implicit_class=isinstance(node, NamedNode) and bool(types & self.class_types),
            custom=tuple(c for c, mandatory in self.components.items() if predicates >= set(mandatory)),
        )

    def _refuse_idle(self, node: Any, name: str, values: Mapping[str, tuple[Any, ...]]) -> None:
        """Note what no engine here would run, so that nobody takes silence for conformance."""
        if values["qualifiedValueShape"] and not (values["qualifiedMinCount"] or values["qualifiedMaxCount"]):
            self.fault(name, "does nothing without sh:qualifiedMinCount or sh:qualifiedMaxCount", "qualifiedValueShape")
        if values["js"]:
            self.fault(name, "JavaScript is not run", "js")
        if any(
            self.graph.objects(target, shacl("jsFunctionName")) for target in self.graph.objects(node, shacl("target"))
        ):
            self.fault(name, "JavaScript is not run", "target")

    def _path(self, node: Any, name: str) -> PropertyPath | None:
        paths, types = self.graph.objects(node, shacl("path")), self.graph.objects(node, TYPE)
        is_property = shacl("PropertyShape") in types
        if len(paths) > 1 or (is_property and not paths):
            self.fault(name, f"a property shape has one path, this one has {len(paths)}", "path")
            return None
        if paths and shacl("NodeShape") in types:
            self.fault(name, "a node shape has no path", "path")
        try:
            return parse_path(self.graph, paths[0]) if paths else None
        except ValueError as error:
            self.fault(name, str(error), "path")
            return None

    def _values(self, node: Any, name: str, parameter: str) -> tuple[Any, ...]:
        found: list[Any] = sorted(self.graph.objects(node, shacl(parameter)), key=str)
        if parameter not in LISTS:
            return tuple(found)
        lists = []
        for head in found:
            try:
                lists.append(tuple(self.graph.members(head)))
            except ValueError as error:
                self.fault(name, str(error), parameter)
        return tuple(lists)


def _refuse_missing(shapes: ShapesGraph) -> None:
    """Raise DataErrors where a shape refers to one that is not there, or by sh:property to one without a path."""
    errors = []
    for shape in shapes.shapes.values():
        for parameter, node in shape.members():
            if node not in shapes.graph:
                errors.append(DataError(f"refers to {node}, which is not there", shape.name, column=f"sh:{parameter}"))
            elif parameter == "property" and shapes.shapes[node].path is None:
                errors.append(DataError(f"refers to {node}, which has no sh:path", shape.name, column="sh:property"))
    if errors:
        raise DataErrors(errors)


def _refuse_recursion(shapes: ShapesGraph) -> None:
    """Raise DataErrors where a shape refers to itself, however far around (SHACL §3.4.3)."""
    done: set[Node] = set()
    errors = []

    def visit(node: Node, trail: tuple[Node, ...]) -> None:
        if node in trail:
            names = [shapes.shapes[step].name for step in (*trail[trail.index(node) :], node)]
            errors.append(DataError(f"refers to itself: {' → '.join(names)}", names[0]))
        elif node not in done:
            for _, member in shapes.shapes[node].members():
                visit(member, (*trail, node))
            done.add(node)

    for node in shapes.shapes:
        visit(node, ())
    if errors:
        raise DataErrors(errors)
