"""CQL, the query language of SRU: from text to a tree, with the diagnostics that SRU has for what is wrong.

Source: OASIS searchRetrieve 1.0, Part 5: CQL (the contextual query language 2.0); CQL 1.2 is contained in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Longer and deeper queries than these nobody writes.
LONGEST: Final = 4_000
_DEEPEST: Final = 40
_TOKEN: Final = re.compile(
    r'\s*(?:(?P<string>"(?:\\.|[^"\\])*")|(?P<sign>==|<>|<=|>=|[()=<>/])|(?P<word>[^\s()=<>"/]+))', re.DOTALL
)
_BOOLEANS: Final = frozenset({"and", "or", "not", "prox"})
_SIGNS: Final = frozenset({"=", "==", "<>", "<", ">", "<=", ">="})
_RELATIONS: Final = frozenset({"adj", "all", "any", "encloses", "within", "exact", "scr"})


class DiagnosticError(Exception):
    """A diagnostic of SRU: its number in the list `info:srw/diagnostic/1`, what it is about, and what it says."""

    def __init__(self, number: int, message: str, details: str = "") -> None:
        super().__init__(message)
        self.number, self.message, self.details = number, message, details


@dataclass(frozen=True)
class Clause:
    """One condition: index and relation in lower case, the names of relation modifiers, the term."""

    index: str
    relation: str
    term: str
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Combination:
    """Two conditions joined by `and`, `or` or `not` (and-not)."""

    operator: str
    left: Clause | Combination
    right: Clause | Combination


Query = Clause | Combination


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: int


@dataclass
class _Parser:
    """A recursive-descent parser over the tokens of one query."""

    text: str
    prefixes: dict[str, str] = field(default_factory=dict)
    at: int = 0
    tokens: list[_Token] = field(default_factory=list)

    def __post_init__(self) -> None:
        place = 0
        while place < len(self.text.rstrip()):
            found = _TOKEN.match(self.text, place)
            if found is None:
                raise self._fault("a quotation mark is not closed", place)
            kind = found.lastgroup or ""
            self.tokens.append(_Token(kind, found[kind], found.start(kind)))
            place = found.end()

    def _fault(self, message: str, place: int | None = None) -> DiagnosticError:
        if place is None:
            place = self.tokens[self.at].place if self.at < len(self.tokens) else len(self.text)
        return DiagnosticError(10, f"the query cannot be read: {message} (at character {place + 1})", self.text[:200])

    def _peek(self) -> str:
        """Return the next token in lower case; "" at the end, and for a quoted term, which is never a keyword."""
        if self.at >= len(self.tokens) or self.tokens[self.at].kind == "string":
            return ""
        return self.tokens[self.at].text.lower()

    def _take(self) -> _Token:
        if self.at >= len(self.tokens):
            raise self._fault("it ends where more is needed")
        self.at += 1
        return self.tokens[self.at - 1]

    def parse(self) -> Query:
        """Return the tree of the whole query."""
        while self._peek() == ">":
            self._prefix()
        query = self._combination(0)
        if self._peek() == "sortby":
            raise DiagnosticError(80, "results are not sorted on demand", "sortby")
        if self.at < len(self.tokens):
            raise self._fault(f"{self.tokens[self.at].text!r} is not expected")
        return query

    def _prefix(self) -> None:
        self._take()
        name = self._term()
        if self._peek() == "=":
            self._take()
            self.prefixes[name.lower()] = self._term()
        else:
            self.prefixes[""] = name

    def _combination(self, depth: int) -> Query:
        left = self._clause(depth)
        while self._peek() in _BOOLEANS:
            operator = self._take().text.lower()
            if operator == "prox":
                raise DiagnosticError(39, "proximity is not supported", "prox")
            if self._peek() == "/":
                raise DiagnosticError(46, "modifiers of booleans are not supported", operator)
            left = Combination(operator, left, self._clause(depth))
        return left

    def _clause(self, depth: int) -> Query:
        if depth > _DEEPEST:
            raise DiagnosticError(48, f"a query may nest {_DEEPEST} deep", "()")
        if self._peek() == "(":
            self._take()
            inner = self._combination(depth + 1)
            if self._peek() != ")":
                raise self._fault("a bracket is not closed")
            self._take()
            return inner
        first = self._term()
        relation = self._peek()
        if relation not in _SIGNS and relation.rpartition(".")[2] not in _RELATIONS:
            return Clause("cql.serverchoice", "=", first)
        self._take()
        return Clause(first.lower(), relation.removeprefix("cql."), modifiers=self._modifiers(), term=self._term())

    def _modifiers(self) -> tuple[str, ...]:
        found = []
        while self._peek() == "/":
            self._take()
            found.append(self._term().lower())
            if self._peek() in _SIGNS:
                self._take()
                self._term()
        return tuple(found)

    def _term(self) -> str:
        if self._peek() in {"(", ")", "/", *_SIGNS}:
            raise self._fault(f"{self._peek()!r} stands where a term is needed")
        token = self._take()
        return re.sub(r'\\(["\\])', r"\1", token.text[1:-1]) if token.kind == "string" else token.text


def parse(text: str) -> tuple[Query, Mapping[str, str]]:
    """Return the tree of a query, and the URIs that it gives to prefixes. Raises DiagnosticError."""
    if not text.strip():
        raise DiagnosticError(27, "the query is empty")
    if len(text) > LONGEST:
        raise DiagnosticError(48, f"a query may have {LONGEST:,} characters", str(len(text)))
    parser = _Parser(text)
    return parser.parse(), parser.prefixes
