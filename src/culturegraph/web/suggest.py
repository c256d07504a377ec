"""`/suggest/`: what the editor completes: classes, properties, prefixes."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from culturegraph.web.site import SiteDep, is_unchanged, revalidate

router = APIRouter()


@router.get("/suggest/prefix")
def suggest_prefixes(request: Request, site: SiteDep) -> Response:
    """Return the declared prefixes with their namespaces."""
    tag = site.entity_tag(request)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Encoding")
    return revalidate(JSONResponse(dict(site.suggestions.prefixes)), tag, "Accept-Encoding")


@router.get("/suggest/{kind}")
def suggest_terms(request: Request, site: SiteDep, kind: Literal["class", "property"], q: str = "") -> Response:
    """Return the classes or properties of the graph that a text may mean, with label and count, best first."""
    tag = site.entity_tag(request, language := site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Language")
    found = site.suggestions.find(kind, q, language)
    body = [{"iri": item.iri, "label": label, "count": item.count} for item, label in found]
    return revalidate(JSONResponse(body), tag, "Accept-Language")
