"""The validation report: all results of a run in a stable order, as values, as RDF and as text.

Source: SHACL §3.6 (Validation Report).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, serialize

from culturegraph.rdf.vocabulary import BASE, PREFIXES, RDFS, SH, TYPE, XSD
from culturegraph.validation import rendering
from culturegraph.validation.paths import path_predicates, path_rdf
from culturegraph.validation.results import VIOLATION, Node, Result, local_name

REPORT: Final = NamedNode(BASE + "validation/")
# The cell that caused a result. Dublin Core's older `source` takes text.
ROW: Final = NamedNode(PREFIXES["dc"] + "source")
_COMMENT: Final = NamedNode(RDFS + "comment")
_ANY_GRAPH: Final = NamedNode("urn:x-culturegraph:report")


def _sh(name: str) -> NamedNode:
    return NamedNode(SH + name)


@dataclass(frozen=True)
class Report:
    """Results, gravest first. `conforms` holds where there are none of any severity (SHACL §3.6.1)."""

    results: tuple[Result, ...]
    conforms: bool

    @classmethod
    def of(cls, results: Iterable[Result], origin: Mapping[Quad, object] | None = None) -> Report:
        """Return the report of the results, with the row that caused each where the origin tells.

        Results that are equal stay apart: a value that is reached in two ways fails twice (W3C test property-001).
        """
        ordered = sorted(results, key=lambda result: result.order)
        if origin:
            ordered = _locate(ordered, origin)
        return cls(tuple(ordered), not ordered)

    @cached_property
    def violations(self) -> tuple[Result, ...]:
        """The results of severity sh:Violation: those that stop publication."""
        return tuple(result for result in self.results if result.severity == VIOLATION)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Results by the name of their severity."""
        return Counter(local_name(result.severity) for result in self.results)

    def to_quads(self, graph: NamedNode) -> list[Quad]:
        """Return the report as RDF; the n-th result is the IRI `validation/{n}` below the base, n from 1."""
        conforms = Literal("true" if self.conforms else "false", datatype=NamedNode(XSD + "boolean"))
        quads = [
            Quad(REPORT, TYPE, _sh("ValidationReport"), graph),
            Quad(REPORT, _sh("conforms"), conforms, graph),
        ]
        for number, result in enumerate(self.results, 1):
            node = NamedNode(f"{REPORT.value}{number}")
            quads.append(Quad(REPORT, _sh("result"), node, graph))
            quads += _result_quads(result, node, graph)
        return quads

    def to_turtle(self) -> str:
        """Return the report in Turtle."""
        triples = (quad.triple for quad in self.to_quads(_ANY_GRAPH))
        data = serialize(triples, format=RdfFormat.TURTLE, prefixes=dict(PREFIXES))
        return (data or b"").decode()

    def to_json(self) -> str:
        """Return the report in JSON-LD, with plain names for those who read it as JSON."""
        return rendering.json_text(self.results, self.conforms, REPORT.value)

    def to_csv(self) -> str:
        """Return one line a result: focusNode,path,value,component,sourceShape,severity,message,row."""
        return rendering.csv_text(self.results)

    def to_html(self) -> str:
        """Return a page that stands alone."""
        return rendering.html_text(self.results)

    def to_text(self) -> str:
        """Return the report for a terminal: one block a result, then the figures."""
        return rendering.plain_text(self.results)


def _result_quads(result: Result, node: NamedNode, graph: NamedNode) -> list[Quad]:
    quads = [
        Quad(node, TYPE, _sh("ValidationResult"), graph),
        Quad(node, _sh("focusNode"), result.focus_node, graph),
        Quad(node, _sh("resultSeverity"), result.severity, graph),
        Quad(node, _sh("sourceConstraintComponent"), result.component, graph),
        Quad(node, _sh("sourceShape"), _stable(result.source_shape, result.shape_name), graph),
    ]
    if result.path is not None:
        path, inner = path_rdf(result.path, f"path{node.value.rsplit('/', 1)[-1]}", graph)
        quads += [Quad(node, _sh("resultPath"), path, graph), *inner]
    if result.value is not None:
        quads.append(Quad(node, _sh("value"), result.value, graph))
    if result.constraint is not None:
        constraint = _stable(result.constraint, result.shape_name + "/sh:sparql")
        quads.append(Quad(node, _sh("sourceConstraint"), constraint, graph))
    for language, text in sorted(result.messages.items()):
        quads.append(Quad(node, _sh("resultMessage"), _text(text, language), graph))
    for language, text in sorted(result.hint.items()):
        quads.append(Quad(node, _COMMENT, _text(text, language), graph))
    if result.row is not None:
        quads.append(Quad(node, ROW, Literal(result.row), graph))
    return quads


def _text(text: str, language: str) -> Literal:
    return Literal(text, language=language) if language else Literal(text)


def _stable(node: Node, name: str) -> Node:
    """Return the node; a blank one under a label that is the same in every run."""
    if isinstance(node, NamedNode):
        return node
    return BlankNode("shape" + hashlib.sha256((name or node.value).encode()).hexdigest()[:16])


def _locate(results: list[Result], origin: Mapping[Quad, object]) -> list[Result]:
    """Add to each result the cell that said its value, else a cell of the same property, else of the same subject."""
    subjects = {result.focus_node for result in results}
    places: dict[tuple[Any, ...], str] = {}
    for quad, place in origin.items():
        subject = quad.subject
        if subject in subjects:
            text = str(place)
            places.setdefault((subject, quad.predicate, quad.object), text)
            places.setdefault((subject, quad.predicate), text)
            # A subject as a whole is its row: `file.csv:812`, without a column.
            places.setdefault((subject,), text.rsplit(":", 1)[0])
    return [replace(result, row=_place(result, places)) for result in results]


def _place(result: Result, places: Mapping[tuple[Any, ...], str]) -> str | None:
    predicate = None if result.path is None else next(path_predicates(result.path), None)
    for key in (
        (result.focus_node, predicate, result.value),
        (result.focus_node, predicate),
        (result.focus_node,),
    ):
        if key in places:
            return places[key]
    return result.row
