"""The answer to a SELECT query as charts, maps and tables need it: names instead of IRIs, numbers, years.

Reads SPARQL 1.1 Query Results JSON; draws nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from culturegraph.protocols.labels import Labels, Name, to_href
from culturegraph.rdf.vocabulary import XSD

_NUMBERS: Final = frozenset(XSD + kind for kind in ("integer", "decimal", "double", "float"))
_WKT: Final = "http://www.opengis.net/ont/geosparql#wktLiteral"
_YEAR: Final = re.compile(r"-?\d{4}(?=$|[-~?%/])")
# EDTF writes an open or unknown end as nothing or as two dots.
_OPEN: Final = ("", "..")


@dataclass(frozen=True)
class Value:
    """One bound value: its lexical form or IRI, what people read, where a click leads."""

    text: str
    name: Name
    href: str | None = None
    is_iri: bool = False
    datatype: str | None = None

    @property
    def number(self) -> float | None:
        """The number that a literal of a numeric datatype stands for."""
        if self.datatype not in _NUMBERS:
            return None
        number = float(self.text)
        return number if abs(number) < 1e15 else None

    @property
    def years(self) -> tuple[int, int] | None:
        """First and last year of a date, a year or an EDTF interval; one with an open end begins and ends alike.

        Source: Extended Date/Time Format (ISO 8601-2), levels 0 and 1.
        """
        ends = [part for part in self.text.split("/") if part not in _OPEN] if not self.is_iri else []
        found = [int(match[0]) for part in ends if (match := _YEAR.match(part))]
        return (min(found), max(found)) if found and len(found) == len(ends) else None

    @property
    def is_geometry(self) -> bool:
        """Whether it is a WKT literal (GeoSPARQL)."""
        return self.datatype == _WKT


Row = Mapping[str, Value]


@dataclass(frozen=True)
class Solutions:
    """Variables and rows of an answer, and whether there were more rows."""

    variables: tuple[str, ...]
    rows: tuple[Row, ...]
    is_truncated: bool = False

    def numeric(self) -> list[str]:
        """Return the variables whose values are all numbers, of which there is at least one."""
        return [name for name in self.variables if self._all(name, lambda value: value.number is not None)]

    def dated(self) -> list[str]:
        """Return the variables whose values are all years or dates."""
        return [name for name in self.variables if self._all(name, lambda value: value.years is not None)]

    def iris(self) -> list[str]:
        """Return the variables whose values are all IRIs."""
        return [name for name in self.variables if self._all(name, lambda value: value.is_iri)]

    def _all(self, name: str, test: Any) -> bool:
        values = [row[name] for row in self.rows if name in row]
        return bool(values) and all(test(value) for value in values)


def read_solutions(results: Mapping[str, Any], labels: Labels) -> Solutions:
    """Return a result in SPARQL JSON with names for its IRIs."""
    variables = tuple(results["head"]["vars"])
    rows = tuple({name: _value(term, labels) for name, term in row.items()} for row in results["results"]["bindings"])
    return Solutions(variables, rows, bool(results["head"].get("truncated")))


def _value(term: Mapping[str, str], labels: Labels) -> Value:
    text = term["value"]
    if term["type"] == "uri":
        return Value(text, labels.of(text), to_href(text), is_iri=True)
    return Value(text, Name(text, term.get("xml:lang")), datatype=term.get("datatype"))


def triples_to_solutions(triples: Sequence[tuple[Any, Any, Any]], labels: Labels) -> Solutions:
    """Return a graph as rows of subject, predicate and object. The terms are those of pyoxigraph."""
    rows = tuple(
        {
            "subject": _value(_to_json(subject), labels),
            "predicate": _value(_to_json(predicate), labels),
            "object": _value(_to_json(value), labels),
        }
        for subject, predicate, value in triples
    )
    return Solutions(("subject", "predicate", "object"), rows)


def _to_json(term: Any) -> dict[str, str]:
    kind = type(term).__name__
    if kind == "NamedNode":
        return {"type": "uri", "value": term.value}
    if kind == "Literal":
        extra = {"xml:lang": term.language} if term.language else {"datatype": term.datatype.value}
        return {"type": "literal", "value": term.value, **extra}
    return {"type": "bnode", "value": getattr(term, "value", str(term))}
