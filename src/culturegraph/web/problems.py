"""Errors as responses: one handler for the whole tree, as text, problem+json or HTML by what the client accepts.

Source: RFC 9457 (problem details).
"""

from __future__ import annotations

import logging
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response

from culturegraph.errors import CulturegraphError, NotFoundError, RequestError
from culturegraph.rdf.formats import HTML, MediaType, choose
from culturegraph.web.middleware import COMMON

TEXT: Final = MediaType("text/plain", "text", "txt")
PROBLEM: Final = MediaType("application/problem+json", "problem", "json", ("application/json",))

_log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Let an app answer every error in the manner of this module."""
    app.add_exception_handler(CulturegraphError, handle)
    app.add_exception_handler(HTTPException, handle_http)
    app.add_exception_handler(RequestValidationError, handle_invalid)
    app.add_exception_handler(Exception, handle_unexpected)


async def handle(request: Request, error: Exception) -> Response:
    """Answer an error of our own."""
    known = error if isinstance(error, CulturegraphError) else CulturegraphError(str(error))
    if known.status >= 500 and known.status != 503:
        _log.error("%s: %s", known.title, known)
    extra = {key: value for key in ("line", "column") if (value := getattr(known, key, None)) is not None}
    notes = "\n".join(getattr(known, "__notes__", ()))
    near = getattr(known, "near", ())
    return _respond(request, known.status, known.title, str(known), notes=notes, near=near, extra=extra)


async def handle_http(request: Request, error: Exception) -> Response:
    """Answer an error of the framework: no such route, no such method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: NotFoundError, 400: RequestError}.get(status, CulturegraphError)
    title = {405: "Method not allowed"}.get(status, known.title)
    detail = f"{request.method} {request.url.path}"
    response = _respond(request, status, title, detail)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def handle_invalid(request: Request, error: Exception) -> Response:
    """Answer a parameter that is not what a route takes."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    detail = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in faults)
    return _respond(request, 422, "Bad request", detail)


async def handle_unexpected(request: Request, error: Exception) -> Response:
    """Answer a defect of ours; what happened goes to the log and not to the client."""
    _log.error("unexpected error on %s", request.url.path, exc_info=error)
    response = _respond(request, 500, "Error", "the server failed on this request")
    # This answer goes out past the middleware.
    response.raw_headers.extend(COMMON)
    return response


def _respond(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    notes: str = "",
    near: tuple[Any, ...] = (),
    extra: dict[str, Any] | None = None,
) -> Response:
    first, second = (TEXT, PROBLEM) if request.url.path == "/sparql" else (PROBLEM, TEXT)
    chosen = choose(request.headers.get("accept"), None, (first, second, HTML)) or first
    headers = {"Vary": "Accept"} | ({"Retry-After": "5"} if status == 503 else {})
    if chosen is HTML:
        pages = request.app.state.site.pages
        response: Response = pages.render(
            request, "problem.html", status=status, code=status, title=title, detail=detail, notes=notes, near=near
        )
    elif chosen is PROBLEM:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **(extra or {})}
        if notes:
            body["excerpt"] = notes
        if near:
            body["near"] = [entry.iri for entry in near]
        response = JSONResponse(body, status, media_type=PROBLEM.value)
    else:
        response = PlainTextResponse(f"{title}: {detail}\n{notes}{chr(10) if notes else ''}", status)
    response.headers.update(headers)
    return response
