"""Media types and negotiation: q-values, wildcards, names."""

from __future__ import annotations

import pytest

from culturegraph.errors import NotAcceptableError
from culturegraph.rdf.formats import BY_SUFFIX, GRAPHS, HTML, RESULTS, choose, negotiate


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV", "csv"),
        ("text/csv;q=0.5, text/tab-separated-values;q=0.9", "tsv"),
        ("text/csv;q=0.5, */*;q=0.4", "csv"),
        ("text/*", "csv"),
        ("application/json", "json"),
        ("application/xml", "xml"),
        ("application/sparql-results+json;q=0, */*", "xml"),
        ("image/png, text/csv;q=0.1", "csv"),
        ("text/csv;charset=utf-8;q=0.2, application/sparql-results+xml;q=0.3", "xml"),
        ("text/csv;q=nonsense, application/sparql-results+xml;q=0.1", "xml"),
        (", ,;;, text/csv", "csv"),
        # A type and its alias name one offer: the better quality counts, whichever comes first.
        ("application/json;q=0.9, application/sparql-results+json;q=0.1, text/csv;q=0.5", "json"),
        ("application/sparql-results+json;q=0.1, application/json;q=0.9, text/csv;q=0.5", "json"),
        # The more specific range counts, whichever comes first.
        ("text/csv;q=0.1, text/*, */*;q=0.2", "tsv"),
        ("*/*;q=0.2, text/*, text/csv;q=0.1", "tsv"),
        ("application/sparql-results+xml; q = 1 , text/csv ; q=0.9", "xml"),
    ],
)
def test_accept_chooses_the_best_offer(accept: str | None, expected: str) -> None:
    assert negotiate(accept, RESULTS).name == expected


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "*/*;q=0", "text/html"])
def test_what_is_refused_is_not_sent(accept: str) -> None:
    with pytest.raises(NotAcceptableError, match="text/csv"):
        negotiate(accept, RESULTS)
    assert choose(accept, None, RESULTS) is None


def test_a_browser_gets_html() -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    assert negotiate(browser, (*RESULTS, *GRAPHS, HTML)) is HTML


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("json", "jsonld"),
        ("xml", "rdfxml"),
        ("rdf+xml", "rdfxml"),
        ("n3", "turtle"),
        ("text/turtle", "turtle"),
        ("NT", "ntriples"),
    ],
)
def test_a_format_has_several_names(name: str, expected: str) -> None:
    chosen = choose("text/csv", name, GRAPHS)
    assert chosen is not None
    assert chosen.name == expected


def test_the_parameter_outranks_the_header() -> None:
    chosen = choose("application/sparql-results+xml", "csv", RESULTS)
    assert chosen is not None
    assert chosen.name == "csv"


def test_every_suffix_and_value_is_unique() -> None:
    offers = (*RESULTS, *GRAPHS, HTML)
    assert len(BY_SUFFIX) == len(offers) == len({offer.value for offer in offers})
    assert all(offer.rdf is not None for offer in GRAPHS)
    assert all(offer.results is not None for offer in RESULTS)
