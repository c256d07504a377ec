"""The sets that records are in: by kind, by department, by people. Departments and peoples are the facets of search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import QuerySolutions

from culturegraph.exports.records import Records
from culturegraph.queries import read_query
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import PREFIXES

# Each: the query behind it (of `queries/pages/`), and what it is called.
FACETS: Final = {"department": "Department", "people": "People"}
KIND: Final = "kind"


@dataclass(frozen=True)
class RecordSet:
    """A set: what it is addressed by (`people:awajun`), its name, and the IRIs of its records."""

    spec: str
    name: str
    members: frozenset[str]


def read_sets(store: Dataset, records: Records, queries: Path) -> Mapping[str, RecordSet]:
    """Return all sets by their spec, in order; the set above others (`people`) has the records of all of them."""
    members: dict[str, set[str]] = {KIND: set(records.entries)}
    names = {KIND: "Kind"} | FACETS
    for entry in records.entries.values():
        members.setdefault(f"{KIND}:{entry.kind}", set()).add(entry.iri)
        names[f"{KIND}:{entry.kind}"] = f"Kind: {entry.kind}"
    for facet, title in FACETS.items():
        rows = store.query(read_query(queries / "pages" / f"facet-{facet}.rq").text, prefixes=dict(PREFIXES))
        assert isinstance(rows, QuerySolutions)
        for row in rows:
            iri, value = row["entity"].value, row["value"].value
            if iri in records.entries:
                spec = f"{facet}:{value.rpartition('/')[2]}"
                names[spec] = f"{title}: {records.headings.get(value, value)}"
                members.setdefault(facet, set()).add(iri)
                members.setdefault(spec, set()).add(iri)
    return {spec: RecordSet(spec, names[spec], frozenset(members[spec])) for spec in sorted(members)}
