"""Which things of a text index match a text: by identifier, by words, by the words closest to what was written.

Works on an open connection to the file that `store.text_index_file` makes; each function gives the best name of each
thing, the best thing first. Owns the rules and the scores; knows nothing of threads, labels or SPARQL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from culturegraph.linking.names import fold, telling, words
from culturegraph.rdf.vocabulary import BASE
from culturegraph.store.text_index_file import KINDS, SHORTEST_TERM, bounded, identifier_key

# A last word shorter than this must be whole: `de` would begin too many.
_SHORTEST_START: Final = 3
# Words of a text that are used; nobody names a thing with more.
_MOST_WORDS: Final = 12
# How much the weight of a thing in the graph may add to the score of its name.
_WEIGHT_SHARE: Final = 0.02
# What a name that only comes close is worth, beside one that matches.
_TRUST: Final = 0.8
_CLOSE_TERMS: Final = 6
_CLOSE_CANDIDATES: Final = 500
_CLOSE_ENOUGH: Final = 0.5
_KIND_WORTH: Final = "CASE name.kind WHEN 0 THEN 1.0 WHEN 1 THEN 0.98 WHEN 2 THEN 0.96 ELSE 0.94 END"
_CLOSENESS: Final = f"""
    {_KIND_WORTH} * CASE
        WHEN name.plain = :plain THEN 1.0
        WHEN name.folded = :folded THEN 0.97
        ELSE 0.4 + 0.5 * min(1.0, :words * 1.0 / max(name.words, 1))
             + CASE WHEN name.plain LIKE :plain || ' %' THEN 0.03 ELSE 0 END
    END"""


@dataclass(frozen=True)
class Search:
    """A text, the classes (IRIs) of which a thing has one, and the language that its name is in; none: any."""

    text: str
    types: tuple[str, ...] = ()
    names_in: str | None = None


class Match(NamedTuple):
    """What is known of a hit before its label and types are fetched; `thing` is its number in the file."""

    thing: int
    iri: str
    score: float
    text: str
    kind: str
    language: str


def by_identifier(connection: sqlite3.Connection, search: Search) -> list[Match]:
    """Return what an identifier, or an IRI of ours or of an exact match, names."""
    iri = search.text.strip().strip("<>")
    is_typed = _typed(search.types, "thing.id")
    if iri.startswith(BASE):
        keys = [iri]
        select = f"SELECT id, iri, iri FROM thing WHERE iri = :key {is_typed}"  # noqa: S608
    else:
        keys = _identifier_keys(iri)
        select = f"""SELECT thing.id, iri, text FROM identifier JOIN thing ON thing.id = identifier.thing
                     WHERE key = :key {is_typed} ORDER BY thing.id"""  # noqa: S608
    for key in keys:
        if rows := connection.execute(select, {"key": key, "types": json.dumps(search.types)}).fetchall():
            return [Match(thing, found, 1.0, written, "identifier", "") for thing, found, written in rows]
    return []


def by_words(connection: sqlite3.Connection, search: Search, *, is_typing: bool = False) -> list[Match]:
    """Return the things of which a name has all telling words of the text, in any order.

    The last word, and each that is written with a star, may be the beginning of a word of the name; a last word of one
    or two letters only where the text is still being typed.
    """
    written = words(search.text)
    asked = telling(written)[:_MOST_WORDS]
    if not asked:
        return []
    open_ended = {word for part in search.text.split() if part.endswith("*") for word in words(part)[-1:]}
    if is_typing or len(written[-1]) >= _SHORTEST_START:
        open_ended.add(written[-1])
    # Only where it is asked for: a beginning makes the index gather every name that has such a word.
    parts = [_word_query(word, starts=word in open_ended) for word in asked]
    values = {"match": " AND ".join(parts), "plain": " ".join(written), "folded": " ".join(map(fold, written))}
    select = f"""SELECT name.thing, max({_CLOSENESS}) AS closeness, name.text, name.kind, name.language FROM word
                 JOIN name ON name.id = word.rowid WHERE word MATCH :match"""  # noqa: S608
    return _rank(connection, select, values | {"words": len(asked)}, search)


def by_closest(connection: sqlite3.Connection, search: Search) -> list[Match]:
    """Return the things of which a name has at least half of the telling words, or words that are spelled alike."""
    asked = list(dict.fromkeys(map(fold, telling(words(search.text))[:_MOST_WORDS])))
    close = {word: _close_terms(connection, word) for word in asked}
    expression = " OR ".join(f'folded : "{term}"' for terms in close.values() for term in terms)
    if not expression:
        return []
    rows = connection.execute(
        "SELECT name.id, name.text FROM word JOIN name ON name.id = word.rowid WHERE word MATCH ? "
        "ORDER BY word.rank LIMIT ?",
        (expression, _CLOSE_CANDIDATES),
    )
    alike = {}
    for number, text in rows:
        there = set(map(fold, words(text)))
        best = [max((likeness for term, likeness in close[word].items() if term in there), default=0) for word in asked]
        if sum(best) >= _CLOSE_ENOUGH * len(asked):
            # What is asked counts more than what the name has besides.
            alike[number] = sum(best) / len(asked) * (0.7 + 0.3 * min(1, len(asked) / len(telling(words(text)))))
    select = f"""SELECT name.thing, max({_TRUST} * alike.value * {_KIND_WORTH}) AS closeness,
                        name.text, name.kind, name.language
                 FROM json_each(:alike) AS alike JOIN name ON name.id = CAST(alike.key AS INTEGER) WHERE true"""  # noqa: S608
    return _rank(connection, select, {"alike": json.dumps(alike)}, search)


def _rank(connection: sqlite3.Connection, select: str, values: dict[str, Any], search: Search) -> list[Match]:
    """Run a select of names with their closeness; return the best name of each thing, the best thing first."""
    conditions = _typed(search.types, "name.thing")
    if search.names_in is not None:
        # A language and its regions: `es` takes names in es-PE, too.
        conditions += " AND (name.language = :language OR name.language LIKE :language || '-%')"
        values["language"] = search.names_in.lower()
    rows = connection.execute(
        f"""SELECT thing.id, thing.iri, (closeness + {_WEIGHT_SHARE} * thing.weight) / {1 + _WEIGHT_SHARE} AS score,
                   found.text, found.kind, found.language
            FROM ({select} {conditions} GROUP BY name.thing) AS found JOIN thing ON thing.id = found.thing
            ORDER BY score DESC, thing.id""",  # noqa: S608
        {**values, "types": json.dumps(search.types)},
    )
    return [Match(thing, iri, round(score, 4), text, KINDS[kind], lang) for thing, iri, score, text, kind, lang in rows]


def _typed(types: Sequence[str], column: str) -> str:
    """Return the condition that a thing is of one of some classes, which are the parameter `:types` as JSON."""
    if not types:
        return ""
    return (
        f" AND {column} IN (SELECT typed.thing FROM typed JOIN class ON class.id = typed.class "  # noqa: S608
        "WHERE class.iri IN (SELECT value FROM json_each(:types)))"
    )


def _word_query(word: str, *, starts: bool) -> str:
    """Return the FTS5 expression for one word: as written, or folded. Words are letters and digits: no quoting."""
    form, star = fold(word), "*" if starts else ""
    # Folding may leave little of a word: `zzzz` is not the start of every word with s.
    folded_star = star if len(form) >= min(len(word), _SHORTEST_START) else ""
    return f'((plain : "{word}"{star}) OR (folded : "{form}"{folded_star}))'


def _identifier_keys(text: str) -> list[str]:
    """Return the keys under which an identifier may be kept: whole, after a colon, from its first digit on.

    `wikidata:Q749588` → q749588; `Ley N.º 29073` → 29073.
    """
    keys = [identifier_key(text)]
    if "://" not in text:
        keys.append(identifier_key(text.rpartition(":")[2]))
        parts = text.split()
        numbered = next((n for n, part in enumerate(parts) if any(character.isdigit() for character in part)), 0)
        keys.append(identifier_key(" ".join(parts[numbered:])))
    return [key for key in dict.fromkeys(keys) if key]


def _close_terms(connection: sqlite3.Connection, word: str) -> dict[str, float]:
    """Return the folded words of the index that are spelled like a folded word, and how alike they are (Dice)."""
    if len(word) < SHORTEST_TERM:
        return {word: 1.0}
    asked = _grams(bounded(word))
    rows = connection.execute(
        "SELECT term.text FROM gram JOIN term ON term.id = gram.rowid WHERE gram MATCH ? ORDER BY gram.rank LIMIT 60",
        (" OR ".join(f'"{gram}"' for gram in sorted(asked)),),
    )
    alike = {term: _likeness(asked, _grams(bounded(term))) for (term,) in rows}
    best = sorted((item for item in alike.items() if item[1] >= _CLOSE_ENOUGH), key=lambda item: (-item[1], item[0]))
    return dict(best[:_CLOSE_TERMS])


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[start : start + 3] for start in range(len(text) - 2))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return Dice's coefficient of two sets."""
    return 2 * len(one & other) / (len(one) + len(other))
