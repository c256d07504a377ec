"""Short paths through a graph, as `queries/pages/entity.yaml` writes: `cg:a/cg:b`, `^cg:a`, `cg:a|cg:b`, `cg:a[cg:C]`.

They walk the merged graph from one node. A small part of SPARQL 1.1 §9 on purpose: no repetition, so that the cost of a
page stays in sight; what needs more is a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad

from culturegraph.errors import DataError
from culturegraph.protocols.foreign_terms import FOREIGN_PREFIXES
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import PREFIXES, TYPE

# Nodes that a path may reach at each step: beyond, a sentence counts and does not name.
MAX_NODES: Final = 20_000
_STEP: Final = re.compile(r"(\^?)([\w-]+:[\w-]+)(?:\[([\w-]+:[\w-]+)\])?")
_MERGE: Final = DefaultGraph()


@dataclass(frozen=True)
class Step:
    """One property, forwards or backwards; what it leads to must be of the class where one is given."""

    predicate: NamedNode
    is_inverse: bool = False
    kind: NamedNode | None = None


@dataclass(frozen=True)
class Path:
    """Alternatives, each a row of steps; the first that leads anywhere is taken. `counts`: only how many."""

    alternatives: tuple[tuple[Step, ...], ...]
    counts: bool = False

    def nodes(self, store: Dataset, start: NamedNode) -> list[Any]:
        """Return what the path leads to, each node once, in the order of the store."""
        for steps in self.alternatives:
            found: list[Any] = [start]
            for step in steps:
                found = list(dict.fromkeys(islice(_walk(store, found, step), MAX_NODES)))
            if found:
                return found
        return []


def read_path(text: str, file: str = "") -> Path:
    """Return the path that a text writes. Raises DataError."""
    body, counts = text.strip(), False
    if (counted := re.fullmatch(r"count\((.+)\)", body)) is not None:
        body, counts = counted[1], True
    return Path(
        tuple(
            tuple(_read_step(step, text, file) for step in alternative.split("/")) for alternative in body.split("|")
        ),
        counts,
    )


def expand(name: str, file: str = "") -> str:
    """Return the IRI of a prefixed name. Raises DataError where its prefix is unknown."""
    prefix, colon, local = name.partition(":")
    known = {**FOREIGN_PREFIXES, **PREFIXES}
    if not colon or prefix not in known:
        raise DataError(f"`{name}` is no prefixed name that is known here", file)
    return known[prefix] + local


def _read_step(step: str, text: str, file: str) -> Step:
    match = _STEP.fullmatch(step.strip())
    if match is None:
        raise DataError(f"`{text}` is no path: `{step}` cannot be read", file)
    kind = NamedNode(expand(match[3], file)) if match[3] else None
    return Step(NamedNode(expand(match[2], file)), bool(match[1]), kind)


def _walk(store: Dataset, nodes: list[Any], step: Step) -> Iterator[Any]:
    for node in nodes:
        if step.is_inverse:
            found: Iterator[Any] = (q.subject for q in store.quads_for_pattern(None, step.predicate, node, _MERGE))
        elif isinstance(node, NamedNode | BlankNode):
            found = (q.object for q in store.quads_for_pattern(node, step.predicate, None, _MERGE))
        else:
            continue
        yield from (other for other in found if step.kind is None or _is_a(store, other, step.kind))


def _is_a(store: Dataset, node: Any, kind: NamedNode) -> bool:
    return isinstance(node, NamedNode | BlankNode) and Quad(node, TYPE, kind, _MERGE) in store
