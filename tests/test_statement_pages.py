"""Statements have pages: who says so, or why it follows, down to the sources; and rules have theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Client
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store, Triple, parse
from small_site import BASE, crawl, listening, publish_pages

from culturegraph.build import Build
from culturegraph.explanation import Explainer
from culturegraph.protocols.statements import Step, describe_statement
from culturegraph.rdf.formats import GRAPHS
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.statements import STATEMENT, statement_hash
from culturegraph.rdf.vocabulary import CG, LABEL, PROV, RDF, SKOS, TYPE
from culturegraph.rules import read_rules
from culturegraph.settings import Settings
from culturegraph.store.snapshot import Snapshot, open_current
from culturegraph.store.statement_index import StatementIndex

DANCE = NamedNode(BASE + "id/expression/danza")
OLD, NEW = NamedNode(BASE + "id/norm/old"), NamedNode(BASE + "id/norm/new")
RECOGNISED = Triple(DANCE, NamedNode(CG + "recognisedByNorm"), OLD)
STATED = Triple(DANCE, TYPE, NamedNode(CG + "Dance"))
HIDDEN = Triple(DANCE, NamedNode(SKOS + "hiddenLabel"), Literal("Nombre ofensivo", language="es"))
FROM_ELSEWHERE = Triple(NamedNode(BASE + "id/expression/ciclo"), TYPE, NamedNode(CG + "LegalInstrument"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Snapshot]:
    return publish_pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def client(site: tuple[Settings, Snapshot]) -> Iterator[Client]:
    with listening(*site) as address, Client(base_url=address, timeout=30) as client:
        yield client


def page(client: Client, triple: Triple, language: str = "en") -> str:
    response = client.get(
        f"/statement/{statement_hash(triple)}",
        headers={"accept": "text/html", "accept-language": language},
        follow_redirects=True,
    )
    assert response.status_code == 200
    return response.text


def in_words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# The index


def test_the_index_finds_every_statement(site: tuple[Settings, Snapshot]) -> None:
    store = site[1].store
    index = StatementIndex(store)
    triples = {quad.triple for quad in store.quads_for_pattern(None, None, None, DefaultGraph())}
    assert len(index) == len(triples) == site[1].triples
    assert all(index.find(statement_hash(triple)) == triple for triple in triples)


@pytest.mark.parametrize("digest", ["", "zz", "0" * 64, "0" * 63, "f" * 1000, "-1", "é" * 64])
def test_the_index_does_not_find_what_is_no_hash(site: tuple[Settings, Snapshot], digest: str) -> None:
    assert StatementIndex(site[1].store).find(digest) is None


def test_hashes_that_begin_alike_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    store.extend(Quad(NamedNode(f"http://a/{n}"), LABEL, Literal(str(n))) for n in range(50))

    def collide(triple: Triple) -> str:
        return "ab" * 8 + hashlib.sha256(str(triple).encode()).hexdigest()[16:]

    monkeypatch.setattr("culturegraph.store.statement_index.statement_hash", collide)
    index = StatementIndex(store)
    for quad in store:
        assert index.find(collide(quad.triple)) == quad.triple


def test_blank_nodes_keep_their_hash_between_openings(site: tuple[Settings, Snapshot]) -> None:
    chain = NamedNode(CG + "recognisedByNorm"), NamedNode("http://www.w3.org/2002/07/owl#propertyChainAxiom")
    stores = [open_current(site[0].store, in_memory=True).store, open_current(site[0].store).store]
    hashes = [{statement_hash(q.triple) for q in store.quads_for_pattern(*chain, None, None)} for store in stores]
    assert hashes[0] == hashes[1]


# Pages


def test_an_asserted_statement_tells_who_says_so(client: Client) -> None:
    html = page(client, STATED)
    assert "At least one source says so" in html
    for text in ("Diario oficial", "El Peruano", "https://example.org/gazette", "https://example.org/licence"):
        assert text in html
    assert "art. 1 · art. 2" in html, "where in the source"
    assert 'href="/graph/source/book"' in html, "the second source"
    assert "Why it holds" not in html


def test_an_inferred_statement_is_proved_down_to_its_sources(client: Client) -> None:
    html = page(client, RECOGNISED)
    assert "No source says so in these words" in html
    text = in_words(html)
    assert "recognised by norm — Old norm, because Dance &lt;script&gt; — recognised through" in text
    assert 'href="/queries/prp-spo2"' in html
    assert "recognised by norm — property chain — recognised through ∘ granted by norm" in text
    for premise in (
        Triple(DANCE, NamedNode(CG + "recognisedThrough"), NamedNode(BASE + "id/recognition/danza-2010")),
        Triple(NamedNode(BASE + "id/recognition/danza-2010"), NamedNode(CG + "recognises"), DANCE),
        Triple(NamedNode(BASE + "id/recognition/danza-2010"), NamedNode(CG + "grantedByNorm"), OLD),
    ):
        assert f'href="/statement/{statement_hash(premise)}"' in html
    assert "p. 7" in html, "the place in the source that the premises come from"
    assert 'href="/graph/ontology"' in html


def test_a_repeal_is_visible(client: Client) -> None:
    assert "Old norm was repealed by New norm" in page(client, RECOGNISED)
    assert "Norma antigua fue derogada por Norma nueva" in page(client, RECOGNISED, "es")
    granted = Triple(NamedNode(BASE + "id/recognition/danza-2010"), NamedNode(CG + "grantedByNorm"), OLD)
    assert "was repealed by" in page(client, granted), "also where a source says so"
    assert "repealed by" not in page(client, STATED)


def test_what_no_rule_leads_to_is_said_openly(client: Client) -> None:
    html = page(client, FROM_ELSEWHERE)
    assert "No rule of this server leads to it" in html
    data = client.get(f"/data/statement/{statement_hash(FROM_ELSEWHERE)}.nt")
    assert "#Statement" in data.text


def test_a_hidden_name_is_not_shown(client: Client) -> None:
    html = page(client, HIDDEN, "es")
    assert "Nombre ofensivo" not in html
    assert "sirve solo para buscar" in html
    assert "Diario oficial" in html
    assert "ofensivo" in client.get(f"/data/statement/{statement_hash(HIDDEN)}.ttl").text, "the data are complete"


def test_labels_are_escaped_and_nothing_is_inline(client: Client) -> None:
    for triple in (STATED, RECOGNISED):
        html = page(client, triple)
        assert "<script" not in html
        assert "Dance &lt;script&gt;" in html
        assert not re.search(r"<[^>]+\s(style|on\w+)=", html)


def test_languages(client: Client) -> None:
    spanish = page(client, RECOGNISED, "es")
    assert '<html lang="es">' in spanish
    assert "Por qué consta" in spanish
    assert "reconocida por la norma" in spanish


@pytest.mark.parametrize("path", ["/statement/", "/doc/statement/", "/data/statement/"])
@pytest.mark.parametrize("name", ["0" * 64, "x", "0" * 64 + ".ttl", statement_hash(STATED).upper(), "%00", "a%20b"])
def test_unknown_hashes_are_404(client: Client, path: str, name: str) -> None:
    assert client.get(path + name, headers={"accept": "text/html"}).status_code == 404


# Data


@pytest.mark.parametrize("offer", GRAPHS, ids=lambda offer: offer.name)
def test_a_statement_as_rdf(client: Client, offer: object) -> None:
    digest = statement_hash(RECOGNISED)
    by_accept = client.get(f"/statement/{digest}", headers={"accept": offer.value}, follow_redirects=True)
    by_suffix = client.get(f"/statement/{digest}.{offer.suffix}", follow_redirects=True)
    assert by_accept.content == by_suffix.content
    assert by_suffix.headers["content-type"].startswith(offer.value)
    triples = {quad.triple for quad in parse(by_suffix.content, format=offer.rdf)}
    node = NamedNode(STATEMENT + digest)
    assert Triple(node, TYPE, NamedNode(RDF + "Statement")) in triples
    assert Triple(node, NamedNode(RDF + "object"), OLD) in triples
    assert any(triple.predicate.value == PROV + "wasDerivedFrom" for triple in triples)
    plans = {triple.object.value for triple in triples if triple.predicate.value == PROV + "hadPlan"}
    assert plans == {BASE + "queries/prp-spo2", BASE + "queries/prp-inv1"}
    for iri in plans:
        assert client.get("/" + iri.removeprefix(BASE), headers={"accept": "text/html"}).status_code == 200
        turtle = client.get("/" + iri.removeprefix(BASE), headers={"accept": "text/turtle"}, follow_redirects=True)
        assert "prov:Plan" in turtle.text


def test_negotiation_links_and_revalidation(client: Client) -> None:
    digest = statement_hash(STATED)
    redirect = client.get(f"/statement/{digest}?lang=en", headers={"accept": "text/html"})
    assert (redirect.status_code, redirect.headers["location"]) == (303, f"/doc/statement/{digest}?lang=en")
    assert "Accept" in redirect.headers["vary"]
    for path in (f"/doc/statement/{digest}", f"/data/statement/{digest}.ttl", "/queries/prp-trp", "/reasoner"):
        first = client.get(path, headers={"accept": "*/*"})
        assert client.get(path, headers={"if-none-match": first.headers["etag"]}).status_code == 304, path
    assert f'<{STATEMENT}{digest}>; rel="describes"' in client.get(f"/doc/statement/{digest}").headers["link"]
    assert client.get(f"/data/statement/{digest}.html").headers["location"] == f"/doc/statement/{digest}"
    assert client.get(f"/statement/{digest}", headers={"accept": "image/png"}).status_code == 406


# Rules


def test_a_rule_has_a_page(client: Client) -> None:
    html = client.get("/queries/prp-trp", headers={"accept": "text/html", "accept-language": "en"}).text
    for text in ("prp-trp", "OWL 2 Profiles", "CONSTRUCT", "Where all premises"):
        assert text in html
    assert "contradict" in client.get("/queries/cax-dw?lang=en", headers={"accept": "text/html"}).text
    assert client.get("/data/queries/prp-trp.html").headers["location"] == "/queries/prp-trp"
    assert client.get("/queries/prp-none").status_code == 404
    assert client.get("/data/queries/prp-none.ttl").status_code == 404


def test_the_reasoner_lists_its_rules(client: Client) -> None:
    html = client.get("/reasoner", headers={"accept": "text/html"}).text
    assert {"/queries/prp-trp", "/queries/cax-dw"} <= set(re.findall(r'href="([^"]+)"', html))
    turtle = client.get("/reasoner", headers={"accept": "text/turtle"}).text
    assert "prov:SoftwareAgent" in turtle
    assert "cax-sco" in turtle


def test_entity_pages_lead_to_the_explanation(client: Client) -> None:
    html = client.get("/doc/expression/danza", headers={"accept-language": "en"}).text
    assert f'href="/statement/{statement_hash(RECOGNISED)}"' in html
    assert "why?</a>" in html
    assert f'href="/statement/{statement_hash(STATED)}"' not in html
    incoming = client.get("/doc/norm/old", headers={"accept-language": "en"}).text
    assert f'href="/statement/{statement_hash(RECOGNISED)}"' in incoming


def test_every_link_works(client: Client) -> None:
    start = [f"/statement/{statement_hash(triple)}" for triple in (STATED, RECOGNISED, HIDDEN, FROM_ELSEWHERE)]
    seen = crawl(client, [*start, "/reasoner"], ("/statement/", "/reasoner", "/queries/prp"))
    assert len(seen) > 60


# The bundled graph


def explained(built_store: Store, root: Path) -> Explainer:
    return Explainer(built_store, read_rules(root / "queries" / "rules"))


def test_statements_are_found_by_their_hash_and_explained(built: Build, built_store: Store, root: Path) -> None:
    index, explainer = StatementIndex(built_store), explained(built_store, root)
    triples = sorted((quad.triple for quad in built_store.quads_for_pattern(None, None, None, INFERRED)), key=str)
    for triple in triples[:: max(1, len(triples) // 200)]:
        found = index.find(statement_hash(triple))
        assert found == triple
        assert not explainer.explain(found).is_asserted


def test_no_naked_iri_in_an_explanation(built: Build, built_store: Store, root: Path) -> None:
    explainer = explained(built_store, root)
    triples = sorted((quad.triple for quad in built_store.quads_for_pattern(None, None, None, INFERRED)), key=str)

    def texts(step: Step) -> Iterator[str]:
        yield from (step.claim, step.reason)
        for inner in (*step.premises, *step.axioms):
            yield from texts(inner)

    for triple in triples[:: max(1, len(triples) // 100)]:
        for language in ("es", "en"):
            shown = describe_statement(built_store, triple, explainer.explain(triple), language)
            assert shown.proof is not None
            assert not [text for text in texts(shown.proof) if BASE in text or "<http" in text]
