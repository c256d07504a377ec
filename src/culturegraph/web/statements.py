"""Every statement has an IRI, `/statement/{hash}`: who says so, or why it follows; and so has every rule.

/statement/2f…             303 → /doc/statement/2f… | /data/statement/2f…   by Accept
/queries/prp-trp           a rule, beside the questions of `front`
/reasoner                  what draws the conclusions, and by which rules
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple
from starlette.responses import RedirectResponse, Response

from culturegraph.errors import CulturegraphError, NotFoundError
from culturegraph.explanation import REASONER, Proof, describe_rule, rule_iri, to_provenance
from culturegraph.protocols.care import Care, describe_care, read_care
from culturegraph.protocols.citation import FORMS as CITATION_FORMS
from culturegraph.protocols.citation import Citation
from culturegraph.protocols.correction_notes import find_corrections
from culturegraph.protocols.disagreements import find_disagreements, tell_statement
from culturegraph.protocols.documents import to_document
from culturegraph.protocols.entity import HIDDEN
from culturegraph.protocols.labels import Labels, Name, to_href
from culturegraph.protocols.mementos import memento_path
from culturegraph.protocols.statements import StatementPage, describe_statement
from culturegraph.rdf.formats import GRAPHS, HTML, MediaType
from culturegraph.rdf.statements import STATEMENT, statement_iri
from culturegraph.rdf.vocabulary import BASE, LABEL, PROV, TYPE
from culturegraph.releases.folder import Release, list_releases
from culturegraph.releases.statements import first_release, last_said
from culturegraph.rules import Rule
from culturegraph.web.dereferencing import NearMatch, get_data
from culturegraph.web.negotiation import choose_format, choose_graph, cut_suffix, format_links, with_query
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

Term = NamedNode | BlankNode | Literal | Triple

_VARY_PAGE: Final = "Accept-Language"
_HASH_LENGTH: Final = 64
Format = Annotated[str | None, Query(alias="format", description="turtle, jsonld, rdfxml, ntriples, nquads, trig")]


class GoneStatementError(CulturegraphError):
    """A statement that a release says and the graph says no more; `near` is what it says instead."""

    title = "Gone"
    status = 410

    def __init__(self, message: str, near: tuple[NearMatch, ...]) -> None:
        super().__init__(message)
        self.near = near


@router.get("/statement/{name}")
def redirect_statement(request: Request, site: SiteDep, name: str) -> Response:
    """Redirect a statement to its page or its data."""
    digest, suffix = cut_suffix(name)
    _find(site, digest, site.pages.language(request))
    chosen = choose_format(request, suffix)
    document = f"/doc/statement/{digest}" if chosen is HTML else f"/data/statement/{name}"
    response = RedirectResponse(with_query(request, document), 303)
    response.headers["Vary"] = "Accept"
    return response


@router.get("/doc/statement/{digest}")
def show_statement(request: Request, site: SiteDep, digest: str) -> Response:
    """Show a statement, and its sources or its proof."""
    language = site.pages.language(request)
    tag = site.entity_tag(request, language)
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY_PAGE)
    triple = _find(site, digest, language)
    statement = describe_statement(site.snapshot.store, triple, _prove(site, triple), language)
    path = f"statement/{digest}"
    since = first_release(site.settings.releases, digest)
    page = site.pages.render(
        request,
        "statement.html",
        statement=statement,
        care=_read_care(site, triple, statement, language),
        path=path,
        formats=GRAPHS,
        since=since,
        corrections=find_corrections(site.snapshot.store, digest, Labels(site.snapshot.store, language)),
        others=find_disagreements(site.snapshot.store, triple, language),
        cite=_cite(site, digest, language, since).plain(),
        forms=CITATION_FORMS,
    )
    page.headers["Link"] = format_links(STATEMENT + digest, path)
    return revalidate(page, tag, _VARY_PAGE)


@router.get("/statement/{digest}/citation.{form}")
def cite_statement(request: Request, site: SiteDep, digest: str, form: str) -> Response:
    """Give the citation of a statement: txt, csl (CSL-JSON), bib (BibTeX) or ris."""
    if form not in CITATION_FORMS:
        raise NotFoundError(f"a citation is written as {', '.join(CITATION_FORMS)}, not as {form!r}")
    media, write = CITATION_FORMS[form]
    since = first_release(site.settings.releases, digest)
    citation = _cite(site, digest, site.pages.language(request), since)
    return Response(write(citation), media_type=media, headers={"Vary": _VARY_PAGE})


def _cite(site: Site, digest: str, language: str, since: Release | None) -> Citation:
    """Return the citation of a statement, pinned to the newest release that says it, else to the snapshot."""
    triple = _find(site, digest, language)
    newest = next(iter(list_releases(site.settings.releases)), None) if since is not None else None
    version = newest.version if newest is not None else site.snapshot.version
    moment = newest.built if newest is not None else site.snapshot.built
    return Citation(tell_statement(site.snapshot.store, triple, language), version, moment.date(), STATEMENT + digest)


@router.get("/data/statement/{name}")
def get_statement(request: Request, site: SiteDep, name: str, fmt: Format = None) -> Response:
    """Return a statement as RDF: reified, with its sources or its proof (PROV)."""
    digest, suffix = cut_suffix(name)
    triple = _find(site, digest, site.pages.language(request))
    if suffix is HTML:
        return RedirectResponse(with_query(request, f"/doc/statement/{digest}"), 303)
    chosen = suffix or choose_graph(request, fmt)
    proof = _prove(site, triple) or Proof(triple)
    quads = [*to_provenance(proof), *describe_care(site.snapshot.store, STATEMENT + digest)]
    return _document(request, site, quads, chosen, STATEMENT + digest, f"statement/{digest}")


@router.get("/data/queries/{name}")
def get_rule(request: Request, site: SiteDep, name: str, fmt: Format = None) -> Response:
    """Return a rule as RDF; what is published of a question."""
    rule_id, suffix = cut_suffix(name)
    if rule_id not in site.rules:
        return get_data(request, site, f"queries/{name}", fmt)
    if suffix is HTML:
        return RedirectResponse(with_query(request, f"/queries/{rule_id}"), 303)
    rule = site.rules[rule_id]
    quads = [_quad(triple) for triple in describe_rule(rule)]
    chosen = suffix or choose_graph(request, fmt)
    return _document(request, site, quads, chosen, rule_iri(rule).value, f"queries/{rule_id}")


@router.get("/reasoner")
def show_reasoner(request: Request, site: SiteDep) -> Response:
    """Show what draws the conclusions: the rules, as a list or as RDF."""
    chosen = choose_format(request)
    if chosen is not HTML:
        quads = [_quad(Triple(REASONER, TYPE, NamedNode(PROV + "SoftwareAgent")))]
        quads += [_quad(Triple(REASONER, LABEL, Literal(text, language=tag))) for tag, text in _names(site)]
        quads += [_quad(triple) for rule in site.rules.values() for triple in describe_rule(rule)]
        return _document(request, site, quads, chosen, REASONER.value, None)
    tag, vary = site.entity_tag(request, site.pages.language(request)), f"Accept, {_VARY_PAGE}"
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, vary)
    kinds = [
        ("inferring_rules", [rule for rule in site.rules.values() if not rule.forbids]),
        ("forbidding_rules", [rule for rule in site.rules.values() if rule.forbids]),
    ]
    return revalidate(site.pages.render(request, "reasoner.html", kinds=kinds, formats=GRAPHS), tag, vary)


def show_rule(request: Request, site: Site, rule: Rule) -> Response:
    """Show a rule: what it says, where it is specified, its text."""
    tag, vary = site.entity_tag(request, site.pages.language(request)), f"Accept, {_VARY_PAGE}"
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, vary)
    return revalidate(site.pages.render(request, "rule.html", rule=rule, formats=GRAPHS), tag, vary)


def _names(site: Site) -> list[tuple[str, str]]:
    return [(language, words["reasoner"]) for language, words in sorted(site.pages.words.items())]


def _read_care(site: Site, triple: Triple, page: StatementPage, language: str) -> Care:
    """Return what is asked about a statement: itself, the things that it is about, the sources that make it."""
    things = [term.value for term in (triple.subject, triple.object) if isinstance(term, NamedNode)]
    sources = [support.note.graph for support in page.supports]
    return read_care(site.snapshot.store, page.iri, [*things, *sources], Labels(site.snapshot.store, language))


def _find(site: Site, digest: str, language: str = "es") -> Triple:
    triple = site.statement_index.find(digest)
    if triple is None:
        _refuse_gone(site, digest, language)
        raise NotFoundError("no statement of the graph has this hash")
    return triple


def _refuse_gone(site: Site, digest: str, language: str) -> None:
    """Raise GoneStatementError where a release says a statement that the graph says no more.

    A redacted release does not say it either: what is hidden and what never was answer alike.
    """
    found = last_said(site.settings.releases, digest) if len(digest) == _HASH_LENGTH else None
    if found is None:
        return
    release, triple = found
    store, labels = site.snapshot.store, Labels(site.snapshot.store, language)
    told = "a name that is not shown" if triple.predicate.value in HIDDEN else f"{triple} ."
    reasons = [note.decision.text for note in find_corrections(store, digest, labels) if note.decision]
    why = f" ({'; '.join(reasons)})" if reasons else ""
    near = [
        NearMatch(statement_iri(quad.triple).value, Name(tell_statement(store, quad.triple, language)),
                  to_href(statement_iri(quad.triple).value))
        for quad in store.quads_for_pattern(triple.subject, triple.predicate, None, DefaultGraph())
        if triple.predicate.value not in HIDDEN and _is_instead(quad.object, triple.object)
    ]  # fmt: skip
    if isinstance(triple.subject, NamedNode) and triple.subject.value.startswith(BASE):
        path = memento_path(release.version, triple.subject.value)
        near.append(
            NearMatch(
                BASE + path.removeprefix("/"), Name(f"{labels.of(triple.subject.value).text} ({release.version})"), path
            )
        )
    raise GoneStatementError(f"said last by release {release.version}, no more by the graph{why}: {told}", tuple(near))


def _is_instead(value: Term, gone: Term) -> bool:
    """Say whether a value may stand for one that is gone: a name in the same language, anything else."""
    return getattr(value, "language", None) == getattr(gone, "language", None)


def _prove(site: Site, triple: Triple) -> Proof | None:
    """Return the proof of a statement; None where the rules at hand do not lead to it."""
    try:
        return site.explainer.explain(triple)
    except NotFoundError:
        return None


def _document(
    request: Request, site: Site, quads: list[Quad], chosen: MediaType, iri: str, path: str | None
) -> Response:
    tag = site.entity_tag(request, chosen.value)
    vary = "Accept" if path else f"Accept, {_VARY_PAGE}"
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, vary)
    response = Response(to_document(quads, chosen), media_type=chosen.content_type)
    response.headers["Link"] = format_links(iri, path) if path else f'<{iri}>; rel="describes"'
    return revalidate(response, tag, vary)


def _quad(triple: Triple) -> Quad:
    return Quad(triple.subject, triple.predicate, triple.object)
