"""The generations of a store: what their graphs are called, and the one triple that says which is read. Pure.

    {BASE}generation/{id}/merge               the default graph of a generation
    {BASE}generation/{id}/graph/source/one    its graph {BASE}graph/source/one
    {BASE}generation/{id}/other/{IRI}         a graph whose name is not ours, percent-encoded
    {BASE}generation/{id}/record              its manifest, number and hash of every graph: JSON, in parts
    {BASE}generation/current                  one triple: this IRI, rdf:value, which generations there are, as JSON

One literal, so that whoever reads it reads all of it or nothing of it; short, since Virtuoso refuses long ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import quote

from culturegraph.errors import UpstreamError
from culturegraph.rdf.vocabulary import BASE

POINTER: Final = BASE + "generation/current"
RDF_VALUE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#value"
FORMAT: Final = 1
# The merge among the names of graphs, as in a manifest.
MERGE: Final = ""


@dataclass(frozen=True)
class GraphRecord:
    """What a graph of a generation holds: the number of its triples, and their hash (`publishing.GraphHash`)."""

    triples: int
    hash: str


@dataclass(frozen=True)
class Generation:
    """One published generation: its id, the manifest of its snapshot, and its graphs by their own names."""

    id: str
    manifest: Mapping[str, Any]
    graphs: Mapping[str, GraphRecord]

    @property
    def named(self) -> Sequence[str]:
        """The names of its named graphs."""
        return [name for name in self.graphs if name != MERGE]


@dataclass(frozen=True)
class Pointer:
    """What a store says of itself: the generation that is read, and those that it holds, the newest first."""

    current: str
    generations: tuple[str, ...]


def identify(manifest: Mapping[str, Any]) -> str:
    """Return the id of the generation that a snapshot becomes: the same whenever it is published, or its rest."""
    told = {key: manifest.get(key) for key in ("version", "published", "content_hash", "triples", "quads_by_graph")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def is_identity(text: str) -> bool:
    """Say whether a text is the id of a generation."""
    return re.fullmatch("[0-9a-f]{16}", text) is not None


def prefix(identity: str) -> str:
    """Return what the names of all graphs of a generation begin with."""
    return f"{BASE}generation/{identity}/"


def name_graph(identity: str, graph: str) -> str:
    """Return what a graph (or MERGE) is called in a generation."""
    if graph == MERGE:
        return prefix(identity) + "merge"
    if graph.startswith(BASE):
        return prefix(identity) + graph.removeprefix(BASE)
    return f"{prefix(identity)}other/{quote(graph, safe='')}"


def write_pointer(pointer: Pointer) -> str:
    """Return a pointer as JSON."""
    return json.dumps({"format": FORMAT, "current": pointer.current, "generations": pointer.generations})


def read_pointer(texts: Sequence[str]) -> Pointer | None:
    """Return the pointer that a store holds, None where it holds none. Raises UpstreamError where it is none."""
    if not texts:
        return None
    if len(texts) > 1:
        raise UpstreamError(f"<{POINTER}> says {len(texts)} things at once; publish once more")
    try:
        told = json.loads(texts[0])
        if told["format"] != FORMAT:
            raise UpstreamError(f"the store was published by another version of culturegraph (format {told['format']})")
        pointer = Pointer(str(told["current"]), tuple(map(str, told["generations"])))
        if not all(map(is_identity, (pointer.current, *pointer.generations))):
            raise ValueError("not the ids of generations")
        return pointer
    except (ValueError, KeyError, TypeError) as error:
        raise UpstreamError(f"<{POINTER}> names no generation ({error}); publish once more") from error


def write_record(generation: Generation) -> str:
    """Return what is told of a generation as JSON."""
    return json.dumps(asdict(generation), ensure_ascii=False)


def read_record(identity: str, text: str) -> Generation:
    """Return what is told of a generation. Raises UpstreamError where it is not told, or not whole."""
    try:
        told = json.loads(text)
        graphs = {
            name: GraphRecord(int(graph["triples"]), str(graph["hash"])) for name, graph in told["graphs"].items()
        }
        if told["id"] != identity or MERGE not in graphs:
            raise ValueError("it is of another")
        return Generation(identity, dict(told["manifest"]), graphs)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamError(f"<{prefix(identity)}record> is not the record of a generation ({error})") from error


def choose_generation(pointers: Iterable[Pointer]) -> str | None:
    """Return the generation to read from several replicas: the one that most hold, of these the one most point to."""
    held: Counter[str] = Counter()
    current: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for pointer in pointers:
        current[pointer.current] += 1
        for age, identity in enumerate(pointer.generations):
            held[identity] += 1
            newest[identity] = min(age, newest.get(identity, age))
    return max(held, key=lambda each: (held[each], -newest[each], current[each]), default=None)
