"""Publishing a snapshot to a store on another server: a new generation, graph by graph, verified, then read.

    1. write down, in the store, that the generation is under way (`UNDERWAY`)
    2. load every graph under its name in the generation, the merge last, in pieces
    3. read every graph back: number of triples and hash must be those of the snapshot
    4. replace the one triple that says which generation is read
    5. remove generations that nobody keeps, finished or not

Until step 4 readers see the generation before. A cut at any point leaves a generation that is not read; publishing
again goes on with it: graphs that are whole are left, a graph under way goes on behind the last piece that the store
acknowledged (kept in a file beside the snapshots; without it the graph is loaded anew).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, Triple, serialize

from culturegraph.errors import StorageError, UpstreamError
from culturegraph.files import writing
from culturegraph.rdf.vocabulary import BASE
from culturegraph.settings import Settings
from culturegraph.store.remote.generation import (
    MERGE,
    POINTER,
    RDF_VALUE,
    Generation,
    GraphRecord,
    Pointer,
    identify,
    is_identity,
    name_graph,
    prefix,
    read_pointer,
    read_record,
    write_pointer,
    write_record,
)
from culturegraph.store.remote.graph_store import Addresses, GraphStore, find_graph_store
from culturegraph.store.remote.reading import select, write_term
from culturegraph.store.remote.upstream import Endpoint, unhurried
from culturegraph.store.snapshot import Snapshot, open_current

UNDERWAY: Final = BASE + "generation/underway"
_GEOMETRY: Final = "^^<http://www.opengis.net/ont/geosparql#wktLiteral>"
_DECIMAL: Final = "^^<http://www.w3.org/2001/XMLSchema#decimal>"
_FRACTION: Final = re.compile(r'(?<=")-?\d+\.\d+(?="\^\^)')
_SPACED: Final = re.compile(r"\s*([(),])\s*")
# A number that is followed by another, a comma or a bracket.
_COORDINATE: Final = re.compile(r"-?\d+\.\d+(?=[ ,)])")
# What names a record among the graphs of a generation.
_RECORD: Final = BASE + "record"
# Characters of a literal.
_PART: Final = 4_000
# Triples normalised at once when a graph is read back.
_BATCH: Final = 50_000

Progress = Callable[[str], AbstractContextManager[None]]


@dataclass
class Published:
    """What publishing did: the generation, triples sent and found there before, graphs removed."""

    generation: str
    was_current: bool = False
    triples: int = 0
    sent: int = 0
    resumed: bool = False
    removed: int = 0
    graphs: dict[str, GraphRecord] = field(default_factory=dict)


def _round(coordinate: re.Match[str]) -> str:
    """Return a number to nine places (a tenth of a millimetre, in degrees), which every engine keeps."""
    return f"{float(coordinate[0]):.9f}".rstrip("0").rstrip(".")


class GraphHash:
    """Number and hash of a set of triples in any order: the sum of the SHA-256 of their canonical N-Triples.

    Literals are taken in the form that the embedded engine gives them, so that 4.0 and 4 are equal decimals, and
    decimals and coordinates to nine places: engines write the same value in different ways.
    """

    def __init__(self) -> None:
        self.triples, self._sum = 0, 0

    def add(self, triple: Triple) -> None:
        """Take in a triple."""
        self.triples += 1
        text = str(triple)
        if _GEOMETRY in text:
            text = _COORDINATE.sub(_round, _SPACED.sub(r"\1", text))
        elif text.endswith(_DECIMAL):
            text = _FRACTION.sub(_round, text)
        self._sum += int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")

    def record(self) -> GraphRecord:
        """Return number and hash."""
        return GraphRecord(self.triples, f"{self._sum % (1 << 256):064x}")


def publish(
    snapshot: Snapshot,
    endpoint: Endpoint,
    writer: GraphStore,
    state: Path,
    *,
    keep: int = 2,
    progress: Progress = lambda _: nullcontext(),
) -> Published:
    """Publish a snapshot; the generation before stays, for readers that are on it, and so do `keep` in all.

    `state` is the folder of the notes by which a cut publication goes on. Raises UpstreamError where the store refuses
    or does not hold what it was given: it is then read as before.
    """
    identity = identify(snapshot.manifest)
    before = find_pointer(endpoint)
    if before is not None and before.current == identity:
        return Published(identity, was_current=True)
    notes = _Notes.read(state / f"{_short(endpoint.address)}-{identity}.json")
    underway = _find_underway(endpoint)
    done = Published(identity, resumed=identity in underway)
    graphs = [*snapshot.manifest["quads_by_graph"], MERGE]
    counts = {graph: GraphRecord(_expected(snapshot, graph), "") for graph in graphs}
    _write_text(writer, name_graph(identity, _RECORD), write_record(_describe(identity, snapshot, counts)))
    _write_text(writer, UNDERWAY, json.dumps([*sorted(underway | {identity})]))
    there = _count(endpoint, identity, graphs)
    for number, graph in enumerate(graphs, 1):
        with progress(f"load {number}/{len(graphs)}: {graph or 'merge'}"):
            done.sent += _load(snapshot, writer, notes, graph, there.get(graph, 0))
    for number, graph in enumerate(graphs, 1):
        with progress(f"verify {number}/{len(graphs)}: {graph or 'merge'}"):
            done.graphs[graph] = _verify(snapshot, endpoint, notes, graph)
    done.triples = sum(record.triples for record in done.graphs.values())
    with progress("switch"):
        _write_text(writer, name_graph(identity, _RECORD), write_record(_describe(identity, snapshot, done.graphs)))
        kept = [each for each in (before.generations if before else ()) if each != identity][: max(keep, 1) - 1]
        pointer = Pointer(identity, (identity, *kept))
        _switch(endpoint, writer, pointer)
    with progress("remove what is not kept"):
        superfluous = {*(before.generations if before else ()), *underway} - {identity, *kept}
        done.removed = sum(_remove(endpoint, writer, each) for each in sorted(superfluous))
        writer.drop(UNDERWAY)
    notes.path.unlink(missing_ok=True)
    return done


def publish_everywhere(
    settings: Settings, addresses: Addresses, *, keep: int = 2, progress: Progress = lambda _: nullcontext()
) -> list[tuple[str, Published]]:
    """Publish the published snapshot of a folder to every endpoint of the settings, one after the other."""
    snapshot, made = open_current(settings.store), []
    for address in settings.endpoints:
        endpoint = Endpoint(address, unhurried(settings))
        try:
            with progress(f"find the graph store of {address}"):
                writer = find_graph_store(endpoint, addresses)
            done = publish(snapshot, endpoint, writer, settings.store / "publishing", keep=keep, progress=progress)
        finally:
            endpoint.close()
        made.append((address, done))
    return made


def write_generation(snapshot: Snapshot, path: Path) -> int:
    """Write the quads of a generation as N-Quads; return how many."""
    total = sum(snapshot.manifest["quads_by_graph"].values()) + snapshot.triples
    with writing(path) as file:
        serialize(generation_quads(snapshot), file, RdfFormat.N_QUADS)
    return int(total)


def find_pointer(endpoint: Endpoint, patience: float | None = None) -> Pointer | None:
    """Return what a store says of its generations; None where it holds none."""
    rows = select(endpoint, f"SELECT ?told {{ <{POINTER}> <{RDF_VALUE}> ?told }}", [POINTER], patience)
    return read_pointer([row[0].value for row in rows if row[0] is not None])


def find_generation(endpoint: Endpoint, identity: str) -> Generation:
    """Return what a store tells of a generation. Raises UpstreamError where it tells nothing, or half of it."""
    return read_record(identity, _read_text(endpoint, name_graph(identity, _RECORD)))


def generation_quads(snapshot: Snapshot) -> Iterator[Quad]:
    """Yield the quads of a snapshot as they lie in a store, for an engine's own bulk loader.

    Loaded so, a generation is published by publishing: nothing is sent again, all is verified.
    """
    identity = identify(snapshot.manifest)
    for graph in [*snapshot.manifest["quads_by_graph"], MERGE]:
        name = NamedNode(name_graph(identity, graph))
        for triple in _triples(snapshot, graph):
            yield Quad(triple.subject, triple.predicate, triple.object, name)


def _describe(identity: str, snapshot: Snapshot, graphs: Mapping[str, GraphRecord]) -> Generation:
    return Generation(identity, {key: told for key, told in snapshot.manifest.items() if key != "files"}, dict(graphs))


def _triples(snapshot: Snapshot, graph: str) -> Iterator[Triple]:
    """Yield the triples of a graph as they are published, always in the same order."""
    name = NamedNode(graph) if graph else DefaultGraph()
    for quad in snapshot.store.quads_for_pattern(None, None, None, name):
        yield Triple(write_term(quad.subject), quad.predicate, write_term(quad.object))


@dataclass
class _Notes:
    """How far a publication is: by graph, the triples that the store has acknowledged."""

    path: Path
    sent: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> _Notes:
        try:
            told = json.loads(path.read_bytes())
            return cls(path, {str(graph): int(count) for graph, count in told.items()})
        except (OSError, ValueError, AttributeError):
            return cls(path, {})

    def note(self, graph: str, sent: int) -> None:
        """Write down how many triples of a graph are there; 0 says that it must be loaded anew."""
        self.sent[graph] = sent
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self.path.with_suffix(".partial")
            partial.write_text(json.dumps(self.sent), encoding="utf-8")
            partial.replace(self.path)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error.strerror}") from error


def _expected(snapshot: Snapshot, graph: str) -> int:
    return int(snapshot.manifest["quads_by_graph"][graph]) if graph else snapshot.triples


def _load(snapshot: Snapshot, writer: GraphStore, notes: _Notes, graph: str, there: int) -> int:
    """Send what a graph lacks of which the store holds `there` triples; return how many triples were sent."""
    name = name_graph(identify(snapshot.manifest), graph)
    begun = notes.sent.get(graph, 0)
    if there == _expected(snapshot, graph) and notes.sent.get(graph) != 0:
        return 0  # From before the cut, or by a bulk loader; whether it is right is verified like everything.
    if there < begun:
        begun = 0  # The store lost what it had acknowledged.
    sent = 0
    triples = islice(_triples(snapshot, graph), begun, None)
    while piece := list(islice(triples, writer.piece)):
        data = "".join(f"{triple} .\n" for triple in piece).encode()
        if begun + sent == 0:
            writer.replace(name, data)
        else:
            writer.add(name, data)
        sent += len(piece)
        if len(piece) == writer.piece:  # The small graphs are counted instead.
            notes.note(graph, begun + sent)
    return sent


def _count(endpoint: Endpoint, identity: str, graphs: Sequence[str]) -> dict[str, int]:
    """Return how many triples each graph of a generation holds already."""
    own = {name_graph(identity, graph): graph for graph in graphs}
    query = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    counts = {}
    for name, number in select(endpoint, query, [prefix(identity) + "none"], named=list(own)):
        # A store may look beyond the graphs that it was told.
        if name is not None and name.value in own:
            counts[own[name.value]] = int(number.value)
    return counts


def _verify(snapshot: Snapshot, endpoint: Endpoint, notes: _Notes, graph: str) -> GraphRecord:
    """Read a graph back and compare it with the snapshot. Raises UpstreamError, which names what differs."""
    here, there = GraphHash(), GraphHash()
    for triple in _triples(snapshot, graph):
        here.add(triple)
    name = name_graph(identify(snapshot.manifest), graph)
    rows = select(endpoint, "SELECT ?s ?p ?o { ?s ?p ?o }", [name])
    for triple in _normalised(rows):
        there.add(triple)
    if here.record() == there.record():
        return here.record()
    notes.note(graph, 0)
    found = set(_normalised(select(endpoint, "SELECT ?s ?p ?o { ?s ?p ?o }", [name])))
    lacks = next((triple for triple in _triples(snapshot, graph) if triple not in found), None)
    held = set(_triples(snapshot, graph))
    added = next((triple for triple in found if triple not in held), None)
    raise UpstreamError(
        f"the store does not hold <{graph or 'the merge'}> as it was sent: {there.triples:,} triples of "
        f"{here.triples:,}; it lacks {lacks or 'none'}, it has besides {added or 'none'}. Nothing was switched; "
        "publish again to load the graph anew"
    )


def _normalised(rows: Iterable[tuple[Any, ...]]) -> Iterator[Triple]:
    """Yield rows as triples whose literals have the form that the embedded engine gives them."""
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        store = Store()
        store.bulk_extend(Quad(*(write_term(term) for term in row)) for row in batch)
        for quad in store:
            yield quad.triple


def _switch(endpoint: Endpoint, writer: GraphStore, pointer: Pointer) -> None:
    """Replace the triple that says which generation is read, and see that it is so."""
    writer.replace(POINTER, f"<{POINTER}> <{RDF_VALUE}> {Literal(write_pointer(pointer))} .\n".encode())
    there = find_pointer(endpoint)
    if there is None or there.current != pointer.current:
        raise UpstreamError(f"the store took the switch to generation {pointer.current}, but does not tell of it")


def _remove(endpoint: Endpoint, writer: GraphStore, identity: str) -> int:
    """Remove the graphs of a generation, finished or not; return how many."""
    try:
        graphs = [*find_generation(endpoint, identity).graphs]
    except UpstreamError:
        graphs = []  # Cut off before anything was loaded.
    for graph in (*graphs, _RECORD):
        writer.drop(name_graph(identity, graph))
    return len(graphs)


def _find_underway(endpoint: Endpoint) -> frozenset[str]:
    """Return the generations that were begun and never finished."""
    try:
        return frozenset(filter(is_identity, map(str, json.loads(_read_text(endpoint, UNDERWAY)))))
    except (ValueError, TypeError):
        return frozenset()


def _write_text(writer: GraphStore, graph: str, text: str) -> None:
    """Write a text into a graph in parts: Virtuoso refuses long literals."""
    parts = [text[start : start + _PART] for start in range(0, len(text), _PART)]
    lines = (f"<{graph}#{number:06}> <{RDF_VALUE}> {Literal(part)} .\n" for number, part in enumerate(parts))
    writer.replace(graph, "".join(lines).encode())


def _read_text(endpoint: Endpoint, graph: str) -> str:
    rows = select(endpoint, f"SELECT ?part ?text {{ ?part <{RDF_VALUE}> ?text }}", [graph])
    return "".join(text for _, text in sorted((part.value, text.value) for part, text in rows))


def _short(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:12]
