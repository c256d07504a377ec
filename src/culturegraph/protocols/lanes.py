"""Lanes as SVG: a timeline and a matrix, one thing to a line. Built of the parts of `charts`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from culturegraph.protocols.charts import (
    AXIS,
    CHARACTER,
    ROW,
    TOP,
    WIDTH,
    Captions,
    clip,
    frame,
    label_years,
    link,
    number_series,
    series_key,
    text_at,
)
from culturegraph.protocols.labels import Name

_LONGEST = 50


@dataclass(frozen=True)
class Span:
    """Something with years in a lane; one year is a point."""

    lane: Name
    start: int
    end: int
    label: Name
    series: Name | None = None
    href: str | None = None
    # It lasts beyond `end`, or since when is not known before `start`.
    is_open: bool = False


def draw_timeline(spans: Sequence[Span], captions: Captions) -> Markup:
    """Return lanes of time: spans as bars, single years as diamonds; what lasts on fades into an arrow head."""
    series = number_series(span.series for span in spans)
    lanes = {key: place for place, key in enumerate(dict.fromkeys((s.lane.text, s.lane.language) for s in spans))}
    left = max(CHARACTER * len(clip(text, _LONGEST)) for text, _ in lanes) + 16
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    step = (WIDTH - left - 30) / (last - first + 1)
    height = TOP + len(lanes) * ROW

    def x(year: float) -> float:
        return left + (year - first + 0.5) * step

    parts = label_years(first, last, x, height + 20)
    for (text, language), place in lanes.items():
        y = TOP + place * ROW + ROW / 2
        parts += [
            f'<path class="lane" d="M{left} {y:.1f}H{WIDTH - 20}"/>',
            text_at(left - 8, y + 5, clip(text, _LONGEST), "end", language=language),
        ]
    # Bars first: a point on a bar stays visible.
    for span in sorted(spans, key=lambda span: span.start - span.end):
        y = TOP + lanes[span.lane.text, span.lane.language] * ROW + ROW / 2
        parts.append(_span(captions, span, series.get(series_key(span.series), 0), x, y))
    return frame(captions, height + AXIS, parts, series)


def draw_matrix(cells: Iterable[tuple[Name, Name, str | None]], captions: Captions) -> Markup:
    """Return a matrix of marks: row, column and where the row leads. A cell that is named several times counts them."""
    counts: dict[tuple[str, str], int] = {}
    rows: dict[str, tuple[Name, str | None]] = {}
    columns: dict[str, Name] = {}
    for row, column, href in cells:
        rows.setdefault(row.text, (row, href))
        columns.setdefault(column.text, column)
        counts[row.text, column.text] = counts.get((row.text, column.text), 0) + 1
    left = min(max(CHARACTER * len(clip(text, 46)) for text in rows) + 16, 350)
    step = min((WIDTH - left - 20) / len(columns), 90)
    head = 30 + 0.72 * CHARACTER * max(len(clip(text, 30)) for text in columns)
    parts = []
    for place, name in enumerate(columns.values()):
        x = left + (place + 0.5) * step
        corner = f"{x:.0f} {head - 10:.0f}"
        label = text_at(x, head - 10, clip(name.text, 30), language=name.language)
        parts += [
            f'<g transform="rotate(-45 {corner})">{label}</g>',
            f'<path class="lane" d="M{x:.0f} {head - 4:.0f}V{head + len(rows) * ROW:.0f}"/>',
        ]
    for place, (text, (name, href)) in enumerate(rows.items()):
        y = head + place * ROW + ROW / 2
        label = text_at(left - 8, y + 5, clip(text, 46), "end", language=name.language)
        parts += [f'<path class="lane" d="M{left} {y:.1f}H{left + step * len(columns):.0f}"/>', link(label, href)]
        for column_place, column_text in enumerate(columns):
            if count := counts.get((text, column_text)):
                x = left + (column_place + 0.5) * step
                told = escape(f"{text} · {column_text}: {count}")
                mark = f'<circle class="mark" cx="{x:.0f}" cy="{y:.1f}" r="9"/>'
                inner = f'<text class="inside" x="{x:.0f}" y="{y + 4.5:.1f}" text-anchor="middle">{count}</text>'
                parts.append(f"<g>{mark}{inner}<title>{told}</title></g>")
    width = max(WIDTH, round(left + step * len(columns) + head * 0.75))
    return frame(captions, round(head + len(rows) * ROW + 14), parts, {}, width)


def _span(captions: Captions, span: Span, series: int, x: Callable[[float], float], y: float) -> str:
    told = f"{span.lane.text}: {span.label.text}, {span.start}" + (f"-{span.end}" if span.end != span.start else "")
    fill = f'class="s{series}" fill="url(#{captions.name}-p{series})"'
    if span.start == span.end and not span.is_open:
        middle = x(span.start)
        shape = f'<path {fill} d="M{middle:.1f} {y - 8:.1f}l8 8l-8 8l-8-8z"/>'
    else:
        start, end = x(span.start - 0.4), x(span.end + 0.4)
        tip = f"L{end:.1f} {y - 8:.1f}l8 8l-8 8" if span.is_open else f"H{end:.1f}V{y + 8:.1f}"
        shape = f'<path {fill} d="M{start:.1f} {y - 8:.1f}{tip}H{start:.1f}z"/>'
    return link(f"<g>{shape}<title>{escape(told)}</title></g>", span.href)
