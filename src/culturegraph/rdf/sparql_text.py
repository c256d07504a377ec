"""What can be told of a SPARQL query from its tokens, before a parser sees it: form, dataset clauses, nesting, SERVICE.

The engine's parser backtracks and needs no space between words, so some texts read in two ways. Where that could hide
a SERVICE clause, the text counts as having one: `FILTER(4<?b#>"` begins a comment for the parser, not an IRI.

Source: SPARQL 1.1 Query Language §19 (grammar).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from pyoxigraph import Store

from culturegraph.rdf.vocabulary import PREFIXES

FORMS: Final = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
UPDATES: Final = frozenset(
    {"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"}
)  # fmt: skip
_VOLATILE: Final = frozenset({"NOW", "RAND", "UUID", "STRUUID"})
# Each of these adds a level to the tree that the engine walks recursively.
_CHAINING: Final = frozenset({"UNION", "MINUS", "OPTIONAL", "FILTER", "BIND", "VALUES", "GRAPH", "IN"})
_OPENING, _CLOSING = frozenset("{(["), frozenset("})]")
_HOPELESS: Final = 100_000
_OPERATORS: Final = frozenset({"||", "&&", "+", "-", "*", "/", "|", "!", "^"})

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[\s\ufeff]+|\#[^\n\r]*)
  | (?P<iri><[^<>"{}|^`\x00-\x20]*>)
  | (?P<string>\"{3}(?:\"{0,2}(?:[^"\\]|\\.))*\"{3}|'{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}
      |"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')
  | (?P<variable>[?$]\w+)
  | (?P<name>:(?:[\w:.-]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%])*+)
  | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<run>[^\W\d_][\w.-]*+(?P<local>:(?:[\w:.-]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%])*+)?)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<mark>&&|\|\||\^\^|!=|<=|>=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# How the engine's parser reports; it tries no keyword longer than this.
_REPORT: Final = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_LOOKAHEAD: Final = 20
# Marks that may stand apart from what is beside them.
_APART: Final = frozenset("{}();,")
# What is wrong with the meaning stands among the expected words as a sentence.
_SENTENCE: Final = re.compile(r"[A-Z][a-z]*(?: [\w`'-]+){2,}")
_WORD: Final = re.compile(r"\w+|[.-]")
_ABSOLUTE: Final = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Token:
    """One token: its kind (a group of the pattern), its text and where it starts, in characters from 0."""

    kind: str
    text: str
    start: int


@dataclass
class Outline:
    """What the tokens of a query say."""

    form: str | None = None
    update: str | None = None
    default_graphs: list[str] = field(default_factory=list)
    named_graphs: list[str] = field(default_factory=list)
    depth: int = 0
    operators: int = 0
    # Whether there is a SERVICE clause that names no endpoint of the allowed ones, or may be one.
    service: bool = False
    volatile: bool = False
    prefixes: dict[str, str] = field(default_factory=dict)
    base: str = ""
    undeclared: tuple[str, int] | None = None


_NONE: Final = Token("mark", "", 0)


def tokenize(text: str) -> Iterator[Token]:
    """Yield the tokens of a query, white space and comments left out. Never fails: the parser judges, not this."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark"
        if match["local"] is not None:
            yield Token("name", match[0], match.start())
        elif kind == "run":
            # Without a colon the dots and dashes are marks of their own. Matched as one run to stay linear.
            for part in _WORD.finditer(match[0]):
                yield Token("word" if part[0] not in ".-" else "mark", part[0], match.start() + part.start())
        elif kind != "space":
            yield Token(kind, match[0], match.start())


def outline(text: str, prefixes: Mapping[str, str] | None = None, services: Collection[str] = frozenset()) -> Outline:
    """Return what the tokens of a query say; `prefixes` are those declared by default, `services` may be asked.

    Reading ends early where nesting is beyond all limits.
    """
    result = Outline(prefixes=dict(prefixes or {}))
    depth, may_have_service = 0, "service" in text.lower()
    awaits_endpoint = False
    before, last = _NONE, _NONE
    for token in tokenize(text):
        if token.text in _OPENING:
            depth += 1
            result.depth = max(result.depth, depth)
        elif token.text in _CLOSING:
            depth -= 1
        elif token.kind == "word":
            _read_word(token.text.upper(), result)
        elif token.text in _OPERATORS:
            result.operators += 1
        elif token.kind in ("iri", "name"):
            _read_iri(token, before, last, result, at_top=depth == 0)
        if awaits_endpoint:
            # Allowed is `SERVICE <iri>` and `SERVICE SILENT <iri>` with the IRI spelt out: no variable, no prefix.
            awaits_endpoint = token.text.upper() == "SILENT"
            result.service |= not awaits_endpoint and not (token.kind == "iri" and token.text[1:-1] in services)
        if may_have_service and _may_be_service(token):
            awaits_endpoint = bool(services) and token.text.upper() == "SERVICE"
            result.service |= not awaits_endpoint
        if result.depth > _HOPELESS or result.operators > _HOPELESS:
            break
        before, last = last, token
    result.service |= awaits_endpoint
    return result


