"""The neighbourhood of an entity as a drawing: it in the middle, what it is linked to around. Pure geometry, SVG out.

Neighbours stand on an ellipse, coloured by the section of the page that they belong to, with their names beside them;
thin lines show which of them are linked to each other. The same entity always gives the same drawing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from markupsafe import Markup, escape
from pyoxigraph import DefaultGraph, NamedNode

from culturegraph.rdf.dataset import Dataset

MAX_NEIGHBOURS: Final = 12
_MERGE: Final = DefaultGraph()
# Lengths are units of the view box; names are set in 15.
_WIDTH, _HEIGHT = 860, 400
_RADIUS_X, _RADIUS_Y = 210, 155
_LONGEST: Final = 26
# The stepped cross of the site's mark, drawn from its upper left.
_CHAKANA: Final = "h12v6h6v6h6v12h-6v6h-6v6h-12v-6h-6v-6h-6v-12h6v-6h6z"


@dataclass(frozen=True)
class Neighbour:
    """A thing that an entity is linked to: by which property, in which section of the page."""

    iri: str
    name: str
    href: str | None
    relation: str
    section: str


def choose(groups: Iterable[Sequence[Neighbour]], limit: int = MAX_NEIGHBOURS) -> list[Neighbour]:
    """Return some neighbours of every group: the first of each, then the second, so that no group fills all."""
    waiting = [list(group) for group in groups]
    chosen: dict[str, Neighbour] = {}
    for place in range(limit):
        for group in waiting:
            if place < len(group) and len(chosen) < limit:
                chosen.setdefault(group[place].iri, group[place])
    # Those of a section stand together.
    order = list(dict.fromkeys(neighbour.section for neighbour in chosen.values()))
    return sorted(chosen.values(), key=lambda neighbour: order.index(neighbour.section))


def draw_neighbourhood(
    store: Dataset, name: str, neighbours: Sequence[Neighbour], title: str, note: str
) -> Markup | None:
    """Return the drawing, or None where there are too few neighbours to look at."""
    if len(neighbours) < 2:
        return None
    places = [_place(number, len(neighbours)) for number in range(len(neighbours))]
    middle = (_WIDTH / 2, _HEIGHT / 2)
    parts = [
        f'<svg class="neighbourhood" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="group" '
        'aria-labelledby="neighbourhood-title neighbourhood-desc">'
        f'<title id="neighbourhood-title">{escape(title)}</title><desc id="neighbourhood-desc">{escape(note)}</desc>'
    ]
    position = {neighbour.iri: place for neighbour, place in zip(neighbours, places, strict=True)}
    for one, other in _linked(store, neighbours):
        (x1, y1), (x2, y2) = position[one], position[other]
        parts.append(f'<path class="among" d="M{x1:.0f} {y1:.0f}Q{middle[0]:.0f} {middle[1]:.0f} {x2:.0f} {y2:.0f}"/>')
    parts += [f'<path class="spoke" d="M{middle[0]:.0f} {middle[1]:.0f}L{x:.0f} {y:.0f}"/>' for x, y in places]
    parts += [_node(neighbour, *place) for neighbour, place in zip(neighbours, places, strict=True)]
    x, y = middle
    parts.append(f'<path class="centre" d="M{x - 6:.0f} {y - 18:.0f}{_CHAKANA}"/>')
    parts.append(f'<text class="centre-name" x="{x:.0f}" y="{y + 40:.0f}">{escape(clip(name, 34))}</text>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 (each text is escaped)


def _place(number: int, count: int) -> tuple[float, float]:
    """Return where a neighbour stands: beginning at the right, never right above or below the middle."""
    angle = 2 * math.pi * (number + 0.5) / count - math.pi / 2
    return _WIDTH / 2 + _RADIUS_X * math.cos(angle), _HEIGHT / 2 + _RADIUS_Y * math.sin(angle)


def _node(neighbour: Neighbour, x: float, y: float) -> str:
    is_right = x >= _WIDTH / 2
    anchor = "" if is_right else ' class="end"'
    label = f"{neighbour.relation}: {neighbour.name}"
    shape = (
        f'<circle class="of-{escape(neighbour.section)}" cx="{x:.0f}" cy="{y:.0f}" r="8"/>'
        f'<text x="{x + (14 if is_right else -14):.0f}" y="{y + 5:.0f}"'
        f"{anchor}>{escape(clip(neighbour.name))}</text>"
    )
    # Named by its title: the text beside it may be cut.
    shape = f"<title>{escape(label)}</title>{shape}"
    return f'<a href="{escape(neighbour.href)}">{shape}</a>' if neighbour.href else f"<g>{shape}</g>"


def _linked(store: Dataset, neighbours: Sequence[Neighbour]) -> list[tuple[str, str]]:
    """Return the pairs of neighbours that some statement links, each once."""
    nodes = [NamedNode(iri) for iri in sorted({neighbour.iri for neighbour in neighbours})]
    return [(one.value, other.value) for one, other in combinations(nodes, 2) if _has_link(store, one, other)]


def _has_link(store: Dataset, one: NamedNode, other: NamedNode) -> bool:
    return any(True for _ in store.quads_for_pattern(one, None, other, _MERGE)) or any(
        True for _ in store.quads_for_pattern(other, None, one, _MERGE)
    )


def clip(text: str, longest: int = _LONGEST) -> str:
    """Return a text that fits."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
