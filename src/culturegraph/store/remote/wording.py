"""A query of ours in the words of a store that holds generations. Pure: text in, text out.

    GRAPH <a> { … }     GRAPH <generation/…/a> { … }
    GRAPH ?g { … }      { VALUES (?n ?g) { (<generation/…/a> <a>) … } GRAPH ?n { … } }
    GRAPH ?g { … ?g }   GRAPH ?n { VALUES (?n ?g) { (<generation/…/a> <a>) … } … ?g }
    SELECT * …          SELECT ?the ?variables …: engines give them in orders of their own, and some were added
    FROM, FROM NAMED    taken out: the request names the dataset
    BASE, <relative>    taken out, <absolute>: Virtuoso wants no BASE behind what it puts before a query
    VALUES ?a { UNDEF } taken out: it changes nothing, yet Jena finds nothing where ?a is then grouped by
    DESCRIBE <a>        CONSTRUCT of what the merge says of <a>: engines describe in ways of their own

So graphs are found, joined and answered under their own names, and nothing of another generation can be among them.
VALUES stands before the group: inside it Jena joins every row with every triple, and behind it Virtuoso fails. Where
the group names ?g, in a FILTER for instance, it stands inside all the same, to be seen there.
Source: SPARQL 1.1 Query Language §8.3, §13.3, §18.6; SPARQL 1.1 Protocol §2.1.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from culturegraph.rdf.sparql_text import Outline, Token, resolve_name, tokenize

_OPENING, _CLOSING = "{([", "})]"
_NOWHERE: Final = "none"
_ABSOLUTE: Final = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True)
class Wording:
    """A query as a store gets it, and the graphs that it may look into by name (their own names)."""

    text: str
    graphs: Sequence[str]


def word(
    query: str,
    told: Outline,
    named: Collection[str],
    variables: Sequence[str],
    name: Callable[[str], str],
) -> Wording:
    """Return a query in the words of a store.

    `named`: the named graphs of the dataset; `variables`: what SELECT * stands for; `name`: gives a graph its name in
    the generation.
    """
    tokens = list(tokenize(query))
    edits: list[tuple[int, int, str]] = list(_without_dataset(tokens))
    edits += _without_base(tokens, told)
    edits += _describe(query, tokens)
    edits += _without_undefined(tokens)
    looked_into: dict[str, None] = {}
    fresh = _Fresh(tokens)
    for place, token in enumerate(tokens[:-1]):
        if token.kind != "word" or token.text.upper() != "GRAPH":
            continue
        after = tokens[place + 1]
        if after.kind == "variable":
            looked_into |= dict.fromkeys(named)
            edits += _name_variable(tokens, place + 1, fresh.variable(), [(name(graph), graph) for graph in named])
        elif after.kind in ("iri", "name"):
            graph = resolve_name(after, told)
            known = graph in named
            if known:
                looked_into[graph] = None
            called = name(graph) if known else name(_NOWHERE)
            edits.append((after.start, after.start + len(after.text), f" <{called}>"))
    if variables and (star := _find_star(tokens)) is not None:
        edits.append((star.start, star.start + 1, " " + " ".join(f"?{variable}" for variable in variables)))
    return Wording(_apply(query, edits), list(looked_into))


def without_values(query: str) -> str:
    """Return a query with blanks for the data of every VALUES: as long as before, and quickly evaluated on nothing."""
    tokens = list(tokenize(query))
    edits = []
    for place, token in enumerate(tokens):
        if token.kind == "word" and token.text.upper() == "VALUES":
            opening = next((n for n in range(place, len(tokens)) if tokens[n].text == "{"), None)
            closing = _find_end(tokens, opening) if opening is not None else None
            if opening is not None and closing is not None:
                start, end = tokens[opening].start + 1, tokens[closing].start
                blank = "".join("\n" if character == "\n" else " " for character in query[start:end])
                edits.append((start, end, blank))
    return _apply(query, edits)


class _Fresh:
    """Names of variables that a query does not use."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        taken = {token.text[1:] for token in tokens if token.kind == "variable"}
        self._stem = next(stem for n in range(len(taken) + 1) if not _begins_any(stem := f"graph{n or ''}_", taken))
        self.used = 0

    def variable(self) -> str:
        self.used += 1
        return f"?{self._stem}{self.used}"


def _begins_any(stem: str, names: Iterable[str]) -> bool:
    return any(name.startswith(stem) for name in names)


def _without_dataset(tokens: Sequence[Token]) -> Iterable[tuple[int, int, str]]:
    """Yield the edits that take out the dataset clauses, which stand outside all braces."""
    depth, begun = 0, None
    for token in tokens:
        depth += (token.text in _OPENING) - (token.text in _CLOSING) if token.kind == "mark" else 0
        if depth:
            continue
        if token.kind == "word" and token.text.upper() in ("FROM", "FROMNAMED"):
            begun = token
        elif begun is not None and token.kind in ("iri", "name"):
            yield begun.start, token.start + len(token.text), " "
            begun = None


