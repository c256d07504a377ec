"""One byte sequence for one set of quads: canonical blank nodes, sorted N-Quads, SHA-256.

Source: W3C RDF Dataset Canonicalization (RDFC-1.0); W3C RDF 1.1 N-Quads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, serialize

from culturegraph.rdf.graphs import UNHASHED


def canonicalise(quads: Iterable[Quad]) -> list[Quad]:
    """Return each quad once, blank nodes labelled by RDFC-1.0, sorted by its N-Quads line."""
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(dataset, key=str)


def to_nquads(quads: Iterable[Quad]) -> bytes:
    """Return the canonical quads as sorted N-Quads; give it what `canonicalise` returned."""
    data = serialize(quads, format=RdfFormat.N_QUADS)
    return b"".join(sorted((data or b"").splitlines(keepends=True)))


def content_hash(quads: Iterable[Quad]) -> str:
    """Return the SHA-256 (hexadecimal) of canonical quads, catalogue and validation report left out."""
    kept = [quad for quad in quads if quad.graph_name not in UNHASHED]
    return hashlib.sha256(to_nquads(kept)).hexdigest()
