"""Pages of entities: laid out by meaning, drawn, dated, cited, corrected; languages; what bad input does."""

from __future__ import annotations

import html
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from httpx import Client
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse
from small_site import BASE, listening

from culturegraph.build import Build
from culturegraph.errors import DataError
from culturegraph.protocols import maps
from culturegraph.protocols.dates import tell_date
from culturegraph.protocols.documents import own_iris
from culturegraph.protocols.entity_reader import Reader
from culturegraph.protocols.layout import read_layout
from culturegraph.protocols.linkeddata import read_entity
from culturegraph.protocols.steps import read_path
from culturegraph.rdf.vocabulary import CG, LABEL
from culturegraph.settings import Settings
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import Snapshot, open_current

CASE = Path(__file__).parent / "cases" / "entity" / "site.trig"
ID = BASE + "id/"
SPANISH = {"accept": "text/html", "accept-language": "es"}
# Bytes of HTML that the page of an entity may have.
LIGHT = 50_000
CROWD = 10_500


def case_quads() -> Iterator[Quad]:
    yield from parse(path=str(CASE), format=RdfFormat.TRIG)
    # A place with more than ten thousand statements, and a name that nobody would print on a line.
    one, located = NamedNode(BASE + "graph/source/one"), NamedNode(CG + "locatedIn")
    crowded = NamedNode(ID + "place/crowded")
    yield Quad(crowded, LABEL, Literal("Lugar lleno", language="es"), one)
    for number in range(CROWD):
        yield Quad(NamedNode(f"{ID}thing/{number:05}"), located, crowded, one)
    yield Quad(NamedNode(ID + "thing/long"), LABEL, Literal("Muy largo " * 400, language="es"), one)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    store = tmp_path_factory.mktemp("store")
    publish(store, case_quads(), version="entity-1", metadata={"content_hash": "0" * 64}, keep=2)
    return open_current(store, in_memory=True)


