"""schema.org in JSON-LD, for search engines: an entity, and the data set as a whole.

The types are those that the alignments of the ontology infer; what has none is a Thing, with our classes as
`additionalType`. Source: schema.org (Thing, Place, Dataset); Google's guide asks for name, description, licence and
distribution of a Dataset.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup
from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, LABEL, SKOS, TYPE

SCHEMA: Final = "https://schema.org/"
DATASET: Final = BASE + "dataset"
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"
_GEO: Final = "http://www.w3.org/2003/01/geo/wgs84_pos#"
# Of each property; more is in the data itself.
_MOST: Final = 20


def describe_entity(store: Dataset, iri: str, page: str, language: str) -> dict[str, Any]:
    """Return an entity as a JSON-LD object; `page` is the address of the page about it."""
    node = NamedNode(iri)
    labels = Labels(store, language)
    types = _values(store, node, TYPE)
    known = sorted(kind.removeprefix(SCHEMA) for kind in types if kind.startswith(SCHEMA))
    told: dict[str, Any] = {
        "@context": SCHEMA.rstrip("/"),
        "@id": iri,
        "@type": known or "Thing",
        "name": _texts(store, node, LABEL, SKOS + "prefLabel"),
        "alternateName": _texts(store, node, SKOS + "altLabel"),
        "description": _texts(store, node, SKOS + "definition", DCTERMS + "description"),
        "additionalType": sorted(kind for kind in types if kind.startswith(CG)),
        "sameAs": sorted(_values(store, node, SKOS + "exactMatch"))[:_MOST],
        "geo": _coordinates(store, node),
        "mainEntityOfPage": page,
        "subjectOf": {"@id": DATASET},
    }
    for quad in store.quads_for_pattern(node, None, None, DefaultGraph()):
        name = quad.predicate.value.removeprefix(SCHEMA)
        if quad.predicate.value.startswith(SCHEMA) and isinstance(quad.object, NamedNode):
            found = told.setdefault(name, [])
            if len(found) < _MOST:
                found.append({"@id": quad.object.value, "name": labels.of(quad.object.value).text})
    return {key: value for key, value in told.items() if value not in (None, [], "")}


def describe_dataset(manifest: Mapping[str, Any], home: str, words: Mapping[str, str]) -> dict[str, Any]:
    """Return the data set as a JSON-LD object; `home` is the address of this server."""

    def download(name: str, address: str, media_type: str) -> dict[str, str]:
        return {"@type": "DataDownload", "name": name, "contentUrl": home + address, "encodingFormat": media_type}

    return {
        "@context": SCHEMA.rstrip("/"),
        "@id": DATASET,
        "@type": "Dataset",
        "name": "culturegraph: " + words["tagline"],
        "description": words["about"] + " " + words["licence"],
        "url": home,
        "identifier": f"sha256:{manifest['content_hash']}" if manifest.get("content_hash") else DATASET,
        "version": manifest.get("version"),
        "license": LICENCE,
        "isAccessibleForFree": True,
        "inLanguage": ["es", "en", "qu", "ay"],
        "spatialCoverage": {"@type": "Country", "name": "Perú", "identifier": "PE"},
        "keywords": ["patrimonio cultural inmaterial", "intangible cultural heritage", "Perú", "linked open data"],
        "creator": {"@type": "Organization", "name": "culturegraph", "url": home},
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": BASE + "catalogue", "url": home + "catalogue"},
        "distribution": [
            download("SPARQL 1.1", "sparql", "application/sparql-results+json"),
            download("VoID, Turtle", "data/dataset.ttl", "text/turtle"),
            download("DCAT, JSON-LD", "data/catalogue.jsonld", "application/ld+json"),
        ],
    }


def to_script(described: Mapping[str, Any]) -> Markup:
    """Return a data block for the head of a page. No text can end it: `<` is written as an escape."""
    text = json.dumps(described, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")
    return Markup(f'<script type="application/ld+json">{text}</script>')  # noqa: S704 (escaped above)


def _values(store: Dataset, node: NamedNode, predicate: NamedNode | str) -> set[str]:
    wanted = predicate if isinstance(predicate, NamedNode) else NamedNode(predicate)
    found = store.quads_for_pattern(node, wanted, None, DefaultGraph())
    return {quad.object.value for quad in found if isinstance(quad.object, NamedNode)}


def _texts(store: Dataset, node: NamedNode, *predicates: NamedNode | str) -> list[dict[str, str]]:
    texts: dict[tuple[str, str], dict[str, str]] = {}
    for predicate in predicates:
        wanted = predicate if isinstance(predicate, NamedNode) else NamedNode(predicate)
        for quad in store.quads_for_pattern(node, wanted, None, DefaultGraph()):
            if isinstance(quad.object, Literal):
                language = quad.object.language or "und"
                texts[language, quad.object.value] = {"@value": quad.object.value, "@language": language}
    return [texts[key] for key in sorted(texts)][:_MOST]


def _coordinates(store: Dataset, node: NamedNode) -> dict[str, Any] | None:
    latitude, longitude = (_number(store, node, _GEO + name) for name in ("lat", "long"))
    if latitude is None or longitude is None:
        return None
    return {"@type": "GeoCoordinates", "latitude": latitude, "longitude": longitude}


def _number(store: Dataset, node: NamedNode, predicate: str) -> float | None:
    found: Iterable[Any] = store.quads_for_pattern(node, NamedNode(predicate), None, DefaultGraph())
    return next((float(quad.object.value) for quad in found if isinstance(quad.object, Literal)), None)
