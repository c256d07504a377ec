"""What a release says of one thing, cut out of its sorted N-Quads: no store of it is built or kept.

The lines of a subject stand together, so they are found by bisection; what only mentions the thing, by one scan. The
unpacked file has no name and goes with the process; it is mapped, so its pages are the system's to keep or to drop.
"""

from __future__ import annotations

import gzip
import mmap
import shutil
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, parse

from culturegraph.errors import StorageError
from culturegraph.rdf.graphs import CATALOGUE, VALIDATION
from culturegraph.rdf.vocabulary import CG
from culturegraph.releases.folder import Release, find_release

# Statements that mention a thing, and things around it, that an excerpt has at most.
MAX_MENTIONS: Final = 10_000
_MAX_AROUND: Final = 2_000
_OF_THE_BUILD: Final = frozenset({CATALOGUE, VALIDATION})


class SortedQuads:
    """The sorted lines of a release, unpacked and mapped."""

    def __init__(self, path: Path) -> None:
        try:
            with gzip.open(path, "rb") as packed, tempfile.TemporaryFile() as file:
                shutil.copyfileobj(packed, file, 1 << 20)
                file.flush()
                # The mapping lives on when the file is closed; an empty file cannot be mapped.
                self._data: mmap.mmap | bytes = (
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.tell() else b""
                )
        except (OSError, EOFError) as error:
            raise StorageError(f"{path} cannot be read: {error}") from error

    def beginning(self, prefix: bytes) -> Iterator[bytes]:
        """Yield the lines that begin with some bytes."""
        place = self._bisect(prefix)
        while place < len(self._data) and self._data[place : place + len(prefix)] == prefix:
            end = self._data.find(b"\n", place) + 1
            yield self._data[place:end]
            place = end

    def mentioning(self, node: bytes) -> Iterator[bytes]:
        """Yield the lines whose object is a node, written as N-Quads write it."""
        wanted = b" %s <" % node
        place = self._data.find(wanted)
        while place >= 0:
            start, end = self._data.rfind(b"\n", 0, place) + 1, self._data.find(b"\n", place) + 1
            line = self._data[start:end]
            # The third term, not words of a literal or the predicate.
            if line.split(b" ", 2)[2].startswith(node + b" <"):
                yield line
            place = self._data.find(wanted, end)

    def _bisect(self, prefix: bytes) -> int:
        """Return where the first line begins that is not before some bytes."""
        low, high = 0, len(self._data)
        while low < high:
            middle = self._data.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = self._data.find(b"\n", middle) + 1
            if self._data[middle : min(end, middle + len(prefix))] < prefix:
                low = end
            else:
                high = middle
        return low


def cut_out(release: Release, iri: str) -> list[Quad]:
    """Return what a release says of a thing and of what is linked to it, with the terms that say it; in named graphs.

    Empty where it has no statement about the thing. Raises StorageError where the file cannot be read.
    """
    lines = open_lines(release)
    try:
        node = NamedNode(iri)
    except ValueError:  # A path can hold what no IRI can.
        return []
    own = _read(lines.beginning(f"{node} ".encode()))
    if not own:
        return []
    mentions = _read(islice(lines.mentioning(str(node).encode()), MAX_MENTIONS))
    # Names and hierarchies of all terms: by them a page puts statements into words and in order.
    found = dict.fromkeys([*own, *mentions, *_read(lines.beginning(f"<{CG}".encode()))])
    seen = {node, *(quad.subject for quad in found)} - {quad.subject for quad in mentions}
    waiting = list(dict.fromkeys(term for quad in (*own, *mentions) for term in _nodes(quad)))
    while waiting and len(seen) < _MAX_AROUND:
        term = waiting.pop(0)
        if term in seen:
            continue
        seen.add(term)
        about = _read(lines.beginning(f"{term} ".encode()))
        found.update(dict.fromkeys(about))
        # A blank node has no page of its own: what it is made of belongs to what mentions it.
        waiting += [quad.object for quad in about if isinstance(quad.object, BlankNode)]
    return list(found)


def holds(release: Release, iri: str) -> bool:
    """Return whether a release says anything about a thing."""
    hashes = _subjects(str(release.path.parent), release.version, str(release.manifest["content_hash"]))
    wanted = _short_hash(f"<{iri}>".encode())
    place = bisect_left(hashes, wanted)
    return place < len(hashes) and hashes[place] == wanted


def open_lines(release: Release) -> SortedQuads:
    """Return the lines of a release; those that were asked for last stay open."""
    return _open(release.nquads, str(release.manifest["content_hash"]))


# The content hash is part of each key because a release may be redacted.
@lru_cache(maxsize=4)
def _open(path: Path, _content_hash: str) -> SortedQuads:
    return SortedQuads(path)


@lru_cache(maxsize=64)
def _subjects(root: str, version: str, _content_hash: str) -> array[int]:
    """Return the first eight bytes of the hash of every subject, sorted."""
    lines = find_release(Path(root), version).lines()
    subjects = (subject for subject, _ in groupby(lines, key=lambda line: line[: line.index(b" ")]))
    return array("Q", sorted({_short_hash(subject) for subject in subjects}))


def _short_hash(node: bytes) -> int:
    return int.from_bytes(sha256(node).digest()[:8], "big")


def _read(lines: Iterable[bytes]) -> list[Quad]:
    """Return the quads of lines, save those that describe the build."""
    quads = parse(b"".join(lines), format=RdfFormat.N_QUADS)
    return [quad for quad in quads if quad.graph_name not in _OF_THE_BUILD]


def _nodes(quad: Quad) -> Iterator[NamedNode | BlankNode]:
    for term in (quad.subject, quad.predicate, quad.object, quad.graph_name):
        if isinstance(term, NamedNode | BlankNode):
            yield term
