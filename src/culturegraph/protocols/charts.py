"""Charts as SVG: columns over years and bars. Rows of plain values in, markup out.

Each series has a pattern of its own besides its colour, each mark its value as `<title>`, each chart a title and a
description; colours come from the style sheet (`charts.css`), so that a chart follows light and dark. The page adds
the table that says the same in numbers. Lengths are units of the view box; text is 14 units high.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from culturegraph.protocols.labels import Name

WIDTH: Final = 940
SERIES: Final = 6
CHARACTER: Final = 7.3
AXIS, TOP, ROW = 34, 26, 27
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
class Captions:
    """What a chart is called: `name` makes the ids inside unique on its page."""

    name: str
    title: str
    description: str
    language: str
    # What series beyond those that have a pattern of their own are called together.
    other: str = "…"


def draw_columns(bars: Sequence[Bar], captions: Captions) -> Markup:
    """Return columns over a continuous axis of years, stacked by series. Categories must be whole years."""
    series = number_series(bar.series for bar in bars)
    totals: dict[int, float] = {}
    for bar in bars:
        totals[int(bar.category.text)] = totals.get(int(bar.category.text), 0) + bar.value
    first, last = min(totals), max(totals)
    step = (WIDTH - 70) / (last - first + 1)
    every = _step(max(totals.values()))
    top = every * math.ceil(max(totals.values()) / every)
    scale = (_PLOT_HEIGHT - 10) / top if top else 0
    parts = [*_grid(top, every, scale), *label_years(first, last, lambda year: 60 + (year - first + 0.5) * step)]
    heights = dict.fromkeys(totals, 0.0)
    for bar in sorted(bars, key=lambda bar: (int(bar.category.text), series.get(series_key(bar.series), 0))):
        year = int(bar.category.text)
        height = bar.value * scale
        x, y = 60 + (year - first) * step + step * 0.12, TOP + _PLOT_HEIGHT - heights[year] - height
        heights[year] += height
        told = f"{year}: {number(bar.value)}" + (f" · {bar.series.text}" if bar.series else "")
        parts.append(
            _rectangle(captions, series.get(series_key(bar.series), 0), (x, y, step * 0.76, height), told, bar.href)
        )
    if step >= 18:
        parts += [
            text_at(60 + (year - first + 0.5) * step, TOP + _PLOT_HEIGHT - heights[year] - 5, number(total), "middle")
            for year, total in totals.items()
        ]
    return frame(captions, TOP + _PLOT_HEIGHT + AXIS, parts, series)


def draw_bars(bars: Sequence[Bar], captions: Captions) -> Markup:
    """Return horizontal bars, one for each category in the order of their first mention, stacked by series."""
    series = number_series(bar.series for bar in bars)
    categories = list(dict.fromkeys((bar.category.text, bar.category.language) for bar in bars))[:MAX_BARS]
    places = {category: place for place, category in enumerate(categories)}
    shown = [bar for bar in bars if (bar.category.text, bar.category.language) in places]
    left = min(max(CHARACTER * len(clip(text)) for text, _ in categories) + 16, 330)
    totals: dict[tuple[str, str | None], float] = dict.fromkeys(categories, 0.0)
    for bar in shown:
        totals[bar.category.text, bar.category.language] += bar.value
    scale = (WIDTH - left - 70) / (max(totals.values()) or 1)
    ends: dict[tuple[str, str | None], float] = dict.fromkeys(categories, 0.0)
    parts = [
        text_at(left - 8, 10 + place * ROW + 17, clip(text), "end", language=language)
        for (text, language), place in places.items()
    ]
    for bar in sorted(shown, key=lambda bar: series.get(series_key(bar.series), 0)):
        category = (bar.category.text, bar.category.language)
        x, width = left + ends[category], bar.value * scale
        ends[category] += width
        told = f"{bar.category.text}: {number(bar.value)}" + (f" · {bar.series.text}" if bar.series else "")
        box = (x, 10 + places[category] * ROW + 3, width, ROW - 7)
        parts.append(_rectangle(captions, series.get(series_key(bar.series), 0), box, told, bar.href))
    parts += [
        text_at(left + ends[category] + 6, 10 + place * ROW + 17, number(totals[category]))
        for category, place in places.items()
    ]
    return frame(captions, 20 + len(categories) * ROW, parts, series)


def number(value: float) -> str:
    """Return a number for people: thousands apart, no needless decimals."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}")


