"""How many of the declared expressions have something in each field of the outline, without making their sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import QuerySolutions

from culturegraph.exports.forms.declared import Field, Form, Section
from culturegraph.exports.forms.filled import gap_query
from culturegraph.exports.inventory.sheets import PROFILE
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import PREFIXES

_PREFIX = re.compile(r"^PREFIX .*$", re.MULTILINE)


@dataclass(frozen=True)
class Filled:
    """One field: how many sheets have something in it."""

    section: Section
    field: Field
    sheets: int


def count_filled(store: Dataset, outline: Form) -> Iterator[Filled]:
    """Yield the fields in their order."""
    for section in outline.sections:
        assert section.query is not None
        items = _PREFIX.sub("", section.query.sparql)
        for field in section.fields:
            values = _PREFIX.sub("", gap_query(field, None, f"{PROFILE}/{outline.id}/{section.id}.{field.id}"))
            query = f"SELECT (COUNT(DISTINCT ?item) AS ?n) WHERE {{ {{ {items} }} {{ {values} }} }}"
            rows = store.query(query, prefixes=dict(PREFIXES))
            assert isinstance(rows, QuerySolutions)
            yield Filled(section, field, int(next(rows)["n"].value))
