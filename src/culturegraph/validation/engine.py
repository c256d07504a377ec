"""Validation of a graph by shapes, by one of two engines that give the same results.

`compiled` runs the queries of `compiler` over an in-memory store on both cores; what has no SPARQL form, and with
`pyshacl` everything, is run by `reference`.

Source: SHACL §3.4 (Validation).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import Any, Literal

import pyoxigraph as ox
from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.triples import Triples
from culturegraph.validation.compiler import Check, compile_shapes
from culturegraph.validation.constraints import component
from culturegraph.validation.literals import INTERNAL, TERMS, SourceTerms
from culturegraph.validation.messages import default_messages
from culturegraph.validation.partitions import Share, run_in_processes
from culturegraph.validation.paths import path_predicates
from culturegraph.validation.reading import read_shapes_graph
from culturegraph.validation.report import Report
from culturegraph.validation.results import Result, Term
from culturegraph.validation.scope import Scope
from culturegraph.validation.shapes import ShapesGraph
from culturegraph.validation.sparql import COMPONENT, SHAPES_GRAPH, TARGETED, fill, target_query, uses_named_graphs
from culturegraph.validation.targets import UNION, subclass_closure
from culturegraph.validation.wellformed import refuse_malformed

Engine = Literal["compiled", "pyshacl"]

_BATCH = 100_000
# Triples from which a second thread saves more time than it costs: below, it takes 10 % more CPU.
_THREADS_FROM = 200_000


def validate(
    quads: Iterable[Quad],
    shapes: Iterable[Quad],
    *,
    engine: Engine = "compiled",
    origin: Mapping[Quad, object] | None = None,
    workers: int | None = None,
    processes: int = 1,
    share: Share | None = None,
) -> Report:
    """Validate the merge of the quads by the shapes (the quads of a shapes graph; their graph names do not matter).

    `origin` tells the place where a quad was written (`file.csv:812:column`), so that results can name it. `workers`
    queries run at a time, by default one a core where the graph is large. `processes` divide the focus nodes among
    them; with a `share`, only that share of them is judged (see `partitions`).

    Raises DataErrors, located by shape, where the shapes are not well-formed, refer to themselves or cannot be run.
    """
    read = read_shapes_graph(Triples(shapes))
    refuse_malformed(read, run_compiled)
    if engine == "pyshacl":
        from culturegraph.validation.reference import run_reference

        # For its located errors: pyshacl passes over some faults, and says of others only that there is one.
        compile_shapes(read, Scope(SourceTerms(), subclass_closure(Store()), has_veils=False), {})
        return Report.of(run_reference(quads, read), origin)
    if processes == 1:
        return Report.of(run_compiled(quads, read, workers, share), origin)
    ready = _prepare(quads, read)
    return Report.of(run_in_processes(lambda part: _judge(ready, 1, part), processes), origin)


@dataclass(frozen=True)
class _Ready:
    """A data graph with what compiling and running shapes needs to know of it."""

    shapes: ShapesGraph
    store: Store
    source: SourceTerms
    scope: Scope
    targets: Mapping[Term, str]


def run_compiled(
    quads: Iterable[Quad], shapes: ShapesGraph, workers: int | None, share: Share | None = None
) -> list[Result]:
    """Return the results of all shapes, through queries where these exist, else from the reference engine."""
    ready = _prepare(quads, shapes)
    cores = (os.cpu_count() or 1) if len(ready.store) >= _THREADS_FROM else 1
    return _judge(ready, workers or cores, share)


def _prepare(quads: Iterable[Quad], shapes: ShapesGraph) -> _Ready:
    source = SourceTerms()
    with_graphs = uses_named_graphs(shapes)
    store = load(quads, shapes, source, with_graphs)
    constants = [node for shape in shapes.targeting for node in shape.targets["targetNode"]]
    has_veils = bool(source.predicates) or any(isinstance(c, ox.Literal) and source.veil(c) != c for c in constants)
    scope = Scope(source, subclass_closure(store), has_veils)
    return _Ready(shapes, store, source, scope, _find_targets(shapes, store))


def _judge(ready: _Ready, workers: int, share: Share | None) -> list[Result]:
    """Return the results of all focus nodes, or of a share of them."""
    shapes, store, source, numbers = ready.shapes, ready.store, ready.source, count()
    plan = compile_shapes(shapes, ready.scope, ready.targets, partial(_keep_focus, store, numbers))
    checks = plan.checks
    if share is not None:
        keep = partial(_keep_share, store, numbers, share, {})
        narrowed = compile_shapes(shapes, ready.scope, ready.targets, keep).checks
        checks = tuple(
            whole if whole.is_gathered else part
            for whole, part in zip(plan.checks, narrowed, strict=True)
            if share.is_first or not whole.is_gathered
        )
    results = _run(checks, store, source, workers)
    if plan.left and (share is None or share.is_first):
        # Here, since rdflib takes a fifth of a second to import and most runs need none.
        from culturegraph.validation.reference import needed_predicates, run_reference

        results += run_reference(merged(store, source, needed_predicates(shapes, plan.left)), shapes, plan.left)
    return results


def load(quads: Iterable[Quad], shapes: ShapesGraph, source: SourceTerms, with_graphs: bool) -> Store:
    """Return a store with the merge of the quads in its default graph, and the named graphs where queries need them."""
    store = Store()
    stream = source.sift(quads)
    while batch := list(islice(stream, _BATCH)):
        named = [q for q in batch if type(q.graph_name) is not DefaultGraph]
        store.bulk_extend(batch if not named else (Quad(q.subject, q.predicate, q.object) for q in batch))
        if with_graphs:
            store.bulk_extend(named)
    paths = [list(path_predicates(shape.path)) for shape in shapes.shapes.values() if shape.path is not None]
    if with_graphs:
        store.extend(q for q in source.veiled if not isinstance(q.graph_name, DefaultGraph))
        store.extend(Quad(t.subject, t.predicate, t.object, SHAPES_GRAPH) for t in shapes.graph)
    source.settle(store, paths)
    return store


def merged(store: Store, source: SourceTerms, predicates: Iterable[NamedNode] | None = None) -> Iterator[Quad]:
    """Yield the merge as its sources wrote it, or some predicates of it, and the named graphs that the store holds."""
    for predicate in (None,) if predicates is None else predicates:
        for quad in store.quads_for_pattern(None, predicate, None, DefaultGraph()):
            if quad.predicate not in source.predicates:
                yield Quad(quad.subject, quad.predicate, source.written(quad.object))
        for quad in store.quads_for_pattern(None, predicate, None, TERMS):
            yield Quad(quad.subject, quad.predicate, source.written(quad.object))
    for graph in store.named_graphs():
        if not graph.value.startswith(INTERNAL):
            for quad in store.quads_for_pattern(None, None, None, graph):
                yield Quad(quad.subject, quad.predicate, source.written(quad.object, quad.subject), graph)


def _find_targets(shapes: ShapesGraph, store: Store) -> dict[Term, str]:
    """Evaluate the SPARQL-based targets, keep their nodes in the store, and return the patterns that find them."""
    patterns: dict[Term, str] = {}
    for shape in shapes.targeting:
        for target in shape.targets["target"]:
            query = None if isinstance(target, ox.Literal) else target_query(shapes, shape, target)
            if query is None:
                continue
            rows: Any = store.query(query)
            nodes = [row["this"] for row in rows if row["this"] is not None]
            name = NamedNode(f"{INTERNAL}target:{len(patterns)}")
            store.extend([Quad(name, TARGETED, node, TARGETED) for node in nodes])
            patterns[target] = _kept(name)
    return patterns


def _keep_focus(store: Store, numbers: Iterator[int], pattern: str) -> str:
    """Find the focus nodes of a shape with several targets once for all its checks; return the pattern for them."""
    if not pattern.startswith(UNION):
        return pattern
    return _keep(store, numbers, pattern)


def _keep_share(store: Store, numbers: Iterator[int], share: Share, known: dict[str, str], pattern: str) -> str:
    """Find the focus nodes that are in a share, once for all shapes that have the same."""
    if pattern not in known:
        known[pattern] = _keep(store, numbers, share.narrow(pattern))
    return known[pattern]


def _keep(store: Store, numbers: Iterator[int], pattern: str) -> str:
    name = NamedNode(f"{INTERNAL}focus:{next(numbers)}")
    store.update(f"INSERT {{ GRAPH {TARGETED} {{ {name} {TARGETED} ?this }} }} WHERE {{ {pattern} }}")
    return _kept(name)


def _kept(name: NamedNode) -> str:
    return f"GRAPH {TARGETED} {{ {name} {TARGETED} ?this }}"


def _run(checks: Sequence[Check], store: Store, source: SourceTerms, workers: int) -> list[Result]:
    # The store's evaluation leaves the interpreter free, so threads use all cores without a copy of anything.

    def run(check: Check) -> list[Result]:
        return list(_results(check, store, source))

    if workers == 1 or len(checks) == 1:
        return [result for check in checks for result in run(check)]
    with ThreadPoolExecutor(workers) as pool:
        return [result for found in pool.map(run, checks) for result in found]


def _results(check: Check, store: Store, source: SourceTerms) -> Iterator[Result]:
    rows: Any = store.query(check.query)
    if check.sparql is not None:
        yield from _sparql_results(check, rows, source)
        return
    for row in rows:
        focus = source.written(row[check.this[1:]])
        value = None if check.value is None else source.written(row[check.value[1:]])
        if check.pattern is not None:
            path = check.shape.path if check.path is None else row[check.path[1:]]
            detail = "" if check.detail is None else str(row[check.detail[1:]])
            yield _result(check, focus, path, value, check.pattern, detail)
        for index, test in enumerate(check.tests):
            if len(check.tests) == 1 or row[f"ok{index}"].value == "false":
                yield _result(check, focus, check.shape.path, value, test, str(test.wants))


def _result(check: Check, focus: Term, path: Any, value: Term | None, found: Any, detail: str) -> Result:
    shape = check.shape
    return Result(
        focus_node=focus,
        path=path,
        value=value,
        component=component(found.parameter),
        source_shape=shape.node,
        severity=shape.severity,
        detail=detail,
        shape_name=shape.name,
        messages=shape.messages or default_messages(found.parameter, found.wants),
        hint=shape.hint,
    )


def _sparql_results(check: Check, rows: Any, source: SourceTerms) -> Iterator[Result]:
    sparql, shape = check.sparql, check.shape
    assert sparql is not None
    names = [variable.value for variable in rows.variables]
    for row in rows:
        bound = {name: row[name] for name in names if row[name] is not None}
        if "failure" in bound and bound["failure"].value in {"true", "1"}:
            raise DataErrors([DataError("the query reports a failure", shape.name, column="sh:sparql")])
        focus = source.written(bound["this"])
        value = source.written(bound["value"], focus) if "value" in bound else None
        if value is None and shape.path is None:
            value = focus
        templates = sparql.messages or shape.messages or default_messages("sparql")
        yield Result(
            focus_node=focus,
            path=bound.get("path", shape.path),
            value=value,
            component=COMPONENT,
            source_shape=shape.node,
            severity=shape.severity,
            constraint=sparql.node,
            shape_name=shape.name,
            messages={language: fill(text, bound) for language, text in templates.items()},
            hint=shape.hint,
        )
