"""Explanations as a user asks for them: a statement of the published graph, its proof, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pyoxigraph import RdfFormat, Triple, serialize

from culturegraph.errors import NotFoundError, UsageError
from culturegraph.explanation.proofs import Explainer, Proof
from culturegraph.explanation.prose import tell
from culturegraph.explanation.provenance import to_provenance
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.statements import find_statement, read_statement
from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.rules import read_rules
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Found:
    """A statement of a store with its proof."""

    store: Dataset
    statement: Triple
    proof: Proof


def find(settings: Settings, terms: Sequence[str]) -> Found:
    """Return the statement that three terms, or its hash, name, with its proof.

    Raises UsageError where they name none, NotFoundError where the graph does not hold it.
    """
    store = open_current(settings.store).store
    if len(terms) == 1 and _HASH.fullmatch(terms[0]):
        statement = find_statement(store, terms[0])
    elif len(terms) == 3:
        statement = read_statement(*terms)
    else:
        raise UsageError("give a subject, a predicate and an object, or the hash of a statement (64 digits)")
    if statement is None:
        raise NotFoundError(f"no statement of the graph has the hash {terms[0]}")
    proof = Explainer(store, read_rules(settings.queries / "rules")).explain(statement)
    return Found(store, statement, proof)


def as_sentences(found: Found, language: str) -> str:
    """Return the proof in prose, each premise indented below what it supports."""
    lines = (f"{'  ' * sentence.depth}{sentence.text}" for sentence in tell(found.proof, found.store, language))
    return "\n".join(lines) + "\n"


def as_provenance(found: Found) -> str:
    """Return the proof as PROV, in Turtle."""
    triples = (quad.triple for quad in to_provenance(found.proof))
    data = serialize(triples, format=RdfFormat.TURTLE, prefixes=dict(PREFIXES))
    return (data or b"").decode()
