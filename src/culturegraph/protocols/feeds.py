"""What crawlers and readers of feeds get: the site map, and an Atom feed of releases and of what was read last.

Source: sitemaps.org 0.9 (at most 50,000 addresses a file); RFC 4287 (Atom).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels, to_href
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.releases.folder import Release

SITEMAP_SIZE: Final = 50_000
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_RETRIEVED: Final = NamedNode(CG + "retrieved")
_ENTRIES: Final = 50


@dataclass(frozen=True)
class Change:
    """A source that was read, on a day (ISO 8601)."""

    iri: str
    title: str
    day: str


@dataclass(frozen=True)
class Page:
    """A page for crawlers, and when what it tells last changed; None where no release says so."""

    address: str
    changed: datetime | None = None


def write_sitemap(pages: Iterable[Page]) -> bytes:
    """Return a site map of pages with absolute addresses."""
    root = ET.Element("urlset", {"xmlns": _SITEMAP})
    for page in pages:
        url = ET.SubElement(root, "url")
        _say(url, "loc", page.address)
        if page.changed is not None:
            _say(url, "lastmod", _timestamp(page.changed))
    return _to_bytes(root)


def write_sitemap_index(addresses: Iterable[str]) -> bytes:
    """Return the index of several site maps."""
    root = ET.Element("sitemapindex", {"xmlns": _SITEMAP})
    for address in addresses:
        ET.SubElement(ET.SubElement(root, "sitemap"), "loc").text = address
    return _to_bytes(root)


def list_changes(store: Dataset, language: str) -> list[Change]:
    """Return the sources that were read last, latest first."""
    labels = Labels(store, language)
    days: dict[str, str] = {}
    for quad in store.quads_for_pattern(None, _RETRIEVED, None, DefaultGraph()):
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, Literal):
            days[quad.subject.value] = max(quad.object.value, days.get(quad.subject.value, ""))
    latest = sorted(days, key=lambda iri: (days[iri], iri), reverse=True)[:_ENTRIES]
    return [Change(iri, labels.of(iri).text, days[iri]) for iri in latest]


def write_feed(
    changes: Sequence[Change],
    manifest: Mapping[str, Any],
    releases: Sequence[Release],
    home: str,
    words: Mapping[str, str],
) -> bytes:
    """Return an Atom feed: the build that is served, the releases, newest first, the sources that were read last."""
    moment = manifest.get("built") or manifest.get("published") or "1970-01-01T00:00:00Z"
    root = ET.Element("feed", {"xmlns": _ATOM})
    _say(root, "id", BASE + "feed")
    _say(root, "title", "culturegraph · " + words["ask_feed_title"])
    _say(root, "updated", moment)
    ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": home + "feed.atom"})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": home})
    _say(ET.SubElement(root, "author"), "name", "culturegraph")
    build = _entry(root, f"{BASE}dataset#{manifest.get('version')}", moment, home + "dataset")
    _say(build, "title", f"{words['ask_feed_build']} {manifest.get('version')}")
    quads = sum(manifest.get("quads_by_graph", {}).values())
    _say(build, "summary", f"{quads:,} {words['ask_feed_statements']}; sha256:{manifest.get('content_hash')}")
    for index, release in enumerate(releases[:_ENTRIES]):
        _tell_release(root, release, releases[index + 1] if index + 1 < len(releases) else None, home, words)
    for change in changes:
        href = to_href(change.iri) or change.iri
        entry = _entry(root, change.iri, change.day + "T00:00:00Z", home.rstrip("/") + href)
        _say(entry, "title", change.title)
        _say(entry, "summary", f"{words['ask_feed_read']} {change.day}")
    return _to_bytes(root)


def _tell_release(
    root: ET.Element, release: Release, before: Release | None, home: str, words: Mapping[str, str]
) -> None:
    address = f"{home}releases/{release.version}"
    entry = _entry(root, f"{BASE}releases/{release.version}", _timestamp(release.built), address)
    _say(entry, "title", f"{words['releases_release']} {release.version}")
    if before is not None:
        ET.SubElement(entry, "link", {"rel": "related", "href": f"{address}/diff?from={before.version}"})
    facts = release.manifest
    told = f"{facts['quads']:,} {words['ask_feed_statements']}; sha256:{facts['content_hash']}"
    _say(entry, "summary", f"{told}; {words['releases_redacted']}" if "redacted" in facts else told)


def _timestamp(moment: datetime) -> str:
    """Return a time as both formats write it (RFC 3339)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _entry(root: ET.Element, id: str, moment: str, address: str) -> ET.Element:
    entry = ET.SubElement(root, "entry")
    _say(entry, "id", id)
    _say(entry, "updated", moment)
    ET.SubElement(entry, "link", {"rel": "alternate", "href": address})
    return entry


def _say(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _to_bytes(root: ET.Element) -> bytes:
    output = io.BytesIO()
    ET.ElementTree(root).write(output, encoding="utf-8", xml_declaration=True)
    return output.getvalue()
