"""What stores answer, read: results in the formats of the field, as terms of our own.

A store may answer with another type than it was asked for, in other forms of the same terms, or with half an answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    parse,
    parse_query_results,
)

from culturegraph.errors import UpstreamError
from culturegraph.rdf.vocabulary import BASE
from culturegraph.store.remote.upstream import Body, Endpoint, media_type

_FORMATS: Final = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "application/xml": QueryResultsFormat.XML,
}
_RDF: Final = {
    "application/n-triples": RdfFormat.N_TRIPLES,
    "text/plain": RdfFormat.N_TRIPLES,
    "text/ntriples": RdfFormat.N_TRIPLES,
    "text/turtle": RdfFormat.TURTLE,
}
_SKOLEM: Final = BASE + ".well-known/genid/"
_NORMALISED: Final = frozenset(
    f"http://www.w3.org/2001/XMLSchema#{name}" for name in ("boolean", "decimal", "double", "float", "integer")
)


def select(
    endpoint: Endpoint,
    query: str,
    default: Sequence[str],
    patience: float | None = None,
    named: Sequence[str] = (),
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a SELECT over some graphs, as they arrive. Raises UpstreamError where they are none."""
    body = endpoint.ask(query, default=default, named=named, patience=patience)
    try:
        outcome = read_results(body)
        if not isinstance(outcome, QuerySolutions):
            raise UpstreamError(f"{body.place} answers a SELECT with a boolean")
        names = [variable.value for variable in outcome.variables]
        for row in outcome:
            yield tuple(read_term(row[name]) for name in names)
    except SyntaxError as error:
        raise UpstreamError(f"{body.place} answers with a malformed result: {error}") from error
    finally:
        body.close()


def read_results(body: Body) -> QuerySolutions | QueryBoolean:
    """Return an answer as it arrives. Raises SyntaxError where it is malformed, here or when it is read further."""
    return _read_boolean(parse_query_results(cast(Any, body), _format(media_type(body.response.headers), _FORMATS)))


def write_term(term: Any) -> Any:
    """Return a term as it is published: a blank node gets a name that outlasts requests (RDF 1.1 Concepts §3.5)."""
    return NamedNode(_SKOLEM + term.value) if isinstance(term, BlankNode) else term


def read_term(term: Any) -> Any:
    """Return a term of the store as our data has it: blank nodes; one form of numbers and booleans."""
    if isinstance(term, NamedNode) and term.value.startswith(_SKOLEM):
        return BlankNode(term.value.removeprefix(_SKOLEM))
    if isinstance(term, Literal) and term.datatype.value in _NORMALISED:
        return _normalise(term)
    return term


@lru_cache(maxsize=20_000)
def _normalise(literal: Literal) -> Literal:
    """Return a number or boolean in the form that the embedded engine gives it."""
    store, name = Store(), NamedNode(BASE)
    store.add(Quad(name, name, literal))
    return cast(Literal, next(iter(store)).object)


def _format(kind: str, known: Mapping[str, Any]) -> Any:
    if kind not in known:
        raise UpstreamError(
            f"the store answers with {kind or 'no media type'}, not with {' or '.join(list(known)[:3])}"
        )
    return known[kind]


def read_whole(kind: str, data: bytes) -> QuerySolutions | QueryBoolean | QueryTriples:
    """Return an answer that was read whole, as the embedded engine gives it."""
    if kind in _RDF:
        store = Store()
        store.bulk_extend(Quad(*quad.triple) for quad in parse(data, _RDF[kind]))
        return store.query("CONSTRUCT WHERE { ?s ?p ?o }")
    form = _format(kind, _FORMATS)
    # Read once to its end: what is malformed must not be noticed in the middle of a page.
    if isinstance(whole := parse_query_results(data, form), QuerySolutions):
        deque(whole, maxlen=0)
    return _read_boolean(parse_query_results(data, form))


def _read_boolean(outcome: QuerySolutions | QueryBoolean) -> QuerySolutions | QueryBoolean:
    """Return an answer; the boolean itself where a store (Virtuoso) writes it as a table."""
    if isinstance(outcome, QuerySolutions) and [name.value for name in outcome.variables] == ["__ASK_RETVAL"]:
        told = [row[0].value for row in outcome]
        value = "true" if told and told[0] in ("1", "true") else "false"
        return parse_query_results(f'{{"head":{{}},"boolean":{value}}}', QueryResultsFormat.JSON)
    return outcome


def read_triples(body: Body) -> Iterator[Triple]:
    """Return the triples of an answer as they arrive. Raises SyntaxError as `read_results` does."""
    reader = parse(cast(Any, body), _format(media_type(body.response.headers), _RDF))

    def read() -> Iterator[Triple]:
        try:
            for quad in reader:
                yield quad.triple
        finally:
            body.close()

    return read()
