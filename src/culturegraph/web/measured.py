"""Measured growth for the page /about/scale: what `culturegraph bench scale --json` wrote, size beside size.

The page tells only what stands in that file; a new run of the benchmark, written there, is a new page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parent / "static" / "measured" / "scale.json"
_EXTRAPOLATED: Final = "extrapolated"


@dataclass(frozen=True)
class Line:
    """One figure at every size: part, name, unit, values in the order of sizes (None: not taken), and the reasons."""

    part: str
    name: str
    unit: str
    values: Sequence[float | None]
    extrapolated: float | None
    power: float | None
    remarks: Sequence[str]


@dataclass(frozen=True)
class Growth:
    """The whole table, with where and when it was taken."""

    sizes: Sequence[int]
    lines: Sequence[Line]
    taken: Mapping[str, str]

    @property
    def has_target(self) -> bool:
        """Whether anything is extrapolated: one size alone tells of no growth."""
        return any(line.extrapolated is not None for line in self.lines)


def read_growth(file: Path = FILE) -> Growth:
    """Read the figures. Raises ValueError where the file is none of the benchmark's."""
    told = json.loads(file.read_text(encoding="utf-8"))
    if told.get("bench") != "scale":
        raise ValueError(f"{file.name} is no file of `culturegraph bench scale`")
    rows: Sequence[Mapping[str, Any]] = told["rows"]
    sizes = sorted({row["quads"] for row in rows if row["basis"] != _EXTRAPOLATED})
    keys = dict.fromkeys((row["part"], row["name"], row["unit"]) for row in rows)
    return Growth(sizes, [_line(key, sizes, rows) for key in keys], told["taken"])


def _line(key: tuple[str, str, str], sizes: Sequence[int], rows: Sequence[Mapping[str, Any]]) -> Line:
    own = [row for row in rows if (row["part"], row["name"], row["unit"]) == key]
    measured = {row["quads"]: row for row in own if row["basis"] != _EXTRAPOLATED}
    target = next((row for row in own if row["basis"] == _EXTRAPOLATED), None)
    values = [measured[size]["value"] if size in measured else None for size in sizes]
    remarks = [
        f"{size:,}: {measured[size]['remark']}" for size in sizes if size in measured and measured[size]["remark"]
    ]
    power = float(target["remark"].rpartition(" ")[2]) if target else None
    return Line(*key, values, target["value"] if target else None, power, remarks)
