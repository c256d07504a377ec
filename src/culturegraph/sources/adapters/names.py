"""Names as people wrote them and as machines spoiled them: folding for comparison, repair, and what is past repair."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Letters that no decomposition takes apart: dropping them would make Maijɨki and Maijki one.
_LETTERS: Final = str.maketrans(
    {"ɨ": "i", "Ɨ": "i", "ʉ": "u", "Ʉ": "u", "ø": "o", "Ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"}
)
_LETTER = r"[^\W\d_]"
_LOST_INSIDE = re.compile(rf"\?{_LETTER}")
_MOJIBAKE = re.compile("[ÃÂ][\x80-\xbf‘’“”†‡ˆ‰Šš‹›ŒœŽž–—˜™Ÿ€‚ƒ„…•]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def fold(text: str) -> str:
    """Return a name for comparison: lower case, no diacritics, no signs, one space between words."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^\w]|_", " ", letters.translate(_LETTERS)).split())


def is_damaged(text: str) -> bool:
    """Say whether letters were lost: a replacement character, a control character, or `?` where a letter stood.

    Spanish opens its questions with `¿`, so that a `?` without one stands for something else.
    """
    if "\ufffd" in text or _CONTROL.search(text):
        return True
    return "?" in text and (text.count("?") > text.count("¿") or _LOST_INSIDE.search(text) is not None)


def repair_mojibake(text: str) -> str:
    """Return text that was UTF-8 and was read as Latin-1 or Windows-1252, as it was; other text unchanged."""
    if _MOJIBAKE.search(text) is None:
        return text
    for encoding in ("latin-1", "cp1252"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text
