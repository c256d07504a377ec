"""`/sparql` as a plain ASGI endpoint beside FastAPI's routes, whose routing would cost more than a light query."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from pyoxigraph import QueryResultsFormat, RdfFormat
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from culturegraph.errors import CulturegraphError, LimitExceededError, NotAcceptableError, QuerySyntaxError
from culturegraph.protocols.description import describe_service, limits
from culturegraph.protocols.sparql import (
    AnswerFormats,
    SparqlRequest,
    choose_formats,
    entity_tag,
    excerpt,
    parse_request,
)
from culturegraph.rdf.formats import GRAPHS, HTML, RESULTS, choose
from culturegraph.store.evaluation import Kind, Task, TooLargeError
from culturegraph.store.evaluators import Evaluation
from culturegraph.web.results import to_table
from culturegraph.web.site import Site, is_unchanged, revalidate

VARY: Final = "Accept"
PAGE_ROWS: Final = 500
# Bytes of a graph that a page shows.
PAGE_BYTES: Final = 200_000
EXAMPLE: Final = """\
PREFIX cg: <https://w3id.org/culturegraph/ontology/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

SELECT ?people ?name WHERE {
  ?people a cg:IndigenousPeople ; rdfs:label ?name .
  FILTER(LANG(?name) = "es")
}
ORDER BY ?name
"""
# Bytes of solutions that a page is made from.
MAX_TABLE_BYTES: Final = 5_000_000


class SparqlEndpoint:
    """Answers the SPARQL 1.1 Protocol: parse, negotiate, evaluate, stream."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        site: Site = scope["app"].state.site
        if request.method not in ("GET", "POST"):
            response = Response("only GET, HEAD, POST and OPTIONS\n", 405, {"Allow": "GET, HEAD, POST, OPTIONS"})
            await response(scope, receive, send)
            return
        body = await _read_body(request, site.settings.max_query_size) if request.method == "POST" else b""
        asked = parse_request(request.method, request.url.query, request.headers.get("content-type"), body)
        if asked.query is None:
            await _bare(request, site, asked)(scope, receive, send)
            return
        formats = choose_formats(request.headers.get("accept"), asked.format)
        tag = entity_tag(site.revision if formats.html else site.snapshot.identity, asked, formats)
        if formats.html:
            tag = f'{tag[:-1]}-{site.pages.language(request)}"'
        if is_unchanged(request, tag):
            await revalidate(Response(status_code=304), tag, VARY)(scope, receive, send)
            return
        try:
            await _answer(request, site, asked, formats, tag, send)
        except QuerySyntaxError as error:
            if note := excerpt(asked.query, error.line, error.column):
                error.add_note(note)
            if not formats.html:
                raise
            await _form(request, site, asked.query, error)(scope, receive, send)


async def _read_body(request: Request, max_query_size: int) -> bytes:
    # A form takes up to three bytes for one of the query, and names graphs besides.
    limit = 3 * max_query_size + 100_000
    chunks, size = [], 0
    async for chunk in request.stream():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise TooLargeError(f"a query may have {max_query_size:,} bytes")
    return b"".join(chunks)


async def _answer(
    request: Request, site: Site, asked: SparqlRequest, formats: AnswerFormats, tag: str, send: Send
) -> None:
    task = formats.to_task(asked)
    if formats.html:
        task = replace(task, results=QueryResultsFormat.JSON, graph=RdfFormat.TURTLE, rows=PAGE_ROWS)
    evaluation = await _evaluate_unless_gone(request, site, task)
    if evaluation is None:
        return
    async with aclosing(evaluation):
        if formats.html:
            page = await _results_page(request, site, asked, evaluation)
            await revalidate(page, tag, "Accept, Accept-Language")(request.scope, request.receive, send)
        else:
            await _stream(request, evaluation, formats, tag, send)


