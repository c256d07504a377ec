"""What two releases do not share: statements added and removed, by source and by the thing they are about.

Both sides are sorted, canonical N-Quads, so one pass over the two at once finds the differences with a few lines in
memory, whatever their size. A file that is not sorted is sorted first, in runs on disk.

Source: W3C RDF Dataset Canonicalization (RDFC-1.0); RDF Patch (https://afs.github.io/rdf-delta/rdf-patch.html).
"""

from __future__ import annotations

import gzip
import heapq
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal
from urllib.parse import quote

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, parse, serialize

from culturegraph.errors import StorageError, UsageError
from culturegraph.rdf.blank_nodes import settle
from culturegraph.rdf.canonical import canonicalise, to_nquads
from culturegraph.rdf.graphs import CATALOGUE, VALIDATION, syntax_fault
from culturegraph.rdf.vocabulary import BASE, DCTERMS, PREFIXES, TYPE
from culturegraph.releases.folder import find_release, read_lines
from culturegraph.releases.ontology_changes import (
    OntologyChanges,
    compare_ontologies,
    is_of_ontology,
    ontology_quads,
)

Sign = Literal["+", "-"]
Change = tuple[Sign, bytes]

ADDED: Final = "urn:x-culturegraph:added"
REMOVED: Final = "urn:x-culturegraph:removed"
# They describe a build and differ in every one.
_OF_THE_BUILD: Final = tuple(b" <%s> .\n" % graph.value.encode() for graph in (CATALOGUE, VALIDATION))
_RUN: Final = 100_000


def compare(before: Iterable[bytes], after: Iterable[bytes]) -> Iterator[Change]:
    """Yield the lines that only one side has, in their order: "-" where only `before` has it, "+" where only `after`.

    Both are sorted by bytes, without a line twice. What describes the build itself is left out.
    """
    old, new = (filter(_is_of_the_graph, side) for side in (before, after))
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        if left == right:
            left, right = next(old, None), next(new, None)
        elif right is None or (left is not None and left < right):
            assert left is not None
            yield "-", left
            left = next(old, None)
        else:
            yield "+", right
            right = next(new, None)


def compare_settled(before: Iterable[bytes], after: Iterable[bytes]) -> Iterator[Change]:
    """Yield what `compare` yields, save that blank nodes are the same where they are made of the same.

    Lines with blank nodes are held in memory and come last.
    """
    old: list[bytes] = []
    new: list[bytes] = []
    yield from compare(_set_aside(before, old), _set_aside(after, new))
    yield from compare(_settle(old), _settle(new))


