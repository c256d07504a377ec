"""Cells that hold codes and coordinates, as spreadsheets and forms leave them.

Each function returns the clean value, with the repair it made ("" where none), or the reason why there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# Peru with its sea islands, in degrees (WGS84): south, north, west, east.
PERU: Final = (-18.4, 0.0, -81.5, -68.6)


@dataclass(frozen=True)
class Cleaned:
    """A clean value and the repair that made it, or the reason of a rejection."""

    value: str = ""
    repair: str = ""
    fault: str = ""


def clean_code(written: str, digits: int) -> Cleaned:
    """Return a code of so many digits. Zeros that a spreadsheet took from its front come back, one at most.

    Source: INEI codes begin with a department from 01 to 25, so that only one zero can be lost.
    """
    value = written.removesuffix(".0")
    if re.fullmatch(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+", value):
        return Cleaned(fault="a spreadsheet rounded the code: its digits are lost")
    if not (value.isascii() and value.isdigit()):
        return Cleaned(fault=f"is not a code of {digits} digits")
    if len(value) == digits:
        return Cleaned(value, "" if value == written else "a decimal point after a code")
    if len(value) == digits - 1:
        return Cleaned(value.zfill(digits), "leading zero restored")
    return Cleaned(fault=f"is not a code of {digits} digits")


def _within(latitude: float, longitude: float) -> bool:
    south, north, west, east = PERU
    return south <= latitude <= north and west <= longitude <= east


def _plain(written: str) -> str | None:
    """Return a number as a decimal, or None; a comma is taken for the decimal point where there is no other sign."""
    value = written.replace("−", "-").strip()
    if value.count(",") == 1 and "." not in value:
        value = value.replace(",", ".")
    return value.removeprefix("+") if _NUMBER.fullmatch(value) else None


def clean_coordinates(latitude: str, longitude: str) -> tuple[Cleaned, Cleaned]:
    """Return latitude and longitude, put right where they were swapped; both are empty where both cells were.

    A pair is taken where it lies within Peru, as written or swapped, and rejected otherwise.
    """
    if not latitude and not longitude:
        return Cleaned(), Cleaned()
    if not latitude or not longitude:
        fault = "one coordinate without the other"
        return Cleaned(fault=fault), Cleaned(fault=fault)
    lat, long = _plain(latitude), _plain(longitude)
    if lat is None or long is None:
        faults = ["" if number is not None else "is not a number" for number in (lat, long)]
        return Cleaned(fault=faults[0] or "its pair is not a number"), Cleaned(
            fault=faults[1] or "its pair is not a number"
        )
    if _within(float(lat), float(long)):
        commas = "decimal comma in coordinates" if (lat, long) != (latitude, longitude) else ""
        return Cleaned(lat, commas), Cleaned(long)
    if _within(float(long), float(lat)):
        return Cleaned(long, "latitude and longitude swapped"), Cleaned(lat)
    fault = "lies outside Peru, swapped or not"
    return Cleaned(fault=fault), Cleaned(fault=fault)
