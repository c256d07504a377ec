"""Statements as things with a name: the hash and the IRI of a triple."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from pyoxigraph import DefaultGraph, NamedNode, RdfFormat, Triple, parse

from culturegraph.errors import UsageError
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import BASE, PREFIXES

STATEMENT = BASE + "statement/"
_BELOW_BASE = re.compile(r"(id|schemes|ontology|graph)/")


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


def read_statement(subject: str, predicate: str, value: str) -> Triple:
    """Return the triple that three terms write: as in Turtle with our prefixes, or an address below the base IRI.

    So `id/norm/law-29073`, `cg:amends` and `"2012"^^xsd:gYear` are terms. Raises UsageError where they make no triple.
    """
    terms = [f"<{BASE}{term}>" if _BELOW_BASE.match(term) else term for term in (subject, predicate, value)]
    prefixes = "".join(f"PREFIX {name}: <{namespace}>\n" for name, namespace in PREFIXES.items())
    try:
        (quad,) = parse(f"{prefixes}{' '.join(terms)} .", format=RdfFormat.TURTLE)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{' '.join(terms)} is no statement as Turtle writes it: {error}") from error
    triple: Triple = quad.triple
    return triple


def find_statement(store: Dataset, digest: str) -> Triple | None:
    """Return the statement of the default graph with this hash, or None: inferred ones are tried first.

    Hashes everything it passes (about 3 µs a triple); a large graph wants an index of its own.
    """
    graphs: Iterable[NamedNode | DefaultGraph] = (INFERRED, DefaultGraph())
    quads = (quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph))
    return next((quad.triple for quad in quads if statement_hash(quad.triple) == digest), None)
