"""When each record last changed, and which ones are gone: from the releases, and from the build that is served.

A record changed in a release where what the sources say of it is not what they said in the release before; a record
that a release had and the build has no more is deleted, since the first release (or the build) without it. Where there
are no releases, every record is of the time of the build's commit and nothing is known of deleted ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from pyoxigraph import NamedNode

from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE
from culturegraph.releases.folder import Release

# What is compared: statements of sources and links. Inferences follow from them; the report and the catalogue are news
# of the build.
_COMPARED: Final = (f"<{BASE}graph/source/", f"<{BASE}graph/links/", f"<{BASE}graph/scheme/", f"<{BASE}graph/ontology")
_SUBJECTS: Final = (f"<{BASE}id/".encode(), f"<{BASE}schemes/".encode())


@dataclass(frozen=True)
class Changes:
    """The time of the last change of each record, by IRI, and of the deletion of each that is gone."""

    build: datetime
    changed: Mapping[str, datetime]
    deleted: Mapping[str, datetime]

    def when(self, iri: str) -> datetime:
        """Return when a record last changed."""
        return self.changed.get(iri, self.build)

    @property
    def earliest(self) -> datetime:
        """The earliest time of all."""
        return min((*self.changed.values(), *self.deleted.values(), self.build))


def read_changes(store: Dataset, iris: Iterable[str], build: datetime, releases: Sequence[Release]) -> Changes:
    """Return the changes of the records of a store; `releases` in any order.

    Raises StorageError where a release cannot be read.
    """
    build = _utc(build)
    known: dict[str, tuple[bytes, datetime]] = {}
    gone: dict[str, datetime] = {}
    for release in sorted(releases, key=lambda release: release.built):
        moment, digests = _utc(release.built), _digests(release.lines())
        gone = {iri: since for iri, since in gone.items() if iri not in digests}
        gone |= dict.fromkeys(known.keys() - digests.keys(), moment)
        for iri, digest in digests.items():
            if iri not in known or known[iri][0] != digest:
                known[iri] = digest, moment
        known = {iri: known[iri] for iri in digests}
    if not known:
        return Changes(build, {}, {})
    present = set(iris)
    # Situations and evidence are no records: what is gone counts where its like is a record still.
    kinds = {iri.rpartition("/")[0] for iri in present}
    changed = {iri: known[iri][1] for iri in present & known.keys() if known[iri][0] == _digest_of(store, iri)}
    gone |= dict.fromkeys(known.keys() - present, build)
    deleted = {iri: since for iri, since in gone.items() if iri not in present and iri.rpartition("/")[0] in kinds}
    return Changes(build, changed, deleted)


def _utc(moment: datetime) -> datetime:
    return moment.replace(microsecond=0, tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _digests(lines: Iterable[bytes]) -> dict[str, bytes]:
    """Return a digest of what sources say, by subject; sorted lines have those of one subject together."""
    ours = (line for line in lines if line.startswith(_SUBJECTS))
    found = {}
    for subject, group in groupby(ours, key=lambda line: line[1 : line.index(b">")]):
        told = [text for line in group if _is_compared(text := line.decode().rstrip(" .\n"))]
        if told:
            found[subject.decode()] = _digest(told)
    return found


def _digest_of(store: Dataset, iri: str) -> bytes:
    return _digest(filter(_is_compared, map(str, store.quads_for_pattern(NamedNode(iri), None, None, None))))


def _is_compared(quad: str) -> bool:
    return quad.rpartition(" ")[2].startswith(_COMPARED)


def _digest(quads: Iterable[str]) -> bytes:
    return hashlib.blake2b("\n".join(sorted(quads)).encode(), digest_size=16).digest()
