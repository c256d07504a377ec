"""MARC 21 bibliographic and authority records: works, people and bodies, linked to what the graph has of them.

What each field becomes is told by `data/adapters/marc-fields.csv`, the quads by `data/adapters/marc.json`. A name is
linked only where reconciliation is sure; what may be meant is written to a file for review, and the name stays.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pymarc import Field, Record

from culturegraph.errors import DataError, StorageError
from culturegraph.rdf.spreadsheets import guard
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.sources.adapters.job import Job, Suspect, Tally
from culturegraph.sources.adapters.marc_files import Broken, read_marc
from culturegraph.sources.adapters.names import fold
from culturegraph.sources.keys import KeyIndex
from culturegraph.sources.lines import LineWriter
from culturegraph.sources.metadata import read_metadata

_MANY: Final = "\x1f"
REVIEW_HEADER: Final = ("row", "field", "text", "candidate", "name", "score")
# By the last two digits of a tag: what kind of thing a heading names, and the segment of its IRI where it is new.
_CLASSES: Final = {"00": "Person", "10": "Organization", "11": "Event", "30": "Work", "51": "Place"}
_SEGMENTS: Final = {"Person": "person", "Organization": "institution"}
# Leader/06 → type of work; leader/07 distinguishes parts and serials.
_WORK_TYPES: Final = {"g": "film", "i": "sound-recording", "j": "sound-recording"}
_LANGUAGES: Final = {
    "spa": "es", "eng": "en", "que": "qu", "aym": "ay", "fre": "fr", "ger": "de", "por": "pt", "ita": "it", "lat": "la",
    "jpn": "ja", "dut": "nl", "rus": "ru", "cat": "ca",
}  # fmt: skip
_NO_LANGUAGE: Final = frozenset({"und", "mul", "zxx", "mis", "|||", "   "})
_YEAR: Final = re.compile(r"(?<![0-9])(1[4-9][0-9]{2}|20[0-9]{2})(?![0-9])")
_ISBN: Final = re.compile(r"[0-9][0-9-]{8,16}[0-9Xx]")


@dataclass(frozen=True)
class _Mapping:
    """One line of marc-fields.csv."""

    column: str
    tags: frozenset[str]
    subfields: str
    join: str | None


def _read_fields(path: Path) -> Mapping[str, Sequence[_Mapping]]:
    """Return the lines of the table by kind of record. Raises DataError where it cannot be read."""
    found: dict[str, list[_Mapping]] = {"bibliographic": [], "authority": []}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                tags = frozenset(row["tags"].split(";"))
                found[row["record"]].append(_Mapping(row["column"], tags, row["subfields"], row["join"] or None))
    except (KeyError, OSError, UnicodeDecodeError) as error:
        raise DataError(f"is no table of fields (record, column, tags, subfields, join): {error}", path.name) from error
    return found


class _Cleaner:
    """Turns records into rows; holds what is linked and told meanwhile."""

    def __init__(self, job: Job, tally: Tally, review: Any) -> None:
        self.job, self.tally, self.review = job, tally, review
        self.fields = _read_fields(job.data / "adapters" / "marc-fields.csv")

    def clean(self, number: int, record: Record) -> tuple[str, dict[str, str]] | None:
        """Return the table and the row of a record; None, and the record rejected, where there is none."""
        control = record["001"].data.strip() if "001" in record and record["001"].data else ""
        slug = "-".join(fold(control).split())
        if not slug or not slug.isascii():
            self.tally.reject(number, "", "has no control number (001) that could be part of an IRI", control)
            return None
        coded = str(record.leader)[6]
        if coded in "uvwxy":
            reason = "is of no kind that is taken in: holdings, classification or community"
            self.tally.reject(number, "", reason, control)
            return None
        kind = "authority" if coded == "z" else "bibliographic"
        cells = self._cells(kind, record)
        if not cells.get("label"):
            tag = "245 $a" if kind == "bibliographic" else "1XX $a"
            self.tally.reject(number, "", f"has no {tag}", control)
            return None
        make = self._work if kind == "bibliographic" else self._agent
        row = make(number, record, cells, slug)
        if row is None:
            return None
        return kind, row | {"source": self.job.source.id, "locator": f"001 {control}"}

    def _cells(self, kind: str, record: Record) -> dict[str, list[tuple[Field, str]]]:
        """Return by column the values of its fields, each with the field that has it."""
        found: dict[str, list[tuple[Field, str]]] = {}
        for mapping in self.fields[kind]:
            for field in record.fields:
                if field.tag not in mapping.tags or field.is_control_field():
                    continue
                parts = [_trim(part.value) for part in field.subfields if part.code and part.code in mapping.subfields]
                values = [mapping.join.join(filter(None, parts))] if mapping.join else parts
                found.setdefault(mapping.column, []).extend((field, value) for value in values if value)
        return found

    def _work(
        self, number: int, record: Record, cells: Mapping[str, Sequence[tuple[Field, str]]], slug: str
    ) -> dict[str, str] | None:
        title = cells["label"][0][1]
        isbns = [_clean_isbn(text) for _, text in cells.get("isbn", ())]
        for (_, written), isbn in zip(cells.get("isbn", ()), isbns, strict=True):
            if not isbn:
                self.tally.reject(number, "020", "is no ISBN", written)
        found = (self._link(number, "020", isbn, "Work", sure=True) for isbn in isbns if isbn)
        known = next(filter(None, found), "")
        known = known or self._link(number, "245", title, "Work")
        creators = [(field.tag, name) for field, name in cells.get("creator", ())]
        linked = [self._link(number, tag, name, _class_of(tag)) for tag, name in creators]
        about = [self._link(number, field.tag, name, _class_of(field.tag)) for field, name in cells.get("about", ())]
        pages = [text for _, text in cells.get("page", ()) if text.startswith(("http://", "https://"))]
        return {
            "subject": known or f"{BASE}id/work/{self.job.source.id}-{slug}",
            "lang": _language(record),
            "label": title,
            "alternative": _join(text for _, text in cells.get("alternative", ()) if text != title),
            "work_type": _work_type(record),
            "creator_name": _join(name for _, name in creators),
            "creator": _join(linked),
            "about": _join(about),
            "publisher_name": _join(text for _, text in cells.get("publisher_name", ())),
            "issued": _year(record, [text for _, text in cells.get("issued", ())]),
            "isbn": _join(isbns),
            "page": _join(pages),
        }

    def _agent(
        self, number: int, record: Record, cells: Mapping[str, Sequence[tuple[Field, str]]], slug: str
    ) -> dict[str, str] | None:
        heading, name = cells["label"][0]
        kind, direct = _class_of(heading.tag), _direct(heading, name)
        same = [text for _, text in cells.get("same", ()) if text.startswith(("http://", "https://"))]
        known = next((iri for iri in same if iri.startswith(BASE)), "")
        known = known or self._link(number, heading.tag, direct, kind)
        if not known and kind not in _SEGMENTS:
            reason = "names neither a person nor a body, and nothing of the graph for sure"
            self.tally.reject(number, heading.tag, reason, name, kind=f"{reason} ({heading.tag})")
            return None
        others = [_direct(field, text) for field, text in cells.get("alternative", ())]
        others = [direct if known else "", name, *others]
        return {
            "subject": known or f"{BASE}id/{_SEGMENTS[kind]}/{self.job.source.id}-{slug}",
            "lang": _language(record),
            # What we know has its own label; a second one would be a second truth.
            "label": "" if known else direct,
            "alternative": _join(text for text in others if known or text != direct),
            "same": _join(iri for iri in same if not iri.startswith(BASE)),
            "page": _join(text for _, text in cells.get("page", ()) if text.startswith(("http://", "https://"))),
            "class_editorial": "" if known else kind,
        }

    def _link(self, number: int, tag: str, text: str, kind: str, *, sure: bool = False) -> str:
        """Return the IRI that a name stands for, or "". Where only something may be meant, it goes to review."""
        if self.job.link is None:
            return ""
        found, suspects = self.job.link(text, CG + kind if kind else "")
        if found:
            self.tally.noted["linked to the graph"] += 1
        elif suspects and not sure:
            self.tally.noted["for review"] += 1
            self._tell(number, tag, text, suspects)
        return found

    def _tell(self, number: int, tag: str, text: str, suspects: Sequence[Suspect]) -> None:
        for iri, name, score in suspects:
            if self.review is not None:
                cells = (f"{self.tally.prefix}{number}", tag, text, iri, name, f"{score:.1f}")
                self.review.writerow(map(guard, cells))
            else:
                reason = "may be something of the graph: not linked"
                self.tally.reject(number, tag, f"{reason} ({iri} {name}, {score:.1f})", text, kind=reason)


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of all records; the row of a reject is the number of the record in its file."""
    plans = {Path(plan.file).stem: plan for plan in read_metadata(job.data / "adapters" / "marc.json")}
    writers = {kind: LineWriter(plan, plan.header) for kind, plan in plans.items()}
    path = job.options.get("review")
    file = _open_review(Path(path)) if path else None
    try:
        review = csv.writer(file, lineterminator="\n") if file is not None else None
        if review is not None:
            review.writerow(REVIEW_HEADER)
        cleaner = _Cleaner(job, tally, review)
        with KeyIndex() as keys:
            for each in job.each_file(tally):
                for number, record in read_marc(each):
                    tally.rows += 1
                    if isinstance(record, Broken):
                        reason = re.sub(r"[0-9]+", "N", record.reason.partition(":")[0])
                        tally.reject(number, "", record.reason, record.told, kind=reason)
                        continue
                    cleaned = cleaner.clean(number, record)
                    if cleaned is None:
                        continue
                    kind, row = cleaned
                    before = keys.add(kind, [row["locator"]], number)
                    if before is not None:
                        told = f"repeats the control number of record {before}"
                        tally.reject(number, "", told, row["locator"], kind="repeats a control number")
                        continue
                    lines, faults = writers[kind](number, [row.get(name, "") for name in plans[kind].header])
                    for fault in faults:
                        tally.reject_fault(fault, row.get(str(fault.column), ""))
                    yield from lines
    finally:
        if file is not None:
            file.close()


