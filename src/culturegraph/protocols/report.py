"""The validation report of the published build, as pages show it. Pure: a store in, values out.

Reads `graph/validation` alone; how results come about is the business of the validation.

Source: SHACL §3.6 (Validation Report).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode

from culturegraph.protocols.entity import HIDDEN
from culturegraph.protocols.labels import Labels, Name, Reference, refer, to_href
from culturegraph.protocols.property_paths import read_path
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import VALIDATION
from culturegraph.rdf.vocabulary import BASE, PREFIXES, RDFS, SH

RESULTS: Final = BASE + "validation/"
# Gravest first.
SEVERITIES: Final = ("Violation", "Warning", "Info")
# Results on one page of the list.
PAGE: Final = 50
# Results that the page of an entity names.
SHOWN: Final = 20
_SHAPES: Final = BASE + "shapes/"
_OWN_IRI: Final = re.compile(re.escape(BASE) + r"[\w/.-]*\w")
_FOCUS: Final = NamedNode(SH + "focusNode")


@dataclass(frozen=True)
class ResultNote:
    """One validation result, with what a page tells of it. `number` counts from 1, gravest first."""

    number: int
    href: str
    iri: str
    severity: str
    shape: str
    shape_name: str
    component: str
    focus: Reference
    message: Name | None
    hint: Name | None
    path: tuple[Reference, ...]
    value: Reference | None
    row: str | None


@dataclass(frozen=True)
class ShapeFigure:
    """How often one shape speaks, with one of its messages as an example."""

    shape: str
    name: str
    severity: str
    count: int
    message: Name | None


@dataclass(frozen=True)
class ResultList:
    """One page of the report; `total` counts all results that fit the filter, `pages` their pages."""

    results: tuple[ResultNote, ...]
    total: int
    page: int
    pages: int


class ReportIndex:
    """The results of a report by number, with severity and shape: what filters and figures need."""

    def __init__(self, store: Dataset) -> None:
        severities = _objects(store, "resultSeverity")
        shapes = _objects(store, "sourceShape")
        self._rows = sorted(
            (number, severities[iri].removeprefix(SH), shapes.get(iri, ""))
            for iri in severities
            if (number := _number(iri)) is not None
        )
        counts = Counter(severity for _, severity, _ in self._rows)
        self.figures: Mapping[str, int] = {severity: counts.get(severity, 0) for severity in SEVERITIES}

    def __len__(self) -> int:
        return len(self._rows)

    def select(self, severity: str | None = None, shape: str | None = None) -> list[int]:
        """Return the numbers of the results of one severity or one shape (its name), gravest first."""
        return [
            number
            for number, found, iri in self._rows
            if severity in (None, found) and shape in (None, shape_name(iri))
        ]

    def shapes(self, severity: str | None = None) -> list[tuple[str, str, int, int]]:
        """Return shape, severity, count and the number of the first result for each shape, gravest and most first."""
        counts = Counter((iri, found) for _, found, iri in self._rows if severity in (None, found))
        first: dict[tuple[str, str], int] = {}
        for number, found, iri in self._rows:
            first.setdefault((iri, found), number)
        ranks = {name: rank for rank, name in enumerate(SEVERITIES)}
        ordered = sorted(counts, key=lambda key: (ranks.get(key[1], 9), -counts[key], key[0]))
        return [(iri, found, counts[iri, found], first[iri, found]) for iri, found in ordered]


def list_shapes(store: Dataset, index: ReportIndex, language: str, severity: str | None) -> tuple[ShapeFigure, ...]:
    """Return the figures of the report by shape."""
    labels = Labels(store, language)
    return tuple(
        ShapeFigure(iri, shape_name(iri), found, count, _text(store, _node(first), "resultMessage", labels))
        for iri, found, count, first in index.shapes(severity)
    )


def list_results(store: Dataset, language: str, numbers: Sequence[int], page: int) -> ResultList:
    """Return one page of the results with these numbers."""
    labels = Labels(store, language)
    pages = max(1, -(-len(numbers) // PAGE))
    shown = numbers[(page - 1) * PAGE : page * PAGE]
    results = tuple(result for number in shown if (result := _describe(store, number, labels)) is not None)
    return ResultList(results, len(numbers), page, pages)


def describe_result(store: Dataset, number: int, language: str) -> ResultNote | None:
    """Return the result with a number, or None where the report has none."""
    return _describe(store, number, Labels(store, language))


def list_results_about(store: Dataset, iri: str, labels: Labels) -> tuple[tuple[ResultNote, ...], int]:
    """Return the first results whose focus node an entity is, and how many there are."""
    found = store.quads_for_pattern(None, _FOCUS, NamedNode(iri), VALIDATION)
    numbers = sorted(n for quad in found if (n := _number(getattr(quad.subject, "value", ""))) is not None)
    results = (_describe(store, number, labels) for number in numbers[:SHOWN])
    return tuple(result for result in results if result is not None), len(numbers)


def shape_name(iri: str) -> str:
    """Return the name by which people speak of a shape: its IRI without the namespace of our shapes."""
    return iri.removeprefix(_SHAPES)


def _describe(store: Dataset, number: int, labels: Labels) -> ResultNote | None:
    node = _node(number)
    severity, focus = _one(store, node, "resultSeverity"), _one(store, node, "focusNode")
    if severity is None or focus is None:
        return None
    shape = getattr(_one(store, node, "sourceShape"), "value", "")
    path, value = _one(store, node, "resultPath"), _one(store, node, "value")
    if getattr(path, "value", None) in HIDDEN:
        value = None
    row = _one(store, node, "source", PREFIXES["dc"])
    return ResultNote(
        number=number,
        href=to_href(node.value) or "",
        iri=node.value,
        severity=severity.value.removeprefix(SH),
        shape=shape,
        shape_name=shape_name(shape),
        component=getattr(_one(store, node, "sourceConstraintComponent"), "value", "").removeprefix(SH),
        focus=refer(focus, labels),
        message=_text(store, node, "resultMessage", labels),
        hint=_text(store, node, "comment", labels, RDFS),
        path=read_path(store, path, labels) if path is not None else (),
        value=refer(value, labels) if value is not None else None,
        row=row.value if isinstance(row, Literal) else None,
    )


def _node(number: int) -> NamedNode:
    return NamedNode(f"{RESULTS}{number}")


def _number(iri: str) -> int | None:
    local = iri.removeprefix(RESULTS)
    return int(local) if local != iri and local.isascii() and local.isdigit() else None


def _objects(store: Dataset, name: str) -> dict[str, str]:
    quads = store.quads_for_pattern(None, NamedNode(SH + name), None, VALIDATION)
    # A shape that is a blank node keeps its label: it groups its results all the same.
    return {
        quad.subject.value: quad.object.value
        for quad in quads
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode | BlankNode)
    }


def _one(store: Dataset, node: NamedNode, name: str, namespace: str = SH) -> Any:
    quads = store.quads_for_pattern(node, NamedNode(namespace + name), None, VALIDATION)
    return min((quad.object for quad in quads), key=str, default=None)


def _text(store: Dataset, node: NamedNode, name: str, labels: Labels, namespace: str = SH) -> Name | None:
    quads = store.quads_for_pattern(node, NamedNode(namespace + name), None, VALIDATION)
    literals = [quad.object for quad in quads if isinstance(quad.object, Literal)]
    if not literals:
        return None
    best = labels.best(literals)
    # A message may name a thing of ours by its IRI.
    return Name(_OWN_IRI.sub(lambda match: labels.of(match[0]).text, best.value), best.language)
