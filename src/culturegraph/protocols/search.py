"""Search: a text and chosen facet values in, a page of things out, with the facets of all that was found.

Values of one facet widen a choice (or), facets narrow it (and); the counts of a facet are of what its own choice does
not narrow, so that a second value can be added. Pure: no web framework, no words of the interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.facets import Facet, FacetIndex, FacetValue
from culturegraph.protocols.labels import Labels, Name, Reference, sort_key, to_href
from culturegraph.protocols.search_request import SearchRequest
from culturegraph.queries import read_queries
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, DCTERMS, PREFIXES, RDFS, SKOS, TYPE
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current
from culturegraph.store.text_index import TextIndex

# Values of one facet that a page shows when asked for all: the most frequent.
MAX_VALUES: Final = 150
# Things that a table of everything found lists.
MAX_LISTED: Final = 10_000
_NOTES: Final = (SKOS + "definition", RDFS + "comment", DCTERMS + "description")
_MAX_NOTE: Final = 240
_KNOWN: Final = 20_000
_LATITUDE: Final = NamedNode(PREFIXES["geo"] + "lat")
_LONGITUDE: Final = NamedNode(PREFIXES["geo"] + "long")


@dataclass(frozen=True)
class Found:
    """One thing on a page of results. `matched`: the name by which it was found, where that is not the one shown."""

    iri: str
    name: Name
    href: str | None
    types: tuple[Reference, ...]
    matched: str | None
    score: float | None
    note: Name | None
    date: str
    places: tuple[Reference, ...]
    peoples: tuple[Reference, ...]
    # Latitude and longitude in WGS84 degrees.
    point: tuple[float, float] | None = None


@dataclass(frozen=True)
class Choice:
    """One value of a facet with the number of things that choosing it shows, and the values below it."""

    key: str
    iri: str | None
    name: Name
    count: int
    is_chosen: bool
    below: tuple[Choice, ...] = ()
    fips: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something below is chosen."""
        return any(choice.is_chosen or choice.is_open for choice in self.below)


@dataclass(frozen=True)
class FacetChoices:
    """A facet as a page shows it; `total` values occur among what was found."""

    facet: Facet
    choices: tuple[Choice, ...]
    total: int
    # All of them where a map shows them: it has room for those that the list leaves out.
    mapped: tuple[Choice, ...] = ()

    @property
    def has_more(self) -> bool:
        """Whether there are values that are not shown."""
        return not self.facet.is_tree and self.total > len(self.choices)


