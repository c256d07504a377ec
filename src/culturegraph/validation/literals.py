"""Literals as their source wrote them, kept beside a store that normalises them.

The store turns "01"^^xsd:integer into "1", xsd:int into xsd:integer, "4.0" into "4", and knows no ill-typed literals;
SHACL judges what was written. So a literal that the store would change, or whose lexical form its datatype refuses,
is *veiled*: its datatype is replaced by one that the store does not know and leaves alone. Veiled literals live in the
graph TERMS only, together with every other triple of their predicates; the default graph has their values.

Language tags are compared without regard to case everywhere, so they are only put back as written in the results.

Source: SHACL §4.1.2 (sh:datatype, ill-typed literals); RDF 1.1 Concepts §3.3, §5.1.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad, Store

from culturegraph.rdf.vocabulary import XSD

INTERNAL: Final = "urn:x-culturegraph:"
TERMS: Final = NamedNode(INTERNAL + "terms")
WRITTEN: Final = INTERNAL + "written:"
ILL_TYPED: Final = INTERNAL + "ill-typed:"

# Forms that the store keeps as they are and that are surely valid: most literals need no closer look.
_PLAIN: Final = {
    XSD + "integer": re.compile(r"(?:0|-?[1-9][0-9]{0,15})\Z"),
    XSD + "decimal": re.compile(r"(?:0|-?[1-9][0-9]{0,8}|-?(?:0|[1-9][0-9]{0,8})\.[0-9]{0,8}[1-9])\Z"),
    XSD + "boolean": re.compile(r"(?:true|false)\Z"),
    XSD + "date": re.compile(r"[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])\Z"),
    XSD + "dateTime": re.compile(
        r"[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z?\Z"
    ),
    XSD + "gYear": re.compile(r"[1-9][0-9]{3}\Z"),
}
_NEVER_CHANGED: Final = frozenset(XSD + name for name in ("string", "anyURI", "language", "token", "normalizedString"))


class SourceTerms:
    """Which literals of a graph the store would not keep, and how to get back to them."""

    def __init__(self) -> None:
        # None for a literal that needs no veil.
        self._veils: dict[Literal, Literal | None] = {}
        self._scratch = Store()
        self._stored: dict[Literal, Literal] = {}
        self._languages: dict[Literal, Literal] = {}
        self._by_place: dict[tuple[Any, Literal], set[Literal]] = defaultdict(set)
        self.veiled: list[Quad] = []
        self.predicates: set[NamedNode] = set()

    def veil(self, literal: Literal) -> Literal:
        """Return the literal as TERMS holds it: itself, or its veiled form."""
        language = literal.language
        if language is not None:
            if not language.islower():
                self._languages.setdefault(Literal(literal.value, language=language.lower()), literal)
            return literal
        datatype = literal.datatype.value
        if datatype in _NEVER_CHANGED or not datatype.startswith(XSD):
            return literal
        plain = _PLAIN.get(datatype)
        if plain is not None and plain.match(literal.value):
            return literal
        if literal not in self._veils:
            self._veils[literal] = self._judge(literal, datatype)
        return self._veils[literal] or literal

    def _judge(self, literal: Literal, datatype: str) -> Literal | None:
        if is_ill_typed(literal):
            return Literal(literal.value, datatype=NamedNode(ILL_TYPED + datatype))
        if self.stored(literal) != literal:
            return Literal(literal.value, datatype=NamedNode(WRITTEN + datatype))
        return None

    def stored(self, literal: Literal) -> Literal:
        """Return the literal as the store gives it back."""
        if literal not in self._stored:
            # A subject of its own for each: to empty the scratch store takes far longer than to fill it.
            probe = NamedNode(f"{INTERNAL}probe:{len(self._stored)}")
            self._scratch.add(Quad(probe, probe, literal))
            [quad] = self._scratch.quads_for_pattern(probe, None, None, None)
            if not isinstance(quad.object, Literal):
                raise TypeError(f"the store made no literal of {literal}")
            self._stored[literal] = quad.object
        return self._stored[literal]

    def sift(self, quads: Iterable[Quad]) -> Iterator[Quad]:
        """Yield the quads that the store keeps as they are; note the others in `veiled`."""
        veil, veiled = self.veil, self.veiled
        for quad in quads:
            value = quad.object
            if type(value) is Literal and veil(value) is not value:
                veiled.append(quad)
            else:
                yield quad

    def settle(self, store: Store, also: Iterable[Iterable[NamedNode]]) -> None:
        """Put the veiled triples into the store, and into TERMS every triple of their predicates.

        `also` holds the predicates of each path in use: a path of which one predicate is in TERMS must be there whole.
        """
        self.predicates = {quad.predicate for quad in self.veiled}
        paths = [set(path) for path in also]
        grown = True
        while grown and self.predicates:
            more = {p for path in paths if path & self.predicates for p in path} - self.predicates
            self.predicates |= more
            grown = bool(more)
        if self.predicates:
            # Copied by the engine itself: no triple passes through Python.
            listed = " ".join(map(str, sorted(self.predicates, key=str)))
            where = f"WHERE {{ VALUES ?p {{ {listed} }} ?s ?p ?o }}"
            store.update(f"INSERT {{ GRAPH {TERMS} {{ ?s ?p ?o }} }} {where}")
        in_terms = []
        for quad in self.veiled:
            if isinstance(quad.object, Literal):
                self._by_place[(quad.subject, self.stored(quad.object))].add(quad.object)
                in_terms.append(Quad(quad.subject, quad.predicate, self.veil(quad.object), TERMS))
        store.bulk_extend(in_terms)
        store.bulk_extend(Quad(q.subject, q.predicate, q.object) for q in self.veiled)

    def written(self, value: Any, subject: Any = None) -> Any:
        """Return the term as the source wrote it; `subject` helps where only the stored value is known."""
        if not isinstance(value, Literal):
            return value
        datatype = value.datatype.value
        if datatype.startswith(INTERNAL):
            return Literal(value.value, datatype=NamedNode(datatype.removeprefix(WRITTEN).removeprefix(ILL_TYPED)))
        if value.language is not None:
            return self._languages.get(value, value)
        if subject is not None and len(originals := self._by_place.get((subject, value), ())) == 1:
            return next(iter(originals))
        return value


@contextmanager
def quiet_rdflib() -> Iterator[None]:
    """Keep rdflib from warning of each ill-typed literal: to find them is our own task."""
    logger = logging.getLogger("rdflib.term")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


_CHECKED: Final = frozenset(
    XSD + name for name in ("integer", "float", "decimal", "boolean", "date", "time", "dateTime")
)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
_NEED_DIGITS: Final = frozenset(XSD + name for name in ("integer", "date", "dateTime"))


def is_ill_typed(literal: Literal) -> bool:
    """Return whether the lexical form is none of the literal's datatype, as rdflib sees it."""
    text, datatype = literal.value, literal.datatype.value
    # What can be told without rdflib, which takes a fifth of a second to import.
    if datatype == XSD + "decimal" and _NUMBER.match(text):
        return False
    if datatype in _NEED_DIGITS and not any(map(str.isdigit, text)):
        return True
    return is_ill_typed_in_rdflib(literal)


def is_ill_typed_in_rdflib(literal: Literal) -> bool:
    """Return whether rdflib, and so pyshacl, takes the literal for an ill-typed one."""
    import rdflib

    datatype = literal.datatype.value
    with quiet_rdflib():
        seen = rdflib.Literal(literal.value, datatype=rdflib.URIRef(datatype), normalize=False)
    return seen.ill_typed is True or (seen.value is None and datatype in _CHECKED)
