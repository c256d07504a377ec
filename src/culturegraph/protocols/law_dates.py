"""The law on a day: which norms were in force, which were repealed or still to come, and which changed others by then.

What counts as in force is for the query to say (`queries/pages/law-on-a-day.rq`); here its rows become entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.protocols.labels import Labels, Reference, refer
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import PREFIXES

QUERY: Final = "law-on-a-day"
# What is certain first. "unknown": no date of its own, or repealed on a day that is not on record.
STATES: Final = ("in-force", "repealed", "later", "unknown")
_DECIDING: Final = ("repealed", "unknown", "later", "in-force")


@dataclass(frozen=True)
class Act:
    """What another norm did, and from which day on; empty where no date is on record."""

    norm: Reference
    day: str


@dataclass
class NormOnDay:
    """A norm in its state on a day: since when it applies, by which of its dates, and what was done to it."""

    norm: Reference
    state: str
    since: str
    basis: Reference | None
    repealed_by: list[Act] = field(default_factory=list)
    # Amendments that had taken effect by the day, and those of which the day is not on record.
    amended_by: list[Act] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the entry for machines."""
        return {
            "norm": self.norm.iri,
            "label": self.norm.name.text,
            "state": self.state,
            "since": self.since or None,
            "basis": self.basis.iri if self.basis else None,
            "repealed_by": [{"norm": act.norm.iri, "day": act.day or None} for act in self.repealed_by],
            "amended_by": [{"norm": act.norm.iri, "day": act.day or None} for act in self.amended_by],
        }


def find_norms(store: Dataset, query: QueryFile, day: date, language: str) -> Mapping[str, Sequence[NormOnDay]]:
    """Return the norms of each state on a day, in the order of their dates."""
    labels = Labels(store, language)
    rows: Any = store.query(query.bind({"day": day.isoformat()}), prefixes=dict(PREFIXES))
    found: dict[NamedNode, NormOnDay] = {}
    for row in rows:
        norm, since = row["norm"], _day(row["since"])
        entry = found.get(norm)
        if entry is None:
            basis = refer(row["basis"], labels) if since else None
            entry = found[norm] = NormOnDay(refer(norm, labels), row["state"].value, since, basis)
        # A norm may be repealed by several: what is certain of any of them decides.
        entry.state = min(entry.state, row["state"].value, key=_DECIDING.index)
        _add(entry.repealed_by, row["repealing"], row["until"], labels)
        if not (amended := _day(row["amended"])) or amended <= day.isoformat():
            _add(entry.amended_by, row["amending"], row["amended"], labels)
    entries = sorted(found.values(), key=lambda entry: (entry.since, entry.norm.iri or ""))
    return {state: [entry for entry in entries if entry.state == state] for state in STATES}


def _add(acts: list[Act], norm: NamedNode | None, day: Literal | None, labels: Labels) -> None:
    if norm is not None and (act := Act(refer(norm, labels), _day(day))) not in acts:
        acts.append(act)


def _day(term: Literal | None) -> str:
    return term.value if term is not None else ""
