"""How well a name that somebody wrote fits a name that we hold. Pure functions of text; knows no graph.

What is written is read first (`read_written`): broken encodings are repaired, notes in brackets set apart, words that
end in a full stop taken for abbreviations. Then words are paired, whatever their order: equal words, abbreviations,
words that a slip parts. What is left over on either side counts by how telling it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ftfy import fix_encoding
from rapidfuzz.distance import OSA

from culturegraph.linking.names import fold, spell, split_note, strip_accents, telling, words

# Longer texts are cut: nobody names a thing with more.
MAX_TEXT: Final = 400
MAX_WORDS: Final = 24
# Two words that are less alike than this are not the same word misspelled.
_SLIP: Final = 0.6
# Shorter words are the same or they are not.
_SHORTEST: Final = 4
_ABBREVIATION: Final = 5
_ABBREVIATED: Final = re.compile(r"\b([^\W\d_]{1,5})\.(?=\s|$)")
_PERU: Final = fold("peru")
# A mark that only repaired text has: UTF-8 taken for another encoding.
_BROKEN: Final = re.compile(r"[ÃÂâ][\x80-\xbf\u0080-\u2122]?")


@dataclass(frozen=True)
class Written:
    """A name as it was written: its telling words (plain and folded), those in brackets, which are abbreviations."""

    text: str
    plain: tuple[str, ...]
    folded: tuple[str, ...]
    notes: tuple[str, ...]
    abbreviations: frozenset[str]

    @property
    def letters(self) -> str:
        """The folded words without spaces."""
        return "".join(self.folded)


@dataclass(frozen=True)
class Fit:
    """How a written name fits a held one (each 0 to 1): overall, how much of the written and of the held is paired."""

    likeness: float
    written: float
    held: float


def fold_words(plain: Iterable[str]) -> tuple[str, ...]:
    """Return the telling words of a plain name, folded; what only folds to the name of Peru (“Piro”) is spelled."""
    return tuple(spell(word) if fold(word) == _PERU and word != "peru" else fold(word) for word in telling(list(plain)))


def clean(text: str) -> str:
    """Return a text on one line, without control characters, in the encoding that was meant, at most 400 characters."""
    text = text[: MAX_TEXT * 2]
    if _BROKEN.search(text):
        text = fix_encoding(text)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_TEXT]


def read_written(text: str) -> Written:
    """Read a name as somebody wrote it."""
    text = clean(text)
    bare, notes = split_note(text)
    # A full stop at the very end is where a sentence ends, unless the word is short.
    short = frozenset(strip_accents(found) for found in _ABBREVIATED.findall(bare))
    found = telling(words(bare))[:MAX_WORDS]
    noted = tuple(word for note in notes for word in telling(words(note)))[:MAX_WORDS]
    return Written(text, tuple(found), fold_words(found), noted, short)


def compare(written: Written, held: Sequence[str], weigh: Callable[[str], float]) -> Fit:
    """Compare a written name with the folded telling words of a held one; `weigh` says how telling a word is."""
    if not held or not written.folded:
        return Fit(0.0, 0.0, 0.0)
    left, right = _pair_equal(written, held)
    if not left and not right:
        return Fit(1.0, 1.0, 1.0)
    paired = _pair_alike([written.folded[i] for i in left], [held[j] for j in right], _short_forms(written, left))
    scores_left = {i: 1.0 for i in range(len(written.folded)) if i not in left}
    scores_right = {j: 1.0 for j in range(len(held)) if j not in right}
    for i, j, likeness in paired:
        scores_left[left[i]] = scores_right[right[j]] = likeness
    covered = _cover(written.folded, scores_left, weigh)
    holds = _cover(held, scores_right, weigh)
    joined = _alike_joined(written.letters, "".join(held))
    covered, holds = max(covered, joined), max(holds, joined)
    likeness = 2 * covered * holds / (covered + holds) if covered + holds else 0.0
    return Fit(likeness, covered, holds)


def _short_forms(written: Written, left: Sequence[int]) -> frozenset[int]:
    return frozenset(n for n, i in enumerate(left) if written.plain[i] in written.abbreviations)


def _pair_equal(written: Written, held: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the places of the words on either side that have no equal on the other."""
    free = dict.fromkeys(range(len(held)))
    left = []
    for i, word in enumerate(written.folded):
        same = next((j for j in free if held[j] == word), None)
        if same is None:
            left.append(i)
        else:
            del free[same]
    return left, list(free)


def _pair_alike(left: Sequence[str], right: Sequence[str], short: frozenset[int]) -> list[tuple[int, int, float]]:
    """Pair the words that are most alike, each with one other."""
    pairs = sorted(
        ((alike(one, other, i in short), i, j) for i, one in enumerate(left) for j, other in enumerate(right)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    found: list[tuple[int, int, float]] = []
    for likeness, i, j in pairs:
        if likeness > 0 and all(i != one and j != other for one, other, _ in found):
            found.append((i, j, likeness))
    return found


@lru_cache(maxsize=65_536)
def alike(one: str, other: str, is_short: bool = False) -> float:
    """Return how alike two folded words are (0 to 1); 0 where they are different words."""
    if one == other:
        return 1.0
    if is_short and _abbreviates(one, other):
        return 0.95
    if min(len(one), len(other)) < _SHORTEST or one.isdigit() or other.isdigit():
        return 0.0
    return OSA.normalized_similarity(one, other, score_cutoff=_SLIP)


def _abbreviates(short: str, word: str) -> bool:
    """Say whether a word begins with the first letter of a short form and has its other letters in their order."""
    if len(short) > _ABBREVIATION or len(short) >= len(word) or short[0] != word[0]:
        return False
    letters = iter(word)
    return all(letter in letters for letter in short)


def _cover(words_of: Sequence[str], scores: dict[int, float], weigh: Callable[[str], float]) -> float:
    """Return the share of a name that is paired, by weight."""
    weights = [weigh(word) for word in words_of]
    return sum(weight * scores.get(n, 0.0) for n, weight in enumerate(weights)) / (sum(weights) or 1.0)


@lru_cache(maxsize=65_536)
def _alike_joined(one: str, other: str) -> float:
    """Return how alike two names are without their spaces: “Ibero-rutas” is “Iberrutas”."""
    if one == other:
        return 1.0
    if min(len(one), len(other)) < _SHORTEST + 1:
        return 0.0
    return OSA.normalized_similarity(one, other, score_cutoff=0.8)
