"""The site in a real browser: accessibility, keyboard, zoom, weight, policy, and the editor at work.

Needs the Chromium of the machine, Playwright and the built front end; skipped with the reason where one is missing.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest
from httpx import Client
from small_site import listening

from culturegraph.build import Build
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current
from culturegraph.web.sparql import EDITOR

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (make test-all does)")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = Path(__file__).parents[1] / "frontend" / "built" / "axe.min.js"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine (apt-get install chromium)"),
    pytest.mark.skipif(not AXE.is_file(), reason="the front end is not built (make frontend)"),
]
PEOPLE, DANCE, LAW, PLACE = (
    "/doc/people/awajun",
    "/doc/expression/danza-de-tijeras",
    "/doc/norm/law-29073",
    "/doc/place/pe-08",
)
RESULT = "/sparql?query=SELECT+*+%7B+%3Fs+a+%3Fo+%7D+LIMIT+9&format=html"
# One page of every kind.
PAGES = (
    "/",
    PEOPLE,
    DANCE,
    LAW,
    PLACE,
    "/doc/schemes/expression-types",
    "/doc/schemes/expression-types/dance",
    "/doc/graph/source/editorial",
    "/doc/ontology/Dance",
    "/ontology/",
    "/schemes/",
    "/graph/",
    "/queries/",
    "/queries/cq-03",
    "/queries/cq-03?view=chart",
    "/queries/cq-07?view=map",
    "/queries/neighbourhood-of-a-people?view=graph",
    "/queries/cax-sco",
    "/dashboards/",
    "/dashboards/recognitions",
    "/dashboards/cooperation",
    "/dashboards/laws",
    "/dashboards/agreements",
    "/dashboards/languages",
    "/dashboards/quality",
    "/law/?on=2012-04-30",
    "/sparql",
    RESULT,
    RESULT + "&view=map",
    "/search?q=danza",
    "/search?q=%3Cscript%3E",
    "/browse/",
    "/validation/",
    "/doc/validation/1",
    "/reasoner",
    "/about/",
    "/about/data/coverage",
    "/correction/people/awajun",
    "/doc/people/nobody",
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (tags) => (await axe.run({runOnly: tags})).violations.map((found) => found.id + ": " + found.nodes
    .slice(0, 3).map((node) => node.target.join(' ') + ' ' + node.html.slice(0, 120)).join(' | '))"""


