"""Targets: which nodes a shape chooses as focus nodes, as a SPARQL pattern.

Source: SHACL §2.1.3 (Targets); SHACL Advanced Features §3.1 (SPARQL-based targets).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from pyoxigraph import BlankNode, NamedNode, Store

from culturegraph.rdf.vocabulary import RDFS
from culturegraph.validation.results import Term
from culturegraph.validation.shapes import Shape

# How the pattern of several targets begins: a node is the focus once, however many lead to it.
UNION = "{ SELECT DISTINCT ?this WHERE"
A = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


class Uncompilable(Exception):
    """What a shape asks for has no SPARQL form here."""


class Terms(Protocol):
    """How terms and steps are written in SPARQL (see `compiler.Scope`)."""

    def constant(self, value: Term) -> str:
        """Return the term as SPARQL."""

    def step(self, subject: str, path: NamedNode, value: str) -> str:
        """Return the pattern from subject to value."""

    def subclasses(self, cls: Term) -> list[str]:
        """Return the class and its subclasses in the data, as SPARQL."""


def subclass_closure(store: Store) -> Callable[[str], list[str]]:
    """Return a function from a class to itself and all its subclasses, by the rdfs:subClassOf of the data."""
    direct: dict[str, list[str]] = {}
    for quad in store.quads_for_pattern(None, NamedNode(RDFS + "subClassOf"), None, None):
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode):
            direct.setdefault(quad.object.value, []).append(quad.subject.value)

    def closure(cls: str) -> list[str]:
        found, stack = [cls], [cls]
        while stack:
            for below in direct.get(stack.pop(), ()):
                if below not in found:
                    found.append(below)
                    stack.append(below)
        return found

    return closure


def focus_pattern(shape: Shape, terms: Terms, sparql_targets: Mapping[Term, str]) -> str:
    """Return the pattern that binds ?this to every focus node of the shape, each once.

    `sparql_targets` holds the pattern of each SPARQL-based target, which is evaluated beforehand.
    """
    classes = [*shape.targets["targetClass"], *([shape.node] if shape.implicit_class else [])]
    members = [member for cls in classes for member in terms.subclasses(cls)]
    branches = []
    if members:
        branches.append(_instances(sorted(set(members))))
    nodes = shape.targets["targetNode"]
    if any(isinstance(node, BlankNode) for node in nodes):
        raise Uncompilable("a blank node as sh:targetNode")
    if nodes:
        branches.append(f"VALUES ?this {{ {' '.join(terms.constant(node) for node in nodes)} }}")
    for predicate in shape.targets["targetSubjectsOf"]:
        branches.append(terms.step("?this", _predicate(predicate), "?cgo"))
    for predicate in shape.targets["targetObjectsOf"]:
        branches.append(terms.step("?cgs", _predicate(predicate), "?this"))
    if any(target not in sparql_targets for target in shape.targets["target"]):
        raise Uncompilable("a target type of its own")
    branches += [sparql_targets[target] for target in shape.targets["target"]]
    if len(branches) == 1 and (nodes or len(set(members)) == 1):
        return branches[0]
    union = " UNION ".join(f"{{ {branch} }}" for branch in branches)
    return f"{UNION} {{ {union} }} }}"


def _instances(classes: list[str]) -> str:
    if len(classes) == 1:
        return f"?this {A} {classes[0]} ."
    return f"VALUES ?cgc {{ {' '.join(classes)} }} ?this {A} ?cgc ."


def _predicate(value: Term) -> NamedNode:
    if not isinstance(value, NamedNode):
        raise Uncompilable("a target predicate that is no IRI")
    return value
