"""The ontology documents itself: header, modules with diagrams, a page for each term."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from pyoxigraph import DefaultGraph, NamedNode, Store
from small_site import BASE, PAGES, crawl, listening, publish_pages

from culturegraph.build import Build
from culturegraph.protocols.diagrams import Box, Diagram, draw_module
from culturegraph.protocols.labels import Labels
from culturegraph.protocols.modules import KINDS, read_modules
from culturegraph.protocols.ontology import Ontology
from culturegraph.protocols.overview import describe_ontology
from culturegraph.protocols.terms import Branch, describe_term_page, find_questions
from culturegraph.queries import read_queries
from culturegraph.rdf.vocabulary import CG, TYPE
from culturegraph.settings import Settings
from culturegraph.store.snapshot import Snapshot
from culturegraph.web.pages import LANGUAGES, read_words

HTML = {"accept": "text/html", "accept-language": "en"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Snapshot]:
    return publish_pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def client(site: tuple[Settings, Snapshot]) -> Iterator[Client]:
    with listening(*site) as address, Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def ontology(site: tuple[Settings, Snapshot]) -> Ontology:
    store = site[1].store
    return Ontology(store, read_modules(PAGES / "ontology" / "modules", store))


@pytest.fixture(scope="module")
def real(built: Build, built_store: Store, root: Path) -> Ontology:
    return Ontology(built_store, read_modules(root / "ontology" / "modules", built_store))


# What is gathered


def test_modules_tell_which_file_declares_a_term(ontology: Ontology, site: tuple[Settings, Snapshot]) -> None:
    assert [(module.name, len(module.terms)) for module in ontology.modules] == [("core", 6), ("legal", 8)]
    assert ontology.module_of[CG + "recognises"].name == "legal"
    (whole,) = read_modules(Path("no/such/folder"), site[1].store)
    assert (whole.name, len(whole.terms)) == ("", 14), "without the files it is one nameless module"


def test_ends_of_a_property_come_from_its_inverse_too(ontology: Ontology) -> None:
    assert ontology.domain(CG + "recognises") == (CG + "HeritageDeclaration",)
    assert ontology.domain(CG + "recognisedThrough") == (CG + "CulturalExpression",)
    assert ontology.range(CG + "recognisedThrough") == (CG + "HeritageDeclaration",)
    assert ontology.domain(CG + "grantedByNorm") == ()


def outline(branch: Branch) -> str:
    inner = " ".join(outline(part) for part in branch.branches)
    name = branch.term.iri.removeprefix(CG) if branch.term.iri else ""
    return f"{'*' if branch.is_self else ''}{name}{f'({inner})' if inner else ''}"


def test_a_class(ontology: Ontology, site: tuple[Settings, Snapshot]) -> None:
    page = describe_term_page(site[1].store, ontology, CG + "CulturalExpression", "en", ())
    assert page is not None
    assert [outline(branch) for branch in page.hierarchy] == ["*CulturalExpression(Dance(ScissorsDance))"]
    middle = describe_term_page(site[1].store, ontology, CG + "Dance", "en", ())
    assert middle is not None
    assert [outline(branch) for branch in middle.hierarchy] == ["CulturalExpression(*Dance(ScissorsDance))"]
    axioms = {key: [item.iri for item in items] for key, items in page.axioms}
    assert axioms == {"applies_here": [CG + "partOf"], "leads_here": [CG + "partOf", CG + "recognises"]}
    assert (page.usage.asserted, page.usage.inferred) == (0, 3), "a part of a dance is an expression"
    assert (middle.usage.asserted, middle.usage.inferred) == (1, 0)
    assert [example.subject.iri for example in middle.usage.examples] == [BASE + "id/expression/danza"]
    (alignment,) = page.alignments
    assert [term.name.text for term in alignment.terms] == ["E28 Conceptual Object (CIDOC CRM)"]
    situation = describe_term_page(site[1].store, ontology, CG + "Situation", "en", ())
    assert situation is not None
    assert dict(situation.axioms)["disjoint"][0].iri == CG + "LegalInstrument"


def test_a_property(ontology: Ontology, site: tuple[Settings, Snapshot]) -> None:
    page = describe_term_page(site[1].store, ontology, CG + "recognisedByNorm", "es", ())
    assert page is not None
    assert [[part.name.text for part in chain] for chain in page.chains] == [
        ["reconocida por el acto", "otorgada por la norma", "reconocida por la norma"]
    ]
    assert (page.usage.asserted, page.usage.inferred) == (0, 1)
    assert page.usage.examples[0].statement is not None
    transitive = describe_term_page(site[1].store, ontology, CG + "partOf", "es", ())
    assert transitive is not None
    assert transitive.characteristics == ("transitive",)
    assert (transitive.usage.asserted, transitive.usage.inferred) == (2, 1)
    assert describe_term_page(site[1].store, ontology, CG + "Nothing", "es", ()) is None
    assert describe_term_page(site[1].store, ontology, BASE + "id/expression/danza", "es", ()) is None


def test_questions_that_use_a_term(root: Path) -> None:
    queries = read_queries(root / "queries" / "competency")
    found = {query.id for query in find_questions(CG + "practitioner", queries)}
    assert "cq-01" in found
    assert find_questions(CG + "practitione", queries) == [], "no part of a name"


# Diagrams


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def assert_is_readable(diagram: Diagram) -> None:
    for place, box in enumerate(diagram.boxes):
        assert box.x >= 0 and box.x + box.width <= diagram.width
        assert box.y >= 0 and box.y + box.height <= diagram.height
        assert not [other.title.text for other in diagram.boxes[:place] if overlap(box, other)], box.title.text
        assert all(box.y < row.y < box.y + box.height for row in (box.title, *box.rows))


def test_a_diagram(ontology: Ontology, site: tuple[Settings, Snapshot]) -> None:
    core, legal = ontology.modules
    labels = Labels(site[1].store, "en")
    drawing = draw_module(ontology, legal, labels)
    assert drawing is not None
    boxes = {box.title.text: box for box in drawing.diagram.boxes}
    assert {text: box.is_outside for text, box in boxes.items()} == {
        "legal instrument": False,
        "national norm": False,
        "heritage declaration": False,
        "situation": True,
        "cultural expression": True,
    }
    assert boxes["situation"].x < boxes["heritage declaration"].x
    assert [row.text for row in boxes["heritage declaration"].rows] == ["recognises → cultural expression"]
    assert [line.kind for line in drawing.diagram.lines] == ["broader", "broader", "leading"]
    assert drawing.links == ((CG + "recognises", CG + "HeritageDeclaration", CG + "CulturalExpression"),)
    assert_is_readable(drawing.diagram)
    assert draw_module(ontology, legal, Labels(site[1].store, "en")) == drawing, "always the same"
    itself = draw_module(ontology, core, labels)
    assert itself is not None
    assert [line.kind for line in itself.diagram.lines].count("leading") == 1, "a property back to its own class"


def test_real_diagrams_are_readable(real: Ontology, built_store: Store) -> None:
    for language in LANGUAGES:
        for item in describe_ontology(built_store, real, language).modules:
            if item.diagram is not None:
                assert_is_readable(item.diagram)
                assert item.diagram.width < 1300, item.module.name


def test_examples_are_stated_where_any_is(real: Ontology, built_store: Store) -> None:
    page = describe_term_page(built_store, real, CG + "District", "es", ())
    assert page is not None
    assert page.usage.asserted > 1000, "more than are looked through"
    assert len(page.usage.examples) == 6
    assert not any(example.subject.name.text.startswith("pe-") for example in page.usage.examples)


def test_every_term_is_in_one_module(real: Ontology, built_store: Store) -> None:
    declared = {
        quad.subject.value
        for kind in KINDS.values()
        for quad in built_store.quads_for_pattern(None, TYPE, kind, DefaultGraph())
        if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(CG)
    }
    terms = [term for module in real.modules for term in module.terms]
    assert sorted(terms) == sorted(declared)
    assert "" not in {module.name for module in real.modules}


# Over HTTP


def test_the_ontology_page(client: Client) -> None:
    html = client.get("/ontology/", headers=HTML).text
    for text in ("Test ontology", "Two modules.", "0.9.0", 'href="/ontology/0.9.0/"', 'href="/ontology/modules/legal"'):
        assert text in html, text
    assert {"/ontology/Dance", "/ontology/recognises"} <= set(re.findall(r'href="([^"]+)"', html))
    assert "dance &lt;b&gt;" in html
    assert "<b>" not in html
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)


def test_diagrams_are_accessible(client: Client) -> None:
    html = client.get("/ontology/", headers=HTML).text
    heads, *drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) == 2
    assert 'aria-hidden="true"' in heads
    for text in drawings:
        svg = ET.fromstring(text)
        assert svg.get("role") == "img"
        # What is the same for all stands once on the page: the heads of the lines, and what a diagram shows.
        assert all(f'id="{head}"' in heads for head in re.findall(r"url\(#(\w+)\)", text))
        assert f'<p class="hidden" id="{svg.get("aria-describedby")}">' in html
        ids = {element.get("id") for element in svg.iter() if element.get("id")}
        assert set((svg.get("aria-labelledby") or "").split()) <= ids
        assert svg.find("title") is not None
        assert svg.find(".//a") is None, "no focus inside an image"
    beside = client.get("/doc/ontology/modules/legal", headers=HTML).text
    listed = beside[beside.index('id="as-list"') :]
    for name in ("heritage declaration", "is a kind of", "recognises", "cultural expression"):
        assert name in listed


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/ontology/0.9.0/", "/ontology/"),
        ("/ontology/0.9.0", "/ontology/"),
        ("/ontology/0.9.0/Dance", "/ontology/Dance"),
        ("/ontology/0.9.0/modules/core?lang=en", "/ontology/modules/core?lang=en"),
        ("/ontology/Dance", "/doc/ontology/Dance"),
        ("/ontology/modules/core", "/doc/ontology/modules/core"),
    ],
)
def test_303(client: Client, path: str, location: str) -> None:
    response = client.get(path, headers=HTML)
    assert (response.status_code, response.headers["location"]) == (303, location)
    assert client.get(path, headers=HTML, follow_redirects=True).status_code == 200
    turtle = client.get(path, headers={"accept": "text/turtle"}, follow_redirects=True)
    assert (turtle.status_code, turtle.headers["content-type"]) == (200, "text/turtle; charset=utf-8")


@pytest.mark.parametrize(
    "path", ["/ontology/0.8.0/", "/ontology/0.9.0x/", "/ontology/Nothing", "/doc/ontology/modules/x"]
)
def test_unknown_terms_and_versions_are_404(client: Client, path: str) -> None:
    assert client.get(path, headers=HTML).status_code == 404


def test_a_term_page(client: Client) -> None:
    html = client.get("/doc/ontology/CulturalExpression", headers=HTML).text
    for text in (
        "Something that a community does.",
        "La danza de tijeras.",
        "cg:CulturalExpression",
        "expresión cultural",
    ):
        assert text in html, text
    assert 'aria-current="true">cultural expression' in html
    chain = client.get("/doc/ontology/recognisedByNorm", headers=HTML).text
    assert "recognised through" in chain
    assert 'href="/queries/cq-' in client.get("/doc/ontology/recognises", headers=HTML).text
    assert 'href="/statement/' in chain
    spanish = client.get("/doc/ontology/partOf?lang=es").text
    assert "Transitiva: si x" in spanish


def test_all_instances_are_a_page_away(client: Client) -> None:
    window = {"predicate": TYPE.value, "direction": "in"}
    html = client.get("/doc/ontology/CulturalExpression", headers=HTML, params=window).text
    assert 'href="/id/expression/fiesta"' in html


def test_pages_are_revalidated(client: Client) -> None:
    for path in ("/ontology/", "/doc/ontology/Dance", "/doc/ontology/modules/core"):
        first = client.get(path, headers=HTML)
        assert client.get(path, headers={**HTML, "if-none-match": first.headers["etag"]}).status_code == 304
        spanish = {**HTML, "accept-language": "es", "if-none-match": first.headers["etag"]}
        assert client.get(path, headers=spanish).status_code == 200


def test_every_link_works(client: Client) -> None:
    assert len(crawl(client, ["/ontology/"], ("/ontology/",))) > 40


# Words


def test_both_languages_have_the_same_words() -> None:
    words = {language: read_words(language) for language in LANGUAGES}
    assert set(words["es"]) == set(words["en"])
    assert all(text.strip() for texts in words.values() for text in texts.values())


def test_every_word_that_a_template_names_exists() -> None:
    folder = Path(__file__).parents[1] / "src" / "culturegraph" / "web"
    text = "\n".join(path.read_text(encoding="utf-8") for path in (folder / "templates").glob("*.html"))
    named = set(re.findall(r"words\.(?!get\b)(\w+)", text)) | set(re.findall(r"words\['(\w+)'\]", text))
    assert named <= set(read_words("es"))
