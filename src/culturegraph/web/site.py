"""What all routers share, made once by the app factory: settings, snapshot, evaluators, pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from culturegraph import __version__
from culturegraph.explanation import Explainer
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.files import FOLDER, ExportFiles
from culturegraph.exports.profiles.profile import read_profiles
from culturegraph.exports.record_sets import RecordSet, read_sets
from culturegraph.exports.records import Records
from culturegraph.protocols.browsing import Browser
from culturegraph.protocols.coverage import Section, read_coverage_queries, read_section
from culturegraph.protocols.dashboards import Dashboard
from culturegraph.protocols.documents import own_iris
from culturegraph.protocols.entity_reader import Reader
from culturegraph.protocols.facets import FacetIndex
from culturegraph.protocols.front_page import FrontPage, describe_front
from culturegraph.protocols.harvesting import Repository
from culturegraph.protocols.headers import matches_tag
from culturegraph.protocols.language_names import name_languages
from culturegraph.protocols.layout import FILE as LAYOUT
from culturegraph.protocols.layout import read_layout
from culturegraph.protocols.modules import read_modules
from culturegraph.protocols.ontology import Ontology
from culturegraph.protocols.overview import Overview, describe_ontology
from culturegraph.protocols.reconciliation.matching import Reconciler
from culturegraph.protocols.record_changes import Changes, read_changes
from culturegraph.protocols.record_search import RecordSearch
from culturegraph.protocols.report import ReportIndex
from culturegraph.protocols.search import Searcher
from culturegraph.protocols.suggestions import Suggestions
from culturegraph.queries import QueryFile, read_queries
from culturegraph.rdf.vocabulary import BASE
from culturegraph.releases.folder import identify_releases, list_releases
from culturegraph.rules import Rule, read_rules
from culturegraph.server.alone import Alone
from culturegraph.server.board import Board
from culturegraph.settings import Settings
from culturegraph.store.evaluators import Evaluators
from culturegraph.store.snapshot import Snapshot
from culturegraph.store.statement_index import StatementIndex
from culturegraph.web.kept import KeptPages, wants_compressed
from culturegraph.web.pages import BEGUN, LANGUAGES, READERS, Pages

_FOLDER = Path(__file__).parent
# The dance of which most is known: shown in every profile that has it.
SAMPLE = "id/expression/danza-wititi"


@dataclass(frozen=True)
class Contact:
    """Who answers requests for correction, where (an e-mail or web address), and within how many days."""

    name: str
    address: str
    days: int


@dataclass(frozen=True)
class Site:
    """One running server."""

    settings: Settings
    snapshot: Snapshot
    evaluators: Evaluators
    # What all processes of the server count.
    board: Board
    # Where queries are evaluated in this process, and so counted here.
    alone: Alone | None
    pages: Pages
    queries: Mapping[str, QueryFile]
    dashboards: Mapping[str, Dashboard]
    # Changes with the snapshot, the software and its templates: part of every page's ETag.
    revision: str
    # Pages that were made once.
    kept: KeptPages

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules of inference by id; read when they are first needed, as are the other parts below."""
        return {rule.id: rule for rule in read_rules(self.settings.queries / "rules")}

    @cached_property
    def explainer(self) -> Explainer:
        """What proves statements of this snapshot."""
        return Explainer(self.snapshot.store, self.rules.values())

    @property
    def statement_index(self) -> StatementIndex:
        """The statements of this snapshot by their hash."""
        return self.snapshot.statement_index

    @cached_property
    def report(self) -> ReportIndex:
        """The validation results of this snapshot by severity and shape."""
        return ReportIndex(self.snapshot.store)

    @cached_property
    def ontology(self) -> Ontology:
        """The axioms of the ontology, and which module declares which term."""
        store = self.snapshot.store
        return Ontology(store, read_modules(self.settings.ontology / "modules", store))

    @cached_property
    def overviews(self) -> Mapping[str, Overview]:
        """What the page of the ontology tells, by language: it is the same for every reader."""
        return {language: describe_ontology(self.snapshot.store, self.ontology, language) for language in LANGUAGES}

    @cached_property
    def page_queries(self) -> Mapping[str, QueryFile]:
        """The queries behind pages by id: facets, lists to browse, figures."""
        return {query.id: query for query in read_queries(self.settings.queries / "pages")}

    @cached_property
    def searchers(self) -> Mapping[str, Searcher]:
        """What searches, by language of the reader; all count by the same facets."""
        facets = FacetIndex(self.snapshot.store, self.page_queries.values())
        return {
            language: Searcher(self.snapshot.store, facets, self.snapshot.text_index, language)
            for language in LANGUAGES
        }

    @cached_property
    def browser(self) -> Browser:
        """What makes the lists to browse."""
        return Browser(self.snapshot.store, self.page_queries.values())

    @cached_property
    def coverage(self) -> Sequence[tuple[QueryFile, Section]]:
        """What this snapshot covers: the tables of figures, each with the query that gives it."""
        queries = read_coverage_queries(self.settings.queries / "pages")
        return [(query, read_section(self.snapshot.store, query)) for query in queries]

    @cached_property
    def records(self) -> Records:
        """The things of this snapshot that go out as records."""
        return Records(self.snapshot.store, self.settings.queries)

    @cached_property
    def exports(self) -> Mapping[str, Export]:
        """The profiles of export over this snapshot, by id."""
        profiles = read_profiles(self.settings.queries)
        return {name: Export(profile, self.snapshot.store) for name, profile in profiles.items()}

    @cached_property
    def export_files(self) -> ExportFiles:
        """The files of whole profiles, kept beside the snapshot."""
        return ExportFiles(self.snapshot.path / FOLDER)

    def sample_of(self, export: Export) -> str | None:
        """Return the IRI of the record that stands for a profile on its page; None where it has none."""
        return BASE + SAMPLE if BASE + SAMPLE in export.iris else next(iter(export.iris), None)

    @cached_property
    def record_sets(self) -> Mapping[str, RecordSet]:
        """The sets that the records are in."""
        return read_sets(self.snapshot.store, self.records, self.settings.queries)

    @cached_property
    def record_changes(self) -> Changes:
        """When each record last changed, as far as releases tell."""
        releases = list_releases(self.settings.releases)
        return read_changes(self.snapshot.store, self.records.entries, self.snapshot.built, releases)

    @cached_property
    def record_search(self) -> RecordSearch:
        """What finds records for SRU."""
        return RecordSearch(self.records, self.record_sets, self.snapshot.text_index)

    @cached_property
    def repository(self) -> Repository:
        """What harvesters read."""
        address = self.settings.contact_address
        contact = address if "@" in address and "://" not in address else ""
        return Repository(self.records, self.record_sets, self.record_changes, "culturegraph", contact)

    @cached_property
    def reconciler(self) -> Reconciler:
        """What finds the things that names stand for."""
        return Reconciler(self.snapshot.store, self.snapshot.text_index, self.page_queries)

    @cached_property
    def fronts(self) -> Mapping[str, FrontPage]:
        """What the front page shows of the graph, by the language of the reader."""
        words = {reader: self.pages.words[BEGUN.get(reader, reader)] for reader in READERS}
        return {
            reader: describe_front(self.reader, reader, known["entity_departments"], known["entity_expressions"])
            for reader, known in words.items()
        }

    @property
    def contact(self) -> Contact:
        """Who answers requests for correction."""
        return Contact(self.settings.contact_name, self.settings.contact_address, self.settings.contact_days)

    @cached_property
    def reader(self) -> Reader:
        """What pages about entities are made by."""
        modules = {term: module.name for module in self.ontology.modules for term in module.terms}
        return Reader(self.snapshot.store, read_layout(self.settings.queries), modules)

    @cached_property
    def language_names(self) -> Mapping[str, Mapping[str, str]]:
        """The names of languages by their tags, by the language of the reader."""
        return {language: name_languages(self.snapshot.store, language) for language in READERS}

    @cached_property
    def suggestions(self) -> Suggestions:
        """What an editor completes."""
        return Suggestions(self.snapshot.store)

    @cached_property
    def officers(self) -> dict[str, Mapping[str, Any]]:
        """The figures of the page for officers by language, once they have been asked for."""
        return {}

    @cached_property
    def answers(self) -> dict[str, Any]:
        """The answers behind the dashboards by query, once they have been asked."""
        return {}

    @cached_property
    def own_iris(self) -> list[str]:
        """Every typed IRI of ours: what an unknown one may have been meant for."""
        return own_iris(self.snapshot.store)

    def prepare(self) -> None:
        """Read what the pages need that are asked for most: the first request is then as fast as the next."""
        self.pages.load_templates()
        _ = self.reader, self.language_names, self.page_queries, self.browser, self.fronts, self.report, self.searchers

    def entity_tag(self, request: Request, *parts: str) -> str:
        """Return the ETag of a response: snapshot, releases, request and whatever else it depends on."""
        reader = self.pages.reader_language(request)
        begun = (reader,) if reader in BEGUN else ()
        # A page names its own address, host and all.
        host = request.headers.get("host", "")
        releases = identify_releases(self.settings.releases)
        facts = "\0".join(
            (self.revision, releases, host, request.url.scheme, request.url.path, request.url.query, *begun, *parts)
        )
        return f'W/"{hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()}"'


