"""The pages of entities, and the lists of schemes and of graphs.

/doc/people/awajun                              what the graph says of an entity, and which source says it
/doc/people/awajun?predicate=…&direction=in     one property of it, a page at a time
/schemes/  /graph/                              the concept schemes; the named graphs with their sources
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pyoxigraph import Quad
from starlette.responses import Response

from culturegraph.protocols.care import read_care
from culturegraph.protocols.documents import instances_data, to_document
from culturegraph.protocols.entity import PAGE, Direction, Window
from culturegraph.protocols.entity_page import NO_PAGE, Words, describe_page
from culturegraph.protocols.linkeddata import read_entity
from culturegraph.protocols.listing import Section, list_graphs, list_schemes
from culturegraph.protocols.mementos import find_mementos, original_links
from culturegraph.protocols.report import list_results_about
from culturegraph.protocols.schema_org import describe_entity, to_script
from culturegraph.protocols.schemes import CONCEPTS, Position, find_position
from culturegraph.protocols.sheets import PEOPLE
from culturegraph.rdf.formats import GRAPHS, HTML
from culturegraph.rdf.vocabulary import CG, SKOS
from culturegraph.releases.folder import list_releases
from culturegraph.web.dereferencing import refuse_withdrawn, to_iri, unknown
from culturegraph.web.negotiation import choose_format, format_links
from culturegraph.web.site import Site, SiteDep, answer, is_unchanged, revalidate

router = APIRouter()

SCHEME: Final = SKOS + "ConceptScheme"
SOURCE_GRAPH: Final = CG + "SourceGraph"
VARY_PAGE: Final = "Accept-Language"


async def read_window(
    predicate: Annotated[str | None, Query(description="show only this property, a page at a time")] = None,
    direction: Annotated[Direction, Query(description="of the statements of `predicate`")] = "out",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Window | None:
    """Return the window into one property that a request asks for."""
    return Window(predicate, direction, page) if predicate else None


WindowDep = Annotated[Window | None, Depends(read_window)]


@router.get("/schemes/")
def show_schemes(request: Request, site: SiteDep) -> Response:
    """Show the concept schemes, or what is said of each as RDF."""
    store, language = site.snapshot.store, site.pages.language(request)
    return _list(request, site, "schemes", lambda: list_schemes(store, language), lambda: instances_data(store, SCHEME))


@router.get("/graph/")
def show_graphs(request: Request, site: SiteDep) -> Response:
    """Show the named graphs with their sources, or what is said of each source as RDF."""
    store, language = site.snapshot.store, site.pages.language(request)
    counts = site.snapshot.manifest["quads_by_graph"]
    return _list(
        request,
        site,
        "graphs",
        lambda: list_graphs(store, language, counts),
        lambda: instances_data(store, SOURCE_GRAPH),
    )


def _list(
    request: Request,
    site: Site,
    key: str,
    sections: Callable[[], Sequence[Section]],
    quads: Callable[[], Iterable[Quad]],
) -> Response:
    """Answer with a list by Accept: as a page, or as RDF."""
    chosen = choose_format(request, None)
    tag, vary = site.entity_tag(request, chosen.value, site.pages.language(request)), "Accept, Accept-Language"
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, vary)
    if chosen is HTML:
        page = site.pages.render(request, "list.html", key=key, sections=sections(), formats=GRAPHS)
        return revalidate(page, tag, vary)
    return revalidate(Response(to_document(quads(), chosen), media_type=chosen.content_type), tag, vary)


@router.get("/doc/{path:path}")
def show_page(request: Request, site: SiteDep, path: str, window: WindowDep) -> Response:
    """Show what the graph says of an entity, and which source says it."""
    tag = site.entity_tag(request, site.pages.language(request))
    return answer(request, site, tag, VARY_PAGE, lambda: make_page(request, site, path, window))


def make_page(request: Request, site: Site, path: str, window: Window | None = None) -> Response:
    """Make the page of an entity. Raises UnknownEntityError and WithdrawnError."""
    language, reader = site.pages.language(request), site.pages.reader_language(request)
    iri = to_iri(path)
    refuse_withdrawn(site, iri, language)
    entity = read_entity(site.reader, iri, reader, window)
    if entity is None:
        raise unknown(site, iri, language)
    words, is_whole = site.pages.words[language], window is None
    address = str(request.url.replace(query=""))
    # A window shows one property: too little to tell others what the entity is.
    described = describe_entity(iri, entity.own, address, site.reader.labels(language)) if is_whole else {}
    response = site.pages.render(
        request,
        "entity.html",
        json_ld=to_script(described) if described else "",
        entity=entity,
        page=describe_page(site.reader, entity, reader, Words(words["entity_around_of"], words["entity_around_note"]))
        if is_whole
        else NO_PAGE,
        path=path,
        own_path=f"/doc/{path}",
        mementos=find_mementos(list_releases(site.settings.releases), iri),
        position=_position(site, path, language),
        window=window,
        care=read_care(site.snapshot.store, iri, (), site.reader.labels(reader)) if window is None else None,
        page_size=PAGE,
        formats=GRAPHS,
        contact=site.contact,
        sheet=_sheet(site, path),
        language_names=site.language_names[reader],
        count=site.snapshot.manifest["quads_by_graph"].get(iri),
        results=list_results_about(site.snapshot.store, iri, site.reader.labels(reader)) if is_whole else ((), 0),
    )
    response.headers["Link"] = ", ".join([format_links(iri, path), *original_links(iri)])
    return response


def _position(site: Site, path: str, language: str) -> Position | None:
    """Return where a concept stands in its scheme; None of what is no concept."""
    query = site.page_queries.get(CONCEPTS)
    if query is None or not path.startswith("schemes/"):
        return None
    return find_position(site.snapshot.store, query, to_iri(path), language)


def _sheet(site: Site, path: str) -> tuple[str, str] | None:
    """Return the page that has all of a people to print, or all of a department, with the key of its word."""
    kind, _, slug = path.partition("/")
    if kind == "people" and PEOPLE in site.page_queries:
        return f"/browse/people/{slug}", "browse_print"
    if kind == "place" and to_iri(path) in site.reader.gazetteer.codes and site.browser.find("places", of_one=True):
        return f"/browse/places/{slug}", "entity_sheet"
    return None
