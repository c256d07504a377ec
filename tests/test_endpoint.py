"""Ingest from a SPARQL endpoint: a real one over HTTP, small, and as moody as the real ones are."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from pyoxigraph import RdfFormat, Store, parse, serialize

from culturegraph.errors import DataError, StorageError, UsageError
from culturegraph.queries import check_syntax, read_queries
from culturegraph.rdf.vocabulary import BASE
from culturegraph.settings import Settings
from culturegraph.sources.adapters.endpoint import Endpoint, Manners, State
from culturegraph.sources.adapters.ingestion import ingest, plan_job

ITEMS = """
@prefix wd: <http://www.wikidata.org/entity/> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
wd:Q1 wdt:P220 "shp" ; wdt:P1394 "ship1254" ; rdfs:label "shipibo"@es , "Shipibo"@en , "Schipibo"@de .
wd:Q2 wdt:P220 "agr" ; rdfs:label "awajún"@es , "Ca?ari"@en .
wd:Q3 wdt:P220 "zzz" ; rdfs:label "no es nuestra"@es .
wd:Q4 wdt:P220 "cni" ; wdt:P1394 [] ; rdfs:label "asháninka"@es .
"""


class _Server(ThreadingHTTPServer):
    """Answers queries of its store; `moods` are status codes given instead, one a request."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store, self.moods, self.asked, self.headers = Store(), [], [], []
        self.store.bulk_extend(parse(input=ITEMS, format=RdfFormat.TURTLE))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/sparql"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0]
        self.server.headers.append(dict(self.headers))
        self.server.asked.append(query)
        mood = self.server.moods.pop(0) if self.server.moods else 200
        if mood != 200:
            return self._send(mood, b"busy", ("Retry-After", "7"))
        try:
            triples = list(self.server.store.query(query))
        except SyntaxError as error:
            return self._send(400, str(error).encode())
        return self._send(200, serialize(triples, format=RdfFormat.TURTLE), ("Content-Type", "text/turtle"))

    def _send(self, status, body, *headers):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with _Server() as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


QUERY = "CONSTRUCT { ?s <http://p> ?code } WHERE { ?s <http://www.wikidata.org/prop/direct/P220> ?code } ORDER BY ?s"


def _endpoint(server, state=None, **manners):
    slept = []
    manners = {"delay": 0.5, "page": 2, "tries": 3} | manners
    return Endpoint(server.url, Manners(sleep=slept.append, **manners), State(state)), slept


def test_pages_are_asked_for_until_one_is_empty(server):
    endpoint, slept = _endpoint(server)
    pages = list(endpoint.pages(QUERY))
    assert [len(page) for page in pages] == [2, 2]
    assert len({quad.subject for page in pages for quad in page}) == 4
    assert [query.split("LIMIT")[1].split() for query in server.asked] == [
        ["2", "OFFSET", "0"],
        ["2", "OFFSET", "2"],
        ["2", "OFFSET", "4"],
    ]
    # A pause before each request but the first; a name to be known by.
    assert slept == [0.5, 0.5]
    assert server.headers[0]["User-Agent"].startswith("culturegraph/")


def test_a_busy_endpoint_is_asked_again_after_the_time_it_asks_for(server):
    server.moods = [503, 429]
    endpoint, slept = _endpoint(server)
    assert len(list(endpoint.pages(QUERY))) == 2
    assert slept[:4] == [7, 0.5, 7, 0.5]


def test_patience_ends_with_a_message(server):
    server.moods = [503] * 3
    endpoint, _ = _endpoint(server)
    with pytest.raises(StorageError, match="did not answer after 3 tries"):
        list(endpoint.pages(QUERY))
    assert len(server.asked) == 3


def test_a_refused_query_is_not_asked_again(server):
    endpoint, _ = _endpoint(server)
    with pytest.raises(DataError, match="refuses the query"):
        list(endpoint.pages("CONSTRUCT { ?s ?p } WHERE {}"))
    assert len(server.asked) == 1


def test_an_address_where_nobody_listens_is_an_error(server):
    endpoint, _ = _endpoint(server, tries=2)
    endpoint.url = "http://127.0.0.1:1/sparql"
    with pytest.raises(StorageError, match="did not answer after 2 tries"):
        list(endpoint.pages(QUERY))


