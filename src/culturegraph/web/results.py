"""SPARQL results as a table for people: names beside links, languages marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from culturegraph.protocols.labels import Labels, Name, to_href
from culturegraph.rdf.dataset import Dataset


@dataclass(frozen=True)
class Cell:
    """One value: what is shown, where it leads, and its whole IRI if it is one."""

    name: Name
    href: str | None = None
    iri: str | None = None


@dataclass(frozen=True)
class Table:
    """A result: its variables, its first rows (None: unbound), whether there are more."""

    variables: tuple[str, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    is_truncated: bool


def to_table(results: dict[str, Any], store: Dataset, language: str) -> Table:
    """Return the table of a result in SPARQL JSON."""
    labels = Labels(store, language)
    variables = tuple(results["head"]["vars"])
    rows = tuple(
        tuple(_cell(row[variable], labels) if variable in row else None for variable in variables)
        for row in results["results"]["bindings"]
    )
    return Table(variables, rows, bool(results["head"].get("truncated")))


def _cell(term: dict[str, str], labels: Labels) -> Cell:
    value = term["value"]
    if term["type"] == "uri":
        return Cell(labels.of(value), to_href(value), value)
    return Cell(Name(value, term.get("xml:lang")))