def _without_base(tokens: Sequence[Token], told: Outline) -> Iterable[tuple[int, int, str]]:
    """Yield the edits that make relative IRIs absolute and take out what they were relative to."""
    if not told.base:
        return
    before: Token | None = None
    for place, token in enumerate(tokens):
        if token.kind == "iri":
            declares = before is not None and before.kind == "word" and before.text.upper() == "BASE"
            # The name of a graph is put in by another edit.
            names = before is not None and before.kind == "word" and before.text.upper() in ("GRAPH", "FROM", "NAMED")
            if declares and before is not None:
                yield before.start, token.start + len(token.text), " "
            elif not names and not _ABSOLUTE.match(token.text):
                yield token.start, token.start + len(token.text), f"<{resolve_name(token, told)}>"
        before = tokens[place]


def _without_undefined(tokens: Sequence[Token]) -> Iterable[tuple[int, int, str]]:
    """Yield the edits that take out VALUES that bind nothing."""
    for place in range(len(tokens) - 4):
        values, variable, *rest = tokens[place : place + 5]
        is_empty = [token.text.upper() for token in rest] == ["{", "UNDEF", "}"]
        if is_empty and values.text.upper() == "VALUES" and variable.kind == "variable":
            yield values.start, rest[-1].start + 1, " "


def _describe(query: str, tokens: Sequence[Token]) -> Iterable[tuple[int, int, str]]:
    """Yield the edits that make a DESCRIBE of IRIs alone a CONSTRUCT; one with a pattern is left to the store."""
    start = next((n for n, token in enumerate(tokens) if token.kind == "word"
                  and token.text.upper() not in ("PREFIX", "BASE")), None)  # fmt: skip
    if start is None or tokens[start].text.upper() != "DESCRIBE":
        return
    rest = tokens[start + 1 :]
    if rest and all(token.kind in ("iri", "name") for token in rest):
        first = tokens[start]
        yield first.start, first.start + len(first.text), "CONSTRUCT { ?s ?p ?o } WHERE { VALUES ?s {"
        yield len(query), len(query), " } ?s ?p ?o }"


def _name_variable(
    tokens: Sequence[Token], place: int, fresh: str, pairs: Sequence[tuple[str, str]]
) -> Iterable[tuple[int, int, str]]:
    variable, opening = tokens[place], place + 1
    if opening >= len(tokens) or tokens[opening].text != "{":
        return
    rows = " ".join(f"(<{called}> <{graph}>)" for called, graph in pairs)
    values = f" VALUES ({fresh} {variable.text}) {{ {rows} }} "
    yield variable.start, variable.start + len(variable.text), fresh
    inner = tokens[opening].start + 1
    closing = _find_end(tokens, opening)
    within = tokens[opening + 1 : closing]
    is_named = any(token.kind == "variable" and token.text[1:] == variable.text[1:] for token in within)
    # Of nothing Virtuoso would find no graph either.
    if closing is not None and within and not is_named:
        graph, end = tokens[place - 1].start, tokens[closing].start + 1
        yield graph, graph, "{" + values
        yield end, end, "}"
        return
    first = tokens[opening + 1] if opening + 1 < len(tokens) else variable
    if closing is not None and first.kind == "word" and first.text.upper().startswith("SELECT"):
        # A group that is a sub-select takes nothing else.
        yield inner, inner, values + "{"
        yield tokens[closing].start, tokens[closing].start, "}"
    else:
        yield inner, inner, values


def _find_end(tokens: Sequence[Token], opening: int) -> int | None:
    """Return the number of the token that closes the bracket at `opening`."""
    depth = 0
    for place in range(opening, len(tokens)):
        if tokens[place].kind == "mark":
            depth += (tokens[place].text in _OPENING) - (tokens[place].text in _CLOSING)
        if depth == 0:
            return place
    return None


def _find_star(tokens: Sequence[Token]) -> Token | None:
    """Return the star of `SELECT *`, which stands outside all brackets and before the first brace."""
    depth = 0
    for token in tokens:
        if token.text == "{":
            return None
        depth += (token.text in _OPENING) - (token.text in _CLOSING) if token.kind == "mark" else 0
        if depth == 0 and token.text == "*":
            return token
    return None


def _apply(query: str, edits: Iterable[tuple[int, int, str]]) -> str:
    parts, done = [], 0
    for start, end, text in sorted(edits):
        parts += [query[done:start], text]
        done = end
    return "".join([*parts, query[done:]])