def _set_aside(lines: Iterable[bytes], blank: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        if b"_:" in line and (line.startswith(b"_:") or line.split(b" ", 2)[2].startswith(b"_:")):
            blank.append(line)
        else:
            yield line


def _settle(lines: Iterable[bytes]) -> Iterator[bytes]:
    quads = settle(parse(b"".join(lines), format=RdfFormat.N_QUADS))
    return iter(to_nquads(quads).splitlines(keepends=True))


def _is_of_the_graph(line: bytes) -> bool:
    return not line.endswith(_OF_THE_BUILD)


@contextmanager
def sorted_lines(path: Path) -> Iterator[Iterator[bytes]]:
    """Give the lines of any N-Quads or TriG file, canonical and sorted, with flat memory where it has no blank nodes.

    Raises DataError, located, where it does not parse, UsageError where it is of another format, StorageError where it
    cannot be read.
    """
    name = path.name.removesuffix(".gz")
    fmt = RdfFormat.from_extension(name.rpartition(".")[2])
    if fmt is None or not fmt.supports_datasets:
        raise UsageError(f"{path.name} is neither a release, nor N-Quads (.nq, .nq.gz), nor TriG (.trig)")
    with tempfile.TemporaryDirectory() as folder:
        runs: list[Path] = []
        blank: list[Quad] = []
        stream = _parse(path, fmt, blank)
        while batch := list(islice(stream, _RUN)):
            runs.append(Path(folder, str(len(runs))))
            runs[-1].write_bytes(to_nquads(batch))
        runs.append(Path(folder, "blank"))
        runs[-1].write_bytes(to_nquads(canonicalise(blank)))
        yield _unique(heapq.merge(*map(read_lines, runs)))


def _parse(path: Path, fmt: RdfFormat, blank: list[Quad]) -> Iterator[Quad]:
    """Yield the quads without blank nodes; keep the others, which get their labels together."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            source: Any = file
            for quad in parse(source, format=fmt):
                if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
                    blank.append(quad)
                else:
                    yield quad
    except (OSError, EOFError) as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
    except SyntaxError as error:
        raise syntax_fault(error, fmt, path.name) from error


def _unique(lines: Iterable[bytes]) -> Iterator[bytes]:
    last = None
    for line in lines:
        if line != last:
            yield line
        last = line


@dataclass
class Summary:
    """How many statements were added and removed, in all and by graph, and about which things."""

    added: int = 0
    removed: int = 0
    added_by_graph: Counter[str] = field(default_factory=Counter)
    removed_by_graph: Counter[str] = field(default_factory=Counter)
    added_by_subject: Counter[str] = field(default_factory=Counter)
    removed_by_subject: Counter[str] = field(default_factory=Counter)
    ontology: OntologyChanges | None = None

    def count(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Yield the changes again, counting them."""
        for change in changes:
            sign, line = change
            subject, graph = _subject(line), _graph(line)
            if sign == "+":
                self.added += 1
                self.added_by_graph[graph] += 1
                self.added_by_subject[subject] += 1
            else:
                self.removed += 1
                self.removed_by_graph[graph] += 1
                self.removed_by_subject[subject] += 1
            yield change

    def record(self) -> dict[str, Any]:
        """Return the counts for machines."""
        return {
            "added": self.added,
            "removed": self.removed,
            "by_graph": [{"graph": name, "added": a, "removed": r} for name, a, r in self.by_graph()],
            "by_subject": [{"subject": name, "added": a, "removed": r} for name, a, r in self.by_subject()],
            **({"ontology": self.ontology.record()} if self.ontology else {}),
        }

    def to_text(self, rows: int = 30) -> str:
        """Return the counts for people, the most changed first."""
        lines = [f"{self.added:,} added, {self.removed:,} removed"]
        for title, counted in (("by graph", self.by_graph()), ("by thing", self.by_subject())):
            lines += [f"{title}:", *(f"  +{a:<8,} -{r:<8,} {name}" for name, a, r in counted[:rows])]
            if len(counted) > rows:
                lines.append(f"  … and {len(counted) - rows:,} more")
        if self.ontology is not None:
            lines.append(self.ontology.to_text())
        return "\n".join(lines)

    def by_graph(self) -> list[tuple[str, int, int]]:
        """Return graph, added and removed, most changed first."""
        return _rows(self.added_by_graph, self.removed_by_graph)

    def by_subject(self) -> list[tuple[str, int, int]]:
        """Return thing, added and removed, most changed first."""
        return _rows(self.added_by_subject, self.removed_by_subject)


def _rows(added: Counter[str], removed: Counter[str]) -> list[tuple[str, int, int]]:
    names = added.keys() | removed.keys()
    return sorted(((name, added[name], removed[name]) for name in names), key=lambda row: (-row[1] - row[2], row[0]))


def _subject(line: bytes) -> str:
    # Structures without a name are counted together.
    return "_:" if line.startswith(b"_:") else line.split(b" ", 1)[0].strip(b"<>").decode()


def _graph(line: bytes) -> str:
    last = line[:-3].rsplit(b" ", 1)[-1]
    # A literal may end in a space and a word, but never in ">" after a space and "<", unless it is a graph.
    return last.strip(b"<>").decode() if last.startswith(b"<") and line.count(b" ") > 3 else ""


def to_patch(changes: Iterable[Change]) -> Iterator[bytes]:
    """Yield an RDF patch that turns the first graph into the second: TX, then D and A lines, then TC."""
    yield b"TX .\n"
    for sign, line in changes:
        yield (b"A " if sign == "+" else b"D ") + line
    yield b"TC .\n"


def to_trig(changes: Iterable[Change]) -> bytes:
    """Return the changes as TriG: for each graph, one of what was added to it and one of what was removed from it.

    The default graph says which is which: `a <urn:x-culturegraph:added> ; dcterms:source <graph>`.
    """
    quads: list[Quad] = []
    for sign, line in changes:
        kind = ADDED if sign == "+" else REMOVED
        for quad in parse(line, format=RdfFormat.N_QUADS):
            graph = getattr(quad.graph_name, "value", "")
            name = NamedNode(f"{kind}:{quote(graph.removeprefix(BASE), safe='/')}")
            quads.append(Quad(quad.subject, quad.predicate, quad.object, name))
            quads.append(Quad(name, TYPE, NamedNode(kind)))
            quads += [Quad(name, NamedNode(DCTERMS + "source"), NamedNode(graph))] if graph else []
    prefixes = {name: iri for name, iri in PREFIXES.items() if name in ("cg", "rdfs", "skos", "dcterms", "owl", "xsd")}
    ordered = sorted(dict.fromkeys(quads), key=lambda quad: (str(quad.graph_name), str(quad)))
    return serialize(ordered, format=RdfFormat.TRIG, prefixes=prefixes) or b""


def write_changes(
    changes: Iterable[Change], form: str, target: IO[bytes], ontologies: Ontologies | None = None
) -> None:
    """Write changes as "patch" (streamed), "trig", or as the counts of a summary: "json" or "text".

    Summaries also tell what changed in the ontology. Raises UsageError where the sides are of different ontologies.
    """
    if form == "patch":
        for line in to_patch(changes):
            target.write(line)
    elif form == "trig":
        target.write(to_trig(changes))
    else:
        summary = Summary()
        for _ in summary.count(changes):
            pass
        summary.ontology = ontologies.compare() if ontologies else None
        text = json.dumps(summary.record(), ensure_ascii=False, indent=1) if form == "json" else summary.to_text()
        target.write(f"{text}\n".encode())


@dataclass
class Ontologies:
    """The lines of the ontology of each side, once the changes have been gone through."""

    before: list[bytes] = field(default_factory=list)
    after: list[bytes] = field(default_factory=list)

    def compare(self) -> OntologyChanges:
        """Return what changed in the ontology. Raises UsageError where the sides are of two different ontologies."""
        return compare_ontologies(*(ontology_quads(lines) for lines in (self.before, self.after)))


@contextmanager
def changes_between(
    root: Path, before: str, after: str, *, literally: bool = False, ontologies: Ontologies | None = None
) -> Iterator[Iterator[Change]]:
    """Give the changes from one side to the other; each is a version below `root` or the path of a file.

    Blank nodes count by what they are made of, unless `literally`: then by their labels in the two files, which is
    what a patch of the first needs. `ontologies` is filled on the way.

    Raises NotFoundError (no such release), StorageError (no such file), and what `sorted_lines` raises.
    """
    with _lines(root, before) as old, _lines(root, after) as new:
        kept = ontologies or Ontologies()
        sides = _keep_ontology(old, kept.before), _keep_ontology(new, kept.after)
        yield compare(*sides) if literally else compare_settled(*sides)


def _keep_ontology(lines: Iterator[bytes], kept: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        if is_of_ontology(line):
            kept.append(line)
        yield line


@contextmanager
def _lines(root: Path, side: str) -> Iterator[Iterator[bytes]]:
    path = Path(side)
    if not path.is_file():
        if path.suffix in {".nq", ".trig", ".gz"}:
            raise StorageError(f"{side} cannot be read: there is no such file")
        yield find_release(root, side).lines()
        return
    with sorted_lines(path) as lines:
        yield lines
