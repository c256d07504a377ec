"""Records as RDF/XML, where a profile wants it with the elements in the order of its XML schema.

Source: W3C RDF 1.1 XML Syntax §2; XML 1.0 §2.2 (what no text may hold).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from culturegraph.errors import DataError
from culturegraph.exports.profiles.export import Record
from culturegraph.exports.profiles.profile import Profile
from culturegraph.rdf.vocabulary import RDF, TYPE, XSD
from culturegraph.rdf.xml_text import to_xml_text

_LOCAL: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
END: Final = b"</rdf:RDF>\n"


class XmlWriter:
    """Writes records of one profile; keeps the names that it has worked out."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._names: dict[str, str] = {}
        self._classes = {iri: place for place, iri in enumerate(profile.elements)}
        self._places: Mapping[str, Mapping[str, int]] = {
            iri: {member: place for place, member in enumerate(members)} for iri, members in profile.elements.items()
        }

    def begin(self) -> bytes:
        """Return what comes before the records: the root element with all namespaces."""
        prefixes, places = self._profile.prefixes, self._places.values()
        named = [*self._classes, *(iri for members in places for iri in members)]
        used = {name: iri for name, iri in prefixes.items() if not named or any(each.startswith(iri) for each in named)}
        told = {"rdf": RDF, **used}
        spaces = "".join(f"\n  xmlns:{name}={quoteattr(iri)}" for name, iri in told.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{spaces}>\n'.encode()

    def write(self, records: Iterable[Record]) -> bytes:
        """Return the elements of records. Raises DataError where the schema has no place for something."""
        return "".join(self._record(record) for record in records).encode()

    def _record(self, record: Record) -> str:
        by_subject: dict[Any, list[Triple]] = {}
        for triple in record.triples:
            by_subject.setdefault(triple.subject, []).append(triple)
        nodes = [(self._class(triples), subject, triples) for subject, triples in by_subject.items()]
        # The record before what is named after it, unless the schema has an order of its own.
        nodes.sort(key=lambda node: (self._classes.get(node[0], 0), str(node[1]) != f"<{record.iri}>", str(node[1])))
        return "".join(self._node(*node) for node in nodes)

    def _class(self, triples: Sequence[Triple]) -> str:
        types = [_iri(triple) for triple in triples if triple.predicate == TYPE]
        if self._classes and not any(iri in self._classes for iri in types):
            raise DataError(f"has no element for {triples[0].subject} ({', '.join(types)})", self._profile.id)
        return min(types, key=lambda iri: (self._classes.get(iri, 0), iri), default=RDF + "Description")

    def _node(self, kind: str, subject: Any, triples: Sequence[Triple]) -> str:
        places = self._places.get(kind)
        if places is not None:
            for triple in triples:
                if triple.predicate.value not in places and triple.predicate != TYPE:
                    raise DataError(f"has no place in {kind} for {triple.predicate}", self._profile.id)
            triples = sorted(triples, key=lambda triple: places.get(triple.predicate.value, -1))
        name, about = self._name(kind), "about" if isinstance(subject, NamedNode) else "nodeID"
        lines = [
            self._property(triple) for triple in triples if not (triple.predicate == TYPE and _iri(triple) == kind)
        ]
        body = "".join(f"    {line}\n" for line in lines)
        return f"  <{name} rdf:{about}={quoteattr(subject.value)}>\n{body}  </{name}>\n"

    def _property(self, triple: Triple) -> str:
        name, value = self._name(triple.predicate.value), triple.object
        if isinstance(value, NamedNode):
            return f"<{name} rdf:resource={quoteattr(value.value)}/>"
        if isinstance(value, BlankNode):
            return f"<{name} rdf:nodeID={quoteattr(value.value)}/>"
        assert isinstance(value, Literal)
        text = escape(to_xml_text(value.value), {"\r": "&#13;"})
        if value.language:
            return f'<{name} xml:lang="{value.language}">{text}</{name}>'
        if value.datatype.value != XSD + "string":
            return f"<{name} rdf:datatype={quoteattr(value.datatype.value)}>{text}</{name}>"
        return f"<{name}>{text}</{name}>"

    def _name(self, iri: str) -> str:
        name = self._names.get(iri)
        if name is None:
            name = self._names[iri] = self._find_name(iri)
        return name

    def _find_name(self, iri: str) -> str:
        for prefix, space in self._profile.prefixes.items():
            if iri.startswith(space) and _LOCAL.fullmatch(iri, len(space)):
                return f"{prefix}:{iri[len(space) :]}"
        raise DataError(f"needs a prefix for <{iri}>", f"{self._profile.id}/profile.yaml")


def _iri(triple: Triple) -> str:
    return str(getattr(triple.object, "value", ""))
