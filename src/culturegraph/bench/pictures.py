"""The picture of the endpoint's figures: an SVG of its own, readable on light and dark ground, without script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from culturegraph.bench.endpoint_bars import SERVERS

_COLOURS: Final = dict(
    zip(SERVERS, ("#b3412e", "#d98a4b", "#8a6d3b", "#6b3fa0", "#2f6f8f", "#7a7a7a"), strict=True)
)  # fmt: skip
_WIDTH, _LEFT, _RIGHT, _LINE = 960, 300, 60, 22
_PANELS: Final = (("req/s", "Requests per second (more is better)"), ("ms", "Milliseconds (less is better)"))


def draw(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return one panel for each unit and size: a line a measurement, a dot a server, on a logarithmic scale."""
    body: list[str] = []
    top = 70
    for size in sorted({row["quads"] for row in rows}):
        for unit, title in _PANELS:
            chosen = [row for row in rows if row["quads"] == size and row["unit"] == unit]
            if chosen:
                body += _panel(f"{size:,} quads. {title}", chosen, top)
                top += _LINE * len(chosen) + 84
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" font-family="sans-serif" font-size="13" '
        f'role="img" aria-label="Endpoint benchmark"><rect width="{_WIDTH}" height="{top}" fill="#fffdf8"/>'
        f'<g fill="#2b2622">{"".join(_legend())}{"".join(body)}</g></svg>\n'
    )


def _legend() -> Iterator[str]:
    for number, (name, colour) in enumerate(_COLOURS.items()):
        left = 24 + number * 152
        yield f'<circle cx="{left}" cy="30" r="6" fill="{colour}"/><text x="{left + 12}" y="35">{escape(name)}</text>'


def _panel(title: str, rows: Sequence[Mapping[str, Any]], top: int) -> Iterator[str]:
    values = [row[name] for row in rows for name in SERVERS if row[name]]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    span = max(high - low, 1)

    def x(value: float) -> float:
        return round(_LEFT + (math.log10(value) - low) / span * (_WIDTH - _LEFT - _RIGHT), 1)

    bottom = top + 30 + _LINE * len(rows)
    yield f'<text x="24" y="{top + 10}" font-weight="bold">{escape(title)}</text>'
    for power in range(low, low + span + 1):
        at = x(10.0**power)
        yield f'<path d="M{at} {top + 22}V{bottom}" stroke="#d8d0c4"/>'
        yield f'<text x="{at}" y="{bottom + 16}" text-anchor="middle" fill="#6a6259">{10.0**power:g}</text>'
    for number, row in enumerate(rows):
        y = top + 36 + number * _LINE
        yield f'<text x="{_LEFT - 16}" y="{y + 5}" text-anchor="end">{escape(row["measured"])}</text>'
        yield f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#efe9df"/>'
        for name in reversed(SERVERS):
            if row[name]:
                title = escape(f"{name}: {row[name]:,} {row['unit']}")
                yield (
                    f'<circle cx="{x(row[name])}" cy="{y}" r="6" fill="{_COLOURS[name]}" fill-opacity=".85">'
                    f"<title>{title}</title></circle>"
                )
