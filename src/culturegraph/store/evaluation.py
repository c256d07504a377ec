"""One query against one store: what is refused beforehand, which dataset it sees, how its answer is written.

Pure and blocking. Solutions are bound to the thread that evaluates: write the answer in the thread that called
`evaluate`. Which threads or processes do so is the business of `store.evaluators`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final, NamedTuple, Protocol, cast
from typing import Literal as OneOf

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
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
    serialize,
)

from culturegraph.errors import LimitExceededError, NotAcceptableError, QuerySyntaxError, RequestError, UpstreamError
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.formats import GRAPHS, RESULTS
from culturegraph.rdf.sparql_text import Outline, locate_syntax_error, outline
from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.store.snapshot import Snapshot
from culturegraph.store.text_search import HasTextIndex, rewrite

Kind = OneOf["boolean", "solutions", "graph"]

# The engine walks queries recursively and crashes the process where its stack ends. Measured with a stack of
# STACK_SIZE: nesting of 5,000 and chains of 20,000 operators pass; planning time grows with the square of chains.
STACK_SIZE: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 100
MAX_OPERATORS: Final = 2_000
# Quads copied, one by one, to evaluate on the union of several graphs.
MAX_UNION: Final = 1_000_000
MAX_QUERY_SIZE: Final = 1_000_000


# What the tokens of a plain query say.
_PLAIN: Final = Outline()


class TooLargeError(LimitExceededError):
    """A request that is larger than the stated limit."""

    title = "Request too large"
    status = 413


class Task(NamedTuple):
    """A query, the dataset that its request names (if any), and the formats of its answer."""

    query: str
    results: QueryResultsFormat = QueryResultsFormat.JSON
    graph: RdfFormat = RdfFormat.TURTLE
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    # At most so many solutions are written, and `head.truncated` says so. In JSON only.
    rows: int | None = None
    # The address of who asks: limits and logs of evaluators that are processes go by it.
    client: str = ""


@dataclass(slots=True)
class Answer:
    """An evaluated query, not yet written. Bound to its thread."""

    kind: Kind
    # Triples as they arrive are a graph, like QueryTriples.
    outcome: QueryBoolean | QuerySolutions | QueryTriples | Iterator[Triple]
    task: Task
    # True where the same query may give another answer from the same snapshot: NOW(), RAND(), UUID().
    volatile: bool = False

    def write(self, output: IO[bytes]) -> None:
        """Serialise as it is evaluated; whatever `output.write` raises ends the evaluation."""
        try:
            if not isinstance(self.outcome, (QueryBoolean, QuerySolutions)):
                _write_graph(self.outcome, self.task, output)
            elif isinstance(self.outcome, QuerySolutions) and self.task.rows is not None:
                output.write(_first_rows(self.outcome, self.task.rows))
            else:
                self.outcome.serialize(output, self.task.results)
        except SyntaxError as error:
            raise UpstreamError(f"the store's answer is malformed or cut off: {error}") from error


class Elsewhere(Dataset, Protocol):
    """A dataset of a store on another server, which evaluates queries itself."""

    def evaluate(
        self, query: str, default: Sequence[str] | None, named: Sequence[str] | None, /, *, is_own: bool
    ) -> QueryBoolean | QuerySolutions | QueryTriples | Iterator[Triple]:
        """Evaluate a query on a dataset given by the names of its graphs; None stands for all that there is.

        `is_own`: the query is of our pages, and not what a client wrote.
        """
        ...


def evaluate(
    store: Dataset,
    task: Task,
    max_query_size: int = MAX_QUERY_SIZE,
    services: Collection[str] = frozenset(),
    snapshot: HasTextIndex | None = None,
) -> Answer:
    """Check a query and start to evaluate it.

    `services` are the endpoints that SERVICE may name; `snapshot` answers text search (`store.text_search`).

    Raises QuerySyntaxError (line and column), RequestError (SERVICE, update forms, unknown functions),
    LimitExceededError (size, nesting, number of operators).
    """
    told = check(task.query, max_query_size, services)
    text = task.query if told is _PLAIN or snapshot is None else rewrite(task.query, snapshot)
    if not isinstance(store, Store):
        return _evaluate_elsewhere(cast(Elsewhere, store), task, text)
    try:
        if task.default_graphs or task.named_graphs or len(told.default_graphs) > 1:
            dataset, options = _dataset(store, task, told)
            outcome = dataset.query(text, **options)
        else:
            outcome = store.query(text)
    except SyntaxError as error:
        _refuse_update(outline(task.query))
        line, column, message = locate_syntax_error(task.query, error)
        raise QuerySyntaxError(message, line, column) from error
    except RuntimeError as error:
        raise RequestError(str(error)) from error
    kind: Kind = (
        "graph"
        if isinstance(outcome, QueryTriples)
        else "boolean"
        if isinstance(outcome, QueryBoolean)
        else "solutions"
    )
    return Answer(kind, outcome, task, told.volatile)


def evaluate_to(snapshot: Snapshot, query: str, format_name: str | None, output: IO[bytes]) -> None:
    """Write the answer to a query in a format given by its short name; JSON or Turtle where none is given.

    Raises NotAcceptableError where the format does not suit the query, besides what `evaluate` raises.
    """
    results = [offer for offer in RESULTS if format_name is None or offer.is_called(format_name)]
    graphs = [offer for offer in GRAPHS if format_name is None or offer.is_called(format_name)]
    task = Task(query)
    if results and results[0].results:
        task = task._replace(results=results[0].results)
    if graphs and graphs[0].rdf:
        task = task._replace(graph=graphs[0].rdf)
    answer = evaluate(snapshot.store, task, snapshot=snapshot)
    if not (graphs if answer.kind == "graph" else results):
        offered = ", ".join(offer.name for offer in (GRAPHS if answer.kind == "graph" else RESULTS))
        raise NotAcceptableError(f"not a format for this query: {format_name}; available: {offered}")
    answer.write(output)


def evaluate_rows(snapshot: Snapshot, query: str) -> tuple[list[str], list[list[str]]]:
    """Return the answer to a query as a header and rows of plain text."""
    outcome = evaluate(snapshot.store, Task(query), snapshot=snapshot).outcome
    if isinstance(outcome, QueryBoolean):
        return ["answer"], [["true" if outcome else "false"]]
    if not isinstance(outcome, QuerySolutions):
        return ["subject", "predicate", "object"], [[_plain(term) for term in triple] for triple in outcome]
    header = [variable.value for variable in outcome.variables]
    return header, [[_plain(row[name]) for name in header] for row in outcome]


def _plain(term: Any) -> str:
    return "" if term is None else term.value if hasattr(term, "value") else str(term)


def check(query: str, max_query_size: int = MAX_QUERY_SIZE, services: Collection[str] = frozenset()) -> Outline:
    """Refuse what must not reach the engine; return what the tokens of the query say (little where it is plain)."""
    if len(query) * 4 > max_query_size and len(query.encode()) > max_query_size:
        raise TooLargeError(f"a query may have {max_query_size:,} bytes")
    if len(query) <= MAX_OPERATORS and query.count("{") + query.count("(") + query.count("[") <= MAX_DEPTH:
        # So short and simple that, as for most queries, nothing depends on its tokens: an operator takes a character, a
        # level a bracket; these words may name SERVICE, datasets, volatile functions, text search. Spelt out, as a loop
        # takes as long again as all of this.
        words = query.lower()
        if not (
            "service" in words
            or "from" in words
            or "now" in words
            or "rand" in words
            or "uuid" in words
            or "textmatch" in words
        ):
            return _PLAIN
    told = outline(query, services=services)
    if told.depth > MAX_DEPTH:
        raise RequestError(f"a query may nest brackets {MAX_DEPTH} deep")
    if told.operators > MAX_OPERATORS:
        raise RequestError(f"a query may have {MAX_OPERATORS:,} operators (UNION, FILTER, ||, + …)")
    if told.service:
        allowed = f"only of {', '.join(sorted(services))}, spelt out" if services else "this endpoint queries no other"
        raise RequestError(
            f"SERVICE is not allowed here: {allowed}. (A prefix whose name contains `service` reads like one; give it "
            "another name.)"
        )
    _refuse_update(told)
    return told


def _refuse_update(told: Outline) -> None:
    if told.update:
        raise RequestError(f"{told.update} is an update; this endpoint only reads")


def _evaluate_elsewhere(store: Elsewhere, task: Task, text: str) -> Answer:
    """Have a query evaluated by the store that holds the dataset."""
    told = outline(task.query)
    _refuse_update(told)
    if told.service:
        raise RequestError("SERVICE is not passed on to the store behind this endpoint")
    is_given = bool(task.default_graphs or task.named_graphs or told.default_graphs or told.named_graphs)
    in_request = bool(task.default_graphs or task.named_graphs)
    default = _nodes(task.default_graphs if in_request else told.default_graphs)
    named = _nodes(task.named_graphs if in_request else told.named_graphs)
    if len(default) > 1:
        # Engines differ in whether they count twice what two graphs say: here it is counted once, as at home.
        return evaluate(_fetch(store, [*default, *named]), task._replace(query=text))
    is_own = not task.client
    outcome = (
        store.evaluate(text, [node.value for node in default], [node.value for node in named], is_own=is_own)
        if is_given
        else store.evaluate(text, None, None, is_own=is_own)
    )
    kind: Kind = (
        "boolean"
        if isinstance(outcome, QueryBoolean)
        else "solutions"
        if isinstance(outcome, QuerySolutions)
        else "graph"
    )
    return Answer(kind, outcome, task, told.volatile)


def _dataset(store: Store, task: Task, told: Outline) -> tuple[Store, dict[str, Any]]:
    """Return the store to evaluate on and the options of its `query`, where the engine does not find them itself.

    A dataset in the request replaces FROM. The engine counts a triple of two default graphs twice, so two or more are
    copied into one.

    Source: SPARQL 1.1 Protocol §2.1.4.
    """
    in_request = bool(task.default_graphs or task.named_graphs)
    default = _nodes(task.default_graphs if in_request else told.default_graphs)
    named = _nodes(task.named_graphs if in_request else told.named_graphs)
    if len(default) > 1:
        return _union(store, default, named), {"default_graph": DefaultGraph(), "named_graphs": named}
    return store, {"default_graph": default, "named_graphs": named}


def _nodes(iris: Sequence[str]) -> list[NamedNode]:
    try:
        return [NamedNode(iri) for iri in dict.fromkeys(iris)]
    except ValueError as error:
        raise RequestError(f"not the IRI of a graph: {error}") from error


def _union(store: Store, default: Sequence[NamedNode], named: Sequence[NamedNode]) -> Store:
    def quads() -> Iterator[Quad]:
        for graph in default:
            for quad in store.quads_for_pattern(None, None, None, graph):
                yield Quad(quad.subject, quad.predicate, quad.object)
        for graph in named:
            yield from store.quads_for_pattern(None, None, None, graph)

    return _copy(quads())


def _fetch(store: Dataset, graphs: Iterable[NamedNode]) -> Store:
    return _copy(quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph))


def _copy(quads: Iterable[Quad]) -> Store:
    copied = list(islice(quads, MAX_UNION + 1))
    if len(copied) > MAX_UNION:
        raise LimitExceededError(
            f"a query over several default graphs may draw on {MAX_UNION:,} quads; leave the graphs out to query "
            "their merge, or name fewer"
        )
    store = Store()
    store.bulk_extend(copied)
    return store


def _write_graph(triples: QueryTriples | Iterator[Triple], task: Task, output: IO[bytes]) -> None:
    fmt = task.graph
    if isinstance(triples, QueryTriples) and fmt in (RdfFormat.N_TRIPLES, RdfFormat.N_QUADS):
        triples.serialize(output, fmt)
        return
    prefixes = outline(task.query).prefixes or dict(PREFIXES)
    if fmt.supports_datasets and fmt != RdfFormat.JSON_LD:
        quads = (Quad(triple.subject, triple.predicate, triple.object) for triple in triples)
        serialize(quads, output, fmt, prefixes=prefixes)
    else:
        serialize(triples, output, fmt, prefixes=prefixes)


def _json_term(term: Any) -> dict[str, Any]:
    """Return one term as SPARQL 1.1 Query Results JSON (§3.2.2) has it."""
    if isinstance(term, NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, BlankNode):
        return {"type": "bnode", "value": term.value}
    if not isinstance(term, Literal):
        return {"type": "literal", "value": str(term)}
    extra = {"xml:lang": term.language} if term.language else {"datatype": term.datatype.value}
    return {"type": "literal", "value": term.value, **extra}


def _first_rows(solutions: QuerySolutions, limit: int) -> bytes:
    """Return the first solutions as SPARQL results in JSON, with `head.truncated` where there are more."""
    rows = list(islice(solutions, limit + 1))
    names = [variable.value for variable in solutions.variables]
    terms = [{name: _json_term(row[name]) for name in names if row[name] is not None} for row in rows[:limit]]
    head = {"vars": names, "truncated": len(rows) > limit}
    return json.dumps({"head": head, "results": {"bindings": terms}}, ensure_ascii=False).encode()
