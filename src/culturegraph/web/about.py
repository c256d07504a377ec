"""The pages about the project, for those who work with it: an index, and a page for each Markdown file of `articles/`.

/about/                    what there is to read
/about/data                one page (see `articles`)
/about/scale               one page, with what `culturegraph bench scale` measured
/about/data/coverage       what the graph covers: the figures of `culturegraph check --coverage`, of the published graph
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from culturegraph.errors import NotFoundError
from culturegraph.rdf.formats import HTML, MediaType, choose
from culturegraph.web.articles import FOLDER, list_articles, read_article
from culturegraph.web.measured import read_growth
from culturegraph.web.negotiation import with_query
from culturegraph.web.officers import serves_officers, tell_officers
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

_VARY: Final = "Accept-Language"
_OFFICERS: Final = "unesco"
_JSON: Final = MediaType("application/json", "json", "json")


@router.get("/about")
def redirect_index(request: Request) -> Response:
    """Redirect to the index."""
    return RedirectResponse(with_query(request, "/about/"), 303)


@router.get("/about/")
def show_index(request: Request, site: SiteDep) -> Response:
    """List the pages about the project."""
    language = site.pages.language(request)
    names = _names(site, language)
    tag = site.entity_tag(request, language, *names)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    articles = [read_article(FOLDER / language / f"{name}.md") for name in names]
    return revalidate(site.pages.render(request, "about_index.html", articles=articles), tag, _VARY)


@router.get("/about/data/coverage")
def show_coverage(request: Request, site: SiteDep) -> Response:
    """Show what the graph covers and what it does not, as tables or as JSON."""
    language = site.pages.language(request)
    chosen = choose(request.headers.get("accept"), request.query_params.get("format"), (HTML, _JSON)) or HTML
    tag = site.entity_tag(request, language, chosen.value)
    vary = f"Accept, {_VARY}"
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, vary)
    sections = site.coverage
    if chosen is _JSON:
        return revalidate(JSONResponse({section.id: section.to_json() for _, section in sections}), tag, vary)
    return revalidate(site.pages.render(request, "coverage.html", sections=sections), tag, vary)


@router.get("/about/scale")
def show_scale(request: Request, site: SiteDep) -> Response:
    """Show how large a graph may become, with what was measured."""
    language = site.pages.language(request)
    tag = site.entity_tag(request, language)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    article = read_article(FOLDER / language / "scale.md", site.pages.linker(request))
    page = site.pages.render(request, "about_scale.html", article=article, growth=read_growth())
    return revalidate(page, tag, _VARY)


@router.get("/about/{name}")
def show_article(request: Request, site: SiteDep, name: str) -> Response:
    """Show one page about the project."""
    language = site.pages.language(request)
    tag = site.entity_tag(request, language)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    names = _names(site, language)
    if name not in names:
        raise NotFoundError(f"there is no page /about/{name}; there are {', '.join(names)}")
    article = read_article(FOLDER / language / f"{name}.md", site.pages.linker(request))
    if name == _OFFICERS:
        figures = tell_officers(site, language)
        return revalidate(site.pages.render(request, "about_unesco.html", article=article, **figures), tag, _VARY)
    return revalidate(site.pages.render(request, "about.html", article=article), tag, _VARY)


def _names(site: Site, language: str) -> list[str]:
    """Return the pages that are true of this project."""
    return [name for name in list_articles()[language] if name != _OFFICERS or serves_officers(site)]
