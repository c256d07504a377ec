"""The ontology documents itself.

/ontology/                 header, modules with their diagrams and terms; or the whole ontology as RDF
/ontology/0.1.0/           303 → /ontology/ as long as this is the version that is served; likewise below it;
                           an earlier version → /releases/{version}/ontology/, as the newest release that has it says
/ontology/Dance            303 → /doc/ontology/Dance | /data/ontology/Dance   by Accept
/ontology/modules/legal    303 → /doc/ontology/modules/legal | …
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pyoxigraph import DefaultGraph, NamedNode
from starlette.responses import RedirectResponse, Response

from culturegraph.protocols.documents import graph_content, to_document
from culturegraph.protocols.labels import Labels
from culturegraph.protocols.listing import list_schemes
from culturegraph.protocols.mementos import original_links
from culturegraph.protocols.overview import describe_module
from culturegraph.protocols.terms import describe_term_page
from culturegraph.rdf.formats import GRAPHS, HTML
from culturegraph.rdf.graphs import ONTOLOGY
from culturegraph.rdf.vocabulary import CG, OWL
from culturegraph.releases.folder import Release, list_releases
from culturegraph.web.dereferencing import redirect
from culturegraph.web.entities import VARY_PAGE, WindowDep, make_page
from culturegraph.web.negotiation import choose_format, format_links, with_query
from culturegraph.web.site import Site, SiteDep, answer

router = APIRouter()


@router.get("/ontology/")
def show_ontology(request: Request, site: SiteDep) -> Response:
    """Show the whole ontology: what it is, its modules and their terms; or return it as RDF."""
    chosen, language, store = choose_format(request), site.pages.language(request), site.snapshot.store

    def make() -> Response:
        if chosen is not HTML:
            document = to_document(graph_content(store, ONTOLOGY), chosen)
            return Response(document, media_type=chosen.content_type)
        schemes = list_schemes(store, language)[0]
        return site.pages.render(
            request, "ontology.html", overview=site.overviews[language], schemes=schemes, formats=GRAPHS
        )

    tag = site.entity_tag(request, chosen.value, language)
    return answer(request, site, tag, f"Accept, {VARY_PAGE}", make)


@router.get("/ontology/{path:path}")
def redirect_term(request: Request, site: SiteDep, path: str) -> Response:
    """Redirect a term to its page or its data, and what the served version contains to the ontology."""
    version, _, rest = path.partition("/")
    if f"{CG}{version}/" in _versions(site):
        return RedirectResponse(with_query(request, f"/ontology/{rest}"), 303, {"Vary": "Accept"})
    if (release := _release_of(site, version)) is not None:
        return RedirectResponse(with_query(request, f"/releases/{release.version}/ontology/{rest}"), 303)
    return redirect(request, site, f"ontology/{path}")


@router.get("/doc/ontology/{path:path}")
def show_term(request: Request, site: SiteDep, path: str, window: WindowDep) -> Response:
    """Show a term or a module of the ontology; with a window, one property of it as of any entity."""
    language = site.pages.language(request)

    def make() -> Response:
        found = _describe(site, CG + path, language) if window is None else None
        if found is None:
            return make_page(request, site, f"ontology/{path}", window)
        template, context = found
        response = site.pages.render(request, template, path=f"ontology/{path}", formats=GRAPHS, **context)
        response.headers["Link"] = ", ".join([format_links(CG + path, f"ontology/{path}"), *original_links(CG + path)])
        return response

    return answer(request, site, site.entity_tag(request, language), VARY_PAGE, make)


def _describe(site: Site, iri: str, language: str) -> tuple[str, dict[str, Any]] | None:
    """Return the template of a term or module with what it shows, or None where the ontology has neither."""
    store, ontology = site.snapshot.store, site.ontology
    term = describe_term_page(store, ontology, iri, language, site.queries.values())
    if term is not None:
        return "term.html", {"term": term}
    module = next((module for module in ontology.modules if module.name and module.iri == iri), None)
    if module is None:
        return None
    return "module.html", {"overview": describe_module(store, ontology, module, Labels(store, language))}


def _release_of(site: Site, version: str) -> Release | None:
    """Return the newest release that has a version of the ontology."""
    releases = list_releases(site.settings.releases)
    return next((release for release in releases if release.manifest.get("ontology_version") == version), None)


def _versions(site: Site) -> set[str]:
    quads = site.snapshot.store.quads_for_pattern(NamedNode(CG), NamedNode(OWL + "versionIRI"), None, DefaultGraph())
    return {getattr(quad.object, "value", "") for quad in quads}
