"""`/reconcile`: the Reconciliation Service API 0.2, for OpenRefine and its like.

/reconcile                          the manifest; with `queries` or `extend` (GET, or POST as a form) the answers
/reconcile/suggest/{kind}?prefix=   entities, types, properties that are being typed; /flyout/{kind}?id= tells of one
/reconcile/preview?id=              a small page about an entity, for a frame
/reconcile/properties?type=         the properties that can be asked for

Answers are JSON; JSONP is not offered, as every answer may be read from anywhere (CORS).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from markupsafe import escape
from starlette.responses import JSONResponse, Response

from culturegraph import __version__
from culturegraph.errors import NotFoundError, RequestError
from culturegraph.protocols.headers import CONTENT_SECURITY_POLICY
from culturegraph.protocols.labels import to_href
from culturegraph.protocols.reconciliation.extension import extend
from culturegraph.protocols.reconciliation.requests import (
    MAX_BYTES,
    BatchTooLargeError,
    read_batch,
    read_extension,
    to_iri,
)
from culturegraph.protocols.reconciliation.schema import Schema, expand
from culturegraph.protocols.reconciliation.service import (
    answer_batch,
    describe,
    manifest,
    propose,
    suggest_entities,
    suggest_terms,
)
from culturegraph.web.pages import LANGUAGES
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter(prefix="/reconcile")

Kind = Literal["entity", "type", "property"]
# A preview is shown in a frame of whoever reconciles.
_FRAMED: Final = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
_ALTERNATIVES: Final = 4
_FORM: Final = "application/x-www-form-urlencoded"


@router.get("")
@router.get("/", include_in_schema=False)
def get_reconcile(
    request: Request,
    site: SiteDep,
    queries: Annotated[str | None, Query(description="a batch of queries, as JSON")] = None,
    extend: Annotated[str | None, Query(description="a data extension query, as JSON")] = None,
) -> Response:
    """Return the manifest; with `queries` the candidates for each; with `extend` the values of properties."""
    if queries is not None or extend is not None:
        return _answer(request, site, queries, extend)
    language = site.pages.language(request)
    chosen = request.query_params.get("lang")
    tag = site.entity_tag(request, language, str(request.base_url))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Language")
    kept = chosen if chosen in LANGUAGES else None
    told = manifest(str(request.base_url).rstrip("/"), site.reconciler.schema, language, __version__, kept)
    return revalidate(JSONResponse(told), tag, "Accept-Language")


@router.post("")
@router.post("/", include_in_schema=False)
async def post_reconcile(request: Request, site: SiteDep) -> Response:
    """Answer a batch of queries, or a data extension query, that is sent as a form."""
    form = await _read_form(request)
    if not {"queries", "extend"} & set(form):
        raise RequestError("a form with the field queries or extend is needed")
    return await run_in_threadpool(_answer, request, site, form.get("queries"), form.get("extend"))


def _answer(request: Request, site: Site, queries: str | None, asked: str | None) -> Response:
    reconciler, language = site.reconciler, site.pages.language(request)
    if queries is not None:
        return JSONResponse(answer_batch(read_batch(queries, reconciler.schema), reconciler, language))
    service = f"{request.base_url}reconcile"
    return JSONResponse(extend(read_extension(asked or ""), reconciler.schema, language, service))


async def _read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, each with its first value. Raises what says how much may be sent, and how."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        # Percent-encoding makes three bytes of one.
        if len(body) > 3 * MAX_BYTES:
            raise BatchTooLargeError(f"a form may have {3 * MAX_BYTES:,} bytes")
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            message = {"type": "http.request", "body": b"" if sent else bytes(body), "more_body": False}
            sent = True
            return message

        found = await Request(request.scope, receive).form(max_part_size=MAX_BYTES)
        return {key: value for key, value in found.items() if isinstance(value, str)}
    if kind != _FORM:
        raise RequestError(f"a form is needed ({_FORM}), not {kind}")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise RequestError("the form is not percent-encoded UTF-8, or has more than 100 fields") from error
    return {key: values[0] for key, values in fields.items()}


@router.get("/suggest/{kind}")
def suggest(
    request: Request,
    site: SiteDep,
    kind: Kind,
    prefix: Annotated[str, Query(description="what has been typed", max_length=2_000)] = "",
) -> Response:
    """Return what a text that is being typed may mean, best first."""
    language, reconciler = site.pages.language(request), site.reconciler
    if kind == "entity":
        return JSONResponse(suggest_entities(prefix, reconciler, language))
    return JSONResponse(suggest_terms(kind, prefix, reconciler.schema, language))


@router.get("/properties")
def propose_properties(
    request: Request,
    site: SiteDep,
    type: Annotated[str, Query(description="identifier of a type")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Return the properties that things of a type have, the most frequent first."""
    terms = propose(type or None, site.reconciler.schema, site.pages.language(request))
    properties = [term.to_json() for term in terms[:limit]]
    return JSONResponse({"properties": properties, **({"type": type, "limit": limit} if type else {})})


@router.get("/preview")
def preview(request: Request, site: SiteDep, id: str) -> Response:
    """Show in a few lines what an entity is."""
    iri, schema, language = to_iri(id), site.reconciler.schema, site.pages.language(request)
    if iri not in schema.types:
        raise NotFoundError(f"nothing is known of <{iri}>")
    page = site.pages.render(request, "reconcile_preview.html", **_tell(site, schema, iri, language))
    page.headers["Content-Security-Policy"] = _FRAMED
    return page


@router.get("/flyout/{kind}")
def show_flyout(request: Request, site: SiteDep, kind: Kind, id: str) -> Response:
    """Return a piece of HTML that tells of a suggested entity, type or property."""
    schema, language = site.reconciler.schema, site.pages.language(request)
    if kind == "entity":
        iri = to_iri(id)
        if iri not in schema.types:
            raise NotFoundError(f"nothing is known of <{iri}>")
        name, lines = schema.name(iri, language), [describe(iri, schema, language), schema.describe(iri, language)]
    else:
        iri = expand(id)
        found = schema.find_class(id) if kind == "type" else schema.find_property(id)
        if found is None:
            raise NotFoundError(f"there is no {kind} {id}")
        name, lines = schema.name_property(iri, language), [schema.describe(iri, language)]
    # Text only: whoever shows it puts it into a page of its own.
    html = f"<p><strong>{escape(name)}</strong></p>" + "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return JSONResponse({"id": id, "html": html + f"<p><code>{escape(iri)}</code></p>"})


def _tell(site: Site, schema: Schema, iri: str, language: str) -> dict[str, Any]:
    name = schema.name(iri, language)
    held = site.reconciler.names.by_thing.get(iri, ())
    others = [held_name.text for held_name in held if held_name.kind == "alternative" and held_name.text != name]
    return {
        "iri": iri,
        "name": name,
        "line": describe(iri, schema, language),
        "note": schema.describe(iri, language),
        "others": list(dict.fromkeys(others))[:_ALTERNATIVES],
        "href": to_href(iri),
    }
