"""`/queries/`: each question as a page for people who do not write SPARQL: choose, read the answer, take it along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pyoxigraph import DefaultGraph, NamedNode
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from culturegraph.errors import NotFoundError, RequestError
from culturegraph.protocols.documents import near_matches
from culturegraph.protocols.labels import Labels, Name, sort_key
from culturegraph.protocols.snippets import write_snippets
from culturegraph.queries import Parameter, QueryFile
from culturegraph.rdf.formats import GRAPHS, HTML, choose
from culturegraph.rdf.vocabulary import BASE, PREFIXES, SKOS, TYPE
from culturegraph.web.answers import Answer, captions, download_links, evaluate, page_task, present, view_links
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate
from culturegraph.web.statements import show_rule

router = APIRouter()

# The kinds of query file that answer someone's question; the others work inside a build.
SHOWN_KINDS: Final = ("competency", "examples", "dashboards")
_VARY: Final = "Accept, Accept-Language"
# More choices than these are not offered: a list that long helps nobody.
_MAX_CHOICES: Final = 500


@router.get("/queries/")
def list_queries(request: Request, site: SiteDep) -> Response:
    """List the competency questions, the examples and the queries behind the dashboards."""
    tag = site.entity_tag(request, site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Language")
    kinds = [(kind, [query for query in site.queries.values() if query.kind == kind]) for kind in SHOWN_KINDS]
    page = site.pages.render(request, "queries.html", kinds=[(kind, found) for kind, found in kinds if found])
    return revalidate(page, tag, "Accept-Language")


@router.get("/queries/{query_id}.rq")
def get_query(request: Request, site: SiteDep, query_id: str) -> Response:
    """Return the text of a query, with the values that the reader chose."""
    if query_id not in site.queries:
        raise NotFoundError(f"there is no query `{query_id}`")
    query = site.queries[query_id]
    sparql = query.bind({item.name: request.query_params.get(item.name, "") for item in query.parameters})
    return revalidate(Response(sparql, media_type="application/sparql-query"), site.entity_tag(request), "Accept")


@router.get("/queries/{query_id}")
async def show_query(request: Request, site: SiteDep, query_id: str) -> Response:
    """Answer one question with the values that the reader chose; as RDF or as a result where that is asked for."""
    name = request.query_params.get("format")
    if name is None and choose(request.headers.get("accept"), None, (HTML, *GRAPHS)) not in (HTML, None):
        return RedirectResponse(f"/data/queries/{query_id}", 303, {"Vary": "Accept"})
    if query_id in site.rules:
        return await run_in_threadpool(show_rule, request, site, site.rules[query_id])
    query = site.queries.get(query_id)
    if query is None:
        near = ", ".join(near_matches(query_id, site.queries))
        raise NotFoundError(f"there is no query `{query_id}`" + (f"; there is {near}" if near else ""))
    tag = site.entity_tag(request, site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    chosen = {item.name: request.query_params.get(item.name, "") for item in query.parameters}
    try:
        sparql, problem = query.bind(chosen), None
    except RequestError as error:
        sparql, problem = query.sparql, str(error)
    if name is not None and problem is None and not HTML.is_called(name):
        return RedirectResponse("/sparql?" + urlencode({"query": sparql, "format": name}), 303)
    answer = None if problem else await evaluate(site, page_task(sparql))
    page = await run_in_threadpool(_page, request, site, query, (chosen, sparql, problem), answer)
    return page if problem else revalidate(page, tag, _VARY)


def _page(
    request: Request,
    site: Site,
    query: QueryFile,
    asked: tuple[Mapping[str, str], str, str | None],
    answer: Answer | None,
) -> Response:
    chosen, sparql, problem = asked
    language = site.pages.language(request)
    chart = query.head.get("chart")
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "view"]
    told = captions(site, request, query.title.get(language, query.id), description=query.description.get(language, ""))
    shown = present(site, answer, request.query_params.get("view", ""), told, chart) if answer else None
    return site.pages.render(
        request,
        "query.html",
        status=400 if problem else 200,
        item=query,
        sparql=sparql,
        problem=problem,
        fields=[(item, chosen[item.name], _choices(site, item, language)) for item in query.parameters],
        shown=shown,
        views=view_links(f"/queries/{query.id}", kept, shown.view) if shown else (),
        downloads=download_links(answer.kind, [("query", sparql)]) if answer else (),
        snippets=write_snippets(str(request.base_url) + "sparql", sparql, answer.kind) if answer else {},
    )


def _choices(site: Site, parameter: Parameter, language: str) -> Sequence[tuple[str, Name]]:
    """Return what a form offers for a parameter: the entities of its class, or the concepts of its scheme, by name."""
    if parameter.choices is None:
        return ()
    prefix, _, local = parameter.choices.partition(":")
    of = NamedNode(PREFIXES[prefix] + local if prefix in PREFIXES else parameter.choices)
    labels = Labels(site.snapshot.store, language)
    found = {
        quad.subject.value
        for predicate in (TYPE, NamedNode(SKOS + "inScheme"))
        for quad in site.snapshot.store.quads_for_pattern(None, predicate, of, DefaultGraph())
        if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(BASE)
    }
    if parameter.default:
        found.add(parameter.default)
    named = sorted(((iri, labels.of(iri)) for iri in found), key=lambda item: sort_key(item[1].text))
    return named if len(named) <= _MAX_CHOICES else ()
