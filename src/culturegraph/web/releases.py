"""Releases: what there is, what each holds, what changed between two, and the files themselves.

/releases/                          all releases, newest first
/releases/2026.11.0                 one release: figures, files, how to cite; its DCAT description in RDF
/releases/2026.11.0/diff?from=…     what changed since an earlier release: page, JSON, RDF patch or TriG
/dumps/2026.11.0/{file}             a file, with byte ranges (RFC 9110 §14) and its digest (RFC 9530)
"""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from culturegraph.errors import NotFoundError, StorageError
from culturegraph.protocols.citation import FORMS, Citation
from culturegraph.protocols.labels import Labels
from culturegraph.rdf.formats import GRAPHS, HTML, MediaType, choose
from culturegraph.releases.description import TITLE, media_type, release_iri
from culturegraph.releases.differences import Ontologies, Sign, Summary, changes_between, write_changes
from culturegraph.releases.folder import MANIFEST, Release, checksum, find_release, list_releases
from culturegraph.releases.migrations import FOLDER as MIGRATIONS
from culturegraph.releases.migrations import Migration, plan, read_migrations
from culturegraph.releases.ontology_changes import OntologyChanges
from culturegraph.releases.ontology_changes import parse_version as parse_ontology_version
from culturegraph.web.negotiation import with_query
from culturegraph.web.site import Site, SiteDep, is_unchanged, revalidate

router = APIRouter()

_VARY: Final = "Accept, Accept-Language"
_JSON: Final = MediaType("application/json", "json", "json")
_TURTLE: Final = GRAPHS[0]
_CHANGES: Final = {"patch": "text/plain; charset=utf-8", "trig": "application/trig"}
# Changed things that a page lists.
_SHOWN: Final = 200


@router.get("/releases")
@router.get("/dumps")
@router.get("/dumps/")
def redirect_index(request: Request) -> Response:
    """Redirect to the index."""
    return RedirectResponse(with_query(request, "/releases/"), 303)


@router.get("/releases/")
def show_index(request: Request, site: SiteDep) -> Response:
    """List the releases."""
    releases = list_releases(site.settings.releases)
    chosen = choose(request.headers.get("accept"), request.query_params.get("format"), (HTML, _JSON)) or HTML
    tag = site.entity_tag(request, chosen.value, site.pages.language(request), *(r.version for r in releases))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    if chosen is _JSON:
        return revalidate(JSONResponse([dict(release.manifest) for release in releases]), tag, _VARY)
    return revalidate(site.pages.render(request, "releases.html", releases=releases), tag, _VARY)


@router.get("/releases/{version}")
def show_release(request: Request, site: SiteDep, version: str) -> Response:
    """Show one release, or give its DCAT description."""
    release = find_release(site.settings.releases, version)
    offered = (HTML, _TURTLE, _JSON)
    chosen = choose(request.headers.get("accept"), request.query_params.get("format"), offered) or HTML
    tag = site.entity_tag(request, chosen.value, site.pages.language(request), str(release.manifest["content_hash"]))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    if chosen is _TURTLE:
        return revalidate(FileResponse(release.path / "dcat.ttl", media_type=_TURTLE.content_type), tag, _VARY)
    if chosen is _JSON:
        return revalidate(JSONResponse(dict(release.manifest)), tag, _VARY)
    earlier = [other for other in list_releases(site.settings.releases) if other.built < release.built]
    page = site.pages.render(request, "release.html", release=release, earlier=earlier, cite=_cite(release).plain())
    return revalidate(page, tag, _VARY)


def _cite(release: Release) -> Citation:
    return Citation(TITLE, release.version, release.built.date(), release_iri(release.version))


@router.get("/releases/{version}/citation.{form}")
def cite_release(site: SiteDep, version: str, form: str) -> Response:
    """Give the citation of a release: txt, csl (CSL-JSON), bib (BibTeX) or ris."""
    release = find_release(site.settings.releases, version)
    if form not in FORMS:
        raise NotFoundError(f"a citation is written as {', '.join(FORMS)}, not as {form!r}")
    media, write = FORMS[form]
    return Response(write(_cite(release)), media_type=media)


