"""SHACL property paths: read from a shapes graph, said in SPARQL, written back as RDF.

A predicate path is its NamedNode; every other path is one of the classes here. Knows nothing of shapes.

Source: SHACL §2.3.1 (Property Paths), §2.3.2 (mapping to SPARQL).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pyoxigraph import BlankNode, NamedNode, Quad

from culturegraph.rdf.triples import FIRST, NIL, REST, Triples
from culturegraph.rdf.vocabulary import SH, shrink


@dataclass(frozen=True)
class Inverse:
    """`^path`: from object to subject."""

    path: PropertyPath


@dataclass(frozen=True)
class Steps:
    """`first/second/…`: one path after the other."""

    paths: tuple[PropertyPath, ...]


@dataclass(frozen=True)
class Alternative:
    """`one|other|…`: any of the paths."""

    paths: tuple[PropertyPath, ...]


@dataclass(frozen=True)
class Repeat:
    """`path*`, `path+` or `path?`."""

    path: PropertyPath
    times: Literal["*", "+", "?"]


PropertyPath: TypeAlias = NamedNode | Inverse | Steps | Alternative | Repeat

_REPEATS: Final[dict[Literal["*", "+", "?"], NamedNode]] = {
    "*": NamedNode(SH + "zeroOrMorePath"),
    "+": NamedNode(SH + "oneOrMorePath"),
    "?": NamedNode(SH + "zeroOrOnePath"),
}
_INVERSE: Final = NamedNode(SH + "inversePath")
_ALTERNATIVE: Final = NamedNode(SH + "alternativePath")


def parse_path(graph: Triples, node: object) -> PropertyPath:
    """Read the path that begins at a node of a shapes graph.

    Raises ValueError where it is not a well-formed path (a path that contains itself included).
    """
    return _parse(graph, node, ())


def _parse(graph: Triples, node: object, above: tuple[object, ...]) -> PropertyPath:
    if isinstance(node, NamedNode) and node != NIL:
        return node
    if not isinstance(node, BlankNode) or node in above:
        raise ValueError(f"not a property path: {node}")
    above = (*above, node)
    # A list wins over what else the node carries, as in the W3C tests path-strange-001 and -002.
    if graph.value(node, FIRST) is not None:
        return Steps(_parse_members(graph, node, above))
    if (inverse := graph.value(node, _INVERSE)) is not None:
        return Inverse(_parse(graph, inverse, above))
    if (alternatives := graph.value(node, _ALTERNATIVE)) is not None:
        return Alternative(_parse_members(graph, alternatives, above))
    for times, predicate in _REPEATS.items():
        if (inner := graph.value(node, predicate)) is not None:
            return Repeat(_parse(graph, inner, above), times)
    raise ValueError("a blank node that is no property path")


def _parse_members(graph: Triples, head: object, above: tuple[object, ...]) -> tuple[PropertyPath, ...]:
    members = tuple(_parse(graph, member, above) for member in graph.members(head))
    if len(members) < 2:
        raise ValueError("a path list needs two members or more")
    return members


def path_sparql(path: PropertyPath, name: Callable[[str], str] = lambda iri: f"<{iri}>") -> str:
    """Return the path as a SPARQL property path; `name` writes its IRIs."""
    match path:
        case NamedNode():
            return name(path.value)
        case Inverse():
            return f"^{_group(path.path, name)}"
        case Steps():
            return "/".join(_group(step, name) for step in path.paths)
        case Alternative():
            return "|".join(_group(choice, name) for choice in path.paths)
        case Repeat():
            return f"{_group(path.path, name)}{path.times}"


def _group(path: PropertyPath, name: Callable[[str], str]) -> str:
    text = path_sparql(path, name)
    return text if isinstance(path, NamedNode) else f"({text})"


def path_text(path: PropertyPath) -> str:
    """Return the path for people to read, with prefixed names: `cg:locatedIn/cg:within`."""
    return path_sparql(path, shrink)


def path_predicates(path: PropertyPath) -> Iterator[NamedNode]:
    """Yield the predicates that the path steps over."""
    if isinstance(path, NamedNode):
        yield path
    elif isinstance(path, Inverse | Repeat):
        yield from path_predicates(path.path)
    else:
        for member in path.paths:
            yield from path_predicates(member)


def path_rdf(path: PropertyPath, label: str, graph: NamedNode) -> tuple[NamedNode | BlankNode, list[Quad]]:
    """Return the node that stands for the path, and the quads that define it; blank nodes are named from `label`."""
    if isinstance(path, NamedNode):
        return path, []
    if isinstance(path, Steps):
        return _list_rdf(path.paths, label, graph)
    node = BlankNode(label)
    value: NamedNode | BlankNode
    if isinstance(path, Alternative):
        predicate = _ALTERNATIVE
        value, quads = _list_rdf(path.paths, label + "a", graph)
    else:
        predicate = _REPEATS[path.times] if isinstance(path, Repeat) else _INVERSE
        value, quads = path_rdf(path.path, label + "p", graph)
    return node, [Quad(node, predicate, value, graph), *quads]


def _list_rdf(paths: tuple[PropertyPath, ...], label: str, graph: NamedNode) -> tuple[BlankNode, list[Quad]]:
    nodes = [BlankNode(f"{label}l{index}") for index in range(len(paths))]
    quads: list[Quad] = []
    for index, (node, path) in enumerate(zip(nodes, paths, strict=True)):
        member, inner = path_rdf(path, f"{label}m{index}", graph)
        rest = nodes[index + 1] if index + 1 < len(nodes) else NIL
        quads += [Quad(node, FIRST, member, graph), Quad(node, REST, rest, graph), *inner]
    return nodes[0], quads
