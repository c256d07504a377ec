"""Fills the outline for one expression after the other.

Source: UNESCO, "Possible outline for inventorying elements of intangible cultural heritage"
(http://www.unesco.org/culture/ich/index.php?lg=en&pg=00266).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode

from culturegraph.errors import DataError
from culturegraph.exports.forms.declared import Form, FormReader, Section, Words
from culturegraph.exports.forms.filled import Cell, Filler, Row
from culturegraph.exports.forms.footnotes import Note, Notes
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE

PROFILE: Final = "inventory"
FOLDER: Final = Path("exports") / PROFILE
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"


@dataclass(frozen=True)
class Sheet:
    """The sheet of one expression in one language: the blocks of the outline with their cells."""

    iri: str
    name: str
    language: str
    outline: Form
    blocks: tuple[tuple[Section, Row], ...]
    notes: tuple[Note, ...]

    @property
    def path(self) -> str:
        """The end of its addresses: `expression/danza-wititi`."""
        return self.iri.removeprefix(f"{BASE}id/")

    @property
    def mark(self) -> str:
        """What begins the names of its places where several sheets stand in one document."""
        return self.path.replace("/", "-")

    @property
    def address(self) -> str:
        """The IRI of the sheet; the expression has one of its own."""
        return f"{BASE}exports/{PROFILE}/{self.path}"

    def say(self, words: Words) -> str:
        """Return a text in the language of the sheet."""
        return words[self.language]

    def cells(self) -> Iterator[tuple[Section, Cell]]:
        """Yield all cells, in the order of the outline."""
        for section, row in self.blocks:
            yield from ((section, cell) for cell in row.cells)

    def count(self) -> tuple[int, int]:
        """Return how many cells are filled and how many are empty."""
        filled = sum(1 for _, cell in self.cells() if cell.sentences)
        return filled, sum(1 for _ in self.cells()) - filled


def read_outline(queries: Path) -> Form:
    """Read the outline. Raises DataError for a fault of its files."""
    outline = FormReader(queries / FOLDER, "outline.yaml").read()
    if any(section.sections for section in outline.sections):
        raise DataError("has sections within a block", "outline.yaml")
    return outline


class Sheets:
    """The sheets of one graph in one language."""

    def __init__(self, store: Dataset, outline: Form, language: str) -> None:
        self._store, self._outline, self._language = store, outline, language

    @cached_property
    def _filler(self) -> Filler:
        # One for all sheets: what a query chooses is asked once.
        return Filler(self._store, self._language, f"{PROFILE}/{self._outline.id}")

    def make(self, iri: str) -> Sheet:
        """Return the sheet of one expression."""
        filler, item = self._filler, NamedNode(iri)
        # Each sheet numbers its own notes.
        filler.notes = Notes(self._store)
        path = iri.removeprefix(f"{BASE}id/")
        place = f"{PROFILE}/{path}#{path.replace('/', '-')}"
        blocks = tuple(
            (section, filler.fill_row(section, item, f"{place}-{section.id}")) for section in self._outline.sections
        )
        name = filler.name(item)[0]
        return Sheet(iri, name, self._language, self._outline, blocks, filler.notes.all())
