"""Text search inside SPARQL: `?thing cg:textMatch "danza de tijeras"`, answered from the text index.

    ?thing cg:textMatch "kechwa" .                              things of which a name matches, in any spelling
    ?thing cg:textMatch "tijeras"@es .                          … of which a Spanish name matches
    ?thing cg:textMatch ( "tijeras" 20 ?score ?name ) .         the 20 best, with score (0 to 1) and name
    VALUES ?text { "kechwa" "aru" } ?thing cg:textMatch ?text . the text as a variable, bound by VALUES anywhere

The name has every word of the text; the last word, and each with a star (`"danz* tij*"`), may be the beginning of one.
A text that is an identifier finds what it names. The triple is replaced by VALUES before the engine sees the query, so
it works wherever a triple may stand and with any engine.
Names are those of the merge, whatever GRAPH or FROM is around: join with a triple of the graph to narrow it. At most
LIMIT things, the best first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pyoxigraph import Literal, Store

from culturegraph.errors import QuerySyntaxError
from culturegraph.rdf.sparql_patterns import Cut, NotUnderstoodError, PatternReader, Use
from culturegraph.rdf.sparql_text import Token, outline, place, resolve_name, tokenize
from culturegraph.rdf.vocabulary import CG
from culturegraph.store.text_index import TextIndex
from culturegraph.store.text_matching import Match

TEXT_MATCH: Final = CG + "textMatch"
# Things that one pattern binds at most, and where it names no limit of its own.
LIMIT: Final = 10_000
_NAME: Final = "textMatch"
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPED: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_FORMS: Final = 'write `"text"`, `"text"@es`, a variable that VALUES binds, or `( "text" limit ?score ?name )`'


class HasTextIndex(Protocol):
    """A snapshot, as far as this module needs it."""

    @property
    def text_index(self) -> TextIndex:
        """The names of the snapshot."""
        ...


@dataclass(frozen=True)
class _Arguments:
    """The object of one use, read: each text as it is written, as it is meant, and the language of its names."""

    texts: tuple[tuple[str, str, str | None], ...]
    text_variable: str | None
    limit: int
    variables: tuple[str, ...]


def rewrite(query: str, snapshot: HasTextIndex) -> str:
    """Return a query with every use of cg:textMatch replaced by what it matches; other queries as they are.

    Raises QuerySyntaxError, located in the query as written, where a use cannot be read.
    """
    if _NAME not in query:
        return query
    told = outline(query)

    def is_used(token: Token) -> bool:
        return _NAME in token.text and token.kind in ("iri", "name") and resolve_name(token, told) == TEXT_MATCH

    tokens = list(tokenize(query))
    if not any(map(is_used, tokens)):
        return query
    try:
        reader = PatternReader(tokens, is_used)
        # A use that is not reached stands where no pattern is: a template, which may say what it likes.
        cuts = reader.read()
        asker = _Asker(snapshot.text_index, reader.data, lambda iri: resolve_name(iri, told))
        return _apply(query, cuts, asker.write)
    except NotUnderstoodError as fault:
        if not fault.message and _is_refused(query):
            return query  # The parser tells better what is wrong.
        message = f"cg:textMatch {fault.message or f'is not understood here; {_FORMS} as the object of a triple'}"
        raise QuerySyntaxError(message, *place(query, max(fault.token.start, 0))) from fault


def _is_refused(query: str) -> bool:
    try:
        Store().query(query)
    except SyntaxError:
        return True
    except RuntimeError:
        return False
    return False


def _apply(query: str, cuts: Sequence[Cut], write: Callable[[Use], str]) -> str:
    """Put what replaces the uses in, take the uses out; from the end, so that places stay where they are."""
    edits = [(cut.place, cut.place, " ".join(map(write, cut.uses)) + " ") for cut in cuts]
    edits += [(start, end, "") for cut in cuts for start, end in cut.spans]
    # At one place the insertion comes first in the text, hence last here.
    for start, end, text in sorted(edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
        query = query[:start] + text + query[end:]
    return query


@dataclass(frozen=True)
class _Asker:
    """Answers uses: the index, the terms of single-variable VALUES by variable, what IRI a token stands for."""

    index: TextIndex
    data: Mapping[str, Sequence[Token]]
    resolve: Callable[[Token], str]

    def write(self, use: Use) -> str:
        """Return the VALUES clause that takes the place of a use."""
        asked = self._read(use)
        subject = use.subject or use.verb
        columns: tuple[str, ...] = (subject.text,) if subject.kind == "variable" else ()
        columns += (asked.text_variable,) if asked.text_variable else ()
        rows = [
            (
                *((f"<{match.iri}>",) if subject.kind == "variable" else ()),
                *((written,) if asked.text_variable else ()),
                *_more(match, asked),
            )
            for written, text, language in asked.texts
            for match in self.index.matches(text, names_in=language, fuzzy=False)[: asked.limit]
            if subject.kind == "variable" or match.iri == self.resolve(subject)
        ]
        found = " ".join(f"({' '.join(row)})" for row in rows)
        return f"VALUES ({' '.join((*columns, *asked.variables))}) {{ {found} }}"

    def _read(self, use: Use) -> _Arguments:
        """Read the object of a use: a text, or a list of a text, a limit and up to two variables."""
        tokens = list(use.arguments)
        if tokens[0].text == "(":
            tokens = tokens[1:-1]
        variable = tokens[0].text if tokens and tokens[0].kind == "variable" else None
        if variable is not None:
            written, tokens = list(self.data.get(variable, ())), tokens[1:]
        else:
            written, tokens = _split_literal(tokens)
        texts = []
        while written and written[0].kind == "string":
            literal, written = _split_literal(written)
            language = literal[1].text[1:] if len(literal) == 2 else None
            texts.append(("".join(token.text for token in literal), _unquote(literal[0].text), language))
        if written or not texts:
            raise NotUnderstoodError(use.arguments[0], f"needs its text in the query itself; {_FORMS}")
        limit = LIMIT
        if tokens and tokens[0].kind == "number":
            number = tokens.pop(0)
            if not number.text.isdigit() or not 0 < int(number.text) <= LIMIT:
                raise NotUnderstoodError(number, f"takes a limit from 1 to {LIMIT:,}")
            limit = int(number.text)
        if len(tokens) > 2 or any(token.kind != "variable" for token in tokens):
            raise NotUnderstoodError(tokens[0], f"has too much in its list; {_FORMS}")
        return _Arguments(tuple(texts), variable, limit, tuple(token.text for token in tokens))


def _split_literal(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """Split off a string with its language or datatype; a datatype is dropped from what is returned first."""
    if len(tokens) > 1 and tokens[1].kind == "language":
        return tokens[:2], tokens[2:]
    if len(tokens) > 2 and tokens[1].text == "^^":
        return tokens[:1], tokens[3:]
    return tokens[:1], tokens[1:]


def _more(match: Match, asked: _Arguments) -> tuple[str, ...]:
    """Return score and matched name as terms, as far as they are asked for."""
    name = Literal(match.text, language=match.language) if match.language else Literal(match.text)
    return (f"{match.score:.4f}", str(name))[: len(asked.variables)]


def _unquote(written: str) -> str:
    """Return the text of a string token."""
    body = written[3:-3] if written[:3] in ('"""', "'''") and len(written) >= 6 else written[1:-1]

    def character(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPED.get(code, code)

    return _ESCAPE.sub(character, body)
