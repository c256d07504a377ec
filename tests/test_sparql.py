"""`/sparql` by the SPARQL 1.1 Protocol: pure parsing, then requests as clients send them, then real clients."""

from __future__ import annotations

import csv
import http.client
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
import rdflib
from httpx import Client, Response
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Quad, RdfFormat, Store, parse
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from small_site import (
    BASE,
    COUNT,
    HOG,
    MODES,
    ONE,
    PREFIXES,
    TWO,
    listening,
    many_quads,
    publish_small,
    serving_by,
    small_settings,
)
from SPARQLWrapper import CSV, JSON, POST, POSTDIRECTLY, TURTLE, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

from culturegraph.errors import CulturegraphError, RequestError, UnsupportedMediaTypeError
from culturegraph.protocols.sparql import FORM, QUERY, choose_formats, parse_form, parse_request
from culturegraph.store.snapshot import Snapshot

PEOPLES = PREFIXES + "SELECT ?p WHERE { ?p a cg:IndigenousPeople } ORDER BY ?p"
CONSTRUCT = f"CONSTRUCT {{ ?s ?p ?o }} FROM <{ONE}> WHERE {{ ?s ?p ?o }}"
ACCEPT_PROBLEM = "application/sparql-results+json, application/problem+json;q=0.5"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return publish_small(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module", params=MODES)
def server(request: pytest.FixtureRequest, snapshot: Snapshot) -> Iterator[str]:
    """The same protocol from both: evaluators that are processes, and the single process that is their reference."""
    with serving_by(request.param, small_settings(snapshot.path.parents[1]), snapshot) as address:
        yield address


@pytest.fixture(scope="module")
def client(server: str) -> Iterator[Client]:
    with Client(base_url=server, timeout=30) as client:
        yield client


def counted(response: Response) -> int:
    assert response.status_code == 200, response.text
    return int(response.json()["results"]["bindings"][0]["n"]["value"])


# Parsing


def test_the_three_ways_to_send_a_query_mean_the_same() -> None:
    form = urlencode(
        [("query", COUNT), ("default-graph-uri", ONE), ("default-graph-uri", TWO), ("named-graph-uri", ONE)]
    )
    graphs = form.partition("&")[2]
    asked = parse_request("GET", form, None, b"")
    assert asked.query == COUNT
    assert asked.default_graphs == (ONE, TWO)
    assert asked.named_graphs == (ONE,)
    assert parse_request("POST", "", f"{FORM}; charset=UTF-8", form.encode()) == asked
    assert parse_request("POST", graphs, f"{QUERY};charset=utf-8", COUNT.encode()) == asked


@pytest.mark.parametrize(
    ("method", "query_string", "content_type", "body", "problem"),
    [
        ("GET", "query=a&query=b", None, b"", "more than one"),
        ("GET", "default-graph-uri=" + ONE, None, b"", "missing"),
        ("POST", "", FORM, b"", "missing"),
        ("POST", "", FORM, b"update=CLEAR%20ALL", "only reads"),
        ("GET", "update=CLEAR+ALL", None, b"", "only reads"),
        ("POST", "", "application/sparql-update", b"CLEAR ALL", "only reads"),
        ("GET", "query=%zz", None, b"", "percent-encoding: `%zz`"),
        ("GET", "query=%4", None, b"", "percent-encoding"),
        ("POST", "", "application/x-www-form-urlencoded", b"query=a%\nb", "percent-encoding"),
        ("GET", "query=%ff", None, b"", "UTF-8"),
        ("POST", "", FORM, b"query=\xff", "UTF-8"),
        ("POST", "", QUERY, b"ASK {} # \xff", "UTF-8"),
        ("POST", "query=ASK%20%7B%7D", QUERY, b"ASK {}", "more than one"),
    ],
)
def test_a_request_that_the_protocol_does_not_allow(
    method: str, query_string: str, content_type: str | None, body: bytes, problem: str
) -> None:
    with pytest.raises(RequestError, match=problem):
        parse_request(method, query_string, content_type, body)


@pytest.mark.parametrize("content_type", ["text/plain", "", None, "multipart/form-data", QUERY + ";charset=latin-1"])
def test_a_body_of_an_unknown_kind(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        parse_request("POST", "", content_type, b"ASK {}")


@given(st.lists(st.tuples(st.text(), st.text()), max_size=6))
def test_forms_survive_encoding(pairs: list[tuple[str, str]]) -> None:
    encodable = [(a, b) for a, b in pairs if (a or b) and (a + b).encode("utf-8", "ignore").decode() == a + b]
    assert parse_form(urlencode(encodable)) == encodable


@given(st.text(), st.sampled_from(["GET", "POST"]), st.text(max_size=30), st.binary(max_size=60))
def test_any_request_is_parsed_or_refused(query_string: str, method: str, content_type: str, body: bytes) -> None:
    try:
        parse_request(method, query_string, content_type, body)
    except CulturegraphError as error:
        assert 400 <= error.status < 500


@given(st.text(), st.none() | st.text(max_size=10))
def test_any_accept_header_is_understood_or_refused(accept: str, name: str | None) -> None:
    try:
        choose_formats(accept, name)
    except CulturegraphError as error:
        assert error.status == 406


# Requests


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("application/json", "application/sparql-results+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values;q=0.9, text/csv;q=0.8", "text/tab-separated-values; charset=utf-8"),
        # Only graph formats are accepted: the default goes out rather than nothing.
        ("text/turtle", "application/sparql-results+json"),
    ],
)
def test_results_in_every_format(client: Client, accept: str | None, content_type: str) -> None:
    headers = {"accept": accept} if accept else {"accept": ""}
    response = client.get("/sparql", params={"query": PEOPLES}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert response.text.count("/id/people/") == 2


def test_each_result_format_is_well_formed(client: Client) -> None:
    def get(name: str) -> Response:
        return client.get("/sparql", params={"query": PEOPLES, "format": name})

    bindings = get("json").json()["results"]["bindings"]
    expected = [binding["p"]["value"] for binding in bindings]
    root = ElementTree.fromstring(get("xml").text)
    assert [node.text for node in root.iter("{http://www.w3.org/2005/sparql-results#}uri")] == expected
    assert [row["p"] for row in csv.DictReader(io.StringIO(get("csv").text))] == expected
    assert get("tsv").text.splitlines()[1:] == [f"<{iri}>" for iri in expected]


@pytest.mark.parametrize(
    ("accept", "content_type", "fmt"),
    [
        (None, "text/turtle; charset=utf-8", RdfFormat.TURTLE),
        ("application/n-triples", "application/n-triples", RdfFormat.N_TRIPLES),
        ("application/ld+json", "application/ld+json", RdfFormat.JSON_LD),
        ("application/rdf+xml, text/turtle;q=0.9", "application/rdf+xml", RdfFormat.RDF_XML),
        ("application/trig", "application/trig", RdfFormat.TRIG),
        ("application/n-quads", "application/n-quads", RdfFormat.N_QUADS),
        # roqet and others ask for result formats whatever the query.
        (
            "application/sparql-results+json, application/sparql-results+xml",
            "text/turtle; charset=utf-8",
            RdfFormat.TURTLE,
        ),
    ],
)
def test_graphs_in_every_format(client: Client, accept: str | None, content_type: str, fmt: RdfFormat) -> None:
    response = client.get("/sparql", params={"query": CONSTRUCT}, headers={"accept": accept or "*/*"})
    assert response.headers["content-type"] == content_type
    assert len(list(parse(response.content, format=fmt))) == 10


def test_describe_and_ask(client: Client) -> None:
    described = client.get("/sparql", params={"query": f"DESCRIBE <{ONE}>"})
    assert "Base de datos oficial" in described.text
    assert client.get("/sparql", params={"query": "ASK { ?s ?p ?o }"}).json()["boolean"] is True
    assert client.get("/sparql", params={"query": "ASK {}", "format": "xml"}).text.count("<boolean>true</boolean>") == 1


def test_text_search_reaches_the_evaluators(client: Client) -> None:
    query = PREFIXES + 'SELECT ?e { ?e cg:textMatch "aguaruna" }'
    answer = client.get("/sparql", params={"query": query}, headers={"accept": "text/csv"})
    assert answer.text.split() == ["e", "https://w3id.org/culturegraph/id/people/awajun"]


def test_nothing_suitable_is_406(client: Client) -> None:
    response = client.get("/sparql", params={"query": COUNT}, headers={"accept": "image/png"})
    assert response.status_code == 406
    assert "text/csv" in response.text
    response = client.get("/sparql", params={"query": COUNT, "format": "shapefile"})
    assert response.status_code == 406
    assert "geojson" in response.text, "what there is"


def test_two_default_graphs_are_counted_right(client: Client) -> None:
    parameters = [("query", COUNT), ("default-graph-uri", ONE), ("default-graph-uri", TWO)]
    assert counted(client.get("/sparql", params=parameters)) == 17
    assert counted(client.post("/sparql", data={"query": COUNT, "default-graph-uri": [ONE, TWO]})) == 17
    direct = client.post(
        "/sparql?" + urlencode(parameters[1:]), content=COUNT.encode(), headers={"content-type": QUERY}
    )
    assert counted(direct) == 17
    assert counted(client.get("/sparql", params=[*parameters, ("default-graph-uri", "https://example.org/none")])) == 17


def test_unknown_parameters_are_ignored(client: Client, snapshot: Snapshot) -> None:
    assert (
        counted(client.get("/sparql", params={"query": COUNT, "ac": "1", "infer": "", "timeout": "x"}))
        == snapshot.triples
    )


@pytest.mark.parametrize("accept", ["*/*", "application/sparql-results+json", "text/plain"])
def test_a_bad_query_is_told_in_plain_words(client: Client, accept: str) -> None:
    response = client.get("/sparql", params={"query": "SELECT *\nWHERE { ?s ?p }"}, headers={"accept": accept})
    assert response.status_code == 400
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.text == ("Malformed query: unexpected `}` at line 2, column 15\nWHERE { ?s ?p }\n              ^\n")


def test_a_bad_query_as_problem_details(client: Client) -> None:
    parameters = {"query": "SELECT *\nWHERE { ?s ?p }"}
    response = client.get("/sparql", params=parameters, headers={"accept": ACCEPT_PROBLEM})
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["line"], problem["column"]) == (400, 2, 15)