@dataclass(frozen=True)
class Results:
    """The answer to a request. `ignored`: facets or values that the graph does not have, as (facet, value)."""

    request: SearchRequest
    total: int
    items: tuple[Found, ...]
    facets: tuple[FacetChoices, ...]
    ignored: tuple[tuple[str, str], ...]

    @property
    def pages(self) -> int:
        """The number of pages."""
        return max(1, -(-self.total // self.request.size))


class Searcher:
    """Searches one snapshot for readers of one language."""

    def __init__(self, store: Dataset, facets: FacetIndex, text_index: TextIndex, language: str) -> None:
        self.index = facets
        self._store, self._text_index, self._language = store, text_index, language
        # The things that many searches find.
        self._known = lru_cache(maxsize=_KNOWN)(self._tell)

    @cached_property
    def _facet_labels(self) -> Labels:
        # Kept for good: there are few values, and every page names them.
        return Labels(self._store, self._language)

    def search(self, request: SearchRequest) -> Results:
        """Return a page of what was found."""
        chosen, ignored = self._check(request)
        request = replace(request, chosen=chosen)
        matches = self._matches(request.text)
        base = self.index.everything if matches is None else self.index.pack(matches)
        members = {key: self._union(key, values) for key, values in chosen.items()}
        found = _intersect(base, members.values())
        start = (request.page - 1) * request.size
        numbers = islice(self.index.pick(found, self._order(request, matches)), start, start + request.size)
        return Results(
            request=request,
            total=found.bit_count(),
            items=tuple(self._item(number, matches) for number in numbers),
            facets=tuple(
                self._choices(facet, request, _intersect(base, (m for k, m in members.items() if k != facet.key)))
                for facet in self.index.facets.values()
            ),
            ignored=ignored,
        )

    def go_straight(self, request: SearchRequest) -> str | None:
        """Return the IRI that a text can only mean: one of ours, or the identifier of a single thing."""
        text = request.text.strip("<>")
        if request.chosen or not text:
            return None
        if text.startswith(BASE) and text in self.index.numbers:
            return text
        hits = self._text_index.lookup_identifier(text)
        return hits[0].iri if len(hits) == 1 and len(text) > 1 else None

    def name_chosen(self, request: SearchRequest) -> dict[tuple[str, str], Name]:
        """Return the name of each chosen value by facet and value."""
        facets = self.index.facets
        return {
            (key, value): self._name(facets[key].values[value], facets[key]).name
            for key, values in request.chosen.items()
            for value in values
        }

    def _check(self, request: SearchRequest) -> tuple[dict[str, tuple[str, ...]], tuple[tuple[str, str], ...]]:
        """Part the chosen values into those that the graph has and the others."""
        chosen: dict[str, tuple[str, ...]] = {}
        ignored: list[tuple[str, str]] = []
        for key, values in request.chosen.items():
            known = self.index.facets[key].values
            if kept := tuple(value for value in values if value in known):
                chosen[key] = kept
            ignored += [(key, value) for value in values if value not in known]
        return chosen, tuple(ignored)

    def _union(self, key: str, values: Iterable[str]) -> int:
        members = 0
        for value in values:
            members |= self.index.facets[key].values[value].members
        return members

    def _matches(self, text: str) -> dict[int, tuple[float, str, str]] | None:
        """Return score, matched name and its kind by number of the thing, the best first; None without a text."""
        if not text:
            return None
        numbers = self.index.numbers
        return {
            numbers[match.iri]: (match.score, match.text, match.kind)
            for match in self._text_index.matches(text)
            if match.iri in numbers
        }

    def _order(self, request: SearchRequest, matches: Mapping[int, Any] | None) -> Iterable[int]:
        index = self.index
        if request.sort == "name":
            labels = Labels(self._store, self._language)
            return index.order(
                f"name {self._language}", lambda number: sort_key(labels.of(index.entities[number]).text)
            )
        if request.sort in ("newest", "oldest"):
            # What has no date comes last in both.
            dated = [(date, number) for number, date in enumerate(index.dates) if date]
            ordered = sorted(dated, key=lambda pair: pair[0], reverse=request.sort == "newest")
            rank = {number: place for place, (_, number) in enumerate(ordered)}
            return index.order(request.sort, lambda number: rank.get(number, len(rank)))
        return range(len(index.entities)) if matches is None else matches

    def _item(self, number: int, matches: Mapping[int, tuple[float, str, str]] | None) -> Found:
        item = self._known(number)
        if matches is None or number not in matches:
            return item
        score, matched, kind = matches[number]
        # A name that its people reject is found by and never shown.
        is_shown = kind != "hidden" and sort_key(matched) != sort_key(item.name.text)
        return replace(item, score=score, matched=matched if is_shown else None)

    def _tell(self, number: int) -> Found:
        """Return what is told of a thing however it was found."""
        iri = self.index.entities[number]
        labels = Labels(self._store, self._language)
        return Found(
            iri=iri,
            name=labels.of(iri),
            href=to_href(iri),
            types=tuple(self._name(value) for value in self._narrowest(number)),
            matched=None,
            score=None,
            note=_note(self._store, labels, iri),
            date=self.index.dates[number],
            places=self._others(number, "department"),
            peoples=self._others(number, "people"),
            point=_point(self._store, iri),
        )

    def _narrowest(self, number: int) -> list[FacetValue]:
        """Return the types of a thing that lie above no other of its types."""
        held = self.index.facets.get("type")
        if held is None:
            return []
        # From the graph: a thing has few types, and the facet many values.
        node = NamedNode(self.index.entities[number])
        kinds = (quad.object for quad in self._store.quads_for_pattern(node, TYPE, None, DefaultGraph()))
        values = [value for kind in kinds if (value := held.by_iri.get(getattr(kind, "value", "")))]
        above = {parent for value in values for parent in value.parents}
        return sorted((value for value in values if value.key not in above), key=lambda value: value.key)

    def _others(self, number: int, facet: str) -> tuple[Reference, ...]:
        iri = self.index.entities[number]
        values = (value for value in self.index.values_of(number, facet) if value.iri != iri)
        return tuple(sorted(map(self._name, values), key=lambda reference: sort_key(reference.name.text)))

    def _name(self, value: FacetValue, facet: Facet | None = None) -> Reference:
        if value.iri is None:
            return Reference(Name(facet.format(value.key, self._language) if facet else value.key, self._language))
        return Reference(self._facet_labels.of(value.iri), to_href(value.iri), value.iri)

    def _choices(self, facet: Facet, request: SearchRequest, found: int) -> FacetChoices:
        chosen = request.chosen.get(facet.key, ())
        if facet.is_tree:
            tree = self._tree(facet, facet.roots, found, chosen)
            return FacetChoices(facet, tree, len(tree))
        counted = [(value, (value.members & found).bit_count()) for value in facet.values.values()]
        present = [pair for pair in counted if pair[1] or pair[0].key in chosen]
        present.sort(key=lambda pair: pair[0].key, reverse=True)
        if not facet.by_value:
            present.sort(key=lambda pair: -pair[1])
        # What is chosen stays in view, so that it can be taken back.
        present.sort(key=lambda pair: pair[0].key not in chosen)
        shown = MAX_VALUES if request.whole == facet.key else max(facet.shown, len(chosen))
        choices = tuple(
            Choice(value.key, value.iri, self._name(value, facet).name, count, value.key in chosen, fips=value.fips)
            for value, count in (present if facet.on_map else present[:shown])
        )
        return FacetChoices(facet, choices[:shown], len(present), choices if facet.on_map else ())

    def _tree(
        self, facet: Facet, values: Iterable[FacetValue], found: int, chosen: Sequence[str]
    ) -> tuple[Choice, ...]:
        choices = []
        for value in values:
            count = (value.members & found).bit_count()
            if count or value.key in chosen:
                below = self._tree(facet, facet.children.get(value.key, ()), found, chosen)
                choices.append(Choice(value.key, value.iri, self._name(value).name, count, value.key in chosen, below))
        return tuple(sorted(choices, key=lambda choice: (-choice.count, choice.key)))


def open_searcher(settings: Settings, language: str) -> Searcher:
    """Return what searches the published snapshot. Raises StorageError where none is published."""
    snapshot = open_current(settings.store)
    facets = FacetIndex(snapshot.store, read_queries(settings.queries / "pages"))
    return Searcher(snapshot.store, facets, snapshot.text_index, language)


def _intersect(base: int, others: Iterable[int]) -> int:
    for members in others:
        base &= members
    return base


def _note(store: Dataset, labels: Labels, iri: str) -> Name | None:
    """Return what a thing is in the words of the graph, cut at a word where it is long."""
    for predicate in _NOTES:
        quads = store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None, DefaultGraph())
        if literals := [quad.object for quad in quads if isinstance(quad.object, Literal)]:
            best = labels.best(literals)
            text = best.value
            if len(text) > _MAX_NOTE:
                text = text[:_MAX_NOTE].rsplit(" ", 1)[0] + " …"
            return Name(text, best.language)
    return None


def _point(store: Dataset, iri: str) -> tuple[float, float] | None:
    latitude = _first(store, iri, _LATITUDE)
    try:
        return (float(latitude), float(_first(store, iri, _LONGITUDE))) if latitude else None
    except ValueError:
        return None


def _first(store: Dataset, iri: str, predicate: NamedNode) -> str:
    found = store.quads_for_pattern(NamedNode(iri), predicate, None, DefaultGraph())
    return min((getattr(quad.object, "value", "") for quad in found), default="")
