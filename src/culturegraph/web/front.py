"""The front page, the health of the server."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from culturegraph import __version__
from culturegraph.protocols.listing import count_instances
from culturegraph.protocols.schema_org import describe_dataset, to_script
from culturegraph.web.site import SiteDep, answer

router = APIRouter()

_VARY: Final = "Accept-Language"


@router.get("/")
def show_front(request: Request, site: SiteDep) -> Response:
    """Show what this is, what it holds and how to ask."""
    language = site.pages.language(request)

    def make() -> Response:
        described = describe_dataset(site.snapshot.manifest, str(request.base_url), site.pages.words[language])
        return site.pages.render(
            request,
            "front.html",
            json_ld=to_script(described),
            front=site.fronts[site.pages.reader_language(request)],
            counts=count_instances(site.snapshot.store, language)[:10],
            triples=site.snapshot.triples,
            graphs=len(site.snapshot.manifest["quads_by_graph"]),
            queries=list(site.queries.values())[:6],
            manifest=site.snapshot.manifest,
            figures=site.report.figures,
            endpoint=str(request.base_url) + "sparql",
        )

    return answer(request, site, site.entity_tag(request, language), _VARY, make)


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
