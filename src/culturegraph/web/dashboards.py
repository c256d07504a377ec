"""`/dashboards/`: pages of charts; each chart with the table that says the same in numbers, and its query."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from culturegraph.errors import NotFoundError
from culturegraph.protocols.dashboards import Dashboard
from culturegraph.protocols.documents import near_matches
from culturegraph.queries import QueryFile
from culturegraph.web.answers import Answer, captions, download_links, evaluate, page_task, present
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

_VARY: Final = "Accept-Language"


@router.get("/dashboards/")
def list_dashboards(request: Request, site: SiteDep) -> Response:
    """List the dashboards."""
    tag = site.entity_tag(request, site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    return revalidate(site.pages.render(request, "dashboards.html", dashboards=site.dashboards.values()), tag, _VARY)


@router.get("/dashboards/{name}")
async def show_dashboard(request: Request, site: SiteDep, name: str) -> Response:
    """Show the charts of a dashboard, each with its table and its query."""
    dashboard = site.dashboards.get(name)
    if dashboard is None:
        near = ", ".join(near_matches(name, site.dashboards))
        raise NotFoundError(f"there is no dashboard `{name}`" + (f"; there is {near}" if near else ""))
    tag = site.entity_tag(request, site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    answers = await asyncio.gather(*(_answer(site, query) for query in dashboard.queries))
    return revalidate(await run_in_threadpool(_page, request, site, dashboard, answers), tag, _VARY)


async def _answer(site: Site, query: QueryFile) -> Answer:
    """Return the answer behind a chart; the snapshot does not change, so that it is asked once."""
    known: Answer | None = site.answers.get(query.id)
    if known is None:
        known = site.answers[query.id] = await evaluate(site, page_task(query.sparql))
    return known


def _page(request: Request, site: Site, dashboard: Dashboard, answers: Sequence[Answer]) -> Response:
    language = site.pages.language(request)
    panels = []
    for query, answer in zip(dashboard.queries, answers, strict=True):
        title, about = query.title[language], query.description.get(language, "")
        told = captions(site, request, title, query.id, about)
        shown = present(site, answer, "chart", told, query.head["chart"])
        panels.append((query, shown, download_links(answer.kind, [("query", query.sparql)])))
    return site.pages.render(request, "dashboard.html", dashboard=dashboard, panels=panels)
