"""Questions and dashboards as pages: choices, views, formats, over real HTTP and the bundled graph."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from small_site import listening

from culturegraph.build import Build
from culturegraph.errors import DataError, RequestError
from culturegraph.protocols.dashboards import read_dashboards
from culturegraph.queries import read_queries, read_query
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

HTML = {"accept": "text/html", "accept-language": "en"}
HEAD = '#+ title: {es: "¿Qué?", en: "What?"}\n'


@pytest.fixture(scope="module")
def client(built: Build, settings: Settings) -> Iterator[Client]:
    snapshot = open_current(settings.store, in_memory=True)
    with listening(settings, snapshot) as server, Client(base_url=server, timeout=60) as client:
        yield client


def test_every_dashboard_draws_every_chart(client: Client, root: Path) -> None:
    queries = read_queries(root / "queries" / "dashboards")
    dashboards = read_dashboards(root / "queries" / "dashboards", queries)
    assert sum(len(dashboard.queries) for dashboard in dashboards.values()) == len(queries)
    listed = client.get("/dashboards/", headers=HTML).text
    for dashboard in dashboards.values():
        assert f'href="/dashboards/{dashboard.id}"' in listed
        for language in ("es", "en"):
            page = client.get(f"/dashboards/{dashboard.id}?lang={language}", headers=HTML).text
            assert page.count("<figure") == len(dashboard.queries), dashboard.id
            assert page.count("<table>") == len(dashboard.queries)
            ids = re.findall(r' id="([^"]+)"', page)
            assert len(ids) == len(set(ids))
    assert client.get("/dashboards/recognition", headers=HTML).status_code == 404


def test_a_question_is_answered_with_what_was_chosen(client: Client) -> None:
    page = client.get("/queries/cq-03?in_year=2012", headers=HTML).text
    years = set(re.findall(r"<td>(\d{4})</td>", page))
    assert years == {"2012"}
    assert 'value="2012"' in page, "the form keeps what was chosen"
    everything = client.get("/queries/cq-03", headers=HTML).text
    assert len(set(re.findall(r"<td>(\d{4})</td>", everything))) > 10
    assert re.search(r'<option value="https://w3id.org/culturegraph/id/place/pe-08"[^>]*>Cusco', everything)
    wrong = client.get("/queries/cq-03?in_year=long+ago", headers=HTML)
    assert wrong.status_code == 400 and "in_year" in wrong.text


def test_an_answer_comes_in_every_format(client: Client) -> None:
    page = client.get("/queries/cq-01", headers=HTML).text
    links = re.findall(r'href="(/sparql\?query=[^"]+format=(\w+))"', page)
    assert {name for _, name in links} >= {"json", "xml", "csv", "tsv", "geojson", "graphml"}
    for address, name in links:
        response = client.get(address.replace("&amp;", "&"))
        assert response.status_code == 200, name
        assert response.content
    moved = client.get("/queries/cq-01?format=csv")
    assert moved.status_code == 303
    table = client.get(moved.headers["location"])
    assert table.headers["content-type"].startswith("text/csv")
    places = json.loads(client.get(client.get("/queries/cq-42?format=geojson").headers["location"]).content)
    assert places["type"] == "FeatureCollection"


@pytest.mark.parametrize("view", ["table", "chart", "map", "graph", "<script>"])
def test_views_of_an_answer(client: Client, view: str) -> None:
    for path in ("/queries/cq-03", "/queries/neighbourhood-of-a-people"):
        page = client.get(path, params={"view": view}, headers=HTML)
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert page.text.count('aria-current="true"') >= 1


def test_a_chosen_value_cannot_break_out(tmp_path: Path) -> None:
    path = tmp_path / "two.rq"
    parameters = "#+ parameters:\n" + "".join(
        f'#+   - {{name: {name}, type: string, default: "x", label: {{es: "a", en: "a"}}}}\n' for name in ("a", "b")
    )
    path.write_text(HEAD + parameters + 'SELECT * { VALUES ?a { "x" } VALUES ?b { "x" } }\n')
    bound = read_query(path).bind({"a": '" } VALUES ?b { "y" } #\\', "b": "z"})
    assert bound.count('VALUES ?b { "z" }') == 1
    assert '\\" } VALUES ?b { \\"y\\" } #\\\\' in bound
    path.write_text(
        HEAD + parameters.replace("string", "iri") + "SELECT * { VALUES ?a { <x:y> } VALUES ?b { <x:y> } }\n"
    )
    with pytest.raises(RequestError, match=r"a: .* not of type iri"):
        read_query(path).bind({"a": "x:y> } #"})


@pytest.mark.parametrize(
    ("parameter", "fault"),
    [
        ("{name: a, type: colour, default: x, label: {es: a, en: a}}", "unknown type"),
        ("{name: b, type: iri, default: x, label: {es: a, en: a}}", "VALUES"),
        ("{name: a, type: iri, label: {es: a, en: a}}", "default"),
        ("{name: a, kind: iri}", "unknown key"),
    ],
)
def test_a_wrong_parameter_is_told(tmp_path: Path, parameter: str, fault: str) -> None:
    path = tmp_path / "wrong.rq"
    path.write_text(f"{HEAD}#+ parameters: [{parameter}]\nSELECT * {{ VALUES ?a {{ 1 }} }}\n")
    with pytest.raises(DataError, match=f"wrong.rq.*{fault}"):
        read_query(path)


def test_a_dashboard_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "dashboards.yaml").write_text("- {id: one, title: {es: a, en: a}, about: {es: a, en: a}}\n")
    path = tmp_path / "chart.rq"
    path.write_text(HEAD + "#+ dashboard: two\n#+ chart: {kind: bars, x: a}\nSELECT ?a { ?a ?b ?c }\n")
    with pytest.raises(DataError, match=r"chart.rq.*two"):
        read_dashboards(tmp_path, [read_query(path)])


def test_the_data_set_can_be_had_where_its_description_says(client: Client) -> None:
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', client.get("/", headers=HTML).text)
    for part in json.loads(block)["distribution"]:
        assert client.get(part["contentUrl"], follow_redirects=True).status_code == 200


def test_the_editor_suggests_classes_by_use(client: Client) -> None:
    found = client.get("/suggest/class?q=danza", headers={"accept-language": "es"}).json()
    assert found[0]["iri"].endswith("/ontology/Dance") and found[0]["count"] > 0
    found = client.get("/suggest/property?q=cg:prac").json()
    assert {"cg:practitioner", "cg:practisedThrough"} <= {
        item["iri"].replace("https://w3id.org/culturegraph/ontology/", "cg:") for item in found
    }
