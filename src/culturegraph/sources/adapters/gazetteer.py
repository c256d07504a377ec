"""The administrative areas of Peru, by name and by code: which district a row of an outside table means.

Read from `data/places.csv`, or from INEI's list of districts (`departamento;provincia;distrito;ubigeo`). Spellings that
differ from it are listed in `data/adapters/place-spellings.csv`, never guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from culturegraph.errors import DataError, StorageError
from culturegraph.sources.adapters.names import fold

Names = tuple[str, ...]
_LEVELS: Final = ("department", "province", "district")


@dataclass(frozen=True)
class Found:
    """The smallest known area that names lead to: its code (2, 4 or 6 digits), and whether a spelling was mended."""

    code: str
    respelled: bool

    @property
    def level(self) -> str:
        """Department, province or district."""
        return _LEVELS[len(self.code) // 2 - 1]


@dataclass
class Gazetteer:
    """Areas by folded names (department, province, district: as many as the level has) and by INEI code."""

    codes: dict[Names, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    inei_of_reniec: dict[str, str] = field(default_factory=dict)
    spellings: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add(self, code: str, path: Names) -> None:
        """Add an area: its code and its names from the department down."""
        self.codes[tuple(map(fold, path))] = code
        self.names[code] = path[-1]

    def find(self, department: str, province: str, district: str) -> Found | None:
        """Return the smallest area that the names lead to, going down from the department; None where none is known."""
        found, path, respelled = "", list[str](), False
        for level, name in zip(_LEVELS, (department, province, district), strict=True):
            written = fold(name)
            within = path[-1] if path else ""
            spelled = written if (*path, written) in self.codes else self.spellings.get((level, written, within), "")
            code = self.codes.get((*path, spelled))
            if code is None:
                break
            respelled |= spelled != written
            path.append(spelled)
            found = code
        return Found(found, respelled) if found else None

    def has_districts(self) -> bool:
        """Say whether districts are known at all."""
        return any(len(code) == 6 for code in self.names)


def _cells(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            yield from csv.DictReader(file, delimiter=";" if first.count(";") > first.count(",") else ",")
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start})", path.name) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error


def _read_places(gazetteer: Gazetteer, rows: list[dict[str, str]]) -> None:
    """Read rows of `places.csv`: the id tells the code, `within` the area above."""
    by_id = {row["id"]: row for row in rows}
    for row in rows:
        code = row["id"].removeprefix("pe-")
        if not code.isdigit() or len(code) not in {2, 4, 6}:
            continue
        path = [row]
        while (above := by_id.get(path[0]["within"])) is not None and above["id"] != "pe":
            path.insert(0, above)
        if len(path) == len(code) // 2:
            gazetteer.add(code, tuple(area["label_es"] or area["label_es_editorial"] for area in path))
        if row.get("ubigeo_reniec"):
            gazetteer.inei_of_reniec[row["ubigeo_reniec"]] = row.get("ubigeo_inei") or code.ljust(6, "0")


def _read_districts(gazetteer: Gazetteer, rows: list[dict[str, str]]) -> None:
    """Read rows of INEI's list of districts; the areas above follow from the codes."""
    for row in rows:
        path = (row["departamento"], row["provincia"], row["distrito"])
        for level in (1, 2, 3):
            gazetteer.add(row["ubigeo"].zfill(6)[: 2 * level], path[:level])


def read_gazetteer(path: Path, spellings: Path) -> Gazetteer:
    """Read the areas and their other spellings. Raises DataError where the file is of neither form."""
    gazetteer = Gazetteer()
    rows = list(_cells(path))
    header = set(rows[0]) if rows else set()
    if {"id", "within", "label_es"} <= header:
        _read_places(gazetteer, rows)
    elif {"departamento", "provincia", "distrito", "ubigeo"} <= header:
        _read_districts(gazetteer, rows)
    else:
        raise DataError("is no list of places (columns id, label_es, within or departamento … ubigeo)", path.name, 1)
    for row in _cells(spellings):
        gazetteer.spellings[row["level"], fold(row["written"]), fold(row["within"])] = fold(row["name"])
    # A spelling of a district is given within the official name of its province, and so on upwards.
    return gazetteer