def site_settings(snapshot: Snapshot, root: Path, **changes: object) -> Settings:
    return Settings(root=root, store=snapshot.path, workers=2, port=0, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client(snapshot: Snapshot, root: Path) -> Iterator[Client]:
    settings = site_settings(
        snapshot, root, contact_name="Oficina de Datos", contact_address="datos@example.org", contact_days=7
    )
    with listening(settings, snapshot) as address, Client(base_url=address, timeout=30) as client:
        yield client


def page(client: Client, path: str, language: str = "es") -> str:
    response = client.get(path, headers={"accept": "text/html", "accept-language": language})
    assert response.status_code == 200, path
    return response.text


def main_of(text: str) -> str:
    return text[text.index("<main") : text.index("</main>")]


def words_of(text: str) -> str:
    """What is read: text without tags, and the names that assistive technology says."""
    return html.unescape(re.sub(r"<[^>]*>", " ", main_of(text)))


# What a page tells


def test_a_people(client: Client) -> None:
    text = page(client, "/doc/people/yungay")
    assert '<h1 dir="auto">Yungay</h1>' in text
    assert "Pueblo indígena que habla Quechua de prueba; vive en Cusco." in text
    headings = re.findall(r'<h2 id="([\w-]+)"', text)
    assert [
        key for key in headings if key in {"what", "people", "expressions", "place", "links", "sources", "cite"}
    ] == [
        "what",
        "people",
        "expressions",
        "place",
        "links",
        "sources",
        "cite",
    ]
    place = text[text.index('<h2 id="place"') : text.index('<h2 id="works"')]
    assert place.count('href="/id/place/pe-08"') == 1
    assert re.findall(r'#source-(\d)"', place) == ["1", "2"], "both sources of one statement"
    assert "Wikidata: Q42" in text
    assert ">example.org</a>" in text, "a web address is named by its site"


def test_equal_names_are_told_apart(client: Client) -> None:
    text = page(client, "/doc/place/pe-08")
    assert '<a href="/id/place/pe-0801">Anta (provincia)</a>' in text
    assert '<a href="/id/place/pe-080102">Anta (distrito)</a>' in text


def test_names_have_their_language(client: Client) -> None:
    text = page(client, "/doc/people/yungay")
    names = text[text.index('<dl class="names">') : text.index("</dl>")]
    assert '<span lang="en">Yungay people</span>' in names
    told = '<span lang="quz">Yunka runa</span></bdi> <small class="tag">Quechua de prueba · variante</small>'
    assert told in names


def test_what_only_repeats_is_told_apart(client: Client) -> None:
    text = page(client, "/doc/people/yungay")
    repeated = text[text.index('<details class="repeated">') : text.index("</details>")]
    assert "ubicado en" in repeated, "implied by `vive en`"
    assert ">ubicado en<" not in text.replace(repeated, "")
    window = re.search(r'href="(/doc/people/yungay\?predicate=[^"]*locatedIn[^"]*)"', repeated)
    assert window is not None
    assert "Cusco" in page(client, html.unescape(window[1])), "and it can be looked at"


def test_why_of_what_is_inferred(client: Client) -> None:
    text = page(client, "/doc/expression/danza")
    assert re.search(r'<a href="/id/place/pe">Perú</a> <a class="tag inferred" href="/statement/[0-9a-f]{64}">', text)
    assert re.search(r'<a href="/id/people/yungay">Yungay</a><a class="note"', text), "its inverse has a source"


@pytest.mark.skipif(not maps.GEOMETRY.is_file(), reason="the outlines come with the front end; npm was not reached")
def test_the_map_shows_point_and_department(client: Client) -> None:
    for path, areas, points in (("expression/danza", 1, 1), ("people/yungay", 1, 0), ("place/pe-08", 1, 0)):
        text = page(client, f"/doc/{path}")
        figure = text[text.index('<figure class="aside map-figure">') : text.index("</figure>")]
        assert (figure.count('class="area'), figure.count("<circle")) == (areas, points), path
        assert "Natural Earth" in figure
    assert 'class="aside map-figure"' not in page(client, "/doc/language/runa")


def test_the_timeline_is_in_order(client: Client) -> None:
    text = page(client, "/doc/norm/rd-1")
    moments = re.findall(r"<li><time([^>]*)>([^<]*)</time> <span>(.*?)</span></li>", text)
    assert [(told, attribute) for attribute, told, _ in moments] == [
        ("23 de julio de 2007", ' datetime="2007-07-23"'),
        ("17 de marzo de 2010", ' datetime="2010-03-17"'),
    ]
    assert "modificada por" in moments[1][2]
    assert "2007" not in [told for _, told, _ in moments], "the day tells the year"
    assert "Danza" not in str(moments), "when the dance was attested says nothing of the norm"
    danza = page(client, "/doc/expression/danza")
    assert re.search(r"<time>hacia 1964</time>", danza), "no machine date where the source is not sure"
    assert "23 July 2007" in page(client, "/doc/norm/rd-1", "en")


def test_the_neighbourhood_is_a_drawing_with_named_links(client: Client) -> None:
    text = page(client, "/doc/people/yungay")
    drawing = text[text.index('<svg class="neighbourhood"') : text.index("</svg>", text.index('<svg class="neigh'))]
    links = re.findall(r'<a href="([^"]+)"><title>([^<]+)</title>', drawing)
    assert ("/id/expression/danza", "practica: Danza de prueba") in links
    assert drawing.count('class="among"') == 1, "the dance lies in the department"


def test_how_to_cite_and_formats(client: Client) -> None:
    text = page(client, "/doc/people/yungay")
    cite = text[text.index('<section class="cite"') :]
    assert "«Yungay», culturegraph, versión entity-1." in cite
    assert f"{ID}people/yungay</a>" in cite
    assert 'href="/data/people/yungay.ttl"' in cite
    assert "Oficina de Datos" in cite
    assert " 7 " in cite


# Corrections


def test_a_message_carries_iri_and_statement(client: Client) -> None:
    text = page(client, "/correction/people/yungay?part=place")
    links = [html.unescape(link) for link in re.findall(r'href="(mailto:[^"]+)"', text)]
    assert len(links) >= 2
    assert all(link.startswith("mailto:datos@example.org?subject=") for link in links)
    about_all, about_one = unquote(links[0]), unquote(links[1])
    assert f"{ID}people/yungay\n" in about_all
    assert f"<{ID}people/yungay> <{CG}livesIn> <{ID}place/pe-08> ." in about_one
    assert "culturegraph entity-1" in about_one
    assert "Oficina de Datos" in text
    statement = re.search(r'href="(/statement/[0-9a-f]{64})"', text)
    assert statement is not None
    assert client.get(statement[1], headers=SPANISH, follow_redirects=True).status_code == 200


def test_every_page_leads_to_whom_to_write(client: Client) -> None:
    for path in ("/", "/doc/people/yungay", "/queries/", "/ontology/", "/correction/"):
        text = page(client, path)
        link = re.search(r'<footer>.*?href="(/correction/\?about=[^"]+)"', text, re.DOTALL)
        assert link is not None, path
        assert "mailto:" in page(client, html.unescape(link[1]))


def test_the_message_of_a_statement_has_the_statement(client: Client) -> None:
    text = page(client, "/correction/people/yungay?part=place")
    statement = re.search(r'href="/(statement/[0-9a-f]{64})"', text)
    assert statement is not None
    shown = client.get(f"/{statement[1]}", headers=SPANISH, follow_redirects=True).text
    link = re.search(r'<footer>.*?href="(/correction/\?about=[^"]+)"', shown, re.DOTALL)
    assert link is not None
    message = page(client, html.unescape(link[1]))
    assert f"{BASE}{statement[1]}" in message
    assert f"&lt;{CG}livesIn&gt; &lt;{ID}place/pe-08&gt; ." in message
    of_entity = page(client, "/correction/?about=/doc/people/yungay")
    assert f"{ID}people/yungay" in of_entity


def test_a_messenger_or_nothing(snapshot: Snapshot, root: Path) -> None:
    address = "https://wa.example/send?text={body}"
    with (
        listening(site_settings(snapshot, root, contact_address=address), snapshot) as server,
        Client(base_url=server, timeout=30) as client,
    ):
        link = re.search(r'class="button" href="([^"]+)"', page(client, "/correction/people/yungay"))
        assert link is not None
        assert link[1].startswith("https://wa.example/send?text=https%3A//w3id.org")
    with listening(site_settings(snapshot, root), snapshot) as server, Client(base_url=server, timeout=30) as client:
        text = page(client, "/correction/people/yungay")
        assert "CULTUREGRAPH_CONTACT_ADDRESS" in text
        assert f"{ID}people/yungay" in text, "the text can be copied"


@pytest.mark.parametrize(
    "about", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_stays_here(client: Client, about: str) -> None:
    text = client.get("/correction/", params={"about": about}, headers=SPANISH).text
    assert '<p class="kinds"><a href="/">/</a></p>' in text


# Languages


def test_quechua_is_begun(client: Client) -> None:
    for response in (
        client.get("/doc/place/pe-08?lang=qu", headers=SPANISH),
        client.get("/doc/place/pe-08", headers={"accept": "text/html", "accept-language": "qu-PE, es;q=0.5"}),
    ):
        assert '<html lang="es">' in response.text, "most of the page is Spanish, and says so"
        assert '<h1 dir="auto"><span lang="qu">Qusqu</span></h1>' in response.text
        assert '<span lang="qu">Kakuq t&#39;inki</span>' in response.text
        assert not re.search(r'="[^"<]*<span', response.text), "no markup in an attribute"
    kept = client.get("/doc/place/pe-08?lang=qu", headers=SPANISH).text
    assert 'href="/id/place/pe?lang=qu"' in kept
    assert ">Cusco</h1>" in page(client, "/doc/place/pe-08"), "and it does not get into the Spanish page"


def test_a_kept_page_is_the_page_of_its_reader(client: Client) -> None:
    first = client.get("/doc/people/yungay", headers=SPANISH)
    again = client.get("/doc/people/yungay", headers=SPANISH)
    english = client.get("/doc/people/yungay", headers={"accept": "text/html", "accept-language": "en"})
    assert first.text == again.text
    for header in ("etag", "link", "vary", "cache-control", "content-language", "content-type"):
        assert first.headers[header] == again.headers[header]
    assert "Yungay people</h1>" in english.text
    assert english.headers["etag"] != first.headers["etag"]


# Bad input


def test_withdrawn_addresses_are_gone(client: Client) -> None:
    for path in ("/id/people/yungay-old", "/doc/people/yungay-old", "/data/people/yungay-old.ttl"):
        response = client.get(path, headers={"accept": "application/json"})
        assert response.status_code == 410, path
        assert response.json()["near"] == [ID + "people/yungay"]
    text = client.get("/doc/people/yungay-old", headers=SPANISH).text
    assert "Ya no se publica" in text
    assert "Se unió a otra ficha" in text
    assert 'href="/id/people/yungay"' in text


def test_unknown_addresses_lead_to_near_ones(client: Client) -> None:
    response = client.get("/id/people/yungai", headers=SPANISH)
    assert response.status_code == 404
    assert 'href="/id/people/yungay"' in response.text


@pytest.mark.parametrize("query", ["predicate=<b>", "predicate=nothing", "predicate=%00", "predicate=http://a b"])
def test_an_absurd_window_is_an_empty_page_or_none(client: Client, query: str) -> None:
    response = client.get(f"/doc/people/yungay?{query}", headers=SPANISH)
    assert response.status_code in (200, 404)
    assert "<b>" not in response.text


def test_script_in_a_name_is_text(client: Client) -> None:
    text = page(client, "/doc/thing/hostile")
    # What describes the page to machines is data: nothing in it can end the element that holds it.
    read = re.sub(r'<script type="application/ld\+json">[^<]*</script>', "", text)
    assert "<script" not in read
    assert "</script" not in read
    assert "{{7*7}}" in text
    assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", text)[0]
    assert not re.search(r'href="javascript:', text)
    correction = page(client, "/correction/thing/hostile?part=works")
    assert "<script" not in correction


def test_right_to_left_and_very_long_names(client: Client) -> None:
    assert '<span lang="ar" dir="rtl">رقصة المقص</span>' in page(client, "/doc/thing/arabic")
    long = page(client, "/doc/thing/long")
    assert '<h1 dir="auto" class="long">' in long
    assert len(long.encode()) < LIGHT


def test_what_has_no_name_is_shown(client: Client) -> None:
    text = page(client, "/doc/thing/nameless")
    assert "<h1" in text
    assert "thing/nameless</h1>" in text or "nameless</h1>" in text


def test_ten_thousand_statements_are_paged(client: Client) -> None:
    text = page(client, "/doc/place/crowded")
    assert len(text.encode()) < LIGHT
    more = re.search(r'href="(/doc/place/crowded\?predicate=[^"]+)">ver los 10 500</a>', text.replace("\u202f", " "))
    assert more is not None
    window = page(client, html.unescape(more[1]))
    assert "página 1 de 53" in re.sub(r"\s+", " ", words_of(window))
    assert client.get(html.unescape(more[1]) + "&page=53", headers=SPANISH).text.count("<dd") == 100


# The file that lays pages out


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sections: [", "is not YAML"),
        ("sections: [{id: what, label: {es: a}}]", "the last section must be `other`"),
        ("sections: [{id: other, label: {es: a}, properties: [nope:x]}]", "no prefixed name"),
        (
            "sections: [{id: a, label: {es: a}, properties: [cg:x]}, {id: other, label: {es: b}, properties: [cg:x]}]",
            "two sections",
        ),
        ("sections: [{id: other, label: {es: a}}]\nmap: ['cg:a//cg:b']", "is no path"),
        ("sections: [{label: {es: a}}]", "lacks something"),
    ],
)
def test_a_layout_that_cannot_be_used_is_told(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "entity.yaml").write_text(text)
    with pytest.raises(DataError, match=fault) as raised:
        read_layout(tmp_path)
    assert raised.value.file == "entity.yaml"


def test_paths() -> None:
    store = Store()
    store.load(path=str(CASE), format=RdfFormat.TRIG)
    for quad in list(store):
        store.add(Quad(*quad.triple))

    def reach(text: str, start: str) -> list[str]:
        nodes = read_path(text).nodes(store, NamedNode(ID + start))
        return sorted(node.value.removeprefix(ID) for node in nodes)

    assert reach("cg:locatedIn/cg:within", "expression/danza") == ["place/pe-08"]
    assert reach("^cg:practises", "expression/danza") == ["people/yungay"]
    assert reach("cg:nothing|cg:livesIn", "people/yungay") == ["place/pe-08"]
    assert reach("cg:locatedWithin[cg:Department]", "expression/danza") == ["place/pe-08"]
    assert read_path("count(cg:locatedWithin)").counts


@pytest.mark.parametrize(
    ("date", "spanish", "english"),
    [
        ("2007-07-23", "23 de julio de 2007", "23 July 2007"),
        ("2012-05", "mayo de 2012", "May 2012"),
        ("1964~", "hacia 1964", "about 1964"),
        ("1900?", "quizá 1900", "perhaps 1900"),
        ("2008/2010", "2008–2010", "2008–2010"),
        ("2008/..", "desde 2008", "since 2008"),
        ("../2010", "hasta 2010", "until 2010"),
        ("2012-13", "2012-13", "2012-13"),
        ("19XX", "19XX", "19XX"),
        ("", "", ""),
    ],
)
def test_dates_in_words(date: str, spanish: str, english: str) -> None:
    assert (tell_date(date, "es"), tell_date(date, "en")) == (spanish, english)


# The graph that is published


def test_the_layout_names_terms_that_exist(built_store: Store, root: Path) -> None:
    layout = read_layout(root / "queries")
    used = {quad.predicate.value for quad in built_store.quads_for_pattern(None, None, None, None)}
    declared = {quad.subject.value for quad in built_store.quads_for_pattern(None, None, None, None)} | used  # type: ignore[union-attr]
    own = {iri for iri in layout.by_property if iri.startswith(CG)} | {s.kind for s in layout.sentences}
    assert own <= declared, own - declared
    assert set(layout.dates) | layout.dated_through <= declared
    known = set(own_iris(built_store))
    assert set(layout.front) <= known
    assert all({"es", "en"} <= set(sentence.text) for sentence in layout.sentences)


def test_pages_of_the_graph_are_light_and_without_naked_iris(built: Build, settings: Settings) -> None:
    snapshot = open_current(settings.store, in_memory=True)
    own = [iri.removeprefix(ID) for iri in own_iris(snapshot.store) if iri.startswith(ID)]
    heavy = [
        "place/pe",
        "place/pe-15",
        "institution/mincul",
        "institution/vmpcic",
        "document/qpr-2012",
        "people/quechuas",
    ]
    paths = [path for path in heavy if path in own] + random.Random(7).sample(own, 60)
    with listening(settings, snapshot) as server, Client(base_url=server, timeout=60) as client:
        for path in paths:
            text = page(client, f"/doc/{path}")
            assert len(text.encode()) < LIGHT, path
            # The permanent address is what one cites: there it is meant.
            before, _, _ = words_of(text).partition("Dirección permanente")
            assert not re.search(r"https?://|\b(?:crm|schema|wd|eli):\w", before), path
            loaded = re.findall(
                r'<(?:link rel="stylesheet"|link rel="icon"|script|img)[^>]*(?:href|src)="([^"]+)"', text
            )
            assert loaded
            assert all(address.startswith("/static/") for address in loaded), path


def test_sections_follow_the_modules(built_store: Store, root: Path) -> None:
    layout = read_layout(root / "queries")
    reader = Reader(built_store, layout, {CG + "amends": "legal", CG + "hasParticipation": "cooperation"})
    assert reader.section(CG + "amends") == "law"
    assert reader.section(CG + "wikidataId") == "links", "identifiers stand together"
    assert reader.section(CG + "livesIn") == "place"
    assert reader.section("https://example.org/unknown") == "other"


def test_other_names_say_what_kind_of_name_they_are() -> None:
    text = """
    PREFIX e: <https://w3id.org/culturegraph/id/expression/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
    PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX g: <https://w3id.org/culturegraph/graph/source/>
    g:a { e:d a skos:Concept ; rdfs:label "Danza"@es , "Tusuy"@qu ; skos:altLabel "La danza"@es }
    g:editorial { e:d rdfs:label "Dance"@en }
    """
    store = Store()
    store.load(text, format=RdfFormat.TRIG)
    store.bulk_extend([Quad(quad.subject, quad.predicate, quad.object) for quad in list(store)])
    entity = read_entity(Reader(store), "https://w3id.org/culturegraph/id/expression/d", "es")
    assert entity is not None and entity.names is not None
    assert {value.name.text: value.status for value in entity.names.values} == {
        "Tusuy": "",
        "La danza": "variant",
        "Dance": "editorial",
    }
