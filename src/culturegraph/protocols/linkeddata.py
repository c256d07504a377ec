"""Linked data: what the graph says of one IRI, as a page shows it. Pure: a store in, values out.

An inverse pair is one statement to a reader: `x practises y` and `y practisedBy x` are shown once, with the sources of
both. What no source says, but rules add, is marked and leads to its explanation. Two kinds of inference would only
repeat what stands there already and are told by their number: those in the terms of other vocabularies, and those that
a narrower property implies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from typing import Literal as OneOf

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Triple

from culturegraph.protocols.attribution import Attribution, SourceNote
from culturegraph.protocols.dates import DATE_TYPES, tell_date
from culturegraph.protocols.documents import is_known
from culturegraph.protocols.entity_maps import Gazetteer
from culturegraph.protocols.labels import LABEL_PROPERTIES, Labels, Name, describe_term, sort_key, to_href
from culturegraph.protocols.layout import OTHER, Layout, Section
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import EDITORIAL, INFERRED, VALIDATION
from culturegraph.rdf.statements import statement_iri
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, OWL, RDFS, SKOS, TYPE

Direction = OneOf["out", "in"]

# Values of one property that a page shows before it offers the rest.
SHOWN: Final = 10
PAGE: Final = 200

_DESCRIPTIONS: Final = (SKOS + "definition", RDFS + "comment", DCTERMS + "description", DCTERMS + "abstract")
NAMES: Final = (*(label.value for label in LABEL_PROPERTIES), SKOS + "altLabel")
# Outdated or derogatory names: they make things findable and are never shown.
HIDDEN: Final = frozenset({SKOS + "hiddenLabel"})
_IDENTIFIER: Final = CG + "identifier"


@dataclass(frozen=True)
class Value:
    """One object (or, of incoming statements, subject) with the numbers of the sources that say so."""

    name: Name
    href: str | None
    iri: str | None
    datatype: str | None
    sources: tuple[int, ...]
    # Where it says why, for what no source states.
    why: str | None = None
    # The RDF term itself.
    term: Any = None
    # Of a name: "variant" or "editorial", empty for one by which a source calls the thing.
    status: str = ""

    @cached_property
    def is_local(self) -> bool:
        """Whether a click stays on this server."""
        return self.href is not None and self.href.startswith("/")


def _with_status(value: Value, graphs: set[str], variants: Collection[Any]) -> Value:
    """Return a name with what kind of name it is: a translation of ours, or a variant that a source gives."""
    if graphs == {EDITORIAL.value}:
        return replace(value, status="editorial")
    return replace(value, status="variant") if value.term in variants else value


@dataclass(frozen=True)
class Group:
    """The statements of one property, in one direction."""

    predicate: str
    name: Name
    href: str | None
    direction: Direction
    values: tuple[Value, ...]
    total: int

    @property
    def has_more(self) -> bool:
        """Whether there are values that are not shown."""
        return self.total > len(self.values)


@dataclass(frozen=True)
class Part:
    """A section of the page with its groups."""

    section: Section
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Entity:
    """What a page tells of one IRI. `repeated` are groups without values: inferences that would repeat the rest."""

    iri: str
    name: Name
    types: tuple[Value, ...]
    description: Name | None
    names: Group | None
    parts: tuple[Part, ...]
    repeated: tuple[Group, ...]
    sources: tuple[SourceNote, ...]
    own: Mapping[str, tuple[Any, ...]]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of all parts, in the order of the page."""
        return tuple(group for part in self.parts for group in part.groups)


@dataclass(frozen=True)
class Window:
    """One property of an entity, shown a page at a time instead of everything else."""

    predicate: str
    direction: Direction
    page: int = 1


