"""Runs the W3C SHACL test suite against an engine: `python tests/w3c_shacl.py [compiled|pyshacl]` prints the score.

The suite lies beside the project, in suites/data-shapes below $CULTUREGRAPH_SHARED (default ../shared).

Source: https://w3c.github.io/data-shapes/data-shapes-test-suite/
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import rdflib
from pyoxigraph import DefaultGraph, Quad, RdfFormat, parse

from culturegraph.errors import CulturegraphError
from culturegraph.rdf.bridge import term_from_rdflib, to_rdflib
from culturegraph.rdf.triples import Triples
from culturegraph.validation import validate
from culturegraph.validation.paths import parse_path

MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = rdflib.Namespace("http://www.w3.org/ns/shacl-test#")
SH = rdflib.SH
SHARED = Path(os.environ.get("CULTUREGRAPH_SHARED", Path(__file__).parents[2] / "shared"))
SUITE = SHARED / "suites" / "data-shapes"


@dataclass(frozen=True)
class Case:
    """One sht:Validate entry of a manifest."""

    id: str
    part: str
    file: Path
    entry: rdflib.URIRef


@cache
def read(path: Path) -> tuple[Quad, ...]:
    quads = parse(path=str(path), format=RdfFormat.TURTLE, base_iri=path.as_uri())
    return tuple(Quad(quad.subject, quad.predicate, quad.object, DefaultGraph()) for quad in quads)


@cache
def graph(path: Path) -> rdflib.Graph:
    return to_rdflib(read(path))


def _path(iri: rdflib.term.Node) -> Path:
    return Path.from_uri(str(iri)) if hasattr(Path, "from_uri") else Path(str(iri).removeprefix("file://"))


def cases(manifest: Path = SUITE / "manifest.ttl") -> Iterator[Case]:
    if not manifest.exists():
        return
    document = graph(manifest)
    for include in sorted(document.objects(None, MF.include)):
        yield from cases(_path(include))
    for head in document.objects(None, MF.entries):
        for entry in document.items(head):
            yield Case(str(entry).rsplit("/", 1)[-1], manifest.relative_to(SUITE).parts[0], manifest, entry)


def _value(report: rdflib.Graph, node: rdflib.term.Node, name: str):
    value = report.value(node, SH[name])
    return None if value is None else term_from_rdflib(value)


def expected(case: Case) -> Counter[tuple] | None:
    """The results that the manifest asks for, None where it asks for a failure."""
    document = graph(case.file)
    outcome = document.value(case.entry, MF.result)
    if outcome == SHT.Failure:
        return None
    rows: Counter[tuple] = Counter()
    for node in document.objects(outcome, SH.result):
        path = _value(document, node, "resultPath")
        path = None if path is None else parse_path(Triples(read(case.file)), path)
        row = [_value(document, node, "focusNode"), path]
        names = ("value", "sourceConstraintComponent", "sourceShape", "resultSeverity")
        rows[(*row, *(_value(document, node, name) for name in names))] += 1
    return rows


def actual(case: Case, engine: str) -> Counter[tuple] | None:
    document = graph(case.file)
    action = document.value(case.entry, MF.action)
    data, shapes = (_path(document.value(action, SHT[name])) for name in ("dataGraph", "shapesGraph"))
    try:
        report = validate(read(data), read(shapes), engine=engine)
    except CulturegraphError:
        return None
    return Counter(result.key for result in report.results)


def score(engine: str) -> dict[str, tuple[int, int, list[str]]]:
    """Return by part of the suite: passed, total, ids of the failed."""
    found: dict[str, tuple[int, int, list[str]]] = {}
    for case in cases():
        passed, total, failed = found.get(case.part, (0, 0, []))
        try:
            ok = expected(case) == actual(case, engine)
        except Exception as error:
            ok = False
            failed = [*failed, f"{case.id}: {error!r}"]
        found[case.part] = (passed + ok, total + 1, failed if ok else [*failed, case.id])
    return found


if __name__ == "__main__":
    if not list(cases()):
        sys.stdout.write(f"no W3C SHACL suite in {SUITE}; set CULTUREGRAPH_SHARED\n")
        sys.exit()
    for engine in sys.argv[1:] or ["compiled", "pyshacl"]:
        for part, (passed, total, failed) in score(engine).items():
            sys.stdout.write(f"{engine:9} {part:7} {passed}/{total}  {' '.join(failed)}\n")
