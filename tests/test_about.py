"""The pages about the project over real HTTP, and that what they tell is true."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from httpx import Client
from small_site import crawl, listening, publish_pages

from culturegraph.errors import DataErrors
from culturegraph.protocols.coverage import read_coverage_queries
from culturegraph.sources.bundle import read_bundle
from culturegraph.web.articles import FOLDER, list_articles, read_article
from culturegraph.web.pages import LANGUAGES


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    settings, snapshot = publish_pages(tmp_path_factory.mktemp("about"))
    with listening(settings, snapshot) as server, Client(base_url=server, timeout=30) as client:
        yield client


class _Outline(HTMLParser):
    """What a page is made of: its language, headings, and whatever a strict content security policy would block."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.language, self.blocked = "", list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.language = given["lang"] or ""
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in {"script", "style", "iframe"} or "style" in given or any(name.startswith("on") for name in given):
            self.blocked.append(tag)


def _paths() -> list[str]:
    return ["/about/", *(f"/about/{name}" for name in list_articles()["es"]), "/about/data/coverage"]


def test_every_page_is_there_in_every_language() -> None:
    names = list_articles()
    assert set(names) == set(LANGUAGES)
    assert len(set(map(tuple, names.values()))) == 1
    assert "data" in names["es"]


@pytest.mark.parametrize("name", list_articles()["es"])
def test_a_page_is_built_alike_in_every_language(name: str) -> None:
    bodies = [read_article(FOLDER / language / f"{name}.md").body for language in LANGUAGES]
    assert len({tuple(re.findall(r"<(h\d|table|pre|li)\b", body)) for body in bodies}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", _paths())
def test_pages_are_well_formed_documents(client: Client, path: str, language: str) -> None:
    response = client.get(path, params={"lang": language})
    assert response.status_code == 200
    assert response.headers["content-language"] == language
    assert "default-src 'none'" in response.headers["content-security-policy"]
    outline = _Outline(response.text)
    assert outline.language == language
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(outline.headings))
    assert outline.blocked == []


def test_the_language_follows_the_reader(client: Client) -> None:
    assert 'lang="en"' in client.get("/about/data", headers={"accept-language": "en"}).text[:60]
    assert 'href="/about/data?lang=en"' in client.get("/about/?lang=en").text
    assert 'href="/about/data/coverage?lang=en"' in client.get("/about/data?lang=en").text
    assert 'href="/about/data/coverage"' in client.get("/about/data").text


def test_every_link_leads_somewhere(client: Client) -> None:
    # Terms that the coverage names are declared by the real ontology; this site has a small one.
    within = tuple(f"/about/{name}?" for name in ("", *list_articles()["es"]))
    for language in LANGUAGES:
        seen = crawl(client, [f"/about/?lang={language}"], within)
        assert {f"/about/data{rest}?lang={language}" for rest in ("", "/coverage")} <= seen


def test_every_page_links_the_index(client: Client) -> None:
    for path in ("/", "/queries/", "/sparql"):
        assert 'href="/about/"' in client.get(path, headers={"accept": "text/html"}).text


def test_the_index_without_slash_and_unknown_pages(client: Client) -> None:
    response = client.get("/about?lang=en")
    assert (response.status_code, response.headers["location"]) == (303, "/about/?lang=en")
    missing = client.get("/about/nothing")
    assert missing.status_code == 404
    assert "data" in missing.text
    assert client.get("/about/..%2Fes%2Fdata").status_code == 404


@pytest.mark.parametrize("path", _paths())
def test_an_unchanged_page_is_not_sent_again(client: Client, path: str) -> None:
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"if-none-match": tag}).status_code == 304
    assert client.get(path, headers={"if-none-match": tag, "accept-language": "en"}).status_code == 200


