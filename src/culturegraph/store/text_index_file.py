"""The making of the text index: an SQLite file over every name and identifier that a snapshot's merge holds.

    thing(id, iri, weight)      what has a name, by IRI; weight 0 to 1: how much the graph says of it
    label(thing, language, text)    its preferred names, to show
    class(id, iri) · typed(class, thing)
    name(id, thing, kind, language, text, plain, folded, words)   every name; the last three without notes in brackets
    word                        FTS5 over the words of each name, plain and folded (`linking.names`), notes included
    term(id, text) · gram       every folded word, and FTS5 over its trigrams, for what is misspelled
    identifier(key, thing, text)

Made from the default graph of a store alone: what is not in the merge cannot be found. The same graph gives the same
rows in the same order.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode

from culturegraph.linking.names import fold, plain, split_note, telling, words
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, RDFS, SKOS, TYPE

# Kinds of names, the most telling first; their numbers are written into the file.
KINDS: Final = ("preferred", "alternative", "title", "hidden")
_NAMES: Final = (
    (NamedNode(RDFS + "label"), "preferred"),
    (NamedNode(SKOS + "prefLabel"), "preferred"),
    (NamedNode(SKOS + "altLabel"), "alternative"),
    (NamedNode(DCTERMS + "title"), "title"),
    (NamedNode(SKOS + "hiddenLabel"), "hidden"),
)
# Shorter words are not corrected: too many are close to them.
SHORTEST_TERM: Final = 4
_IDENTIFIER: Final = NamedNode(CG + "identifier")
_SUBPROPERTY: Final = NamedNode(RDFS + "subPropertyOf")
_EXACT_MATCH: Final = NamedNode(SKOS + "exactMatch")
_NOTATION: Final = NamedNode(SKOS + "notation")
_SCHEMA: Final = """
CREATE TABLE thing (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, weight REAL NOT NULL);
CREATE TABLE label (thing INTEGER, language TEXT, text TEXT, PRIMARY KEY (thing, language)) WITHOUT ROWID;
CREATE TABLE class (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE);
CREATE TABLE typed (class INTEGER, thing INTEGER, PRIMARY KEY (class, thing)) WITHOUT ROWID;
CREATE TABLE name (id INTEGER PRIMARY KEY, thing INTEGER, kind INTEGER, language TEXT, text TEXT, plain TEXT,
                   folded TEXT, words INTEGER);
CREATE TABLE identifier (key TEXT, thing INTEGER, text TEXT, PRIMARY KEY (key, thing)) WITHOUT ROWID;
CREATE VIRTUAL TABLE word USING fts5(plain, folded, content='', tokenize='unicode61 remove_diacritics 2',
                                     prefix='1 2 3', detail=column);