def clip(text: str, longest: int = 44) -> str:
    """Return a text that fits beside a chart."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def series_key(series: Name | None) -> str:
    """Return what tells one series from another."""
    return series.text if series else ""


def number_series(names: Iterable[Name | None]) -> Mapping[str, int]:
    """Return the place of each series; what has none is the first. More than there are patterns share the last."""
    found = dict.fromkeys(series_key(name) for name in names)
    return {name: min(place, SERIES - 1) for place, name in enumerate(found)} if set(found) != {""} else {}


def _step(value: float) -> float:
    """Return the distance of the lines of an axis up to a value: 1, 2 or 5 times a power of ten, at most six lines."""
    power = 10.0 ** math.floor(math.log10(value / 5)) if value > 5 else 1.0
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= value)


def _grid(top: float, step: float, scale: float) -> list[str]:
    parts = []
    for line in range(round(top / step) + 1):
        y = TOP + _PLOT_HEIGHT - line * step * scale
        parts += [f'<path class="lane" d="M56 {y:.1f}H{WIDTH - 10}"/>', text_at(50, y + 5, number(line * step), "end")]
    return parts


def label_years(first: int, last: int, x: Callable[[float], float], y: float = TOP + _PLOT_HEIGHT + 22) -> list[str]:
    """Return the ticks and labels of an axis of years, as many as there is room for; `x` places a year."""
    span = last - first + 1
    every = next((n for n in (1, 2, 5, 10, 20, 50, 100) if span / n <= 14), 500)
    return [
        f'<path class="tick" d="M{x(year):.1f} {y - 18:.0f}v5"/>' + text_at(x(year), y, str(year), "middle")
        for year in range(first, last + 1)
        if year % every == 0 or (span <= 14)
    ]


def _rectangle(
    captions: Captions, series: int, box: tuple[float, float, float, float], told: str, href: str | None
) -> str:
    x, y, width, height = box
    shape = (
        f'<rect class="s{series}" fill="url(#{captions.name}-p{series})" x="{x:.1f}" y="{y:.1f}" '
        f'width="{max(width, 0.5):.1f}" height="{max(height, 0.5):.1f}"><title>{escape(told)}</title></rect>'
    )
    return link(shape, href)


def link(shape: str, href: str | None) -> str:
    """Marks are no stops for the keyboard: the table beside the chart has the same links."""
    return f'<a href="{escape(href)}" tabindex="-1">{shape}</a>' if href else shape


def text_at(x: float, y: float, text: str, anchor: str = "start", *, language: str | None = None) -> str:
    """Return a line of text."""
    lang = f' lang="{escape(language)}"' if language else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{lang}>{escape(text)}</text>'


def frame(
    captions: Captions, height: float, parts: Iterable[str], series: Mapping[str, int], width: int = WIDTH
) -> Markup:
    """Return a drawing with its title, its description, its patterns and its legend."""
    name = captions.name
    used = sorted(set(series.values())) or [0]
    patterns = "".join(
        f'<pattern id="{name}-p{place}" class="p{place}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8"/>{_PATTERNS[place]}</pattern>'
        for place in used
    )
    drawn = "".join(parts)
    # What holds links is no picture to a screen reader: it reads them.
    role = "group" if "<a " in drawn else "img"
    svg = (
        f'<svg class="chart" width="{width}" height="{height:.0f}" viewBox="0 0 {width} {height:.0f}" role="{role}" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(captions.title)}</title>'
        f'<desc id="{name}-desc">{escape(captions.description)}</desc><defs>{patterns}</defs>{drawn}</svg>'
    )
    legend = "".join(f"<li>{_swatch(name, place)}{escape(key or '–')}</li>" for key, place in series.items())
    return Markup((f'<ul class="legend">{legend}</ul>' if legend else "") + svg)  # noqa: S704 (all parts are escaped)


def _swatch(name: str, series: int) -> str:
    box = f'<rect class="s{series}" fill="url(#{name}-p{series})" width="16" height="16"/>'
    return f'<svg class="swatch" width="16" height="16" aria-hidden="true">{box}</svg>'
