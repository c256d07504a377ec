"""The validation report of the published build, each result a resource.

/validation/               figures, and the results by severity and shape; or the whole report as RDF
/validation/12             303 → /doc/validation/12 | /data/validation/12   by Accept (see `entities`)
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from culturegraph.errors import NotFoundError
from culturegraph.protocols.documents import graph_content, to_document
from culturegraph.protocols.report import RESULTS, SEVERITIES, describe_result, list_results, list_shapes
from culturegraph.rdf.formats import GRAPHS, HTML
from culturegraph.rdf.graphs import VALIDATION
from culturegraph.web.negotiation import choose_format, format_links
from culturegraph.web.site import SiteDep, is_unchanged, revalidate

router = APIRouter()

_VARY: Final = "Accept, Accept-Language"


@router.get("/validation/")
def show_report(
    request: Request,
    site: SiteDep,
    severity: Annotated[str | None, Query(description="Violation, Warning or Info")] = None,
    shape: Annotated[str | None, Query(description="name of a shape", max_length=500)] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Show the figures of the report and its results, or the whole report as RDF."""
    chosen = choose_format(request)
    language = site.pages.language(request)
    tag = site.entity_tag(request, chosen.value, language)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    store = site.snapshot.store
    if chosen is not HTML:
        document = to_document(graph_content(store, VALIDATION), chosen)
        return revalidate(Response(document, media_type=chosen.content_type), tag, _VARY)
    kept = severity if severity in SEVERITIES else None
    numbers = site.report.select(kept, shape or None)
    response = site.pages.render(
        request,
        "validation.html",
        figures=site.report.figures,
        shapes=list_shapes(store, site.report, language, kept),
        listed=list_results(store, language, numbers, page),
        severity=kept,
        shape=shape or None,
        formats=GRAPHS,
    )
    return revalidate(response, tag, _VARY)


@router.get("/doc/validation/{number}")
def show_result(request: Request, site: SiteDep, number: str) -> Response:
    """Show one validation result."""
    language = site.pages.language(request)
    tag = site.entity_tag(request, language)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Language")
    is_number = number.isascii() and number.isdigit() and len(number) < 10 and not number.startswith("0")
    result = describe_result(site.snapshot.store, int(number), language) if is_number else None
    if result is None:
        raise NotFoundError(f"the report has no result {number}; it has {len(site.report)}")
    path = f"validation/{number}"
    response = site.pages.render(
        request, "validation_result.html", result=result, path=path, count=len(site.report), formats=GRAPHS
    )
    response.headers["Link"] = format_links(RESULTS + number, path)
    return revalidate(response, tag, "Accept-Language")
