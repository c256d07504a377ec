"""Records as JSON-LD objects: what belongs to a record stands within it, under the names of the profile's context.

The context file of a profile says the names: `{"@context": {"name": {"@id": IRI, "@type": …, "@container": "@set"}}}`.
Where the context is published elsewhere, what is written names that one (`"published": IRI` beside `@context`).

Source: W3C JSON-LD 1.1 §4 (terms, types, containers), §9.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode

from culturegraph.exports.profiles.export import Record
from culturegraph.exports.profiles.profile import Profile
from culturegraph.rdf.vocabulary import RDF, RDFS, XSD

END: Final = b"\n]}\n"
_RDF_TYPE: Final = RDF + "type"
_STUB: Final = frozenset({_RDF_TYPE, RDFS + "label"})


class JsonWriter:
    """Writes records of one profile; keeps the names that it has worked out."""

    def __init__(self, profile: Profile) -> None:
        self._prefixes = profile.prefixes
        inner: Mapping[str, Any] = profile.context.get("@context") or {**profile.prefixes}
        self.context: Any = profile.context.get("published") or inner
        self._has_prefixes_only = not profile.context
        self._terms: dict[str, tuple[str, str | None, bool]] = {}
        self._id = self._type = ""
        spaces = {name: value for name, value in inner.items() if isinstance(value, str)}
        for name, told in inner.items():
            definition = {"@id": told} if isinstance(told, str) else told
            iri = self._expand(str(definition.get("@id", "")), spaces)
            if iri == "@id":
                self._id = name
            elif iri == "@type":
                self._type = name
            elif iri and not (isinstance(told, str) and iri[-1:] in "/#"):
                set_of = definition.get("@container") == "@set"
                kind = self._expand(str(definition.get("@type", "")), spaces) or None
                self._terms.setdefault(iri, (name, kind, set_of))
        self._id, self._type = self._id or "@id", self._type or "@type"
        # Any other name is written with the prefixes that the context has.
        self._spaces = {iri: name for name, iri in spaces.items() if iri[-1:] in "/#" and not iri.startswith("@")}

    def begin(self) -> bytes:
        """Return what comes before the records."""
        return f'{{"@context": {_dump(self.context)}, "@graph": [\n'.encode()

    def write(self, records: Iterable[Record]) -> bytes:
        """Return records, one a line, with commas between."""
        return ",\n".join(_dump(told) for record in records for told in self._objects(record)).encode()

    def write_one(self, record: Record) -> bytes:
        """Return one record as a document of its own."""
        objects = self._objects(record)
        told = objects[0] if len(objects) == 1 else {"@graph": objects}
        context = self.context
        if self._has_prefixes_only:
            # One record needs few of the prefixes that all may need.
            text = _dump(told)
            context = {name: iri for name, iri in context.items() if f'"{name}:' in text}
        return (json.dumps({"@context": context, **told}, ensure_ascii=False, indent=1) + "\n").encode()

    def _objects(self, record: Record) -> list[dict[str, Any]]:
        """Return a record as one object, and after it whatever it holds that the record does not lead to."""
        told: dict[Any, list[tuple[str, Any]]] = {}
        for triple in record.triples:
            told.setdefault(triple.subject, []).append((triple.predicate.value, triple.object))
        order = sorted(told, key=lambda subject: (subject != NamedNode(record.iri), str(subject)))
        done: set[Any] = set()
        return [self._object(subject, told, done) for subject in order if subject not in done]

    def _object(self, subject: Any, told: Mapping[Any, list[tuple[str, Any]]], done: set[Any]) -> dict[str, Any]:
        done.add(subject)
        made: dict[str, Any] = {} if isinstance(subject, BlankNode) else {self._id: subject.value}
        lists: dict[str, list[Any]] = {}
        sets = {self._terms[predicate][0] for predicate, _ in told[subject] if self._is_set(predicate)}
        for predicate, value in told[subject]:
            if predicate == _RDF_TYPE:
                lists.setdefault(self._type, []).append(self._short(value.value))
                continue
            name, kind, _ = self._terms.get(predicate) or (self._short(predicate), None, False)
            lists.setdefault(name, []).append(self._value(value, kind, told, done))
        for name in sorted(lists, key=lambda name: name != self._type):
            values = lists[name]
            made[name] = values if len(values) > 1 or name in sets else values[0]
        return made

    def _stub(self, subject: Any, told: Mapping[Any, list[tuple[str, Any]]]) -> dict[str, Any]:
        """Return what stands for an object that was written already: its IRI, its class and its label."""
        short = {subject: [pair for pair in told[subject] if pair[0] in _STUB and not isinstance(pair[1], BlankNode)]}
        if isinstance(subject, BlankNode):
            return {self._id: f"_:{subject.value}"}
        return self._object(subject, short, set())

    def _is_set(self, predicate: str) -> bool:
        return predicate in self._terms and self._terms[predicate][2]

    def _value(self, value: Any, kind: str | None, told: Mapping[Any, Any], done: set[Any]) -> Any:
        if not isinstance(value, Literal):
            if value in told:
                return self._stub(value, told) if value in done else self._object(value, told, done)
            iri = f"_:{value.value}" if isinstance(value, BlankNode) else value.value
            return iri if kind == "@id" else self._short(iri) if kind == "@vocab" else {self._id: iri}
        if value.language:
            return {"@value": value.value, "@language": value.language}
        if value.datatype.value in (kind, XSD + "string") and (kind in (None, value.datatype.value)):
            return value.value
        return {"@value": value.value, "@type": self._short(value.datatype.value)}

    def _short(self, iri: str) -> str:
        if iri in self._terms:
            return self._terms[iri][0]
        for space, name in self._spaces.items():
            if iri.startswith(space) and iri != space:
                return f"{name}:{iri[len(space) :]}"
        return iri

    @staticmethod
    def _expand(name: str, spaces: Mapping[str, str]) -> str:
        prefix, colon, local = name.partition(":")
        return spaces[prefix] + local if colon and prefix in spaces and not local.startswith("//") else name


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
