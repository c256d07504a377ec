"""The validation report is readable: figures, a list that can be filtered, a page for each result."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from httpx import Client
from pyoxigraph import NamedNode, Quad, RdfFormat, Store, parse
from small_site import BASE, FOUND, crawl, listening, publish_pages, small_settings

from culturegraph.build import Build
from culturegraph.protocols.labels import Labels
from culturegraph.protocols.report import (
    PAGE,
    SHOWN,
    ReportIndex,
    describe_result,
    list_results,
    list_results_about,
    list_shapes,
)
from culturegraph.rdf.graphs import VALIDATION
from culturegraph.rdf.vocabulary import PREFIXES, SH, SKOS
from culturegraph.settings import Settings
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import Snapshot, open_current

DANCE = BASE + "id/expression/danza"
HTML = {"accept": "text/html", "accept-language": "en"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Snapshot]:
    return publish_pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def client(site: tuple[Settings, Snapshot]) -> Iterator[Client]:
    with listening(*site) as address, Client(base_url=address, timeout=30) as client:
        yield client


def results_of(html: str) -> list[int]:
    listed = html[html.index('id="results"') :]
    return [int(number) for number in re.findall(r'href="/validation/(\d+)', listed)]


# What is gathered


def test_figures(site: tuple[Settings, Snapshot]) -> None:
    index = ReportIndex(site[1].store)
    assert dict(index.figures) == FOUND
    assert len(index) == 63
    shapes = list_shapes(site[1].store, index, "en", None)
    assert [(figure.name, figure.severity, figure.count) for figure in shapes] == [
        ("Shape-Violation", "Violation", 1),
        ("Shape-Warning", "Warning", 2),
        ("Shape-Info", "Info", 60),
    ]
    assert [figure.severity for figure in list_shapes(site[1].store, index, "en", "Info")] == ["Info"]
    assert index.select("Warning") == [2, 3]
    assert index.select(None, "Shape-Violation") == [1]
    assert index.select("Warning", "Shape-Violation") == []


def test_a_result_tells_everything(site: tuple[Settings, Snapshot]) -> None:
    result = describe_result(site[1].store, 2, "es")
    assert result is not None
    assert (result.severity, result.shape_name, result.component) == (
        "Warning",
        "Shape-Warning",
        "MinCountConstraintComponent",
    )
    assert result.message is not None
    assert result.message.text == "Falta <2> en Danza <script>", "a thing of ours is named, not spelled out"
    assert result.hint is not None
    assert result.hint.text == "Añádalo."
    assert result.row == "expressions.csv:2:label_es"
    assert "".join(part.name.text for part in result.path) == "^reconoce | (parte de / nombre) | parte de*"
    assert result.value is not None
    assert result.value.name.text == "<i>2"
    assert describe_result(site[1].store, 64, "es") is None


def test_results_about_an_entity_are_bounded(site: tuple[Settings, Snapshot]) -> None:
    labels = Labels(site[1].store, "en")
    results, total = list_results_about(site[1].store, DANCE, labels)
    assert (len(results), total) == (SHOWN, 59)
    assert [result.number for result in results[:3]] == [1, 2, 3]
    assert list_results_about(site[1].store, BASE + "id/norm/old", labels) == ((), 0)


def test_paging(site: tuple[Settings, Snapshot]) -> None:
    numbers = ReportIndex(site[1].store).select()
    pages = [list_results(site[1].store, "es", numbers, page) for page in (1, 2, 3)]
    assert [len(page.results) for page in pages] == [PAGE, 13, 0]
    assert {page.pages for page in pages} == {2}
    assert list_results(site[1].store, "es", [], 1).pages == 1


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("cg:Dance", "cg:Dance"),
        ("[ sh:oneOrMorePath rdfs:label ]", "nombre+"),
        ("[ sh:zeroOrOnePath rdfs:label ]", "nombre?"),
        ("( rdfs:label [ sh:inversePath rdfs:label ] )", "nombre / ^nombre"),
        ("[ sh:inversePath ( rdfs:label rdfs:comment ) ]", "^(nombre / descripción)"),
        ("[ rdfs:label 1 ]", "…"),
        ("_:ring . _:ring sh:inversePath _:ring", "^^^^^^^^^…"),
        ("_:list . _:list rdf:first rdfs:label ; rdf:rest _:list", " / ".join(["nombre"] * 50)),
    ],
)
def test_paths_in_words(path: str, shown: str) -> None:
    prefixes = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    text = f"<{BASE}validation/1> sh:resultSeverity sh:Info ; sh:focusNode cg:x ; sh:resultPath {path} ."
    store = Store()
    store.extend(Quad(*triple.triple, VALIDATION) for triple in parse(prefixes + text, format=RdfFormat.TURTLE))
    result = describe_result(store, 1, "es")
    assert result is not None
    found = "".join(part.name.text for part in result.path)
    assert found == shown or (shown == "cg:Dance" and found == "Dance")


def test_a_hidden_name_is_no_value(site: tuple[Settings, Snapshot]) -> None:
    store, node = Store(), NamedNode(BASE + "validation/1")
    for name, term in (
        ("resultSeverity", NamedNode(SH + "Info")),
        ("focusNode", NamedNode(DANCE)),
        ("resultPath", NamedNode(SKOS + "hiddenLabel")),
        ("value", NamedNode(BASE + "id/x")),
    ):
        store.add(Quad(node, NamedNode(SH + name), term, VALIDATION))
    result = describe_result(store, 1, "es")
    assert result is not None
    assert result.value is None


# Over HTTP


def test_the_report_has_figures_and_filters(client: Client) -> None:
    html = client.get("/validation/", headers=HTML).text
    assert re.findall(r"<strong>(\d+)</strong> <span>(\w+)", html) == [
        ("1", "Violations"),
        ("2", "Warnings"),
        ("60", "Notes"),
    ]
    assert results_of(html) == list(range(1, 51))
    assert 'rel="next"' in html
    second = client.get("/validation/?page=2", headers=HTML).text
    assert results_of(second) == list(range(51, 64))
    warnings = client.get("/validation/?severity=Warning", headers=HTML).text
    assert results_of(warnings) == [2, 3]
    assert results_of(client.get("/validation/?shape=Shape-Violation", headers=HTML).text) == [1]
    following = client.get("/validation/?severity=Info&shape=Shape-Info&page=1&lang=en", headers=HTML).text
    assert 'href="/validation/?page=2&amp;severity=Info&amp;shape=Shape-Info&amp;lang=en#results"' in following


@pytest.mark.parametrize(
    "query", ["severity=%3Cscript%3E", "shape=%22%3E%3Cscript%3E", "page=999", "severity=Info&shape=none", "shape="]
)
def test_absurd_filters(client: Client, query: str) -> None:
    response = client.get(f"/validation/?{query}", headers=HTML)
    assert response.status_code == 200
    assert "<script" not in response.text


@pytest.mark.parametrize("query", ["page=0", "page=x", "shape=" + "x" * 501])
def test_malformed_filters(client: Client, query: str) -> None:
    assert client.get(f"/validation/?{query}", headers=HTML).status_code == 422


def test_a_result_page(client: Client) -> None:
    html = client.get("/validation/2", headers=HTML, follow_redirects=True).text
    for text in (
        "Missing &lt;2&gt; in Dance &lt;script&gt;",
        "Add it.",
        "expressions.csv:2:label_es",
        "Shape-Warning",
        'href="/id/expression/danza"',
        "&lt;i&gt;2",
        "Is published, and should be mended.",
    ):
        assert text in html, text
    assert "Falta &lt;2&gt;" in client.get("/doc/validation/2?lang=es").text
    assert {"/validation/1", "/validation/3"} <= set(re.findall(r'href="(/validation/\d+)"', html))
    turtle = client.get("/validation/2", headers={"accept": "text/turtle"}, follow_redirects=True).text
    assert "sh:Warning" in turtle
    assert "sh:alternativePath" in turtle, "the path comes along"


@pytest.mark.parametrize("number", ["0", "64", "x", "01", "-1", "9" * 30, "٣"])
def test_unknown_results_are_404(client: Client, number: str) -> None:
    for place in ("/validation/", "/doc/validation/"):
        assert client.get(place + number, headers=HTML).status_code == 404


def test_the_whole_report_as_rdf(client: Client) -> None:
    turtle = client.get("/validation/", headers={"accept": "text/turtle"})
    triples = list(parse(turtle.content, format=RdfFormat.TURTLE))
    assert sum(triple.predicate.value == SH + "focusNode" for triple in triples) == 63
    assert client.get("/validation", headers=HTML).headers["location"] == "/validation/"


def test_pages_are_revalidated(client: Client) -> None:
    for path in ("/validation/", "/validation/?page=2", "/doc/validation/1"):
        first = client.get(path, headers=HTML)
        again = client.get(path, headers={**HTML, "if-none-match": first.headers["etag"]})
        assert again.status_code == 304
        spanish = {**HTML, "accept-language": "es", "if-none-match": first.headers["etag"]}
        assert client.get(path, headers=spanish).status_code == 200


def test_entities_name_their_results(client: Client) -> None:
    html = client.get("/doc/expression/danza", headers=HTML).text
    assert "Validation notes" in html
    assert 'href="/validation/1"' in html
    assert "Validation notes" not in client.get("/doc/norm/old", headers=HTML).text


def test_the_front_page_states_the_figures(client: Client) -> None:
    html = client.get("/", headers=HTML).text
    for severity, count in FOUND.items():
        assert re.search(rf'href="/validation/\?severity={severity}"[^>]*><strong>{count}</strong>', html)


def test_without_a_report(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = tmp_path_factory.mktemp("bare")
    publish(
        store,
        [Quad(NamedNode(DANCE), NamedNode(SH + "x"), NamedNode(DANCE), NamedNode(BASE + "graph/source/x"))],
        version="bare",
        metadata={"content_hash": "2" * 64},
        keep=1,
    )
    snapshot = open_current(store, in_memory=True)
    with listening(small_settings(store), snapshot) as address, Client(base_url=address, timeout=30) as client:
        for path in ("/validation/", "/ontology/", "/reasoner", "/"):
            assert client.get(path, headers=HTML).status_code == 200


def test_every_link_works(client: Client) -> None:
    seen = crawl(client, ["/validation/", "/validation/2"], ("/validation/",))
    assert len(seen) > 70


def test_the_report_of_the_bundled_graph(built: Build, built_store: Store) -> None:
    index = ReportIndex(built_store)
    assert dict(index.figures) == {name: built.report.counts[name] for name in ("Violation", "Warning", "Info")}
    for number in range(1, len(index) + 1, max(1, len(index) // 60)):
        result = describe_result(built_store, number, "en")
        assert result is not None
        reported = built.report.results[number - 1]
        assert result.row == reported.row
        assert result.message is not None
        assert result.message.language == "en"
        assert BASE not in result.message.text
        assert not any(part.name.text in ("…", "[…]") for part in result.path)
