"""Names as people write them, reduced to forms that can be compared. Pure functions of text; knows no graph.

Three forms, each coarser than the one before: the words as written, without case, accents and punctuation (`words`);
one spelling for the variants that Quechua, Amazonian and Spanish names are written in, vowels kept (`spell`); the same
with the three vowels of Quechua (`fold`), where Kechwa, Kichwa and Quechua are one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_APOSTROPHES: Final = re.compile(r"[’'´`‘ʼʻ]")
_WORD: Final = re.compile(r"[^\W_]+")
_NOTE: Final = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*")
# Words that join others and tell nothing themselves, in the languages that names are searched in.
JOINING: Final = frozenset(
    re.findall(
        r"\w+",
        """a al con da das de del do dos e el en la las lo los o os para por su sus u un una y
        and at for in of on or the to""",
    )
)
_PLURAL: Final = re.compile(r"(?<=\w{4})e?s$")
# In this order: what a rule writes, a later one reads. Letters that Quechua doubles or aspirates (cc, qh, k') are one
# sound in Spanish ears; a `w` is written hu or gu before a vowel; x is the sh of Shipibo and old Spanish.
_SPELLINGS: Final = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (r"ph", "p"),
        (r"th", "t"),
        (r"tch|tx|tsh|chh", "ch"),
        (r"ts|tz", "ch"),
        (r"x", "sh"),
        (r"qu(?=[ei])|[qk]h|q|ck", "k"),
        (r"c(?=[ei])|z", "s"),
        (r"c(?!h)", "k"),
        (r"gu(?=[ei])", "g"),
        (r"(?<![cs])hu(?=[aeio])|gu(?=[ao])|w", "u"),
        (r"j", "h"),
        (r"v", "b"),
        (r"y", "i"),
        (r"ñ", "n"),
        (r"([a-km-z])\1+", r"\1"),
    )
)
_VOWELS: Final = str.maketrans("eo", "iu")


def strip_accents(text: str) -> str:
    """Return the text in lower case, without accents and other marks on letters; ñ counts as n."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words(text: str) -> list[str]:
    """Return the words of a name in their order: no case, accents, apostrophes (they join) or punctuation."""
    # An apostrophe may stand for an accent once decomposed, so it goes first.
    return _WORD.findall(strip_accents(_APOSTROPHES.sub("", text)))


def plain(text: str) -> str:
    """Return the words of a name with one space between them."""
    return " ".join(words(text))


def telling(found: list[str]) -> list[str]:
    """Return the words without those that only join others; all of them where there are no others."""
    return [word for word in found if word not in JOINING] or found


@lru_cache(maxsize=65_536)
def spell(word: str) -> str:
    """Return one form for the spellings of a plain word: k/c/qu, w/hu/gu, sh/x, s/z, v/b, y/i, j/h; no plural s."""
    form = _PLURAL.sub("", word)
    for pattern, written in _SPELLINGS:
        form = pattern.sub(written, form)
    return form or word


def fold(word: str) -> str:
    """Return the form of `spell` with three vowels, as Quechua has them: e and i are one, and so are o and u."""
    return spell(word).translate(_VOWELS)


def folded(text: str) -> str:
    """Return the folded words of a name with one space between them."""
    return " ".join(map(fold, words(text)))


def split_note(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a name without the notes in brackets that it has, and the notes: `Piro (Yine)` → `Piro`, (`Yine`,)."""
    notes = tuple(note.strip() for note in _NOTE.findall(name) if note.strip())
    rest = " ".join(_NOTE.sub(" ", name).split())
    return (rest, notes) if rest and notes else (name.strip(), ())
