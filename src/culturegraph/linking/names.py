"""Names in one form for all their spellings, and how alike two are.

Owns what varies in the Spanish, Quechua and other names of Peru: accents, apostrophes, k/c/qu, w/hu, z/s, v/b, y/i,
e/i, o/u, plurals, words that join others. Refuses to know what a name is the name of.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

_JOINING: Final = frozenset(
    re.findall(r"\w+", "a al con de del e el en la las lo los o para por que se su sus u un una y"),
)
_SPELLINGS: Final = (
    ("qu(?=[ei])|q|k", "c"),
    ("cc", "c"),
    ("w", "hu"),
    ("z", "s"),
    ("v", "b"),
    ("y", "i"),
    ("e", "i"),
    ("o", "u"),
)
# U+0268 and its like have no decomposition; folding to ASCII would drop the letter.
_BARRED: Final = str.maketrans("ɨƗʉøłđ", "iiuold")
# Below this many letters two names are alike only if they are equal.
_FEW: Final = 6
# Share of letters in common from which on a difference is taken for a slip.
_SLIP: Final = 0.88


@dataclass(frozen=True)
class Name:
    """A name's telling words in their order, and the numbers in it."""

    words: tuple[str, ...]
    numbers: frozenset[str]

    @property
    def letters(self) -> str:
        """The telling words without spaces: “Pintu Yaku” is “Pintuyaku”."""
        return "".join(self.words)

    def likeness(self, other: Name) -> float:
        """Return how alike two names are (0 to 1); names with different numbers are not alike."""
        if self.numbers != other.numbers:
            return 0.0
        one, two = set(self.words), set(other.words)
        if not one | two:
            return 0.0
        # What both have in common hides a difference: only the rest is compared letter by letter.
        rests = ("".join(word for word in name.words if word not in one & two) for name in (self, other))
        return max(len(one & two) / len(one | two), _likeness_of_letters(*sorted(rests)))


@lru_cache(maxsize=200_000)
def _likeness_of_letters(one: str, other: str) -> float:
    """Return 1 for equal letters, less for a slip or two, 0 for more."""
    if one == other:
        return 1.0
    if min(len(one), len(other)) < _FEW or abs(len(one) - len(other)) > 2:
        return 0.0
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return ratio if ratio >= _SLIP else 0.0


def read_name(text: str, generic: frozenset[str] = frozenset()) -> Name:
    """Return the parts of a name that are compared; `generic` words tell nothing, unless there are no others."""
    plain = unicodedata.normalize("NFKD", re.sub(r"[’'´`ʼ]", "", text.translate(_BARRED)))
    words = re.findall(r"[A-Za-z0-9]+", plain.encode("ascii", "ignore").decode())
    numbers = {word for word in words if re.search(r"[0-9]", word) or re.fullmatch("[IVXL]+", word)}
    lower = [word.lower() for word in words if word.lower() not in _JOINING]
    telling = [word for word in lower if word not in generic] or lower
    return Name(tuple(map(_spell, telling)), frozenset(numbers))


def _spell(word: str) -> str:
    """Return one form for the spellings of a word, without the s of a plural."""
    stem = re.sub(r"(?<=\w{4})e?s$", "", word)
    for pattern, form in _SPELLINGS:
        stem = re.sub(pattern, form, stem)
    return stem
