"""Concept schemes for readers: each as a tree and from A to Z.

/schemes/                          the schemes, with what each is for and how many concepts it has (see `entities`)
/schemes/expression-types          303 → /doc/schemes/expression-types | /data/…
/doc/schemes/expression-types      the tree, the list from A to Z, the whole scheme in every RDF format
/doc/schemes/expression-types/dance    the page of a concept (see `entities`)
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from culturegraph.protocols.documents import is_known
from culturegraph.protocols.schemes import CONCEPTS, MAX_SHOWN, describe_scheme
from culturegraph.rdf.formats import GRAPHS
from culturegraph.rdf.vocabulary import BASE
from culturegraph.web.entities import VARY_PAGE, WindowDep, make_page
from culturegraph.web.negotiation import format_links
from culturegraph.web.site import SiteDep, answer

router = APIRouter()


@router.get("/doc/schemes/{scheme}")
def show_scheme(request: Request, site: SiteDep, scheme: str, window: WindowDep) -> Response:
    """Show a concept scheme as a tree and from A to Z; with a window, one property of it as of any entity."""
    language, path = site.pages.language(request), f"schemes/{scheme}"

    def make() -> Response:
        query = site.page_queries.get(CONCEPTS)
        known = None
        if query and window is None and is_known(site.snapshot.store, BASE + path):
            known = describe_scheme(site.snapshot.store, query, BASE + path, language)
        if known is None:
            return make_page(request, site, path, window)
        response = site.pages.render(request, "scheme.html", scheme=known, path=path, formats=GRAPHS, most=MAX_SHOWN)
        response.headers["Link"] = format_links(BASE + path, path)
        return response

    return answer(request, site, site.entity_tag(request, language), VARY_PAGE, make)