def test_a_page_must_begin_with_its_title(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("Text.\n\n# Title\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.md does not begin"):
        read_article(tmp_path / "x.md")


def test_markdown_obeys_the_content_security_policy(tmp_path: Path) -> None:
    text = "# T\n\nLead.\n\n## A\n\n## A\n\n<b onclick=x>raw</b>\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |\n"
    (tmp_path / "x.md").write_text(text, encoding="utf-8")
    body = read_article(tmp_path / "x.md").body
    assert "style=" not in body
    assert "&lt;b onclick" in body
    assert 'id="a"' in body
    assert '<div class="wide" tabindex="0" role="region" aria-labelledby="a-2"><table>' in body


def _told_errors(language: str) -> list[tuple[str, str]]:
    text = (FOLDER / language / "data.md").read_text(encoding="utf-8")
    return re.findall(r"^\| (?:`([^`]*)`|nothing|nada) \| `(\w+\.csv:[^`]+)` \|$", text, re.MULTILINE)


def _make_mistakes(root: Path, folder: Path, mistakes: list[tuple[str, str]]) -> list[str]:
    """Return the faults that are told of copies of the tables in which these cells were changed."""
    copies: dict[str, list[list[str]]] = {}
    for written, message in mistakes:
        file, row, column = re.match(r"(\w+\.csv):(\d+)(?::(\w+))?", message).groups()  # type: ignore[union-attr]
        if file not in copies:
            with (root / "data" / file).open(encoding="utf-8", newline="") as table:
                copies[file] = list(csv.reader(table))
        copies[file][int(row) - 1][copies[file][0].index(column or "id")] = written
    for file, rows in copies.items():
        with (folder / file).open("w", encoding="utf-8", newline="") as copy:
            csv.writer(copy, lineterminator="\n").writerows(rows)
    with pytest.raises(DataErrors) as caught:
        read_bundle(root / "data", root / "ontology", {file: folder / file for file in copies})
    return sorted(map(str, caught.value.errors))


@pytest.mark.parametrize("nowhere", [False, True], ids=["of a cell or a row", "of a reference"])
def test_the_errors_that_the_page_shows_are_real(root: Path, tmp_path: Path, nowhere: bool) -> None:
    # What is defined nowhere is looked for once all cells are right.
    mistakes = [told for told in _told_errors("en") if told[1].endswith("is defined nowhere") == nowhere]
    assert mistakes
    assert _make_mistakes(root, tmp_path, mistakes) == sorted(message for _, message in mistakes)


def test_both_languages_show_the_same_errors() -> None:
    assert len(_told_errors("en")) >= 8
    assert _told_errors("en") == _told_errors("es")


def test_the_example_row_is_of_the_table(root: Path) -> None:
    with (root / "data" / "practices.csv").open(encoding="utf-8", newline="") as table:
        row = next(row for row in csv.DictReader(table) if row["id"] == "aimara-sarawja")
    for language in LANGUAGES:
        text = (FOLDER / language / "data.md").read_text(encoding="utf-8")
        names = re.search(r"^ +\| (id \| .*) \|$", text, re.MULTILINE)[1].split(" | ")  # type: ignore[index]
        told = re.search(r"^ +\| (aimara-sarawja \| .*) \|$", text, re.MULTILINE)[1].split(" | ")  # type: ignore[index]
        assert [row[name] for name in names[:-1]] == told[:-1]
        assert names[-1] == "locator"
        assert set(names) <= set(row)


def test_coverage_as_tables_and_as_json(client: Client, root: Path) -> None:
    page = client.get("/about/data/coverage?lang=en").text
    answer = client.get("/about/data/coverage", headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    queries = read_coverage_queries(root / "queries" / "pages")
    assert list(answer.json()) == [query.id for query in queries]
    assert answer.json() == client.get("/about/data/coverage?format=json").json()
    assert page.count("<table") == len(queries)
    for query in queries:
        assert f'id="{query.id}"' in page
        assert query.title["es"] in client.get("/about/data/coverage?lang=es").text
    kinds = answer.json()["coverage-source-kinds"]["rows"]
    assert {row["kind"] for row in kinds} >= {"inferred"}
    assert sum(row["statements"] for row in kinds) > 0


def test_every_column_of_the_coverage_has_a_name_for_readers(client: Client) -> None:
    sections = client.get("/about/data/coverage?format=json").json().values()
    columns = {name for section in sections for row in section["rows"] for name in row}
    for language in LANGUAGES:
        page = client.get("/about/data/coverage", params={"lang": language}).text
        assert not [name for name in columns if "_" in name and f">{name}<" in page]