@router.get("/releases/{version}/diff")
def show_changes(
    request: Request,
    site: SiteDep,
    version: str,
    since: Annotated[
        str | None, Query(alias="from", description="an earlier release; by default the one before")
    ] = None,
    about: Annotated[str | None, Query(description="IRI of one thing, to see its changes only", max_length=500)] = None,
    form: Annotated[str | None, Query(alias="format", description="json, patch or trig")] = None,
) -> Response:
    """Show what changed since an earlier release."""
    release, before = find_release(site.settings.releases, version), _earlier(site, version, since)
    language = site.pages.language(request)
    tag = site.entity_tag(request, language, *(str(r.manifest["content_hash"]) for r in (before, release)))
    if is_unchanged(request, tag):
        return revalidate(Response(status_code=304), tag, _VARY)
    if form in _CHANGES:
        body = io.BytesIO()
        sides, literally = (before.version, release.version), form == "patch"
        with changes_between(site.settings.releases, *sides, literally=literally) as changes:
            write_changes(changes, form, body)
        return revalidate(Response(body.getvalue(), media_type=_CHANGES[form]), tag, _VARY)
    summary = _summary(site, before, release)
    if form == "json":
        return revalidate(JSONResponse(summary.record()), tag, _VARY)
    page = site.pages.render(
        request,
        "release_diff.html",
        release=release,
        before=before,
        summary=summary,
        graphs=_named(site, language, summary.by_graph()),
        things=_named(site, language, summary.by_subject()[:_SHOWN]),
        ontology=summary.ontology,
        migrations=_migrations(site, summary.ontology) if summary.ontology else [],
        more=max(0, len(summary.by_subject()) - _SHOWN),
        about=about,
        lines=_lines_about(site, before, release, about) if about else [],
    )
    return revalidate(page, tag, _VARY)


def _earlier(site: Site, version: str, since: str | None) -> Release:
    if since is not None:
        return find_release(site.settings.releases, since)
    releases = list_releases(site.settings.releases)
    position = next(index for index, release in enumerate(releases) if release.version == version)
    if position + 1 == len(releases):
        raise NotFoundError(f"{version} is the first release: there is none before it to compare it with")
    return releases[position + 1]


def _summary(site: Site, before: Release, after: Release) -> Summary:
    hashes = (str(before.manifest["content_hash"]), str(after.manifest["content_hash"]))
    return _count(str(site.settings.releases), before.version, after.version, *hashes)


# The hashes are part of the key because a release may be redacted.
@lru_cache(maxsize=16)
def _count(folder: str, before: str, after: str, _before_hash: str, _after_hash: str) -> Summary:
    summary, ontologies = Summary(), Ontologies()
    with changes_between(Path(folder), before, after, ontologies=ontologies) as changes:
        for _ in summary.count(changes):
            pass
    summary.ontology = ontologies.compare()
    return summary


def _migrations(site: Site, ontology: OntologyChanges) -> list[Migration]:
    """Return the steps that turn data of the earlier release into the terms of the later one; none lead back."""
    before, after = (parse_ontology_version(version) for version in ontology.versions)
    if before is None or after is None or after <= before:
        return []
    return plan(read_migrations(site.settings.ontology / MIGRATIONS), *ontology.versions)


def _lines_about(site: Site, before: Release, after: Release, iri: str) -> list[tuple[Sign, str]]:
    start = f"<{iri}> ".encode()
    with changes_between(site.settings.releases, before.version, after.version) as changes:
        found = [(sign, line.decode().strip()) for sign, line in changes if line.startswith(start)]
    return found[:_SHOWN]


def _named(site: Site, language: str, rows: list[tuple[str, int, int]]) -> list[dict[str, Any]]:
    labels = Labels(site.snapshot.store, language)
    return [
        {"iri": iri, "name": labels.of(iri) if iri not in ("", "_:") else None, "added": added, "removed": removed}
        for iri, added, removed in rows
    ]


@router.get("/releases/{version}/{name}")
def redirect_file(version: str, name: str) -> Response:
    """Redirect the IRI of a distribution to its file."""
    return RedirectResponse(f"/dumps/{version}/{name}", 303)


@router.get("/dumps/{version}/{name}")
def send_file(request: Request, site: SiteDep, version: str, name: str) -> Response:
    """Send a file of a release. Answers 500 where it is no longer as it was released, rather than send it."""
    release = find_release(site.settings.releases, version)
    if name not in release.files and name != MANIFEST:
        raise NotFoundError(f"release {version} has no file {name!r}; it has {', '.join(release.files)}")
    path = release.path / name
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    if name != MANIFEST:
        if not path.is_file():
            raise StorageError(f"{name} of release {version} is missing")
        status = path.stat()
        digest = _checked(str(path), status.st_mtime_ns, status.st_size)
        if digest != release.files[name]["sha256"]:
            raise StorageError(f"{name} of release {version} is not as it was released: its checksum differs")
        headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"
        headers["ETag"] = f'"{digest}"'
        if is_unchanged(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
    kind = "application/gzip" if name.endswith(".gz") else media_type(name)
    return FileResponse(path, media_type=kind, headers=headers, filename=name, content_disposition_type="inline")


@lru_cache(maxsize=512)
def _checked(path: str, _changed: int, _size: int) -> str:
    return checksum(Path(path))
