"""What was published under an address that is no more: why, and where to go. `data/withdrawn.csv` tells.

A thing that only has another address now was never withdrawn: it was moved (`data/redirects.csv`).

Source: PROV-O (invalidatedAtTime); DCMI Metadata Terms (isReplacedBy); RFC 9110 §15.5.11 (410 Gone).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels, Name
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import DCTERMS, PROV, SKOS, TYPE

_WHEN: Final = NamedNode(PROV + "invalidatedAtTime")
_INSTEAD: Final = NamedNode(DCTERMS + "isReplacedBy")
_WHY: Final = NamedNode(SKOS + "historyNote")


@dataclass(frozen=True)
class Withdrawal:
    """When an address was withdrawn, why, and the addresses to see instead."""

    date: str
    reason: Name | None
    replacements: tuple[str, ...]


def find_withdrawal(store: Dataset, iri: str, labels: Labels) -> Withdrawal | None:
    """Return what is told of a withdrawn address, or None where it is none."""
    try:
        node = NamedNode(iri)
    except ValueError:
        return None
    dates = [quad.object for quad in store.quads_for_pattern(node, _WHEN, None, DefaultGraph())]
    if not dates:
        return None
    reasons = [quad.object for quad in store.quads_for_pattern(node, _WHY, None, DefaultGraph())]
    instead = [quad.object for quad in store.quads_for_pattern(node, _INSTEAD, None, DefaultGraph())]
    texts = [reason for reason in reasons if isinstance(reason, Literal)]
    best = labels.best(texts) if texts else None
    return Withdrawal(
        date=min(date.value for date in dates if isinstance(date, Literal)),
        reason=Name(best.value, best.language) if best else None,
        replacements=tuple(sorted(term.value for term in instead if isinstance(term, NamedNode))),
    )


def find_new_address(store: Dataset, iri: str) -> str | None:
    """Return the IRI that a thing has now, or None where it was not moved.

    A moved thing is replaced, and the old address has no type and was not withdrawn.
    """
    try:
        node = NamedNode(iri)
    except ValueError:
        return None
    moved = [quad.object for quad in store.quads_for_pattern(node, _INSTEAD, None, DefaultGraph())]
    if not moved or any(
        True for predicate in (_WHEN, TYPE) for _ in store.quads_for_pattern(node, predicate, None, DefaultGraph())
    ):
        return None
    return next((term.value for term in moved if isinstance(term, NamedNode)), None)
