"""When: the dates of an entity and of what it is linked to, in order. Pure: a store in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.dates import DATE_TYPES, tell_date
from culturegraph.protocols.labels import Labels, Reference, refer
from culturegraph.protocols.layout import Layout
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE

# Linked things that are asked for their dates, and moments that are shown.
_ASKED: Final = 80
MAX_MOMENTS: Final = 24
# The year that a date begins with: EDTF level 1 writes -0200, 19XX, 1964~, 2008/2010, [1667..].
_YEAR: Final = re.compile(r"-?\d{4}|\d{2,3}X{1,2}")

_EXACT: Final = re.compile(r"\d{4}(-\d\d){0,2}")


@dataclass(frozen=True)
class Moment:
    """A date as its source writes it and in words, which date it is, and of what: None where it is the entity's own."""

    date: str
    told: str
    order: str
    relation: Reference
    about: Reference | None

    @property
    def is_exact(self) -> bool:
        """Whether HTML can state the date for machines: a year, a month or a day without a doubt."""
        return _EXACT.fullmatch(self.date) is not None


def tell_time(
    store: Dataset, layout: Layout, own: Mapping[str, Iterable[Any]], labels: Labels, language: str
) -> tuple[Moment, ...]:
    """Return the moments of an entity, first things first; `own` has its statements by property."""
    found: dict[tuple[str, str, str], Moment] = {}

    def add(term: Any, which: Reference, about: Reference | None) -> None:
        if isinstance(term, Literal) and term.datatype.value in DATE_TYPES and (order := _order(term.value)):
            key = (term.value, which.iri or "", about.iri or "" if about else "")
            found.setdefault(key, Moment(term.value, tell_date(term.value, language), order, which, about))

    for predicate in layout.dates:
        for term in own.get(predicate, ()):
            add(term, refer(NamedNode(predicate), labels), None)
    linked = {
        term.value: predicate
        for predicate in sorted(layout.dated_through & own.keys())
        for term in own[predicate]
        if isinstance(term, NamedNode) and term.value.startswith(BASE)
    }
    for iri, predicate in list(linked.items())[:_ASKED]:
        about = refer(NamedNode(iri), labels)
        for date in layout.linked_dates:
            dates = list(store.quads_for_pattern(NamedNode(iri), NamedNode(date), None, DefaultGraph()))
            for quad in dates:
                add(quad.object, refer(NamedNode(predicate), labels), about)
            if dates:
                break  # One date of a linked thing tells when; its own page has the others.
    moments = [moment for moment in found.values() if not _is_told_better(moment, found)]
    return tuple(sorted(moments, key=lambda moment: (moment.order, moment.date))[:MAX_MOMENTS])


def _is_told_better(moment: Moment, found: Mapping[tuple[str, str, str], Moment]) -> bool:
    """Say whether another source gives the same date to the month or day."""
    about = (moment.relation.iri or "", moment.about.iri or "" if moment.about else "")
    return any(key[1:] == about and key[0] != moment.date and key[0].startswith(f"{moment.date}-") for key in found)


def _order(date: str) -> str:
    """Return what a date is sorted by; empty where it has no year."""
    year = _YEAR.search(date)
    if year is None:
        return ""
    number = int(year[0].replace("X", "0").ljust(4 + year[0].startswith("-"), "0"))
    return f"{number + 10_000:06}{date}"
