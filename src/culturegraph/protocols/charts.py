"""Charts as SVG: columns over years, bars, lanes of time, a matrix. Rows of plain values in, markup out.

Each series has a pattern of its own besides its colour, each mark its value as `<title>`, each chart a title and a
description; colours come from the style sheet (`charts.css`), so that a chart follows light and dark. The page adds
the table that says the same in numbers. Lengths are units of the view box; text is 14 units high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from culturegraph.protocols.labels import Name

WIDTH: Final = 760
SERIES: Final = 6
_CHARACTER: Final = 7.3
_AXIS, _TOP, _ROW = 34, 26, 27
_PLOT_HEIGHT: Final = 260
# Categories that bars show; what is beyond stays in the table.
MAX_BARS: Final = 40
# What each series is filled with besides its colour, in a tile of 8 units.
_PATTERNS: Final = (
    "",
    '<path d="M-2 2L2-2M0 8L8 0M6 10L10 6"/>',
    '<circle cx="4" cy="4" r="1.7"/>',
    '<path d="M0 4H8"/>',
    '<path d="M-2 6L2 10M0 0L8 8M6-2L10 2"/>',
    '<path d="M0 4H8M4 0V8"/>',
)


@dataclass(frozen=True)
class Bar:
    """One value of a series in a category. Without a value there is nothing to draw."""

    category: Name
    value: float
    series: Name | None = None
    href: str | None = None


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


@dataclass(frozen=True)
class Captions:
    """What a chart is called: `name` makes the ids inside unique on its page."""

    name: str
    title: str
    description: str
    language: str


def draw_columns(bars: Sequence[Bar], captions: Captions) -> Markup:
    """Return columns over a continuous axis of years, stacked by series. Categories must be whole years."""
    series = _series(bar.series for bar in bars)
    totals: dict[int, float] = {}
    for bar in bars:
        totals[int(bar.category.text)] = totals.get(int(bar.category.text), 0) + bar.value
    first, last = min(totals), max(totals)
    step = (WIDTH - 70) / (last - first + 1)
    top = _nice(max(totals.values()))
    scale = (_PLOT_HEIGHT - 10) / top if top else 0
    parts = [*_grid(top, scale), *_year_labels(first, last, lambda year: 60 + (year - first + 0.5) * step)]
    heights = dict.fromkeys(totals, 0.0)
    for bar in sorted(bars, key=lambda bar: (int(bar.category.text), series.get(_key(bar.series), 0))):
        year = int(bar.category.text)
        height = bar.value * scale
        x, y = 60 + (year - first) * step + step * 0.12, _TOP + _PLOT_HEIGHT - heights[year] - height
        heights[year] += height
        told = f"{year}: {number(bar.value)}" + (f" · {bar.series.text}" if bar.series else "")
        parts.append(_rectangle(captions, series.get(_key(bar.series), 0), (x, y, step * 0.76, height), told, bar.href))
    if step >= 18:
        parts += [
            _text(60 + (year - first + 0.5) * step, _TOP + _PLOT_HEIGHT - heights[year] - 5, number(total), "middle")
            for year, total in totals.items()
        ]
    return _frame(captions, _TOP + _PLOT_HEIGHT + _AXIS, parts, series)


def draw_bars(bars: Sequence[Bar], captions: Captions) -> Markup:
    """Return horizontal bars, one for each category in the order of their first mention, stacked by series."""
    series = _series(bar.series for bar in bars)
    categories = list(dict.fromkeys((bar.category.text, bar.category.language) for bar in bars))[:MAX_BARS]
    places = {category: place for place, category in enumerate(categories)}
    shown = [bar for bar in bars if (bar.category.text, bar.category.language) in places]
    left = min(max(_CHARACTER * len(clip(text)) for text, _ in categories) + 16, 330)
    totals: dict[tuple[str, str | None], float] = dict.fromkeys(categories, 0.0)
    for bar in shown:
        totals[bar.category.text, bar.category.language] += bar.value
    scale = (WIDTH - left - 70) / (max(totals.values()) or 1)
    ends: dict[tuple[str, str | None], float] = dict.fromkeys(categories, 0.0)
    parts = [
        _text(left - 8, 10 + place * _ROW + 17, clip(text), "end", language=language)
        for (text, language), place in places.items()
    ]
    for bar in sorted(shown, key=lambda bar: series.get(_key(bar.series), 0)):
        category = (bar.category.text, bar.category.language)
        x, width = left + ends[category], bar.value * scale
        ends[category] += width
        told = f"{bar.category.text}: {number(bar.value)}" + (f" · {bar.series.text}" if bar.series else "")
        box = (x, 10 + places[category] * _ROW + 3, width, _ROW - 7)
        parts.append(_rectangle(captions, series.get(_key(bar.series), 0), box, told, bar.href))
    parts += [
        _text(left + ends[category] + 6, 10 + place * _ROW + 17, number(totals[category]))
        for category, place in places.items()
    ]
    return _frame(captions, 20 + len(categories) * _ROW, parts, series)


def draw_timeline(spans: Sequence[Span], captions: Captions) -> Markup:
    """Return lanes of time: spans as bars, single years as diamonds; what lasts on fades into an arrow head."""
    series = _series(span.series for span in spans)
    lanes = {key: place for place, key in enumerate(dict.fromkeys((s.lane.text, s.lane.language) for s in spans))}
    left = min(max(_CHARACTER * len(clip(text)) for text, _ in lanes) + 16, 250)
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    step = (WIDTH - left - 30) / (last - first + 1)
    height = _TOP + len(lanes) * _ROW

    def x(year: float) -> float:
        return left + (year - first + 0.5) * step

    parts = _year_labels(first, last, x, height + 20)
    for (text, language), place in lanes.items():
        y = _TOP + place * _ROW + _ROW / 2
        parts += [
            f'<path class="lane" d="M{left} {y:.1f}H{WIDTH - 20}"/>',
            _text(left - 8, y + 5, clip(text, 34), "end", language=language),
        ]
    # Bars first: a point on a bar stays visible.
    for span in sorted(spans, key=lambda span: span.start - span.end):
        y = _TOP + lanes[span.lane.text, span.lane.language] * _ROW + _ROW / 2
        parts.append(_span(captions, span, series.get(_key(span.series), 0), x, y))
    return _frame(captions, height + _AXIS, parts, series)


def draw_matrix(cells: Iterable[tuple[Name, Name, str | None]], captions: Captions) -> Markup:
    """Return a matrix of marks: row, column and where the row leads. A cell that is named several times counts them."""
    counts: dict[tuple[str, str], int] = {}
    rows: dict[str, tuple[Name, str | None]] = {}
    columns: dict[str, Name] = {}
    for row, column, href in cells:
        rows.setdefault(row.text, (row, href))
        columns.setdefault(column.text, column)
        counts[row.text, column.text] = counts.get((row.text, column.text), 0) + 1
    left = min(max(_CHARACTER * len(clip(text, 46)) for text in rows) + 16, 350)
    step = min((WIDTH - left - 20) / len(columns), 90)
    head = 30 + 0.72 * _CHARACTER * max(len(clip(text, 30)) for text in columns)
    parts = []
    for place, name in enumerate(columns.values()):
        x = left + (place + 0.5) * step
        turn = f' transform="rotate(-45 {x:.0f} {head - 10:.0f})"'
        parts += [
            f'<text x="{x:.0f}" y="{head - 10:.0f}"{turn}{_lang(name.language, captions)}>{escape(clip(name.text, 30))}</text>',
            f'<path class="lane" d="M{x:.0f} {head - 4:.0f}V{head + len(rows) * _ROW:.0f}"/>',
        ]
    for place, (text, (name, href)) in enumerate(rows.items()):
        y = head + place * _ROW + _ROW / 2
        label = _text(left - 8, y + 5, clip(text, 46), "end", language=name.language)
        parts += [f'<path class="lane" d="M{left} {y:.1f}H{left + step * len(columns):.0f}"/>', _link(label, href)]
        for column_place, column in enumerate(columns):
            if count := counts.get((text, column)):
                x = left + (column_place + 0.5) * step
                told = escape(f"{text} · {column}: {count}")
                mark = f'<circle class="mark" cx="{x:.0f}" cy="{y:.1f}" r="9"/>'
                inner = f'<text class="inside" x="{x:.0f}" y="{y + 4.5:.1f}" text-anchor="middle">{count}</text>'
                parts.append(f"<g>{mark}{inner}<title>{told}</title></g>")
    width = max(WIDTH, round(left + step * len(columns) + head * 0.75))
    return _frame(captions, round(head + len(rows) * _ROW + 14), parts, {}, width)


def number(value: float) -> str:
    """Return a number for people: thousands apart, no needless decimals."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}")


