"""MINCETUR's inventory of tourist resources: `;`, coordinates swapped, names with edge spaces, districts respelled.

What a category is in this graph is told by `data/adapters/mincetur-kinds.csv`; a kind without a class is rejected.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final

from culturegraph.rdf.vocabulary import BASE
from culturegraph.sources.adapters.cleaning import clean_coordinates
from culturegraph.sources.adapters.delimited import Layout, strip_cells
from culturegraph.sources.adapters.gazetteer import Gazetteer
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.adapters.names import fold
from culturegraph.sources.adapters.tabular import adapt_table, clean_name, known_codes, the_gazetteer
from culturegraph.sources.keys import KeyIndex

_REGION, _PROVINCE, _DISTRICT = "REGIÓN", "PROVINCIA", "DISTRITO"
_CODE, _NAME, _URL = "CODIGO DEL RECURSO", "NOMBRE DEL RECURSO", "URL"
_CATEGORY, _TYPE, _SUBTYPE = "CATEGORÍA", "TIPO DE CATEGORÍA", "SUB TIPO CATEGORÍA"
_LATITUDE, _LONGITUDE = "LATITUD", "LONGITUD"
_NEEDED: Final = (
    _REGION, _PROVINCE, _DISTRICT, _CODE, _NAME, _CATEGORY, _TYPE, _SUBTYPE, _URL, _LATITUDE, _LONGITUDE,
)  # fmt: skip
LAYOUT: Final = Layout(_NEEDED, {"FECHA_DE_CORTE": "the day of the cut, which the source's description tells"}, ";")

Kinds = dict[tuple[str, str, str, str], dict[str, str]]


def read_kinds(job: Job) -> Kinds:
    """Return what each category, type and subtype is, or one resource by its code; an empty cell: any."""
    with (job.data / "adapters/mincetur-kinds.csv").open(encoding="utf-8", newline="") as file:
        return {
            (fold(row["category"]), fold(row["type"]), fold(row["subtype"]), row["code"]): row
            for row in csv.DictReader(file)
        }


class _Cleaner:
    def __init__(self, job: Job, tally: Tally, gazetteer: Gazetteer, seen: KeyIndex) -> None:
        self.source, self.tally, self.gazetteer, self.seen = job.source.id, tally, gazetteer, seen
        self.kinds, self.known = read_kinds(job), known_codes(job, "mincetur_code")

    def __call__(self, number: int, written: dict[str, str]) -> dict[str, str] | None:
        cells = strip_cells(written, _NEEDED, self.tally)
        # Every cell is judged before the row is, so that the counts are those of the file.
        place, (latitude, longitude) = self._place(number, cells), self._coordinates(number, cells)
        name, known = clean_name(number, _NAME, cells[_NAME], self.tally), self.known.get(cells[_CODE])
        kind = {"segment": "", "class": ""} if known else self._kind(number, cells)
        if kind is None or name is None:
            return None
        if known:
            self.tally.noted["described in our tables already: its IRI was taken"] += 1
        elif self._is_second_code(number, cells, name, (kind["segment"], place)):
            return None
        subject = known or f"{BASE}id/{kind['segment']}/mincetur-{cells[_CODE]}"
        return {
            "subject": subject,
            "code": cells[_CODE],
            "label": name,
            "class_editorial": kind["class"],
            "area" if subject.startswith(f"{BASE}id/place/") else "place": place,
            "page": self._page(number, cells),
            "latitude": latitude,
            "longitude": longitude,
            "source": self.source,
            "locator": f"{_CODE} {cells[_CODE]}",
        }

    def _kind(self, number: int, cells: dict[str, str]) -> dict[str, str] | None:
        category, type_, subtype = fold(cells[_CATEGORY]), fold(cells[_TYPE]), fold(cells[_SUBTYPE])
        for key in (
            (category, type_, subtype, cells[_CODE]),
            (category, type_, subtype, ""),
            (category, type_, "", ""),
            (category, "", "", ""),
        ):
            kind = self.kinds.get(key)
            if kind is not None and kind["class"]:
                return kind
            if kind is not None:
                break
        told = " / ".join(cells[name] for name in (_CATEGORY, _TYPE, _SUBTYPE))
        reason = (
            f"no class of the graph fits: {kind['note']}" if kind else "is of no kind that mincetur-kinds.csv lists"
        )
        self.tally.reject(number, "", f"{reason} ({cells[_NAME]})", told, kind=f"{reason} ({told})")
        return None

    def _place(self, number: int, cells: dict[str, str]) -> str:
        found = self.gazetteer.find(cells[_REGION], cells[_PROVINCE], cells[_DISTRICT])
        if found is None:
            self.tally.reject(number, _REGION, "is no known department", cells[_REGION])
            return ""
        if found.respelled:
            self.tally.repaired["place spelled otherwise"] += 1
        if found.level != "district":
            if self.gazetteer.has_districts():
                column = _DISTRICT if found.level == "province" else _PROVINCE
                reason = f"is not known within its {found.level}"
                self.tally.reject(number, column, reason, cells[column])
            else:
                self.tally.noted[f"placed in its {found.level}: the gazetteer has no districts"] += 1
        return f"pe-{found.code}"

    def _is_second_code(self, number: int, cells: dict[str, str], name: str, where: tuple[str, str]) -> bool:
        """Withhold a row whose name, kind and district another code has: one thing or two is for a person to say."""
        # Where the district is not known, the place is its province: so what was written counts too.
        district = "" if len(where[1]) == len("pe-000000") else fold(cells[_DISTRICT])
        key = (*where, district, fold(cells[_SUBTYPE]), fold(name))
        before = self.seen.add("names", key, number)
        if before is None:
            return False
        reason = "has the name, kind and district of {}: one thing with two codes, or two, needs a verdict"
        kind = reason.format("another row")
        self.tally.reject(number, "", reason.format(f"row {before}"), f"{cells[_CODE]} {name}", kind=kind)
        return True

    def _coordinates(self, number: int, cells: dict[str, str]) -> tuple[str, str]:
        pair = clean_coordinates(cells[_LATITUDE], cells[_LONGITUDE])
        if not cells[_LATITUDE] and not cells[_LONGITUDE]:
            self.tally.noted["without coordinates"] += 1
        for column, cleaned in zip((_LATITUDE, _LONGITUDE), pair, strict=True):
            if cleaned.fault and cells[column]:
                self.tally.reject(number, column, cleaned.fault, cells[column])
            if cleaned.repair:
                self.tally.repaired[cleaned.repair] += 1
        return pair[0].value, pair[1].value

    def _page(self, number: int, cells: dict[str, str]) -> str:
        url, ending = cells[_URL], f"cod_Ficha={cells[_CODE]}"
        if not url or url.endswith(ending):
            return url
        self.tally.reject(number, _URL, f"is not the page of this resource ({ending})", url, kind="is another's page")
        return ""


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of the inventory's rows."""
    with KeyIndex() as seen:
        yield from adapt_table(job, tally, LAYOUT, "mincetur.json", _Cleaner(job, tally, the_gazetteer(job), seen))