@pytest.mark.parametrize(
    ("status", "query"),
    [
        (400, "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"),
        (400, "INSERT DATA { <a:a> <a:a> <a:a> }"),
        (400, "SELECT * " + "{" * 50_000),
        (413, "ASK {} #" + "x" * 1_000_000),
        (400, "SELECT * { ?s ?p ?o FILTER(<a:nothing>(?o)) }"),
    ],
)
def test_what_is_refused(client: Client, status: int, query: str) -> None:
    response = client.post("/sparql", data={"query": query})
    assert response.status_code == status, response.text
    assert response.headers["access-control-allow-origin"] == "*"
    assert client.get("/health").status_code == 200


def test_a_huge_body_is_refused_before_it_is_read(client: Client) -> None:
    response = client.post("/sparql", content=b"x" * 10_000_000, headers={"content-type": QUERY})
    assert response.status_code == 413
    assert "1,000,000 bytes" in response.text


def test_a_huge_body_is_refused_before_it_has_come(server: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=20)
    connection.putrequest("POST", "/sparql")
    connection.putheader("Content-Type", QUERY)
    connection.putheader("Content-Length", "1000000000")
    connection.endheaders(b"x" * 4_000_000)
    assert connection.getresponse().status == 413
    connection.close()


def test_methods(client: Client) -> None:
    assert client.put("/sparql", content=b"x").status_code == 405
    assert client.delete("/sparql").headers["allow"] == "GET, HEAD, POST, OPTIONS"
    options = client.options("/sparql", headers={"origin": "https://x", "access-control-request-method": "POST"})
    assert options.status_code == 204
    assert "POST" in options.headers["access-control-allow-methods"]
    assert "Content-Type" in options.headers["access-control-allow-headers"]


