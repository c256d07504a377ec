"""Earlier states of a thing: each release that speaks of it holds one.

Source: RFC 7089 (Memento): §2.1 headers, §4.5 datetime negotiation at a TimeGate, §5 TimeMaps; RFC 6690 §2
(application/link-format). The JSON form is that of the MemGator aggregator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from culturegraph.errors import RequestError
from culturegraph.rdf.vocabulary import BASE
from culturegraph.releases.excerpts import holds
from culturegraph.releases.folder import Release, parse_version

LINK_FORMAT: Final = "application/link-format"
# What has versions: things, concepts, terms and the descriptions of graphs.
PLACES: Final = ("id/", "schemes/", "ontology/", "graph/")
_HTTP_DATE: Final = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")


@dataclass(frozen=True)
class Memento:
    """The state of a thing in one release: its address below the server's, and its time."""

    version: str
    moment: datetime
    path: str


def read_moment(text: str | None) -> datetime | None:
    """Return the time of an Accept-Datetime header, None without one.

    Raises RequestError where it is no date as RFC 1123 writes it (RFC 7089 §4.5: 400).
    """
    if text is None:
        return None
    try:
        if _HTTP_DATE.fullmatch(text.strip()):
            return parsedate_to_datetime(text.strip())
    except ValueError:
        pass
    raise RequestError(f"Accept-Datetime {text!r} is no date such as {http_date(datetime(2026, 11, 23, tzinfo=UTC))}")


def http_date(moment: datetime) -> str:
    """Return a time as HTTP writes it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def read_original(path: str, home: str) -> str:
    """Return the IRI of ours that is asked for: written whole, or by its path; empty where nothing of ours is.

    Proxies may have made one slash of the two in `https://`.
    """
    rest = re.sub(r"^(https?:)/+", r"\1//", path)
    for start in (BASE, BASE.replace("https://", "http://"), home):
        rest = rest.removeprefix(start)
    return BASE + rest if rest.startswith(PLACES) and "://" not in rest else ""


def memento_path(version: str, iri: str) -> str:
    """Return the path of a thing's state in a release."""
    return f"/releases/{version}/{quote(iri.removeprefix(BASE))}"


def find_mementos(releases: Sequence[Release], iri: str) -> list[Memento]:
    """Return the states of a thing in order of time; none where no release speaks of it."""
    states = [
        Memento(release.version, release.built, memento_path(release.version, iri))
        for release in releases
        if holds(release, iri)
    ]
    # Two releases may be of the same commit: the newest version comes last.
    return sorted(states, key=lambda memento: (memento.moment, parse_version(memento.version)))


def choose_memento(mementos: Sequence[Memento], moment: datetime | None) -> Memento:
    """Return the state at a time: the last that is not later; the first for times before it, the last without a time.

    `mementos` are in order of time and not empty.
    """
    if moment is None:
        return mementos[-1]
    return next((memento for memento in reversed(mementos) if memento.moment <= moment), mementos[0])


def original_links(iri: str) -> list[str]:
    """Return the links of a page of today: the thing itself, its TimeGate, its TimeMap."""
    path = quote(iri.removeprefix(BASE))
    return [
        f'<{iri}>; rel="original"',
        f'</timegate/{path}>; rel="timegate"',
        f'</timemap/link/{path}>; rel="timemap"; type="{LINK_FORMAT}"',
    ]


def memento_links(iri: str, mementos: Sequence[Memento], chosen: Memento) -> str:
    """Return the Link header of a TimeGate's answer or of a memento: with first, last, previous and next state."""
    place = mementos.index(chosen)
    roles: dict[int, list[str]] = {}
    for index, role in ((0, "first"), (len(mementos) - 1, "last"), (place - 1, "prev"), (place + 1, "next")):
        if 0 <= index < len(mementos):
            roles.setdefault(index, []).append(role)
    roles.setdefault(place, [])
    links = original_links(iri)
    for index, names in sorted(roles.items()):
        relation, moment = " ".join([*names, "memento"]), http_date(mementos[index].moment)
        links.append(f'<{mementos[index].path}>; rel="{relation}"; datetime="{moment}"')
    return ", ".join(links)


def to_link_format(iri: str, mementos: Sequence[Memento], home: str) -> str:
    """Return a TimeMap in link format, with absolute addresses."""
    path, start = quote(iri.removeprefix(BASE)), home.rstrip("/")
    first, last = http_date(mementos[0].moment), http_date(mementos[-1].moment)
    links = [
        f'<{iri}>; rel="original"',
        f'<{start}/timemap/link/{path}>; rel="self"; type="{LINK_FORMAT}"; from="{first}"; until="{last}"',
        f'<{start}/timegate/{path}>; rel="timegate"',
    ]
    for index, memento in enumerate(mementos):
        names = ["first"] * (index == 0) + ["last"] * (index == len(mementos) - 1) + ["memento"]
        links.append(f'<{start}{memento.path}>; rel="{" ".join(names)}"; datetime="{http_date(memento.moment)}"')
    return ",\n".join(links) + "\n"


def to_json(iri: str, mementos: Sequence[Memento], home: str) -> str:
    """Return a TimeMap in JSON."""
    path, start = quote(iri.removeprefix(BASE)), home.rstrip("/")

    def entry(memento: Memento) -> dict[str, str]:
        return {"datetime": memento.moment.astimezone(UTC).isoformat(), "uri": start + memento.path}

    document: dict[str, Any] = {
        "original_uri": iri,
        "self": f"{start}/timemap/json/{path}",
        "mementos": {
            "first": entry(mementos[0]),
            "last": entry(mementos[-1]),
            "list": [entry(memento) for memento in mementos],
        },
        "timemap_uri": {"link_format": f"{start}/timemap/link/{path}", "json_format": f"{start}/timemap/json/{path}"},
        "timegate_uri": f"{start}/timegate/{path}",
    }
    return json.dumps(document, indent=1)
