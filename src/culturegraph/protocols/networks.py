"""Networks as SVG: what points at something stands to its right, so that labels stay readable. Edges in, markup out.

Nodes stand in columns by the longest way to a node that points nowhere; inside a column they stand near what they
point at. Each relation has a line of its own kind. The same edges always give the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from culturegraph.protocols.charts import Captions, clip
from culturegraph.protocols.labels import Name

_CHARACTER: Final = 7.3
_ROW, _GAP, _MARGIN = 30, 64, 10
_LONGEST: Final = 32
LINES: Final = 5
MAX_EDGES: Final = 150


@dataclass(frozen=True)
class Node:
    """A thing in the network."""

    id: str
    name: Name
    href: str | None = None


@dataclass(frozen=True)
class Edge:
    """`source` points at `target`: an amending norm at what it amends."""

    source: Node
    target: Node
    relation: Name


def draw_network(edges: Sequence[Edge], captions: Captions) -> Markup:
    """Return a network as SVG with the legend of its relations. Edges beyond MAX_EDGES are left out."""
    shown = [edge for edge in dict.fromkeys(edges) if edge.source.id != edge.target.id][:MAX_EDGES]
    if not shown:
        return Markup()
    nodes = {node.id: node for edge in shown for node in (edge.target, edge.source)}
    columns = _columns(nodes, shown)
    widths = [max(_CHARACTER * len(clip(nodes[id].name.text, _LONGEST)) for id in column) + 22 for column in columns]
    lefts = [_MARGIN + sum(widths[:place]) + place * _GAP for place in range(len(columns))]
    height = 2 * _MARGIN + max(map(len, columns)) * _ROW
    at: dict[str, tuple[float, float, float]] = {}
    for left, width, column in zip(lefts, widths, columns, strict=True):
        step = (height - 2 * _MARGIN) / len(column)
        for place, id in enumerate(column):
            at[id] = (left, _MARGIN + (place + 0.5) * step, width)
    relations = {
        text: min(place, LINES - 1) for place, text in enumerate(dict.fromkeys(e.relation.text for e in shown))
    }
    lines = [_edge(edge, at, relations[edge.relation.text], captions) for edge in shown]
    boxes = [_box(nodes[id], place) for id, place in at.items()]
    return _frame(captions, lefts[-1] + widths[-1] + _MARGIN, height, [*lines, *boxes], relations)


def _columns(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> list[list[str]]:
    """Return the nodes by column, those that point nowhere first, ordered by what they point at."""
    targets: dict[str, list[str]] = {id: [] for id in nodes}
    for edge in edges:
        targets[edge.source.id].append(edge.target.id)
    levels: dict[str, int] = {}

    def level(id: str, above: frozenset[str]) -> int:
        if id not in levels:
            # A ring of arrows is cut where it closes.
            below = [level(target, above | {id}) for target in targets[id] if target not in above | {id}]
            levels[id] = max(below, default=-1) + 1
        return levels[id]

    for id in nodes:
        level(id, frozenset())
    columns: list[list[str]] = [[] for _ in range(max(levels.values()) + 1)]
    for id in nodes:
        columns[levels[id]].append(id)
    ranks: dict[str, float] = {}
    sources: dict[str, int] = {id: sum(edge.target.id == id for edge in edges) for id in columns[0]}
    columns[0].sort(key=lambda id: (-sources[id], nodes[id].name.text))
    for column in columns:
        for id in column:
            near = [ranks[target] for target in targets[id] if target in ranks]
            ranks[id] = sum(near) / len(near) if near else column.index(id) / len(column)
        column.sort(key=lambda id: ranks[id])
        ranks.update({id: (place + 0.5) / len(column) for place, id in enumerate(column)})
    return columns


def _edge(edge: Edge, at: Mapping[str, tuple[float, float, float]], kind: int, captions: Captions) -> str:
    (x1, y1, _), (x2, y2, width) = at[edge.source.id], at[edge.target.id]
    end = x2 + width + 2
    told = escape(f"{edge.source.name.text} · {edge.relation.text} · {edge.target.name.text}")
    # To a node of the same column or further to the right: around the right side.
    if x1 <= end:
        out = max(end, x1 + at[edge.source.id][2]) + 36
        start = x1 + at[edge.source.id][2]
        path = f"M{start:.0f} {y1:.0f}C{out:.0f} {y1:.0f} {out:.0f} {y2:.0f} {end:.0f} {y2:.0f}"
    else:
        middle = (x1 + end) / 2
        path = f"M{x1:.0f} {y1:.0f}C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {end:.0f} {y2:.0f}"
    return f'<path class="edge e{kind}" d="{path}" marker-end="url(#{captions.name}-tip)"><title>{told}</title></path>'


def _box(node: Node, place: tuple[float, float, float]) -> str:
    x, y, width = place
    lang = f' lang="{escape(node.name.language)}"' if node.name.language else ""
    text = f'<text x="{x + 11:.0f}" y="{y + 5:.0f}"{lang}>{escape(clip(node.name.text, _LONGEST))}</text>'
    rectangle = f'<rect x="{x:.0f}" y="{y - 12:.0f}" width="{width:.0f}" height="24" rx="3"/>'
    shape = f'<g class="node">{rectangle}{text}<title>{escape(node.name.text)}</title></g>'
    # No stop for the keyboard: the table beside the picture has the same links.
    return f'<a href="{escape(node.href)}" tabindex="-1">{shape}</a>' if node.href else shape


def _frame(
    captions: Captions, width: float, height: float, parts: Iterable[str], relations: Mapping[str, int]
) -> Markup:
    name = captions.name
    tip = (
        f'<marker id="{name}-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M1 1L9 5L1 9z"/></marker>'
    )
    drawn = "".join(parts)
    # What holds links is no picture to a screen reader: it reads them.
    role = "group" if "<a " in drawn else "img"
    svg = (
        f'<svg class="chart network" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="{role}" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(captions.title)}</title>'
        f'<desc id="{name}-desc">{escape(captions.description)}</desc><defs>{tip}</defs>{drawn}</svg>'
    )
    line = '<svg class="swatch" width="34" height="10" aria-hidden="true"><path class="edge e{}" d="M1 5H33"/></svg>'
    legend = "".join(f"<li>{line.format(kind)}{escape(text)}</li>" for text, kind in relations.items())
    return Markup(f'<ul class="legend">{legend}</ul>{svg}')  # noqa: S704 (all parts are escaped)