def test_a_stopped_run_goes_on_where_it_stopped(server, tmp_path):
    state = tmp_path / "state.jsonl"
    endpoint, _ = _endpoint(server, state, tries=1)
    server.moods = [200, 503]
    with pytest.raises(StorageError, match="the state file keeps"):
        list(endpoint.pages(QUERY))
    # A run that was killed while it wrote leaves half a line.
    with state.open("a", encoding="utf-8") as file:
        file.write('{"key": "abc", "tri')
    server.asked.clear()
    again, _ = _endpoint(server, state)
    assert len([quad for page in again.pages(QUERY) for quad in page]) == 4
    assert [query.split("OFFSET ")[1].strip() for query in server.asked] == ["2", "4"]
    # All is known now: nothing is asked, and the state is whole.
    server.asked.clear()
    last, _ = _endpoint(server, state)
    assert len(list(last.pages(QUERY))) == 2
    assert server.asked == []
    assert all(json.loads(line)["key"] for line in state.read_text(encoding="utf-8").splitlines())


def test_another_query_is_not_answered_from_the_state(server, tmp_path):
    for text in (QUERY, QUERY.replace("http://p", "http://q")):
        endpoint, _ = _endpoint(server, tmp_path / "state.jsonl")
        assert {q.predicate.value for page in endpoint.pages(text) for q in page} == {text.split("<")[1].split(">")[0]}


# --- the adapter


def _run(root, server, tmp_path, *files, **options):
    options = {"endpoint": server.url, "delay": "0.01", "page": "3"} | options
    job = plan_job(Settings(root=root), "wikidata", files, source=None, described={}, options=options)
    tally = ingest("wikidata", job, tmp_path / "out.nq", tmp_path / "rejects.csv")
    return tally, list(parse(path=str(tmp_path / "out.nq"), format=RdfFormat.N_QUADS))


def test_languages_of_ours_with_their_codes(root, server, tmp_path):
    tally, quads = _run(root, server, tmp_path, root / "queries/ingest/wikidata-languages.rq")
    told = {(q.subject.value.rsplit("/", 1)[1], getattr(q.object, "value", "")) for q in quads}
    assert {("Q1", "shipibo"), ("Q1", "ship1254"), ("Q2", "awajún"), ("Q4", "cni")} <= told
    # A language of nobody's, and a label in a language that was not asked for.
    assert not any(item == "Q3" or label == "Schipibo" for item, label in told)
    assert {q.graph_name.value for q in quads if q.subject.value.startswith("http://www.wikidata.org")} == {
        BASE + "graph/source/wikidata"
    }
    # Our codes were put into VALUES, so many at a time.
    assert '"acu"' in server.asked[0]
    assert any('"shp"' in query for query in server.asked)
    assert tally.rejected == {"has lost letters": 1, "has a blank node: an unknown value of the endpoint": 1}


def test_the_bundled_queries_run_as_they_stand(root, server, tmp_path):
    tally, _ = _run(root, server, tmp_path)
    assert tally.noted["requests to the endpoint"] == len(server.asked) >= 7
    once = (tmp_path / "out.nq").read_bytes()
    _run(root, server, tmp_path)
    assert (tmp_path / "out.nq").read_bytes() == once


def test_bundled_ingest_queries_are_fit(root):
    queries = read_queries(root / "queries/ingest")
    assert len(queries) >= 7
    for query in queries:
        assert check_syntax(query) is None
        assert query.form == "CONSTRUCT"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("ORDER BY ?item ?code ?glottocode ?label", ""), "has no ORDER BY"),
        (("ORDER BY ?item ?code ?glottocode ?label", "ORDER BY ?item LIMIT 5"), "has LIMIT or OFFSET"),
        (("variable: code", "variable: other"), "has no VALUES"),
        (("column: iso639_3", "column: none"), "cannot be read"),
        (("WHERE {", "WHERE {{"), "is not valid SPARQL"),
    ],
)
def test_an_unfit_query_is_told(root, server, tmp_path, change, message):
    text = (root / "queries/ingest/wikidata-languages.rq").read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "q.rq"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        _run(root, server, tmp_path, path)
    assert server.asked == []


def test_an_endpoint_must_be_given(root, server, tmp_path):
    with pytest.raises(UsageError, match="--endpoint is needed"):
        _run(root, server, tmp_path, endpoint="")
    with pytest.raises(UsageError, match="are numbers"):
        _run(root, server, tmp_path, page="many")
