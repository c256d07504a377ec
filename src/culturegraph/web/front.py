"""The front page, the health of the server."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from culturegraph import __version__
from culturegraph.protocols.listing import count_instances
from culturegraph.protocols.schema_org import describe_dataset, to_script
from culturegraph.web.site import SiteDep, is_unchanged, revalidate

router = APIRouter()

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
        json_ld=to_script(describe_dataset(site.snapshot.manifest, str(request.base_url), site.pages.words[language])),
        front=site.fronts[site.pages.reader_language(request)],
        counts=count_instances(site.snapshot.store, language)[:10],
        triples=site.snapshot.triples,
        graphs=len(site.snapshot.manifest["quads_by_graph"]),
        queries=list(site.queries.values())[:6],
        manifest=site.snapshot.manifest,
        figures=site.report.figures,
        endpoint=str(request.base_url) + "sparql",
    )
    return revalidate(page, tag, _VARY)


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
