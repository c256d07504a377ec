"""Tables of statistics as a CSVW package: a CSV for each and the metadata that says what its columns are.

Source: W3C Metadata Vocabulary for Tabular Data (CSVW) §5; W3C Model for Tabular Data §6.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, Final

from culturegraph.exports.statistics.tables import ADDRESS, Dimension, Table, count, name_code
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.spreadsheets import guard

METADATA: Final = "csv-metadata.json"
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"
LANGUAGES: Final = ("es", "en")
# No time of day, so that the same counts give the same bytes.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def to_csv(store: Dataset, table: Table) -> bytes:
    """Return one table: for each dimension its code and its names, then what was counted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column["name"] for column in _columns(table)])
    for row in count(store, table):
        cells: list[str] = []
        for dimension, code in zip(table.dimensions, row.codes, strict=True):
            names = [] if dimension.is_year else [name_code(store, dimension, code, lang) for lang in LANGUAGES]
            cells += [code, *map(guard, names)]
        writer.writerow([*cells, row.value])
    return text.getvalue().encode()


def to_metadata(tables: Iterable[Table]) -> bytes:
    """Return the metadata of a package with these tables, each in a file of its name."""
    whole = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "@id": ADDRESS,
        "dc:license": {"@id": LICENCE},
        "dc:publisher": "culturegraph",
        "tables": [_describe(table) for table in tables],
    }
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def to_package(store: Dataset, tables: Iterable[Table]) -> bytes:
    """Return the package: all tables and their metadata, in a ZIP file."""
    chosen = list(tables)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for table in chosen:
            package.writestr(_entry(f"{table.id}.csv"), to_csv(store, table))
        package.writestr(_entry(METADATA), to_metadata(chosen))
    return buffer.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _describe(table: Table) -> Mapping[str, Any]:
    return {
        "@id": table.iri,
        "url": f"{table.id}.csv",
        "dc:title": _words(table.query.title),
        "dc:description": _words(table.query.description),
        "dc:license": {"@id": LICENCE},
        "tableSchema": {"columns": _columns(table), "primaryKey": [dimension.name for dimension in table.dimensions]},
    }


def _columns(table: Table) -> list[dict[str, Any]]:
    columns = [column for dimension in table.dimensions for column in _columns_of(dimension)]
    value = {"name": table.measure, "titles": dict(table.measure_title), "datatype": "nonNegativeInteger"}
    return [*columns, {**value, "propertyUrl": f"{ADDRESS}#{table.measure}", "required": True}]


def _columns_of(dimension: Dimension) -> list[dict[str, Any]]:
    code: dict[str, Any] = {"name": dimension.name, "titles": dict(dimension.title), "required": True}
    if dimension.is_year:
        # A year of EDTF; XXXX is one that is not known.
        year = {"base": "string", "format": "[0-9X]{4}"}
        return [{**code, "datatype": year, "propertyUrl": dimension.iri}]
    named = [
        {"name": f"{dimension.name}_{lang}", "titles": {lang: f"{dimension.title[lang]} ({lang})"}, "lang": lang}
        for lang in LANGUAGES
    ]
    link = {"datatype": "anyURI", "propertyUrl": dimension.iri, "valueUrl": f"{{+{dimension.name}}}"}
    return [{**code, **link}, *({**column, "datatype": "string", "suppressOutput": True} for column in named)]


def _words(words: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": words[language], "@language": language} for language in LANGUAGES]
