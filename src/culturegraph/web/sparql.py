"""`/sparql` as a plain ASGI endpoint beside FastAPI's routes, whose routing would cost more than a light query."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import QueryResultsFormat, RdfFormat
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from culturegraph.errors import CulturegraphError, NotAcceptableError, QuerySyntaxError
from culturegraph.protocols.description import describe_service, limits
from culturegraph.protocols.geojson import to_geojson
from culturegraph.protocols.graphml import to_graphml
from culturegraph.protocols.snippets import write_snippets
from culturegraph.protocols.sparql import (
    AnswerFormats,
    SparqlRequest,
    choose_formats,
    entity_tag,
    excerpt,
    parse_request,
)
from culturegraph.rdf.formats import GRAPHS, HTML, MediaType, choose
from culturegraph.server.alone import Alone, Reckoning
from culturegraph.server.board import now
from culturegraph.server.limits import name_client
from culturegraph.store.evaluation import Task, TooLargeError
from culturegraph.store.evaluators import Evaluation
from culturegraph.web.answers import (
    PAGE_ROWS,
    VIEWS,
    Answer,
    captions,
    collect,
    download_links,
    present,
    read_answer,
    view_links,
)
from culturegraph.web.middleware import EDITOR_SECURITY_POLICY
from culturegraph.web.site import Site, is_unchanged, revalidate

VARY: Final = "Accept"
# Built by frontend/build.py; without it the page is the plain form.
EDITOR: Final = Path(__file__).parent / "static" / "built" / "editor.js"
EXAMPLE: Final = """\
PREFIX cg: <https://w3id.org/culturegraph/ontology/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

SELECT ?people ?name WHERE {
  ?people a cg:IndigenousPeople ; rdfs:label ?name .
  FILTER(LANG(?name) = "es")
}
ORDER BY ?name
"""


class SparqlEndpoint:
    """Answers the SPARQL 1.1 Protocol: parse, negotiate, evaluate, stream."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and count it unless the evaluators do."""
        request = Request(scope, receive)
        site: Site = scope["app"].state.site
        with suppress(ClientDisconnect):  # Before its request was whole: there is nobody to answer.
            if site.alone is None:
                await self._serve(request, site, scope, receive, send)
            else:
                await self._serve_counted(request, site, site.alone, send)

    async def _serve_counted(self, request: Request, site: Site, books: Alone, send: Send) -> None:
        told = Reckoning(books, request.scope["request_id"], _name_client(request, site), now())

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.status = message["status"]
            else:
                told.size += len(message.get("body", b""))
            await send(message)

        try:
            await self._serve(request, site, request.scope, request.receive, send_counted)
            if told.status == 304:
                told.outcome = "not_modified"
        except CulturegraphError as error:
            told.status = error.status
            told.outcome = {413: "size_limit", 503: "time_limit"}.get(error.status, "refused")
            raise
        except ClientDisconnect:
            told.status, told.outcome = 499, "broken_off"
            raise
        finally:
            told.kind, told.query = getattr(request.state, "kind", "unknown"), getattr(request.state, "query", "")
            # The form and the service description are no queries.
            if told.query or told.status >= 400:
                told.close()

    async def _serve(self, request: Request, site: Site, scope: Scope, receive: Receive, send: Send) -> None:
        if request.method not in ("GET", "POST"):
            response = Response("only GET, HEAD, POST and OPTIONS\n", 405, {"Allow": "GET, HEAD, POST, OPTIONS"})
            await response(scope, receive, send)
            return
        body = await _read_body(request, site.settings.max_query_size) if request.method == "POST" else b""
        asked = parse_request(request.method, request.url.query, request.headers.get("content-type"), body)
        if asked.query is None:
            await _bare(request, site, asked)(scope, receive, send)
            return
        request.state.query = asked.query
        formats = choose_formats(request.headers.get("accept"), asked.format)
        tag = entity_tag(site.revision if formats.html else site.snapshot.key, asked, formats)
        if formats.html:
            tag = f'{tag[:-1]}-{site.pages.language(request)}-{quote(request.query_params.get("view", ""))}"'
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
    task = formats.to_task(asked)._replace(client=_name_client(request, site))
    if formats.html or formats.derived:
        rows = PAGE_ROWS if formats.html else None
        task = task._replace(results=QueryResultsFormat.JSON, graph=RdfFormat.N_TRIPLES, rows=rows)
    evaluation = await _evaluate_unless_gone(request, site, task)
    if evaluation is None:
        return
    request.state.kind = evaluation.kind
    async with aclosing(evaluation):
        # Names are looked up and what is shown is made beside the event loop.
        if formats.html:
            page = await run_in_threadpool(_results_page, request, site, asked, await collect(evaluation))
            await revalidate(page, tag, "Accept, Accept-Language")(request.scope, request.receive, send)
        elif formats.derived:
            answer = await collect(evaluation, is_whole=True)
            response = await run_in_threadpool(_derive, site, answer, formats.derived)
            await revalidate(response, tag, VARY)(request.scope, request.receive, send)
        else:
            await _stream(request, evaluation, formats, tag, send)


