"""Data extension: the values of properties of reconciled things, for the columns of a spreadsheet.

Source: Reconciliation Service API 0.2, §7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.protocols.labels import FALLBACKS
from culturegraph.protocols.reconciliation.requests import Extension, to_iri
from culturegraph.protocols.reconciliation.schema import Schema, to_id
from culturegraph.rdf.vocabulary import BASE, PREFIXES, RDFS, SKOS

_XSD: Final = PREFIXES["xsd"]
_INTEGER: Final = _XSD + "integer"
_NUMBERS: Final = frozenset(_XSD + name for name in ("decimal", "double", "float"))
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
# Properties that every thing has, by identifiers that need no namespace.
PLAIN: Final = {
    "label": (RDFS + "label", {"es": "nombre", "en": "name"}),
    "altLabel": (SKOS + "altLabel", {"es": "otro nombre", "en": "other name"}),
    "exactMatch": (SKOS + "exactMatch", {"es": "es lo mismo que", "en": "same as"}),
    "closeMatch": (SKOS + "closeMatch", {"es": "casi lo mismo que", "en": "nearly the same as"}),
    "lat": (PREFIXES["geo"] + "lat", {"es": "latitud", "en": "latitude"}),
    "long": (PREFIXES["geo"] + "long", {"es": "longitud", "en": "longitude"}),
    "type": (PREFIXES["rdf"] + "type", {"es": "tipo", "en": "type"}),
}
_DEFAULT_LIMIT: Final = 50
# What a user may set on each property.
SETTINGS: Final = (
    {
        "name": "limit",
        "label": "Limit",
        "type": "number",
        "default": 0,
        "help_text": "Most values a thing; 0 for all",
    },
    {
        "name": "content",
        "label": "Content",
        "type": "select",
        "default": "names",
        "help_text": "What is given of things",
        "choices": [{"value": "names", "name": "Name"}, {"value": "iris", "name": "IRI"}],
    },
)


def extend(asked: Extension, schema: Schema, language: str, service: str) -> dict[str, Any]:
    """Return the values of the asked properties; empty for things and properties that are unknown.

    `service` is the address of the reconciliation service, of which the things among the values are.
    """
    columns = [(name, _find(name, schema), settings) for name, settings in asked.properties]
    rows = {
        identifier: {
            name: list(_cells(to_iri(identifier), iri, settings, schema, language)) for name, iri, settings in columns
        }
        for identifier in asked.ids
    }
    meta = [_describe(name, iri, rows, schema, language, service) for name, iri, _ in columns]
    return {"meta": meta, "rows": rows}


def name_plain(identifier: str, language: str) -> str:
    """Return the name of a property that every thing has."""
    return PLAIN[identifier][1]["en" if language == "en" else "es"]


def _find(name: str, schema: Schema) -> str | None:
    return PLAIN[name][0] if name in PLAIN else schema.find_property(name)


def _describe(
    name: str, iri: str | None, rows: dict[str, Any], schema: Schema, language: str, service: str
) -> dict[str, Any]:
    told: dict[str, Any] = {"id": name, "name": _title(name, iri, schema, language)}
    if any("id" in cell for row in rows.values() for cell in row[name]):
        # Where all values are of one type, it is told: the new column is reconciled with it.
        told["service"] = service
        kinds = {
            kind for row in rows.values() for cell in row[name] if "id" in cell for kind in _kinds(cell["id"], schema)
        }
        if len(kinds) == 1:
            kind = kinds.pop()
            told["type"] = {"id": to_id(kind), "name": schema.name(kind, language)}
    return told


def _title(name: str, iri: str | None, schema: Schema, language: str) -> str:
    if name in PLAIN:
        return name_plain(name, language)
    return schema.name_property(iri, language) if iri else name


def _kinds(identifier: str, schema: Schema) -> list[str]:
    return schema.narrowest(to_iri(identifier))


def _cells(iri: str, predicate: str | None, settings: Any, schema: Schema, language: str) -> Iterable[dict[str, Any]]:
    if predicate is None or iri not in schema.types:
        return
    values = _in_language(schema.values(iri, predicate), language)
    limit = settings.get("limit")
    most = int(limit) if isinstance(limit, int | float) and 0 < limit < 1000 else _DEFAULT_LIMIT
    as_iris = settings.get("content") == "iris"
    for value in values[:most]:
        if isinstance(value, NamedNode):
            yield _cell_of_thing(value.value, schema, language, as_iris=as_iris)
        elif isinstance(value, Literal):
            yield _cell_of_literal(value)


def _cell_of_thing(iri: str, schema: Schema, language: str, *, as_iris: bool) -> dict[str, Any]:
    if as_iris or not iri.startswith(BASE):
        return {"str": iri}
    if iri in schema.types:
        return {"id": iri.removeprefix(BASE), "name": schema.name(iri, language)}
    return {"str": schema.name(iri, language)}


def _cell_of_literal(value: Literal) -> dict[str, Any]:
    kind = value.datatype.value
    try:
        if kind == _INTEGER:
            return {"int": int(value.value)}
        if kind in _NUMBERS:
            return {"float": float(value.value)}
    except ValueError:
        return {"str": value.value}
    if kind == _XSD + "date" and _DAY.fullmatch(value.value):
        # The API knows points in time only.
        return {"date": f"{value.value}T00:00:00Z"}
    return {"str": value.value}


def _in_language(values: list[Any], language: str) -> list[Any]:
    """Keep the texts in the best language that there is; what is no text of a language stays."""
    tags = {value.language for value in values if isinstance(value, Literal) and value.language}
    if len(tags) < 2:
        return values
    order = [*FALLBACKS.get(language, (language,)), *sorted(tags)]
    best = next(tag for tag in order if tag in tags)
    return [value for value in values if not isinstance(value, Literal) or value.language in (None, best)]
