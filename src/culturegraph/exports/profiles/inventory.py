"""The profile of inventory sheets in its formats: what is in memory is a sheet, but for Word, which is one document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from culturegraph.exports.inventory import linked, table
from culturegraph.exports.inventory.page import make_frame, to_fragment
from culturegraph.exports.inventory.sheets import Sheet, Sheets, read_outline
from culturegraph.exports.profiles.export import Export

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
Chunk = tuple[bytes, int]


def make_sheets(export: Export, iris: Sequence[str] | None = None) -> Iterator[Sheet]:
    """Yield the sheets of all records, or of some."""
    outline = read_outline(export.profile.queries_folder)
    sheets = Sheets(export.store, outline, export.language)
    for iri in export.iris if iris is None else iris:
        yield sheets.make(iri)


def write_html(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    """Yield a page with the sheets, to be read or printed."""
    outline = read_outline(export.profile.queries_folder)
    head, end = make_frame(outline, export.language)
    yield head.encode(), 0
    for sheet in make_sheets(export, iris):
        yield to_fragment(sheet).encode(), 1
    yield end.encode(), 0


def write_csv(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    """Yield a table: a row for each sentence and each empty cell."""
    yield table.write_header(), 0
    for sheet in make_sheets(export, iris):
        yield table.write_rows(sheet), 1


def write_json_ld(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    """Yield the sheets as JSON-LD, one a line."""
    context = linked.write_context(export.language)
    if iris is not None and len(iris) == 1:
        (sheet,) = make_sheets(export, iris)
        whole = {"@context": json.loads(context), **linked.to_object(sheet)}
        yield (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode(), 1
        return
    yield f'{{"@context": {context}, "@graph": [\n'.encode(), 0
    separator = ""
    for sheet in make_sheets(export, iris):
        yield (separator + json.dumps(linked.to_object(sheet), ensure_ascii=False)).encode(), 1
        separator = ",\n"
    yield b"\n]}\n", 0


def write_docx(export: Export, iris: Sequence[str] | None) -> Iterator[Chunk]:
    """Yield a Word document with the sheets."""
    from culturegraph.exports.inventory.document import to_document

    outline = read_outline(export.profile.queries_folder)
    yield to_document(make_sheets(export, iris), outline, export.language), len(export.iris if iris is None else iris)