def _name_client(request: Request, site: Site) -> str:
    peer = request.client.host if request.client else ""
    return name_client(peer, request.headers.get("x-forwarded-for"), site.settings.trusted_proxies)


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
        "limits": limits(site.settings, "en" if site.pages.language(request) == "en" else "es"),
        "editor_words": _editor_words(site.pages.words[site.pages.language(request)], site.pages.words["en"]),
    }
    if error is not None:
        context["excerpt"] = "\n".join(getattr(error, "__notes__", ()))
    # A wrong query comes from the form, so that the form is where it is mended.
    context["has_editor"] = error is None and EDITOR.is_file()
    page = site.pages.render(request, "sparql.html", status=400 if error else 200, **context)
    if context["has_editor"]:
        page.headers["content-security-policy"] = EDITOR_SECURITY_POLICY
    return page


def _editor_words(words: Mapping[str, str], stock: Mapping[str, str]) -> dict[str, Any]:
    """Return the words that the script of the editor writes; `stock` are those that YASGUI itself writes, English."""
    views = {name: words[f"ask_view_{name}"] for name in VIEWS}
    own = {key.removeprefix("ask_editor_"): text for key, text in words.items() if key.startswith("ask_editor_")}
    table = {key.removeprefix("ask_table_"): text for key, text in words.items() if key.startswith("ask_table_")}
    instead = {stock[key]: text for key, text in words.items() if key.startswith("ask_stock_") and text != stock[key]}
    named = {"query": words["query_label"], "run": words["run"], "results": words["results"]}
    return {**views, **own, **named, "table_words": table, "instead": instead}


def _results_page(request: Request, site: Site, asked: SparqlRequest, answer: Answer) -> Response:
    graphs = [("default-graph-uri", iri) for iri in asked.default_graphs]
    graphs += [("named-graph-uri", iri) for iri in asked.named_graphs]
    parameters = [("query", asked.query or ""), *graphs]
    words = site.pages.words[site.pages.language(request)]
    shown = present(site, answer, request.query_params.get("view", ""), captions(site, request, words["results"]))
    kept = [*parameters, *((name, value) for name, value in request.query_params.items() if name == "lang")]
    endpoint = str(request.url.replace(query=""))
    return site.pages.render(
        request,
        "results.html",
        query=asked.query,
        graphs=graphs,
        shown=shown,
        views=view_links("/sparql", kept, shown.view),
        downloads=download_links(answer.kind, parameters),
        snippets=write_snippets(endpoint, asked.query or "", answer.kind),
    )


def _derive(site: Site, answer: Answer, media_type: MediaType) -> Response:
    write = to_geojson if media_type.name == "geojson" else to_graphml
    return Response(write(read_answer(site, answer), site.snapshot.store), media_type=media_type.content_type)
