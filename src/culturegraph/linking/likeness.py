"""How alike two names are: word by word, and letter by letter where the words differ. Pure functions of text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from culturegraph.linking.names import fold, telling, words

# U+0268 and its like have no decomposition, and many sources write the plain letter.
_BARRED: Final = str.maketrans("ɨƗʉɄøØłŁđĐ", "iIuUoOlLdD")
_NUMBER: Final = re.compile(r"\w*[0-9]\w*|[IVXL]+")
# Below this many letters two names are alike only if they are equal.
_FEW: Final = 6
# Share of letters in common from which on a difference is taken for a slip.
_SLIP: Final = 0.88


@dataclass(frozen=True)
class Name:
    """A name's telling words in their order, folded, and the numbers in it."""

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


@lru_cache(maxsize=65_536)
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
    joined = telling(words(text.translate(_BARRED)))
    kept = [word for word in joined if word not in generic] or joined
    numbers = (word for word in re.findall(r"\w+", text) if _NUMBER.fullmatch(word))
    return Name(tuple(map(fold, kept)), frozenset(numbers))
