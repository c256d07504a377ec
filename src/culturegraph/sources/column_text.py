"""The terms of a whole column at once: checked, escaped and encoded as one text, or looked up where cells recur.

Answers only what is plainly right, as the columns of `sources.lines` do, and of any other cell says None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from culturegraph.rdf.vocabulary import XSD
from culturegraph.sources.lines import CompiledColumn, check_column
from culturegraph.sources.metadata import ColumnPlan, SimpleTemplate, Template
from culturegraph.sources.term_text import (
    BETWEEN,
    Memory,
    escape,
    is_roomy,
    is_unreserved,
    match_all,
    quote_plainly,
    read_language,
)

Cells = Sequence[str]
# Of each row b"", then its terms: what joins them stands before each. None where the row is not plainly right.
Lists = Sequence[tuple[bytes, ...] | None]
_BETWEEN: Final = BETWEEN.encode()
# Bytes of what has a long escape, controls and U+FFFE; with them goes all else from U+F000 to U+FFFF.
_RARE: Final = bytes(set(range(0x20)) - {*_BETWEEN}) + b"\x7f\xef"
# Batches in a row whose cells mostly differ after which those of the column are taken to differ.
_ENOUGH: Final = 2
# An IRI whose validity needs no look of the library's.
_ARE_PLAIN_IRIS: Final = match_all("https?://[a-z0-9.-]+/[A-Za-z0-9/._~?&=+,;:@!$'()*-]*(?:#[A-Za-z0-9/._~?=-]*)?")


@dataclass(frozen=True)
class Terms:
    """One column in one batch: of each row its predicate and term, b"" where it has none, None where it is not plain.

    `is_each` says that every row has one.
    """

    values: Sequence[bytes | None]
    is_each: bool = False


@dataclass(frozen=True)
class Form:
    """How the cells of a column become terms all at once.

    `make` gives them as UTF-8 with BETWEEN between them, or None where some are not plainly right.
    """

    make: Callable[[Cells], bytes | None]
    before: str
    after: str

    def encode(self, cells: Cells) -> list[bytes] | None:
        """Return the term of each cell, from `before` to `after`."""
        together = self.make(cells)
        if together is None:
            return None
        before, after = self.before.encode(), self.after.encode()
        together = together.replace(_BETWEEN, after + _BETWEEN + before)
        return (before + together + after).split(_BETWEEN) if cells else []


def _encode(cells: Iterable[str]) -> bytes:
    return BETWEEN.join(cells).encode()


def _escape_all(cells: Cells) -> bytes:
    """Return the texts of literals with the escapes of canonical N-Triples."""
    together = _encode(cells)
    if len(together.translate(None, _RARE)) < len(together) or together.count(_BETWEEN) >= len(cells):
        return _encode(map(escape, cells))
    return together.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _quote_all(cells: Cells) -> bytes:
    return _encode(cells if is_unreserved("".join(cells)) else map(quote_plainly, cells))


def _check_iris(cells: Cells) -> bytes | None:
    return _encode(cells) if _ARE_PLAIN_IRIS(cells) else None


def iri_form(template: Template, name: str) -> Form | None:
    """Return how IRIs are made of the cells of one column; None where there is no plain way."""
    if not isinstance(template, SimpleTemplate) or [field[0] for field in template.fields] != [name]:
        return None
    _, safe, tail = template.fields[0]
    if not safe and is_roomy(template.text, tail):
        return Form(_quote_all, f"<{template.text}", f"{tail}>")
    if safe and not template.text and not tail:
        return Form(_check_iris, "<", ">")
    return None


def _literal_form(column: ColumnPlan) -> Form | None:
    if column.datatype != XSD + "string":
        return Form(_escape_all, '"', f'"^^<{column.datatype}>')
    tag = read_language(column.lang) if column.lang else ""
    return None if tag is None else Form(_escape_all, '"', f'"{tag}')


def depends_on_itself(column: CompiledColumn, plan: ColumnPlan) -> bool:
    """Say whether the quads of a column depend on no other cell than its own, but for subject and graph."""
    if plan.virtual or callable(column.predicate):
        return False
    if column.term is None:
        return True
    if plan.value is None:
        return plan.lang_column is None
    return isinstance(plan.value, SimpleTemplate) and {name for name, _, _ in plan.value.fields} <= {plan.name}


class OwnColumn:
    """A column whose terms depend on its own cell alone."""

    def __init__(self, column: CompiledColumn, plan: ColumnPlan) -> None:
        self._column, self._check = column, check_column(plan)
        self.position, self.graph = column.position, column.graph
        self.is_silent = column.term is None
        form = iri_form(plan.value, plan.name) if plan.value is not None else _literal_form(plan)
        self._predicate = f"{column.predicate} " if isinstance(column.predicate, str) else ""
        self._form = form and replace(form, before=self._predicate + form.before)
        # Batches in a row in which most cells differ.
        self._different = 0
        # Whether no cell was met so far that is not plainly right.
        self.is_plain = True
        self._of_cell, self._of_list = Memory(self.read_cell), Memory(self.read_list)

    @property
    def is_list(self) -> bool:
        """Whether a cell may hold several values."""
        return self._column.separator is not None

    def read(self, cells: Cells) -> Terms:
        """Return the terms of a batch of cells of a column that is no list."""
        if self._different < _ENOUGH:
            # Twice in a row, since in the few rows at a span's end nothing recurs; then for good: to find out costs
            # as much as it saves.
            self._different = self._different + 1 if 2 * len(set(cells)) > len(cells) else 0
        if self._different and self._form is not None:
            found = self._read_together(self._form, cells)
            if found is not None:
                return found
        values = list(map(self._of_cell.__getitem__, cells))
        return Terms(values, is_each=b"" not in values)

    def _read_together(self, form: Form, cells: Cells) -> Terms | None:
        null = self._column.null
        has_gaps = not null.isdisjoint(cells) if len(null) > 1 else next(iter(null), None) in cells
        present = [cell for cell in cells if cell not in null] if has_gaps else cells
        if (has_gaps and self._column.required) or (self._check is not None and not self._check(present)):
            return None
        if self.is_silent:
            return Terms([b""] * len(cells))
        encoded = form.encode(present)
        if encoded is None:
            return None
        if not has_gaps:
            return Terms(encoded, is_each=True)
        rest = iter(encoded)
        return Terms([b"" if cell in null else next(rest) for cell in cells])

    def read_lists(self, cells: Cells) -> Lists:
        """Return the terms of a batch of cells of a column of lists."""
        return list(map(self._of_list.__getitem__, cells))

    def read_cell(self, cell: str) -> bytes | None:
        """Return predicate and term of a cell, b"" where it has none, None where it is not plainly right."""
        terms = self.read_list(cell)
        return None if terms is None else b"".join(terms)

    def read_list(self, cell: str) -> tuple[bytes, ...] | None:
        """Return b"", then predicate and term of each value of a cell; None where it is not plainly right."""
        terms = self._read(cell)
        self.is_plain &= terms is not None
        return terms

    def _read(self, cell: str) -> tuple[bytes, ...] | None:
        column, found = self._column, [b""]
        values = column.split(cell)
        if not values and column.required:
            return None
        for value in values:
            if column.term is None:
                if column.check is not None and not column.check(value):
                    return None
                continue
            # Of its own cell alone: what the other cells are does not matter.
            term = column.term(value, ())
            if term is None:
                return None
            found.append((self._predicate + term).encode())
        return tuple(found)
