"""The shapes graph as values: shapes, their targets, their parameters.

Knows the vocabulary of SHACL and neither how a graph is read nor how any constraint is checked.

Source: SHACL §2 (Shapes and Constraints), §3.2 (Shapes Graph).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.rdf.triples import Triples
from culturegraph.rdf.vocabulary import SH
from culturegraph.validation.paths import PropertyPath
from culturegraph.validation.results import Node, Term, Texts

TARGETS: Final = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf", "target")
SHAPE_VALUES: Final = ("node", "property", "not", "qualifiedValueShape")
SHAPE_LISTS: Final = ("and", "or", "xone")
LISTS: Final = (*SHAPE_LISTS, "in", "languageIn", "ignoredProperties")
# fmt: off
_SCALARS: Final = (
    "class", "closed", "datatype", "disjoint", "equals", "expression", "flags", "hasValue", "js", "lessThan",
    "lessThanOrEquals", "maxCount", "maxExclusive", "maxInclusive", "maxLength", "minCount", "minExclusive",
    "minInclusive", "minLength", "nodeKind", "pattern", "qualifiedMaxCount", "qualifiedMinCount",
    "qualifiedValueShapesDisjoint", "sparql", "uniqueLang",
)
# fmt: on
PARAMETERS: Final = frozenset((*SHAPE_VALUES, *LISTS, *_SCALARS))


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

    graph: Triples
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


@cache
def shacl(name: str) -> NamedNode:
    """Return a term of the SHACL vocabulary."""
    return NamedNode(SH + name)


def texts(graph: Triples, node: Any, *predicates: NamedNode) -> dict[str, str]:
    """Return the values of the first predicate that has any, by language."""
    for predicate in predicates:
        found = [value for value in graph.objects(node, predicate) if isinstance(value, Literal)]
        if found:
            return {(value.language or "").lower(): value.value for value in sorted(found, key=str)}
    return {}


def is_true(graph: Triples, node: Any, name: str) -> bool:
    """Return whether a node has the value true for a SHACL property."""
    return any(value.value in {"true", "1"} for value in graph.objects(node, shacl(name)))


def literal_integer(value: Term) -> int | None:
    """Return the number that a literal writes, None where it writes none."""
    if isinstance(value, Literal) and value.value.strip().lstrip("+-").isdigit():
        return int(value.value)
    return None
