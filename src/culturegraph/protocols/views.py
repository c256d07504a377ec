"""The answer to a query as a picture: the chart that the head of its file declares, or the one that its values suggest.

A head declares `chart: {kind: columns, x: year, y: n, series: kind}`; each word but `kind` names a variable:
columns and bars (x, y, series), timeline (lane, start, end, label, series), matrix (row, column), network (source,
relation, target), map (place, y).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from markupsafe import Markup

from culturegraph.errors import DataError
from culturegraph.protocols import charts, lanes, maps, networks
from culturegraph.protocols.charts import Bar, Captions
from culturegraph.protocols.labels import Labels, Name, sort_key, to_href
from culturegraph.protocols.places import Location, Places, locate_rows
from culturegraph.protocols.solutions import Row, Solutions, Value
from culturegraph.rdf.dataset import Dataset

Chart = Mapping[str, str]
# What each kind of chart needs, and what it takes besides.
KINDS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "columns": (frozenset({"x"}), frozenset({"y", "series"})),
    "bars": (frozenset({"x"}), frozenset({"y", "series"})),
    "timeline": (frozenset({"lane", "start"}), frozenset({"end", "label", "series", "open"})),
    "matrix": (frozenset({"row", "column"}), frozenset()),
    "network": (frozenset({"source", "target"}), frozenset({"relation"})),
    "map": (frozenset(), frozenset({"place", "y"})),
}
_MAX_GUESSED: Final = 12


def check_chart(chart: object, file: str) -> Chart:
    """Return the chart that a head declares. Raises DataError where it is none."""
    if not isinstance(chart, dict) or not all(isinstance(value, str) for value in chart.values()):
        raise DataError("needs `chart` as a mapping of words to variables", file)
    kind = chart.get("kind", "")
    if kind not in KINDS:
        raise DataError(f"has a chart of unknown kind `{kind}`; there is {', '.join(KINDS)}", file)
    needed, allowed = KINDS[kind]
    given = set(chart) - {"kind"}
    if missing := needed - given:
        raise DataError(f"has a chart without {', '.join(sorted(missing))}", file)
    if unknown := given - needed - allowed:
        raise DataError(f"has a chart with {', '.join(sorted(unknown))}, which `{kind}` does not take", file)
    return chart


def suggest_chart(solutions: Solutions) -> Chart | None:
    """Return a chart for an answer that nobody declared one for, or None where nothing is to be counted or compared.

    Years with a number become columns; things with a number become bars; things alone are counted.
    """
    numbers = [name for name in solutions.numeric() if not _is_coordinate(name)]
    dates = [name for name in solutions.dated() if name not in numbers or _is_year(solutions, name)]
    values = [name for name in numbers if name not in dates]
    things = [name for name in solutions.variables if name not in (*numbers, *dates)]
    series = next((name for name in things if 1 < _distinct(solutions, name) <= charts.SERIES), None)
    if dates and values:
        return _named(kind="columns", x=dates[0], y=values[0], series=series)
    if values and things:
        first = _narrowest(solutions, things)
        return _named(kind="bars", x=first, y=values[0], series=series if series != first else None)
    if dates and not values:
        return _named(kind="columns", x=dates[0], series=series)
    repeated = [name for name in things if 1 < _distinct(solutions, name) < len(solutions.rows) * 0.7]
    return _named(kind="bars", x=min(repeated, key=lambda name: _distinct(solutions, name))) if repeated else None


def draw_chart(chart: Chart, solutions: Solutions, captions: Captions) -> Markup:
    """Return a chart as SVG; empty where no row has what it needs."""
    draw = _DRAWN[chart["kind"]]
    return draw(chart, solutions, captions)


def draw_map(solutions: Solutions, store: Dataset, captions: Captions, chart: Chart | None = None) -> Markup:
    """Return a map of the rows that have a place: departments shaded by the number, or points. Empty without any."""
    chart = chart or {}
    variables = (chart["place"],) if "place" in chart else solutions.variables
    shown = Solutions(variables, solutions.rows, solutions.is_truncated)
    located = locate_rows(shown, Places(store))
    if not located:
        return Markup()
    numbers = [name for name in solutions.numeric() if not _is_coordinate(name)]
    counted = chart.get("y") or (numbers[0] if numbers else None)
    if all(location.department for location in located.values()):
        return _shaded(solutions, located, counted, captions, Labels(store, captions.language))
    points: dict[tuple[float, float], list[int]] = {}
    for place, location in located.items():
        points.setdefault((location.latitude, location.longitude), []).append(place)
    marks = [_point(at, [solutions.rows[place] for place in places], solutions) for at, places in points.items()]
    return maps.draw_map(marks, name=captions.name, title=captions.title, description=captions.description)


def draw_graph(solutions: Solutions, captions: Captions) -> Markup:
    """Return the things of an answer and their links as a network; empty where rows link nothing to nothing.

    A graph links subject and object; a table links the first thing of a row to the others.
    """
    if solutions.variables == ("subject", "predicate", "object"):
        chart = {"kind": "network", "source": "subject", "relation": "predicate", "target": "object"}
        return _network(chart, solutions, captions)
    iris = solutions.iris()
    edges = [
        networks.Edge(_node(row[iris[0]]), _node(row[other]), Name(other))
        for row in solutions.rows
        for other in iris[1:]
        if iris[0] in row and other in row
    ]
    return networks.draw_network(edges, captions)


def _columns(chart: Chart, solutions: Solutions, captions: Captions) -> Markup:
    # A row whose date is an interval counts in its first year.
    rows = [(row, row[chart["x"]].years) for row in solutions.rows if chart["x"] in row]
    bars = [
        Bar(Name(str(years[0])), value, _name(row, chart.get("series")), None)
        for row, years in rows
        if years and (value := _amount(row, chart.get("y"))) is not None
    ]
    return charts.draw_columns(_summed(bars, captions), captions) if bars else Markup()


def _bars(chart: Chart, solutions: Solutions, captions: Captions) -> Markup:
    bars = [
        Bar(row[chart["x"]].name, value, _name(row, chart.get("series")), row[chart["x"]].href)
        for row in solutions.rows
        if chart["x"] in row and (value := _amount(row, chart.get("y"))) is not None and value >= 0
    ]
    return charts.draw_bars(_summed(bars, captions), captions) if bars else Markup()


def _timeline(chart: Chart, solutions: Solutions, captions: Captions) -> Markup:
    spans = list(_spans(chart, solutions))
    return lanes.draw_timeline(spans, captions) if spans else Markup()


def _spans(chart: Chart, solutions: Solutions) -> Iterator[lanes.Span]:
    for row in solutions.rows:
        start = row[chart["start"]].years if chart["start"] in row else None
        if start is None or chart["lane"] not in row:
            continue
        end = row[chart["end"]].years if chart.get("end", "") in row else None
        thing = row.get(chart.get("label", ""), row[chart["lane"]])
        yield lanes.Span(
            lane=row[chart["lane"]].name,
            start=start[0],
            end=max(start[1], end[1] if end else start[1]),
            label=thing.name,
            series=_name(row, chart.get("series")),
            href=thing.href,
            is_open=row[chart["open"]].text == "true" if chart.get("open", "") in row else False,
        )


def _matrix(chart: Chart, solutions: Solutions, captions: Captions) -> Markup:
    cells = [
        (row[chart["row"]].name, row[chart["column"]].name, row[chart["row"]].href)
        for row in solutions.rows
        if chart["row"] in row and chart["column"] in row
    ]
    return lanes.draw_matrix(cells, captions) if cells else Markup()


def _network(chart: Chart, solutions: Solutions, captions: Captions) -> Markup:
    source, target, relation = chart["source"], chart["target"], chart.get("relation", "")
    edges = [
        networks.Edge(_node(row[source]), _node(row[target]), row[relation].name if relation in row else Name(target))
        for row in solutions.rows
        if source in row and target in row and row[source].is_iri and row[target].is_iri
    ]
    return networks.draw_network(edges, captions)


_DRAWN: Final[Mapping[str, Callable[[Chart, Solutions, Captions], Markup]]] = {
    "columns": _columns,
    "bars": _bars,
    "timeline": _timeline,
    "matrix": _matrix,
    "network": _network,
}


def _shaded(
    solutions: Solutions, located: Mapping[int, Location], counted: str | None, captions: Captions, labels: Labels
) -> Markup:
    values: dict[str, float] = {}
    departments: dict[str, str] = {}
    for place, location in located.items():
        fips = location.department or ""
        values[fips] = values.get(fips, 0) + (_amount(solutions.rows[place], counted) or 0)
        departments[fips] = location.iri or ""
    top = max(values.values()) or 1
    areas = [
        maps.Area(
            fips,
            f"{labels.of(iri).text}: {charts.number(values[fips])}",
            to_href(iri),
            1 + round(4 * values[fips] / top),
        )
        for fips, iri in sorted(departments.items(), key=lambda item: sort_key(labels.of(item[1]).text))
    ]
    return maps.draw_map(areas=areas, name=captions.name, title=captions.title, description=captions.description)


def _point(at: tuple[float, float], rows: Sequence[Row], solutions: Solutions) -> maps.Point:
    things = list(dict.fromkeys(value for row in rows if (value := _first_thing(row, solutions)) is not None))
    told = ", ".join(thing.name.text for thing in things[:6]) + (f" (+{len(things) - 6})" if len(things) > 6 else "")
    return maps.Point(*at, told or f"{at[0]}, {at[1]}", things[0].href if things else None, len(things) or 1)


def _first_thing(row: Row, solutions: Solutions) -> Value | None:
    return next((row[name] for name in solutions.variables if name in row and row[name].is_iri), None)


def _summed(bars: Sequence[Bar], captions: Captions) -> list[Bar]:
    """Return bars with those of one category and series added up, in the order of their first mention.

    Where there are more series than patterns, the smallest become one.
    """
    sizes: dict[Name | None, float] = {}
    for bar in bars:
        sizes[bar.series] = sizes.get(bar.series, 0) + bar.value
    largest = sorted(sizes, key=lambda name: -sizes[name])
    folded = set(largest[charts.SERIES - 1 :]) if len(largest) > charts.SERIES else set()
    sums: dict[tuple[Name, Name | None], Bar] = {}
    for bar in bars:
        series = Name(captions.other) if bar.series in folded else bar.series
        known = sums.get((bar.category, series))
        value = bar.value + (known.value if known else 0)
        sums[bar.category, series] = Bar(bar.category, value, series, bar.href)
    return list(sums.values())


def _amount(row: Row, variable: str | None) -> float | None:
    """Return the number of a row; 1 where rows themselves are counted."""
    if variable is None:
        return 1
    return row[variable].number if variable in row else None


def _name(row: Row, variable: str | None) -> Name | None:
    return row[variable].name if variable and variable in row else None


def _node(value: Value) -> networks.Node:
    return networks.Node(value.text, value.name, value.href)


def _is_coordinate(name: str) -> bool:
    return name.lower() in ("lat", "latitude", "latitud", "long", "lon", "lng", "longitude", "longitud")


def _is_year(solutions: Solutions, name: str) -> bool:
    numbers = [row[name].number or 0 for row in solutions.rows if name in row]
    return all(1000 <= number <= 2100 and number == int(number) for number in numbers)


def _distinct(solutions: Solutions, name: str) -> int:
    return len({row[name].text for row in solutions.rows if name in row})


def _narrowest(solutions: Solutions, names: Sequence[str]) -> str:
    """Return the thing that numbers belong to: the first that differs from row to row, else the first."""
    return next((name for name in names if _distinct(solutions, name) > 1), names[0])


def _named(**words: str | None) -> Chart:
    return {word: value for word, value in words.items() if value is not None}
