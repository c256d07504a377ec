"""Earlier states of things, from the releases that are kept (RFC 7089, Memento).

/releases/2026.11.0/id/people/awajun         what that release says of it: a page, or RDF by Accept or suffix
/timegate/id/people/awajun                   302 to the state at the time of Accept-Datetime
/timemap/link/id/people/awajun               all its states; /timemap/json/… likewise
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from pyoxigraph import Store
from starlette.responses import RedirectResponse, Response

from culturegraph.errors import NotFoundError
from culturegraph.protocols.documents import statements, to_document
from culturegraph.protocols.entity import PAGE, Window
from culturegraph.protocols.entity_page import NO_PAGE, Words, describe_page
from culturegraph.protocols.entity_reader import Reader
from culturegraph.protocols.linkeddata import read_entity
from culturegraph.protocols.mementos import (
    LINK_FORMAT,
    PLACES,
    Memento,
    choose_memento,
    find_mementos,
    http_date,
    memento_links,
    read_moment,
    read_original,
    to_json,
    to_link_format,
)
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.formats import GRAPHS, HTML, MediaType
from culturegraph.rdf.graphs import merge
from culturegraph.rdf.vocabulary import BASE
from culturegraph.releases.excerpts import cut_out, holds
from culturegraph.releases.folder import Release, find_release, list_releases
from culturegraph.web.entities import WindowDep
from culturegraph.web.negotiation import SUFFIXES, choose_format
from culturegraph.web.site import Site, SiteDep, answer

router = APIRouter()

_VARY: Final = "Accept, Accept-Language"


@router.get("/timegate/{path:path}")
def choose_state(request: Request, site: SiteDep, path: str) -> Response:
    """Redirect to the state of a thing at the time of Accept-Datetime; to the last one without it."""
    iri, mementos = _find(request, site, path)
    chosen = choose_memento(mementos, read_moment(request.headers.get("accept-datetime")))
    headers = {"Vary": "accept-datetime", "Link": memento_links(iri, mementos, chosen)}
    return RedirectResponse(chosen.path, 302, headers)


@router.get("/timemap/link/{path:path}")
def list_states(request: Request, site: SiteDep, path: str) -> Response:
    """List the states of a thing in link format."""
    iri, mementos = _find(request, site, path)
    return Response(to_link_format(iri, mementos, str(request.base_url)), media_type=LINK_FORMAT)


@router.get("/timemap/json/{path:path}")
def list_states_as_json(request: Request, site: SiteDep, path: str) -> Response:
    """List the states of a thing in JSON."""
    iri, mementos = _find(request, site, path)
    return Response(to_json(iri, mementos, str(request.base_url)), media_type="application/json")


def _find(request: Request, site: Site, path: str) -> tuple[str, list[Memento]]:
    iri = read_original(path, str(request.base_url))
    mementos = find_mementos(list_releases(site.settings.releases), iri) if iri else []
    if not mementos:
        raise NotFoundError(f"no release speaks of {iri or path!r}")
    return iri, mementos


# Releases have files, changes and citations too: `releases` answers what has one part only.
@router.get("/releases/{version}/{place}/{path:path}")
def show_state(
    request: Request,
    site: SiteDep,
    version: str,
    place: str,
    path: str,
    window: WindowDep,
) -> Response:
    """Show what a release says of a thing, or return it as RDF."""
    release = find_release(site.settings.releases, version)
    if f"{place}/" not in PLACES:
        raise NotFoundError(f"release {version} has nothing below {place!r}")
    iri, suffix = _split(release, f"{BASE}{place}/{path}")
    chosen = choose_format(request, suffix)
    reader = site.pages.reader_language(request)
    tag = site.entity_tag(request, chosen.value, reader, str(release.manifest["content_hash"]))
    return answer(request, site, tag, _VARY, lambda: _state(request, site, release, iri, chosen, window))


def _split(release: Release, iri: str) -> tuple[str, MediaType | None]:
    """Return an IRI without a format's suffix, and the format. A name that itself ends so comes first."""
    bare, dot, suffix = iri.rpartition(".")
    return (bare, SUFFIXES[suffix]) if dot and suffix in SUFFIXES and not holds(release, iri) else (iri, None)


def _state(
    request: Request, site: Site, release: Release, iri: str, chosen: MediaType, window: Window | None
) -> Response:
    quads = cut_out(release, iri)
    if not quads:
        raise NotFoundError(f"release {release.version} says nothing of <{iri}>")
    store = Store()
    store.bulk_extend([*quads, *merge(quads)])
    mementos = find_mementos(list_releases(site.settings.releases), iri)
    own = next(memento for memento in mementos if memento.version == release.version)
    if chosen is HTML:
        response = _page(request, site, store, release, iri, window, mementos, own)
    else:
        response = Response(to_document(statements(store, iri), chosen), media_type=chosen.content_type)
    response.headers["Memento-Datetime"] = http_date(release.built)
    response.headers["Link"] = memento_links(iri, mementos, own)
    return response


def _page(
    request: Request,
    site: Site,
    store: Dataset,
    release: Release,
    iri: str,
    window: Window | None,
    mementos: list[Memento],
    own: Memento,
) -> Response:
    language = site.pages.reader_language(request)
    words = site.pages.words[site.pages.language(request)]
    modules = {term: module.name for module in site.ontology.modules for term in module.terms}
    reader = Reader(store, site.reader.layout, modules)
    entity = read_entity(reader, iri, language, window)
    if entity is None:
        raise NotFoundError(f"release {release.version} says nothing of <{iri}>")
    around = Words(words["entity_around_of"], words["entity_around_note"])
    return site.pages.render(
        request,
        "memento.html",
        entity=entity,
        page=NO_PAGE if window else describe_page(reader, entity, language, around),
        path=iri.removeprefix(f"{BASE}id/").removeprefix(BASE),
        own_path=own.path,
        release=release,
        mementos=mementos,
        own=own,
        position=None,
        window=window,
        page_size=PAGE,
        formats=GRAPHS,
        contact=site.contact,
        sheet=None,
        language_names=site.language_names[language],
        count=None,
        results=((), 0),
    )
