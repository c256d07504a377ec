"""Records as XML elements: Dublin Core (oai_dc), contextual entities of EDM, and RDF/XML of all that is said.

Source: OAI-PMH 2.0 (oai_dc.xsd); Europeana Data Model, mapping guidelines (contextual classes); W3C RDF 1.1 XML Syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lxml import etree
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from culturegraph.exports.profiles.rdf_xml import END, XmlWriter
from culturegraph.exports.records import Entry, Records, clean
from culturegraph.rdf.vocabulary import PREFIXES, RDF, XSD

DC: Final = "http://purl.org/dc/elements/1.1/"
OAI_DC: Final = "http://www.openarchives.org/OAI/2.0/oai_dc/"
EDM: Final = "http://www.europeana.eu/schemas/edm/"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_ELEMENTS: Final = (
    *("title", "creator", "subject", "description", "publisher", "contributor", "date", "type", "format"),
    *("identifier", "source", "language", "relation", "coverage", "rights"),
)
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*$", re.ASCII)
_KNOWN: Final = {iri: prefix for prefix, iri in PREFIXES.items()} | {EDM: "edm", DC: "dc"}


def dublin_core(triples: Iterable[Triple]) -> etree._Element:
    """Return the oai_dc element of a record: elements in their usual order, each value once."""
    root = etree.Element(f"{{{OAI_DC}}}dc", nsmap={"oai_dc": OAI_DC, "dc": DC, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", f"{OAI_DC} http://www.openarchives.org/OAI/2.0/oai_dc.xsd")
    told: dict[tuple[str, str], str] = {}
    for triple in triples:
        name = triple.predicate.value.removeprefix(DC)
        text, language = _text(triple.object)
        if text:
            # One text in two languages is one text: its language is then not told.
            known = told.setdefault((name, text), language)
            told[name, text] = language if known == language else ""
    for name in _ELEMENTS:
        for (element, text), language in told.items():
            if element == name:
                child = etree.SubElement(root, f"{{{DC}}}{name}")
                child.text = text
                if language:
                    child.set(_LANGUAGE, language)
    return root


def contextual_entities(records: Records, iris: Sequence[str]) -> Mapping[str, etree._Element]:
    """Return the rdf:RDF element of each record as the profile `edm-contextual` has it."""
    writer = XmlWriter(records.contextual.profile)
    return {
        record.iri: etree.fromstring(writer.begin() + writer.write([record]) + END)
        for batch in records.contextual.batches(iris)
        for record in batch
    }


def description(iri: str, triples: Iterable[Triple]) -> etree._Element:
    """Return the rdf:RDF element of all that is said of a record."""
    return _rdf(iri, f"{{{RDF}}}Description", triples)


def _rdf(iri: str, tag: str, triples: Iterable[Triple]) -> etree._Element:
    triples = list(triples)
    spaces = {_split(triple.predicate.value)[0] for triple in triples} | {RDF, etree.QName(tag).namespace or RDF}
    names: dict[str | None, str] = {}
    for number, space in enumerate(sorted(filter(None, spaces))):
        names[_KNOWN.get(space, f"ns{number}")] = space
    root = etree.Element(f"{{{RDF}}}RDF", nsmap=names)
    node = etree.SubElement(root, tag)
    node.set(f"{{{RDF}}}about", iri)
    for triple in triples:
        space, local = _split(triple.predicate.value)
        if local:
            _value(etree.SubElement(node, f"{{{space}}}{local}"), triple.object)
    return root


def _split(iri: str) -> tuple[str, str]:
    """Return namespace and local name of a predicate; no local name where RDF/XML cannot write it."""
    found = _NAME.search(iri)
    return (iri[: found.start()], found[0]) if found and found.start() else ("", "")


def _value(element: etree._Element, value: object) -> None:
    if isinstance(value, NamedNode):
        element.set(f"{{{RDF}}}resource", clean(value.value))
    elif isinstance(value, BlankNode):
        element.set(f"{{{RDF}}}nodeID", f"b{value.value}")
    elif isinstance(value, Literal):
        element.text, language = _text(value)
        if language:
            element.set(_LANGUAGE, language)
        elif value.datatype.value != XSD + "string":
            element.set(f"{{{RDF}}}datatype", value.datatype.value)


def _text(value: object) -> tuple[str, str]:
    """Return the text of a term as XML may have it, and its language or ""."""
    return clean(str(getattr(value, "value", value))), str(getattr(value, "language", None) or "")


def make_elements(records: Records, form: str, entries: Sequence[Entry]) -> Mapping[str, etree._Element]:
    """Return the elements of some records in `oai_dc`, `edm` or `rdf`, by IRI; what a format has no place for lacks."""
    iris = [entry.iri for entry in entries]
    if form == "oai_dc":
        told = records.construct("oai-dc", iris)
        return {iri: dublin_core(told.get(iri, ())) for iri in iris}
    if form == "edm":
        return contextual_entities(records, [entry.iri for entry in entries if entry.edm])
    told = records.construct("rdf", iris)
    return {iri: description(iri, told.get(iri, ())) for iri in iris}
