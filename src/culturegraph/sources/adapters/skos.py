"""A SKOS thesaurus in any RDF syntax, gzipped or not: its concepts, labels, notes and relations.

With `--option candidates=FILE` it also writes which of our concepts have a label of a foreign one: candidates for a
person to judge, never statements.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, parse

from culturegraph.errors import DataError, StorageError
from culturegraph.rdf.graphs import read_rdf, syntax_fault
from culturegraph.rdf.vocabulary import SKOS, TYPE, shrink
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.adapters.names import fold, is_damaged

_LABELS: Final = frozenset(SKOS + name for name in ("prefLabel", "altLabel", "hiddenLabel"))
_NOTES: Final = frozenset(SKOS + name for name in ("definition", "scopeNote", "example", "editorialNote", "notation"))
_RELATIONS: Final = frozenset(
    SKOS + name
    for name in (
        *("broader", "narrower", "related", "inScheme", "topConceptOf", "hasTopConcept"),
        *("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch"),
    )
)
_CLASSES: Final = frozenset(NamedNode(SKOS + name) for name in ("Concept", "ConceptScheme"))
_SSSOM: Final = (
    "subject_id", "subject_label", "predicate_id", "object_id", "object_label", "mapping_justification", "confidence",
    "comment",
)  # fmt: skip
# By language and folded label: the foreign concepts that have it.
_Index = dict[tuple[str, str], set[NamedNode]]


def _open(path: Path) -> tuple[IO[bytes], RdfFormat]:
    name = path.name.removesuffix(".gz")
    form = RdfFormat.from_extension(Path(name).suffix.lstrip("."))
    if form is None:
        raise DataError(
            "is of no RDF format known by its suffix (.ttl .rdf .nt .jsonld .nq .trig, or these .gz)", path.name
        )
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb"), form


def _triples(path: Path) -> Iterator[tuple[int, Triple]]:
    try:
        file, form = _open(path)
        with file:
            try:
                for number, quad in enumerate(parse(input=file, format=form, rename_blank_nodes=True), start=1):
                    yield number, quad.triple
            except SyntaxError as error:
                raise syntax_fault(error, form, path.name) from error
    except (OSError, EOFError) as error:
        raise StorageError(f"{path} cannot be read: {error}") from error


class _Reader:
    """Judges triples one by one; holds what is needed to know a concept's labels: one entry a label."""

    def __init__(self, job: Job, tally: Tally) -> None:
        self.graph, self.tally = NamedNode(job.source.graph), tally
        self.preferred: dict[tuple[NamedNode, str], str] = {}
        self.index: _Index = defaultdict(set)

    def read(self, number: int, triple: Triple) -> str | None:
        """Return the line of a triple that is carried over, else None: left out by kind, or rejected."""
        subject, predicate = triple.subject, triple.predicate.value
        if isinstance(subject, BlankNode) or isinstance(triple.object, BlankNode):
            self._leave_out(predicate, "with a blank node")
            return None
        if not isinstance(subject, NamedNode):
            self._leave_out(predicate, "about a triple")
            return None
        if triple.predicate == TYPE:
            if triple.object not in _CLASSES:
                self._leave_out(predicate, f"of {triple.object}")
                return None
            self.tally.rows += triple.object == NamedNode(SKOS + "Concept")
        elif predicate in _LABELS:
            if not isinstance(triple.object, Literal) or not self._label(number, subject, predicate, triple.object):
                return None
        elif predicate not in _NOTES and predicate not in _RELATIONS:
            self._leave_out(predicate, "")
            return None
        return f"{Quad(subject, triple.predicate, triple.object, self.graph)} .\n"

    def _leave_out(self, predicate: str, what: str) -> None:
        self.tally.noted[f"left out: {shrink(predicate)} {what}".strip()] += 1

    def _label(self, number: int, concept: NamedNode, predicate: str, label: Literal) -> bool:
        language, name = label.language or "", predicate.removeprefix(SKOS)
        fault = ""
        if not label.value.strip():
            fault = "is empty"
        elif is_damaged(" ".join(label.value.split())):
            fault = "has lost letters (? or U+FFFD stands for them)"
        elif not language:
            fault = "has no language"
        elif name == "prefLabel":
            first = self.preferred.setdefault((concept, language), label.value)
            fault = "is a second preferred label in its language" if first != label.value else ""
        if fault:
            self.tally.reject(number, f"skos:{name}", f"{fault} ({concept.value})", label.value, kind=f"{name} {fault}")
            return False
        self.index[language, fold(label.value)].add(concept)
        return True


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of the thesaurus; the row of a reject is the number of the triple in its file."""
    reader = _Reader(job, tally)
    for path in job.each_file(tally):
        for number, triple in _triples(path):
            line = reader.read(number, triple)
            if line is not None:
                yield line
    if job.options.get("candidates"):
        _write_candidates(job, Path(job.options["candidates"]), reader, tally)


def _ours(folder: Path) -> Iterator[tuple[NamedNode, Literal, set[NamedNode]]]:
    """Yield each label of our concepts with the foreign concepts that theirs is aligned to."""
    aligned: dict[NamedNode, set[NamedNode]] = defaultdict(set)
    labels = []
    for path in sorted([*(folder / "schemes").glob("*.ttl"), *(folder / "alignments").glob("*.ttl")]):
        for quad in read_rdf(path, NamedNode("urn:x-culturegraph:scheme")):
            if not isinstance(quad.subject, NamedNode):
                continue
            if quad.predicate.value.endswith("Match") and isinstance(quad.object, NamedNode):
                aligned[quad.subject].add(quad.object)
            elif quad.predicate.value in _LABELS and isinstance(quad.object, Literal):
                labels.append((quad.subject, quad.object))
    for concept, label in sorted(labels, key=str):
        yield concept, label, aligned[concept]


def _write_candidates(job: Job, path: Path, reader: _Reader, tally: Tally) -> None:
    """Write pairs of equal labels (folded, same language) as SSSOM, without those that are aligned already."""
    pairs: dict[tuple[NamedNode, NamedNode], list[Literal]] = defaultdict(list)
    for concept, label, aligned in _ours(job.ontology):
        for foreign in reader.index.get((label.language or "", fold(label.value)), ()):
            if foreign not in aligned:
                pairs[concept, foreign].append(label)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(_SSSOM)
        for (concept, foreign), labels in sorted(pairs.items(), key=str):
            language = labels[0].language or ""
            theirs = reader.preferred.get((foreign, language), "")
            agreed = ", ".join(sorted({label.language or "" for label in labels}))
            confidence = "0.9" if len({label.language for label in labels}) > 1 else "0.7"
            writer.writerow(
                [concept.value, labels[0].value, "skos:closeMatch", foreign.value, theirs, "semapv:LexicalMatching",
                 confidence, f"equal labels in {agreed}; not judged"]
            )  # fmt: skip
    tally.noted["match candidates written"] = len(pairs)
