"""Between pyoxigraph and rdflib. Only building needs rdflib; a server never imports this module."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pyoxigraph as ox
import rdflib


@lru_cache(maxsize=100_000)
def term_to_rdflib(term: Any) -> Any:
    """Return the rdflib term of a pyoxigraph term, with its lexical form as it is."""
    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    # normalize=False: the lexical form is what the shapes judge.
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    datatype = term.datatype.value
    if datatype == "http://www.w3.org/2001/XMLSchema#string":
        return rdflib.Literal(term.value)
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(datatype), normalize=False)


def to_rdflib(triples: Iterable[ox.Quad | ox.Triple]) -> rdflib.Graph:
    """Return a plain in-memory rdflib graph of the triples (graph names are dropped)."""
    graph = rdflib.Graph(bind_namespaces="none")
    for triple in triples:
        graph.add((term_to_rdflib(triple.subject), term_to_rdflib(triple.predicate), term_to_rdflib(triple.object)))
    return graph


def term_from_rdflib(node: Any) -> ox.NamedNode | ox.BlankNode | ox.Literal:
    """Return the pyoxigraph term of an rdflib term."""
    if isinstance(node, rdflib.URIRef):
        return ox.NamedNode(str(node))
    if isinstance(node, rdflib.BNode):
        return ox.BlankNode(str(node))
    if isinstance(node, rdflib.Literal):
        if node.language:
            return ox.Literal(str(node), language=node.language)
        return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype)) if node.datatype else None)
    raise TypeError(f"not an RDF term: {node!r}")


def from_rdflib(graph: rdflib.Graph, name: ox.NamedNode) -> list[ox.Quad]:
    """Return the quads of an rdflib graph under a graph name."""
    quads = []
    for s, p, o in graph:
        subject, predicate = term_from_rdflib(s), term_from_rdflib(p)
        if isinstance(subject, ox.Literal) or not isinstance(predicate, ox.NamedNode):
            raise TypeError(f"not an RDF triple: {(s, p, o)!r}")
        quads.append(ox.Quad(subject, predicate, term_from_rdflib(o), name))
    return quads
