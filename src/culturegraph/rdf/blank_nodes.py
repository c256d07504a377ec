"""Blank nodes with labels that say what they are made of, so that the same structure is the same in two graphs.

The labels of RDFC-1.0 are stable within one data set only: one more list renumbers all others. Here a label is a hash
of the statements about the node and, in turn, about the blank nodes that these lead to.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from pyoxigraph import BlankNode, Quad


def settle(quads: Iterable[Quad]) -> list[Quad]:
    """Return each quad once, with blank nodes labelled by content. Two structures that say the same become one.

    A node of a circle counts there by its own label, so circles may differ though they say the same.
    """
    given = list(quads)
    about: dict[BlankNode, list[Quad]] = defaultdict(list)
    for quad in given:
        if isinstance(quad.subject, BlankNode):
            about[quad.subject].append(quad)
    known: dict[BlankNode, BlankNode] = {}

    def label(node: BlankNode, above: frozenset[BlankNode]) -> BlankNode:
        if node not in known:
            if node in above:
                return node
            inside = above | {node}
            lines = sorted(f"{q.predicate} {term(q.object, inside)} {q.graph_name}" for q in about[node])
            known[node] = BlankNode("b" + hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32])
        return known[node]

    def term(value: Any, above: frozenset[BlankNode] = frozenset()) -> Any:
        return label(value, above) if isinstance(value, BlankNode) else value

    return list(dict.fromkeys(Quad(term(q.subject), q.predicate, term(q.object), q.graph_name) for q in given))
