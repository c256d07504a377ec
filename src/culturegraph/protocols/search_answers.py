"""The answer to a search in the forms that programs and spreadsheets read, and on a map."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from markupsafe import Markup
from pyoxigraph import NamedNode

from culturegraph.protocols.browsing import Page
from culturegraph.protocols.facets import read_fips
from culturegraph.protocols.maps import Area, Point, draw_map
from culturegraph.protocols.search import Choice, FacetChoices, Found, Results
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.spreadsheets import guard
from culturegraph.rdf.vocabulary import BASE

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
    results: Results, title: str, to_address: Callable[[str, str], str], link: Callable[[str], str]
) -> Markup | None:
    """Return a map of what was found: places by number of things, and the things of this page that have a point.

    None where nothing found is anywhere. `to_address` gives where choosing a value of a facet leads.
    """
    shown = next((choices for choices in results.facets if choices.facet.on_map), None)
    counted = [choice for choice in shown.mapped if choice.count and choice.fips] if shown else []
    most = max((choice.count for choice in counted), default=1)
    key = shown.facet.key if shown else ""
    areas = [
        Area(
            choice.fips,
            f"{choice.name.text}: {choice.count}",
            to_address(key, choice.key),
            shade(choice.count, most),
        )
        for choice in counted
    ]
    points = [
        Point(*item.point, item.name.text, link("/" + item.iri.removeprefix(BASE)))
        for item in results.items
        if item.point
    ]
    if not areas and not points:
        return None
    return draw_map(points, areas, name="results-map", title=title)


def draw_listed(store: Dataset, page: Page, title: str, link: Callable[[str], str]) -> Markup | None:
    """Return a map of the places that a list has, by the number in the column that it names; None without outlines."""
    listing = page.listing
    if listing.map is None:
        return None
    column = listing.told.index(listing.map)
    counted = [
        (entry.thing.iri, entry.thing.name.text, int(entry.details[column][0].name.text))
        for group in page.groups
        for entry in group.entries
        if entry.details[column] and entry.thing.iri
    ]
    most = max((count for *_, count in counted), default=1)
    areas = [
        Area(
            read_fips(store, NamedNode(iri)),
            f"{name}: {count}",
            link(f"/browse/{listing.path}/{iri.rpartition('/')[2]}"),
            shade(count, most) if count else 0,
        )
        for iri, name, count in counted
    ]
    return draw_map((), areas, name="list-map", title=title) if areas else None


def shade(count: int, most: int) -> int:
    """Return the shade (1 to 5) of a number beside the largest one, by their roots: few things show, too."""
    return 1 + round((_SHADES - 1) * math.sqrt(count / max(most, 1)))
