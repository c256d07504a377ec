"""SRU 1.1, 1.2 and 2.0: explain and searchRetrieve over the records. Pure: parameters in, XML out.

Source: Library of Congress, SRU 1.2; OASIS searchRetrieve 1.0, Part 3 (SRU 2.0); ZeeRex 2.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from culturegraph.exports.marc import MARCXML, make_records, to_xml
from culturegraph.exports.records import Entry, clean
from culturegraph.exports.xml_records import EDM, OAI_DC, make_elements
from culturegraph.protocols.cql import DiagnosticError, parse
from culturegraph.protocols.harvesting import FORMATS, Repository
from culturegraph.protocols.record_search import CASED, CONTEXT_SETS, RecordSearch
from culturegraph.rdf.vocabulary import RDF

_ZEEREX: Final = "http://explain.z3950.org/dtd/2.0/"
MOST_RECORDS: Final = 100
_DEFAULT_RECORDS: Final = 10
_LIST: Final = "info:srw/diagnostic/1/"
# By name: the identifier of the schema, and the format of a record.
_SCHEMAS: Final = {
    "marcxml": "info:srw/schema/1/marcxml-v1.1",
    "oai_dc": OAI_DC,
    "edm": EDM,
    "rdf": RDF,
}
_MORE_NAMES: Final = {uri: name for name, uri in _SCHEMAS.items()} | {MARCXML: "marcxml", "dc": "oai_dc"}
_PARAMETERS: Final = frozenset(
    (
        *("operation", "version", "query", "queryType", "startRecord", "maximumRecords", "recordSchema"),
        *("recordPacking", "recordXMLEscaping", "resultSetTTL", "httpAccept"),
    )
)
_UNSUPPORTED: Final = {"sortKeys": 80, "stylesheet": 110, "recordXPath": 72, "renderedBy": 8}


@dataclass(frozen=True)
class _Version:
    """How responses of a version are written."""

    name: str
    space: str
    diagnostics: str


_OLD: Final = ("http://www.loc.gov/zing/srw/", "http://www.loc.gov/zing/srw/diagnostic/")
_NEW: Final = (
    "http://docs.oasis-open.org/ns/search-ws/sruResponse",
    "http://docs.oasis-open.org/ns/search-ws/diagnostic",
)
_VERSIONS: Final = {
    "1.1": _Version("1.1", *_OLD),
    "1.2": _Version("1.2", *_OLD),
    "2.0": _Version("2.0", *_NEW),
}


def respond(search: RecordSearch, repository: Repository, parameters: Sequence[tuple[str, str]], address: str) -> bytes:
    """Return the response to a request. What is wrong with it is told as a diagnostic of the protocol."""
    given = {name: value for name, value in parameters if not name.startswith("x-")}
    # A request of version 2.0 names neither version nor operation.
    version = _VERSIONS.get(given.get("version", "1.2" if "operation" in given else "2.0"))
    try:
        if version is None:
            raise DiagnosticError(5, "this version is not supported", "2.0")
        operation = given.get("operation", "searchRetrieve" if "query" in given else "explain")
        if operation == "explain":
            root = _explain(version, repository, address)
        elif operation == "searchRetrieve":
            root = _search(version, search, repository, given)
        else:
            raise DiagnosticError(4, "there are the operations explain and searchRetrieve", operation)
    except DiagnosticError as error:
        root = _refuse(version or _VERSIONS["1.2"], error)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _refuse(version: _Version, error: DiagnosticError) -> etree._Element:
    root = _root(version, "searchRetrieveResponse")
    _add(root, "numberOfRecords", "0")
    _diagnose(_add(root, "diagnostics"), version, error)
    return root


def _diagnose(parent: etree._Element, version: _Version, error: DiagnosticError) -> None:
    element = etree.SubElement(parent, f"{{{version.diagnostics}}}diagnostic", nsmap={"diag": version.diagnostics})
    for name, text in (("uri", f"{_LIST}{error.number}"), ("details", error.details), ("message", error.message)):
        if text:
            etree.SubElement(element, f"{{{version.diagnostics}}}{name}").text = clean(text)


def _search(
    version: _Version, search: RecordSearch, repository: Repository, given: Mapping[str, str]
) -> etree._Element:
    _check(given)
    if "query" not in given:
        raise DiagnosticError(7, "a query is needed", "query")
    form = _MORE_NAMES.get(given.get("recordSchema") or "marcxml", given.get("recordSchema") or "marcxml")
    if form not in _SCHEMAS:
        raise DiagnosticError(66, f"there are the schemas {', '.join(_SCHEMAS)}", given["recordSchema"])
    start = _number(given, "startRecord", 1, least=1)
    number = min(_number(given, "maximumRecords", _DEFAULT_RECORDS, least=0), MOST_RECORDS)
    found = [entry for entry in search.find(*parse(given["query"])) if FORMATS[form].has(entry)]
    if start > max(len(found), 1):
        raise DiagnosticError(61, f"there are {len(found)} records", str(start))
    page = found[start - 1 : start - 1 + number]
    root = _root(version, "searchRetrieveResponse")
    _add(root, "numberOfRecords", str(len(found)))
    if page:
        records = _add(root, "records")
        for position, (entry, element) in enumerate(_elements(repository, form, page), start):
            _add_record(records, version, element, _SCHEMAS[form], given, str(position), entry.key)
    if start - 1 + len(page) < len(found) and page:
        _add(root, "nextRecordPosition", str(start + len(page)))
    return root


def _check(given: Mapping[str, str]) -> None:
    for name in given:
        if name in _UNSUPPORTED and given[name]:
            raise DiagnosticError(_UNSUPPORTED[name], f"{name} is not supported", name)
        if name not in _PARAMETERS and name not in _UNSUPPORTED:
            raise DiagnosticError(8, f"there is no parameter {name!r}", name)
    if given.get("queryType", "cql") not in ("cql", "searchTerms"):
        raise DiagnosticError(6, "queries are in CQL", "queryType")
    if _escaping(given) not in ("xml", "string"):
        raise DiagnosticError(71, "records are packed as xml or string", _escaping(given))


def _escaping(given: Mapping[str, str]) -> str:
    """Return how records stand in the response: as `xml` or as a `string`."""
    packing = given.get("recordPacking", "xml")
    # Version 2.0 gave the parameter another meaning and its old one a new name.
    return given.get("recordXMLEscaping") or ("xml" if packing in ("packed", "unpacked") else packing)


def _number(given: Mapping[str, str], name: str, otherwise: int, *, least: int) -> int:
    text = given.get(name) or str(otherwise)
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
        raise DiagnosticError(6, f"{name} is a number from {least} on", name)
    return int(text)


def _elements(repository: Repository, form: str, page: Sequence[Entry]) -> Sequence[tuple[Entry, etree._Element]]:
    if form == "marcxml":
        made = make_records(repository.records, page, repository.changes.when)
        return [(entry, to_xml(record)) for entry, record in zip(page, made, strict=True)]
    elements = make_elements(repository.records, form, page)
    return [(entry, elements[entry.iri]) for entry in page]


def _add_record(
    records: etree._Element,
    version: _Version,
    element: etree._Element,
    schema: str,
    given: Mapping[str, str],
    position: str,
    identifier: str,
) -> None:
    record, escaping = _add(records, "record"), _escaping(given)
    _add(record, "recordSchema", schema)
    if version.name == "2.0":
        _add(record, "recordXMLEscaping", escaping)
    else:
        _add(record, "recordPacking", escaping)
    data = _add(record, "recordData")
    if escaping == "string":
        data.text = str(etree.tostring(element, encoding="unicode"))
    else:
        data.append(element)
    if version.name != "1.1":
        _add(record, "recordIdentifier", identifier)
    _add(record, "recordPosition", position)


def _explain(version: _Version, repository: Repository, address: str) -> etree._Element:
    root = _root(version, "explainResponse")
    record = _add(root, "record")
    _add(record, "recordSchema", _ZEEREX)
    _add(record, "recordXMLEscaping" if version.name == "2.0" else "recordPacking", "xml")
    told = etree.SubElement(_add(record, "recordData"), f"{{{_ZEEREX}}}explain", nsmap={None: _ZEEREX})
    place = urlsplit(address)
    server = _add(told, "serverInfo", protocol="SRU", version=version.name, transport=place.scheme)
    _add(server, "host", place.hostname)
    _add(server, "port", str(place.port or (443 if place.scheme == "https" else 80)))
    _add(server, "database", place.path.strip("/"))
    database = _add(told, "databaseInfo")
    _add(database, "title", repository.name, lang="en", primary="true")
    _add(database, "description", "Authority records of Peruvian cultural expressions, peoples, places and bodies.")
    indexes = _add(told, "indexInfo")
    for name, (uri, _) in CONTEXT_SETS.items():
        _add(indexes, "set", name=name, identifier=uri)
    for context, (_, names) in CONTEXT_SETS.items():
        for name in names:
            index = _add(indexes, "index", search="true", scan="false", sort="false")
            _add(index, "title", CASED.get(name, name), lang="en")
            _add(_add(index, "map"), "name", CASED.get(name, name), set=context)
    schemas = _add(told, "schemaInfo")
    for name, uri in _SCHEMAS.items():
        _add(_add(schemas, "schema", identifier=uri, name=name, retrieve="true", sort="false"), "title", name)
    config = _add(told, "configInfo")
    _add(config, "default", str(_DEFAULT_RECORDS), type="numberOfRecords")
    _add(config, "default", "marcxml", type="retrieveSchema")
    _add(config, "setting", str(MOST_RECORDS), type="maximumRecords")
    for relation in ("=", "==", "any", "all", "adj"):
        _add(config, "supports", relation, type="relation")
    _add(config, "supports", "*", type="maskingCharacter")
    return root


def _root(version: _Version, name: str) -> etree._Element:
    root = etree.Element(f"{{{version.space}}}{name}", nsmap={"srw": version.space})
    _add(root, "version", version.name)
    return root


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    """Append an element of the parent's namespace."""
    element = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{tag}", **attributes)
    element.text = text
    return element
