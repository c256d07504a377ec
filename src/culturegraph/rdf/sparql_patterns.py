"""Where a query uses one predicate in its graph patterns, read from its tokens, so that the use can be replaced.

Knows the grammar of groups, triples and paths, no more of a query than that. What it does not understand it says
(`NotUnderstoodError`); whether the text is a query at all is for the engine's parser to judge.

Source: SPARQL 1.1 Query Language §19.8, rules 53 to 103.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from culturegraph.rdf.sparql_text import Token

_END: Final = Token("end", "", -1)
_PATH_OPERATORS: Final = frozenset("/|*+?")
_CLAUSES: Final = frozenset({"OPTIONAL", "MINUS", "UNION", "GRAPH", "SERVICE", "FILTER", "BIND", "VALUES", "LATERAL"})


class NotUnderstoodError(Exception):
    """A token that does not belong where it stands, with what is to be said of it."""

    def __init__(self, token: Token, message: str = "") -> None:
        super().__init__(message)
        self.token = token
        self.message = message


@dataclass(frozen=True)
class Use:
    """One object of the predicate: its tokens, and the subject that it is said of (None: no variable or IRI)."""

    subject: Token | None
    verb: Token
    arguments: tuple[Token, ...]


@dataclass(frozen=True)
class Cut:
    """The uses in the triples of one subject. They go in at `place`; the spans (from, to) go out."""

    place: int
    uses: tuple[Use, ...]
    spans: tuple[tuple[int, int], ...]


@dataclass
class _Verbs:
    """The verbs of one subject: where each begins, and the uses with the end of their last object."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    uses: list[tuple[Use, ...]] = field(default_factory=list)

    def cut(self, subject: Token) -> Cut | None:
        """Return what to take out of `subject verb object ; verb object`, so that the rest stays well-formed."""
        if not any(self.uses):
            return None
        kept = [number for number, used in enumerate(self.uses) if not used]
        if not kept:
            spans = [(subject.start, self.ends[-1])]
        else:
            # Before the first verb that stays, no semicolon may stand; after it they may be many.
            spans = [(self.starts[0], self.starts[kept[0]])]
            spans += [(self.starts[n], self.ends[n]) for n, used in enumerate(self.uses) if used and n > kept[0]]
        return Cut(subject.start, tuple(use for used in self.uses for use in used), tuple(spans))


