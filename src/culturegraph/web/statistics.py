"""Tables of statistics: a page for each, with its chart, its rows and its query.

/exports/statistics/expressions        one table
/exports/statistics/expressions.csv    the same as CSV; the package of all is /exports/statistics.zip
/cube                                  redirects to all of them: the IRIs of the cube of figures lead here
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from culturegraph.errors import NotFoundError
from culturegraph.exports.statistics.csvw import to_csv
from culturegraph.exports.statistics.tables import Table, read_table, read_tables
from culturegraph.web.answers import Answer, captions, download_links, evaluate, page_task, present
from culturegraph.web.negotiation import with_query
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

_VARY: Final = "Accept-Language"


@router.get("/cube")
def redirect_cube(request: Request) -> Response:
    """Redirect to the statistics."""
    return RedirectResponse(with_query(request, "/exports/statistics"), 303)


@router.get("/exports/statistics/{name}")
async def show_table(request: Request, site: SiteDep, name: str) -> Response:
    """Show a table, or give it as CSV."""
    bare, dot, suffix = name.partition(".")
    table = await run_in_threadpool(read_table, site.settings.queries, bare)
    if dot and suffix != "csv":
        raise NotFoundError(f"a table is written as csv, not as {suffix!r}")
    revision = site.exports["statistics"].profile.revision
    tag = site.entity_tag(request, site.pages.language(request), table.query.text, revision)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    if dot:
        data = await run_in_threadpool(to_csv, site.snapshot.store, table)
        return revalidate(Response(data, media_type="text/csv; charset=utf-8"), tag, _VARY)
    # The snapshot does not change: the answer is asked for once.
    known: Answer | None = site.answers.get(table.query.id)
    if known is None:
        known = site.answers[table.query.id] = await evaluate(site, page_task(table.query.sparql))
    return revalidate(await run_in_threadpool(_page, request, site, table, known), tag, _VARY)


def _page(request: Request, site: Site, table: Table, answer: Answer) -> Response:
    language = site.pages.language(request)
    query = table.query
    told = captions(site, request, query.title[language], query.id, query.description[language])
    return site.pages.render(
        request,
        "statistics.html",
        table=table,
        query=query,
        tables=read_tables(site.settings.queries).values(),
        shown=present(site, answer, "chart", told, query.head.get("chart")),
        downloads=download_links(answer.kind, [("query", query.sparql)]),
    )
