"""The whole bundled graph on engines that are not ours: published, verified, switched, and answering as it does here.

The embedded store is the oracle, and what pages show must be the same to the byte. What may differ is named in
`/about/engines`: where clients ask by SPARQL, a store answers in its own way.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engines import ENGINES, missing
from httpx import Client
from small_site import listening

from culturegraph.build import Build
from culturegraph.queries import QueryFile, read_queries
from culturegraph.settings import Settings
from culturegraph.store.remote.generation import identify
from culturegraph.store.remote.graph_store import Addresses
from culturegraph.store.remote.opening import connect, open_remote
from culturegraph.store.remote.publishing import find_pointer, publish_everywhere
from culturegraph.store.snapshot import Snapshot, open_current

pytestmark = pytest.mark.slow
QUESTIONS = read_queries(Path(__file__).resolve().parents[1] / "queries" / "competency")
NAMES = ("Awajún", "danza wititi", "Ministerio de Cultura", "IBERMEDIA", "Ayacucho", "Ley 29073")
PAGES = [
    "/", "/?lang=en", "/doc/people/awajun", "/doc/expression/danza-wititi", "/doc/institution/mincul",
    "/doc/treaty/conv-2005", "/doc/place/pe-22", "/doc/document/qpr-2012", "/doc/cooperation/ibermedia",
    "/data/people/awajun.nt", "/data/people/awajun.ttl", "/data/people/awajun.jsonld", "/doc/graph/source/editorial",
    "/search?q=kechwa", "/search?q=awajun&format=json", "/validation/", "/ontology/", "/ontology/IndigenousPeople",
    "/queries/", "/exports/", "/exports/edm", "/exports/linked-art", "/exports/unesco-qpr", "/about/unesco",
    "/oai?verb=ListRecords&metadataPrefix=oai_dc", "/oai?verb=ListRecords&metadataPrefix=edm", "/oai?verb=ListSets",
    "/sru?operation=searchRetrieve&query=awajun&version=1.2", "/reconcile/suggest/entity?prefix=awa",
    "/.well-known/void", "/feed.atom", "/schemes/", "/about/data/coverage",
]  # fmt: skip
# SPARQL leaves it open in which order values are put together (GROUP_CONCAT).
UNORDERED = "/sru"
# What Virtuoso 7.2.5 answers otherwise when a client asks it, or not at all (`/about/engines`).
VIRTUOSO_ERRS = {f"cq-{number:02}" for number in (3, 4, 9, 14, 15, 16, 24, 25, 28, 32, 37, 42)}
# What takes these longer than a client may wait; nothing ends it there, so that all that follows would be slow, too.
TOO_LONG = {"oxigraph": {"cq-14", "cq-17"}, "fuseki": {"cq-14", "cq-33"}, "virtuoso": {"cq-33", "cq-35"}}


@dataclass
class Both:
    """Clients of two servers on the bundled graph: on the embedded store, and on an engine that it was published to."""

    kind: str
    ours: Client
    theirs: Client


@pytest.fixture(scope="module", params=["oxigraph", "virtuoso", "fuseki"])
def both(
    request: pytest.FixtureRequest, built: Build, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    if reason := missing(request.param):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp(request.param)
    embedded = open_current(settings.store, in_memory=True)
    with ENGINES[request.param](folder) as engine:
        access = {"endpoint_user": engine.user or "", "endpoint_password": engine.password or ""}
        remote = Settings(
            root=settings.root, store=settings.store, endpoints=(engine.query,), query_timeout=25.0, **access
        )
        publish_whole(remote, embedded)
        replicas = connect(remote)
        pointer = find_pointer(replicas.replicas[0].endpoint)
        assert pointer is not None
        assert pointer.current == identify(embedded.manifest)
        with serve(settings, embedded) as ours, serve(remote, open_remote(remote, replicas)) as theirs:
            yield Both(request.param, ours, theirs)
        replicas.close()


def publish_whole(remote: Settings, embedded: Snapshot) -> None:
    """Publish: every graph and the merge have the right number of triples; their hashes were compared, or it raises."""
    ((_, done),) = publish_everywhere(remote, Addresses())
    expected = {**embedded.manifest["quads_by_graph"], "": embedded.triples}
    assert {graph: told.triples for graph, told in done.graphs.items()} == expected
    assert done.sent == done.triples == sum(expected.values()) > 100_000
    assert len(done.graphs) > 100


@contextmanager
def serve(settings: Settings, snapshot: Snapshot) -> Iterator[Client]:
    # As somebody from elsewhere, who is counted; often enough not to be refused.
    open_door = settings.model_copy(update={"trusted_proxies": frozenset({"127.0.0.1"}), "client_rate": 1e6})
    headers = {"x-forwarded-for": "192.0.2.1", "accept-language": "es"}
    with listening(open_door, snapshot) as address, Client(base_url=address, timeout=180, headers=headers) as client:
        yield client


def text_of(client: Client, method: str, path: str, **options: Any) -> tuple[int, str, str]:
    """Return status, media type and text, in which both servers are called the same."""
    given = {"accept": "text/html, */*;q=0.5", **options.pop("headers", {})}
    response = client.request(method, path, headers=given, follow_redirects=True, **options)
    host = client.base_url.netloc.decode()
    text = re.sub("<responseDate>[^<]*", "", response.text.replace(host, "host"))
    return response.status_code, response.headers["content-type"], text


def same(both: Both, method: str, path: str, **options: Any) -> tuple[str, str]:
    """Both texts; status and media type are compared."""
    ours, theirs = (text_of(client, method, path, **options) for client in (both.ours, both.theirs))
    assert ours[0] == 200, ours[2]
    assert theirs[:2] == ours[:2], theirs[2][:2000]
    return ours[2], theirs[2]


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_the_same(both: Both, path: str) -> None:
    ours, theirs = same(both, "GET", path)
    if path.startswith(UNORDERED):
        ours, theirs = ("".join(sorted(text)) for text in (ours, theirs))
    assert theirs == ours


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_pages_of_questions_are_the_same(both: Both, question: QueryFile) -> None:
    ours, theirs = same(both, "GET", f"/queries/{question.id}")
    assert sorted(theirs.splitlines()) == sorted(ours.splitlines())


def test_a_batch_is_reconciled_to_the_same(both: Both) -> None:
    batch = {f"q{number}": {"query": name} for number, name in enumerate(NAMES)}
    ours, theirs = same(both, "POST", "/reconcile", data={"queries": json.dumps(batch)})
    assert theirs == ours
    assert all(json.loads(ours)[name]["result"] for name in batch)


def rows_of(text: str) -> Counter[str]:
    """Rows in any order, numbers and booleans by their value."""
    return Counter(json.dumps({k: valued(v) for k, v in row.items()}, sort_keys=True)
                   for row in json.loads(text)["results"]["bindings"])  # fmt: skip


def valued(term: dict[str, str]) -> Any:
    kind = term.get("datatype", "").rpartition("#")[2]
    if kind in ("integer", "decimal", "double", "float", "int"):
        return float(term["value"])
    if kind == "boolean":
        return float(term["value"] in ("1", "true"))
    return term["value"] if term["type"] == "bnode" else [term["type"], term["value"], term.get("xml:lang", "").lower()]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_clients_that_ask_by_sparql_hear_the_same(both: Both, question: QueryFile) -> None:
    if question.id in TOO_LONG[both.kind]:
        pytest.skip("takes longer here than a client may wait")
    accept = {"accept": "application/sparql-results+json"}
    options: dict[str, Any] = {"data": {"query": question.sparql}, "headers": accept}
    if both.kind == "virtuoso" and question.id in VIRTUOSO_ERRS:
        status, _, ours = text_of(both.ours, "POST", "/sparql", **options)
        found, _, theirs = text_of(both.theirs, "POST", "/sparql", **options)
        assert (status, found in (200, 400)) == (200, True), theirs[:2000]
        assert found != 200 or rows_of(theirs) != rows_of(ours), "it is right: take it from the list, and from the page"
        return
    ours, theirs = same(both, "POST", "/sparql", **options)
    assert rows_of(theirs) == rows_of(ours)
