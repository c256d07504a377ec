"""Dates as people read them: EDTF and XSD dates in words of a language.

Source: EDTF (ISO 8601-2), levels 0 and 1, as far as the data use them; what is of another form stays as it is written.
"""

from __future__ import annotations

import re
from typing import Final

from culturegraph.rdf.vocabulary import EDTF, XSD

DATE_TYPES: Final = frozenset({EDTF, *(XSD + name for name in ("date", "gYear", "gYearMonth", "dateTime"))})
# fmt: off
_MONTHS: Final = {
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio",
           "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    "en": ("January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December"),
}
# fmt: on
_ABOUT: Final = {"es": "hacia {}", "en": "about {}"}
_PERHAPS: Final = {"es": "quizá {}", "en": "perhaps {}"}
_UNTIL: Final = {"es": "hasta {}", "en": "until {}"}
_SINCE: Final = {"es": "desde {}", "en": "since {}"}
_DATE: Final = re.compile(r"(-?\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?([~?%]?)")
_OPEN: Final = ("", "..")


def tell_date(value: str, language: str) -> str:
    """Return a date in words: `23 de julio de 2007`, `hacia 1964`, `2008–2010`; what cannot be read as it is."""
    language = language if language in _MONTHS else "es"
    start, slash, end = value.partition("/")
    if slash:
        first, last = (None if part in _OPEN else _tell(part, language) for part in (start, end))
        if first and last:
            return f"{first}–{last}" if first.isdigit() and last.isdigit() else f"{first} – {last}"
        if first:
            return _SINCE[language].format(first)
        return _UNTIL[language].format(last) if last else value
    return _tell(value, language) or value


def _tell(value: str, language: str) -> str | None:
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day, mark = match.groups()
    if month and not 1 <= int(month) <= 12:
        return None
    told = year.lstrip("0") if year.startswith("0") else year
    if month:
        name = _MONTHS[language][int(month) - 1]
        if day:
            told = f"{int(day)} {name} {told}" if language == "en" else f"{int(day)} de {name} de {told}"
        else:
            told = f"{name} {told}" if language == "en" else f"{name} de {told}"
    if mark:
        told = (_PERHAPS if mark == "?" else _ABOUT)[language].format(told)
    return told
