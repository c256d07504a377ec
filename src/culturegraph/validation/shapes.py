"""The shapes graph as values: shapes, their targets, their parameters. Refuses what is not well-formed.

Knows the vocabulary of SHACL and not how any constraint is checked.

Source: SHACL §2 (Shapes and Constraints), §3.2 (Shapes Graph), §3.4.3 (Recursion), §5 (SPARQL-based constraints).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import rdflib
from pyoxigraph import Literal, NamedNode
from rdflib.collection import Collection

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.bridge import term_from_rdflib
from culturegraph.rdf.vocabulary import RDFS, SH, shrink
from culturegraph.validation.paths import PropertyPath, parse_path, path_text
from culturegraph.validation.results import VIOLATION, Node, Term, Texts

SHACL: Final = rdflib.Namespace(SH)

TARGETS: Final = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf", "target")
SHAPE_VALUES: Final = ("node", "property", "not", "qualifiedValueShape")
SHAPE_LISTS: Final = ("and", "or", "xone")
_LISTS: Final = (*SHAPE_LISTS, "in", "languageIn", "ignoredProperties")
_SCALARS: Final = tuple(
    "class closed datatype disjoint equals expression flags hasValue js lessThan lessThanOrEquals maxCount maxExclusive"
    " maxInclusive maxLength minCount minExclusive minInclusive minLength nodeKind pattern qualifiedMaxCount"
    " qualifiedMinCount qualifiedValueShapesDisjoint sparql uniqueLang".split()
)
PARAMETERS: Final = frozenset((*SHAPE_VALUES, *_LISTS, *_SCALARS))
# What a shape may carry besides: SHACL §2.1, §2.3.4 (non-validating characteristics), SHACL-AF rules and node expressions.
_OTHER: Final = frozenset(
    "path severity message deactivated name description order group defaultValue rule values entailment declare"
    " prefixes select ask suggestedShapesGraph shapesGraph agentInstruction intent".split()
)


@dataclass(frozen=True)
class Shape:
    """One shape. `values` holds its parameters by local name (`minCount`, `in`), list parameters already as lists."""

    node: Node
    name: str
    path: PropertyPath | None
    severity: NamedNode
    deactivated: bool
    messages: Texts
    hint: Texts
    targets: Mapping[str, tuple[Term, ...]]
    values: Mapping[str, tuple[Any, ...]]
    implicit_class: bool
    custom: tuple[Node, ...]
    """The SPARQL-based constraint components that apply to it (SHACL §6)."""

    @property
    def has_targets(self) -> bool:
        """Whether the shape chooses focus nodes itself."""
        return self.implicit_class or any(self.targets.values())

    def one(self, parameter: str) -> Any:
        """Return the only value of a parameter, None where there is none."""
        return next(iter(self.values.get(parameter, ())), None)

    def flag(self, parameter: str) -> bool:
        """Return whether a boolean parameter is true."""
        return any(value.value in {"true", "1"} for value in self.values.get(parameter, ()))

    def members(self) -> Iterator[tuple[str, Node]]:
        """Yield each shape that this one refers to, with the parameter that does it."""
        for parameter in SHAPE_VALUES:
            for node in self.values.get(parameter, ()):
                yield parameter, node
        for parameter in SHAPE_LISTS:
            for nodes in self.values.get(parameter, ()):
                for node in nodes:
                    yield parameter, node


@dataclass(frozen=True)
class ShapesGraph:
    """All shapes of a shapes graph, by node."""

    graph: rdflib.Graph
    shapes: Mapping[Node, Shape]

    @cached_property
    def targeting(self) -> tuple[Shape, ...]:
        """The active shapes that choose focus nodes, in the order of their names."""
        found = (shape for shape in self.shapes.values() if shape.has_targets and not shape.deactivated)
        return tuple(sorted(found, key=lambda shape: shape.name))

    def closure(self, shape: Shape) -> Iterator[Shape]:
        """Yield the shape and every shape that it refers to, each once."""
        seen: set[Node] = set()
        stack = [shape]
        while stack:
            current = stack.pop()
            if current.node not in seen:
                seen.add(current.node)
                yield current
                stack += [self.shapes[node] for _, node in current.members()]

    def siblings(self, shape: Shape) -> list[Node]:
        """Return the sibling shapes of a qualified value shape (SHACL §4.7.3)."""
        own = set(shape.values.get("qualifiedValueShape", ()))
        parents = [s for s in self.shapes.values() if shape.node in s.values.get("property", ())]
        found = {
            node
            for parent in parents
            for sibling in parent.values["property"]
            for node in self.shapes[sibling].values.get("qualifiedValueShape", ())
        }
        return sorted(found - own, key=str)


def term(node: Any) -> Any:
    """Return the pyoxigraph term of an rdflib one."""
    return term_from_rdflib(node)


def texts(graph: rdflib.Graph, node: Any, *predicates: rdflib.URIRef) -> dict[str, str]:
    """Return the values of the first predicate that has any, by language."""
    for predicate in predicates:
        found = [value for value in graph.objects(node, predicate) if isinstance(value, rdflib.Literal)]
        if found:
            return {(value.language or "").lower(): str(value) for value in sorted(found)}
    return {}


def read_shapes_graph(graph: rdflib.Graph) -> ShapesGraph:
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
    _refuse_recursion(found)
    return found


class _Reader:
    """Reads shapes one by one and gathers what is wrong with them."""

    def __init__(self, graph: rdflib.Graph) -> None:
        self.graph = graph
        self.errors: list[DataError] = []
        classes = {rdflib.RDFS.Class, *graph.subjects(rdflib.RDFS.subClassOf, rdflib.RDFS.Class)}
        self.class_types = classes
        self.components = dict(self._components())

    def _components(self) -> Iterator[tuple[Any, list[Any]]]:
        """Yield each constraint component of the graph with the predicates that it makes mandatory."""
        graph = self.graph
        for node in set(graph.subjects(SHACL.parameter, None)):
            if not any((node, SHACL[name], None) in graph for name in ("validator", "nodeValidator", "propertyValidator")):
                continue
            parameters = list(graph.objects(node, SHACL.parameter))
            mandatory = [p for p in parameters if not bool(graph.value(p, SHACL.optional, default=False))]
            yield node, [graph.value(parameter, SHACL.path) for parameter in mandatory]

    def shape_nodes(self) -> set[Any]:
        """Return every node that is a shape (SHACL §2.1)."""
        graph = self.graph
        nodes: set[Any] = set()
        for kind in (SHACL.NodeShape, SHACL.PropertyShape):
            nodes.update(graph.subjects(rdflib.RDF.type, kind))
        for name in (*TARGETS, *PARAMETERS):
            nodes.update(graph.subjects(SHACL[name], None))
        for name in SHAPE_VALUES:
            nodes.update(graph.objects(None, SHACL[name]))
        for name in SHAPE_LISTS:
            for head in graph.objects(None, SHACL[name]):
                nodes.update(Collection(graph, head))
        # A parameter declaration of a constraint component is a property shape in form only (SHACL §6.2.1).
        return {node for node in nodes if not isinstance(node, rdflib.Literal)} - set(graph.objects(None, SHACL.parameter))

    def fault(self, name: str, message: str, parameter: str | None = None) -> None:
        """Note one fault of a shape."""
        self.errors.append(DataError(message, name, column=None if parameter is None else f"sh:{parameter}"))

    def name(self, node: Any) -> str:
        """Return the IRI of a shape in short, for a blank shape the way to it from its owner."""
        if isinstance(node, rdflib.URIRef):
            return shrink(str(node))
        trail: list[str] = []
        for _ in range(20):
            owner, predicate = next(
                ((s, p) for s, p in sorted(self.graph.subject_predicates(node)) if str(p).startswith((SH, str(rdflib.RDF)))),
                (None, None),
            )
            if predicate is not None and str(predicate).startswith(SH):
                trail.append(self._step(node, str(predicate)))
            if not isinstance(owner, rdflib.BNode):
                break
            node = owner
        head = shrink(str(owner)) if isinstance(owner, rdflib.URIRef) else "_:shape"
        return "/".join([head, *reversed(trail)])

    def _step(self, node: Any, predicate: str) -> str:
        try:
            return path_text(parse_path(self.graph, self.graph.value(node, SHACL.path)))
        except ValueError:
            return "sh:" + predicate.removeprefix(SH)

    def read(self, node: Any) -> Shape | None:
        """Return the shape at a node, None where a fault keeps it from being read."""
        name = self.name(node)
        predicates = set(self.graph.predicates(node))
        for predicate in predicates:
            local = str(predicate).removeprefix(SH)
            if str(predicate).startswith(SH) and local not in PARAMETERS | _OTHER | set(TARGETS):
                self.fault(name, "is no SHACL term for a shape: it would be passed over in silence", local)
        faults = len(self.errors)
        path = self._path(node, name)
        values = {parameter: self._values(node, name, parameter) for parameter in PARAMETERS}
        severity = self.graph.value(node, SHACL.severity)
        if len(self.errors) > faults:
            return None
        types = set(self.graph.objects(node, rdflib.RDF.type))
        return Shape(
            node=term(node),
            name=name,
            path=path,
            severity=VIOLATION if severity is None else term(severity),
            deactivated=bool(self.graph.value(node, SHACL.deactivated, default=False)),
            messages=texts(self.graph, node, SHACL.message),
            hint=texts(self.graph, node, SHACL.description, rdflib.RDFS.comment),
            targets={key: tuple(term(v) for v in self.graph.objects(node, SHACL[key])) for key in TARGETS},
            values={parameter: found for parameter, found in values.items() if found},
            implicit_class=isinstance(node, rdflib.URIRef) and bool(types & self.class_types),
            custom=tuple(term(c) for c, mandatory in self.components.items() if predicates >= set(mandatory)),
        )

    def _path(self, node: Any, name: str) -> PropertyPath | None:
        paths = list(self.graph.objects(node, SHACL.path))
        is_property = (node, rdflib.RDF.type, SHACL.PropertyShape) in self.graph
        if len(paths) > 1 or (is_property and not paths):
            self.fault(name, f"a property shape has one path, this one has {len(paths)}", "path")
            return None
        if paths and (node, rdflib.RDF.type, SHACL.NodeShape) in self.graph:
            self.fault(name, "a node shape has no path", "path")
        try:
            return parse_path(self.graph, paths[0]) if paths else None
        except ValueError as error:
            self.fault(name, str(error), "path")
            return None

    def _values(self, node: Any, name: str, parameter: str) -> tuple[Any, ...]:
        found = sorted(self.graph.objects(node, SHACL[parameter]))
        if parameter not in _LISTS:
            return tuple(term(value) for value in found)
        lists = []
        for head in found:
            try:
                lists.append(tuple(term(value) for value in _members(self.graph, head)))
            except ValueError as error:
                self.fault(name, str(error), parameter)
        return tuple(lists)


def _members(graph: rdflib.Graph, head: Any) -> Iterable[Any]:
    """Return the members of a well-formed list (SHACL §1.4). Raises ValueError for any other."""
    members, seen = [], set()
    while head != rdflib.RDF.nil:
        first, rest = list(graph.objects(head, rdflib.RDF.first)), list(graph.objects(head, rdflib.RDF.rest))
        if isinstance(head, rdflib.Literal) or head in seen or len(first) != 1 or len(rest) != 1:
            raise ValueError("is not a well-formed list")
        seen.add(head)
        members.append(first[0])
        head = rest[0]
    return members


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


def literal_integer(value: Term) -> int | None:
    """Return the number that a literal writes, None where it writes none."""
    if isinstance(value, Literal) and value.value.strip().lstrip("+-").isdigit():
        return int(value.value)
    return None


LABEL: Final = rdflib.URIRef(RDFS + "label")
