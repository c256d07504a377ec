"""Links the other way: what of an authority file is a thing of ours, proposed, judged by a person, then a link.

    culturegraph link propose FILE|ENDPOINT -o proposals.tsv     every term that may be one of ours, as SSSOM
    culturegraph link accept proposals.tsv --authority … --source …   rows whose verdict is `accepted` → data/links.csv

An authority file is SKOS (any RDF syntax, or an endpoint that serves it), MARC 21 authority records (ISO 2709 or XML),
or a CSV with the columns `iri` and `label`.
Nothing is linked unseen: a proposal is a candidate until somebody writes `accepted` behind it.

Source: SSSOM, A Simple Standard for Sharing Ontological Mappings (TSV serialisation).
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.errors import DataError, DataErrors, StorageError, UsageError
from culturegraph.files import write_whole
from culturegraph.protocols.reconciliation.matching import Candidate, Query, Reconciler, Strictness
from culturegraph.rdf.graphs import GRAPH, read_rdf
from culturegraph.rdf.spreadsheets import guard, unguard
from culturegraph.rdf.vocabulary import BASE, RDFS, SKOS
from culturegraph.worklists.spreadsheets import read_sheet

COLUMNS: Final = (
    "subject_id", "subject_label", "predicate_id", "object_id", "object_label", "mapping_justification", "confidence",
    "verdict", "comment",
)  # fmt: skip
VERDICTS: Final = ("", "accepted", "rejected")
MATCHES: Final = ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")
LINKS: Final = ("subject", "match", "object", "authority", "source", "note_editorial")
_LABELS: Final = frozenset(SKOS + name for name in ("prefLabel", "altLabel", "hiddenLabel")) | {RDFS + "label"}
_WEB: Final = re.compile(r"https?://[^\s\"<>{}|\\^`]+")
_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Headings and the names seen from, of persons, bodies, meetings, titles, subjects, places, genres.
_HEADINGS: Final = ("100", "110", "111", "130", "150", "151", "155")
_SEEN_FROM: Final = ("400", "410", "411", "430", "450", "451", "455")
_LEAST_SCORE: Final = 75.0


@dataclass(frozen=True)
class Term:
    """A term of an authority file with all its labels, the preferred first."""

    iri: str
    labels: tuple[str, ...]


def read_authority(source: str, left_out: list[str] | None = None) -> list[Term]:
    """Read the terms of a SKOS file, a MARC file, a CSV, or an endpoint. Raises DataError or StorageError.

    `left_out` is told of each MARC record that cannot be used, and why.
    """
    if source.startswith(("http://", "https://")):
        # Only here: the extra `build` brings the client.
        from culturegraph.sources.endpoint import fetch

        return _terms(fetch(source))
    path = Path(source)
    if _is_marc(path):
        return list(_marc_terms(path, [] if left_out is None else left_out))
    if path.suffix.lower() not in (".csv", ".tsv", ".xlsx"):
        return _terms(read_rdf(path, NamedNode(GRAPH + "authority")))
    sheet = read_sheet(path)
    iri, label = sheet.column("iri", path.name), sheet.column("label", path.name)
    named: dict[str, list[str]] = defaultdict(list)
    for number, row in enumerate(sheet.rows, start=2):
        if not _WEB.fullmatch(row[iri]):
            raise DataError(f"{row[iri]!r} is no web address", path.name, number, "iri")
        named[row[iri]].append(row[label])
    return [Term(key, tuple(filter(None, labels))) for key, labels in named.items()]


def _is_marc(path: Path) -> bool:
    """Return whether a file holds MARC records: by its suffix, or (XML may be RDF too) by its namespace."""
    if path.suffix.lower() in (".mrc", ".marc", ".marcxml"):
        return True
    if path.suffix.lower() != ".xml" or not path.is_file():
        return False
    with path.open("rb") as file:
        return b"MARC21/slim" in file.read(4096)


def _marc_terms(path: Path, left_out: list[str]) -> Iterator[Term]:
    # Only here: the extra `build` brings what reads MARC.
    from culturegraph.sources.adapters.marc_files import Broken, read_marc

    for number, record in read_marc(path):
        if isinstance(record, Broken):
            left_out.append(f"{path.name}:{number} {record.reason}")
            continue
        numbers = [value for field in record.get_fields("024") for value in field.get_subfields("a", "0", "1")]
        address = next((value for value in numbers if _WEB.fullmatch(value)), None)
        fields = [*record.get_fields(*_HEADINGS), *record.get_fields(*_SEEN_FROM)]
        labels = [" ".join(field.get_subfields("a", "q", "c")).strip(" ,.") for field in fields]
        if address is None or not any(labels):
            wanted = "a heading" if address else "a web address in field 024"
            left_out.append(f"{path.name}:{number} has not {wanted}")
            continue
        yield Term(address, tuple(dict.fromkeys(filter(None, labels))))


def _terms(quads: Iterable[Quad]) -> list[Term]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for quad in sorted(quads, key=lambda quad: (quad.predicate.value != SKOS + "prefLabel", str(quad))):
        if quad.predicate.value in _LABELS and isinstance(quad.subject, NamedNode) and isinstance(quad.object, Literal):
            found[quad.subject.value][quad.object.value] = None
    return [Term(iri, tuple(labels)) for iri, labels in sorted(found.items())]


def propose(
    terms: Sequence[Term],
    reconciler: Reconciler,
    types: tuple[str, ...],
    known: Iterable[tuple[str, str]] = (),
    progress: Callable[[int, int], None] = lambda _d, _t: None,
) -> list[dict[str, str]]:
    """Return a proposal for each term that may be one of ours; `known` pairs (ours, theirs) are left out."""
    unknown = [name for name in types if reconciler.schema.find_class(name) is None]
    if unknown:
        raise UsageError(f"there is no type {unknown[0]!r}")
    classes = tuple(iri for name in types if (iri := reconciler.schema.find_class(name)))
    linked, proposals = set(known), []
    for done, term in enumerate(terms, start=1):
        best = _best(term, reconciler, classes)
        if best is not None and (best.iri, term.iri) not in linked:
            proposals.append(_to_row(term, best, reconciler))
        progress(done, len(terms))
    return sorted(proposals, key=lambda row: (-float(row["confidence"]), row["subject_id"], row["object_id"]))


def _best(term: Term, reconciler: Reconciler, classes: tuple[str, ...]) -> Candidate | None:
    """Return the likeliest thing of all labels; none where two labels surely mean two things."""
    strictness: Strictness = "any" if classes else "should"
    found = [
        candidate for label in term.labels for candidate in reconciler.find(Query(label, classes, strictness, limit=1))
    ]
    if len({candidate.iri for candidate in found if candidate.match}) > 1:
        return None
    best = max(found, key=lambda candidate: (candidate.match, candidate.score), default=None)
    return best if best is not None and (best.match or best.score >= _LEAST_SCORE) else None


def _to_row(term: Term, best: Candidate, reconciler: Reconciler) -> dict[str, str]:
    sure = "safe by the rule of the service" if best.match else "to be looked at: not safe by the rule of the service"
    return {
        "subject_id": best.iri,
        "subject_label": reconciler.schema.name(best.iri, "es"),
        "predicate_id": "skos:exactMatch" if best.match else "skos:closeMatch",
        "object_id": term.iri,
        "object_label": term.labels[0],
        "mapping_justification": "semapv:LexicalMatching",
        "confidence": f"{best.score / 100:.2f}",
        "verdict": "",
        "comment": sure,
    }


def write_proposals(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write proposals as an SSSOM TSV that a spreadsheet opens."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([guard(row[column]) for column in COLUMNS] for row in rows)
    write_whole(path, out.getvalue().encode())


def read_known(path: Path) -> list[tuple[str, str]]:
    """Return the pairs (ours, theirs) that the table of links has already."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [(BASE + row["subject"], row["object"]) for row in csv.DictReader(file)]
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def accept(proposals: Path, links: Path, authority: str, source: str) -> tuple[int, int]:
    """Add the accepted proposals to the table of links; return how many were added and how many it had already.

    Raises DataErrors with every row that cannot be a link; then nothing is added.
    """
    for name, value in (("authority", authority), ("source", source)):
        if not _ID.fullmatch(value):
            raise UsageError(f"--{name}: an id of lower-case letters, digits and hyphens, not {value!r}")
    rows, errors = _read_accepted(proposals)
    if errors:
        raise DataErrors(errors)
    known = set(read_known(links))
    new = [row for row in rows if (row[0], row[2]) not in known]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(
        (ours.removeprefix(BASE), match, theirs, authority, source, "") for ours, match, theirs in new
    )
    text = links.read_text(encoding="utf-8")
    write_whole(links, (text + ("" if text.endswith("\n") else "\n") + out.getvalue()).encode())
    return len(new), len(rows) - len(new)


def _read_accepted(path: Path) -> tuple[list[tuple[str, str, str]], list[DataError]]:
    sheet = read_sheet(path)
    places = {name: sheet.column(name, path.name) for name in ("subject_id", "predicate_id", "object_id", "verdict")}
    accepted: dict[tuple[str, str, str], None] = {}
    errors = []
    for number, row in enumerate(sheet.rows, start=2):
        ours, match, theirs, verdict = (unguard(row[place]).strip() for place in places.values())
        match = match.removeprefix("skos:").removeprefix(SKOS)
        if verdict not in VERDICTS:
            errors.append(DataError(f"{verdict!r} is no verdict (accepted, rejected)", path.name, number, "verdict"))
        elif verdict == "accepted":
            if not ours.startswith(BASE):
                errors.append(DataError(f"{ours!r} is none of ours", path.name, number, "subject_id"))
            elif match not in MATCHES:
                errors.append(DataError(f"{match!r} is no match of SKOS", path.name, number, "predicate_id"))
            elif not _WEB.fullmatch(theirs):
                errors.append(DataError(f"{theirs!r} is no web address", path.name, number, "object_id"))
            else:
                accepted[ours, match, theirs] = None
    return list(accepted), errors
