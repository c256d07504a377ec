"""SHACL property paths as people read them: names of properties with signs between. Pure: a store in, values out.

Source: SHACL §2.3.1 (property paths); SPARQL 1.1 §9.1 for the signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pyoxigraph import BlankNode, NamedNode

from culturegraph.protocols.labels import Labels, Name, Reference, refer
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import VALIDATION
from culturegraph.rdf.vocabulary import RDF, SH

_FIRST, _REST = NamedNode(RDF + "first"), NamedNode(RDF + "rest")
_REPEATS: Final = {SH + "zeroOrMorePath": "*", SH + "oneOrMorePath": "+", SH + "zeroOrOnePath": "?"}
# A path nested deeper, or a list that is longer or closed to a ring, ends in an ellipsis.
_DEPTH: Final = 8
_LENGTH: Final = 50


def read_path(store: Dataset, node: Any, labels: Labels) -> tuple[Reference, ...]:
    """Return a path as a row of properties and, without a link, the signs between them."""
    return tuple(_read(store, node, labels, 0))


def _read(store: Dataset, node: Any, labels: Labels, depth: int) -> Iterator[Reference]:
    if not isinstance(node, BlankNode):
        yield refer(node, labels)
        return
    if depth > _DEPTH:
        yield _sign("…")
        return
    about = {quad.predicate.value: quad.object for quad in store.quads_for_pattern(node, None, None, VALIDATION)}
    if _FIRST.value in about:
        yield from _join(store, node, " / ", labels, depth)
    elif SH + "alternativePath" in about:
        yield from _join(store, about[SH + "alternativePath"], " | ", labels, depth)
    elif SH + "inversePath" in about:
        yield _sign("^")
        yield from _read(store, about[SH + "inversePath"], labels, depth + 1)
    else:
        inner = next((key for key in _REPEATS if key in about), None)
        if inner is None:
            yield _sign("…")
            return
        yield from _read(store, about[inner], labels, depth + 1)
        yield _sign(_REPEATS[inner])


def _join(store: Dataset, head: Any, sign: str, labels: Labels, depth: int) -> Iterator[Reference]:
    if depth:
        yield _sign("(")
    for place, member in enumerate(_members(store, head)):
        if place:
            yield _sign(sign)
        yield from _read(store, member, labels, depth + 1)
    if depth:
        yield _sign(")")


def _members(store: Dataset, head: Any) -> Iterator[Any]:
    for _ in range(_LENGTH):
        if not isinstance(head, BlankNode):
            return
        about = {quad.predicate: quad.object for quad in store.quads_for_pattern(head, None, None, VALIDATION)}
        if _FIRST not in about:
            return
        yield about[_FIRST]
        head = about.get(_REST)


def _sign(text: str) -> Reference:
    return Reference(Name(text))
