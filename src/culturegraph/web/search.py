"""Search: one box, facets, a map; the same as JSON and CSV.

/search?q=wititi                          a page of results, with the facets of all of them
/search?type=Dance&department=pe-21       no text: everything, narrowed by facets
/search?q=080206                          an identifier that names one thing: 303 to that thing
/search?q=wititi&format=json|csv          for programs; CSV lists everything that was found
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from culturegraph.errors import NotAcceptableError
from culturegraph.protocols.labels import to_href
from culturegraph.protocols.maps import ORIGIN
from culturegraph.protocols.search import MAX_LISTED, SORTS, Results, SearchRequest, read_request
from culturegraph.protocols.search_answers import draw_results, to_csv, to_json
from culturegraph.rdf.formats import HTML, MediaType, choose
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

JSON: Final = MediaType("application/json", "json", "json")
CSV: Final = MediaType("text/csv", "csv", "csv")
_OFFERED: Final = (HTML, JSON, CSV)
_VARY: Final = "Accept, Accept-Language"


@router.get("/search")
def search(
    request: Request,
    site: SiteDep,
    q: Annotated[str, Query(description="name, part of a name, identifier or IRI")] = "",  # noqa: ARG001
    sort: Annotated[str, Query(description=", ".join(SORTS))] = "",  # noqa: ARG001
    page: Annotated[str, Query(description="page of the results, from 1")] = "",  # noqa: ARG001
    size: Annotated[str, Query(description="results a page, 1 to 100")] = "",  # noqa: ARG001
    fmt: Annotated[str | None, Query(alias="format", description="html, json or csv")] = None,
) -> Response:
    """Search by text and facets: type, department, people, recognition, period, source."""
    chosen, language = _choose(request, fmt), site.pages.language(request)
    tag = site.entity_tag(request, chosen.value, language)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    searcher = site.searchers[language]
    asked = read_request(request.query_params.multi_items(), searcher.index.facets)
    if chosen is CSV:
        listed = searcher.search(replace(asked, page=1, size=MAX_LISTED))
        response = Response(to_csv(listed.items), media_type=CSV.content_type)
        response.headers["Content-Disposition"] = 'attachment; filename="culturegraph-search.csv"'
        return revalidate(response, tag, _VARY)
    if chosen is HTML and (iri := searcher.go_straight(asked)):
        return RedirectResponse(_keep_language(request, to_href(iri) or "/"), 303, {"Vary": _VARY})
    results = searcher.search(asked)
    if chosen is JSON:
        return revalidate(JSONResponse(_with_links(results, language)), tag, _VARY)
    return revalidate(_render(request, site, results), tag, _VARY)


def _choose(request: Request, name: str | None) -> MediaType:
    chosen = choose(request.headers.get("accept"), name, _OFFERED)
    if chosen is None:
        raise NotAcceptableError("available here: " + ", ".join(offer.value for offer in _OFFERED))
    return chosen


def _keep_language(request: Request, path: str) -> str:
    lang = request.query_params.get("lang")
    return f"{path}?{urlencode({'lang': lang})}" if lang else path


def to_address(asked: SearchRequest, **changes: Any) -> str:
    """Return the address of a search, with changes."""
    pairs = asked.parameters(**changes)
    return f"/search?{urlencode(pairs)}" if pairs else "/search"


def _with_links(results: Results, language: str) -> dict[str, Any]:
    asked = results.request
    links = {"self": to_address(asked, page=asked.page)}
    if asked.page < results.pages:
        links["next"] = to_address(asked, page=asked.page + 1)
    if asked.page > 1:
        links["prev"] = to_address(asked, page=min(asked.page - 1, results.pages))
    return {**to_json(results, language), "links": links}


def _render(request: Request, site: Site, results: Results) -> Response:
    asked = results.request
    language = site.pages.language(request)

    def address(**changes: Any) -> str:
        return _with_language(request, to_address(asked, **changes))

    drawn = draw_results(
        site.snapshot.store,
        results,
        site.pages.words[language]["search_map"],
        lambda facet, value: address(chosen=asked.toggle(facet, value)),
        lambda path: _keep_language(request, path),
    )
    return site.pages.render(
        request,
        "search.html",
        results=results,
        asked=asked,
        address=address,
        names=site.searchers[language].name_chosen(asked),
        map=drawn,
        map_origin=ORIGIN,
        sorts=SORTS,
    )


def _with_language(request: Request, address: str) -> str:
    lang = request.query_params.get("lang")
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'lang': lang})}" if lang else address
