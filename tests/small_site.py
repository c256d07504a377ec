"""Servers on the small graphs of cases/protocol and cases/pages, for the tests of store, protocols and web."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from httpx import Client
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from culturegraph.build import memory_store
from culturegraph.rdf.graphs import INFERRED, ONTOLOGY, VALIDATION, read_rdf
from culturegraph.rdf.vocabulary import PREFIXES as VOCABULARIES
from culturegraph.reasoning import infer
from culturegraph.rules import read_rules
from culturegraph.settings import Settings
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import Snapshot, open_current
from culturegraph.web.app import create_app
from culturegraph.web.patience import configure
from culturegraph.web.server import address, bind

CASES = Path(__file__).parent / "cases" / "protocol"
RULES = Path(__file__).parents[1] / "queries" / "rules"
BASE = "https://w3id.org/culturegraph/"
ONE, TWO = BASE + "graph/source/one", BASE + "graph/source/two"
PREFIXES = "PREFIX cg: <https://w3id.org/culturegraph/ontology/>\n"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
# Some millions of combinations, counted one by one: longer than the time limits of these tests, yet it ends.
HOG = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(STR(?c) < STR(?l)) }"


def small_quads() -> list[Quad]:
    return list(parse(path=str(CASES / "small.trig"), format=RdfFormat.TRIG))


def many_quads(count: int) -> Iterator[Quad]:
    graph, predicate = NamedNode(BASE + "graph/source/many"), NamedNode(BASE + "ontology/next")
    for number in range(count):
        yield Quad(NamedNode(f"{BASE}id/thing/{number}"), predicate, NamedNode(f"{BASE}id/thing/{number + 1}"), graph)


def small_settings(store: Path, **changes: Any) -> Settings:
    defaults: dict[str, Any] = {"root": CASES, "store": store, "query_timeout": 10.0, "port": 0}
    defaults |= {"workers": 2, "page_workers": 2}
    return Settings(**defaults | changes)


def publish_small(store: Path) -> Snapshot:
    publish(store, small_quads(), version="small-1", metadata={"content_hash": "0" * 64}, keep=2)
    return open_current(store, in_memory=True)


@contextmanager
def listening(settings: Settings, snapshot: Snapshot) -> Iterator[str]:
    """Serve over a real socket; give the address."""
    with running(create_app(settings, snapshot), settings) as given:
        yield given


@contextmanager
def running(app: FastAPI, settings: Settings) -> Iterator[str]:
    """Run an app on a real socket; give the address."""
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(configure(app, settings, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield address(listener).rstrip("/")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class Serving(str):
    """The address of a server of several processes, with its supervisor's process and the folder of its logs."""

    process: subprocess.Popen[str]
    errors: Path

    def told(self) -> str:
        """What the server has written to standard error."""
        return self.errors.read_text(encoding="utf-8")


_SERVE = (
    "import sys; from culturegraph.settings import Settings; from culturegraph.web.server import serve\n"
    "serve(Settings.model_validate_json(sys.argv[1]), on_ready=lambda address: print(address, flush=True))"
)


@contextmanager
def serving(settings: Settings) -> Iterator[Serving]:
    """Serve the published snapshot by several processes over a real socket; give the address."""
    with tempfile.NamedTemporaryFile("w", prefix="serving-", suffix=".log") as errors:
        command = [sys.executable, "-c", _SERVE, settings.model_dump_json()]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        with process:
            try:
                assert process.stdout is not None
                given = Serving(process.stdout.readline().strip().rstrip("/"))
                given.process, given.errors = process, Path(errors.name)
                assert given, given.told()
                yield given
                assert "Traceback" not in given.told(), given.told()
            finally:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()


@contextmanager
def serving_by(mode: str, settings: Settings, snapshot: Snapshot) -> Iterator[str]:
    """Serve a published snapshot by "processes", or in a "single" one: the same protocol by both."""
    with serving(settings) if mode == "processes" else listening(settings, snapshot) as address:
        yield address


MODES = ("processes", "single")


# The site for the pages about statements, validation results and the ontology.

PAGES = Path(__file__).parent / "cases" / "pages"
SHAPES = BASE + "shapes/"
# Results of the small report by severity: more notes than a page of the list has.
FOUND = {"Violation": 1, "Warning": 2, "Info": 60}


def pages_quads() -> list[Quad]:
    """The graph of cases/pages with its ontology, what the rules infer from it, and a validation report."""
    quads = list(parse(path=str(PAGES / "site.trig"), format=RdfFormat.TRIG))
    for path in sorted((PAGES / "ontology" / "modules").glob("*.ttl")):
        quads += read_rdf(path, ONTOLOGY)
    inferred = infer(memory_store(quads), read_rules(RULES))
    return [*quads, *(Quad(t.subject, t.predicate, t.object, INFERRED) for t in inferred), *report_quads()]


def report_quads() -> list[Quad]:
    focus = NamedNode(BASE + "id/expression/danza")
    text = "\n".join(
        f"<{BASE}validation/{number}> a sh:ValidationResult ; sh:focusNode {focus if number < 60 else 'cg:Dance'} ;"
        f' sh:resultSeverity sh:{severity} ; sh:sourceShape <{SHAPES}Shape-{severity}> ; sh:value "<i>{number}" ;'
        " sh:sourceConstraintComponent sh:MinCountConstraintComponent ; sh:resultPath [ sh:alternativePath"
        " ( [ sh:inversePath cg:recognises ] ( cg:partOf rdfs:label ) [ sh:zeroOrMorePath cg:partOf ] ) ] ;"
        f' sh:resultMessage "Falta <{number}> en {focus.value}"@es , "Missing <{number}> in {focus.value}"@en ;'
        f' rdfs:comment "Añádalo."@es , "Add it."@en ; dc:source "expressions.csv:{number}:label_es" .'
        f"<{BASE}validation/> a sh:ValidationReport ; sh:result <{BASE}validation/{number}> ."
        for number, severity in enumerate([name for name, count in FOUND.items() for _ in range(count)], 1)
    )
    prefixes = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in VOCABULARIES.items())
    return [Quad(*triple.triple, VALIDATION) for triple in parse(prefixes + text, format=RdfFormat.TURTLE)]


def publish_pages(folder: Path) -> tuple[Settings, Snapshot]:
    """Publish the graph of cases/pages; its root has the real rules and questions, and the small ontology."""
    root, store = folder / "root", folder / "store"
    root.mkdir()
    (root / "queries").symlink_to(RULES.parent)
    (root / "ontology").symlink_to(PAGES / "ontology")
    publish(store, pages_quads(), version="pages-1", metadata={"content_hash": "1" * 64}, keep=2)
    return small_settings(store, root=root), open_current(store, in_memory=True)


def crawl(client: Client, start: list[str], within: tuple[str, ...], limit: int = 400) -> set[str]:
    """Follow every link from some pages on; links of pages within these paths are followed further. All must work."""
    seen: set[str] = set()
    waiting = list(start)
    while waiting and len(seen) < limit:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path, headers={"accept": "text/html"}, follow_redirects=True)
        assert response.status_code == 200, path
        if path.startswith(within) and response.headers["content-type"].startswith("text/html"):
            waiting += [unescape(link) for link in re.findall(r'href="(/[^"#]*)', response.text)]
            ids = set(re.findall(r'\sid="([^"]+)"', response.text))
            assert set(re.findall(r'href="#([^"]+)"', response.text)) <= ids, path
            assert len(ids) == len(re.findall(r'\sid="', response.text)), f"{path} has an id twice"
    return seen
