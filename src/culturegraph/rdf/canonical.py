"""One byte sequence for one set of quads: canonical blank nodes, sorted N-Quads, SHA-256.

Source: W3C RDF Dataset Canonicalization (RDFC-1.0); W3C RDF 1.1 N-Quads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, Triple, serialize

from culturegraph.rdf.graphs import UNHASHED

# A quoted triple may hold one.
_UNNAMED: Final = (BlankNode, Triple)


def canonicalise(quads: Iterable[Quad]) -> list[Quad]:
    """Return each quad once, blank nodes labelled by RDFC-1.0, sorted by its N-Quads line."""
    return sorted(label_blank_nodes(quads), key=str)


def label_blank_nodes(quads: Iterable[Quad]) -> list[Quad]:
    """Return each quad once, blank nodes labelled by RDFC-1.0, in no order.

    The labels depend on the quads with blank nodes alone (§4.4.3 looks at no others), so only they are labelled.
    """
    plain: dict[Quad, None] = {}
    blank: list[Quad] = []
    for quad in quads:
        if not any(isinstance(term, _UNNAMED) for term in (quad.subject, quad.object, quad.graph_name)):
            plain[quad] = None
        else:
            blank.append(quad)
    dataset = Dataset(blank)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return [*plain, *dataset]


def to_nquads(quads: Iterable[Quad]) -> bytes:
    """Return the canonical quads as sorted N-Quads; give it what `canonicalise` returned."""
    data = serialize(quads, format=RdfFormat.N_QUADS)
    return b"".join(sorted((data or b"").splitlines(keepends=True)))


def content_hash(quads: Iterable[Quad]) -> str:
    """Return the SHA-256 (hexadecimal) of the canonical form of quads, catalogue, report and geometry left out.

    Whatever labels the blank nodes came with: what is left out may have had a part in them.
    """
    kept = label_blank_nodes(quad for quad in quads if quad.graph_name not in UNHASHED)
    return hashlib.sha256(to_nquads(kept)).hexdigest()
