"""Statements as things with a name: the hash and the IRI of a triple."""

from __future__ import annotations

from hashlib import sha256

from pyoxigraph import NamedNode, Triple

from culturegraph.rdf.vocabulary import BASE

STATEMENT = BASE + "statement/"


def statement_hash(triple: Triple) -> str:
    """Return the SHA-256, in hexadecimal, of the triple's canonical N-Triples line, newline included.

    So `printf '%s\\n' '<s> <p> <o> .' | sha256sum` gives the same. A blank node counts with its label, which is stable
    within one release only (RDFC-1.0 gives it); language tags are in lower case.

    Source: RDF 1.2 N-Triples §4 (canonical form).
    """
    return sha256(f"{triple} .\n".encode()).hexdigest()


def statement_iri(triple: Triple) -> NamedNode:
    """Return the IRI under which a statement is explained."""
    return NamedNode(STATEMENT + statement_hash(triple))
