"""Since which release a statement is said: the hashes of all statements of each release, in memory once asked for.

The first eight bytes of a hash are kept, 8 bytes a statement: two statements of a million share them once in 37 million
graphs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from pyoxigraph import RdfFormat, Triple, parse

from culturegraph.rdf.graphs import CATALOGUE, VALIDATION
from culturegraph.releases.folder import Release, find_release, list_releases

_OF_THE_BUILD: Final = tuple(b" <%s> .\n" % graph.value.encode() for graph in (CATALOGUE, VALIDATION))


def first_release(root: Path, digest: str) -> Release | None:
    """Return the release since which a statement, by its hash, is said; None where the newest does not say it.

    A statement that was withdrawn and said again counts from its return.
    """
    found = None
    for release in list_releases(root):
        if not _holds(str(root), release.version, str(release.manifest["content_hash"]), digest):
            break
        found = release
    return found


def last_said(root: Path, digest: str) -> tuple[Release, Triple] | None:
    """Return the newest release that says a statement, by its hash, and the statement; None where none says it.

    What describes builds is left out.
    """
    for release in list_releases(root):
        if _holds(str(root), release.version, str(release.manifest["content_hash"]), digest):
            for line in release.lines():
                if sha256(_triple(line)).hexdigest() == digest and not line.endswith(_OF_THE_BUILD):
                    return release, next(iter(parse(line, format=RdfFormat.N_QUADS))).triple
    return None


def _holds(root: str, version: str, content_hash: str, digest: str) -> bool:
    hashes = _hashes(root, version, content_hash)
    wanted = int(digest[:16], 16)
    place = bisect_left(hashes, wanted)
    return place < len(hashes) and hashes[place] == wanted


# The content hash is part of the key because a release may be redacted.
@lru_cache(maxsize=64)
def _hashes(root: str, version: str, _content_hash: str) -> array[int]:
    lines = find_release(Path(root), version).lines()
    return array("Q", sorted({int.from_bytes(sha256(_triple(line)).digest()[:8], "big") for line in lines}))


def _triple(line: bytes) -> bytes:
    """Return the N-Triples line of an N-Quads line, which is what the hash of a statement is of.

    Every line of a release names its graph, last and as an IRI, in which there is no space.
    """
    return line[: line.rindex(b" <")] + b" .\n"