def clip(text: str, longest: int = 44) -> str:
    """Return a text that fits beside a chart."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _key(series: Name | None) -> str:
    return series.text if series else ""


def _series(names: Iterable[Name | None]) -> Mapping[str, int]:
    """Return the place of each series; what has none is the first. More than there are patterns share the last."""
    found = dict.fromkeys(_key(name) for name in names)
    return {name: min(place, SERIES - 1) for place, name in enumerate(found)} if set(found) != {""} else {}


def _nice(value: float) -> float:
    """Return the end of an axis: 1, 2 or 5 times a power of ten, at least the value."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= value)


def _grid(top: float, scale: float) -> list[str]:
    parts = []
    for part in range(5):
        value = top * part / 4
        y = _TOP + _PLOT_HEIGHT - value * scale
        if value == int(value) or top < 4:
            parts += [f'<path class="lane" d="M56 {y:.1f}H{WIDTH - 10}"/>', _text(50, y + 5, number(value), "end")]
    return parts


def _year_labels(first: int, last: int, x: object, y: float = _TOP + _PLOT_HEIGHT + 22) -> list[str]:
    span = last - first + 1
    every = next((n for n in (1, 2, 5, 10, 20, 50, 100) if span / n <= 14), 500)
    assert callable(x)
    return [
        f'<path class="tick" d="M{x(year):.1f} {y - 18:.0f}v5"/>' + _text(x(year), y, str(year), "middle")
        for year in range(first, last + 1)
        if year % every == 0 or (span <= 14)
    ]


