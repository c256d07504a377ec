"""INEI's populated places (CSV): codes of ten digits that begin with their district's ubigeo.

The district's ubigeo is checked against the gazetteer: zeros that a spreadsheet took come back, codes of the civil
registry (RENIEC) in place of INEI's are rejected, so are codes that name another district than the row does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from culturegraph.sources.adapters.cleaning import clean_code, clean_coordinates
from culturegraph.sources.adapters.delimited import Layout, strip_cells
from culturegraph.sources.adapters.gazetteer import Gazetteer
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.adapters.names import fold, repair_mojibake
from culturegraph.sources.adapters.tabular import adapt_table, clean_name, the_gazetteer

_CODE, _UBIGEO, _NAME = "inei_ccpp", "inei_distrito", "ccpp"
_AREAS: Final = ("departamento", "provincia", "distrito")
_NEEDED: Final = (_CODE, _UBIGEO, *_AREAS, _NAME, "latitude", "longitude")
LAYOUT: Final = Layout(_NEEDED, {"tipo": "urban or rural at the census: the graph has no property for it"})


class _Cleaner:
    def __init__(self, job: Job, tally: Tally, gazetteer: Gazetteer) -> None:
        self.source, self.tally, self.gazetteer = job.source.id, tally, gazetteer
        # Places come by district: what was found for the last one holds for the next row.
        self._last: tuple[tuple[str, ...], tuple[str, str, str]] = ((), ("", "", ""))

    def __call__(self, number: int, written: dict[str, str]) -> dict[str, str] | None:
        cells = strip_cells(written, _NEEDED, self.tally)
        code, district = self._code(number, _CODE, cells, 10), self._code(number, _UBIGEO, cells, 6)
        if not code or not district:
            return None
        if not code.startswith(district):
            self.tally.reject(number, "", f"{_UBIGEO}: does not begin the code of its place", district)
            return None
        if not self._check_district(number, cells, district):
            return None
        name = clean_name(number, _NAME, cells[_NAME], self.tally)
        if name is None:
            return None
        latitude, longitude = self._coordinates(number, cells)
        return {
            "code": code,
            "label": name,
            "district": district,
            "latitude": latitude,
            "longitude": longitude,
            "source": self.source,
            "locator": f"{_CODE} {code}",
        }

    def _code(self, number: int, column: str, cells: dict[str, str], digits: int) -> str:
        cleaned = clean_code(cells[column], digits)
        if cleaned.fault:
            self.tally.reject(number, "", f"{column}: {cleaned.fault}", cells[column])
        elif cleaned.repair:
            self.tally.repaired[f"{cleaned.repair} ({column})"] += 1
        return cleaned.value

    def _check_district(self, number: int, cells: dict[str, str], district: str) -> bool:
        """Say whether the row may stand; a name that disagrees with the code is rejected alone, by its cell."""
        key = (district, *(cells[area] for area in _AREAS))
        if self._last[0] != key:
            self._last = key, self._judge(cells, district)
        column, kind, reason = self._last[1]
        if reason:
            self.tally.reject(number, column, reason, cells[column] if column else district, kind=kind)
        return not reason or bool(column)

    def _judge(self, cells: dict[str, str], district: str) -> tuple[str, str, str]:
        """Return (column, kind, reason): no reason where code and names agree, no column where the row must go."""
        if not self.gazetteer.has_districts():
            self.tally.noted["districts not checked: the gazetteer has none"] = 1
            return "", "", ""
        names = [repair_mojibake(cells[area]) for area in _AREAS]
        found = self.gazetteer.find(*names)
        if found is not None and found.code == district:
            return "", "", ""
        meant = self.gazetteer.inei_of_reniec.get(district)
        if found is not None and found.code == meant and district != meant:
            told = f"{_UBIGEO}: {district} is the RENIEC code of {names[2]}, whose INEI code is {meant}"
            return "", "a RENIEC code in place of INEI's", told
        known = self.gazetteer.names.get(district)
        if known is None:
            kind = f"{_UBIGEO}: is no district of the gazetteer (obsolete, or of another code system)"
            return "", kind, kind
        if found is not None and found.level == "district":
            told = f"{_UBIGEO}: is the code of {known}, the row says {names[2]} ({found.code})"
            return "", "code and names are of two districts", told
        column = _AREAS[2] if fold(names[2]) != fold(known) else _AREAS[1]
        told = f"is not the gazetteer's name of {district} ({known}): the code was taken"
        return column, "a name that the gazetteer does not give to the code", told

    def _coordinates(self, number: int, cells: dict[str, str]) -> tuple[str, str]:
        pair = clean_coordinates(cells["latitude"], cells["longitude"])
        for column, cleaned in zip(("latitude", "longitude"), pair, strict=True):
            if cleaned.fault and cells[column]:
                self.tally.reject(number, column, cleaned.fault, cells[column])
            if cleaned.repair:
                self.tally.repaired[cleaned.repair] += 1
        if not cells["latitude"] and not cells["longitude"]:
            self.tally.noted["without coordinates"] += 1
        return pair[0].value, pair[1].value


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of the places' rows."""
    yield from adapt_table(job, tally, LAYOUT, "inei-places.json", _Cleaner(job, tally, the_gazetteer(job)))
