"""The answers of the reconciliation service, as the API writes them; pure, no web framework.

Source: Reconciliation Service API 0.2, §3 (manifest), §4.3 (candidates), §6 (suggest), §7 (data extension).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from culturegraph.linking.comparison import clean
from culturegraph.protocols.labels import sort_key
from culturegraph.protocols.reconciliation.extension import PLAIN, SETTINGS, name_plain
from culturegraph.protocols.reconciliation.matching import Candidate, Query, Reconciler
from culturegraph.protocols.reconciliation.requests import MAX_BATCH, Faulty
from culturegraph.protocols.reconciliation.schema import Schema, Term, to_id
from culturegraph.rdf.vocabulary import BASE, CG

PREVIEW_SIZE: Final = (430, 320)
SUGGESTED: Final = 20
_DEFAULT_TYPES: Final = ("CulturalExpression", "IndigenousPeople", "Place", "Organization", "Person", "Work")


def manifest(host: str, schema: Schema, language: str, version: str, chosen: str | None = None) -> dict[str, Any]:
    """Return the manifest of the service at a host (`https://example.org`).

    `chosen`: the language that the address of the service names, which all its parts then keep; without it each
    request is answered in the language that it asks for.
    """
    service = f"{host}/reconcile"
    kept, more = (f"?lang={chosen}", f"?lang={chosen}&") if chosen else ("", "?")
    suggest = {
        kind: {
            "service_url": host,
            "service_path": f"/reconcile/suggest/{kind}{kept}",
            "flyout_service_url": host,
            "flyout_service_path": f"/reconcile/flyout/{kind}{more}id=${{id}}",
        }
        for kind in ("entity", "type", "property")
    }
    width, height = PREVIEW_SIZE
    types = [iri for name in _DEFAULT_TYPES if (iri := schema.find_class(name))]
    return {
        "versions": ["0.1", "0.2"],
        "name": f"culturegraph ({language})",
        "identifierSpace": BASE,
        "schemaSpace": CG,
        "documentation": f"{host}/about/linking",
        "logo": f"{host}/static/mark.svg",
        "serviceVersion": version,
        "batchSize": MAX_BATCH,
        "defaultTypes": [{"id": to_id(iri), "name": schema.name(iri, language)} for iri in types],
        "view": {"url": f"{host}/{{{{id}}}}"},
        "preview": {"url": f"{service}/preview{more}id={{{{id}}}}", "width": width, "height": height},
        "suggest": suggest,
        "extend": {
            "propose_properties": {"service_url": host, "service_path": f"/reconcile/properties{kept}"},
            "property_settings": list(SETTINGS),
        },
    }


def answer_batch(batch: Mapping[str, Query | Faulty], reconciler: Reconciler, language: str) -> dict[str, Any]:
    """Return the candidates for each query; for one that could not be read none, and why."""
    # A list repeats its names: each is looked up once.
    known: dict[Query, list[Candidate]] = {}
    answers: dict[str, Any] = {}
    for key, query in batch.items():
        if isinstance(query, Faulty):
            answers[key] = {"result": [], "error": query.reason}
            continue
        if query not in known:
            known[query] = reconciler.find(query)
        answers[key] = {"result": [to_json(candidate, reconciler.schema, language) for candidate in known[query]]}
    return answers


def to_json(candidate: Candidate, schema: Schema, language: str) -> dict[str, Any]:
    """Return a candidate as the API writes it."""
    types = [{"id": to_id(kind), "name": schema.name(kind, language)} for kind in schema.narrowest(candidate.iri)]
    return {
        "id": candidate.iri.removeprefix(BASE),
        "name": schema.name(candidate.iri, language),
        "description": describe(candidate.iri, schema, language),
        "type": types,
        "score": candidate.score,
        "features": [{"id": key, "value": value} for key, value in candidate.features.items()],
        "match": candidate.match,
    }


def describe(iri: str, schema: Schema, language: str) -> str:
    """Return a line that tells namesakes apart: what a thing is, and where."""
    kinds = ", ".join(schema.name(kind, language) for kind in schema.narrowest(iri)[:2])
    places = ", ".join(schema.name(term.value, language) for term in schema.values(iri, CG + "department")[:3])
    return " · ".join(filter(None, (kinds, places)))


def suggest_entities(text: str, reconciler: Reconciler, language: str) -> dict[str, Any]:
    """Return the things that a text that is being typed may mean."""
    schema, text = reconciler.schema, clean(text)
    hits = reconciler.index.lookup_identifier(text) or reconciler.index.suggest(text, limit=SUGGESTED * 3)
    found = []
    for hit in hits:
        if hit.iri in schema.types:
            kinds = schema.narrowest(hit.iri)
            notable = [{"id": to_id(kind), "name": schema.name(kind, language)} for kind in kinds]
            told = {"id": hit.iri.removeprefix(BASE), "name": schema.name(hit.iri, language), "notable": notable}
            found.append(told | {"description": describe(hit.iri, schema, language)})
    return {"result": found[:SUGGESTED]}


def suggest_terms(kind: str, text: str, schema: Schema, language: str) -> dict[str, Any]:
    """Return the types or properties whose name or identifier has a text: beginnings of words first."""
    terms = schema.type_terms(language) if kind == "type" else propose(None, schema, language)
    wanted = sort_key(clean(text))
    ranked = [(rank, n, term) for n, term in enumerate(terms) if (rank := _rank(wanted, term)) is not None]
    found = [term for *_, term in sorted(ranked, key=lambda item: item[:2])[:SUGGESTED]]
    return {"result": [{**term.to_json(), "description": schema.describe(term.iri, language)} for term in found]}


def _rank(wanted: str, term: Term) -> int | None:
    keys = (sort_key(term.name), sort_key(term.id))
    if any(key.startswith(wanted) for key in keys):
        return 0
    if any(re.search(rf"\b{re.escape(wanted)}", key) for key in keys):
        return 1
    return 2 if any(wanted in key for key in keys) else None


def propose(kind: str | None, schema: Schema, language: str) -> list[Term]:
    """Return the properties that things of a type (by identifier; None: of any) have, with those that all have."""
    plain = [Term(key, iri, name_plain(key, language), 0) for key, (iri, _) in PLAIN.items()]
    known = schema.find_class(kind) if kind else None
    if kind and known is None:
        return plain
    return [*plain, *schema.properties_of(known, language)]
