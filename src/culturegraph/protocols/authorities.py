"""Names for what other authorities publish: who stands behind a foreign IRI, and its number there.

A page names a link `Wikidata: Q397948` and never shows the IRI itself.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from culturegraph.protocols.foreign_terms import FOREIGN_PREFIXES
from culturegraph.rdf.vocabulary import PREFIXES

# What an IRI begins with (without its scheme and `www.`) → who publishes it. The longest beginning counts.
_AUTHORITIES: Final = {
    "wikidata.org/": "Wikidata",
    "dbpedia.org/": "DBpedia",
    "viaf.org/": "VIAF",
    "id.loc.gov/authorities/subjects/": "Library of Congress (LCSH)",
    "id.loc.gov/authorities/names/": "Library of Congress (LCNAF)",
    "id.loc.gov/authorities/performanceMediums/": "Library of Congress (LCMPT)",
    "id.loc.gov/": "Library of Congress",
    "data.bnf.fr/": "Bibliothèque nationale de France",
    "datos.bne.es/": "Biblioteca Nacional de España",
    "d-nb.info/gnd/": "Deutsche Nationalbibliothek (GND)",
    "vocab.getty.edu/aat/": "Art & Architecture Thesaurus",
    "vocab.getty.edu/tgn/": "Thesaurus of Geographic Names",
    "vocabularies.unesco.org/thesaurus/": "Tesauro de la UNESCO",
    "glottolog.org/": "Glottolog",
    "sws.geonames.org/": "GeoNames",
    "geonames.org/": "GeoNames",
    "mimo-db.eu/": "MIMO",
    "urn.fi/URN:NBN:fi:au:seko": "SEKO",
    "urn.fi/": "Finto",
    "whc.unesco.org/": "UNESCO, World Heritage Centre",
    "ich.unesco.org/": "UNESCO, Intangible Cultural Heritage",
    "unesco.org/": "UNESCO",
    "consultasenlinea.mincetur.gob.pe/": "MINCETUR, Inventario de Recursos Turísticos",
    "spij.minjus.gob.pe/": "SPIJ",
    "busquedas.elperuano.pe/": "El Peruano",
    "epdoc2.elperuano.pe/": "El Peruano",
    "elperuano.pe/": "El Peruano",
    "gob.pe/": "gob.pe",
    "creativecommons.org/": "Creative Commons",
    "sdmx.org/": "SDMX",
    "doi.org/": "DOI",
    "orcid.org/": "ORCID",
}
# Vocabularies whose terms have readable local names.
_VOCABULARIES: Final = {
    "arco": "ArCo",
    "crm": "CIDOC CRM",
    "edm": "Europeana (EDM)",
    "eli": "ELI",
    "gsp": "GeoSPARQL",
    "odrl": "ODRL",
    "org": "W3C ORG",
    "qb": "Data Cube",
    "schema": "schema.org",
    "time": "OWL-Time",
    "dcterms": "Dublin Core",
    "dc": "Dublin Core",
    "foaf": "FOAF",
    "geo": "WGS84",
    "owl": "OWL",
    "prov": "PROV-O",
    "skos": "SKOS",
    "sh": "SHACL",
    "void": "VoID",
    "dcat": "DCAT",
    "sd": "SPARQL",
}
_NAMESPACES: Final = {**PREFIXES, **FOREIGN_PREFIXES}
# An identifier at the end of a path: what people quote.
_LONGEST: Final = 40


def name_foreign(iri: str) -> str | None:
    """Return a name for a foreign IRI: the term and its vocabulary, or the authority and its number; else None."""
    for prefix, vocabulary in _VOCABULARIES.items():
        namespace = _NAMESPACES.get(prefix, "")
        if namespace and iri.startswith(namespace) and re.fullmatch(r"[\w.-]+", local := iri[len(namespace) :]):
            return f"{local.replace('_', ' ')} ({vocabulary})"
    bare = re.sub(r"^https?://(www\.)?", "", iri)
    authority = max((start for start in _AUTHORITIES if bare.lower().startswith(start.lower())), key=len, default=None)
    if authority is None:
        return None
    number = _number(bare[len(authority) :])
    return f"{_AUTHORITIES[authority]}: {number}" if number else _AUTHORITIES[authority]


def name_site(iri: str) -> str | None:
    """Return the site of a web address: `segib.org`."""
    parts = urlsplit(iri)
    return parts.hostname.removeprefix("www.") if parts.scheme in ("http", "https") and parts.hostname else None


def _number(rest: str) -> str:
    """Return the last part of a path that says something."""
    tail = re.split(r"[/#?=&]", unquote(rest).rstrip("/"))[-1]
    return tail.removesuffix(".html") if len(tail) <= _LONGEST else ""