@pytest.fixture(scope="module")
def server(built: Build, settings: Settings) -> Iterator[str]:
    with listening(settings, open_current(settings.store, in_memory=True)) as address:
        yield address.rstrip("/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Visit:
    """A page of a browser that writes down what it asks for and what it complains of."""

    def __init__(self, browser: Any, server: str, **options: Any) -> None:
        self.server = server
        self.context = browser.new_context(**({"locale": "es", "viewport": {"width": 1280, "height": 900}} | options))
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _hear(self, message: Any) -> None:
        # A page that says 404 is told to the console as well.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> Any:
        self.page.goto(self.server + path)
        if path.split("?")[0] == "/sparql" and "query=" not in path:
            self.page.wait_for_selector("#editor .CodeMirror")
        return self.page

    def violations(self) -> list[str]:
        # Not as an element of the page: its policy would forbid that.
        self.context.new_cdp_session(self.page).send("Runtime.evaluate", {"expression": AXE.read_text("utf-8") + ";0"})
        found: list[str] = self.page.evaluate(RUN_AXE, RULES)
        return found


@pytest.fixture
def visit(browser: Any, server: str) -> Iterator[Any]:
    visits: list[Visit] = []

    def begin(**options: Any) -> Visit:
        visits.append(Visit(browser, server, **options))
        return visits[-1]

    yield begin
    for begun in visits:
        assert not [url for url in begun.asked if not url.startswith((server, "data:", "blob:"))], (
            "another host was asked"
        )
        assert begun.context.cookies() == []
        assert begun.complaints == []
        begun.context.close()


@pytest.mark.parametrize(
    "options",
    [{}, {"color_scheme": "dark"}, {"viewport": {"width": 375, "height": 740}, "locale": "en"}],
    ids=["light", "dark", "phone"],
)
def test_accessibility(visit: Any, options: dict[str, Any]) -> None:
    """WCAG 2.2 A and AA and the best practices that axe-core knows, on one page of every kind."""
    seen = visit(**options)
    found = {}
    for path in PAGES:
        seen.open(path)
        if violations := seen.violations():
            found[path] = violations
    assert found == {}


def test_nothing_is_lost_when_enlarged(visit: Any) -> None:
    """At 200 % a window of 1280 has 640 units, at 400 % 320: no page then scrolls sideways (WCAG 1.4.4, 1.4.10)."""
    for width in (640, 320):
        seen = visit(viewport={"width": width, "height": 700})
        for path in PAGES:
            page = seen.open(path)
            over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert over <= 0, f"{path} is {over} wider than {width}"


def test_the_keyboard_reaches_everything(visit: Any) -> None:
    for path in ("/", PEOPLE, "/queries/cq-03", "/dashboards/laws"):
        page = visit().open(path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip", path
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        wanted = page.evaluate(
            "[...document.querySelectorAll('main :is(a[href], button, input:not([type=hidden]), select, summary)')]"
            ".filter((e) => e.tabIndex >= 0 && e.checkVisibility()).length"
        )
        reached = 0
        for _ in range(wanted + 40):
            page.keyboard.press("Tab")
            state = page.evaluate(
                "(() => { const e = document.activeElement, m = document.querySelector('main');"
                " const s = getComputedStyle(e);"
                " const marked = s.outlineStyle !== 'none' || s.boxShadow !== 'none' || e.closest('svg');"
                " return [m.contains(e), Boolean(marked)] })()"
            )
            if not state[0]:
                break
            assert state[1], (
                f"{path}: focus is not visible on {page.evaluate('document.activeElement.outerHTML')[:120]}"
            )
            reached += 1
        assert reached >= wanted, path


def test_pages_are_light(visit: Any) -> None:
    """An entity page with all that it loads is below 100 KB; scripts are below 60 KB outside the editor."""
    for path in (PEOPLE, DANCE, LAW, PLACE, "/", "/dashboards/recognitions", "/search?q=danza"):
        seen = visit()
        weights: dict[str, int] = {}
        seen.page.on("response", lambda answer, weights=weights: weights.update({answer.url: len(answer.body())}))
        page = seen.open(path)
        page.wait_for_load_state("networkidle")
        html = page.evaluate("performance.getEntriesByType('navigation')[0].decodedBodySize")
        if path.startswith("/doc/"):
            assert html < 50_000, path
            assert sum(weights.values()) < 100_000, (path, weights)
        assert sum(weight for url, weight in weights.items() if url.endswith(".js")) <= 60_000


def test_no_text_becomes_a_program(visit: Any) -> None:
    attack = "%22%3E%3Cscript%3Ewindow.hit=1%3C/script%3E%3Cimg%20src=x%20onerror=window.hit=1%3E"
    query = f"SELECT%20(%22{attack.removeprefix('%22').replace('%22', '')}%22%20AS%20%3Fx)%20%7B%7D"
    for path in (
        f"/search?q={attack}",
        f"/sparql?query={query}&format=html",
        f"/sparql?query={query}&format=html&view=chart",
        f"/queries/cq-03?in_department={attack}",
        f"/queries/cq-03?view={attack}",
        f"/doc/people/{attack.replace('/', '')}",
        f"/dashboards/{attack.replace('/', '')}",
        f"/browse/?q={attack}",
        f"/validation/?severity={attack}",
    ):
        page = visit().open(path)
        assert page.evaluate("window.hit") is None, path


@pytest.mark.skipif(not EDITOR.is_file(), reason="the front end is not built (make frontend)")
def test_the_editor_asks_and_shows(visit: Any) -> None:
    seen = visit()
    page = seen.open("/sparql")
    assert not page.is_visible("form.query"), "the form makes room"
    page.select_option("#editor-questions", "cq-03")
    tab = page.locator(".tabPanel.active")
    tab.locator("#answer table").wait_for()
    assert "2012" in tab.locator("#answer").inner_text()
    for name, shown in (
        ("Gráfico", "svg.chart"),
        ("Mapa", "svg.map"),
        ("Filas", "table.dataTable"),
        ("Programa", "pre"),
    ):
        tab.locator(".yasr_btn", has_text=name).click()
        tab.locator(".yasr_results " + shown).first.wait_for(state="attached")
        assert seen.violations() == [], name


@pytest.mark.skipif(not EDITOR.is_file(), reason="the front end is not built (make frontend)")
def test_the_editor_suggests_what_the_graph_has(visit: Any) -> None:
    page = visit().open("/sparql")
    page.evaluate("window.editor.getTab().getYasqe().setValue('SELECT * WHERE {\\n  ?x a ')")
    page.evaluate(
        "(() => { const q = window.editor.getTab().getYasqe(); q.focus(); q.setCursor(q.lineCount(), 99); })()"
    )
    page.keyboard.type("cg:Indig")
    page.wait_for_timeout(500)
    page.keyboard.press("Control+Space")
    page.wait_for_selector(".CodeMirror-hints")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    text = page.evaluate("window.editor.getTab().getYasqe().getValue()")
    assert "PREFIX cg: <https://w3id.org/culturegraph/ontology/>" in text
    assert "cg:Indigenous" in text


def test_a_query_is_shared_as_an_address(visit: Any) -> None:
    query = "ASK { ?s ?p 'compartido' }"
    page = visit().open("/sparql#query=" + query.replace(" ", "%20").replace("?", "%3F"))
    page.wait_for_timeout(300)
    assert page.evaluate("window.editor.getTab().getYasqe().getValue()") == query


def test_the_site_works_without_javascript(visit: Any, server: str) -> None:
    seen = visit(java_script_enabled=False)
    seen.page.goto(server + "/sparql")
    seen.page.fill("form.query textarea", "SELECT * { ?s a ?o } LIMIT 3")
    seen.page.click("form.query button")
    assert seen.page.locator("tbody tr").count() == 3
    seen.page.goto(server + "/queries/cq-03")
    seen.page.fill("input[name=in_year]", "2012")
    seen.page.click(".choices button")
    assert set(seen.page.locator("tbody td:first-child").all_inner_texts()) == {"2012"}


def test_every_link_of_200_random_pages_works(server: str) -> None:
    """Each link on this server that one of the pages has is followed, also links inside pages (#…)."""
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    with Client(base_url=server, timeout=60, headers={"accept": "text/html", "accept-language": "es"}) as client:
        places = [item.text or "" for item in ET.fromstring(client.get("/sitemap.xml").content).iter(space + "loc")]
        chosen = {*(server + path for path in PAGES[:-1]), *random.Random(20261123).sample(places, 200)}
        texts = {place: client.get(place, follow_redirects=True) for place in chosen}
        broken = {place: answer.status_code for place, answer in texts.items() if answer.status_code != 200}
        targets: dict[str, str] = {}
        for place, answer in texts.items():
            ids = set(re.findall(r'\sid="([^"]*)"', answer.text))
            for href in map(unescape, re.findall(r'\shref="([^"]*)"', answer.text)):
                address, fragment = urldefrag(urljoin(place, href))
                if not href.split("#")[0] and fragment and fragment not in ids:
                    broken[f"{place}#{fragment}"] = 404
                elif href.split("#")[0] and urlsplit(address).netloc == urlsplit(server).netloc:
                    targets.setdefault(address, place)
        for address, place in targets.items():
            if (status := client.head(address, follow_redirects=True).status_code) >= 400:
                broken[f"{address} on {place}"] = status
    assert broken == {}
    assert len(targets) > 1000
