"""What must not be shown: the rows of `restrictions.csv` in a folder outside the repository, and what they cover.

    thing,statement,text,level,role,date
    id/expression/…,,,restricted,community,2026-11-23      everything that names the thing, or says it is there
    ,2f9c…,,on-request,community,2026-11-23                one statement, by its hash
    ,,the words,restricted,community,2026-11-23            every text that contains the words

Levels: `open` and `labelled` are shown, `on-request` and `restricted` are not. `role` says who asked (never a person).

Owns what a restriction covers; the gate of the build and the redaction of releases ask here and nowhere else.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from culturegraph.errors import DataError, DataErrors, StorageError
from culturegraph.rdf.statements import STATEMENT, statement_hash
from culturegraph.rdf.vocabulary import BASE, CG, RDFS, TYPE
from culturegraph.sources.tables import Origin

FILE: Final = "restrictions.csv"
_COLUMNS: Final = ("thing", "statement", "text", "level", "role", "date")
_SHOWN: Final = frozenset({"open", "labelled"})
_HIDDEN: Final = frozenset({"on-request", "restricted"})
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SUBCLASS: Final = NamedNode(RDFS + "subClassOf")
# What says something of other things and is nothing without them.
_HANGING: Final = (CG + "Situation", CG + "EvidenceItem")


@dataclass(frozen=True)
class Restrictions:
    """What is hidden: IRIs of things and graphs, hashes of statements, words of texts."""

    things: frozenset[str] = frozenset()
    statements: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    # The row that says it, by what is hidden.
    rows: Mapping[str, int] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        return bool(self.things or self.statements or self.texts)

    def covers(self, quad: Quad) -> bool:
        """Return whether the quad must not be shown: it names a hidden thing or its part, is hidden, or says it."""
        terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        if any(isinstance(term, NamedNode) and self._names(term.value) for term in terms):
            return True
        value = quad.object
        if self.texts and isinstance(value, Literal) and any(text in value.value for text in self.texts):
            return True
        return bool(self.statements) and statement_hash(quad.triple) in self.statements

    def covers_subject(self, quad: Quad) -> bool:
        """Return whether the thing that the quad is about is hidden as a whole, or the source that says it."""
        about = (quad.subject, quad.graph_name)
        return any(isinstance(term, NamedNode) and self._names(term.value) for term in about)

    def _names(self, iri: str) -> bool:
        return iri in self.things or (iri.startswith(STATEMENT) and iri.removeprefix(STATEMENT) in self.statements)

    def marks(self) -> list[bytes]:
        """Return regular expressions of what must occur in no file that is shown: IRIs, hashes, words.

        An IRI is followed by nothing that would make it another's; words stand as they are, in JSON and in CSV.
        """
        things = {form for iri in self.things for form in (iri, iri.removeprefix(BASE))}
        forms = {form for text in self.texts for form in (text, json.dumps(text)[1:-1], text.replace('"', '""'))}
        forms |= {json.dumps(text, ensure_ascii=False)[1:-1] for text in self.texts}
        bounded = [re.escape(iri.encode()) + rb"(?![\w/-])" for iri in sorted(things)]
        return [*bounded, *(re.escape(text.encode()) for text in sorted(forms | self.statements))]

    def concluded(self, inferred: Iterable[Quad]) -> list[DataError]:
        """Return, located, the rows whose statement follows from others that are shown: to hide it is not enough."""
        message = "follows by a rule from what is shown: hide its premises (its page names them), not only itself"
        rows = {self.rows.get(statement_hash(quad.triple)) for quad in inferred if self.covers(quad)}
        return [DataError(message, FILE, row, "statement") for row in sorted(rows, key=str)]

    def idle(self, quads: Iterable[Quad]) -> list[DataError]:
        """Return, located, the rows that cover none of some quads: misspelt, or of something that is gone already."""
        waiting = {key: Restrictions(things=frozenset({key})) for key in self.things}
        waiting |= {key: Restrictions(statements=frozenset({key})) for key in self.statements}
        waiting |= {key: Restrictions(texts=(key,)) for key in self.texts}
        # What is hidden is little: only the quads that are covered at all are looked at one by one.
        for quad in filter(self.covers, quads):
            for key in [key for key, each in waiting.items() if each.covers(quad)]:
                del waiting[key]
        message = "hides nothing that the tables say now: misspelt, or gone already"
        return sorted((DataError(message, FILE, self.rows.get(key)) for key in waiting), key=str)


NOTHING: Final = Restrictions()


def spread(restrictions: Restrictions, quads: Sequence[Quad], origin: Mapping[Quad, Origin]) -> Restrictions:
    """Return the restrictions with what hangs on what they hide, so that no fragment of it stays.

    A situation or a piece of evidence that names a hidden thing is hidden whole; so is a thing that nothing says what
    it is any more. `quads` have the ontology among them.
    """
    if not restrictions:
        return restrictions
    hanging = _find_hanging(quads)
    typed = {quad.subject for quad in quads if quad.predicate == TYPE}
    while True:
        things = {
            quad.subject.value
            for quad in quads
            if quad.subject in hanging
            and isinstance(quad.subject, NamedNode)
            and isinstance(quad.object, NamedNode)
            and quad.object.value in restrictions.things
        }
        left = {quad.subject for quad in open_gate(quads, restrictions, origin) if quad.predicate == TYPE}
        things |= {subject.value for subject in typed - left if isinstance(subject, NamedNode)}
        if things <= restrictions.things:
            return restrictions
        restrictions = replace(restrictions, things=restrictions.things | things)


def _find_hanging(quads: Sequence[Quad]) -> set[NamedNode | BlankNode | Triple]:
    """Return what has a class that says something of other things: below Situation or EvidenceItem."""
    below: dict[str, set[str]] = defaultdict(set)
    for quad in quads:
        if quad.predicate == _SUBCLASS and isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode):
            below[quad.object.value].add(quad.subject.value)
    classes, waiting = set[str](), list(_HANGING)
    while waiting:
        name = waiting.pop()
        if name not in classes:
            classes.add(name)
            waiting += below[name]
    return {q.subject for q in quads if q.predicate == TYPE and getattr(q.object, "value", "") in classes}


def open_gate(quads: Iterable[Quad], restrictions: Restrictions, origin: Mapping[Quad, Origin]) -> list[Quad]:
    """Return the quads that may be shown: none that is covered, and none of a row that is about what is hidden.

    Restricted rows leave here, before merge, rules, index and catalogue, so that no later step can show them.
    """
    if not restrictions:
        return list(quads)
    # A row of a hidden source says some things in the graph of our own statements: they go with it.
    rows = {(place.file, place.row) for quad, place in origin.items() if restrictions.covers_subject(quad)}
    return [
        quad
        for quad in quads
        if not restrictions.covers(quad)
        and not ((place := origin.get(quad)) is not None and (place.file, place.row) in rows)
    ]


def read_restrictions(folder: Path | None) -> Restrictions:
    """Read the restrictions of a private folder; none where no folder is given.

    Raises StorageError where the folder or its table is not there, since silence would show what is hidden; DataErrors,
    located, for rows that say nothing that can be kept.
    """
    if folder is None:
        return NOTHING
    path = folder / FILE
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            header, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StorageError(f"{path} cannot be read, so nothing is built: {error}") from error
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise DataErrors([DataError(f"lacks the column {missing[0]}", FILE, 1, missing[0])])
    errors = [DataError("has more cells than the header", FILE, n) for n, row in enumerate(rows, 2) if "" in row]
    rows = [{name: row[name].strip() for name in _COLUMNS} for row in rows]
    errors += [error for number, row in enumerate(rows, 2) for error in _faults(number, row)]
    if errors:
        raise DataErrors(errors)
    hidden = [(number, row) for number, row in enumerate(rows, 2) if row["level"] in _HIDDEN]
    things = {_iri(row["thing"]): number for number, row in hidden if row["thing"]}
    statements = {row["statement"].removeprefix(STATEMENT): number for number, row in hidden if row["statement"]}
    texts = {row["text"]: number for number, row in hidden if row["text"]}
    rows_of = {**things, **statements, **texts}
    return Restrictions(frozenset(things), frozenset(statements), tuple(sorted(texts)), rows_of)


def _iri(cell: str) -> str:
    return cell if "://" in cell else BASE + cell


def _faults(number: int, row: dict[str, str]) -> Iterable[DataError]:
    def fault(column: str, message: str) -> DataError:
        return DataError(message, FILE, number, column)

    if not (row["thing"] or row["statement"] or row["text"]):
        yield fault("thing", "hides nothing: give a thing, a statement or a text")
    if row["statement"] and not _HASH.fullmatch(row["statement"].removeprefix(STATEMENT)):
        yield fault("statement", "is no hash of a statement (64 hexadecimal digits)")
    if row["text"] and len(row["text"].strip()) < 4:
        yield fault("text", "is too short: it would hide far more than is meant")
    if row["level"] not in _SHOWN | _HIDDEN:
        yield fault("level", f"is none of {', '.join(sorted(_SHOWN | _HIDDEN))}: {row['level']!r}")
    if not row["role"]:
        yield fault("role", "is empty: say who asked, by role and not by name")
    try:
        date.fromisoformat(row["date"])
    except ValueError:
        yield fault("date", f"is no day as 2026-11-23: {row['date']!r}")