CREATE TABLE term (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE gram USING fts5(text, content='', tokenize='trigram');
"""
_INDEXES: Final = """
CREATE INDEX typed_thing ON typed (thing);
CREATE INDEX name_thing ON name (thing);
INSERT INTO word (word) VALUES ('optimize');
INSERT INTO gram (gram) VALUES ('optimize');
ANALYZE;
"""


def write_text_index(path: Path, store: Dataset) -> None:
    """Write the index of a store's default graph to a new file. Raises OSError where the disk does not take it."""
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            # The file is written once, into a folder that nobody reads yet: a journal would only slow it.
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192;")
            _fill(connection, store)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise OSError(f"the text index cannot be written: {error}") from error


def text_index_bytes(store: Dataset) -> bytes:
    """Return the index of a store's default graph as the bytes of an SQLite file."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _fill(connection, store)
        return connection.serialize()
    finally:
        connection.close()


def bounded(term: str) -> str:
    """Return a term with marks at both ends, so that its first and last letters make trigrams of their own."""
    return f"_{term}_"


def identifier_key(text: str) -> str:
    """Return an identifier without what people write differently: case, spaces, punctuation, the scheme of an IRI."""
    if "://" in text:
        return text.partition("://")[2].rstrip("/").lower()
    return re.sub(r"[\W_]+", "", text.lower())


def _fill(connection: sqlite3.Connection, store: Dataset) -> None:
    connection.executescript(_SCHEMA)
    connection.execute("BEGIN")
    things = _read_things(store)
    numbers = {iri: number for number, iri in enumerate(sorted(things), 1)}
    weights = _weigh(store, numbers)
    connection.executemany(
        "INSERT INTO thing VALUES (?, ?, ?)",
        ((number, iri, weights[iri]) for iri, number in numbers.items()),
    )
    _write_names(connection, things, numbers)
    _write_classes(connection, store, numbers)
    connection.executemany("INSERT OR IGNORE INTO identifier VALUES (?, ?, ?)", sorted(_identifiers(store, numbers)))
    connection.execute("COMMIT")
    connection.executescript(_INDEXES)


def _values(store: Dataset, predicate: NamedNode) -> Iterator[tuple[str, Any]]:
    """Yield what a property says of the things that are ours."""
    for quad in store.quads_for_pattern(None, predicate, None, DefaultGraph()):
        if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(BASE):
            yield quad.subject.value, quad.object


def _read_things(store: Dataset) -> dict[str, dict[tuple[str, str], str]]:
    """Return, by IRI, each name and its language with its kind: the most telling where a name has several."""
    things: dict[str, dict[tuple[str, str], str]] = {}
    for predicate, kind in _NAMES:
        for iri, value in _values(store, predicate):
            if isinstance(value, Literal) and value.value.strip():
                things.setdefault(iri, {}).setdefault((value.value, value.language or ""), kind)
    return things


def _weigh(store: Dataset, numbers: dict[str, int]) -> dict[str, float]:
    """Return how often other things point at each thing, as a logarithm, the most often 1."""
    rows: Any = store.query("SELECT ?o (COUNT(*) AS ?n) { ?s ?p ?o FILTER(ISIRI(?o)) } GROUP BY ?o")
    counts = {row[0].value: int(row[1].value) for row in rows}
    most = math.log1p(max((counts.get(iri, 0) for iri in numbers), default=0)) or 1.0
    return {iri: round(math.log1p(counts.get(iri, 0)) / most, 4) for iri in numbers}


def _write_names(
    connection: sqlite3.Connection, things: dict[str, dict[tuple[str, str], str]], numbers: dict[str, int]
) -> None:
    number, terms = 0, set[str]()
    for iri, thing in numbers.items():
        for (text, language), kind in sorted(things[iri].items()):
            number += 1
            if kind == "preferred":
                connection.execute("INSERT OR IGNORE INTO label VALUES (?, ?, ?)", (thing, language, text))
            core = words(split_note(text)[0]) or words(text)
            # A name that only stands in brackets, or has no letter at all, is found by what it is written with.
            row = (number, thing, KINDS.index(kind), language, text, " ".join(core) or text.lower())
            shape = " ".join(map(fold, core))
            connection.execute("INSERT INTO name VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, shape, len(telling(core))))
            whole = words(text)
            connection.execute(
                "INSERT INTO word (rowid, plain, folded) VALUES (?, ?, ?)",
                (number, " ".join(whole), " ".join(map(fold, whole))),
            )
            terms.update(map(fold, whole))
    written = sorted(term for term in terms if len(term) >= SHORTEST_TERM)
    connection.executemany("INSERT INTO term VALUES (?, ?)", enumerate(written, 1))
    connection.executemany("INSERT INTO gram (rowid, text) VALUES (?, ?)", enumerate(map(bounded, written), 1))


def _write_classes(connection: sqlite3.Connection, store: Dataset, numbers: dict[str, int]) -> None:
    pairs = sorted(
        (value.value, numbers[iri])
        for iri, value in _values(store, TYPE)
        if iri in numbers and isinstance(value, NamedNode)
    )
    classes = {name: number for number, name in enumerate(sorted({name for name, _ in pairs}), 1)}
    connection.executemany("INSERT INTO class VALUES (?, ?)", ((number, name) for name, number in classes.items()))
    connection.executemany("INSERT INTO typed VALUES (?, ?)", ((classes[name], thing) for name, thing in pairs))


def _identifiers(store: Dataset, numbers: dict[str, int]) -> Iterator[tuple[str, int, str]]:
    """Yield key, thing and text of every identifier: those that the ontology calls so, and exact matches elsewhere."""
    for predicate in _identifier_properties(store):
        for iri, value in _values(store, predicate):
            if iri in numbers and isinstance(value, Literal):
                yield identifier_key(value.value), numbers[iri], value.value
    matches = [(iri, value.value) for iri, value in _values(store, _EXACT_MATCH) if isinstance(value, NamedNode)]
    # The last part of an outside IRI is what people know (Q749588); where many share it (`index`), it names nothing.
    shared = Counter(match.rstrip("/").rpartition("/")[2] for match in {match for _, match in matches})
    for iri, match in matches:
        if iri in numbers and not match.startswith(BASE):
            yield identifier_key(match), numbers[iri], match
            local = match.rstrip("/").rpartition("/")[2]
            if shared[local] == 1 and plain(local):
                yield identifier_key(local), numbers[iri], match


def _identifier_properties(store: Dataset) -> Iterable[NamedNode]:
    """Return cg:identifier, the properties below it, and skos:notation. Works on a merge without closure too."""
    found = {_IDENTIFIER}
    waiting = [_IDENTIFIER]
    while waiting:
        for quad in store.quads_for_pattern(None, _SUBPROPERTY, waiting.pop(), DefaultGraph()):
            if isinstance(quad.subject, NamedNode) and quad.subject not in found:
                found.add(quad.subject)
                waiting.append(quad.subject)
    return [*sorted(found, key=lambda node: node.value), _NOTATION]
