"""What was asked to be mended about a statement, and what was decided: the rows of `data/corrections.csv` on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels, Name, refer, to_href
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG

_HASH, _PROPOSAL = NamedNode(CG + "statementHash"), NamedNode(CG + "proposal")
_ROLE, _STATE = NamedNode(CG + "correctionRole"), NamedNode(CG + "correctionState")
_RECEIVED, _DECIDED = NamedNode(CG + "receivedOn"), NamedNode(CG + "decidedOn")
_DECISION = NamedNode(CG + "correctionDecision")


@dataclass(frozen=True)
class CorrectionNote:
    """A request and its decision; empty where nothing is decided. The role of who asked, never a person."""

    href: str | None
    proposal: Name
    role: Name | None
    state: Name | None
    received: str
    decision: Name | None
    decided: str


def find_corrections(store: Dataset, digest: str, labels: Labels) -> list[CorrectionNote]:
    """Return the requests about the statement with a hash, the latest first."""
    found = store.quads_for_pattern(None, _HASH, Literal(digest), DefaultGraph())
    notes = [_note(store, quad.subject, labels) for quad in found if isinstance(quad.subject, NamedNode)]
    return sorted(notes, key=lambda note: note.received, reverse=True)


def _note(store: Dataset, node: NamedNode, labels: Labels) -> CorrectionNote:
    def terms(predicate: NamedNode) -> Iterator[Any]:
        return (quad.object for quad in store.quads_for_pattern(node, predicate, None, DefaultGraph()))

    def text(predicate: NamedNode) -> Name | None:
        literals = [term for term in terms(predicate) if isinstance(term, Literal)]
        best = labels.best(literals) if literals else None
        return Name(best.value, best.language) if best else None

    def name(predicate: NamedNode) -> Name | None:
        return next((refer(term, labels).name for term in terms(predicate)), None)

    def day(predicate: NamedNode) -> str:
        return next((term.value for term in terms(predicate) if isinstance(term, Literal)), "")

    return CorrectionNote(
        href=to_href(node.value),
        proposal=text(_PROPOSAL) or labels.of(node.value),
        role=name(_ROLE),
        state=name(_STATE),
        received=day(_RECEIVED),
        decision=text(_DECISION),
        decided=day(_DECIDED),
    )