class Reader:
    """What pages about entities need to know of a store, read once: axioms, places, names that were looked up."""

    def __init__(
        self, store: Dataset, layout: Layout | None = None, module_of: Mapping[str, str] | None = None
    ) -> None:
        self.store, self.layout = store, layout or Layout()
        self.gazetteer = Gazetteer(store)
        self._module_of = module_of or {}
        self._labels: dict[str, Labels] = {}
        self._notes: dict[str, dict[str, SourceNote]] = {}
        self.inverses = _read_inverses(store)
        self.broader = _read_broader(store, RDFS + "subPropertyOf")
        self._broader_classes = _read_broader(store, RDFS + "subClassOf")

    def labels(self, language: str) -> Labels:
        """Return the names for readers of a language; they are kept from page to page."""
        return self._labels.setdefault(language, Labels(self.store, language))

    def attribution(self, language: str) -> Attribution:
        """Return what numbers the sources of one page."""
        return Attribution(self.store, self.labels(language), self._notes.setdefault(language, {}))

    def section(self, predicate: str) -> str:
        """Return the section that a property is shown in."""
        layout = self.layout
        if predicate in layout.by_property:
            return layout.by_property[predicate]
        if _IDENTIFIER in self.broader.get(predicate, ()) and _IDENTIFIER in layout.by_property:
            return layout.by_property[_IDENTIFIER]
        return layout.by_module.get(self._module_of.get(predicate, ""), OTHER)

    def most_specific(self, classes: Iterable[Any]) -> list[Any]:
        """Return the classes that are broader than none of the others."""
        given = list(classes)
        broader = {above for term in given for above in self._broader_classes.get(getattr(term, "value", ""), ())}
        return [term for term in given if getattr(term, "value", "") not in broader] or given

    def kind(self, iri: str, language: str) -> str:
        """Return what a thing of ours is, in a word; empty where no class of ours says so."""
        found = self.store.quads_for_pattern(NamedNode(iri), TYPE, None, DefaultGraph())
        own = [quad.object for quad in found if isinstance(quad.object, NamedNode) and quad.object.value.startswith(CG)]
        return min((self.labels(language).of(term.value).text for term in self.most_specific(own)), default="")

    def describe(self, iri: str, language: str, window: Window | None = None) -> Entity | None:
        """Return what the graph says of an IRI, or None where it says nothing."""
        if not is_known(self.store, iri):
            return None
        node = NamedNode(iri)
        try:
            predicate = None if window is None else NamedNode(window.predicate)
        except ValueError:  # A query string can hold what no IRI can.
            return None
        outgoing = _collect(self.store.quads_for_pattern(node, predicate, None, None), is_incoming=False)
        incoming = _collect(self.store.quads_for_pattern(None, predicate, node, None), is_incoming=True)
        builder = _Builder(self, node, language)
        if window is not None:
            return builder.entity(outgoing, incoming, window)
        self._fold_inverses(outgoing, incoming)
        return builder.entity(outgoing, incoming)

    def _fold_inverses(self, outgoing: _Statements, incoming: _Statements) -> None:
        """Move incoming statements into the outgoing ones of which they are the inverse, with their sources."""
        for predicate in list(incoming):
            terms = incoming[predicate]
            for inverse in self.inverses.get(predicate, ()):
                known = outgoing.get(inverse, {})
                for term in [term for term in terms if term in known]:
                    known[term] |= terms.pop(term)
            if not terms:
                del incoming[predicate]

    def repeats(self, statements: _Statements, predicate: str, term: Any) -> bool:
        """Say whether a statement that no source makes only repeats another: elsewhere named, or less precise."""
        if not statements[predicate][term] <= _RULES or not statements[predicate][term]:
            return False
        if predicate == TYPE.value:
            return not getattr(term, "value", "").startswith(CG)
        if not predicate.startswith(CG):
            return True
        return any(
            predicate in self.broader.get(other, ()) and term in terms
            for other, terms in statements.items()
            if other != predicate
        )


# Predicate → the other term → the graphs that say so. The merge (the default graph) says nothing of its own.
_Statements = dict[str, dict[Any, set[str]]]
_RULES: Final = {INFERRED.value}


def describe_entity(store: Dataset, iri: str, language: str, window: Window | None = None) -> Entity | None:
    """Return what the graph says of one IRI, without a layout. For more than one, keep a `Reader`."""
    return Reader(store).describe(iri, language, window)


def _collect(quads: Iterable[Quad], *, is_incoming: bool) -> _Statements:
    found: _Statements = {}
    for quad in quads:
        predicate, graph = quad.predicate.value, quad.graph_name
        if predicate in HIDDEN or (is_incoming and graph == VALIDATION):
            continue
        other = quad.subject if is_incoming else quad.object
        graphs = found.setdefault(predicate, {}).setdefault(other, set())
        if isinstance(graph, NamedNode):
            graphs.add(graph.value)
    return found