class PatternReader:
    """Reads the tokens of one query; `is_used` tells whether a token is the predicate."""

    def __init__(self, tokens: list[Token], is_used: Callable[[Token], bool]) -> None:
        self._tokens = tokens
        self._at = 0
        self._is_used = is_used
        self._cuts: list[Cut] = []
        # By variable, the tokens of `VALUES ?variable { … }`: terms that a use may name by their variable.
        self.data: dict[str, tuple[Token, ...]] = {}

    def read(self) -> list[Cut]:
        """Return the cuts of the whole query. Raises NotUnderstoodError."""
        short_form = None
        while self._token is not _END:
            word = self._word
            if word == "CONSTRUCT":
                construct = self._take()
                if self._token.text == "{":
                    self._skip_braces()
                else:
                    short_form = construct
            elif word == "VALUES":
                self._values()
            elif self._token.text == "{":
                self._group()
            elif self._token.text == "(":
                self._brackets()
            else:
                self._take()
        if short_form and self._cuts:
            raise NotUnderstoodError(short_form, "needs the long form: CONSTRUCT { … } WHERE { … }")
        return self._cuts

    @property
    def _token(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    @property
    def _word(self) -> str:
        return self._token.text.upper() if self._token.kind == "word" else ""

    def _take(self, text: str | None = None) -> Token:
        token = self._token
        if token is _END or (text is not None and token.text != text):
            raise NotUnderstoodError(token)
        self._at += 1
        return token

    def _group(self) -> None:
        """Read `{ … }`: a sub-select, or clauses and triples."""
        self._take("{")
        is_select = self._word == "SELECT"
        while self._token.text != "}":
            if self._token.text == "{":
                self._group()
            elif self._word in _CLAUSES:
                self._clause()
            elif self._token.text == "(" and is_select:
                self._brackets()
            elif is_select or self._token.text == ".":
                self._take()
            else:
                self._triples()
        self._take("}")

    def _clause(self) -> None:
        keyword = self._word
        if keyword == "VALUES":
            self._values()
            return
        self._take()
        if keyword == "BIND":
            self._brackets()
        elif keyword == "FILTER":
            # A condition, a function with its arguments, or EXISTS with a group.
            while self._token.text not in ("(", "{"):
                self._take()
            if self._token.text == "(":
                self._brackets()
        elif keyword == "SERVICE":
            # What another endpoint is asked is its own affair.
            while self._token.text != "{":
                self._take()
            self._skip_braces()
        elif keyword == "GRAPH":
            self._take()

    def _values(self) -> None:
        self._take()
        start = self._at
        while self._token.text != "{":
            self._take()
        is_single = self._at == start + 1
        variable, first = self._tokens[start].text, self._at + 1
        self._skip_braces()
        if is_single:
            self.data[variable] = tuple(self._tokens[first : self._at - 1])

    def _brackets(self) -> None:
        """Read `( … )` of an expression; a brace in it opens the group of an EXISTS."""
        self._take("(")
        while self._token.text != ")":
            if self._token.text == "(":
                self._brackets()
            elif self._token.text == "{":
                self._group()
            else:
                self._take()
        self._take(")")

    def _skip_braces(self) -> None:
        depth = 0
        while True:
            text = self._take().text
            depth += (text == "{") - (text == "}")
            if not depth:
                return

    def _triples(self) -> None:
        """Read a subject with its verbs and objects."""
        subject = self._token
        self._node()
        verbs = self._properties(subject if subject.kind in ("variable", "iri", "name") else None)
        if cut := verbs.cut(subject):
            self._cuts.append(cut)

    def _properties(self, subject: Token | None) -> _Verbs:
        verbs = _Verbs()
        while True:
            while self._token.text == ";":
                self._take()
            if self._token.text in (".", "}", "]", "{") or self._word in _CLAUSES or self._token is _END:
                return verbs
            verbs.starts.append(self._token.start)
            if self._is_used(self._token):
                verbs.uses.append(self._uses(subject))
            else:
                self._verb()
                self._objects(self._node)
                verbs.uses.append(())
            last = self._tokens[self._at - 1]
            verbs.ends.append(last.start + len(last.text))

    def _uses(self, subject: Token | None) -> tuple[Use, ...]:
        verb = self._take()
        if self._token.text in _PATH_OPERATORS:
            raise NotUnderstoodError(verb, "cannot be part of a path")
        uses: list[Use] = []

        def read_object() -> None:
            start = self._at
            self._node()
            uses.append(Use(subject, verb, tuple(self._tokens[start : self._at])))

        self._objects(read_object)
        if subject is None:
            raise NotUnderstoodError(verb, "needs a variable or an IRI as its subject")
        return tuple(uses)

    def _objects(self, read: Callable[[], None]) -> None:
        read()
        while self._token.text == ",":
            self._take()
            read()

    def _verb(self) -> None:
        """Read a variable, or a path with its operators."""
        if self._token.kind == "variable":
            self._take()
            return
        while True:
            while self._token.text in ("^", "!"):
                self._take()
            if self._token.text == "(":
                self._take()
                while self._token.text != ")":
                    self._verb()
                self._take()
            elif self._token.kind in ("iri", "name") or self._token.text == "a":
                if self._is_used(self._token):
                    raise NotUnderstoodError(self._token, "cannot be part of a path")
                self._take()
            else:
                raise NotUnderstoodError(self._token)
            while self._token.text in ("*", "+", "?"):
                self._take()
            if self._token.text not in ("/", "|"):
                return
            self._take()

    def _node(self) -> None:
        """Read a variable, an IRI, a literal, a blank node with or without properties, or a list."""
        token = self._take()
        if token.text == "[":
            self._properties(None)
            self._take("]")
        elif token.text == "(":
            while self._token.text != ")":
                self._node()
            self._take()
        elif token.text == "_" or (token.text in ("+", "-") and self._token.kind == "number"):
            self._take()
        elif token.kind == "string":
            if self._token.kind == "language":
                self._take()
            elif self._token.text == "^^":
                self._take()
                self._take()
        elif token.kind not in ("variable", "iri", "name", "number") and token.text.lower() not in ("true", "false"):
            raise NotUnderstoodError(token)
