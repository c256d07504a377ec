"""Profiles of export: what maps to what, whole files, single records.

/exports/                              all profiles
/exports/edm                           one: what maps to what, what is lost, how many records
/exports/edm.rdf.gz                    the whole as a file, with byte ranges (RFC 9110 §14) and its digest (RFC 9530)
/exports/edm.rdf                       the same, compressed only where the client takes that
/exports/edm.rejects.csv               what is left out, and why
/exports/edm/{type}/{slug}             one record, by Accept or `?format=`, or by suffix
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from culturegraph.errors import NotAcceptableError, NotFoundError
from culturegraph.exports.inventory.page import read_style, to_fragment
from culturegraph.exports.profiles.bulk import write_rejects
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.forms import FORMS, form_of, write_records
from culturegraph.exports.profiles.inventory import make_sheets
from culturegraph.exports.statistics.tables import read_tables
from culturegraph.exports.unesco_qpr.form import has_cycles
from culturegraph.protocols.labels import to_href
from culturegraph.rdf.formats import MediaType, choose
from culturegraph.rdf.vocabulary import BASE
from culturegraph.web.negotiation import with_query
from culturegraph.web.site import Site, SiteDep, answer, is_unchanged, revalidate

router = APIRouter()

_VARY: Final = "Accept, Accept-Language"
_REJECTS: Final = "rejects.csv"
_CHUNK: Final = 1 << 16


@router.get("/exports")
def redirect_index(request: Request) -> Response:
    """Redirect to the index."""
    return RedirectResponse(with_query(request, "/exports/"), 303)


@router.get("/exports/")
def show_index(request: Request, site: SiteDep) -> Response:
    """List the profiles."""
    revisions = [export.profile.revision for export in site.exports.values()]
    report = has_cycles(site.settings.queries)
    tag = site.entity_tag(request, site.pages.language(request), *revisions, "report" if report else "")
    shown = site.exports.values()
    return answer(
        request, site, tag, _VARY, lambda: site.pages.render(request, "exports.html", exports=shown, has_report=report)
    )


@router.get("/exports/inventory.css")
def get_style(request: Request, site: SiteDep) -> Response:
    """Give the style sheet of inventory sheets."""
    return answer(
        request, site, site.entity_tag(request), "Accept", lambda: Response(read_style(), media_type="text/css")
    )


@router.get("/exports/{name}")
def show_profile(request: Request, site: SiteDep, name: str) -> Response:
    """Show a profile, or send the file that it is as a whole."""
    profile, dot, suffix = name.partition(".")
    export = _find(site, profile)
    if dot:
        return _send(request, site, export, suffix)
    tag = site.entity_tag(request, site.pages.language(request), export.profile.revision)
    return answer(request, site, tag, _VARY, lambda: _page(request, site, export))


@router.get("/exports/{name}/{kind}/{slug}")
def get_record(
    request: Request,
    site: SiteDep,
    name: str,
    kind: str,
    slug: str,
    form: Annotated[str | None, Query(alias="format", description="a format of the profile", max_length=40)] = None,
) -> Response:
    """Give one record."""
    export = _find(site, name)
    bare, dot, suffix = slug.rpartition(".")
    wanted = _wanted(export, suffix if dot else form) if dot or form else None
    kinds = {each: form_of(export.profile, each).media_type.partition(";")[0] for each in export.profile.record_formats}
    offered = [MediaType(kind, each, each) for each, kind in kinds.items()]
    if wanted is None:
        chosen = choose(request.headers.get("accept"), None, offered)
        # A browser asks for a page first: it gets the first format too.
        if chosen is None and "text/html" not in request.headers.get("accept", ""):
            raise NotAcceptableError("available here: " + ", ".join(each.value for each in offered))
        wanted = chosen.suffix if chosen else export.profile.formats[0]
    iri = export.find(kind, bare if dot else slug)
    language = site.pages.language(request)
    tag = site.entity_tag(request, language, wanted, "file" if dot else "page", export.profile.revision)
    if wanted == "html" and not dot:
        return answer(request, site, tag, _VARY, lambda: _sheet(request, site, export.in_language(language), iri))
    return answer(request, site, tag, _VARY, lambda: _record(export.in_language(language), iri, wanted))


def _wanted(export: Export, form: str | None) -> str:
    return export.profile.check_format(form and form.lower(), record=True)


def _find(site: Site, name: str) -> Export:
    if name not in site.exports:
        raise NotFoundError(f"there is no profile {name!r} (there are: {', '.join(site.exports)})")
    return site.exports[name]


def _page(request: Request, site: Site, export: Export) -> Response:
    sample = site.sample_of(export)
    # Source code tells more of a record than the source of a page does.
    form = next(each for each in export.profile.formats if each != "html")
    alone = sample if export.profile.document is None else None
    shown = b"".join(part for part, _ in write_records(export, form, [alone])) if alone else b""
    return site.pages.render(
        request,
        "export.html",
        export=export,
        profile=export.profile,
        others=site.exports,
        sample=(sample or "").removeprefix(BASE).removeprefix("id/").removeprefix("schemes/"),
        shown=shown.decode(),
        tables=read_tables(site.settings.queries).values() if export.profile.writer == "statistics" else (),
    )


def _record(export: Export, iri: str, form: str) -> Response:
    body = b"".join(part for part, _ in write_records(export, form, [iri]))
    return Response(
        body, media_type=form_of(export.profile, form).media_type, headers={"Link": f'<{iri}>; rel="describes"'}
    )


def _sheet(request: Request, site: Site, export: Export, iri: str) -> Response:
    """Show an inventory sheet within the site."""
    (sheet,) = make_sheets(export, [iri])
    body = to_fragment(sheet, lambda one: to_href(one) or one, site="")
    return site.pages.render(request, "sheet_inventory.html", export=export, sheet=sheet, body=body)


def _send(request: Request, site: Site, export: Export, suffix: str) -> Response:
    """Send a whole file. The compressed one can be had in ranges, so that a download may be taken up again."""
    if suffix == _REJECTS:
        tag = site.entity_tag(request, export.profile.revision)
        return answer(
            request, site, tag, "Accept", lambda: Response(write_rejects(export), media_type=FORMS["csv"].media_type)
        )
    form = export.profile.check_format(suffix.removesuffix(".gz"))
    path = site.export_files.find(export.in_language(site.pages.language(request)), form)
    digest = site.export_files.digest(path)
    tag = f'"{digest}"' if suffix.endswith(".gz") else f'W/"{digest}"'
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, "Accept-Encoding")
    if not suffix.endswith(".gz"):
        return revalidate(_unpack(request, path, form_of(export.profile, form).media_type), tag, "Accept-Encoding")
    response = FileResponse(path, media_type="application/gzip", filename=f"{export.profile.id}.{suffix}")
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"
    return revalidate(response, tag, "Accept-Encoding")


def _unpack(request: Request, path: Path, media_type: str) -> Response:
    if "gzip" in request.headers.get("accept-encoding", ""):
        return FileResponse(path, media_type=media_type, headers={"Content-Encoding": "gzip"})

    def read() -> Iterator[bytes]:
        with gzip.open(path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    return StreamingResponse(read(), media_type=media_type)
