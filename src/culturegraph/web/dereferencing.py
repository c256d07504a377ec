"""Every IRI of ours dereferences: `/id/…` redirects to a page (`/doc/…`) or to RDF (`/data/…`), and so do the others.

/id/people/awajun          303 → /doc/people/awajun | /data/people/awajun   by Accept
/id/people/awajun.ttl      303 → /data/people/awajun.ttl
/schemes/areas             303 → /doc/schemes/areas | …      likewise /graph/…
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from culturegraph.errors import CulturegraphError, NotFoundError
from culturegraph.protocols.documents import graph_content, is_known, near_matches, statements, to_document
from culturegraph.protocols.labels import Labels, Name, to_href
from culturegraph.protocols.mementos import original_links
from culturegraph.protocols.withdrawals import Withdrawal, find_new_address, find_withdrawal
from culturegraph.rdf.formats import HTML, MediaType
from culturegraph.rdf.graphs import scheme_graph
from culturegraph.rdf.vocabulary import BASE
from culturegraph.web.negotiation import SUFFIXES, choose_format, choose_graph, format_links, with_query
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

# First parts of a path that are no kind of entity: /doc/ontology/Dance is about ontology/Dance.
OWN_PLACES: Final = ("ontology", "schemes", "graph", "queries", "validation", "shapes", "dataset", "catalogue")


@dataclass(frozen=True)
class NearMatch:
    """What an unknown IRI may have been meant for."""

    iri: str
    name: Name
    href: str | None


class UnknownEntityError(NotFoundError):
    """Nothing is known of an IRI of ours."""

    def __init__(self, message: str, near: tuple[NearMatch, ...]) -> None:
        super().__init__(message)
        self.near = near


class WithdrawnError(CulturegraphError):
    """An IRI of ours was withdrawn."""

    title = "Gone"
    status = 410

    def __init__(self, message: str, withdrawal: Withdrawal, near: tuple[NearMatch, ...]) -> None:
        super().__init__(message)
        self.withdrawal, self.near = withdrawal, near


class MovedError(CulturegraphError):
    """A thing has another address now."""

    title = "Moved permanently"
    status = 301

    def __init__(self, message: str, location: str) -> None:
        super().__init__(message)
        self.location = location


@router.get("/id/{path:path}")
def redirect_id(request: Request, site: SiteDep, path: str) -> Response:
    """Redirect an entity to its page or its data."""
    return redirect(request, site, path)


@router.get("/ontology")
@router.get("/schemes")
@router.get("/graph")
@router.get("/validation")
def redirect_list(request: Request) -> Response:
    """Redirect to the list, whose relative links need the slash."""
    return RedirectResponse(with_query(request, request.url.path + "/"), 303)


@router.get("/schemes/{path:path}")
def redirect_scheme(request: Request, site: SiteDep, path: str) -> Response:
    """Redirect a concept scheme or concept to its page or its data."""
    return redirect(request, site, f"schemes/{path}")


@router.get("/graph/{path:path}")
def redirect_graph(request: Request, site: SiteDep, path: str) -> Response:
    """Redirect a named graph to its page or its description."""
    return redirect(request, site, f"graph/{path}")


@router.get("/dataset")
@router.get("/catalogue")
@router.get("/validation/{path:path}")
@router.get("/shapes/{path:path}")
def redirect_other(request: Request, site: SiteDep) -> Response:
    """Redirect what describes the build to its page or its data."""
    return redirect(request, site, request.url.path.removeprefix("/"))


@router.get("/.well-known/void")
def redirect_void() -> Response:
    """Redirect to the description of the data set (VoID §7.2)."""
    return RedirectResponse("/dataset", 303)


@router.get("/data/{path:path}")
def get_data(
    request: Request,
    site: SiteDep,
    path: str,
    fmt: Annotated[
        str | None, Query(alias="format", description="turtle, jsonld, rdfxml, ntriples, nquads, trig")
    ] = None,
) -> Response:
    """Return what the graph says of an entity as RDF; `.nq` and `.trig` name the source graphs."""
    bare, suffix = _split_suffix(site, path)
    if suffix is HTML:
        return RedirectResponse(with_query(request, f"/doc/{bare}"), 303)
    chosen = suffix or choose_graph(request, fmt)
    tag = site.entity_tag(request, chosen.value)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept")
    iri = to_iri(bare)
    refuse_withdrawn(site, iri, site.pages.language(request), suffix)
    quads = statements(site.snapshot.store, iri)
    if bare.startswith("schemes/") and bare.count("/") == 1:
        # A scheme is downloaded whole.
        quads += graph_content(site.snapshot.store, scheme_graph(bare.removeprefix("schemes/")))
    if not quads and not is_known(site.snapshot.store, iri):
        raise unknown(site, iri, site.pages.language(request))
    response = Response(to_document(quads, chosen), media_type=chosen.content_type)
    response.headers["Link"] = ", ".join([format_links(iri, bare, is_data=True), *original_links(iri)])
    return revalidate(response, tag, "Accept")


def redirect(request: Request, site: Site, path: str) -> Response:
    """Redirect from a thing to a document about it.

    Source: W3C Cool URIs for the Semantic Web §4.2 (303 URIs).
    """
    bare, suffix = _split_suffix(site, path)
    chosen = choose_format(request, suffix)
    refuse_withdrawn(site, to_iri(bare), site.pages.language(request), suffix)
    if not is_known(site.snapshot.store, to_iri(bare)):
        raise unknown(site, to_iri(bare), site.pages.language(request))
    document = f"/data/{bare}.{chosen.suffix}" if suffix else f"/data/{bare}"
    response = RedirectResponse(with_query(request, f"/doc/{bare}" if chosen is HTML else document), 303)
    response.headers["Vary"] = "Accept"
    response.headers["Link"] = ", ".join(original_links(to_iri(bare)))
    return response


def _split_suffix(site: Site, path: str) -> tuple[str, MediaType | None]:
    """Return a path without a format's suffix, and the format. A name that itself ends so comes first."""
    bare, dot, suffix = path.rpartition(".")
    if not dot or suffix not in SUFFIXES or is_known(site.snapshot.store, to_iri(path)):
        return path, None
    return bare, SUFFIXES[suffix]


