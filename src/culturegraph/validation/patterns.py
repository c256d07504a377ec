"""Core constraints that compare values with one another, as SPARQL patterns that match what is wrong.

Source: SHACL §4.4.5 (sh:uniqueLang), §4.5 (Property Pair Constraint Components), §4.8.1 (sh:closed).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyoxigraph import NamedNode

from culturegraph.rdf.vocabulary import RDF, RDFS
from culturegraph.validation.constraints import component
from culturegraph.validation.paths import PropertyPath
from culturegraph.validation.scope import Scope
from culturegraph.validation.shapes import Shape


@dataclass(frozen=True)
class Pattern:
    """A pattern that matches what is wrong; the variables say where its value, path and detail are."""

    parameter: str
    component: NamedNode
    pattern: str
    value: str | None = None
    path: str | None = None
    detail: str | None = None
    wants: Any = None


def wrong_patterns(scope: Scope, shape: Shape, this: str, allowed: list[PropertyPath | None]) -> Iterator[Pattern]:
    """Yield the patterns of sh:equals, sh:lessThan(OrEquals), sh:uniqueLang, sh:closed."""
    for other in shape.values.get("equals", ()):
        yield _unequal(scope, shape, this, other)
    for parameter, operator in (("lessThan", "<"), ("lessThanOrEquals", "<=")):
        for other in shape.values.get(parameter, ()):
            value, compared = scope.fresh(), scope.fresh()
            both = f"{_value_step(scope, shape, this, value)} {scope.step(this, other, compared)}"
            met = f"COALESCE({scope.value(value)} {operator} {scope.value(compared)}, false)"
            wrong = f"{both} FILTER(!{met})"
            yield Pattern(parameter, component(parameter), wrong, value, detail=compared, wants=other)
    # Only the literal `true` switches it on (W3C test uniqueLang-002).
    if shape.path is not None and any(flag.value == "true" for flag in shape.values.get("uniqueLang", ())):
        one, two, tag = scope.fresh(), scope.fresh(), scope.fresh()
        both = f"{scope.step(this, shape.path, one)} {scope.step(this, shape.path, two)}"
        same = f'!sameTerm({one}, {two}) && LANG({one}) = LANG({two}) && LANG({one}) != ""'
        wrong = f"{both} FILTER({same}) BIND(LANG({one}) AS {tag})"
        yield Pattern("uniqueLang", component("uniqueLang"), wrong, detail=tag)
    if shape.flag("closed"):
        yield _not_closed(scope, shape, this, allowed)


def _value_step(scope: Scope, shape: Shape, this: str, value: str) -> str:
    """Return the pattern from the focus node to its value nodes: a node shape's is the focus node itself."""
    return f"BIND({this} AS {value})" if shape.path is None else scope.step(this, shape.path, value)


def _unequal(scope: Scope, shape: Shape, this: str, other: NamedNode) -> Pattern:
    """sh:equals: what one side has and the other has not (SHACL §4.5.1)."""
    value = scope.fresh()
    there = scope.step(this, other, value)
    if shape.path is None:
        # The focus node must be its own only value.
        missing = f"BIND({this} AS {value}) FILTER NOT EXISTS {{ {scope.step(this, other, this)} }}"
        extra = f"{there} FILTER(!sameTerm({this}, {value}))"
    else:
        here = scope.step(this, shape.path, value)
        missing, extra = f"{here} FILTER NOT EXISTS {{ {there} }}", f"{there} FILTER NOT EXISTS {{ {here} }}"
    wrong = f"LATERAL {{ {{ {missing} }} UNION {{ {extra} }} }}"
    return Pattern("equals", component("equals"), wrong, value, wants=other)


def _not_closed(scope: Scope, shape: Shape, this: str, allowed: list[PropertyPath | None]) -> Pattern:
    """sh:closed: triples of predicates that no property shape has as its path (SHACL §4.8.1)."""
    predicate, value = scope.fresh(), scope.fresh()
    node, reach = this, ""
    if shape.path is not None:
        node = scope.fresh()
        reach = scope.step(this, shape.path, node) + " "
    names = [path for path in allowed if isinstance(path, NamedNode)]
    names += [name for group in shape.values.get("ignoredProperties", ()) for name in group]
    known = ", ".join(sorted(scope.constant(name) for name in names))
    # The store takes an empty IN for an error.
    unknown = f"{predicate} NOT IN ({known}) && " if known else ""
    # As in pyshacl: that everything is a resource is no statement.
    nothing = f"({predicate} = <{RDF}type> && {value} = <{RDFS}Resource>)"
    triples = f"{reach}LATERAL {{ {scope.any_step(node, predicate, value)} }}"
    wrong = f"{triples} FILTER({unknown}!{nothing})"
    return Pattern("closed", component("closed"), wrong, value, predicate)
