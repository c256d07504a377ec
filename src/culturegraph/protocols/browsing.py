"""Lists to browse: each is a query of `queries/pages`, whose head says what its columns are to a reader.

#+ browse:
#+   path: unesco            the address below /browse/
#+   group: list             variable that the rows are grouped by; none: one group
#+   entry: element          variable of what is listed
#+   detail: [date, number]  variables that are told beside an entry
#+   columns: {peoples: {es: pueblos, en: peoples}}    instead of detail: a table with these headings
#+   map: expressions        column by which a map of departments is shaded
#+   of: place               parameter: a page for each thing that it can be, at /browse/{path}/{slug}
#+   sort: date              detail by which entries are sorted; without it by name
#+   groups: months          groups are numbers that the interface has words for
#+   gap: calendarMonth      property of the ontology: what is known to be missing of it is told
#+   each: true              each entry has a page of its own, at /browse/{path}/{slug}

Who adds a query file adds a page. Pure: a store in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pyoxigraph import DefaultGraph, NamedNode

from culturegraph.errors import DataError, DataErrors
from culturegraph.protocols.documents import is_known
from culturegraph.protocols.labels import Labels, Reference, refer, sort_key
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG

# Entries of one group that a page shows; search lists them all.
SHOWN: Final = 60
_GAP: Final = NamedNode(CG + "gapProperty")


@dataclass(frozen=True, eq=False)
class Listing:
    """What the head of a query says of the list that it makes. There is one object for each."""

    query: QueryFile
    path: str
    entry: str
    group: str | None = None
    detail: tuple[str, ...] = ()
    columns: Mapping[str, Mapping[str, str]] | None = None
    map: str | None = None
    of: str | None = None
    sort: str | None = None
    groups: str | None = None
    # Whether each entry has a page of its own below the list.
    each: bool = False
    gap: str | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """The variables that are told beside an entry."""
        return tuple(self.columns) if self.columns else self.detail


@dataclass(frozen=True)
class Entry:
    """One line: the thing, and for each variable that is told its values."""

    thing: Reference
    details: tuple[tuple[Reference, ...], ...]


@dataclass(frozen=True)
class Group:
    """Entries under one heading. `key`: what an address has after `#`; `total`: how many there are."""

    key: str
    name: Reference | None
    entries: tuple[Entry, ...]
    total: int


@dataclass(frozen=True)
class Page:
    """A list as a page shows it; `of` is the thing that it is about, where it is about one."""

    listing: Listing
    groups: tuple[Group, ...]
    total: int
    sparql: str
    of: Reference | None = None
    gaps: tuple[Reference, ...] = ()


def read_listings(queries: Iterable[QueryFile]) -> tuple[Listing, ...]:
    """Return the lists that query files make, in their order. Raises DataErrors with every malformed head."""
    found = sorted((q for q in queries if "browse" in q.head), key=lambda q: (q.head.get("order", 999), q.id))
    if errors := [error for query in found if (error := check_listing(query))]:
        raise DataErrors(errors)
    return tuple(_read(query) for query in found)


def check_listing(query: QueryFile) -> DataError | None:
    """Return what is wrong with the `browse` of a head: unknown or missing keys, variables that the query lacks."""
    given = query.head.get("browse")
    if given is None:
        return None
    try:
        listing = _read(query)
    except (TypeError, ValueError) as error:
        return DataError(f"has a `browse` with a missing or unknown key: {error}", query.path.name)
    named = (listing.entry, listing.group, listing.map, listing.sort, listing.of, *listing.told)
    unknown = [name for name in named if name and not re.search(rf"[?$]{re.escape(name)}\b", query.sparql)]
    if unknown:
        return DataError(f"has a `browse` that names ?{unknown[0]}, which the query does not have", query.path.name)
    if listing.sort and listing.sort not in listing.told:
        return DataError(f"has a `browse` sorted by ?{listing.sort}, which is no detail", query.path.name)
    return None


def _read(query: QueryFile) -> Listing:
    given = dict(query.head["browse"])
    return Listing(query, **{**given, "detail": tuple(given.get("detail", ()))})


class Browser:
    """Makes the lists of one snapshot. A snapshot never changes, so what was made is kept."""

    def __init__(self, store: Dataset, queries: Iterable[QueryFile]) -> None:
        self._store = store
        self.listings = read_listings(queries)
        self.describe = lru_cache(maxsize=256)(self._describe)

    @property
    def indexes(self) -> tuple[Listing, ...]:
        """The lists that are about nothing in particular."""
        return tuple(listing for listing in self.listings if listing.of is None)

    def find(self, path: str, *, of_one: bool) -> Listing | None:
        """Return the list of an address."""
        return next((item for item in self.listings if item.path == path and (item.of is not None) is of_one), None)

    def _describe(self, listing: Listing, iri: str | None, language: str) -> Page | None:
        """Return the list, about one thing where it has an `of`; None where the graph does not know that thing."""
        labels = Labels(self._store, language)
        if iri is None:
            sparql = listing.query.sparql
        elif is_known(self._store, iri):
            sparql = listing.query.bind({listing.of or "": iri})
        else:
            return None
        rows: Any = self._store.query(sparql)
        groups = _group(listing, rows, labels)
        total = sum(group.total for group in groups)
        of = refer(NamedNode(iri), labels) if iri else None
        return Page(listing, groups, total, sparql, of, self._gaps(listing, labels))

    def _gaps(self, listing: Listing, labels: Labels) -> tuple[Reference, ...]:
        if listing.gap is None:
            return ()
        found = self._store.quads_for_pattern(None, _GAP, NamedNode(CG + listing.gap), DefaultGraph())
        return tuple(refer(subject, labels) for subject in sorted((quad.subject for quad in found), key=str))


# Group → entry → variable → its values, as terms and in the order of the rows.
_Rows = dict[Any, dict[Any, dict[str, dict[Any, None]]]]


def _group(listing: Listing, rows: Any, labels: Labels) -> tuple[Group, ...]:
    found: _Rows = {}
    for row in rows:
        group = row[listing.group] if listing.group else None
        if row[listing.entry] is None:  # An aggregate over nothing.
            continue
        entry = found.setdefault(group, {}).setdefault(row[listing.entry], {})
        for name in listing.told:
            values = entry.setdefault(name, {})
            if row[name] is not None:
                values[row[name]] = None
    groups = [_to_group(listing, term, entries, labels) for term, entries in found.items()]
    if listing.groups:
        return tuple(sorted(groups, key=lambda group: group.key))
    # What is in no group comes last.
    return tuple(sorted(groups, key=lambda group: (group.name is None, -group.total, group.key)))


def _to_group(
    listing: Listing, term: Any, entries: Mapping[Any, Mapping[str, Mapping[Any, None]]], labels: Labels
) -> Group:
    ordered = sorted(
        (Entry(refer(entry, labels), _details(listing, told, labels)) for entry, told in entries.items()),
        key=lambda entry: (_sort_value(listing, entry), sort_key(entry.thing.name.text)),
    )
    shown = tuple(ordered) if listing.of is None else tuple(ordered[:SHOWN])
    key = getattr(term, "value", "none").rstrip("/").rpartition("/")[2]
    return Group(key, refer(term, labels) if term is not None else None, shown, len(ordered))


def _details(
    listing: Listing, told: Mapping[str, Mapping[Any, None]], labels: Labels
) -> tuple[tuple[Reference, ...], ...]:
    return tuple(
        tuple(sorted((refer(term, labels) for term in told.get(name, ())), key=lambda item: sort_key(item.name.text)))
        for name in listing.told
    )


def _sort_value(listing: Listing, entry: Entry) -> str:
    """Return what an entry is sorted by before its name; what lacks it comes last."""
    if listing.sort is None:
        return ""
    values = entry.details[listing.told.index(listing.sort)]
    return values[0].name.text if values else "￿"