def to_iri(path: str) -> str:
    """Return the IRI that a path below /doc/ or /data/ is about."""
    return BASE + (path if path.split("/")[0] in OWN_PLACES else f"id/{path}")


def refuse_withdrawn(site: Site, iri: str, language: str, suffix: MediaType | None = None) -> None:
    """Raise WithdrawnError where an IRI was withdrawn, MovedError where the thing has another one now."""
    if (found := find_new_address(site.snapshot.store, iri)) is not None:
        address = (to_href(found) or found) + (f".{suffix.suffix}" if suffix else "")
        raise MovedError(f"<{iri}> is <{found}> now", address)
    labels = Labels(site.snapshot.store, language)
    withdrawal = find_withdrawal(site.snapshot.store, iri, labels)
    if withdrawal is not None:
        instead = tuple(NearMatch(found, labels.of(found), to_href(found)) for found in withdrawal.replacements)
        reason = f": {withdrawal.reason.text}" if withdrawal.reason else ""
        raise WithdrawnError(f"<{iri}> was withdrawn on {withdrawal.date}{reason}", withdrawal, instead)


def unknown(site: Site, iri: str, language: str) -> UnknownEntityError:
    """Return what to raise about an IRI that nothing is known of, with what it may have been meant for."""
    labels = Labels(site.snapshot.store, language)
    near = near_matches(iri, site.own_iris)
    return UnknownEntityError(
        f"nothing is known of <{iri}>", tuple(NearMatch(found, labels.of(found), to_href(found)) for found in near)
    )
