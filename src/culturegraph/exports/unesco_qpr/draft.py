"""A draft of the report: the form of a cycle, filled for one reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from culturegraph.exports.forms.declared import Words
from culturegraph.exports.forms.filled import EXPORTS, Part, Row, Sentence
from culturegraph.exports.forms.footnotes import Note
from culturegraph.exports.unesco_qpr.form import Cycle

PROFILE: Final = "unesco-qpr"
DRAFT: Final = f"{EXPORTS}{PROFILE}/"


@dataclass(frozen=True)
class Draft:
    """A draft in one language."""

    cycle: Cycle
    language: str
    version: str
    due: Row
    parts: tuple[Part, ...]
    notes: tuple[Note, ...]
    comparison: tuple[Compared, ...]
    reports: tuple[tuple[str, str], ...]

    @property
    def iri(self) -> str:
        """The IRI of the draft of this cycle."""
        return DRAFT + self.cycle.id

    def say(self, words: Words) -> str:
        """Return a text in the language of the draft."""
        return words[self.language]

    def count(self) -> tuple[int, int]:
        """Return how many cells are filled and how many are empty."""
        cells = [cell for part in self.parts for row in part.rows for cell in row.cells]
        filled = sum(1 for cell in cells if cell.sentences)
        return filled, len(cells) - filled


@dataclass(frozen=True)
class Compared:
    """A thing that earlier reports told of: what each said, and where it stands in the draft."""

    name: str
    iri: str
    reported: Mapping[str, tuple[Sentence, ...]]
    places: tuple[str, ...]