def place(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a character offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def locate_syntax_error(
    text: str, error: SyntaxError, prefixes: Mapping[str, str] | None = None
) -> tuple[int, int, str]:
    """Return line, column (from 1) and a message in words for a query that the engine's parser refused.

    The parser tells how far it looked, and it looks ahead by the length of every keyword that it tries: the text is
    given to it once more with wide spaces. What it would have liked instead (often, of all things, SERVICE) is not
    told. An undeclared prefix it does not name at all.
    """
    undeclared = outline(text, prefixes).undeclared
    if undeclared is not None:
        prefix, offset = undeclared
        known = PREFIXES.get(prefix)
        hint = f"; add `PREFIX {prefix}: <{known}>`" if known else ""
        return *place(text, offset), f"the prefix `{prefix}:` is not declared{hint}"
    quote = next((token for token in tokenize(text) if token.kind == "mark" and token.text in "\"'"), None)
    if quote is not None:
        return *place(text, quote.start), "a string is not closed"
    stretched, tokens = _stretch(text)
    try:
        Store().query(stretched, prefixes=dict(prefixes or {}))
    except SyntaxError as clearer:
        error = clearer
    match = _REPORT.match(str(error.msg or error))
    if match is None:
        return 1, 1, str(error.msg or error)
    offset = sum(len(line) + 1 for line in stretched.split("\n")[: int(match[1]) - 1]) + int(match[2]) - 1
    reached = [token for start, token in tokens if start <= offset]
    last = reached[-1] if reached else _NONE
    if sentence := _SENTENCE.search(match[3]):
        return *place(text, last.start), sentence[0]
    if offset >= len(stretched):
        return *place(text, last.start + len(last.text)), "the query ends too early"
    return *place(text, last.start), f"unexpected `{last.text[:40]}`"


def _stretch(text: str) -> tuple[str, list[tuple[int, Token]]]:
    """Widen the spaces between the tokens, so that looking ahead from one does not reach the next.

    Returns the text and, with its new offset, every token.
    """
    parts: list[str] = []
    tokens: list[tuple[int, Token]] = []
    length, end = 0, 0
    for token in tokenize(text):
        is_apart = token.start > end or token.text in _APART or (tokens and tokens[-1][1].text in _APART)
        parts += [" " * _LOOKAHEAD if is_apart else "", token.text]
        length += len(parts[-2])
        tokens.append((length, token))
        length, end = length + len(token.text), token.start + len(token.text)
    return "".join(parts) + " " * _LOOKAHEAD, tokens


def _read_word(word: str, result: Outline) -> None:
    if result.form is None and result.update is None:
        # The parser needs no space after a keyword: `SELECTDISTINCT` is one word here and two there.
        result.form = next((form for form in FORMS if word.startswith(form)), None)
        result.update = next((form for form in UPDATES if word.startswith(form)), None)
    result.operators += word in _CHAINING
    result.volatile |= word in _VOLATILE


def _read_iri(token: Token, before: Token, last: Token, result: Outline, *, at_top: bool) -> None:
    """Take in an IRI or prefixed name: a declaration, a dataset clause (outside all braces), or a mere use."""
    keyword = last.text.upper() if last.kind == "word" else ""
    earlier = before.text.upper() if before.kind == "word" else ""
    if token.kind == "name":
        if keyword == "PREFIX":
            return
        prefix = token.text.partition(":")[0]
        if prefix not in result.prefixes and result.undeclared is None:
            result.undeclared = (prefix, token.start)
    if earlier == "PREFIX" and last.kind == "name" and token.kind == "iri":
        result.prefixes[last.text[:-1]] = resolve_name(token, result)
    elif keyword == "BASE":
        result.base = token.text[1:-1]
    elif at_top and keyword == "FROM":
        result.default_graphs.append(resolve_name(token, result))
    elif at_top and (keyword == "FROMNAMED" or (earlier == "FROM" and keyword == "NAMED")):
        result.named_graphs.append(resolve_name(token, result))


def _may_be_service(token: Token) -> bool:
    """Say whether the parser may read a SERVICE keyword in this token."""
    if token.kind == "word":
        return "service" in token.text.lower()
    if token.kind == "name":
        # `SERVICEex:x{…}` is first tried as a name and then, by backtracking, as SERVICE ex:x {…}.
        return "service" in token.text.partition(":")[0].lower()
    # After an expression, `<` may be "less than" and the `#` further on begin a comment. Not so before `scheme://`.
    return token.kind == "iri" and "#" in token.text and not _ABSOLUTE.match(token.text)


def resolve_name(token: Token, result: Outline) -> str:
    """Return the IRI that an IRI token or a prefixed name stands for, by the declarations of a query."""
    if token.kind == "iri":
        return urljoin(result.base, token.text[1:-1])
    prefix, _, local = token.text.partition(":")
    return result.prefixes.get(prefix, "") + re.sub(r"\\(.)", r"\1", local)
