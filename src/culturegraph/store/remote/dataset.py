"""One published generation of a store on another server, as a dataset (`rdf.dataset`).

A generation never changes: what was read of it is kept, within bounds. Pages ask for many patterns of one subject; the
first of them fetches what the merge says of it.

Or it is copied as a whole when it is opened, where it is small: pages are then made from the copy, and only what
clients ask goes to the store. So pages tell the same on engines that answer some queries wrongly, or not in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    Store,
    Triple,
)

from culturegraph.errors import QuerySyntaxError, RequestError, UpstreamError
from culturegraph.rdf.sparql_text import locate_syntax_error, outline
from culturegraph.store.remote.bounded import Bounded
from culturegraph.store.remote.generation import MERGE, Generation, name_graph, prefix
from culturegraph.store.remote.reading import read_results, read_term, read_triples, read_whole, write_term
from culturegraph.store.remote.upstream import GRAPH, RESULTS, Body, Replicas, media_type
from culturegraph.store.remote.wording import Wording, without_values, word

Term = NamedNode | BlankNode | Literal | Triple | None
_WKT: Final = "http://www.opengis.net/ont/geosparql#wktLiteral"
# Quads of one pattern, triples of one subject that are kept; patterns and answers kept in all.
_PATTERN: Final = 2_000
_SUBJECT: Final = 500
_KEPT_PATTERNS: Final = 50_000
_KEPT_ANSWERS: Final = 64
_ANSWER: Final = 1_000_000


class RemoteDataset:
    """The dataset of a generation. Shared by threads; what it yields is read in the thread that asked."""

    def __init__(self, replicas: Replicas, generation: Generation, copy: Store | None = None) -> None:
        """`copy` answers what is asked, except by clients."""
        self.replicas, self.generation = replicas, generation
        self._named = list(generation.named)
        self._names = {self.name(graph): graph for graph in self._named}
        self._patterns = Bounded[tuple[Any, ...], list[Quad] | None](_KEPT_PATTERNS)
        self._answers = Bounded[str, tuple[str, bytes]](_KEPT_ANSWERS)
        self._copy = copy

    def copy(self) -> Store:
        """Return the generation copied into memory.

        Raises UpstreamError where the store does not give every triple of a graph.
        """
        copy = Store()
        for graph, told in self.generation.graphs.items():
            name = NamedNode(graph) if graph else DefaultGraph()
            quads = set(self._fetch(None, None, None, name, None))
            if len(quads) != told.triples:
                raise UpstreamError(
                    f"the store gives {len(quads):,} of {told.triples:,} triples of <{graph or 'the merge'}>; "
                    "publish again"
                )
            copy.bulk_extend(quads)
        return copy

    def name(self, graph: str) -> str:
        """Return what a graph is called in the store."""
        return name_graph(self.generation.id, graph)

    def contains_named_graph(self, graph_name: NamedNode | BlankNode | DefaultGraph, /) -> bool:
        """Say whether there is a named graph of this name."""
        return isinstance(graph_name, NamedNode) and graph_name.value in self.generation.graphs

    def query(
        self, query: str, /, *, prefixes: Mapping[str, str] | None = None
    ) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Evaluate a query; the answer is read whole before this returns. Raises SyntaxError as the engine does."""
        declared = "".join(f"PREFIX {name}: <{iri}> " for name, iri in (prefixes or {}).items())
        text = declared + query
        if self._copy is not None:
            return self._copy.query(text)
        kept = self._answers.get(text)
        if kept is None:
            wording, answer = self._word(text, self._named)
            body = self._send(wording, [MERGE], GRAPH if answer is QueryTriples else RESULTS)
            try:
                kept = (media_type(body.response.headers), body.read())
            finally:
                body.close()
            outcome = self._read_whole(kept, answer)
            if len(kept[1]) <= _ANSWER:
                self._answers.keep(text, kept)
            return outcome
        return self._read_whole(kept)

    def evaluate(
        self, query: str, default: Sequence[str] | None, named: Sequence[str] | None, *, is_own: bool = False
    ) -> QuerySolutions | QueryBoolean | QueryTriples | Iterator[Triple]:
        """Evaluate a query on the merge, or on the graph of a dataset that was asked for; the answer is a stream.

        `is_own`: it is of our pages. A client's could not be ended here: the store answers it. Raises QuerySyntaxError,
        located in the query, before the store is asked.
        """
        wording, answer = self._word(query, self._named if named is None else named)
        if is_own and self._copy is not None:
            given: dict[str, Any] = {}
            if default is not None:
                given["default_graph"] = [NamedNode(graph) for graph in default]
                given["named_graphs"] = [NamedNode(graph) for graph in named or ()]
            return self._copy.query(query, **given)
        is_graph = answer is QueryTriples
        body = self._send(wording, [MERGE] if default is None else default, GRAPH if is_graph else RESULTS)
        kind = media_type(body.response.headers)
        try:
            if is_graph:
                return read_triples(body)
            outcome = read_results(body)
            _check_kind(outcome, answer)
            return outcome
        except SyntaxError as error:
            body.close()
            raise UpstreamError(f"{body.place} answers with what is no {kind}: {error}") from error
        except BaseException:
            body.close()
            raise

    def quads_for_pattern(
        self,
        subject: Term,
        predicate: NamedNode | None,
        object: Term,  # noqa: A002: as the embedded engine calls it.
        graph_name: NamedNode | BlankNode | DefaultGraph | None = None,
        /,
    ) -> Iterator[Quad]:
        """Yield the quads of a pattern, where None stands for any term (and any graph, the merge included)."""
        if self._copy is not None:
            return self._copy.quads_for_pattern(subject, predicate, object, graph_name)  # type: ignore[arg-type]
        if any(isinstance(term, Triple) for term in (subject, object)) or isinstance(graph_name, BlankNode):
            return iter(())
        if isinstance(graph_name, NamedNode) and graph_name.value not in self.generation.graphs:
            return iter(())
        if isinstance(subject, NamedNode) and object is None and isinstance(graph_name, DefaultGraph):
            about = self._about(subject)
            if about is not None:
                return iter([quad for quad in about if predicate is None or quad.predicate == predicate])
        if isinstance(object, Literal) and subject is not None:
            # Compared here: engines find their own forms of a value, and Virtuoso no geometry at all.
            found = self.quads_for_pattern(subject, predicate, None, graph_name)
            return (quad for quad in found if quad.object == object)
        return self._find(subject, predicate, object, graph_name)

    def __contains__(self, key: Any, /) -> bool:
        quad: Quad = key
        return any(True for _ in self.quads_for_pattern(quad.subject, quad.predicate, quad.object, quad.graph_name))

    def __iter__(self) -> Iterator[Quad]:
        for graph in self.generation.graphs:
            name = NamedNode(graph) if graph else DefaultGraph()
            yield from self.quads_for_pattern(None, None, None, name)

    def __len__(self) -> int:
        return sum(graph.triples for graph in self.generation.graphs.values())

    def _about(self, subject: NamedNode) -> list[Quad] | None:
        """Return what the merge says of a subject; None where that is much, so that patterns are asked one by one."""
        key = ("about", subject)
        if key in self._patterns:
            return self._patterns.get(key)
        found: list[Quad] = []
        for quad in self._find(subject, None, None, DefaultGraph(), limit=_SUBJECT + 1):
            found.append(quad)
        about = found if len(found) <= _SUBJECT else None
        self._patterns.keep(key, about)
        return about

    def _find(
        self,
        subject: Term,
        predicate: NamedNode | None,
        wanted: Term,
        graph_name: Any,
        limit: int | None = None,
    ) -> Iterator[Quad]:
        key = (subject, predicate, wanted, graph_name, limit)
        kept = self._patterns.get(key)
        if kept is not None:
            yield from kept
            return
        found: list[Quad] | None = []
        for quad in self._fetch(subject, predicate, wanted, graph_name, limit):
            if found is not None:
                found.append(quad)
                if len(found) > _PATTERN:
                    found = None
            yield quad
        if found is not None:
            self._patterns.keep(key, found)

    def _fetch(
        self, subject: Term, predicate: NamedNode | None, wanted: Term, graph_name: Any, limit: int | None
    ) -> Iterator[Quad]:
        """Ask for the quads of a pattern and yield them as they arrive."""
        given: tuple[Any, ...] = (subject, predicate, wanted)
        pattern = " ".join(
            str(write_term(term)) if term else f"?{name}" for term, name in zip(given, "spo", strict=True)
        )
        if isinstance(wanted, Literal) and wanted.datatype.value == _WKT:
            # Virtuoso finds no geometry by its literal.
            pattern = f"{pattern.removesuffix(str(wanted))}?o FILTER(STR(?o) = {Literal(wanted.value)})"
        default, named = [MERGE], list[str]()
        text = f"SELECT * {{ {pattern} }}"
        if graph_name is None:
            # The names in the store are passed on as they are: they are read back into our own here.
            text = f"SELECT * {{ {{ {pattern} }} UNION {{ GRAPH ?g {{ {pattern} }} }} }}"
            named = self._named
        elif isinstance(graph_name, NamedNode):
            default = [graph_name.value]
        if all(given) and graph_name is not None:
            # A row without variables is not told by every store.
            text = f"ASK {{ {pattern} }}"
        text += f" LIMIT {limit}" if limit is not None else ""
        body = self._send(Wording(text, named), default, RESULTS)
        try:
            solutions = read_results(body)
            _check_kind(solutions, QueryBoolean if text.startswith("ASK") else QuerySolutions)
            if isinstance(solutions, QueryBoolean):
                if solutions:
                    yield Quad(subject, predicate, wanted, graph_name)  # type: ignore[arg-type]
                return
            names = [variable.value for variable in solutions.variables]
            for row in solutions:
                found = {name: row[name] for name in names}
                graph = graph_name
                if graph is None:
                    named_by = found.get("g")
                    graph = self._own(named_by.value) if named_by is not None else DefaultGraph()
                if graph is not None:
                    terms: list[Any] = [read_term(found.get(name)) for name in "spo"]
                    s, p, o = (new or old for new, old in zip(terms, given, strict=True))
                    yield Quad(s, p, o, graph)
        except SyntaxError as error:
            raise UpstreamError(f"{body.place} answers with a malformed result: {error}") from error
        finally:
            body.close()

    @staticmethod
    def _read_whole(
        kept: tuple[str, bytes], answer: type | None = None
    ) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Return an answer that was read whole, which must be of a kind. Raises UpstreamError."""
        try:
            outcome = read_whole(*kept)
        except SyntaxError as error:
            raise UpstreamError(f"the store's answer is malformed: {error}") from error
        if answer is not None:
            _check_kind(outcome, answer)
        return outcome

    def _own(self, name: str) -> NamedNode | None:
        """Return a graph by its own name; None for one that is not of this generation."""
        own = self._names.get(name)
        return NamedNode(own) if own is not None else None

    def _word(self, query: str, named: Sequence[str]) -> tuple[Wording, type]:
        """Return a query in the words of the store, and what it is answered with. Raises QuerySyntaxError."""
        try:
            # Read by our own parser: what is refused is told as ever, and no dialect of the store gets through.
            outcome = Store().query(without_values(query))
        except SyntaxError as error:
            line, column, message = locate_syntax_error(query, error)
            raise QuerySyntaxError(message, line, column) from error
        except RuntimeError as error:
            raise RequestError(str(error)) from error
        variables = [variable.value for variable in outcome.variables] if isinstance(outcome, QuerySolutions) else []
        wording = word(query, outline(query), named, variables, self.name)
        return wording, type(outcome)

    def _send(self, wording: Wording, default: Sequence[str], accept: str) -> Body:
        known = self.generation.graphs
        default_names = [self.name(graph) for graph in default if graph in known]
        return self.replicas.ask(
            self.generation.id,
            wording.text,
            accept,
            # An empty dataset would leave it to the store what it takes instead.
            default=default_names or [prefix(self.generation.id) + "none"],
            named=[self.name(graph) for graph in wording.graphs] or [prefix(self.generation.id) + "none"],
        )


_KINDS: Final[Mapping[type, str]] = {QueryBoolean: "a boolean", QuerySolutions: "rows", QueryTriples: "a graph"}


def _check_kind(outcome: object, answer: type) -> None:
    """Raise UpstreamError where a store answers with another kind of thing than was asked for."""
    if not isinstance(outcome, answer):
        raise UpstreamError(f"the store answers with {_KINDS[type(outcome)]}, not with {_KINDS[answer]}")
