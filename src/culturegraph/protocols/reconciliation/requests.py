"""Reading what clients send: batches of queries and of data extension, as JSON in a form field or an address.

What is wrong with one query is told for that query; only what cannot be read at all fails the whole request.

Source: Reconciliation Service API 0.2, §4.2 (reconciliation queries), §7.2 (data extension).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from culturegraph.errors import LimitExceededError, RequestError
from culturegraph.protocols.reconciliation.evidence import Condition
from culturegraph.protocols.reconciliation.matching import DEFAULT_LIMIT, MAX_LIMIT, Query, Strictness
from culturegraph.protocols.reconciliation.schema import Schema
from culturegraph.rdf.vocabulary import BASE

# What one request may hold. The manifest publishes the first.
MAX_BATCH: Final = 1_000
MAX_BYTES: Final = 4_000_000
MAX_PROPERTIES: Final = 20
MAX_VALUES: Final = 20
MAX_TYPES: Final = 20
MAX_EXTENSION: Final = 20_000
# More than a name ever has: a client that sends a whole record by mistake hears of it.
MAX_QUERY: Final = 10_000
_STRICTNESS: Final = ("any", "all", "should")


class BatchTooLargeError(LimitExceededError):
    """A batch has more in it than one request may ask."""

    title = "Batch too large"
    status = 413
    exit_code = 2


@dataclass(frozen=True)
class Faulty:
    """A query of a batch that cannot be read, and why."""

    reason: str


def read_batch(text: str, schema: Schema) -> dict[str, Query | Faulty]:
    """Return the queries of a batch by their keys. Raises RequestError where it is no JSON object."""
    batch = _read_object(text, "queries")
    if len(batch) > MAX_BATCH:
        raise BatchTooLargeError(f"queries: a batch may have {MAX_BATCH:,} queries, not {len(batch):,}")
    return {key: _read_or_fault(value, schema) for key, value in batch.items()}


def _read_object(text: str, name: str) -> dict[str, Any]:
    if len(text) > MAX_BYTES:
        raise BatchTooLargeError(f"{name}: at most {MAX_BYTES:,} characters")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"{name}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise RequestError(f"{name}: nested too deeply") from error
    if not isinstance(value, dict):
        raise RequestError(f"{name}: a JSON object, not {type(value).__name__}")
    return value


def _read_or_fault(value: Any, schema: Schema) -> Query | Faulty:
    try:
        return read_query(value, schema)
    except RequestError as error:
        return Faulty(str(error))


def read_query(value: Any, schema: Schema) -> Query:
    """Read one query. Raises RequestError where a part of it is not what the API says."""
    if isinstance(value, str):
        # The form of the first version of the API, which is still sent.
        value = {"query": value}
    if not isinstance(value, dict):
        raise RequestError("a query is a JSON object")
    text = value.get("query", "")
    if not isinstance(text, str):
        raise RequestError("query: a text")
    if len(text) > MAX_QUERY:
        raise RequestError(f"query: at most {MAX_QUERY:,} characters")
    strictness = value.get("type_strict", "should")
    if strictness not in _STRICTNESS:
        raise RequestError(f"type_strict: one of {', '.join(_STRICTNESS)}")
    named = _read_types(value.get("type"))
    types = tuple(dict.fromkeys(iri for name in named if (iri := schema.find_class(name))))
    return Query(
        text=text,
        types=types,
        strictness=cast(Strictness, strictness),
        has_unknown_type=len(types) < len(set(named)) and (not types or strictness == "all"),
        conditions=tuple(_read_conditions(value.get("properties"), schema)),
        limit=_read_limit(value.get("limit")),
    )


def _read_types(value: Any) -> list[str]:
    """Return the identifiers of types: one, several, or objects with an id."""
    found = value if isinstance(value, list) else [] if value in (None, "") else [value]
    named = [item.get("id") if isinstance(item, dict) else item for item in found]
    if not all(isinstance(name, str) for name in named) or len(named) > MAX_TYPES:
        raise RequestError(f"type: an identifier, or up to {MAX_TYPES} of them")
    return [name for name in named if name]


def _read_limit(value: Any) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1e9:
        raise RequestError("limit: a number from 1")
    return min(int(value), MAX_LIMIT)


def _read_conditions(value: Any, schema: Schema) -> Iterable[Condition]:
    if value is None:
        return
    if not isinstance(value, list) or len(value) > MAX_PROPERTIES:
        raise RequestError(f"properties: a list of up to {MAX_PROPERTIES}")
    for item in value:
        name = (item.get("pid") or item.get("p")) if isinstance(item, dict) else None
        if not isinstance(name, str) or "v" not in item:
            raise RequestError("properties: each an object with pid and v")
        yield read_condition(name, item["v"], schema)


def read_condition(name: str, value: Any, schema: Schema) -> Condition:
    """Return a property with its values: texts, numbers, booleans, or objects with an id."""
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_VALUES:
        raise RequestError(f"properties: up to {MAX_VALUES} values each")
    texts, iris = [], []
    for item in values:
        if isinstance(item, dict):
            iris.append(to_iri(str(item.get("id", ""))))
        elif isinstance(item, bool):
            texts.append(str(item).lower())
        elif isinstance(item, str | int | float):
            texts.append(str(item)[:MAX_QUERY])
    return Condition(name, schema.find_property(name), tuple(filter(None, texts)), tuple(iris))


def to_iri(identifier: str) -> str:
    """Return the IRI of an entity's identifier: what follows the base IRI, or the whole."""
    return identifier if identifier.startswith(BASE) else BASE + identifier


@dataclass(frozen=True)
class Extension:
    """What is asked of entities: their identifiers as given, and properties with their settings."""

    ids: tuple[str, ...]
    properties: tuple[tuple[str, Mapping[str, Any]], ...]


def read_extension(text: str) -> Extension:
    """Read a data extension query. Raises RequestError where it is not one."""
    value = _read_object(text, "extend")
    ids, properties = value.get("ids"), value.get("properties")
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise RequestError("extend: ids is a list of identifiers")
    if not isinstance(properties, list) or not all(
        isinstance(item, dict) and isinstance(item.get("id"), str) for item in properties
    ):
        raise RequestError("extend: properties is a list of objects with an id")
    if len(ids) > MAX_BATCH or len(ids) * len(properties) > MAX_EXTENSION:
        raise BatchTooLargeError(f"extend: up to {MAX_BATCH:,} ids and {MAX_EXTENSION:,} values in all")
    settings = [item.get("settings") if isinstance(item.get("settings"), dict) else {} for item in properties]
    named = tuple((item["id"], kept or {}) for item, kept in zip(properties, settings, strict=True))
    return Extension(tuple(ids), named)
