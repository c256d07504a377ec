"""A sheet about a people, to be read and printed by that people: what is said of them, by whom, under which names.

What it tells is the query `sheet-people.rq`: `?section ?entry ?detail ?graph`, a row for each thing and source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.protocols.attribution import Attribution, SourceNote
from culturegraph.protocols.labels import Labels, Name, Reference, refer, sort_key
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset

PEOPLE: Final = "sheet-people"


@dataclass(frozen=True)
class Line:
    """One thing that is said, the details that sources give with it, the numbers of the sources."""

    said: Reference
    details: tuple[Reference, ...]
    sources: tuple[int, ...]


@dataclass(frozen=True)
class SheetSection:
    """A part of a sheet; its key names its heading among the words of the interface."""

    key: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Sheet:
    """What is said of one people, with the sources by number and the query behind it."""

    iri: str
    name: Name
    sections: tuple[SheetSection, ...]
    sources: tuple[SourceNote, ...]
    sparql: str


def describe_sheet(store: Dataset, query: QueryFile, iri: str, language: str) -> Sheet | None:
    """Return the sheet of a people, or None where no source says anything of it."""
    labels = Labels(store, language)
    sparql = query.bind({"people": iri})
    rows: Any = store.query(sparql)
    said: dict[str, dict[Any, tuple[dict[Any, None], set[str]]]] = {}
    for row in rows:
        details, graphs = said.setdefault(row["section"].value, {}).setdefault(row["entry"], ({}, set()))
        if row["detail"] is not None:
            details[row["detail"]] = None
        graphs.add(row["graph"].value)
    if not said:
        return None
    attribution = Attribution(store, labels)
    order = [str(key) for key in query.head.get("sections", said)]
    sections = tuple(_section(key, said[key], labels, attribution) for key in order if key in said)
    return Sheet(iri, labels.of(iri), sections, attribution.notes(), sparql)


def _section(
    key: str, entries: dict[Any, tuple[dict[Any, None], set[str]]], labels: Labels, attribution: Attribution
) -> SheetSection:
    lines = []
    for entry in sorted(entries, key=lambda term: _rank(term, labels)):
        details, graphs = entries[entry]
        lines.append(
            Line(
                refer(entry, labels),
                tuple(_sorted(refer(detail, labels) for detail in details)),
                tuple(sorted(attribution.number(graph) for graph in sorted(graphs))),
            )
        )
    return SheetSection(key, tuple(lines))


def _rank(term: Any, labels: Labels) -> tuple[int, str]:
    """Sort names of languages other than Spanish and English first: they are more likely the people's own."""
    if isinstance(term, Literal):
        return -labels.rank(term.language), sort_key(term.value)
    return 0, sort_key(labels.of(term.value).text if isinstance(term, NamedNode) else str(term))


def _sorted(references: Iterable[Reference]) -> list[Reference]:
    return sorted(references, key=lambda reference: sort_key(reference.name.text))
