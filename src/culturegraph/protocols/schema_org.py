"""schema.org in JSON-LD, for search engines: an entity, and the data set as a whole.

The types are those that the alignments of the ontology infer; what has none is a Thing, with our classes as
`additionalType`. Source: schema.org (Thing, Place, Dataset); Google's guide asks for name, description, licence and
distribution of a Dataset.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup
from pyoxigraph import Literal, NamedNode

from culturegraph.protocols.labels import Labels
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, LABEL, SKOS, TYPE

SCHEMA: Final = "https://schema.org/"
DATASET: Final = BASE + "dataset"
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"
_GEO: Final = "http://www.w3.org/2003/01/geo/wgs84_pos#"
# Of each property; more is in the data itself.
_MOST: Final = 20


def describe_entity(iri: str, own: Mapping[str, Collection[Any]], page: str, labels: Labels) -> dict[str, Any]:
    """Return an entity as a JSON-LD object.

    `own` has what the graph says of it, by property; `page` is the address of the page about it.
    """
    types = _iris(own.get(TYPE.value, ()))
    known = sorted(kind.removeprefix(SCHEMA) for kind in types if kind.startswith(SCHEMA))
    told: dict[str, Any] = {
        "@context": SCHEMA.rstrip("/"),
        "@id": iri,
        "@type": known or "Thing",
        "name": _texts(own, LABEL.value, SKOS + "prefLabel"),
        "alternateName": _texts(own, SKOS + "altLabel"),
        "description": _texts(own, SKOS + "definition", DCTERMS + "description"),
        "additionalType": sorted(kind for kind in types if kind.startswith(CG)),
        "sameAs": sorted(_iris(own.get(SKOS + "exactMatch", ())))[:_MOST],
        "geo": _coordinates(own),
        "mainEntityOfPage": page,
        "subjectOf": {"@id": DATASET},
    }
    for predicate, terms in own.items():
        if predicate.startswith(SCHEMA):
            linked = sorted(_iris(terms))[:_MOST]
            found = [{"@id": other, "name": labels.of(other).text} for other in linked]
            told.setdefault(predicate.removeprefix(SCHEMA), []).extend(found)
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


def _iris(terms: Iterable[Any]) -> set[str]:
    return {term.value for term in terms if isinstance(term, NamedNode)}


def _texts(own: Mapping[str, Collection[Any]], *predicates: str) -> list[dict[str, str]]:
    texts = {
        (term.language or "und", term.value)
        for predicate in predicates
        for term in own.get(predicate, ())
        if isinstance(term, Literal)
    }
    return [{"@value": text, "@language": language} for language, text in sorted(texts)][:_MOST]


def _coordinates(own: Mapping[str, Collection[Any]]) -> dict[str, Any] | None:
    latitude, longitude = (_number(own.get(_GEO + name, ())) for name in ("lat", "long"))
    if latitude is None or longitude is None:
        return None
    return {"@type": "GeoCoordinates", "latitude": latitude, "longitude": longitude}


def _number(terms: Iterable[Any]) -> float | None:
    return next((float(term.value) for term in terms if isinstance(term, Literal)), None)
