"""Exports for the bodies that ask for reports.

/exports/unesco-qpr            the draft of the next periodic report on the 2005 Convention, as a page
/exports/unesco-qpr/2027       that of one cycle; 2027.xlsx .docx .html .jsonld the same as a file, ?lang= its language
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from culturegraph.errors import NotFoundError
from culturegraph.exports.unesco_qpr.composing import compose
from culturegraph.exports.unesco_qpr.form import list_cycles, read_cycle, revision
from culturegraph.exports.unesco_qpr.page import read_style, to_fragment
from culturegraph.exports.unesco_qpr.writing import FORMS, write_draft
from culturegraph.protocols.labels import to_href
from culturegraph.rdf.formats import HTML, MediaType, choose
from culturegraph.web.negotiation import with_query
from culturegraph.web.site import Site, SiteDep, answer

router = APIRouter()

_VARY: Final = "Accept, Accept-Language"
_OFFERED: Final = (HTML, *(MediaType(kind, name, name) for name, (kind, _) in FORMS.items() if name != "html"))


@router.get("/exports/unesco-qpr.css")
def get_style(request: Request, site: SiteDep) -> Response:
    """Give the style sheet of a draft."""
    tag = site.entity_tag(request)
    return answer(request, site, tag, "Accept", lambda: Response(read_style(), media_type="text/css"))


@router.get("/exports/unesco-qpr")
def redirect_default(
    request: Request,
    site: SiteDep,
    cycle: Annotated[str | None, Query(description="a cycle; the next by default", max_length=40)] = None,
) -> Response:
    """Redirect to the draft of a cycle."""
    read_cycle(site.settings.queries, cycle)
    default, _ = list_cycles(site.settings.queries)
    return RedirectResponse(with_query(request, f"/exports/unesco-qpr/{cycle or default}"), 303)


@router.get("/exports/unesco-qpr/{name}")
def get_draft(
    request: Request,
    site: SiteDep,
    name: str,
    form: Annotated[str | None, Query(alias="format", description="html, xlsx, docx or jsonld")] = None,
) -> Response:
    """Show the draft of a cycle, or give it as a file."""
    cycle, dot, suffix = name.partition(".")
    if dot and suffix not in FORMS:
        raise NotFoundError(f"a draft is written as {', '.join(FORMS)}, not as {suffix!r}")
    chosen = choose(request.headers.get("accept"), form, _OFFERED) or HTML
    wanted = suffix or chosen.suffix
    language = site.pages.language(request)
    # The form may change while the snapshot and the software stay.
    tag = site.entity_tag(request, language, wanted, "file" if dot else "page", revision(site.settings.queries))
    if wanted == "html" and not dot:
        return answer(request, site, tag, _VARY, lambda: _page(request, site, cycle, language))
    return answer(request, site, tag, _VARY, lambda: _file(site, cycle, language, wanted))


def _page(request: Request, site: Site, cycle: str, language: str) -> Response:
    draft = compose(site.snapshot.store, read_cycle(site.settings.queries, cycle), language, site.snapshot.version)
    body = to_fragment(draft, lambda iri: to_href(iri) or iri, site="")
    return site.pages.render(request, "unesco_qpr.html", draft=draft, body=body, forms=list(FORMS))


def _file(site: Site, cycle: str, language: str, form: str) -> Response:
    draft = compose(site.snapshot.store, read_cycle(site.settings.queries, cycle), language, site.snapshot.version)
    written = write_draft(draft, form)
    headers = {"Content-Language": language}
    # A browser shows what it can show; the others are files.
    if form in {"xlsx", "docx"}:
        headers["Content-Disposition"] = f'attachment; filename="{written.name}"'
    return Response(written.data, media_type=FORMS[form][0], headers=headers)
