"""Lists to browse: by place, people, law, programme, UNESCO list, month.

/browse/                   what can be browsed
/browse/places             departments on a map, with figures; likewise /browse/laws and all that query files add
/browse/places/pe-21       what there is in one place
/browse/people/aimara      a sheet about a people, to print
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from pyoxigraph import NamedNode
from starlette.responses import RedirectResponse, Response

from culturegraph.errors import NotFoundError
from culturegraph.protocols.browsing import Listing
from culturegraph.protocols.documents import near_matches
from culturegraph.protocols.search_answers import draw_listed
from culturegraph.protocols.sheets import PEOPLE, describe_sheet
from culturegraph.rdf.vocabulary import BASE
from culturegraph.web.negotiation import with_query
from culturegraph.web.site import Site, SiteDep, answer

router = APIRouter()

_VARY: Final = "Accept-Language"
# What the slugs of a list are below: /browse/places/pe-21 is about id/place/pe-21.
_KINDS: Final = {"places": "place", "people": "people"}


@router.get("/browse")
def redirect_index(request: Request) -> Response:
    """Redirect to the index, whose relative links need the slash."""
    return RedirectResponse(with_query(request, "/browse/"), 303)


@router.get("/browse/")
def show_index(request: Request, site: SiteDep) -> Response:
    """Show what can be browsed."""

    def make() -> Response:
        return site.pages.render(request, "browse_index.html", listings=site.browser.indexes)

    return answer(request, site, site.entity_tag(request, site.pages.language(request)), _VARY, make)


@router.get("/browse/people/{slug}")
def show_sheet(request: Request, site: SiteDep, slug: str) -> Response:
    """Show what is said of a people, by whom, under which names: on a page made for printing."""
    language = site.pages.language(request)
    iri = _to_iri("people", slug)

    def make() -> Response:
        query = site.page_queries.get(PEOPLE)
        sheet = describe_sheet(site.snapshot.store, query, iri, language) if query else None
        if sheet is None:
            raise _unknown(site, iri)
        return site.pages.render(request, "sheet.html", sheet=sheet, slug=slug)

    return answer(request, site, site.entity_tag(request, language), _VARY, make)


@router.get("/browse/{path}")
def show_list(request: Request, site: SiteDep, path: str) -> Response:
    """Show one list."""
    listing = site.browser.find(path, of_one=False)
    if listing is None:
        known = ", ".join(item.path for item in site.browser.indexes)
        raise NotFoundError(f"nothing is browsed by {path}; there are: {known}")
    return _answer(request, site, listing, None)


@router.get("/browse/{path}/{slug}")
def show_one(request: Request, site: SiteDep, path: str, slug: str) -> Response:
    """Show the list that is about one thing."""
    listing = site.browser.find(path, of_one=True)
    if listing is None:
        raise NotFoundError(f"nothing is browsed by {path}, one thing at a time")
    return _answer(request, site, listing, _to_iri(_KINDS.get(path, path), slug))


def _answer(request: Request, site: Site, listing: Listing, iri: str | None) -> Response:
    language = site.pages.language(request)

    def make() -> Response:
        page = site.browser.describe(listing, iri, language)
        if page is None:
            raise _unknown(site, iri or "")
        title = site.pages.words[language]["browse_map"]
        drawn = draw_listed(site.snapshot.store, page, title, site.pages.linker(request)) if listing.map else None
        return site.pages.render(request, "browse.html", page=page, listing=listing, map=drawn)

    return answer(request, site, site.entity_tag(request, language), _VARY, make)


def _to_iri(kind: str, slug: str) -> str:
    iri = f"{BASE}id/{kind}/{slug}"
    try:
        NamedNode(iri)
    except ValueError as error:
        raise NotFoundError(f"no name of a thing: {slug}") from error
    return iri


def _unknown(site: Site, iri: str) -> NotFoundError:
    near = ", ".join(found.rpartition("/")[2] for found in near_matches(iri, site.own_iris))
    return NotFoundError(f"nothing is known of <{iri}>" + (f"; near: {near}" if near else ""))
