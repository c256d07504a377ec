"""Validation results as values. Knows neither shapes nor engines nor formats.

Source: SHACL §3.6.2 (Validation Result).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pyoxigraph import BlankNode, Literal, NamedNode

from culturegraph.rdf.vocabulary import SH, shrink
from culturegraph.validation.paths import PropertyPath, path_sparql, path_text

Term: TypeAlias = NamedNode | BlankNode | Literal
Node: TypeAlias = NamedNode | BlankNode
Key: TypeAlias = tuple[Term, PropertyPath | None, Term | None, NamedNode, Node, NamedNode]

VIOLATION: Final = NamedNode(SH + "Violation")
WARNING: Final = NamedNode(SH + "Warning")
INFO: Final = NamedNode(SH + "Info")
_RANK: Final = {VIOLATION: 0, WARNING: 1, INFO: 2}

Texts: TypeAlias = Mapping[str, str]
"""Language tag (empty for none) to text."""


@dataclass(frozen=True)
class Result:
    """One validation result: what is wrong with which value of which focus node, by which shape.

    `shape_name` names the source shape for people and keeps its place from run to run, also where it is a blank node.
    `constraint` is the SPARQL constraint (sh:sourceConstraint); `detail` tells apart results that are otherwise equal,
    such as the languages of sh:uniqueLang. `row` is the cell that caused the result, `file.csv:812:column`.
    """

    focus_node: Term
    path: PropertyPath | None
    value: Term | None
    component: NamedNode
    source_shape: Node
    severity: NamedNode
    constraint: Node | None = None
    detail: str = ""
    shape_name: str = field(default="", compare=False)
    messages: Texts = field(default_factory=dict, compare=False)
    hint: Texts = field(default_factory=dict, compare=False)
    row: str | None = field(default=None, compare=False)

    @property
    def key(self) -> Key:
        """What two engines must agree on."""
        return (self.focus_node, self.path, self.value, self.component, self.source_shape, self.severity)

    @property
    def order(self) -> tuple[int | str, ...]:
        """The place of the result in a report: gravest first, then by shape, focus node and path."""
        path = "" if self.path is None else path_text(self.path)
        texts = (self.shape_name, str(self.focus_node), path, str(self.value), self.component.value, self.detail)
        return (_RANK.get(self.severity, 3), *texts, str(self.constraint), *sorted(self.messages.values()))

    def message(self, languages: tuple[str, ...] = ("es", "en", "")) -> str:
        """Return the message in the first of the languages that has one."""
        return _pick(self.messages, languages)

    def record(self) -> dict[str, str]:
        """Return the result as one row of a table for machines: IRIs whole, literals by their lexical form alone.

        Source: SPARQL 1.1 Query Results CSV §3.
        """
        return {
            "focusNode": self.focus_node.value,
            "path": _path_cell(self.path),
            "value": "" if self.value is None else self.value.value,
            "component": self.component.value,
            "sourceShape": self.source_shape.value if isinstance(self.source_shape, NamedNode) else self.shape_name,
            "severity": self.severity.value,
            "message": self.message(),
            "row": self.row or "",
        }


def _path_cell(path: PropertyPath | None) -> str:
    if path is None:
        return ""
    return path.value if isinstance(path, NamedNode) else path_sparql(path)


def _pick(texts: Texts, languages: tuple[str, ...]) -> str:
    for language in languages:
        if language in texts:
            return texts[language]
    return next(iter(texts.values()), "")


def hint_text(result: Result, languages: tuple[str, ...] = ("es", "en", "")) -> str:
    """Return how to mend what the result tells, in the first of the languages that has it."""
    return _pick(result.hint, languages)


def term_text(term: Term) -> str:
    """Return a term for people: an IRI in short, a literal as Turtle writes it."""
    return shrink(term.value) if isinstance(term, NamedNode) else str(term)


def local_name(iri: NamedNode) -> str:
    """Return the name of a SHACL term without its namespace, of any other with its prefix."""
    return iri.value.removeprefix(SH) if iri.value.startswith(SH) else shrink(iri.value)
