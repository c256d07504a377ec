"""The evaluators: datasets counted right, guards before the engine, limits, cancellation, a loop that is free."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Quad, QueryResultsFormat, RdfFormat, Store, parse
from small_site import COUNT, HOG, ONE, PREFIXES, TWO, many_quads, publish_small, small_settings

from culturegraph.errors import LimitExceededError, NotAcceptableError, QuerySyntaxError, RequestError
from culturegraph.rdf.sparql_text import outline
from culturegraph.store.evaluation import MAX_DEPTH, MAX_OPERATORS, Task, check, evaluate, evaluate_rows, evaluate_to
from culturegraph.store.evaluators import FRAME, FRAMES_AHEAD, Evaluators
from culturegraph.store.snapshot import Snapshot

NOWHERE = "https://example.org/nowhere"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return publish_small(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Sixty thousand triples: an answer of many frames."""
    store = Store()
    quads = list(many_quads(60_000))
    store.bulk_extend(quads)
    store.bulk_extend(Quad(*quad.triple) for quad in quads)
    return Snapshot(Path(), {"version": "large", "triples": 60_000, "quads_by_graph": {}}, store)


def count(snapshot: Snapshot, query: str, **dataset: Any) -> int:
    output = io.BytesIO()
    evaluate(snapshot.store, Task(query, **dataset)).write(output)
    return int(json.loads(output.getvalue())["results"]["bindings"][0]["n"]["value"])


GRAPH_COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"


@pytest.mark.parametrize(
    ("query", "dataset", "expected"),
    [
        (COUNT, {"default_graphs": (ONE,)}, 10),
        (COUNT, {"default_graphs": (TWO,)}, 8),
        # One triple is in both: the engine alone would count 18.
        (COUNT, {"default_graphs": (ONE, TWO)}, 17),
        (COUNT, {"default_graphs": (ONE, ONE)}, 10),
        (COUNT, {"default_graphs": (ONE, TWO, NOWHERE)}, 17),
        (COUNT, {"default_graphs": (NOWHERE,)}, 0),
        (COUNT, {"named_graphs": (ONE,)}, 0),
        (GRAPH_COUNT, {"named_graphs": (ONE,)}, 10),
        (GRAPH_COUNT, {"named_graphs": (ONE, TWO)}, 18),
        (GRAPH_COUNT, {"default_graphs": (ONE,)}, 0),
        (GRAPH_COUNT, {"default_graphs": (ONE, TWO)}, 0),
        (GRAPH_COUNT, {"default_graphs": (ONE, TWO), "named_graphs": (TWO,)}, 8),
    ],
)
def test_a_dataset_in_the_request(snapshot: Snapshot, query: str, dataset: dict[str, Any], expected: int) -> None:
    assert count(snapshot, query, **dataset) == expected


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        (f"FROM <{ONE}>", 10),
        (f"FROM <{ONE}> FROM <{TWO}>", 17),
        (f"FROM <{ONE}> FROM <{ONE}>", 10),
        (f"from<{ONE}>#FROM <x>\nfrom <{TWO}>", 17),
        (f"FROM <{NOWHERE}>", 0),
        (f"FROM NAMED <{ONE}>", 0),
    ],
)
def test_a_dataset_in_the_query(snapshot: Snapshot, clauses: str, expected: int) -> None:
    assert count(snapshot, f"SELECT (COUNT(*) AS ?n) {clauses} {{ ?s ?p ?o }}") == expected


def test_from_by_prefixed_names_and_a_base(snapshot: Snapshot) -> None:
    query = (
        "PREFIX g: <https://w3id.org/culturegraph/graph/source/>\nBASE <https://w3id.org/culturegraph/graph/>\n"
        "SELECT (COUNT(*) AS ?n) FROM g:one FROM <source/two> { ?s ?p ?o }"
    )
    assert count(snapshot, query) == 17
    named = query.replace("FROM <", "FROM NAMED <").replace("{ ?s ?p ?o }", "{ GRAPH ?g { ?s ?p ?o } }")
    assert count(snapshot, named) == 8


def test_the_request_replaces_from(snapshot: Snapshot) -> None:
    query = f"SELECT (COUNT(*) AS ?n) FROM <{ONE}> FROM <{TWO}> {{ ?s ?p ?o }}"
    assert count(snapshot, query, default_graphs=(TWO,)) == 8


