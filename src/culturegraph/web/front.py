"""The front page, the list of queries, the health of the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from culturegraph import __version__
from culturegraph.errors import NotFoundError
from culturegraph.protocols.documents import near_matches
from culturegraph.protocols.listing import count_instances
from culturegraph.queries import QueryFile
from culturegraph.rdf.formats import GRAPHS, HTML, choose
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate
from culturegraph.web.statements import show_rule

router = APIRouter()

# The kinds of query file that answer someone's question; the others work inside a build.
SHOWN_KINDS: Final = ("competency", "examples")
_VARY: Final = "Accept-Language"


@router.get("/")
def show_front(request: Request, site: SiteDep) -> Response:
    """Show what this is, what it holds and how to ask."""
    tag = site.entity_tag(request, language := site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    page = site.pages.render(
        request,
        "front.html",
        counts=count_instances(site.snapshot.store, language)[:10],
        triples=site.snapshot.triples,
        graphs=len(site.snapshot.manifest["quads_by_graph"]),
        queries=list(site.queries.values())[:6],
        manifest=site.snapshot.manifest,
        figures=site.report.figures,
        endpoint=str(request.base_url) + "sparql",
    )
    return revalidate(page, tag, _VARY)


@router.get("/queries/")
def list_queries(request: Request, site: SiteDep) -> Response:
    """List the competency questions and examples."""
    tag = site.entity_tag(request, site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    return revalidate(site.pages.render(request, "queries.html", kinds=_by_kind(site)), tag, _VARY)


@router.get("/queries/{query_id}")
def show_query(request: Request, site: SiteDep, query_id: str) -> Response:
    """Show one query: what it asks, its text, how to run it; as RDF where that is asked for."""
    if choose(request.headers.get("accept"), None, (HTML, *GRAPHS)) not in (HTML, None):
        return RedirectResponse(f"/data/queries/{query_id}", 303, {"Vary": "Accept"})
    if query_id in site.rules:
        return show_rule(request, site, site.rules[query_id])
    tag = site.entity_tag(request, site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    query = site.queries.get(query_id)
    if query is None:
        near = ", ".join(near_matches(query_id, site.queries))
        raise NotFoundError(f"there is no query `{query_id}`" + (f"; there is {near}" if near else ""))
    return revalidate(site.pages.render(request, "query.html", item=query), tag, f"Accept, {_VARY}")


@router.get("/health")
def get_health(site: SiteDep) -> dict[str, Any]:
    """Say which snapshot is served and how large it is."""
    manifest = site.snapshot.manifest
    return {
        "status": "ok",
        "version": site.snapshot.version,
        "content_hash": manifest.get("content_hash"),
        "triples": site.snapshot.triples,
        "quads": sum(manifest["quads_by_graph"].values()),
        "graphs": len(manifest["quads_by_graph"]),
        "software": __version__,
    }


def _by_kind(site: Site) -> list[tuple[str, Sequence[QueryFile]]]:
    return [(kind, [query for query in site.queries.values() if query.kind == kind]) for kind in SHOWN_KINDS]