def _open_review(path: Path) -> Any:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def _trim(text: str) -> str:
    """Return a subfield without the punctuation that cataloguing rules put at its end; abbreviations keep their dot."""
    plain = " ".join(text.split()).rstrip(" /:;,=").strip()
    return plain[:-1] if plain.endswith(".") and not re.search(r"\b\w{1,3}\.$|\.\.$", plain) else plain


def _direct(field: Field, name: str) -> str:
    """Return a person's name in direct order where the field says that its surname comes first."""
    if field.tag[1:] != "00" or field.indicator1 != "1":
        return name
    surname, comma, rest = name.partition(", ")
    return f"{rest.strip()} {surname}" if comma and rest.strip() and "," not in rest else name


def _class_of(tag: str) -> str:
    return _CLASSES.get(tag[1:], "")


def _join(values: Any) -> str:
    return _MANY.join(dict.fromkeys(filter(None, values)))


def _clean_isbn(text: str) -> str:
    found = _ISBN.match(text.strip())
    return found[0].upper() if found else ""


def _year(record: Record, dates: Sequence[str]) -> str:
    coded = record["008"].data[7:11] if "008" in record and record["008"].data else ""
    found = next((match[1] for text in [*dates, coded] if (match := _YEAR.search(text))), "")
    return str(found)


def _language(record: Record) -> str:
    """Return the language of titles (008/35-37), of an authority that of its cataloguing (040 $b); "" for none."""
    if str(record.leader)[6] == "z":
        code = record["040"].get("b", "") if "040" in record else ""
    else:
        code = record["008"].data[35:38] if "008" in record and record["008"].data else ""
    if code in _NO_LANGUAGE or not re.fullmatch("[a-z]{3}", code or ""):
        return ""
    return _LANGUAGES.get(code, code)


def _work_type(record: Record) -> str:
    leader = str(record.leader)
    kind, level = leader[6], leader[7]
    if kind in _WORK_TYPES:
        return _WORK_TYPES[kind]
    if kind not in "at":
        return ""
    return {"a": "chapter", "b": "article", "s": "serial"}.get(level, "book")
