"""The names of a text index, held in memory for whoever compares many: the names nearest to a written one.

Near is a name that has words of the written one, or words spelled like them; the rarer these words, the nearer. What it
is worth is for the asker to judge. Only the names of the things that are asked for are held.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from culturegraph.linking.comparison import fold_words
from culturegraph.linking.names import telling, words
from culturegraph.store.text_index import TextIndex

# The kind of a name that a thing has from its namesake.
LENT: Final = "lent"
# Names that one look-up gives at most.
MOST: Final = 30
_SHORTEST: Final = 4
# How alike another word is to one that no name has, or that some name has; and how many such words are looked up.
_UNKNOWN: Final = (0.6, 8)
_KNOWN: Final = (0.8, 4)
_MOST_WORDS: Final = 12
# Of a longer name, the words are enough.
_JOINED: Final = 24
# A word that more names have only adds to those that were found by rarer ones.
_COMMON: Final = 2_000
# Before a word that is not folded.
_AS_WRITTEN: Final = "="
# Before the letters of a name without its spaces.
_JOINED_UP: Final = "+"
_FEW_WORDS: Final = 3


@dataclass(frozen=True)
class HeldName:
    """One name of one thing: its kind (preferred, alternative, title, hidden, lent), its telling words, folded."""

    iri: str
    kind: str
    language: str
    text: str
    plain: str
    words: tuple[str, ...]


class NameIndex:
    """The names of some things of one snapshot. Made once a process; only read, by any number of threads."""

    def __init__(self, index: TextIndex, things: Collection[str], namesakes: Mapping[str, str]) -> None:
        """Read the names of things. `namesakes` maps things to others that are called like them: names lent."""
        self._names = []
        for _, iri, kind, language, text, plain in index.all_names():
            if iri in things:
                name = HeldName(iri, kind, language, text, plain, fold_words(plain.split()))
                self._names.append(name)
                if iri in namesakes:
                    self._names.append(replace(name, iri=namesakes[iri], kind=LENT))
        by_thing: dict[str, list[HeldName]] = defaultdict(list)
        having: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            by_thing[name.iri].append(name)
            as_written = (_AS_WRITTEN + word for word in telling(name.plain.split()))
            for word in {*name.words, *as_written}:
                having[word].append(number)
            joined = "".join(name.words)
            if _SHORTEST < len(joined) <= _JOINED and len(name.words) > 1:
                having[_JOINED_UP + joined].append(number)
        self.by_thing = dict(by_thing)
        self._having = dict(having)
        # By their length: a slip makes a word little longer or shorter.
        terms: dict[str, list[str]] = defaultdict(list)
        for word in sorted(having):
            if word[0] not in _AS_WRITTEN + _JOINED_UP and len(word) >= _SHORTEST:
                terms[str(len(word))].append(word)
            elif word[0] == _JOINED_UP:
                terms[f"{_JOINED_UP}{len(word) - 1}"].append(word)
        self._terms = dict(terms)
        # Lists repeat their words: feast, dance, the name of a saint.
        self._terms_about = lru_cache(maxsize=256)(self._read_terms)
        self._spelled_alike = lru_cache(maxsize=65_536)(self._find_alike)
        self.weigh = lru_cache(maxsize=65_536)(self._weigh)

    @cached_property
    def identity(self) -> str:
        """What tells these names from others: a hash of all of them."""
        digest = hashlib.blake2b(digest_size=16)
        for name in self._names:
            digest.update(f"{name.iri}\0{name.kind}\0{name.text}\0".encode())
        return digest.hexdigest()

    def near(self, folded: Sequence[str], plain: Sequence[str] = (), limit: int = MOST) -> Iterable[HeldName]:
        """Return the names that share a word with a name, or have one that is spelled alike, the likeliest first."""
        asked = list(dict.fromkeys(folded))[:_MOST_WORDS]
        joined = "".join(folded)
        if _SHORTEST < len(joined) <= _JOINED and len(folded) <= _FEW_WORDS:
            asked.append(_JOINED_UP + joined)
        found: dict[int, float] = defaultdict(float)
        for word in sorted(asked, key=self._number):
            best: dict[int, float] = {}
            for term, likeness in self._spelled_alike(word):
                numbers = self._having.get(term, ())
                worth = likeness * likeness * self.weigh(term)
                rare = len(numbers) <= _COMMON or not found
                for number in numbers:
                    if (rare or number in found) and best.get(number, 0.0) < worth:
                        best[number] = worth
            for number, worth in best.items():
                found[number] += worth
        # “Piro” and “Perú” are one when folded, and there are many names with “Perú”.
        for word in plain[:_MOST_WORDS]:
            for number in self._having.get(_AS_WRITTEN + word, ()):
                if number in found:
                    found[number] += 1.0
        # Of two names with the same words, the one that has fewer others.
        nearest = heapq.nlargest(limit, found, key=lambda n: (found[n] - 0.2 * len(self._names[n].words), -n))
        return [self._names[number] for number in nearest]

    def _number(self, word: str) -> int:
        return len(self._having.get(word, ()))

    def _find_alike(self, word: str) -> tuple[tuple[str, float], ...]:
        """Return the words of names that are spelled like a word, with how alike they are."""
        letters, mark = word.lstrip(_JOINED_UP), word[0] if word[0] == _JOINED_UP else ""
        if len(letters) < _SHORTEST:
            return ((word, 1.0),)
        cutoff, most = _KNOWN if mark or word in self._having else _UNKNOWN
        terms = self._terms_about(mark, len(letters), cutoff)
        found = process.extract(word, terms, scorer=OSA.normalized_similarity, score_cutoff=cutoff, limit=most)
        return tuple((term, likeness) for term, likeness, _ in found)

    def _read_terms(self, mark: str, length: int, cutoff: float) -> list[str]:
        """Return the words whose length alone does not keep them from being so much alike to a word of a length."""
        lengths = range(math.ceil(length * cutoff), int(length / cutoff) + 1)
        return [term for near in lengths for term in self._terms.get(f"{mark}{near}", ())]

    def _weigh(self, word: str) -> float:
        """Return how telling a folded word is: the fewer names have it, the more."""
        return math.log(1 + len(self._names) / (1 + self._number(word)))


def read_words(text: str) -> tuple[str, ...]:
    """Return the telling words of a text, folded."""
    return fold_words(words(text))
