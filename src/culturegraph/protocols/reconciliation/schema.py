"""The types and properties that a reconciliation client may name, and what its identifiers stand for.

An identifier is the local name of a term of our ontology (`Dance`, `locatedIn`), `cg:Dance`, or a whole IRI. A facet of
the search (`department`, `people`) is a property, too: where something is, however the graph says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.protocols.labels import Labels, sort_key
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import ONTOLOGY
from culturegraph.rdf.vocabulary import BASE, CG, LABEL, PREFIXES, RDFS, SKOS, TYPE
from culturegraph.store.name_index import read_words

CONCEPT: Final = SKOS + "Concept"
_FACETS: Final = ("department", "people")
_SUBCLASS: Final = NamedNode(RDFS + "subClassOf")
_ENTITIES: Final = BASE + "id/"
# Statements, gaps and figures have texts of their own, which are nobody's name.
NO_NAMES: Final = frozenset({CG + "EvidenceItem", CG + "DatedName", CG + "Name"})
_DESCRIPTIONS: Final = (NamedNode(SKOS + "definition"), NamedNode(RDFS + "comment"))
# Ways of naming a thing that are no property of it for a client.
_UNASKED: Final = frozenset({CG + "locator"})


@dataclass(frozen=True)
class Term:
    """A type or property: identifier, name, and how many things have it."""

    id: str
    iri: str
    name: str
    count: int

    def to_json(self) -> dict[str, str]:
        """Return the term as clients expect it."""
        return {"id": self.id, "name": self.name}


def to_id(iri: str) -> str:
    """Return the identifier of a type or property."""
    return iri.removeprefix(CG) if iri.startswith(CG) else iri


class Schema:
    """The types and properties of one snapshot."""

    def __init__(self, store: Dataset, types: Iterable[tuple[str, str]], queries: Mapping[str, QueryFile]) -> None:
        self._store = store
        held: dict[str, set[str]] = {}
        for iri, kind in types:
            if iri.startswith((_ENTITIES, BASE + "schemes/")):
                held.setdefault(iri, set()).add(kind)
        self.types: Mapping[str, frozenset[str]] = {iri: frozenset(kinds) for iri, kinds in held.items()}
        self._queries = queries
        self._labels: dict[str, Labels] = {}
        self._class_words: dict[str, frozenset[str]] = {}
        self.words_of_kinds = lru_cache(maxsize=65_536)(self._find_kind_words)
        self.narrowest = lru_cache(maxsize=65_536)(self._find_narrowest)

    def name(self, iri: str, language: str) -> str:
        """Return the name of anything in a language."""
        if language not in self._labels:
            self._labels[language] = Labels(self._store, language)
        return self._labels[language].of(iri).text

    @cached_property
    def classes(self) -> Mapping[str, int]:
        """The classes of our ontology that something named has, by IRI, with how many do."""
        counted = Counter(kind for kinds in self.types.values() if not kinds & NO_NAMES for kind in kinds)
        return {iri: n for iri, n in counted.items() if iri.startswith(CG) or iri == CONCEPT}

    @cached_property
    def kind_words(self) -> frozenset[str]:
        """The words that name kinds of things: they tell little of which one it is."""
        return frozenset(word for iri in self.classes for word in self._words_of_class(iri))

    def _find_kind_words(self, iri: str) -> frozenset[str]:
        """Return the words that name what a thing is: “programa” may stand before the name of any programme."""
        return frozenset(word for kind in self.narrowest(iri) for word in self._words_of_class(kind))

    def _words_of_class(self, iri: str) -> frozenset[str]:
        if iri not in self._class_words:
            found = self._store.quads_for_pattern(NamedNode(iri), LABEL, None, DefaultGraph())
            texts = (quad.object.value for quad in found if isinstance(quad.object, Literal))
            self._class_words[iri] = frozenset(word for text in texts for word in read_words(text))
        return self._class_words[iri]

    @cached_property
    def namesakes(self) -> Mapping[str, str]:
        """Languages with the people that alone has the same name: lists call the one by the names of the other."""
        peoples, languages = self._by_name(CG + "IndigenousPeople"), self._by_name(CG + "Language")
        found: dict[str, set[str]] = {}
        for name, things in languages.items():
            for language in things:
                found.setdefault(language, set()).update(peoples.get(name, ()))
        return {language: people.pop() for language, people in found.items() if len(people) == 1}

    def _by_name(self, kind: str) -> Mapping[tuple[str, ...], set[str]]:
        """Return the things of a class by their preferred names, folded."""
        named: dict[tuple[str, ...], set[str]] = {}
        for iri, kinds in self.types.items():
            if kind in kinds:
                for quad in self._store.quads_for_pattern(NamedNode(iri), LABEL, None, DefaultGraph()):
                    named.setdefault(read_words(getattr(quad.object, "value", "")), set()).add(iri)
        return named

    @cached_property
    def above(self) -> Mapping[str, frozenset[str]]:
        """The classes above each class, all the way up."""
        found = (
            (iri, quad.object.value)
            for iri in self.classes
            for quad in self._store.quads_for_pattern(NamedNode(iri), _SUBCLASS, None, DefaultGraph())
            if isinstance(quad.object, NamedNode) and quad.object.value != iri
        )
        above: dict[str, set[str]] = {}
        for iri, parent in found:
            above.setdefault(iri, set()).add(parent)
        return {iri: frozenset(parents) for iri, parents in above.items()}

    def _find_narrowest(self, iri: str) -> list[str]:
        """Return the classes of ours that a thing is of and that lie above no other of them."""
        held = [kind for kind in self.types.get(iri, ()) if kind in self.classes]
        above = {parent for kind in held for parent in self.above.get(kind, ())}
        return sorted(kind for kind in held if kind not in above)

    def find_class(self, written: str) -> str | None:
        """Return the IRI of the class that an identifier names; None where the graph has no such class."""
        iri = expand(written)
        return iri if iri in self.classes else None

    @cached_property
    def properties(self) -> Mapping[str, int]:
        """The properties of ours that named things have, by IRI, with how many do; the facets first."""
        rows: Any = self._store.query(
            f"SELECT ?p (COUNT(DISTINCT ?s) AS ?n) {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), '{_ENTITIES}')) "
            f"FILTER(STRSTARTS(STR(?p), '{CG}')) }} GROUP BY ?p"
        )
        counted = {row["p"].value: int(row["n"].value) for row in rows}
        facets = {CG + key: len(self.facet(key)) for key in _FACETS if f"facet-{key}" in self._queries}
        return {**facets, **{iri: n for iri, n in counted.items() if iri not in _UNASKED}}

    def find_property(self, written: str) -> str | None:
        """Return the IRI of the property that an identifier names; None where nothing has it."""
        iri = expand(written)
        return iri if iri in self.properties else None

    def facet(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """Return the values of a facet by thing."""
        return self._facets.get(key, {})

    @cached_property
    def _facets(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        read: dict[str, dict[str, tuple[str, ...]]] = {}
        for key in _FACETS:
            if query := self._queries.get(f"facet-{key}"):
                found: dict[str, set[str]] = {}
                rows: Any = self._store.query(query.text)
                for row in rows:
                    found.setdefault(row["entity"].value, set()).add(row["value"].value)
                read[key] = {iri: tuple(sorted(values)) for iri, values in found.items()}
        return read

    def values(self, iri: str, predicate: str) -> list[Any]:
        """Return the terms that a property of a thing has, in a fixed order."""
        key = predicate.removeprefix(CG)
        if key in self._facets and predicate.startswith(CG):
            return [NamedNode(value) for value in self._facets[key].get(iri, ())]
        found = self._store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None, DefaultGraph())
        return sorted((quad.object for quad in found), key=str)

    def name_property(self, iri: str, language: str) -> str:
        """Return the name of a property: of the ontology, or of the facet that it is."""
        query = self._queries.get(f"facet-{iri.removeprefix(CG)}")
        if query is not None and iri.startswith(CG):
            titles = query.head.get("title") or {}
            if isinstance(titles, dict) and titles:
                return str(titles.get(language) or next(iter(titles.values())))
        return self.name(iri, language)

    def describe(self, iri: str, language: str) -> str:
        """Return what the ontology says of a term, or of a thing in a sentence; empty where it says nothing."""
        for predicate in _DESCRIPTIONS:
            found = self._store.quads_for_pattern(NamedNode(iri), predicate, None, DefaultGraph())
            texts = [quad.object for quad in found if isinstance(quad.object, Literal)]
            if texts:
                return Labels(self._store, language).best(texts).value
        return ""

    def properties_of(self, kind: str | None, language: str) -> list[Term]:
        """Return the properties that things of a class have, the most frequent first; facets before the others."""
        if kind is None:
            counted: Mapping[str, int] = self.properties
        else:
            counted = self._counted(kind)
        terms = [Term(to_id(iri), iri, self.name_property(iri, language), n) for iri, n in counted.items()]
        return sorted(terms, key=lambda term: (term.id not in _FACETS, -term.count, sort_key(term.name)))

    def _counted(self, kind: str) -> Mapping[str, int]:
        rows: Any = self._store.query(f"SELECT ?p (COUNT(DISTINCT ?s) AS ?n) {{ ?s a <{kind}> ; ?p ?o }} GROUP BY ?p")
        counted = {row["p"].value: int(row["n"].value) for row in rows if row["p"].value in self.properties}
        of_kind = {iri for iri, kinds in self.types.items() if kind in kinds}
        facets = {CG + key: sum(iri in of_kind for iri in values) for key, values in self._facets.items()}
        return {**{iri: n for iri, n in facets.items() if n}, **counted}

    def type_terms(self, language: str) -> list[Term]:
        """Return the types that named things have, the most frequent first."""
        terms = [Term(to_id(iri), iri, self.name(iri, language), n) for iri, n in self.classes.items()]
        return sorted(terms, key=lambda term: (-term.count, sort_key(term.name)))

    def is_ours(self, iri: str) -> bool:
        """Say whether the ontology declares a term."""
        return any(self._store.quads_for_pattern(NamedNode(iri), TYPE, None, ONTOLOGY))


def expand(written: str) -> str:
    """Return the IRI that an identifier of a type or property stands for."""
    text = written.strip().strip("<>")[:400]
    if "://" in text:
        return text
    prefix, colon, local = text.partition(":")
    if colon and prefix in PREFIXES:
        return PREFIXES[prefix] + local
    return CG + text.removeprefix("ontology/")
