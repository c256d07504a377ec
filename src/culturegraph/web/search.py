"""Search: one box, facets, a map; the same as JSON and CSV.

/search?q=wititi                          a page of results, with the facets of all of them
/search?type=Dance&department=pe-21       no text: everything, narrowed by facets
/search?q=080206                          an identifier that names one thing: 303 to that thing
/search?q=wititi&format=json|csv          for programs; CSV lists all that was found, up to 10,000 things
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from culturegraph.errors import NotAcceptableError
from culturegraph.protocols.labels import to_href
from culturegraph.protocols.search import MAX_LISTED, Results
from culturegraph.protocols.search_answers import draw_results, to_csv, to_json
from culturegraph.protocols.search_request import SORTS, read_request
from culturegraph.rdf.formats import HTML, MediaType, choose
from culturegraph.web.site import Site, SiteDep, answer

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
    return answer(request, site, tag, _VARY, lambda: _make(request, site, chosen, language))


def _make(request: Request, site: Site, chosen: MediaType, language: str) -> Response:
    searcher = site.searchers[language]
    asked = read_request(request.query_params.multi_items(), searcher.index.facets)
    if chosen is CSV:
        listed = searcher.search(replace(asked, page=1, size=MAX_LISTED))
        response = Response(to_csv(listed.items), media_type=CSV.content_type)
        response.headers["Content-Disposition"] = 'attachment; filename="culturegraph-search.csv"'
        return response
    if chosen is HTML and (iri := searcher.go_straight(asked)):
        return RedirectResponse(site.pages.linker(request)(to_href(iri) or "/"), 303)
    results = searcher.search(asked)
    return JSONResponse(_with_links(results, language)) if chosen is JSON else _render(request, site, results)


def _choose(request: Request, name: str | None) -> MediaType:
    chosen = choose(request.headers.get("accept"), name, _OFFERED)
    if chosen is None:
        raise NotAcceptableError("available here: " + ", ".join(offer.value for offer in _OFFERED))
    return chosen


def _with_links(results: Results, language: str) -> dict[str, Any]:
    asked = results.request
    links = {"self": asked.address(page=asked.page)}
    if asked.page < results.pages:
        links["next"] = asked.address(page=asked.page + 1)
    if asked.page > 1:
        links["prev"] = asked.address(page=min(asked.page - 1, results.pages))
    return {**to_json(results, language), "links": links}


def _render(request: Request, site: Site, results: Results) -> Response:
    asked, language = results.request, site.pages.language(request)
    # Addresses are as the search has them; each keeps the language where the reader chose it.
    complete = site.pages.linker(request)

    def toggled(facet: str, value: str) -> str:
        return complete(asked.toggled(facet, value))

    def address(**changes: Any) -> str:
        return complete(asked.address(**changes))

    title = site.pages.words[language]["search_map"]
    return site.pages.render(
        request,
        "search.html",
        results=results,
        asked=asked,
        address=address,
        toggled=toggled,
        names=site.searchers[language].name_chosen(asked),
        map=draw_results(results, title, toggled, complete),
        sorts=SORTS,
    )