async def _evaluate_unless_gone(request: Request, site: Site, task: Task) -> Evaluation | None:
    """Return the evaluation, or None where the client went away first: the evaluation is then cancelled."""
    evaluation = asyncio.create_task(site.evaluators.evaluate(task))
    gone = asyncio.create_task(_wait_for_disconnect(request.receive))
    try:
        await asyncio.wait((evaluation, gone), return_when=asyncio.FIRST_COMPLETED)
        return await evaluation if evaluation.done() else None
    finally:
        evaluation.cancel()
        gone.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stream(request: Request, evaluation: Evaluation, formats: AnswerFormats, tag: str, send: Send) -> None:
    headers = Response(media_type=formats.of(evaluation.kind).content_type)
    del headers.headers["content-length"]
    if not evaluation.is_volatile:
        revalidate(headers, tag, VARY)
    if evaluation.body is not None:
        headers.headers["content-length"] = str(len(evaluation.body))
    await send({"type": "http.response.start", "status": 200, "headers": headers.raw_headers})
    if evaluation.body is not None or request.scope.get("is_head"):
        await send({"type": "http.response.body", "body": evaluation.body or b""})
        return
    gone = asyncio.create_task(_wait_for_disconnect(request.receive))
    try:
        async for frame in evaluation.frames():
            if gone.done():
                return
            await send({"type": "http.response.body", "body": frame, "more_body": True})
    except CulturegraphError:
        # Part of the answer is out. Returning without its end makes the server cut the connection, which the client
        # sees; ending the body here would pass a part for the whole.
        return
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b""})


def _bare(request: Request, site: Site, asked: SparqlRequest) -> Response:
    """Answer a request without a query: a form for people, the service description for programs."""
    media_type = choose(request.headers.get("accept"), asked.format, (*GRAPHS, HTML))
    if media_type is None:
        raise NotAcceptableError("without a query there is a service description (RDF) or a form (HTML)")
    tag = site.entity_tag(request, media_type.value, site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept, Accept-Language")
    if media_type is HTML:
        return revalidate(_form(request, site, "", None), tag, "Accept, Accept-Language")
    endpoint = str(request.url.replace(query=""))
    body = describe_service(endpoint, site.snapshot, site.settings, media_type)
    return revalidate(Response(body, media_type=media_type.content_type), tag, "Accept, Accept-Language")


def _form(request: Request, site: Site, query: str, error: QuerySyntaxError | None) -> Response:
    context: dict[str, Any] = {
        "query": query or EXAMPLE,
        "error": error,
        "excerpt": None,
        "queries": list(site.queries.values()),
        "limits": limits(site.settings),
    }
    if error is not None:
        context["excerpt"] = "\n".join(getattr(error, "__notes__", ()))
    return site.pages.render(request, "sparql.html", status=400 if error else 200, **context)


async def _results_page(request: Request, site: Site, asked: SparqlRequest, evaluation: Evaluation) -> Response:
    data = bytearray()
    limit = PAGE_BYTES if evaluation.kind == "graph" else MAX_TABLE_BYTES
    async for frame in evaluation.frames():
        data += frame
        if len(data) > limit:
            break
    if evaluation.kind != "graph" and len(data) > limit:
        raise LimitExceededError("the values are too large for a page; ask for CSV or JSON")
    # Names are looked up and the page is rendered beside the event loop.
    return await run_in_threadpool(_render_results, request, site, asked, evaluation.kind, bytes(data))


def _render_results(request: Request, site: Site, asked: SparqlRequest, kind: Kind, data: bytes) -> Response:
    context: dict[str, Any] = {"query": asked.query, "kind": kind, "table": None, "boolean": None, "turtle": None}
    if kind == "graph":
        context["is_truncated"] = len(data) > PAGE_BYTES
        context["turtle"] = data[:PAGE_BYTES].decode(errors="ignore")
    elif kind == "boolean":
        context["boolean"] = json.loads(data)["boolean"]
    else:
        context["table"] = to_table(json.loads(data), site.snapshot.store, site.pages.language(request))
    downloads = GRAPHS if kind == "graph" else RESULTS
    graphs = [("default-graph-uri", iri) for iri in asked.default_graphs]
    graphs += [("named-graph-uri", iri) for iri in asked.named_graphs]
    parameters = [("query", asked.query or ""), *graphs]
    links = [(offer.name, "/sparql?" + urlencode([*parameters, ("format", offer.name)])) for offer in downloads]
    return site.pages.render(request, "results.html", downloads=links, graphs=graphs, **context)
