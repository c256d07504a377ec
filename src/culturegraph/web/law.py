"""The law on a day.

/law/?on=2012-04-30                 which norms were in force: a page, or JSON by Accept or ?format=json
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from culturegraph.errors import NotAcceptableError, NotFoundError, RequestError
from culturegraph.protocols.law_dates import QUERY, STATES, find_norms
from culturegraph.rdf.formats import HTML, MediaType, choose
from culturegraph.web.negotiation import with_query
from culturegraph.web.site import SiteDep, answer

router = APIRouter()

_JSON: Final = MediaType("application/json", "json", "json")
_VARY: Final = "Accept, Accept-Language"


@router.get("/law")
def redirect_law(request: Request) -> Response:
    """Redirect to the page."""
    return RedirectResponse(with_query(request, "/law/"), 303)


@router.get("/law/")
def show_law(
    request: Request,
    site: SiteDep,
    on: Annotated[str, Query(description="a day such as 2012-04-30; the day of the data without one")] = "",
) -> Response:
    """Show which norms were in force on a day."""
    query = site.page_queries.get(QUERY)
    if query is None:
        raise NotFoundError(f"this server has no query `{QUERY}`")
    day, language = _read_day(on) or site.snapshot.built.date(), site.pages.language(request)
    chosen = choose(request.headers.get("accept"), request.query_params.get("format"), (HTML, _JSON))
    if chosen is None:
        raise NotAcceptableError("available here: text/html, application/json")

    def make() -> Response:
        norms = find_norms(site.snapshot.store, query, day, language)
        if chosen is _JSON:
            told = {state: [entry.record() for entry in norms[state]] for state in STATES}
            return JSONResponse({"day": day.isoformat(), "norms": told})
        return site.pages.render(
            request, "law.html", query=query, day=day.isoformat(), norms=norms, has_question="cq-26" in site.queries
        )

    return answer(request, site, site.entity_tag(request, chosen.value, language, day.isoformat()), _VARY, make)


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise RequestError(f"on: {text!r} is no day such as 2012-04-30") from error
