"""The picture of growth: seconds, memory and milliseconds by size, on logarithmic scales, an SVG without script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

_PANELS: Final = (("s", "Seconds"), ("MB", "Megabytes"), ("ms", "Milliseconds of a query"))
_COLOURS: Final = (
    *("#b3412e", "#2f6f8f", "#6b3fa0", "#3f7d4e", "#d98a4b", "#7a7a7a", "#8a6d3b"),
    *("#e08a7c", "#7fb6d1", "#b79bdb", "#8cc39a", "#f0c396", "#b5b5b5", "#cdb68a"),
)
_WIDTH, _HEIGHT, _LEFT, _RIGHT = 960, 300, 80, 260
Point = tuple[float, float, bool]


def draw(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return one panel a unit: a line a figure over the sizes, what is extrapolated as a hollow dot at a dashed end."""
    body, top = list[str](), 20
    for unit, title in _PANELS:
        series: dict[str, list[Point]] = {}
        for row in rows:
            if row["unit"] == unit and row["value"]:
                point = (float(row["quads"]), float(row["value"]), row["basis"] == "measured")
                series.setdefault(f"{row['part']}: {row['name']}", []).append(point)
        if series:
            body += _panel(title, {name: sorted(points) for name, points in series.items()}, top)
            top += _HEIGHT + 70
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" font-family="sans-serif" font-size="13" '
        f'role="img" aria-label="Growth by size"><rect width="{_WIDTH}" height="{top}" fill="#fffdf8"/>'
        f'<g fill="#2b2622">{"".join(body)}</g></svg>\n'
    )


def _span(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _panel(title: str, series: Mapping[str, Sequence[Point]], top: int) -> Iterator[str]:
    points = [point for found in series.values() for point in found]
    left, right = _span([point[0] for point in points])
    low, high = _span([point[1] for point in points])
    bottom = top + 30 + _HEIGHT

    def place(point: Point) -> tuple[float, float]:
        x = _LEFT + (math.log10(point[0]) - left) / (right - left) * (_WIDTH - _LEFT - _RIGHT)
        y = bottom - (math.log10(point[1]) - low) / (high - low) * _HEIGHT
        return round(x, 1), round(y, 1)

    yield f'<text x="24" y="{top + 14}" font-weight="bold">{escape(title)}</text>'
    for power in range(left, right + 1):
        x, _ = place((10.0**power, 10.0**low, True))
        yield f'<path d="M{x} {top + 30}V{bottom}" stroke="#d8d0c4"/>'
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" fill="#6a6259">{10**power:,} quads</text>'
    for power in range(low, high + 1):
        _, y = place((10.0**left, 10.0**power, True))
        yield f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#efe9df"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" fill="#6a6259">{10.0**power:g}</text>'
    for number, (name, found) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        yield f'<circle cx="{_WIDTH - _RIGHT + 24}" cy="{top + 36 + number * 18}" r="5" fill="{colour}"/>'
        yield f'<text x="{_WIDTH - _RIGHT + 36}" y="{top + 41 + number * 18}">{escape(name)}</text>'
        yield from _line(found, [place(point) for point in found], colour, name)


def _line(points: Sequence[Point], places: Sequence[tuple[float, float]], colour: str, name: str) -> Iterator[str]:
    for index in range(1, len(points)):
        (x1, y1), (x2, y2) = places[index - 1], places[index]
        dashes = "" if points[index][2] else ' stroke-dasharray="4 4"'
        yield f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{colour}"{dashes}/>'
    for (quads, value, is_measured), (x, y) in zip(points, places, strict=True):
        fill = colour if is_measured else "#fffdf8"
        told = escape(f"{name}, {quads:,.0f} quads: {value:,g}")
        yield f'<circle cx="{x}" cy="{y}" r="4" fill="{fill}" stroke="{colour}"><title>{told}</title></circle>'