def test_head_has_the_headers_of_get(client: Client) -> None:
    got = client.get("/sparql", params={"query": PEOPLES, "format": "csv"})
    head = client.head("/sparql", params={"query": PEOPLES, "format": "csv"})
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-type", "etag", "content-length", "vary"):
        assert head.headers[name] == got.headers[name]


def test_an_unchanged_answer_is_304(client: Client) -> None:
    first = client.get("/sparql", params={"query": PEOPLES})
    tag = first.headers["etag"]
    again = client.get("/sparql", params={"query": PEOPLES}, headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert client.get("/sparql", params={"query": PEOPLES, "format": "csv"}).headers["etag"] != tag
    assert client.get("/sparql", params={"query": PEOPLES, "default-graph-uri": ONE}).headers["etag"] != tag
    assert "etag" not in client.get("/sparql", params={"query": "SELECT (NOW() AS ?n) {}"}).headers


def test_gzip(client: Client) -> None:
    query = {"query": "SELECT * { ?s ?p ?o }"}
    packed = client.get("/sparql", params=query, headers={"accept-encoding": "gzip"})
    plain = client.get("/sparql", params=query, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


# People


def test_a_browser_gets_a_form_and_a_table(client: Client) -> None:
    form = client.get("/sparql", headers={"accept": BROWSER})
    assert form.headers["content-type"] == "text/html; charset=utf-8"
    assert "<textarea" in form.text
    table = client.get("/sparql", params={"query": PEOPLES}, headers={"accept": BROWSER, "accept-language": "es"})
    assert "<table>" in table.text
    assert ">Awajún</a>" in table.text, "a name stands for the IRI"
    assert "<script" not in table.text, "labels are escaped"
    assert "&lt;script&gt;" in table.text
    assert (
        "default-graph-uri"
        in client.get("/sparql", params={"query": COUNT, "default-graph-uri": ONE}, headers={"accept": BROWSER}).text
    )


def test_a_browser_gets_other_answers_as_pages(client: Client) -> None:
    def get(query: str) -> Response:
        return client.get("/sparql", params={"query": query}, headers={"accept": BROWSER, "accept-language": "es"})

    assert ">Sí<" in get("ASK { ?s ?p ?o }").text
    assert "Base de datos oficial" in get(f"DESCRIBE <{ONE}>").text
    assert "no tiene resultados" in get("SELECT * { <a:a> ?p ?o }").text
    wrong = get('SELECT *\nWHERE { ?s <" }')
    assert wrong.status_code == 400
    assert "at line 2, column" in wrong.text
    assert "WHERE { ?s &lt;&#34; }</textarea>" in wrong.text, "the query is there to be mended"


def test_many_rows_are_cut_on_a_page_but_not_in_a_download(tmp_path: Path) -> None:
    store = Store()
    store.bulk_extend(Quad(*quad.triple) for quad in many_quads(2000))
    snapshot = Snapshot(tmp_path, {"version": "many", "triples": 2000, "quads_by_graph": {}}, store)
    query = {"query": "SELECT * { ?s ?p ?o }"}
    with listening(small_settings(tmp_path), snapshot) as address, Client(base_url=address, timeout=30) as client:
        page = client.get("/sparql", params=query, headers={"accept": BROWSER})
        assert page.text.count("<tr>") == 501
        assert client.get("/sparql", params=query | {"format": "csv"}).text.count("\n") == 2001


# Programs


def test_a_bare_get_describes_the_service(client: Client, server: str) -> None:
    response = client.get("/sparql", headers={"accept": "text/turtle"})
    graph = rdflib.Graph().parse(data=response.text, format="turtle")
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    assert (None, sd.endpoint, rdflib.URIRef(f"{server}/sparql")) in graph
    assert {str(name) for name in graph.objects(None, sd.name)} >= {ONE, TWO}
    assert any("10 seconds" in str(text) for text in graph.objects(None, rdflib.RDFS.comment))
    assert client.get("/sparql", headers={"accept": "*/*"}).headers["content-type"].startswith("text/turtle")
    service = rdflib.URIRef(f"{server}/sparql")
    formats = {str(name).rpartition("/")[2] for name in graph.objects(service, sd.resultFormat)}
    assert formats >= {"SPARQL_Results_JSON", "SPARQL_Results_CSV", "Turtle", "N-Quads", "JSON-LD"}
    text_match = rdflib.URIRef(BASE + "ontology/textMatch")
    assert (service, sd.propertyFeature, text_match) in graph
    assert {told.language for told in graph.objects(text_match, rdflib.RDFS.comment)} == {"es", "en"}
    geof = rdflib.Namespace("http://www.opengis.net/def/function/geosparql/")
    assert {geof.sfWithin, geof.distance} <= set(graph.objects(service, sd.extensionFunction))
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    declared = {str(graph.value(node, sh.prefix)) for node in graph.objects(service, sh.declare)}
    assert declared >= {"cg", "geof", "rdfs", "xsd"}
    dataset = graph.value(service, sd.defaultDataset)
    assert len(set(graph.objects(dataset, sd.namedGraph))) == len(set(graph.objects(None, sd.name)))


def test_sparqlwrapper(server: str) -> None:
    wrapper = SPARQLWrapper(server + "/sparql")
    wrapper.setQuery(PEOPLES)
    wrapper.setReturnFormat(JSON)
    assert len(wrapper.queryAndConvert()["results"]["bindings"]) == 2
    wrapper.setMethod(POST)
    assert len(wrapper.queryAndConvert()["results"]["bindings"]) == 2
    wrapper.setRequestMethod(POSTDIRECTLY)
    assert len(wrapper.queryAndConvert()["results"]["bindings"]) == 2
    wrapper.setReturnFormat(CSV)
    assert wrapper.queryAndConvert().count(b"\n") == 3
    wrapper.setQuery(CONSTRUCT)
    wrapper.setReturnFormat(TURTLE)
    assert len(rdflib.Graph().parse(data=wrapper.queryAndConvert(), format="turtle")) == 10
    wrapper.setReturnFormat(JSON)
    wrapper.setQuery("SELECT")
    with pytest.raises(QueryBadFormed, match="line 1"):
        wrapper.query()


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflib_sparqlstore(server: str, method: str) -> None:
    graph = rdflib.Graph(SPARQLStore(server + "/sparql", method=method))
    assert len(list(graph.query(PEOPLES))) == 2
    label = rdflib.Literal("Awajún", lang="es")
    assert [str(subject) for subject in graph.subjects(rdflib.RDFS.label, label)] == [
        "https://w3id.org/culturegraph/id/people/awajun"
    ]


def test_the_loop_answers_while_a_query_runs(snapshot: Snapshot) -> None:
    settings = small_settings(snapshot.path, query_timeout=1.0)
    with listening(settings, snapshot) as address, ThreadPoolExecutor(1) as pool:
        host = urlsplit(address).netloc

        def get(path: str) -> tuple[int, str, float, str | None]:
            started = time.monotonic()
            connection = http.client.HTTPConnection(host, timeout=20)
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read().decode()
            connection.close()
            return response.status, body, time.monotonic() - started, response.headers["retry-after"]

        hog = pool.submit(get, "/sparql?query=" + quote(HOG))
        time.sleep(0.1)
        while not hog.done():
            status, _, elapsed, _ = get("/health")
            assert status == 200
            assert elapsed < 0.5
        status, body, elapsed, retry = hog.result()
        assert retry == "5"
        assert (status, body) == (503, "Limit exceeded: a query may take 1 seconds\n")
        assert 0.9 < elapsed < 4


def test_a_client_that_leaves_ends_its_query(tmp_path: Path) -> None:
    """One evaluator, four answers of ten thousand million rows abandoned: the fifth client is served at once."""
    endless = "SELECT * { ?s ?p ?o . ?x ?y ?z }"
    store = Store()
    store.bulk_extend(Quad(*quad.triple) for quad in many_quads(100_000))
    snapshot = Snapshot(tmp_path, {"version": "many", "triples": 100_000, "quads_by_graph": {}}, store)
    with listening(small_settings(tmp_path, workers=1, query_timeout=60), snapshot) as address:
        host = urlsplit(address).netloc
        for _ in range(4):
            connection = http.client.HTTPConnection(host, timeout=20)
            connection.request("GET", "/sparql?format=csv&query=" + quote(endless))
            assert connection.getresponse().read(10)
            connection.sock.close()
            connection.close()
        started = time.monotonic()
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", "/sparql?query=" + quote("ASK {}"))
        assert json.loads(connection.getresponse().read())["boolean"] is True
        connection.close()
        assert time.monotonic() - started < 10


def test_an_answer_that_breaks_off_is_not_passed_as_whole(tmp_path: Path) -> None:
    store = Store()
    store.bulk_extend(Quad(*quad.triple) for quad in many_quads(60_000))
    snapshot = Snapshot(tmp_path, {"version": "many", "triples": 60_000, "quads_by_graph": {}}, store)
    with (
        listening(small_settings(tmp_path, query_timeout=1.5), snapshot) as address,
        closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)) as connection,
    ):
        connection.request("GET", "/sparql?format=csv&query=" + quote("SELECT * { ?s ?p ?o . ?x ?y ?z }"))
        with closing(connection.getresponse()) as response:
            assert response.status == 200
            # Not reading for longer than the limit makes the evaluator give up.
            response.read(1000)
            time.sleep(4)
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                while response.read(1_000_000):
                    pass


def test_a_page_shows_an_answer_that_was_kept(client: Client) -> None:
    """The same query behind another view: where answers are kept, the second page is made from the first one's."""
    query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STR(?c) < STR(?i)) }"
    for view in ("chart", "table", "map"):
        page = client.get("/sparql", params={"query": query, "view": view}, headers={"accept": BROWSER})
        assert page.status_code == 200, view
        assert "JavaScript" in page.text, "programs for the kind of answer"