def _read_inverses(store: Dataset) -> dict[str, set[str]]:
    """Return, of each property, those that say the same backwards."""
    found: dict[str, set[str]] = {}
    for one, other in _pairs(store, OWL + "inverseOf"):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    for quad in store.quads_for_pattern(None, TYPE, NamedNode(OWL + "SymmetricProperty"), DefaultGraph()):
        if isinstance(quad.subject, NamedNode):
            found.setdefault(quad.subject.value, set()).add(quad.subject.value)
    return found


def _read_broader(store: Dataset, relation: str) -> dict[str, frozenset[str]]:
    """Return, of each term, all that are broader by a relation."""
    above: dict[str, set[str]] = {}
    for one, other in _pairs(store, relation):
        above.setdefault(one, set()).add(other)
    found: dict[str, frozenset[str]] = {}
    for start in above:
        reached: set[str] = set()
        waiting = [start]
        while waiting:
            for other in above.get(waiting.pop(), ()):
                if other not in reached and other != start:
                    reached.add(other)
                    waiting.append(other)
        found[start] = frozenset(reached)
    return found


def _pairs(store: Dataset, predicate: str) -> Iterable[tuple[str, str]]:
    for quad in store.quads_for_pattern(None, NamedNode(predicate), None, DefaultGraph()):
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode):
            yield quad.subject.value, quad.object.value


class _Builder:
    """Makes the values of one page."""

    def __init__(self, reader: Reader, node: NamedNode, language: str) -> None:
        self._reader, self._node, self._language = reader, node, language
        self._labels, self._sources = reader.labels(language), reader.attribution(language)
        self._sorting: dict[Any, tuple[int, str, str]] = {}

    def entity(self, outgoing: _Statements, incoming: _Statements, window: Window | None = None) -> Entity:
        """Return the entity of statements; of one property where there is a window."""
        iri, labels = self._node.value, self._labels
        types = self._types(outgoing)
        names = None
        kept: list[tuple[str, Direction, Mapping[Any, set[str]]]] = []
        repeated: list[Group] = []
        directions: tuple[tuple[Direction, _Statements], ...] = (("out", outgoing), ("in", incoming))
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
        self, directions: tuple[tuple[Direction, _Statements], ...]
    ) -> tuple[list[tuple[str, Direction, Mapping[Any, set[str]]]], list[Group]]:
        """Part what is shown from what would only repeat it."""
        kept: list[tuple[str, Direction, Mapping[Any, set[str]]]] = []
        repeated = []
        for direction, statements in directions:
            for predicate, terms in statements.items():
                if predicate in NAMES and direction == "out":
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

    def _types(self, outgoing: _Statements) -> tuple[Value, ...]:
        """Return what an entity is: the most specific classes that a source gives, ours before others."""
        terms = outgoing.get(TYPE.value, {})
        stated = {term for term, graphs in terms.items() if graphs != _RULES} or set(terms)
        own = {term for term in stated if getattr(term, "value", "").startswith(BASE)} or stated
        return tuple(self._value(term, set()) for term in sorted(self._reader.most_specific(own), key=self._sort_key))

    def _names(self, outgoing: _Statements) -> Group | None:
        """Return the names other than the title: those that the reader knows best first."""
        title = self._labels.of(self._node.value)
        found: dict[tuple[str, str | None], tuple[Any, set[str]]] = {}
        for predicate in NAMES:
            for term, graphs in outgoing.get(predicate, {}).items():
                if isinstance(term, Literal) and Name(term.value, term.language) != title:
                    found.setdefault((term.value, term.language), (term, set()))[1].update(graphs)
        if not found:
            return None
        terms = {term: graphs - _RULES for term, graphs in found.values()}
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
            terms, key=lambda term: (terms[term] == _RULES, self._sort_key(term) if by_name else (0, "", str(term)))
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
        if graphs != _RULES:
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
            sources=tuple(sorted(self._sources.number(graph) for graph in sorted(graphs - _RULES))),
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


def _description(outgoing: _Statements, labels: Labels) -> Name | None:
    for iri in _DESCRIPTIONS:
        literals = [term for term in outgoing.get(iri, {}) if isinstance(term, Literal)]
        if literals:
            best = labels.best(literals)
            return Name(best.value, best.language)
    return None
