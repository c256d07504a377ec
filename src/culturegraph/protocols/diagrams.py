"""Diagrams of the ontology's modules: where boxes and lines go. Pure geometry; a template draws it.

Classes stand in columns, broader to the left of narrower; a line with a hollow head leads to the broader class. A box
lists the properties that lead from its class to another one, each with a dashed line to there. The same ontology
always gives the same diagram. Lengths are CSS pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from culturegraph.protocols.labels import Labels
from culturegraph.protocols.modules import Module
from culturegraph.protocols.ontology import Ontology

_TITLE, _ROW, _PAD = 30, 20, 10
_GAP_X, _GAP_Y, _MARGIN = 48, 12, 6
# Widths of characters at 14 pixels, by and large: a box may be wider than its text, never narrower.
_NARROW: Final = frozenset("iíjlıtfr.,;:'()[]|! ")
_WIDE: Final = frozenset("mwMWÑQGOD→")
_LONGEST: Final = 40


@dataclass(frozen=True)
class Row:
    """A line of text in a box; `y` is its baseline."""

    text: str
    y: int


@dataclass(frozen=True)
class Box:
    """A class. One that another module declares is drawn lighter."""

    x: int
    y: int
    width: int
    height: int
    title: Row
    rows: tuple[Row, ...]
    is_outside: bool


@dataclass(frozen=True)
class Line:
    """A line from a narrower to a broader class, or from a property to what it leads to, as SVG path data."""

    kind: str
    path: str


@dataclass(frozen=True)
class Diagram:
    """Boxes and lines on a canvas."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Drawing:
    """A diagram, and the properties that it shows as dashed lines: each with its domain and its range."""

    diagram: Diagram
    links: tuple[tuple[str, str, str], ...]


@dataclass
class _Node:
    iri: str
    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)  # Text, and the class that the property leads to.
    level: int = 0
    x: int = 0
    y: int = 0
    width: int = 0

    @property
    def height(self) -> int:
        return _TITLE + (len(self.rows) * _ROW + _PAD // 2 if self.rows else 0)

    @property
    def middle(self) -> int:
        return self.y + _TITLE // 2

    @property
    def right(self) -> int:
        return self.x + self.width


def draw_module(ontology: Ontology, module: Module, labels: Labels) -> Drawing | None:
    """Return the diagram of a module, or None where it has neither classes nor properties between classes."""
    own = set(ontology.terms(module, "classes"))
    links = tuple(_links(ontology, module))
    around = {parent for iri in own for parent in ontology.parents.get(iri, ())}
    around |= {end for link in links for end in link[1:]}
    nodes = {iri: _Node(iri, _clip(labels.of(iri).text)) for iri in sorted(own | around) if iri in ontology.kinds}
    if not nodes:
        return None
    for term, source, target in links:
        nodes[source].rows.append((_clip(f"{labels.of(term).text} → {labels.of(target).text}"), target))
    # Between the classes around, only lines that begin in the module are of interest.
    parents = {iri: [p for p in ontology.parents.get(iri, ()) if p in nodes and iri in own] for iri in nodes}
    _place(nodes, parents)
    lines = [_broader(nodes[iri], nodes[parent]) for iri in nodes for parent in parents[iri]]
    for node in nodes.values():
        lines += [_leading(node, place, nodes[target]) for place, (_, target) in enumerate(node.rows)]
    width = max(node.right for node in nodes.values()) + _GAP_X // 2 + _MARGIN
    height = max(node.y + node.height for node in nodes.values()) + _MARGIN
    diagram = Diagram(width, height, tuple(_box(node, own) for node in nodes.values()), tuple(lines))
    return Drawing(diagram, links)


def _links(ontology: Ontology, module: Module) -> Iterable[tuple[str, str, str]]:
    """Yield each property of a module that leads from class to class, of inverse ones the one that is declared so."""
    seen: set[str] = set()
    terms = ontology.terms(module, "object_properties")
    for term in sorted(terms, key=lambda iri: (iri not in ontology.domains or iri not in ontology.ranges, iri)):
        if term in seen:
            continue
        seen.update(ontology.inverses.get(term, ()))
        ends = (ontology.domain(term), ontology.range(term))
        if all(len(end) == 1 and ontology.kinds.get(end[0]) == "classes" for end in ends):
            yield term, ends[0][0], ends[1][0]


def _place(nodes: dict[str, _Node], parents: dict[str, list[str]]) -> None:
    """Give every node its column, then, from top to bottom, its place in it."""
    children: dict[str, list[str]] = {iri: [] for iri in nodes}
    for iri, above in parents.items():
        if above:
            # Where a class has several broader ones it stands by the first; lines lead to the others.
            children[above[0]].append(iri)
    y = _MARGIN
    roots = [iri for iri in nodes if not parents[iri]]
    for root in sorted(roots, key=lambda iri: (not children[iri], iri)):
        y = _stack(nodes, children, root, 0, y)
    columns: dict[int, list[_Node]] = {}
    for node in nodes.values():
        # Names of classes are bold.
        node.width = 2 * _PAD + max(_measure(node.title, 1.09), *(_measure(text) for text, _ in node.rows), 0)
        columns.setdefault(node.level, []).append(node)
    x = _MARGIN
    for level in sorted(columns):
        for node in columns[level]:
            node.x = x
        x += max(node.width for node in columns[level]) + _GAP_X


def _stack(nodes: dict[str, _Node], children: dict[str, list[str]], iri: str, level: int, y: int) -> int:
    """Place a node and what is narrower; return where the next one may begin."""
    node = nodes[iri]
    node.level, node.y = level, y
    below = y
    for child in sorted(children[iri], key=lambda child: (bool(children[child]), child)):
        below = _stack(nodes, children, child, level + 1, below)
    return max(below, y + node.height + _GAP_Y)


def _broader(node: _Node, parent: _Node) -> Line:
    bend = node.x - _GAP_X // 2
    return Line("broader", f"M{node.x} {node.middle}H{bend}V{parent.middle}H{parent.right + 1}")


def _leading(node: _Node, place: int, target: _Node) -> Line:
    y = node.y + _TITLE + place * _ROW + _ROW // 2
    if target.x > node.x:
        bend = max(_GAP_X, (target.x - node.right) // 2)
        end = f"{target.x - bend} {target.middle} {target.x} {target.middle}"
        return Line("leading", f"M{node.right} {y}C{node.right + bend} {y} {end}")
    # To the same column or backwards: out on the right side and in on the right side.
    out = max(node.right, target.right) + _GAP_X // 2
    into = target.middle + (6 if target is node else 4)
    return Line("leading", f"M{node.right} {y}C{out} {y} {out} {into} {target.right} {into}")


def _box(node: _Node, own: set[str]) -> Box:
    rows = (Row(text, node.y + _TITLE + place * _ROW + 14) for place, (text, _) in enumerate(node.rows))
    title = Row(node.title, node.y + 20)
    return Box(node.x, node.y, node.width, node.height, title, tuple(rows), node.iri not in own)


def _measure(text: str, weight: float = 1.0) -> int:
    widths = (4.7 if c in _NARROW else 11.2 if c in _WIDE else 8.9 if c.isupper() else 7.7 for c in text)
    return round(sum(widths) * weight)


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