def test_what_is_no_iri_is_a_bad_request(snapshot: Snapshot) -> None:
    with pytest.raises(RequestError, match="not the IRI"):
        count(snapshot, COUNT, default_graphs=("not an iri",))


@pytest.mark.parametrize(
    ("query", "line", "column", "text"),
    [
        ("SELECT *\nWHERE { ?s ?p }", 2, 15, "unexpected `}`"),
        ("SELECT * { ?s ?p ", 1, 17, "ends too early"),
        ("SELECT * { ?s ?p ?o }}", 1, 22, "unexpected `}`"),
        ("", 1, 1, "ends too early"),
        ("SELECT *\n{ ?s cg:order ?o }", 2, 6, "add `PREFIX cg: <https://w3id.org/culturegraph/ontology/>`"),
        ("PREFIX a: <http://a/>\nSELECT * { ?s b:x ?o }", 2, 15, "prefix `b:` is not declared"),
        ("SELECT (SUM(?x) AS ?n) ?y { ?s ?p ?x }", 1, 38, "a variable that is unbound"),
        ("ASK {\n\n  BAD }", 3, 3, "unexpected `BAD`"),
        ("SELECT * { ?s ?p ?o . FILTER(?o > ) } # comment", 1, 35, "unexpected `)`"),
        ("SELECT * { ?s ?p ?o . FILTER(?o > 1 } ORDER BY ?s\nLIMIT 10", 1, 37, "unexpected `}`"),
        ("SELEKT * {\n?s ?p ?o }", 1, 1, "unexpected `SELEKT`"),
        ("SELECT * { ?s ?p ?o } LIMIT ten", 1, 29, "unexpected `ten`"),
        ('SELECT * { ?s ?p "open }\n', 1, 18, "a string is not closed"),
    ],
)
def test_a_syntax_error_is_located(snapshot: Snapshot, query: str, line: int, column: int, text: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        evaluate(snapshot.store, Task(query))
    assert text in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_an_unknown_function_is_a_bad_request(snapshot: Snapshot) -> None:
    with pytest.raises(RequestError, match=r"https://example\.org/f"):
        evaluate(snapshot.store, Task("SELECT * { ?s ?p ?o FILTER(<https://example.org/f>(?o)) }"))


@pytest.fixture(scope="module")
def trap() -> Any:
    """A port that notes who connects: SERVICE must reach nobody."""
    listener = socket.create_server(("127.0.0.1", 0))
    visits: list[object] = []

    def listen() -> None:
        while True:
            try:
                connection, visitor = listener.accept()
            except OSError:
                return
            visits.append(visitor)
            connection.close()

    threading.Thread(target=listen, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/", visits
    # Closing alone would leave accept() waiting.
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


DISGUISES = [
    "SELECT * { SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { service<URL>{?s ?p ?o} }",
    "SELECT * { SERVICE SILENT <URL> { ?s ?p ?o } }",
    # The parser needs no space between the words.
    "SELECT * { SERVICESILENT<URL>{ ?s ?p ?o } }",
    "SELECT * { SeRvIcE # comment {\n <URL> { ?s ?p ?o } }",
    "SELECT * { VALUES ?u { <URL> } SERVICE ?u { ?s ?p ?o } }",
    "SELECT * { BIND(<URL> AS ?u) SERVICE ?u { ?s ?p ?o } }",
    "SELECT * { BIND(<URL> AS ?u) SERVICE$u{ ?s ?p ?o } }",
    "PREFIX ex: <URL> SELECT * { SERVICE ex: { ?s ?p ?o } }",
    # First read as the name `SERVICEex:`, then as SERVICE and the name `ex:`.
    "PREFIX ex: <URL> SELECT * { SERVICEex:{ ?s ?p ?o } }",
    "PREFIX ex: <URL> PREFIX SERVICEex: <http://x/> SELECT * { SERVICEex:{ ?s ?p ?o } }",
    "BASE <URL> SELECT * { SERVICE <> { ?s ?p ?o } }",
    "SELECT * { { SELECT * { OPTIONAL { SERVICE <URL> { ?s ?p ?o } } } } }",
    "SELECT * { ?s ?p ?o FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT * { ?s ?p 5SERVICE<URL>{ ?a ?b ?c } }",
    "SELECT * { ?s ?p trueSERVICE<URL>{ ?a ?b ?c } }",
    "SELECT * { ?s a <http://x/>SERVICE<URL>{ ?a ?b ?c } }",
    # `<` is "less than" here and the comment hides half a string from who takes `<?b#>` for an IRI.
    'SELECT * { VALUES ?b { 5 } FILTER(4<?b#>""" \n) SERVICE <URL> { ?s ?p ?o } #"""\n}',
    "SELECT * { VALUES ?b { 5 } BIND(<URL> AS ?u) FILTER(4<?b)SERVICE#>\n ?u { ?s ?p ?o } }",
    "CONSTRUCT { ?s ?p ?o } { SERVICE <URL> { ?s ?p ?o } }",
    "ASK { SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { ?s ?p 'a\\'' . SERVICE <URL> { ?s ?p ?o } # '\n}",
    "SELECT * { ?s ?p '''a'' ''' . SERVICE <URL> { ?s ?p ?o } #'''\n}",
    "\ufeffSELECT * { SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { SERV\\u0049CE <URL> { ?s ?p ?o } }",
    "SELECT * { ?s ?p <http://x\\u0041#abc> SERVICE <URL> { ?s ?p ?o } \n}",
    "SELECT * { ?s <http://p>/SERVICE <URL> { ?s ?p ?o } }",
]


@pytest.mark.parametrize("query", DISGUISES)
def test_service_reaches_nobody(snapshot: Snapshot, trap: tuple[str, list[object]], query: str) -> None:
    address, visits = trap
    with pytest.raises((RequestError, QuerySyntaxError)):
        evaluate(snapshot.store, Task(query.replace("URL", address))).write(io.BytesIO())
    assert visits == []


def test_the_trap_works(snapshot: Snapshot, trap: tuple[str, list[object]]) -> None:
    """The engine itself would send the request: the guard is what stops it."""
    address, visits = trap
    with pytest.raises(OSError, match=r"onnection|request"):
        list(snapshot.store.query(DISGUISES[0].replace("URL", address)))
    assert len(visits) == 1
    visits.clear()


@pytest.mark.parametrize(
    "query",
    [
        "# SERVICE <http://x/> {}\nSELECT * { ?s ?p ?o }",
        "SELECT ?service { ?service ?p 'SERVICE <x> {' }",
        'SELECT * { ?s ?p """a " SERVICE <x> """ }',
        "PREFIX sd: <http://www.w3.org/ns/sparql-service-description#> SELECT * { ?s a sd:Service }",
        "SELECT * { ?s <http://example.org/service#endpoint> ?o }",
        "PREFIX s: <http://s/> SELECT * { ?s s:SERVICE ?o ; s:my.service ?b }",
        "SELECT * { ?s ?p 'servicio'@es-service }",
    ],
)
def test_the_word_service_elsewhere_is_harmless(snapshot: Snapshot, query: str) -> None:
    evaluate(snapshot.store, Task(query))


@pytest.mark.parametrize(
    "update", ["INSERT DATA { <a:a> <a:b> <a:c> }", "LOAD <http://127.0.0.1/>", "clear all", "DROP ALL"]
)
def test_updates_are_refused(snapshot: Snapshot, update: str) -> None:
    with pytest.raises(RequestError, match="only reads"):
        evaluate(snapshot.store, Task(update))
    with pytest.raises(RequestError, match="only reads"):
        evaluate(snapshot.store, Task("PREFIX a: <http://a/>\n" + update))


DEEP = {
    "braces": lambda n: "SELECT * " + "{" * n + "?s ?p ?o" + "}" * n,
    "brackets": lambda n: "SELECT * { FILTER(" + "(" * n + "1" + ")" * n + ") }",
    "lists": lambda n: "SELECT * { ?s ?p " + "(" * n + "1" + ")" * n + " }",
    "blanks": lambda n: "SELECT * { ?s ?p " + "[ ?p " * n + "1" + "]" * n + " }",
    "exists": lambda n: "SELECT * { " + "?s ?p ?o FILTER EXISTS { " * n + "}" * n + " }",
    "functions": lambda n: "SELECT * { BIND(" + "STR(" * n + "1" + ")" * n + " AS ?x) }",
    "unclosed": lambda n: "SELECT * " + "{" * n,
    "nots": lambda n: "SELECT * { FILTER(" + "!" * n + "true) }",
    "sums": lambda n: "SELECT * { FILTER(1" + "+1" * n + ") }",
    "signed": lambda n: "SELECT * { FILTER(1" + " -1" * n + ") }",
    "ors": lambda n: "SELECT * { ?s ?p ?o FILTER(?s" + "||?s" * n + ") }",
    "unions": lambda n: "SELECT * { {?s ?p ?o}" + "UNION{?s ?p ?o}" * n + " }",
    "filters": lambda n: "SELECT * { ?s ?p ?o " + "FILTER(?s)" * n + " }",
    "binds": lambda n: "SELECT * { " + "".join(f"BIND(1 AS ?x{i})" for i in range(n)) + " }",
    "paths": lambda n: "SELECT * { ?s <a:p>" + "|<a:p>" * n + " ?o }",
}


@pytest.mark.parametrize("shape", DEEP)
def test_what_would_crash_the_engine_is_refused(snapshot: Snapshot, shape: str) -> None:
    started = time.monotonic()
    with pytest.raises(RequestError, match="a query may"):
        evaluate(snapshot.store, Task(DEEP[shape](30_000)))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("shape", sorted(set(DEEP) - {"unclosed", "lists", "blanks"}))
def test_what_is_allowed_does_not_crash_an_evaluator(snapshot: Snapshot, tmp_path: Path, shape: str) -> None:
    allowed = MAX_DEPTH - 5 if "}" * 5 in DEEP[shape](9) or ")" * 5 in DEEP[shape](9) else MAX_OPERATORS - 100
    evaluators = Evaluators(snapshot, small_settings(tmp_path, query_timeout=30))
    query = DEEP[shape](allowed)
    check(query)

    async def run() -> None:
        evaluation = await evaluators.evaluate(Task(query, rows=1))
        await evaluation.aclose()

    asyncio.run(run())
    evaluators.close()


def test_a_query_has_a_size_limit() -> None:
    with pytest.raises(LimitExceededError, match="1,000 bytes") as caught:
        check("SELECT * { ?s ?p '" + "ñ" * 600 + "' }", max_query_size=1000)
    assert caught.value.status == 413


@pytest.mark.parametrize("text", ["a." * 200_000, "{" * 400_000, '"' + "\\" * 400_000, "a-b:" * 100_000, "<" * 400_000])
def test_reading_tokens_takes_linear_time(text: str) -> None:
    started = time.monotonic()
    outline(text)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "fmt", [RdfFormat.TURTLE, RdfFormat.TRIG, RdfFormat.JSON_LD, RdfFormat.RDF_XML, RdfFormat.N_QUADS]
)
def test_graphs_keep_their_triples(snapshot: Snapshot, fmt: RdfFormat) -> None:
    output = io.BytesIO()
    evaluate(snapshot.store, Task(f"CONSTRUCT {{ ?s ?p ?o }} FROM <{ONE}> {{ ?s ?p ?o }}", graph=fmt)).write(output)
    assert len({str(quad.triple) for quad in parse(output.getvalue(), format=fmt)}) == 10


def test_turtle_uses_the_prefixes_of_the_query(snapshot: Snapshot) -> None:
    output = io.BytesIO()
    evaluate(snapshot.store, Task(PREFIXES + "CONSTRUCT { ?s a ?o } { ?s a cg:Practice , ?o }")).write(output)
    assert b"a cg:Practice" in output.getvalue()
    assert output.getvalue().count(b"@prefix") == 1


def test_rows_are_capped_and_say_so(snapshot: Snapshot) -> None:
    output = io.BytesIO()
    query = "SELECT ?o ?nothing { ?s ?p ?o } ORDER BY ?o"
    evaluate(snapshot.store, Task(query, rows=5)).write(output)
    capped = json.loads(output.getvalue())
    whole = io.BytesIO()
    evaluate(snapshot.store, Task(query)).write(whole)
    assert capped["head"] == {"vars": ["o", "nothing"], "truncated": True}
    assert capped["results"]["bindings"] == [
        # Where the datatype is a plain string the engine leaves it out.
        binding | {"o": {"datatype": "http://www.w3.org/2001/XMLSchema#string"} | binding["o"]}
        if binding["o"]["type"] == "literal" and len(binding["o"]) == 2
        else binding
        for binding in json.loads(whole.getvalue())["results"]["bindings"][:5]
    ]


def test_the_command_line_writes_any_format(snapshot: Snapshot) -> None:
    def run(query: str, name: str | None) -> str:
        output = io.BytesIO()
        evaluate_to(snapshot, query, name, output)
        return output.getvalue().decode()

    assert run(COUNT, "csv").splitlines() == ["n", str(snapshot.triples)]
    assert run("ASK {}", None) == '{"head":{},"boolean":true}'
    assert run("CONSTRUCT WHERE { ?s ?p 37690 }", "nt").count("\n") == 1
    with pytest.raises(NotAcceptableError, match="turtle"):
        run("CONSTRUCT WHERE { ?s ?p 37690 }", "csv")
    with pytest.raises(NotAcceptableError, match="csv"):
        run(COUNT, "turtle")
    assert evaluate_rows(snapshot, COUNT) == (["n"], [[str(snapshot.triples)]])
    assert evaluate_rows(snapshot, "ASK {}") == (["answer"], [["true"]])
    assert evaluate_rows(snapshot, "CONSTRUCT WHERE { ?s ?p 37690 }")[1][0][2] == "37690"


def test_a_large_answer_comes_in_frames(large: Snapshot, tmp_path: Path) -> None:
    async def run() -> list[bytes]:
        evaluators = Evaluators(large, small_settings(tmp_path))
        evaluation = await evaluators.evaluate(Task("SELECT * { ?s ?p ?o }", results=QueryResultsFormat.TSV))
        assert evaluation.body is None
        frames = [frame async for frame in evaluation.frames()]
        evaluators.close()
        return frames

    frames = asyncio.run(run())
    assert b"".join(frames).count(b"\n") == 60_001
    assert max(map(len, frames)) < FRAME + 20_000
    assert len(frames) > 10


def test_an_unread_answer_waits_and_is_then_given_up(large: Snapshot, tmp_path: Path) -> None:
    async def run() -> None:
        evaluators = Evaluators(large, small_settings(tmp_path, workers=1, query_timeout=2.0))
        evaluation = await evaluators.evaluate(Task("SELECT * { ?s ?p ?o }"))
        await asyncio.sleep(0.5)
        assert evaluation._job.messages.qsize() <= FRAMES_AHEAD, "memory stays bounded"
        # The only thread gives up on the reader and serves others.
        assert (await evaluators.evaluate(Task("ASK {}"))).body == b'{"head":{},"boolean":true}'
        with pytest.raises(LimitExceededError):
            async for _ in evaluation.frames():
                await asyncio.sleep(0)
        evaluators.close()

    asyncio.run(run())


def test_closing_frees_the_thread_at_once(large: Snapshot, tmp_path: Path) -> None:
    async def run() -> None:
        evaluators = Evaluators(large, small_settings(tmp_path, workers=1, query_timeout=20))
        for _ in range(5):
            evaluation = await evaluators.evaluate(Task("SELECT * { ?s ?p ?o }"))
            await evaluation.aclose()
        async with asyncio.timeout(10):
            assert (await evaluators.evaluate(Task("ASK {}"))).kind == "boolean"
        evaluators.close()

    asyncio.run(run())


def test_the_time_limit_holds_and_others_are_served(snapshot: Snapshot, tmp_path: Path) -> None:
    async def run() -> float:
        evaluators = Evaluators(snapshot, small_settings(tmp_path, query_timeout=0.5))
        hog = asyncio.create_task(evaluators.evaluate(Task(HOG)))
        light = 0
        started = time.monotonic()
        while not hog.done():
            await evaluators.evaluate(Task("SELECT * { ?s ?p ?o } LIMIT 1"))
            light += 1
        elapsed = time.monotonic() - started
        with pytest.raises(LimitExceededError, match=r"0\.5 seconds"):
            await hog
        assert light > 5, "the event loop and the other thread went on"
        return elapsed

    assert 0.4 < asyncio.run(run()) < 3


def test_an_error_of_the_engine_is_passed_on(snapshot: Snapshot, tmp_path: Path) -> None:
    async def run() -> None:
        evaluators = Evaluators(snapshot, small_settings(tmp_path))
        with pytest.raises(QuerySyntaxError):
            await evaluators.evaluate(Task("SELECT"))
        assert (await evaluators.evaluate(Task("ASK {}"))).kind == "boolean"
        assert (await evaluators.evaluate(Task("SELECT (NOW() AS ?n) {}"))).is_volatile
        assert not (await evaluators.evaluate(Task("SELECT (1 AS ?now) {}"))).is_volatile
        evaluators.close()

    asyncio.run(run())
