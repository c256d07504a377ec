"""Cells for people's spreadsheets, in which no value is taken for a formula.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return. Such a cell is written with
an apostrophe before it, which spreadsheets read as "this is text". Only for CSV meant for people (reject files, exports
that say so): SPARQL results in CSV stay as their specification has them.

Source: OWASP, CSV Injection.
"""

from __future__ import annotations

from typing import Final

# The hidden sheet of a workbook that people complete: what each of its cells is, and what it held.
MAP_SHEET: Final = "culturegraph"
MAP_HEADER: Final = ("sheet", "cell", "key", "about", "field", "language", "value")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def guard(value: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe before it where it looks like one."""
    # A spreadsheet trims spaces before it looks; a tab is itself a sign.
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value


def unguard(cell: str) -> str:
    """Return the value that `guard` was given."""
    value = cell.removeprefix("'")
    return value if guard(value) == cell else cell