def _span(captions: Captions, span: Span, series: int, x: object, y: float) -> str:
    assert callable(x)
    told = f"{span.lane.text}: {span.label.text}, {span.start}" + (f"-{span.end}" if span.end != span.start else "")
    fill = f'class="s{series}" fill="url(#{captions.name}-p{series})"'
    if span.start == span.end and not span.is_open:
        middle = x(span.start)
        shape = f'<path {fill} d="M{middle:.1f} {y - 8:.1f}l8 8l-8 8l-8-8z"/>'
    else:
        start, end = x(span.start - 0.4), x(span.end + 0.4)
        tip = f"L{end:.1f} {y - 8:.1f}l8 8l-8 8" if span.is_open else f"H{end:.1f}V{y + 8:.1f}"
        shape = f'<path {fill} d="M{start:.1f} {y - 8:.1f}{tip}H{start:.1f}z"/>'
    return _link(f"<g>{shape}<title>{escape(told)}</title></g>", span.href)


def _rectangle(
    captions: Captions, series: int, box: tuple[float, float, float, float], told: str, href: str | None
) -> str:
    x, y, width, height = box
    shape = (
        f'<rect class="s{series}" fill="url(#{captions.name}-p{series})" x="{x:.1f}" y="{y:.1f}" '
        f'width="{max(width, 0.5):.1f}" height="{max(height, 0.5):.1f}"><title>{escape(told)}</title></rect>'
    )
    return _link(shape, href)


def _link(shape: str, href: str | None) -> str:
    """Marks are no stops for the keyboard: the table beside the chart has the same links."""
    return f'<a href="{escape(href)}" tabindex="-1">{shape}</a>' if href else shape


def _text(x: float, y: float, text: str, anchor: str = "start", *, language: str | None = None) -> str:
    lang = f' lang="{escape(language)}"' if language else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{lang}>{escape(text)}</text>'


def _lang(language: str | None, captions: Captions) -> str:
    return f' lang="{escape(language)}"' if language and language != captions.language else ""


def _frame(
    captions: Captions, height: float, parts: Iterable[str], series: Mapping[str, int], width: int = WIDTH
) -> Markup:
    name = captions.name
    used = sorted(set(series.values())) or [0]
    patterns = "".join(
        f'<pattern id="{name}-p{place}" class="p{place}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8"/>{_PATTERNS[place]}</pattern>'
        for place in used
    )
    svg = (
        f'<svg class="chart" width="{width}" height="{height:.0f}" viewBox="0 0 {width} {height:.0f}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(captions.title)}</title>'
        f'<desc id="{name}-desc">{escape(captions.description)}</desc><defs>{patterns}</defs>{"".join(parts)}</svg>'
    )
    swatch = '<svg class="swatch" width="16" height="16" aria-hidden="true"><rect class="s{0}" fill="url(#{1}-p{0})" width="16" height="16"/></svg>'
    legend = "".join(f"<li>{swatch.format(place, name)}{escape(key or '–')}</li>" for key, place in series.items())
    return Markup((f'<ul class="legend">{legend}</ul>' if legend else "") + svg)  # noqa: S704 (all parts are escaped)
