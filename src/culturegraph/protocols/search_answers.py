"""The answer to a search in the forms that programs and spreadsheets read, and on a map."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode, Store

from culturegraph.protocols.browsing import Page
from culturegraph.protocols.maps import Area, Point, draw_map
from culturegraph.protocols.search import Choice, FacetChoices, Found, Results
from culturegraph.rdf.spreadsheets import guard
from culturegraph.rdf.vocabulary import BASE, CG

_FIPS: Final = NamedNode(CG + "fipsCode")
_LATITUDE: Final = NamedNode("http://www.w3.org/2003/01/geo/wgs84_pos#lat")
_LONGITUDE: Final = NamedNode("http://www.w3.org/2003/01/geo/wgs84_pos#long")
_SHADES: Final = 5
COLUMNS: Final = ("iri", "name", "language", "types", "matched", "score", "date", "departments", "peoples", "note")


def to_json(results: Results, language: str) -> dict[str, Any]:
    """Return the answer as JSON: what was asked, the page of things, the facets with their counts."""
    request = results.request
    return {
        "query": request.text,
        "language": language,
        "chosen": dict(request.chosen),
        "ignored": [{"facet": facet, "value": value} for facet, value in results.ignored],
        "sort": request.sort,
        "total": results.total,
        "page": request.page,
        "pages": results.pages,
        "size": request.size,
        "results": [_item(item) for item in results.items],
        "facets": [_facet(choices, language) for choices in results.facets],
    }


def _item(item: Found) -> dict[str, Any]:
    found = {
        "iri": item.iri,
        "name": item.name.text,
        "language": item.name.language,
        "types": [{"iri": kind.iri, "name": kind.name.text} for kind in item.types],
        "matched": item.matched,
        "score": item.score,
        "note": item.note.text if item.note else None,
        "date": item.date,
        "departments": [{"iri": place.iri, "name": place.name.text} for place in item.places],
        "peoples": [{"iri": people.iri, "name": people.name.text} for people in item.peoples],
    }
    return {key: value for key, value in found.items() if value not in (None, "", [])}


def _facet(shown: FacetChoices, language: str) -> dict[str, Any]:
    return {
        "key": shown.facet.key,
        "title": shown.facet.query.title.get(language, shown.facet.key),
        "total": shown.total,
        "values": [_choice(choice) for choice in shown.choices],
    }


def _choice(choice: Choice) -> dict[str, Any]:
    value: dict[str, Any] = {
        "key": choice.key,
        "iri": choice.iri,
        "name": choice.name.text,
        "count": choice.count,
        "chosen": choice.is_chosen,
    }
    return {**value, "below": [_choice(below) for below in choice.below]} if choice.below else value


def to_csv(items: Iterable[Found]) -> str:
    """Return things as a table for a spreadsheet; several values of a cell stand apart by `; `."""
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(COLUMNS)
    for item in items:
        cells = (
            item.iri,
            item.name.text,
            item.name.language or "",
            "; ".join(kind.name.text for kind in item.types),
            item.matched or "",
            "" if item.score is None else f"{item.score:g}",
            item.date,
            "; ".join(place.name.text for place in item.places),
            "; ".join(people.name.text for people in item.peoples),
            item.note.text if item.note else "",
        )
        writer.writerow(map(guard, cells))
    return output.getvalue()


def draw_results(
    store: Store, results: Results, title: str, to_address: Callable[[str, str], str], link: Callable[[str], str]
) -> Markup | None:
    """Return a map of what was found: places by number of things, and the things of this page that have a point.

    None where nothing found is anywhere. `to_address` gives where choosing a value of a facet leads.
    """
    shown = next((choices for choices in results.facets if choices.facet.on_map), None)
    counted = [choice for choice in _flat(shown.choices if shown else ()) if choice.count]
    most = max((choice.count for choice in counted), default=1)
    areas = []
    for choice in counted:
        fips = _first(store, choice.iri or "", _FIPS)
        if shown and fips:
            href = to_address(shown.facet.key, choice.key)
            areas.append(Area(fips, f"{choice.name.text}: {choice.count}", href, shade(choice.count, most)))
    points = [point for item in results.items if (point := _point(store, item, link))]
    if not areas and not points:
        return None
    return draw_map(points, areas, name="results-map", title=title)


def draw_listed(store: Store, page: Page, title: str) -> Markup | None:
    """Return a map of the places that a list has, by the number in the column that it names; None without outlines."""
    listing = page.listing
    if listing.map is None:
        return None
    column = listing.told.index(listing.map)
    counted = [
        (entry.thing, int(entry.details[column][0].name.text))
        for group in page.groups
        for entry in group.entries
        if entry.details[column]
    ]
    most = max((count for _, count in counted), default=1)
    areas = [
        Area(
            _first(store, thing.iri or "", _FIPS),
            f"{thing.name.text}: {count}",
            f"/browse/{listing.path}/{(thing.iri or '').rpartition('/')[2]}",
            shade(count, most) if count else 0,
        )
        for thing, count in counted
    ]
    return draw_map((), areas, name="list-map", title=title) if areas else None


def shade(count: int, most: int) -> int:
    """Return the shade (1 to 5) of a number beside the largest one, by their logarithms: few things show, too."""
    return 1 + round((_SHADES - 1) * math.log1p(count) / math.log1p(max(most, 1)))


def _flat(choices: Sequence[Choice]) -> Iterable[Choice]:
    for choice in choices:
        yield choice
        yield from _flat(choice.below)


def _point(store: Store, item: Found, link: Callable[[str], str]) -> Point | None:
    latitude, longitude = _first(store, item.iri, _LATITUDE), _first(store, item.iri, _LONGITUDE)
    try:
        return Point(float(latitude), float(longitude), item.name.text, link("/" + item.iri.removeprefix(BASE)))
    except ValueError:
        return None


def _first(store: Store, iri: str, predicate: NamedNode) -> str:
    found = store.quads_for_pattern(NamedNode(iri), predicate, None, DefaultGraph())
    return min((getattr(quad.object, "value", "") for quad in found), default="")
