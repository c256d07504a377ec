"""Linked data: every IRI of ours leads somewhere, in every format, with the sources of what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import rdflib
from httpx import Client
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse
from small_site import BASE, ONE, TWO, listening, publish_small, small_settings

from culturegraph.protocols.documents import MAX_INCOMING, near_matches, own_iris, statements, to_document
from culturegraph.protocols.entity import PAGE, SHOWN, Entity, Group, Window
from culturegraph.protocols.entity_reader import Reader
from culturegraph.protocols.labels import Labels, preferred_language, shorten, sort_key, to_href
from culturegraph.protocols.linkeddata import read_entity
from culturegraph.protocols.listing import count_instances, list_graphs, list_schemes, list_terms
from culturegraph.rdf.formats import BY_NAME, GRAPHS
from culturegraph.rdf.vocabulary import CG, LABEL, RDFS, SKOS, TYPE
from culturegraph.store.snapshot import Snapshot

AWAJUN = BASE + "id/people/awajun"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CERAMICS = BASE + "id/expression/ceramica"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return publish_small(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def client(snapshot: Snapshot) -> Iterator[Client]:
    with listening(small_settings(snapshot.path), snapshot) as address, Client(base_url=address, timeout=30) as client:
        yield client


def describe(snapshot: Snapshot, iri: str, language: str = "es", window: Window | None = None) -> Entity:
    entity = read_entity(Reader(snapshot.store), iri, language, window)
    assert entity is not None
    return entity


def group(groups: tuple[Group, ...], predicate: str) -> Group:
    return next(group for group in groups if group.predicate == predicate)


# What is gathered


def test_the_title_is_in_the_language_of_the_reader(snapshot: Snapshot) -> None:
    assert describe(snapshot, AWAJUN, "es").name.text == "Awajún"
    assert describe(snapshot, AWAJUN, "en").name.text == "Awajún people"
    ceramics = describe(snapshot, CERAMICS, "en").name
    assert (ceramics.text, ceramics.language) == ("Cerámica awajún", "es"), "Spanish where there is no English"


def test_names_begin_with_the_language_of_the_reader(snapshot: Snapshot) -> None:
    for language, other in (("es", "en"), ("en", "es")):
        names = describe(snapshot, AWAJUN, language).names
        assert names is not None
        assert [value.name.language for value in names.values] == [other, "agr"], "the title is not repeated"


def test_every_statement_has_its_sources(snapshot: Snapshot) -> None:
    entity = describe(snapshot, AWAJUN)
    numbers = {source.graph: source.number for source in entity.sources}
    both = group(entity.groups, TYPE.value).values[0]
    assert both.name.text == "pueblo indígena"
    assert set(both.sources) == {numbers[ONE], numbers[TWO]}
    assert group(entity.groups, CG + "population").values[0].sources == (numbers[TWO],)
    one = next(source for source in entity.sources if source.graph == ONE)
    assert (one.name.text, one.publisher) == ("Base de datos oficial", "Ministerio de Cultura")
    assert (one.document, one.licence) == ("https://example.org/one", "https://example.org/licence")
    assert one.href == "/graph/source/one"


def test_what_no_source_says_leads_to_why(snapshot: Snapshot) -> None:
    entity = describe(snapshot, AWAJUN)
    kinds = group(entity.groups, TYPE.value).values
    assert [(value.iri, value.why is not None) for value in kinds] == [
        (CG + "IndigenousPeople", False),
        (CG + "Community", True),
    ]
    assert [value.iri for value in entity.types] == [CG + "IndigenousPeople"]


def test_an_inverse_is_the_same_statement(snapshot: Snapshot) -> None:
    """`practisedBy` is inferred of the ceramics, but its inverse has a source: it is no inference to a reader."""
    ceramics = describe(snapshot, CERAMICS)
    practised_by = group(ceramics.groups, CG + "practisedBy")
    source = next(source for source in ceramics.sources if source.number == practised_by.values[0].sources[0])
    assert source.graph == ONE
    for entity in (ceramics, describe(snapshot, AWAJUN)):
        incoming = {group.predicate for group in entity.groups if group.direction == "in"}
        assert not incoming & {CG + "practises", CG + "practisedBy"}


def test_a_hidden_name_is_never_shown(snapshot: Snapshot, client: Client) -> None:
    assert SKOS + "hiddenLabel" not in {group.predicate for group in describe(snapshot, AWAJUN).groups}
    assert "Aguaruna" not in client.get("/doc/people/awajun").text
    assert "Aguaruna" in client.get("/data/people/awajun.ttl").text, "the data are complete"


def test_a_nameless_thing_is_named_by_what_it_connects(snapshot: Snapshot) -> None:
    practice = BASE + "id/practice/awajun-ceramica"
    assert describe(snapshot, practice, "es").name.text == "práctica: Cerámica awajún · Awajún"
    assert describe(snapshot, practice, "en").name.text == "practice: Cerámica awajún · Awajún people"


def test_no_naked_iri_on_a_page(snapshot: Snapshot) -> None:
    for iri in own_iris(snapshot.store):
        entity = describe(snapshot, iri)
        for shown in (*entity.groups, *entity.repeated):
            for name in (shown.name, *(value.name for value in shown.values)):
                assert not name.text.startswith(("http://", "https://", "<http")), (iri, name)


def test_the_description_is_in_the_header(snapshot: Snapshot) -> None:
    description = describe(snapshot, CG + "IndigenousPeople", "en").description
    assert description is not None
    assert (description.text, description.language) == ("Un pueblo.", "es")


@pytest.fixture(scope="module")
def crowded() -> Store:
    """A place that very many things are located in."""
    store, place, located = Store(), NamedNode(BASE + "id/place/x"), NamedNode(CG + "locatedIn")
    graph = NamedNode(ONE)
    store.bulk_extend(
        Quad(NamedNode(f"{BASE}id/thing/{number:05}"), located, place, name)
        for number in range(MAX_INCOMING + 500)
        for name in (graph, None)
    )
    return store


def test_many_values_are_paged(crowded: Store) -> None:
    place = BASE + "id/place/x"
    entity = read_entity(Reader(crowded), place, "es")
    assert entity is not None
    shown = entity.groups[0]
    assert (len(shown.values), shown.total, shown.has_more) == (SHOWN, MAX_INCOMING + 500, True)
    pages = [read_entity(Reader(crowded), place, "es", Window(CG + "locatedIn", "in", page)) for page in (1, 2, 53)]
    assert [len(page.groups[0].values) for page in pages if page] == [PAGE, PAGE, 100]
    seen = [value.iri for page in pages if page for value in page.groups[0].values]
    assert len(set(seen)) == len(seen)


def test_a_data_document_is_bounded(crowded: Store) -> None:
    assert len(statements(crowded, BASE + "id/place/x")) == MAX_INCOMING


def test_blank_nodes_and_fragments_are_part_of_a_document() -> None:
    text = (
        b"<http://a/x> <http://a/p> [ <http://a/q> [ <http://a/r> 1 ] ] , <http://a/x#part> , <http://a/other> ."
        b"<http://a/x#part> <http://a/r> 2 . <http://a/other> <http://a/r> 3 ."
    )
    store = Store()
    store.extend(Quad(*triple.triple, NamedNode(ONE)) for triple in parse(text, format=RdfFormat.TURTLE))
    values = {quad.object.value for quad in statements(store, "http://a/x") if isinstance(quad.object, Literal)}
    assert values == {"1", "2"}


def test_quads_of_the_default_graph_alone_are_not_lost() -> None:
    store, node = Store(), NamedNode(AWAJUN)
    store.add(Quad(node, LABEL, Literal("a")))
    assert len(statements(store, AWAJUN)) == 1
    entity = read_entity(Reader(store), AWAJUN, "es")
    assert entity is not None
    assert entity.name.text == "a"
    assert entity.groups == (), "the name is the title"


def test_near_matches_prefer_the_same_kind() -> None:
    known = [BASE + "id/people/awajun", BASE + "id/language/awajun", BASE + "id/people/ashaninka"]
    assert near_matches(BASE + "id/language/awajum", known) == [known[1], known[0]]
    assert near_matches(BASE + "id/people/qqqqqqqq", known) == []
    assert near_matches(BASE + "id/people/" + "x" * 100_000, known) == []


def test_lists(snapshot: Snapshot) -> None:
    terms = {
        section.key: [entry.name.text for entry in section.entries] for section in list_terms(snapshot.store, "es")
    }
    assert terms == {
        "classes": ["artesanía", "práctica", "pueblo indígena"],
        "object_properties": ["practica", "practicada por"],
        "datatype_properties": ["población"],
    }
    assert [(e.name.text, e.count) for e in list_schemes(snapshot.store, "es")[0].entries] == [("Áreas", 1)]
    sources, others = list_graphs(snapshot.store, "es", snapshot.manifest["quads_by_graph"])
    assert [entry.count for entry in sources.entries if entry.iri == ONE] == [10]
    assert BASE + "graph/inferred" in {entry.iri for entry in others.entries}
    # What is merely inferred (Community) is not counted among the kinds.
    counts = [(entry.name.text, entry.count) for entry in count_instances(snapshot.store, "es")]
    assert counts == [("pueblo indígena", 2), ("artesanía", 1), ("práctica", 1)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "es"),
        ("", "es"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("qu, en;q=0.5, es;q=0.4", "en"),
        ("fr", "es"),
        ("es;q=0.1,en;q=0.2", "en"),
        ("en;q=0", "es"),
        ("en;q=x", "es"),
        (";;,,=", "es"),
    ],
)
def test_the_language_of_a_page(header: str | None, expected: str) -> None:
    assert preferred_language(header, ("es", "en")) == expected


def test_short_forms_and_links(snapshot: Snapshot) -> None:
    assert shorten(RDFS + "label") == "rdfs:label"
    assert shorten("http://www.cidoc-crm.org/cidoc-crm/E39_Actor") == "crm:E39_Actor"
    assert shorten("https://www.example.org/a/b/") == "example.org/a/b"
    assert len(shorten("https://example.org/" + "x" * 500)) < 60
    assert to_href(AWAJUN) == "/id/people/awajun"
    assert to_href('https://w3id.org/culturegraph/id/a"><b>') == "/id/a%22%3E%3Cb%3E"
    assert to_href("javascript:alert(1)") is None
    assert to_href("https://example.org/") == "https://example.org/"
    assert Labels(snapshot.store, "es").of(RDFS + "label").text == "nombre"
    assert sort_key("Área") < sort_key("beta") < sort_key("Ñandú")


# Over HTTP


@pytest.mark.parametrize(
    ("path", "accept", "location"),
    [
        ("/id/people/awajun", "text/html", "/doc/people/awajun"),
        ("/id/people/awajun", BROWSER, "/doc/people/awajun"),
        ("/id/people/awajun", "*/*", "/doc/people/awajun"),
        ("/id/people/awajun", "text/turtle", "/data/people/awajun"),
        ("/id/people/awajun", "text/html;q=0.5, application/ld+json", "/data/people/awajun"),
        ("/id/people/awajun.ttl", "text/html", "/data/people/awajun.ttl"),
        ("/id/people/awajun.html", "text/turtle", "/doc/people/awajun"),
        ("/id/people/awajun?lang=en", "text/html", "/doc/people/awajun?lang=en"),
        ("/ontology/practises", "text/html", "/doc/ontology/practises"),
        ("/ontology/practises", "application/rdf+xml", "/data/ontology/practises"),
        ("/schemes/areas", "text/html", "/doc/schemes/areas"),
        ("/schemes/areas/amazonia", "text/turtle", "/data/schemes/areas/amazonia"),
        ("/graph/source/one", "text/html", "/doc/graph/source/one"),
        ("/graph/inferred", "text/html", "/doc/graph/inferred"),
        ("/ontology", "text/html", "/ontology/"),
        ("/data/people/awajun.html", "*/*", "/doc/people/awajun"),
    ],
)
def test_303(client: Client, path: str, accept: str, location: str) -> None:
    response = client.get(path, headers={"accept": accept})
    assert response.status_code == 303
    assert response.headers["location"] == location
    assert client.get(location, headers={"accept": accept}).status_code == 200


def test_303_varies_by_accept(client: Client) -> None:
    assert "Accept" in client.get("/id/people/awajun").headers["vary"]


@pytest.mark.parametrize("media_type", GRAPHS, ids=lambda media_type: media_type.name)
def test_data_in_every_format(client: Client, media_type: object) -> None:
    offer = BY_NAME[getattr(media_type, "name", "")]
    by_suffix = client.get(f"/data/people/awajun.{offer.suffix}")
    by_accept = client.get("/data/people/awajun", headers={"accept": offer.value})
    by_name = client.get("/data/people/awajun", params={"format": offer.name})
    assert by_suffix.headers["content-type"].startswith(offer.value)
    assert by_suffix.content == by_accept.content == by_name.content
    assert offer.rdf is not None
    quads = list(parse(by_suffix.content, format=offer.rdf))
    # 10 that say something of it (one thing twice), 2 that refer to it.
    keeps_graphs = offer.name in ("nquads", "trig")
    assert len(quads) == (12 if keeps_graphs else 11)
    assert all(isinstance(quad.graph_name, NamedNode) for quad in quads) is keeps_graphs
    assert {str(quad.subject) for quad in quads} >= {f"<{AWAJUN}>"}, "canonical IRIs stay as they are"


def test_rdflib_follows_the_iri(client: Client) -> None:
    graph = rdflib.Graph().parse(str(client.base_url) + "/id/people/awajun")
    assert (rdflib.URIRef(AWAJUN), rdflib.RDFS.label, rdflib.Literal("Awajún", lang="es")) in graph


def test_a_scheme_is_downloaded_whole(client: Client) -> None:
    text = client.get("/data/schemes/areas.ttl").text
    assert "Áreas" in text
    assert "Amazonía" in text


def test_the_ontology_as_a_whole(client: Client) -> None:
    page = client.get("/ontology/", headers={"accept": "text/html", "accept-language": "en"}).text
    assert 'href="/ontology/practises"' in page
    turtle = client.get("/ontology/", headers={"accept": "text/turtle"})
    graph = rdflib.Graph().parse(data=turtle.text, format="turtle")
    assert len(set(graph.subjects(rdflib.RDF.type))) == 6
    assert client.get("/schemes/").status_code == client.get("/graph/").status_code == 200
    assert "Ministerio de Cultura" in client.get("/graph/?format=turtle").text


def test_a_named_graph_tells_source_licence_and_count(client: Client) -> None:
    page = client.get("/doc/graph/source/one", headers={"accept-language": "en"}).text
    assert "Base de datos oficial" in page
    assert "Ministerio de Cultura" in page
    assert "https://example.org/licence" in page
    assert "<strong>10</strong> statements" in page
    assert client.get("/doc/graph/inferred").status_code == 200, "also where nothing is said of it"
    assert client.get("/data/graph/inferred.ttl").status_code == 200


@pytest.mark.parametrize(
    "path", ["/id/people/awajum", "/doc/people/awajum", "/data/people/awajum.ttl", "/ontology/practise"]
)
def test_404_with_near_matches(client: Client, path: str) -> None:
    problem = client.get(path, headers={"accept": "application/json"})
    assert problem.status_code == 404
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["near"][0] in (AWAJUN, CG + "practises")
    page = client.get(path, headers={"accept": "text/html"})
    assert page.status_code == 404
    assert 'href="/id/people/awajun"' in page.text or 'href="/ontology/practises"' in page.text


@pytest.mark.parametrize(
    "slug",
    [
        "a b",
        '"><script>',
        "%00",
        "../../etc/passwd",
        "%2e%2e%2fetc",
        "<x>",
        "x" * 3000,
        "a\\b",
        "{}",
        "%ff",
        "a.ttl.ttl",
    ],
)
def test_what_can_be_no_iri_is_404(client: Client, slug: str) -> None:
    for place in ("id/people", "doc", "data", "ontology", "graph"):
        response = client.get(f"/{place}/{slug if '%' in slug else quote(slug)}", headers={"accept": BROWSER})
        assert response.status_code == 404, place
        assert "<script" not in response.text


def test_a_page_is_safe_and_readable_without_scripts(client: Client) -> None:
    response = client.get("/doc/people/script", headers={"accept-language": "es"})
    # What describes the page to machines is data and does not run; nothing in it ends its element.
    assert "<script" not in re.sub(r'<script type="application/ld\+json">[^<]*</script>', "", response.text)
    assert "&lt;script&gt;" in response.text
    assert "javascript:alert(1)" not in re.findall(r'href="([^"]*)"', response.text)
    assert 'href="https://example.org/a?b=%22%3E"' in response.text
    assert not re.search(r"<[^>]+\s(style|on\w+)=", response.text)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_languages_are_marked(client: Client) -> None:
    page = client.get("/doc/people/awajun", headers={"accept-language": "es"})
    assert '<html lang="es">' in page.text
    assert page.headers["content-language"] == "es"
    assert '<span lang="en">Awajún people</span>' in page.text
    assert '<span lang="agr">Aents</span>' in page.text
    english = client.get("/doc/people/awajun?lang=en", headers={"accept-language": "es"}).text
    assert '<html lang="en">' in english
    assert '<span lang="es">Awajún</span>' in english
    assert 'href="/ontology/practises?lang=en"' in english, "the choice is kept"


def test_a_page_names_its_other_formats(client: Client) -> None:
    response = client.get("/doc/people/awajun")
    for offer in GRAPHS:
        assert (
            f'</data/people/awajun.{offer.suffix}>; rel="alternate"; type="{offer.value}"' in response.headers["link"]
        )
        assert f'href="/data/people/awajun.{offer.suffix}"' in response.text
    assert f'<{AWAJUN}>; rel="describes"' in response.headers["link"]


def test_pages_are_revalidated(client: Client) -> None:
    for path in ("/doc/people/awajun", "/data/people/awajun.ttl", "/", "/ontology/", "/queries/"):
        first = client.get(path)
        again = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
        english = client.get(path, headers={"accept-language": "en", "if-none-match": first.headers["etag"]})
        assert english.status_code == (304 if path.startswith("/data") else 200), path


def test_every_link_of_the_pages_works(client: Client) -> None:
    seen, waiting = set(), ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path, headers={"accept": "text/html"}, follow_redirects=True)
        assert response.status_code == 200, path
        if "?" not in path and response.headers["content-type"].startswith("text/html"):
            links = re.findall(r'(?:href|action)="(/[^"#]*)"', response.text)
            waiting += [link.replace("&amp;", "&") for link in links]
    assert len(seen) > 60
    assert {"/id/people/awajun", "/graph/source/one", "/schemes/areas", "/queries/all-peoples"} <= seen


def test_what_a_project_has_not_is_not_told_of(client: Client) -> None:
    """The small site has no periodic report and no profiles of export."""
    assert "/about/unesco" not in client.get("/about/").text
    assert "/exports/unesco-qpr" not in client.get("/exports/").text
    for path in ("/about/unesco", "/exports/unesco-qpr", "/exports/unesco-qpr/2027"):
        assert client.get(path).status_code == 404, path


def test_documents_sort_their_statements(snapshot: Snapshot) -> None:
    quads = statements(snapshot.store, AWAJUN)
    nquads = BY_NAME["nquads"]
    assert to_document(quads, nquads) == to_document(list(reversed(quads)), nquads)
