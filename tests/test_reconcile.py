"""The reconciliation service over HTTP, on the bundled graph: its answers, and what it makes of bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Client
from jsonschema import Draft202012Validator
from small_site import listening, small_settings

from culturegraph.store.snapshot import open_current

SCHEMAS = json.loads((Path(__file__).parent / "cases" / "reconciliation" / "schemas.json").read_text())


@pytest.fixture(scope="module")
def client(built, settings, root) -> Iterator[Client]:
    snapshot = open_current(settings.store, in_memory=True)
    with (
        listening(small_settings(settings.store, root=root), snapshot) as server,
        Client(base_url=server, timeout=30) as client,
    ):
        yield client


def check(name: str, value: Any) -> Any:
    schema = {"$defs": SCHEMAS["$defs"], "$ref": f"#/$defs/{name}"}
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in Draft202012Validator(schema).iter_errors(value)
    ]
    assert not errors, errors
    return value


def ask(client: Client, queries: dict[str, Any], **parameters: str) -> dict[str, Any]:
    response = client.post("/reconcile", params=parameters, data={"queries": json.dumps(queries)})
    assert response.status_code == 200, response.text
    return check("results", response.json())


def look_up(client: Client, text: str, **query: Any) -> list[dict[str, Any]]:
    return ask(client, {"q0": {"query": text, **query}})["q0"]["result"]


def ids(found: list[dict[str, Any]], *, matched: bool = False) -> list[str]:
    return [item["id"] for item in found if item["match"] or not matched]


def test_the_manifest_says_where_everything_is(client: Client) -> None:
    response = client.get("/reconcile", headers={"origin": "http://127.0.0.1:3333"})
    told = check("manifest", response.json())
    assert response.headers["access-control-allow-origin"] == "*"
    assert told["preview"]["url"].startswith(str(client.base_url).rstrip("/"))
    for service in told["suggest"].values():
        assert client.get(service["service_path"], params={"prefix": "dan"}).status_code == 200
    assert client.get(told["extend"]["propose_properties"]["service_path"]).status_code == 200
    assert client.get("/static/mark.svg").status_code == 200
    assert client.get("/reconcile", headers={"if-none-match": response.headers["etag"]}).status_code == 304
    english = client.get("/reconcile", params={"lang": "en"}).json()
    assert english["preview"]["url"].endswith("/reconcile/preview?lang=en&id={{id}}")


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("danza de tijeras", {"type": "Dance"}, "id/expression/danza-de-tijeras"),
        ("TIJERAS, Danza de", {"type": "Dance"}, "id/expression/danza-de-tijeras"),
        ("awajún", {"type": "IndigenousPeople"}, "id/people/awajun"),
        ("Ahuajun (Indiens)", {"type": "IndigenousPeople"}, "id/people/awajun"),
        ("Awajun", {"type": ["Language"]}, "id/language/awajun"),
        ("Perú. Ministerio de Cultura", {"type": "Institution"}, "id/institution/mincul"),
        ("FederaciÃ³n Kechwa IndÃ\xadgena Huallaga Dorado", {}, "id/institution/fekihd"),
        ("https://w3id.org/culturegraph/id/people/awajun", {}, "id/people/awajun"),
        ("http://www.wikidata.org/entity/Q397948", {}, "id/people/awajun"),
        ("Q397948", {}, "id/people/awajun"),
        ("agr", {"type": "Language"}, "id/language/awajun"),
        ("Ley N.º 29073", {"type": "NationalNorm"}, "id/norm/law-29073"),
    ],
)  # fmt: skip
def test_a_name_or_identifier_finds_what_it_means(
    client: Client, text: str, query: dict[str, Any], expected: str
) -> None:
    assert ids(look_up(client, text, **query), matched=True) == [expected]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        *[(text, {}) for text in ("Piro", "Nahua", "Ballet Folclórico", "Quechua", "San Juan", "Semana Santa")],
        ("Piro", {"type": "IndigenousPeople"}),
        ("Kechwa", {"type": "Language"}),
        ("Ministerio de Cultura (Colombia)", {"type": "Institution"}),
        ("Nahuas (Indiens du Mexique)", {"type": "IndigenousPeople"}),
        ("danza de tijeras", {"type": "Place"}),
        ("danza de tijeras", {"properties": [{"pid": "department", "v": "Tumbes"}]}),
        ("26842", {"type": "NationalNorm"}),
        # A district by its code at the statistical office, another by that at the electoral register.
        ("080206", {}),
    ],
)  # fmt: skip
def test_what_could_mean_several_things_is_left_to_a_person(client: Client, text: str, query: dict[str, Any]) -> None:
    assert ids(look_up(client, text, **query), matched=True) == []


def test_a_property_breaks_a_tie_and_features_say_so(client: Client) -> None:
    alone = look_up(client, "Santa Rosa", type="District", limit=50)
    assert len(alone) > 5
    assert not ids(alone, matched=True)
    places = [{"pid": "department", "v": {"id": "id/place/pe-22"}}, {"pid": "within", "v": "El Dorado"}]
    found = look_up(client, "Santa Rosa", type="District", properties=places)
    assert ids(found, matched=True) == [found[0]["id"]]
    features = {item["id"]: item["value"] for item in found[0]["features"]}
    assert features["property:department"] is True
    assert features["type"] is True
    others = [{f["id"]: f["value"] for f in item["features"]} for item in found[1:]]
    assert any(other.get("property:department") is False for other in others)
    assert found[0]["score"] > found[1]["score"]


def test_types_are_wished_or_demanded(client: Client) -> None:
    assert "id/people/awajun" in ids(look_up(client, "Awajun", type="Language"))
    assert "id/people/awajun" not in ids(look_up(client, "Awajun", type="Language", type_strict="any"))
    assert ids(look_up(client, "Awajun", type=["Language", "Place"], type_strict="all")) == []
    both = look_up(client, "Awajun", type=["Language", "Place"], type_strict="any", limit=50)
    assert {"id/language/awajun"} <= set(ids(both))
    assert ids(look_up(client, "Awajun", type="NoSuchType"), matched=True) == []
    assert ids(look_up(client, "Awajun", type="NoSuchType", type_strict="any")) == []
    iri = "https://w3id.org/culturegraph/ontology/Language"
    assert ids(look_up(client, "Awajun", type=iri), matched=True) == ["id/language/awajun"]


def test_names_come_in_the_language_that_is_asked_for(client: Client) -> None:
    query = {"q0": {"query": "awajun", "type": "IndigenousPeople"}}
    spanish, english = ask(client, query, lang="es"), ask(client, query, lang="en")
    assert spanish["q0"]["result"][0]["type"][0]["name"] != english["q0"]["result"][0]["type"][0]["name"]
    assert spanish["q0"]["result"][0]["id"] == english["q0"]["result"][0]["id"]


def test_get_and_post_answer_alike(client: Client) -> None:
    queries = json.dumps({"a": {"query": "Wititi"}, "b": {"query": "Wititi"}})
    get = client.get("/reconcile", params={"queries": queries})
    post = client.post("/reconcile", data={"queries": queries})
    multipart = client.post("/reconcile", files={"queries": (None, queries)})
    assert get.json() == post.json() == multipart.json()
    assert get.json()["a"] == get.json()["b"]


def test_one_bad_query_does_not_fail_its_batch(client: Client) -> None:
    bad = {
        "number": {"query": 5},
        "list": [],
        "null": None,
        "strict": {"query": "x", "type_strict": "perhaps"},
        "type": {"query": "x", "type": {"a": 1}},
        "types": {"query": "x", "type": ["Dance"] * 30},
        "limit": {"query": "x", "limit": -1},
        "properties": {"query": "x", "properties": "department"},
        "pid": {"query": "x", "properties": [{"v": 1}]},
        "long": {"query": "x" * 20_000},
    }
    answers = ask(client, {"good": {"query": "Danza de tijeras", "type": "Dance"}, **bad})
    assert ids(answers["good"]["result"], matched=True)
    for key in bad:
        assert answers[key]["result"] == []
        assert isinstance(answers[key].get("error", ""), str)
    assert "limit: a number from 1" in answers["limit"]["error"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "😀",
        "\x00\x07",
        "<script>alert(1)</script>",
        "((((",
        '"',
        "*",
        "%",
        "x" * 9_000,
        "de la",
        "ÃÃ",
        "﷽" * 300,
    ],
)
def test_no_text_breaks_it(client: Client, text: str) -> None:
    properties = [{"pid": text, "v": text}, {"pid": "department", "v": [text, 3, True, {"id": text}]}]
    found = look_up(client, text, type=text or "Dance", properties=properties)
    assert ids(found, matched=True) == []


def test_a_thousand_queries_are_a_batch_and_one_more_is_not(client: Client) -> None:
    queries = {f"q{n}": {"query": f"Fiesta de San Juan {n % 50}", "limit": 1} for n in range(1000)}
    assert len(ask(client, queries)) == 1000
    response = client.post("/reconcile", data={"queries": json.dumps({**queries, "more": {"query": "x"}})})
    assert response.status_code == 413
    assert "1,000" in response.text
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"queries=%7B%22q0%22", "application/x-www-form-urlencoded", 400),
        (b"queries=[]", "application/x-www-form-urlencoded", 400),
        (b"queries=" + b"[" * 20_000, "application/x-www-form-urlencoded", 400),
        (b"queries=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"other=1", "application/x-www-form-urlencoded", 400),
        (b"", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 400),
        (b"extend=%7B%22ids%22%3A5%7D", "application/x-www-form-urlencoded", 400),
        (b"queries=" + b"x" * 13_000_000, "application/x-www-form-urlencoded", 413),
    ],
    ids=["cut", "list", "deep", "bytes", "field", "empty", "json", "ids", "huge"],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_words(client: Client, body: bytes, kind: str, status: int) -> None:
    response = client.post("/reconcile", content=body, headers={"content-type": kind})
    assert response.status_code == status
    assert response.json()["detail"]


def test_a_callback_is_never_called(client: Client) -> None:
    queries = json.dumps({"q0": {"query": "Wititi"}})
    response = client.get("/reconcile", params={"queries": queries, "callback": "<script>alert(1)</script>"})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "alert" not in response.text
    assert response.json()["q0"]["result"]


def test_suggestions(client: Client) -> None:
    def suggest(kind: str, prefix: str) -> list[str]:
        answer = client.get(f"/reconcile/suggest/{kind}", params={"prefix": prefix, "lang": "en"})
        return [item["id"] for item in check("suggestions", answer.json())["result"]]

    assert suggest("entity", "danza de tij")[0] == "id/expression/danza-de-tijeras"
    assert suggest("entity", "Q397948") == ["id/people/awajun"]
    assert suggest("type", "dan")[0] == "Dance"
    assert "department" in suggest("property", "depart")
    assert client.get("/reconcile/suggest/entity", params={"prefix": ""}).json() == {"result": []}
    assert client.get("/reconcile/suggest/other", params={"prefix": "x"}).status_code == 422
    for kind, identifier in (("entity", "id/people/awajun"), ("type", "Dance"), ("property", "locatedIn")):
        told = client.get(f"/reconcile/flyout/{kind}", params={"id": identifier}).json()
        assert told["id"] == identifier
        assert "<strong>" in told["html"]
        assert client.get(f"/reconcile/flyout/{kind}", params={"id": "<b>x</b>"}).status_code == 404


def test_the_preview_may_be_framed_and_runs_nothing(client: Client) -> None:
    response = client.get("/reconcile/preview", params={"id": "id/people/awajun", "lang": "en"})
    policy = response.headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "Awajún" in response.text
    assert client.get("/reconcile/preview", params={"id": "id/people/<script>"}).status_code == 404
    # The view of the manifest, with the identifier encoded as OpenRefine encodes it.
    assert (
        client.get("/id%2Fpeople%2Fawajun", headers={"accept": "text/html"}).headers["location"] == "/doc/people/awajun"
    )


def test_data_extension(client: Client) -> None:
    names = ["label", "department", "lat", "identifier", "exactMatch", "foundedOn", "noSuchProperty"]
    asked = {
        "ids": ["id/people/awajun", "id/place/pe-0807", "https://w3id.org/culturegraph/id/institution/osn", "id/none"],
        "properties": [
            *({"id": name} for name in names),
            {"id": "locatedIn", "settings": {"limit": 1, "content": "iris"}},
        ],
    }
    answer = check(
        "extension", client.post("/reconcile", data={"extend": json.dumps(asked)}, params={"lang": "es"}).json()
    )
    rows = answer["rows"]
    assert rows["id/people/awajun"]["label"] == [{"str": "Awajún"}]
    assert {"id": "id/place/pe-01", "name": "Amazonas"} in rows["id/people/awajun"]["department"]
    assert rows["id/place/pe-0807"]["department"][0]["name"] == "Cusco"
    assert set(rows) == set(asked["ids"])
    assert all(values == [] for values in rows["id/none"].values())
    meta = {item["id"]: item for item in answer["meta"]}
    assert meta["department"]["type"]["id"] == "Department"
    assert meta["noSuchProperty"]["name"] == "noSuchProperty"
    proposed = client.get("/reconcile/properties", params={"type": "IndigenousPeople"}).json()["properties"]
    assert {"department", "label"} <= {item["id"] for item in proposed}
    assert len(client.get("/reconcile/properties", params={"type": "NoSuchType"}).json()["properties"]) < len(proposed)
    too_many = {"ids": ["id/x"] * 1001, "properties": []}
    assert client.post("/reconcile", data={"extend": json.dumps(too_many)}).status_code == 413