async def get_site(request: Request) -> Site:
    """Return the site of the app that serves a request. A coroutine: what is none is called in a thread."""
    site: Site = request.app.state.site
    return site


SiteDep = Annotated[Site, Depends(get_site)]


def compute_revision(snapshot: Snapshot, settings: Settings, queries: Iterable[QueryFile] = ()) -> str:
    """Return what identifies snapshot, software, templates, queries and what pages show of the settings together."""
    digest = hashlib.blake2b(f"{snapshot.key} {__version__}".encode(), digest_size=16)
    for path in sorted(_FOLDER.rglob("*.*")):
        if path.suffix in {".html", ".css", ".json", ".svg", ".py", ".md"}:
            digest.update(path.read_bytes())
    for query in queries:
        digest.update(query.text.encode())
    layout = settings.queries / LAYOUT
    digest.update(layout.read_bytes() if layout.is_file() else b"")
    digest.update(f"{settings.contact_name}\0{settings.contact_address}\0{settings.contact_days}".encode())
    return digest.hexdigest()


def is_unchanged(request: Request, tag: str) -> bool:
    """Say whether the client has this version already (If-None-Match)."""
    return matches_tag(request.headers.get("if-none-match", ""), tag)


def revalidate(response: Response, tag: str, vary: str) -> Response:
    """Mark a response as cacheable under its tag: clients ask again each time and mostly hear 304."""
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Vary"] = vary
    return response


def recall(request: Request, site: Site, tag: str, vary: str) -> Response | None:
    """Return 304 or what was kept; None where it has to be made."""
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, vary)
    return site.kept.get(tag, compressed=wants_compressed(request))


def answer(request: Request, site: Site, tag: str, vary: str, make: Callable[[], Response]) -> Response:
    """Answer with 304, with what was kept, or with what `make` returns, which is then kept."""
    return recall(request, site, tag, vary) or make_and_keep(request, site, tag, vary, make)


def make_and_keep(request: Request, site: Site, tag: str, vary: str, make: Callable[[], Response]) -> Response:
    """Answer with what `make` returns, and keep it."""
    return site.kept.keep(tag, revalidate(make(), tag, vary), compressed=wants_compressed(request))
