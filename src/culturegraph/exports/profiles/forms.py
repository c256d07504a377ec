"""The formats that profiles are written in, each a function from batches of records to bytes.

A new format is a function here and its suffix in `FORMS`; a profile then names it in its `formats`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import RdfFormat, Triple, serialize

from culturegraph.exports.profiles import inventory, nested_json, rdf_xml, statistics
from culturegraph.exports.profiles.export import Export, Record
from culturegraph.exports.profiles.profile import Profile
from culturegraph.rdf.spreadsheets import guard

# Bytes, with the number of records that they complete.
Chunk = tuple[bytes, int]


def _rdf_xml(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    writer = rdf_xml.XmlWriter(export.profile)
    yield writer.begin(), 0
    for batch in export.batches(iris):
        yield writer.write(batch), len(batch)
    yield rdf_xml.END, 0


def _json_ld(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    writer = nested_json.JsonWriter(export.profile)
    if iris is not None and len(iris) == 1:
        for batch in export.batches(iris):
            yield writer.write_one(batch[0]), 1
        return
    yield writer.begin(), 0
    separator = b""
    for batch in export.batches(iris):
        yield separator + writer.write(batch), len(batch)
        separator = b",\n"
    yield nested_json.END, 0


def _turtle(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    prefixes = dict(export.profile.prefixes)
    yield b"".join(f"@prefix {name}: <{iri}> .\n".encode() for name, iri in prefixes.items()), 0
    for batch in export.batches(iris):
        text = serialize(_triples(batch), format=RdfFormat.TURTLE, prefixes=prefixes) or b""
        # Every batch comes with the prefixes that the file has at its head.
        lines = text.split(b"\n")
        first = next((place for place, line in enumerate(lines) if not line.startswith(b"@prefix ")), 0)
        yield b"\n".join(lines[first:]), len(batch)


def _n_triples(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    for batch in export.batches(iris):
        yield serialize(_triples(batch), format=RdfFormat.N_TRIPLES) or b"", len(batch)


def _triples(batch: Sequence[Record]) -> Iterator[Triple]:
    # What several records of a batch refer to is told once.
    return iter(dict.fromkeys(triple for record in batch for triple in record.triples))


def _csv(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    for rows, records in export.rows(iris):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerows([guard(cell) for cell in row] for row in rows)
        yield text.getvalue().encode(), records


@dataclass(frozen=True)
class Form:
    """A format: its media type, its name, and what writes it."""

    media_type: str
    name: str
    write: Callable[[Export, Sequence[str] | None], Iterator[Chunk]]


FORMS: Final[Mapping[str, Form]] = {
    "rdf": Form("application/rdf+xml", "RDF/XML", _rdf_xml),
    "ttl": Form("text/turtle; charset=utf-8", "Turtle", _turtle),
    "nt": Form("application/n-triples", "N-Triples", _n_triples),
    "jsonld": Form("application/ld+json", "JSON-LD", _json_ld),
    "csv": Form("text/csv; charset=utf-8", "CSV", _csv),
}
# Those of profiles that have a writer of their own.
WRITTEN: Final[Mapping[str, Mapping[str, Form]]] = {
    "inventory": {
        "html": Form("text/html; charset=utf-8", "HTML", inventory.write_html),
        "docx": Form(inventory.DOCX, "Word", inventory.write_docx),
        "jsonld": Form("application/ld+json", "JSON-LD", inventory.write_json_ld),
        "csv": Form("text/csv; charset=utf-8", "CSV", inventory.write_csv),
    },
    "statistics": {
        "ttl": Form("text/turtle; charset=utf-8", "Turtle", statistics.write_cubes),
        "zip": Form(statistics.ZIP, "CSVW", statistics.write_package),
    },
}


def form_of(profile: Profile, name: str) -> Form:
    """Return a format of a profile. Raises NotFoundError where it is not offered."""
    forms = WRITTEN[profile.writer] if profile.writer else FORMS
    return forms[profile.check_format(name, record=True)]


def write_records(export: Export, form: str, iris: Sequence[str] | None = None) -> Iterator[Chunk]:
    """Yield all records, or some, in a format that the profile offers. Raises NotFoundError where it does not."""
    return form_of(export.profile, form).write(export, iris)
