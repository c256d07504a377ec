"""The namespaces and prefixes that every part of culturegraph shares."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pyoxigraph import NamedNode

BASE: Final = "https://w3id.org/culturegraph/"
CG: Final = BASE + "ontology/"

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
OWL: Final = "http://www.w3.org/2002/07/owl#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
SH: Final = "http://www.w3.org/ns/shacl#"
DCTERMS: Final = "http://purl.org/dc/terms/"
PROV: Final = "http://www.w3.org/ns/prov#"
VOID: Final = "http://rdfs.org/ns/void#"
DCAT: Final = "http://www.w3.org/ns/dcat#"
SD: Final = "http://www.w3.org/ns/sparql-service-description#"
WGS84: Final = "http://www.w3.org/2003/01/geo/wgs84_pos#"
EDTF: Final = "http://id.loc.gov/datatypes/edtf/EDTF"

PREFIXES: Final = MappingProxyType(
    {
        "cg": CG,
        "cgid": BASE + "id/",
        "cgs": BASE + "schemes/",
        "cgg": BASE + "graph/",
        "cgsh": BASE + "shapes/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "dcat": DCAT,
        "dcterms": DCTERMS,
        "foaf": "http://xmlns.com/foaf/0.1/",
        "geo": WGS84,
        "geof": "http://www.opengis.net/def/function/geosparql/",
        "gsp": "http://www.opengis.net/ont/geosparql#",
        "owl": OWL,
        "prov": PROV,
        "rdf": RDF,
        "rdfs": RDFS,
        "sd": SD,
        "sh": SH,
        "skos": SKOS,
        "uom": "http://www.opengis.net/def/uom/OGC/1.0/",
        "void": VOID,
        "xsd": XSD,
    }
)

TYPE: Final = NamedNode(RDF + "type")
LABEL: Final = NamedNode(RDFS + "label")


def shrink(iri: str) -> str:
    """Return the prefixed name of an IRI where a prefix fits and the rest is a plain local name, else `<iri>`."""
    best = max((ns for ns in PREFIXES.values() if iri.startswith(ns)), key=len, default=None)
    if best is None:
        return f"<{iri}>"
    local = iri[len(best) :]
    if not local or not all(part.isalnum() or part in "_-" for part in local):
        return f"<{iri}>"
    prefix = next(name for name, ns in PREFIXES.items() if ns == best)
    return f"{prefix}:{local}"
