"""`/oai` and `/sru`: harvesting, and searching authorities, by the protocols that libraries speak."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from culturegraph.errors import RequestError
from culturegraph.protocols.harvesting import respond as harvest
from culturegraph.protocols.sru import respond as search
from culturegraph.web.site import Site, SiteDep

router = APIRouter()

_FORM: Final = "application/x-www-form-urlencoded"
_LONGEST: Final = 100_000
Pairs = list[tuple[str, str]]


@router.get("/oai")
@router.post("/oai")
async def answer_harvester(request: Request, site: SiteDep) -> Response:
    """Answer a request of OAI-PMH 2.0; errors of the protocol are part of its responses."""

    def write(site: Site, given: Pairs, address: str) -> bytes:
        return harvest(site.repository, given, address, datetime.now(UTC))

    return await _answer(request, site, write, "text/xml; charset=utf-8")


@router.get("/sru")
@router.post("/sru")
async def answer_search(request: Request, site: SiteDep) -> Response:
    """Answer a request of SRU: explain, searchRetrieve; errors of the protocol are diagnostics in its responses."""

    def write(site: Site, given: Pairs, address: str) -> bytes:
        return search(site.record_search, site.repository, given, address)

    return await _answer(request, site, write, "application/xml; charset=utf-8")


async def _answer(
    request: Request, site: Site, write: Callable[[Site, Pairs, str], bytes], media_type: str
) -> Response:
    given, address = await _read(request), str(request.base_url) + request.url.path.strip("/")
    body = await run_in_threadpool(write, site, given, address)
    return Response(body, media_type=media_type, headers={"Cache-Control": "public, no-cache"})


async def _read(request: Request) -> Pairs:
    """Return the arguments of the address, or those of a form, which stands for the address where it is posted."""
    if request.method != "POST":
        return list(request.query_params.multi_items())
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise RequestError(f"a request is posted as {_FORM}")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise RequestError(f"a request may have {_LONGEST:,} bytes")
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
