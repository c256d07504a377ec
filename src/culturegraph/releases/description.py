"""What a release says about itself to machines: DCAT, DataCite, RO-Crate. Pure: facts in, documents out.

Source: W3C DCAT 3 (dcat:Distribution, spdx:checksum); DataCite Metadata Schema 4.5; RO-Crate 1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from culturegraph.rdf.vocabulary import BASE, DCAT, DCTERMS, PREFIXES, PROV, TYPE, XSD

SPDX: Final = "http://spdx.org/rdf/terms#"
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"
TITLE: Final = "culturegraph: an open graph of Peruvian cultural expressions"
ABSTRACT: Final = (
    "Communities, cultural expressions, programmes, norms and international cooperation of Peru as linked open data, "
    "each statement with the source that makes it."
)
_MEDIA_TYPES: Final = {
    ".nq.gz": "application/n-quads",
    ".trig.gz": "application/trig",
    ".jsonld.gz": "application/ld+json",
    ".zip": "application/zip",
    ".ttl": "text/turtle",
    ".md": "text/markdown",
    ".json": "application/json",
}
AUTHOR: Final = "culturegraph contributors"
Files = Mapping[str, Mapping[str, Any]]


def release_iri(version: str) -> str:
    """Return the IRI of a release."""
    return f"{BASE}releases/{version}"


def media_type(name: str) -> str:
    """Return the media type of a release's file, without its compression."""
    return next((kind for suffix, kind in _MEDIA_TYPES.items() if name.endswith(suffix)), "text/plain")


def describe_release(catalogue: Iterable[Quad], facts: Mapping[str, Any], files: Files) -> bytes:
    """Return Turtle: the catalogue of the build, and the release with a distribution for each file."""
    triples = [*(quad.triple for quad in catalogue), *_release(facts, files)]
    return serialize(triples, format=RdfFormat.TURTLE, prefixes={**PREFIXES, "spdx": SPDX}) or b""


def _release(facts: Mapping[str, Any], files: Files) -> Iterator[Triple]:
    release, build = NamedNode(release_iri(facts["version"])), NamedNode(release_iri(facts["version"]) + "#build")

    def node(namespace: str, name: str) -> NamedNode:
        return NamedNode(namespace + name)

    moment = Literal(facts["built"], datatype=node(XSD, "dateTime"))
    yield Triple(release, TYPE, node(DCAT, "Dataset"))
    yield Triple(release, node(DCTERMS, "title"), Literal(f"{TITLE}, release {facts['version']}", language="en"))
    yield Triple(release, node(DCTERMS, "isVersionOf"), NamedNode(BASE + "dataset"))
    yield Triple(release, node(DCAT, "version"), Literal(facts["version"]))
    yield Triple(release, node(DCTERMS, "issued"), moment)
    yield Triple(release, node(DCTERMS, "license"), NamedNode(LICENCE))
    yield Triple(release, node(DCTERMS, "identifier"), Literal(f"sha256:{facts['content_hash']}"))
    yield Triple(release, node(PROV, "wasGeneratedBy"), build)
    yield Triple(build, TYPE, node(PROV, "Activity"))
    yield Triple(build, node(PROV, "endedAtTime"), moment)
    text = f"Built by {facts['software']} from commit {facts['commit']}."
    yield Triple(build, node(DCTERMS, "description"), Literal(text, language="en"))
    for name, file in files.items():
        part, digest = NamedNode(f"{release.value}/{name}"), NamedNode(f"{release.value}/{name}#sha256")
        yield Triple(release, node(DCAT, "distribution"), part)
        yield Triple(part, TYPE, node(DCAT, "Distribution"))
        yield Triple(part, node(DCTERMS, "title"), Literal(name))
        yield Triple(part, node(DCAT, "downloadURL"), NamedNode(f"{BASE}dumps/{facts['version']}/{name}"))
        yield Triple(
            part,
            node(DCAT, "mediaType"),
            NamedNode(f"https://www.iana.org/assignments/media-types/{media_type(name)}"),
        )
        size = Literal(str(file["size"]), datatype=node(XSD, "nonNegativeInteger"))
        yield Triple(part, node(DCAT, "byteSize"), size)
        yield Triple(part, node(DCTERMS, "license"), NamedNode(LICENCE))
        yield Triple(part, node(SPDX, "checksum"), digest)
        yield Triple(digest, TYPE, node(SPDX, "Checksum"))
        yield Triple(digest, node(SPDX, "algorithm"), node(SPDX, "checksumAlgorithm_sha256"))
        value = Literal(file["sha256"], datatype=node(XSD, "hexBinary"))
        yield Triple(digest, node(SPDX, "checksumValue"), value)


def to_datacite(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata that a DOI registration needs; the DOI itself is a blank until there is one."""
    return {
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Knowledge graph"},
        "titles": [{"title": TITLE, "lang": "en"}],
        "creators": [{"name": AUTHOR, "nameType": "Organizational"}],
        "publisher": {"name": "culturegraph"},
        "publicationYear": facts["built"][:4],
        "version": facts["version"],
        "dates": [{"date": facts["built"][:10], "dateType": "Issued"}],
        "language": "es",
        "descriptions": [{"description": ABSTRACT, "descriptionType": "Abstract", "lang": "en"}],
        "rightsList": [
            {"rights": "Creative Commons Attribution 4.0 International", "rightsUri": LICENCE},
            {"rights": "Each source keeps its own licence: see the source graphs.", "lang": "en"},
        ],
        "alternateIdentifiers": [
            {"alternateIdentifier": release_iri(facts["version"]), "alternateIdentifierType": "IRI"},
            {"alternateIdentifier": f"sha256:{facts['content_hash']}", "alternateIdentifierType": "content hash"},
        ],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }


def to_crate(facts: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """Return the RO-Crate of a release: the folder itself is the crate."""
    parts = [
        {
            "@id": name,
            "@type": "File",
            "name": name,
            "encodingFormat": media_type(name),
            "contentSize": str(file["size"]),
            "sha256": file["sha256"],
        }
        for name, file in files.items()
    ]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{TITLE}, release {facts['version']}",
        "description": ABSTRACT,
        "identifier": release_iri(facts["version"]),
        "version": facts["version"],
        "datePublished": facts["built"][:10],
        "license": {"@id": LICENCE},
        "author": {"@id": BASE},
        "publisher": {"@id": BASE},
        "hasPart": [{"@id": name} for name in files],
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    licence = {"@id": LICENCE, "@type": "CreativeWork", "name": "CC BY 4.0"}
    maker = {"@id": BASE, "@type": "Organization", "name": AUTHOR, "url": BASE}
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [descriptor, root, licence, maker, *parts]}
