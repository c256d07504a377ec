"""From a cycle to a file: the forms that a draft is written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from culturegraph.errors import NotFoundError
from culturegraph.exports.unesco_qpr.composing import compose
from culturegraph.exports.unesco_qpr.draft import Draft
from culturegraph.exports.unesco_qpr.form import read_cycle
from culturegraph.store.snapshot import open_current

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _workbook(draft: Draft) -> bytes:
    from culturegraph.exports.unesco_qpr.workbook import to_workbook

    return to_workbook(draft)


def _document(draft: Draft) -> bytes:
    from culturegraph.exports.unesco_qpr.document import to_document

    return to_document(draft)


def _page(draft: Draft) -> bytes:
    from culturegraph.exports.unesco_qpr.page import to_html

    return to_html(draft)


def _linked(draft: Draft) -> bytes:
    from culturegraph.exports.unesco_qpr.linked import to_json_ld

    return to_json_ld(draft)


# Media type and writer by suffix; the libraries behind a writer are loaded when it is first used.
FORMS: Final[Mapping[str, tuple[str, Callable[[Draft], bytes]]]] = {
    "xlsx": (XLSX, _workbook),
    "docx": (DOCX, _document),
    "html": ("text/html; charset=utf-8", _page),
    "jsonld": ("application/ld+json", _linked),
}


@dataclass(frozen=True)
class Written:
    """A file and what it holds."""

    name: str
    data: bytes
    filled: int
    empty: int
    notes: int


def write_draft(draft: Draft, form: str) -> Written:
    """Return a draft as a file. Raises NotFoundError for an unknown form."""
    if form not in FORMS:
        raise NotFoundError(f"a draft is written as {', '.join(FORMS)}, not as {form!r}")
    name = f"unesco-qpr-{draft.cycle.id}-{draft.language}.{form}"
    return Written(name, FORMS[form][1](draft), *draft.count(), len(draft.notes))


def export(store: Path, queries: Path, cycle: str | None, form: str, language: str) -> Written:
    """Write the draft of a cycle from the published graph. Raises NotFoundError, DataError, StorageError."""
    # Before the store is opened: a wrong cycle is told at once.
    chosen = read_cycle(queries, cycle)
    snapshot = open_current(store)
    return write_draft(compose(snapshot.store, chosen, language, snapshot.version), form)
