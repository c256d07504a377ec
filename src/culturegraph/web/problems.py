"""Errors as responses: one handler for the whole tree, as text, problem+json or HTML by what the client accepts.

Source: RFC 9457 (problem details).
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from culturegraph.errors import CulturegraphError, NotFoundError, RequestError
from culturegraph.protocols.headers import COMMON
from culturegraph.protocols.problems import PROBLEM, RETRY_AFTER, TEXT, Problem
from culturegraph.rdf.formats import HTML, choose

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
    response = _respond(request, Problem.of(known), near=getattr(known, "near", ()))
    if location := getattr(known, "location", ""):
        query = f"?{request.url.query}" if request.url.query else ""
        response.headers["Location"] = f"{location}{query}"
    return response


async def handle_http(request: Request, error: Exception) -> Response:
    """Answer an error of the framework: no such route, no such method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: NotFoundError, 400: RequestError}.get(status, CulturegraphError)
    title = {405: "Method not allowed"}.get(status, known.title)
    detail = f"{request.method} {request.url.path}"
    response = _respond(request, Problem(status, title, detail))
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def handle_invalid(request: Request, error: Exception) -> Response:
    """Answer a parameter that is not what a route takes."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    detail = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in faults)
    return _respond(request, Problem(422, "Bad request", detail))


async def handle_unexpected(request: Request, error: Exception) -> Response:
    """Answer a defect of ours; what happened goes to the log and not to the client."""
    _log.error("unexpected error on %s", request.url.path, exc_info=error)
    response = _respond(request, Problem(500, "Error", "the server failed on this request"))
    # This answer goes out past the middleware.
    response.raw_headers.extend(COMMON)
    return response


def _respond(request: Request, problem: Problem, *, near: tuple[Any, ...] = ()) -> Response:
    first, second = (TEXT, PROBLEM) if request.url.path == "/sparql" else (PROBLEM, TEXT)
    chosen = choose(request.headers.get("accept"), None, (first, second, HTML)) or first
    if chosen is HTML:
        pages = request.app.state.site.pages
        response: Response = pages.render(
            request,
            "problem.html",
            status=problem.status,
            code=problem.status,
            title=problem.title,
            detail=problem.detail,
            notes=problem.notes,
            near=near,
        )
    else:
        response = Response(problem.to_body(chosen), problem.status, media_type=chosen.content_type)
    response.headers["Vary"] = "Accept"
    if problem.status in RETRY_AFTER:
        response.headers["Retry-After"] = RETRY_AFTER[problem.status]
    return response
