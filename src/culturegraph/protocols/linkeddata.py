"""Linked data: what the graph says of one IRI, as a page shows it. Pure: a store in, values out.

What no source says, but rules add, is marked and leads to its explanation. Two kinds of inference would only repeat
what stands there already and are told by their number: those in the terms of other vocabularies, and those that a
narrower property implies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Triple

from culturegraph.protocols.dates import DATE_TYPES, tell_date
from culturegraph.protocols.documents import is_known
from culturegraph.protocols.entity import PAGE, SHOWN, Direction, Entity, Group, Part, Value, Window
from culturegraph.protocols.entity_reader import RULES, Reader, Statements, collect
from culturegraph.protocols.labels import LABEL_PROPERTIES, Labels, Name, describe_term, sort_key, to_href
from culturegraph.rdf.graphs import EDITORIAL
from culturegraph.rdf.statements import statement_iri
from culturegraph.rdf.vocabulary import BASE, DCTERMS, RDFS, SKOS, TYPE

_DESCRIPTIONS: Final = (SKOS + "definition", RDFS + "comment", DCTERMS + "description", DCTERMS + "abstract")
_NAMES: Final = (*(label.value for label in LABEL_PROPERTIES), SKOS + "altLabel")


def read_entity(reader: Reader, iri: str, language: str, window: Window | None = None) -> Entity | None:
    """Return what the graph says of an IRI, or None where it says nothing."""
    if not is_known(reader.store, iri):
        return None
    node = NamedNode(iri)
    try:
        predicate = None if window is None else NamedNode(window.predicate)
    except ValueError:  # A query string can hold what no IRI can.
        return None
    outgoing = collect(reader.store.quads_for_pattern(node, predicate, None, None), is_incoming=False)
    incoming = collect(reader.store.quads_for_pattern(None, predicate, node, None), is_incoming=True)
    builder = _Builder(reader, node, language)
    if window is not None:
        return builder.entity(outgoing, incoming, window)
    reader.fold_inverses(outgoing, incoming)
    return builder.entity(outgoing, incoming)


class _Builder:
    """Makes the values of one page."""

    def __init__(self, reader: Reader, node: NamedNode, language: str) -> None:
        self._reader, self._node, self._language = reader, node, language
        self._labels, self._sources = reader.labels(language), reader.attribution(language)
        self._sorting: dict[Any, tuple[int, str, str]] = {}

    def entity(self, outgoing: Statements, incoming: Statements, window: Window | None = None) -> Entity:
        """Return the entity of statements; of one property where there is a window."""
        iri, labels = self._node.value, self._labels
        types = self._types(outgoing)
        names = None
        kept: list[tuple[str, Direction, Mapping[Any, set[str]]]] = []
        repeated: list[Group] = []
        directions: tuple[tuple[Direction, Statements], ...] = (("out", outgoing), ("in", incoming))
        if window is not None:
            parts = {"out": outgoing, "in": incoming}[window.direction]
            kept = [(window.predicate, window.direction, terms) for terms in parts.values()]
        else:
            names = self._names(outgoing)
            kept, repeated = self._choose(directions)
        return Entity(
            iri=iri,
            name=labels.of(iri),
            types=types,
            description=_description(outgoing, labels),
            names=names,
            parts=self._parts(kept, window),
            repeated=tuple(repeated),
            sources=self._sources.notes(),
            own={predicate: tuple(terms) for predicate, terms in outgoing.items()},
        )

    def _choose(
        self, directions: tuple[tuple[Direction, Statements], ...]
    ) -> tuple[list[tuple[str, Direction, Mapping[Any, set[str]]]], list[Group]]:
        """Part what is shown from what would only repeat it."""
        kept: list[tuple[str, Direction, Mapping[Any, set[str]]]] = []
        repeated = []
        for direction, statements in directions:
            for predicate, terms in statements.items():
                if predicate in _NAMES and direction == "out":
                    continue
                shown = {t: g for t, g in terms.items() if not self._reader.repeats(statements, predicate, t)}
                if shown:
                    kept.append((predicate, direction, shown))
                if len(shown) < len(terms):
                    repeated.append(self._group(predicate, direction, (), len(terms) - len(shown)))
        repeated.sort(key=lambda group: sort_key(group.name.text))
        return kept, repeated

    def _parts(
        self, kept: list[tuple[str, Direction, Mapping[Any, set[str]]]], window: Window | None
    ) -> tuple[Part, ...]:
        by_section: dict[str, list[tuple[str, Direction, Mapping[Any, set[str]]]]] = {}
        for entry in kept:
            by_section.setdefault(self._reader.section(entry[0]), []).append(entry)
        parts = []
        for section in self._reader.layout.sections:
            entries = sorted(by_section.get(section.id, ()), key=lambda entry: self._reading_order(*entry[:2]))
            groups = tuple(self._build(predicate, direction, terms, window) for predicate, direction, terms in entries)
            if groups:
                parts.append(Part(section, groups))
        return tuple(parts)

    def _types(self, outgoing: Statements) -> tuple[Value, ...]:
        """Return what an entity is: the most specific classes that a source gives, ours before others."""
        terms = outgoing.get(TYPE.value, {})
        stated = {term for term, graphs in terms.items() if graphs != RULES} or set(terms)
        own = {term for term in stated if getattr(term, "value", "").startswith(BASE)} or stated
        return tuple(self._value(term, set()) for term in sorted(self._reader.most_specific(own), key=self._sort_key))

    def _names(self, outgoing: Statements) -> Group | None:
        """Return the names other than the title: those that the reader knows best first."""
        title = self._labels.of(self._node.value)
        found: dict[tuple[str, str | None], tuple[Any, set[str]]] = {}
        for predicate in _NAMES:
            for term, graphs in outgoing.get(predicate, {}).items():
                if isinstance(term, Literal) and Name(term.value, term.language) != title:
                    found.setdefault((term.value, term.language), (term, set()))[1].update(graphs)
        if not found:
            return None
        terms = {term: graphs - RULES for term, graphs in found.values()}
        group = self._build(SKOS + "altLabel", "out", terms, None)
        variants = outgoing.get(SKOS + "altLabel", {}).keys()
        return replace(group, values=tuple(_with_status(value, terms[value.term], variants) for value in group.values))

    def _build(
        self, predicate: str, direction: Direction, terms: Mapping[Any, set[str]], window: Window | None
    ) -> Group:
        start, size = (0, SHOWN) if window is None else ((window.page - 1) * PAGE, PAGE)
        # Sorting by name looks every name up: too much for a class of thousands. What sources state comes first.
        by_name = len(terms) <= PAGE
        ordered = sorted(
            terms, key=lambda term: (terms[term] == RULES, self._sort_key(term) if by_name else (0, "", str(term)))
        )
        address = self._reader.layout.addresses.get(predicate)
        values = tuple(
            self._value(term, terms[term], self._why(predicate, term, terms[term], direction), address)
            for term in ordered[start : start + size]
        )
        return self._group(predicate, direction, self._told_apart(values), len(terms))

    def _told_apart(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Return values that are called the same with what each of them is: a district and its province."""
        times = Counter(value.name.text for value in values)
        if all(count == 1 for count in times.values()):
            return values

        kinds = {
            value.iri: self._reader.kind(value.iri, self._language)
            for value in values
            if value.iri and times[value.name.text] > 1
        }
        told = Counter((value.name.text, kinds.get(value.iri or "")) for value in values)

        def tell(value: Value) -> Value:
            kind = kinds.get(value.iri or "")
            if not kind or told[value.name.text, kind] > 1:  # Two of one kind are no clearer for its name.
                return value
            return replace(value, name=Name(f"{value.name.text} ({kind})", value.name.language))

        return tuple(tell(value) for value in values)

    def _group(self, predicate: str, direction: Direction, values: tuple[Value, ...], total: int) -> Group:
        return Group(predicate, self._labels.of(predicate), to_href(predicate), direction, values, total)

    def _why(self, predicate: str, term: Any, graphs: set[str], direction: Direction) -> str | None:
        """Return where an inferred statement is explained."""
        if graphs != RULES:
            return None
        own, property_ = self._node, NamedNode(predicate)
        triple = Triple(own, property_, term) if direction == "out" else Triple(term, property_, own)
        return to_href(statement_iri(triple).value)

    def _value(self, term: Any, graphs: set[str], why: str | None = None, address: str | None = None) -> Value:
        name, href = describe_term(term, self._labels)
        if isinstance(term, Literal) and term.datatype.value in DATE_TYPES:
            name = Name(tell_date(term.value, self._language))
        if address is not None and isinstance(term, Literal):
            href = to_href(address.format(term.value))
        return Value(
            name=name,
            href=href,
            iri=term.value if isinstance(term, NamedNode) else None,
            datatype=term.datatype.value if isinstance(term, Literal) and not term.language else None,
            sources=tuple(sorted(self._sources.number(graph) for graph in sorted(graphs - RULES))),
            why=why,
            term=term,
        )

    def _sort_key(self, term: Any) -> tuple[int, str, str]:
        """Sort texts by how well the reader knows their language, then our own things before foreign ones, by name."""
        if term not in self._sorting:
            if isinstance(term, Literal):
                rank = self._labels.rank(term.language)
            else:
                rank = int(isinstance(term, NamedNode) and not term.value.startswith(BASE))
            self._sorting[term] = rank, sort_key(describe_term(term, self._labels)[0].text), str(term)
        return self._sorting[term]

    def _reading_order(self, predicate: str, direction: Direction) -> tuple[int, int, str]:
        """Sort what the layout names in its order, then the rest by name; incoming statements come last."""
        order = self._reader.layout.order
        return int(direction == "in"), order.get(predicate, len(order)), sort_key(self._labels.of(predicate).text)


def _with_status(value: Value, graphs: set[str], variants: Collection[Any]) -> Value:
    """Return a name with what kind of name it is: a translation of ours, or a variant that a source gives."""
    if graphs == {EDITORIAL.value}:
        return replace(value, status="editorial")
    return replace(value, status="variant") if value.term in variants else value


def _description(outgoing: Statements, labels: Labels) -> Name | None:
    for iri in _DESCRIPTIONS:
        literals = [term for term in outgoing.get(iri, {}) if isinstance(term, Literal)]
        if literals:
            best = labels.best(literals)
            return Name(best.value, best.language)
    return None
