"""What machines look for: robots.txt, the site map, the feed of changes, link sets."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from culturegraph.errors import NotFoundError
from culturegraph.protocols.documents import is_known
from culturegraph.protocols.feeds import (
    SITEMAP_SIZE,
    Page,
    list_changes,
    write_feed,
    write_sitemap,
    write_sitemap_index,
)
from culturegraph.protocols.labels import to_href
from culturegraph.protocols.law_dates import QUERY as LAW
from culturegraph.protocols.signposting import MEDIA_TYPE, to_linkset
from culturegraph.rdf.vocabulary import BASE
from culturegraph.releases.folder import list_releases
from culturegraph.web.dereferencing import to_iri
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

_PLACES: Final = ("", "queries/", "dashboards/", "sparql", "ontology/", "schemes/", "graph/", "validation/")
# Crawlers are welcome to pages and data; each query costs work and has an address of its own.
_ROBOTS: Final = (
    "User-agent: *\nDisallow: /sparql?\nDisallow: /search?\nDisallow: /data/\n\nSitemap: {home}sitemap.xml\n"
)


@router.get("/robots.txt")
def get_robots(request: Request) -> Response:
    """Tell crawlers where to begin and what to leave alone."""
    return Response(_ROBOTS.format(home=request.base_url), media_type="text/plain")


@router.get("/sitemap.xml")
def get_sitemap(request: Request, site: SiteDep) -> Response:
    """List every page, or where that is too long for one file, the files that do."""
    tag = site.entity_tag(request)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Encoding")
    pages = _pages(request, site)
    if len(pages) <= SITEMAP_SIZE:
        body = write_sitemap(pages)
    else:
        parts = range((len(pages) + SITEMAP_SIZE - 1) // SITEMAP_SIZE)
        body = write_sitemap_index(f"{request.base_url}sitemaps/{part}.xml" for part in parts)
    return revalidate(Response(body, media_type="application/xml"), tag, "Accept-Encoding")


@router.get("/sitemaps/{part}.xml")
def get_sitemap_part(request: Request, site: SiteDep, part: int) -> Response:
    """List one file's share of the pages."""
    pages = _pages(request, site)[part * SITEMAP_SIZE : (part + 1) * SITEMAP_SIZE] if part >= 0 else []
    if not pages:
        raise NotFoundError(f"there is no part {part} of the site map")
    return revalidate(Response(write_sitemap(pages), media_type="application/xml"), site.entity_tag(request), "Accept")


@router.get("/feed.atom")
def get_feed(request: Request, site: SiteDep) -> Response:
    """Tell what was built and released, and which sources were read last."""
    tag = site.entity_tag(request, language := site.pages.language(request))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Language")
    changes, releases = list_changes(site.snapshot.store, language), list_releases(site.settings.releases)
    body = write_feed(changes, site.snapshot.manifest, releases, str(request.base_url), site.pages.words[language])
    return revalidate(Response(body, media_type="application/atom+xml"), tag, "Accept-Language")


@router.get("/linkset/{path:path}")
def get_linkset(request: Request, site: SiteDep, path: str) -> Response:
    """Return the typed links between the documents of a thing (FAIR Signposting, level 2)."""
    kind, _, digest = path.partition("/")
    is_statement = kind == "statement"
    iri = BASE + path if is_statement else to_iri(path)
    known = site.statement_index.find(digest) is not None if is_statement else is_known(site.snapshot.store, iri)
    if not known:
        raise NotFoundError(f"nothing is known of {iri}")
    tag = site.entity_tag(request)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Encoding")
    body = to_linkset(iri, quote(path), str(request.base_url))
    return revalidate(Response(body, media_type=MEDIA_TYPE), tag, "Accept-Encoding")


def _pages(request: Request, site: Site) -> list[Page]:
    """Return all pages: the lists, the questions, the dashboards, the releases, then the page of each thing."""
    home, releases = str(request.base_url), list_releases(site.settings.releases)
    places = [*_PLACES, *(["releases/"] if releases else []), *(["law/"] if LAW in site.page_queries else [])]
    listed = [*places, *(f"queries/{id}" for id in site.queries), *(f"dashboards/{id}" for id in site.dashboards)]
    pages = [Page(home + path) for path in listed]
    pages += [Page(f"{home}releases/{release.version}", release.built) for release in releases]
    # Without releases nobody knows when a thing last changed.
    changed = site.record_changes.changed if releases else {}
    pages += [Page(home + path, changed.get(iri)) for iri in site.own_iris if (path := _page_of(iri)) is not None]
    return list({page.address: page for page in pages}.values())


def _page_of(iri: str) -> str | None:
    """Return the path of the page about one of our IRIs: a crawler is spared the redirect."""
    href = to_href(iri)
    if href is None or "#" in iri:
        return None
    return "doc" + (href.removeprefix("/id") if iri.startswith(BASE + "id/") else href)
