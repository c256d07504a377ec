"""The words around the data of a form, in each language, and how a sentence and a statement are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from culturegraph.exports.forms.filled import Cell, Part, Row, Sentence, gap_query
from culturegraph.exports.forms.footnotes import Statement
from culturegraph.rdf.vocabulary import BASE, shrink
from culturegraph.rdf.xml_text import to_xml_text


@lru_cache(maxsize=1)
def _all() -> Mapping[str, Mapping[str, str]]:
    words: Mapping[str, Mapping[str, str]] = json.loads((Path(__file__).parent / "words.json").read_text("utf-8"))
    return words


def words_of(language: str) -> Mapping[str, str]:
    """Return the words of a language by key."""
    return _all()[language]


def show(sentence: Sentence, language: str) -> str:
    """Return a sentence as text, with its language where that is not the reader's."""
    tag = f" ({words_of(language)['other_language'].format(sentence.language)})" if sentence.language else ""
    return to_xml_text(sentence.text) + tag


def show_statement(statement: Statement) -> str:
    """Return a statement in short: names below the base without it, others with their prefix."""
    triple = statement.triple
    return to_xml_text(" ".join(map(_term, (triple.subject, triple.predicate, triple.object))))


def _term(term: object) -> str:
    if isinstance(term, NamedNode):
        short = shrink(term.value)
        return term.value.removeprefix(BASE) if short.startswith(f"<{BASE}") else short
    if isinstance(term, Literal):
        return f'"{term.value}"' + (f"@{term.language}" if term.language else "")
    return str(term)


def group_gaps(parts: Iterable[Part]) -> list[tuple[Part, Cell, list[Row], str]]:
    """Return the empty cells by section and field: one of them, their rows, and the query for all."""
    found: dict[tuple[str, str], tuple[Part, Cell, list[Row]]] = {}
    for part in parts:
        for row, cell in part.gaps():
            found.setdefault((part.section.id, cell.field.id), (part, cell, []))[2].append(row)
    return [(part, cell, rows, gap_query(cell.field, None, cell.key)) for part, cell, rows in found.values()]
