"""One suite for both implementations of the store seam: the embedded store, and engines that are not ours.

The embedded store is the oracle: a remote one gives the same quads, answers, errors and pages. The native oxigraph
server is quick enough for every run; Virtuoso and Fuseki run in `make test-all`.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engines import ENGINES, missing
from httpx import Client
from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    parse,
)
from small_site import BASE, ONE, PREFIXES, RULES, TWO, listening, pages_quads, small_quads, small_settings

from culturegraph.errors import CulturegraphError, QuerySyntaxError, RequestError
from culturegraph.rdf.graphs import INFERRED, VALIDATION
from culturegraph.rdf.statements import statement_hash
from culturegraph.settings import Settings
from culturegraph.store.evaluation import Task, evaluate
from culturegraph.store.publishing import publish
from culturegraph.store.remote.graph_store import Addresses
from culturegraph.store.remote.opening import connect, open_remote
from culturegraph.store.remote.publishing import publish_everywhere
from culturegraph.store.snapshot import Snapshot, open_current

slow = pytest.mark.slow
KINDS = ["embedded", "oxigraph", pytest.param("virtuoso", marks=slow), pytest.param("fuseki", marks=slow)]
EDGES = f"""
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<{ONE}> {{
  <{BASE}id/edge/1> rdfs:label "Línea \\"uno\\"\\n\\ttres \\\\ ñ 龍"@es-PE ; rdfs:comment "" , "{"z" * 3000}" ;
    <{BASE}p/decimal> 4.0 , -12.04318 ; <{BASE}p/integer> 007 ; <{BASE}p/boolean> true , false ;
    <{BASE}p/double> 1.5E0 ; <{BASE}p/date> "2012-05-27"^^xsd:date ; <{BASE}p/year> "2012"^^xsd:gYear ;
    <{BASE}p/time> "2012-05-27T10:00:00Z"^^xsd:dateTime ; <{BASE}p/point> "POINT(-76.5 -9.5)"^^geo:wktLiteral ;
    <{BASE}p/edtf> "1964~"^^<http://id.loc.gov/datatypes/edtf/EDTF> ; <{BASE}p/part> [ rdfs:label "a part" ] .
}}
<https://elsewhere.example/a graph?x=1&y=(2)> {{ <{BASE}id/edge/1> rdfs:seeAlso <https://elsewhere.example/> . }}
""".replace("a graph", "a-graph")


@dataclass
class Seam:
    """A snapshot behind the seam, the embedded one that it is compared with, and the settings that serve both."""

    kind: str
    snapshot: Snapshot
    oracle: Snapshot
    settings: Settings


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Snapshot]:
    folder = tmp_path_factory.mktemp("seam")
    root, store = folder / "root", folder / "store"
    root.mkdir()
    (root / "queries").symlink_to(RULES.parent)
    (root / "ontology").symlink_to(Path(__file__).parent / "cases" / "pages" / "ontology")
    quads = [*pages_quads(), *small_quads(), *parse(EDGES, RdfFormat.TRIG)]
    publish(store, quads, version="seam-1", metadata={"content_hash": "3" * 64})
    return small_settings(store, root=root), open_current(store, in_memory=True)


@pytest.fixture(scope="session", params=KINDS)
def seam(
    request: pytest.FixtureRequest, oracle: tuple[Settings, Snapshot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seam]:
    settings, embedded = oracle
    if request.param == "embedded":
        yield Seam("embedded", open_current(settings.store), embedded, settings)
        return
    if reason := missing(request.param):
        pytest.skip(reason)
    with ENGINES[request.param](tmp_path_factory.mktemp(request.param)) as engine:
        remote = settings.model_copy(
            update={
                "endpoints": (engine.query,),
                "endpoint_user": engine.user or "",
                "endpoint_password": type(settings.endpoint_password)(engine.password or ""),
                "query_timeout": 60.0,
                # The store itself is to answer, for pages too.
                "endpoint_copy": 0,
            }
        )
        ((_, done),) = publish_everywhere(remote, Addresses())
        assert done.sent == done.triples == len(embedded.store)  # type: ignore[arg-type]
        replicas = connect(remote)
        yield Seam(request.param, open_remote(remote, replicas), embedded, settings)
        replicas.close()


def relabelled(term: Any) -> Any:
    """Blank nodes have other labels at every reading."""
    return "blank" if isinstance(term, BlankNode) or (isinstance(term, NamedNode) and "genid" in term.value) else term


def bag(quads: Any) -> Counter[Any]:
    return Counter((relabelled(q.subject), q.predicate, relabelled(q.object), q.graph_name) for q in quads)


def test_every_shape_of_pattern(seam: Seam) -> None:
    ours, theirs = seam.oracle.store, seam.snapshot.store
    samples = [quad for number, quad in enumerate(ours) if number % 97 == 0 and not isinstance(quad.object, BlankNode)]
    samples += ours.quads_for_pattern(NamedNode(BASE + "id/edge/1"), None, None, NamedNode(ONE))
    for quad in samples:
        if isinstance(quad.object, BlankNode) or isinstance(quad.subject, BlankNode):
            continue
        for graph in (quad.graph_name, DefaultGraph(), None):
            for shape in range(1, 8):
                s, p, o = (
                    term if shape >> place & 1 else None
                    for place, term in enumerate((quad.subject, quad.predicate, quad.object))
                )
                assert bag(theirs.quads_for_pattern(s, p, o, graph)) == bag(ours.quads_for_pattern(s, p, o, graph)), (
                    s, p, o, graph,
                )  # fmt: skip
        assert quad in theirs
    assert Quad(NamedNode("a:b"), NamedNode("a:b"), NamedNode("a:b")) not in theirs
    assert bag(theirs) == bag(ours)
    assert theirs.contains_named_graph(INFERRED)
    assert not theirs.contains_named_graph(NamedNode("a:b"))


def test_blank_nodes_lead_on(seam: Seam) -> None:
    path = NamedNode("http://www.w3.org/ns/shacl#resultPath")
    heads = {quad.object for quad in seam.snapshot.store.quads_for_pattern(None, path, None, VALIDATION)}
    head = next(node for node in heads if isinstance(node, BlankNode))
    assert any(seam.snapshot.store.quads_for_pattern(head, None, None, VALIDATION))


QUERIES = [
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g",
    "SELECT ?g { GRAPH ?g { } }",
    f"SELECT * {{ GRAPH <{ONE}> {{ ?s a ?c }} }}",
    "PREFIX source: <https://w3id.org/culturegraph/graph/source/> SELECT * { GRAPH source:two { ?s ?p ?o } }",
    "BASE <https://w3id.org/culturegraph/> SELECT * { GRAPH <graph/source/two> { ?s a ?c } }",
    "SELECT * { GRAPH ?g { ?s cg:practises ?o } ?g a cg:SourceGraph }",
    'SELECT ?g ?s { GRAPH ?g { ?s a ?c FILTER(STRENDS(STR(?g), "/two")) } }',
    "SELECT DISTINCT * { GRAPH ?g { ?s a cg:IndigenousPeople } }",
    "SELECT ?s { ?s a cg:IndigenousPeople FILTER EXISTS { GRAPH ?g { ?s cg:population ?n } } }",
    f"SELECT ?s {{ ?s a cg:IndigenousPeople MINUS {{ GRAPH <{ONE}> {{ ?s rdfs:label ?l }} }} }}",
    "SELECT ?s ?g { ?s a cg:IndigenousPeople OPTIONAL { GRAPH ?g { ?s cg:population ?n } } }",
    "SELECT ?a ?b { GRAPH ?a { ?s rdfs:label ?x } GRAPH ?b { ?s rdfs:label ?y } FILTER(?a != ?b) }",
    f"SELECT (COUNT(*) AS ?n) FROM <{ONE}> {{ ?s ?p ?o }}",
    f"SELECT (COUNT(*) AS ?n) FROM <{ONE}> FROM <{TWO}> {{ ?s ?p ?o }}",
    f"SELECT * FROM <{ONE}> FROM NAMED <{TWO}> {{ ?s a ?c GRAPH ?g {{ ?s a ?c }} }}",
    f"SELECT (COUNT(*) AS ?n) FROM NAMED <{TWO}> {{ ?s ?p ?o }}",
    "SELECT (COUNT(*) AS ?n) FROM <https://elsewhere.example/no-graph> { ?s ?p ?o }",
    "SELECT DISTINCT ?s { ?s a cg:IndigenousPeople } ORDER BY DESC(?s) LIMIT 1",
    "SELECT ?s { ?s a/rdfs:subClassOf* cg:Community }",
    "SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c } GROUP BY ?c HAVING (COUNT(DISTINCT ?s) > 1)",
    "SELECT ?s ?x { VALUES (?s ?x) { (<https://w3id.org/culturegraph/id/people/awajun> 1) } ?s ?p ?o }",
    'SELECT ?s { ?s cg:textMatch "awajun" }',
    'SELECT ?s (UCASE(STR(?l)) AS ?u) { ?s rdfs:label ?l FILTER(LANGMATCHES(LANG(?l), "es")) }',
    f"ASK {{ <{BASE}id/people/awajun> a cg:IndigenousPeople }}",
    "ASK { ?s a cg:NoSuchClass }",
    f"ASK {{ GRAPH ?g {{ <{BASE}id/people/awajun> cg:population ?n }} }}",
    "CONSTRUCT { ?s cg:in ?g } { GRAPH ?g { ?s a cg:IndigenousPeople } }",
    "CONSTRUCT WHERE { ?s cg:practises ?o }",
    f"DESCRIBE <{BASE}id/people/awajun>",
    f"BASE <{BASE}> DESCRIBE <id/people/awajun> cg:IndigenousPeople",
    f"SELECT ?p ?o {{ <{BASE}id/edge/1> ?p ?o FILTER(!ISBLANK(?o) && !STRSTARTS(STR(?o), '{BASE}.well')) }}",
    "SELECT (SUM(?d) AS ?n) { ?s <https://w3id.org/culturegraph/p/decimal> ?d }",
]
HEAD = PREFIXES + "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n"


def answered(snapshot: Snapshot, query: str, **dataset: Any) -> Any:
    answer = evaluate(snapshot.store, Task(query, **dataset), snapshot=snapshot)
    if isinstance(answer.outcome, QueryBoolean):
        return bool(answer.outcome)
    if isinstance(answer.outcome, QuerySolutions):
        names = [variable.value for variable in answer.outcome.variables]
        return sorted(names), Counter(tuple(valued(row[name]) for name in sorted(names)) for row in answer.outcome)
    return Counter(tuple(map(relabelled, triple)) for triple in answer.outcome)


def valued(term: Any) -> Any:
    """A number by its value: engines write and type the sums of numbers in several ways."""
    kind = getattr(getattr(term, "datatype", None), "value", "").rpartition("#")[2]
    if kind in ("integer", "decimal", "double", "float", "int"):
        return float(term.value)
    if kind == "boolean":
        return term.value in ("1", "true")
    return relabelled(term)


@pytest.mark.parametrize("query", QUERIES)
def test_queries(seam: Seam, query: str) -> None:
    expected = answered(seam.oracle, HEAD + query)
    assert expected or "no-graph" in query or "NoSuchClass" in query
    assert answered(seam.snapshot, HEAD + query) == expected


@pytest.mark.parametrize("default", [(), (ONE,), (ONE, TWO), ("https://elsewhere.example/no-graph",)])
@pytest.mark.parametrize("named", [(), (TWO,), (ONE, TWO)])
def test_a_dataset_in_the_request(seam: Seam, default: tuple[str, ...], named: tuple[str, ...]) -> None:
    for query in ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"):
        given = {"default_graphs": default, "named_graphs": named}
        assert answered(seam.snapshot, query, **given) == answered(seam.oracle, query, **given)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("SELECT *\nWHERE { ?s ?p }", QuerySyntaxError),
        ("define get:soft \"replace\" SELECT * { ?s ?p ?o }", QuerySyntaxError),
        ("SELECT (<bif:exec>('x') AS ?x) { ?s ?p ?o }", RequestError),
        ("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", RequestError),
        ("DROP GRAPH <https://example.org/>", RequestError),
        ("SELECT * {" + "{" * 200 + "}" * 200 + "}", RequestError),
    ],
)  # fmt: skip
def test_what_is_refused(seam: Seam, query: str, kind: type[CulturegraphError]) -> None:
    messages = []
    for snapshot in (seam.oracle, seam.snapshot):
        with pytest.raises(kind) as refused:
            list(evaluate(snapshot.store, Task(query), snapshot=snapshot).outcome)  # type: ignore[arg-type]
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("form", [RdfFormat.TURTLE, RdfFormat.N_TRIPLES, RdfFormat.RDF_XML, RdfFormat.JSON_LD])
def test_graphs_in_every_format(seam: Seam, form: RdfFormat) -> None:
    query = HEAD + "CONSTRUCT WHERE { ?s a cg:IndigenousPeople ; rdfs:label ?l }"
    read = []
    for snapshot in (seam.oracle, seam.snapshot):
        output = io.BytesIO()
        evaluate(snapshot.store, Task(query, graph=form)).write(output)
        read.append({quad.triple for quad in parse(output.getvalue(), form)})
    assert read[0] == read[1] != set()


@pytest.mark.parametrize("form", [QueryResultsFormat.JSON, QueryResultsFormat.XML, QueryResultsFormat.CSV])
def test_results_in_every_format(seam: Seam, form: QueryResultsFormat) -> None:
    query = HEAD + "SELECT ?s ?l { ?s a cg:IndigenousPeople ; rdfs:label ?l } ORDER BY ?s ?l"
    written = []
    for snapshot in (seam.oracle, seam.snapshot):
        output = io.BytesIO()
        evaluate(snapshot.store, Task(query, results=form)).write(output)
        written.append(sorted(output.getvalue().splitlines()) if form == QueryResultsFormat.CSV else output.getvalue())
    assert written[0] and (form != QueryResultsFormat.CSV or written[0] == written[1])
    assert len(written[0]) == len(written[1])


PAGES = [
    "/", "/doc/people/awajun", "/doc/expression/danza", "/data/people/awajun.nt", "/doc/graph/source/one",
    "/doc/graph/inferred", "/ontology/", "/ontology/IndigenousPeople", "/search?q=awajun&format=json",
    "/search?q=danza", "/validation/", "/validation/1", "/queries/", "/reconcile",
    "/reconcile?queries=" + json.dumps({"q": {"query": "Awajún"}}),
    "/reconcile/suggest/entity?prefix=awa", "/oai?verb=ListSets", "/oai?verb=ListRecords&metadataPrefix=oai_dc",
    "/.well-known/void", "/sparql?format=json&query=" + "SELECT * { ?s a ?c } ORDER BY ?s ?c LIMIT 5",
    "/doc/people/nobody",
]  # fmt: skip


@pytest.fixture(scope="module")
def clients(seam: Seam) -> Iterator[tuple[Client, Client]]:
    with (
        listening(seam.settings, seam.oracle) as ours,
        listening(seam.settings, seam.snapshot) as theirs,
        Client(base_url=ours, timeout=60) as one,
        Client(base_url=theirs, timeout=60) as other,
    ):
        yield one, other


def text_of(client: Client, path: str) -> tuple[int, str, str]:
    response = client.get(
        path, headers={"accept": "text/html, */*;q=0.5", "accept-language": "es"}, follow_redirects=True
    )
    # Both servers are called the same.
    text = response.text.replace(str(client.base_url).rstrip("/"), "http://host").replace(
        client.base_url.netloc.decode(), "host"
    )
    text = re.sub("<responseDate>[^<]*", "", text)
    return response.status_code, response.headers["content-type"], text


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_the_same(clients: tuple[Client, Client], path: str) -> None:
    (status, kind, expected), (found_status, found_kind, found) = (text_of(client, path) for client in clients)
    assert (found_status, found_kind) == (status, kind), found[:2000]
    # Stores give statements in orders of their own.
    assert sorted(found.splitlines()) == sorted(expected.splitlines())


def test_statements_by_their_hash(seam: Seam, clients: tuple[Client, Client]) -> None:
    for quad in seam.oracle.store.quads_for_pattern(NamedNode(BASE + "id/people/awajun"), None, None, DefaultGraph()):
        digest = statement_hash(quad.triple)
        assert seam.snapshot.statement_index.find(digest) == quad.triple
        expected, found = (text_of(client, f"/statement/{digest}") for client in clients)
        assert found == expected
