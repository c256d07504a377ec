"""Finding things by name: search, suggestions and look-up of identifiers in the text index of a snapshot.

A name matches a text where it has every telling word of the text, in any order, as written or in a variant spelling
(`linking.names`); the last word, and a word with a star, may go on. Where none matches, `search` offers the closest.

The file is only read; each thread of each process opens it for itself, so that an index may be shared by threads and
survives a fork. How it is made: `store.text_index_file`; what matches how well: `store.text_matching`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from culturegraph.rdf.dataset import Dataset
from culturegraph.store.text_index_file import KINDS, text_index_bytes
from culturegraph.store.text_matching import Match, Search, by_closest, by_identifier, by_words

_LONGEST_TEXT: Final = 400


@dataclass(frozen=True)
class Hit:
    """A thing that was found: which of its names matched (kind: preferred, alternative, title, hidden, identifier).

    `score` is between 0 and 1; 1 is the very name. A hidden name is found but not for show: often a name that its
    people reject.
    """

    iri: str
    label: str
    matched_text: str
    matched_kind: str
    score: float
    types: tuple[str, ...]


class TextIndex:
    """The text index of one snapshot, opened read-only."""

    def __init__(self, source: Path | bytes) -> None:
        self._source = source
        self._local = threading.local()
        # A page asks for the same text several times over: hits, their number, facets.
        self._matches = lru_cache(maxsize=32)(self._find)

    @classmethod
    def of(cls, store: Dataset) -> TextIndex:
        """Make an index in memory, for a store that has no file: a snapshot of an earlier version, a test."""
        return cls(text_index_bytes(store))

    def search(
        self,
        text: str,
        *,
        types: Collection[str] = (),
        limit: int | None = 20,
        offset: int = 0,
        language: str | None = None,
        names_in: str | None = None,
        fuzzy: bool = True,
    ) -> list[Hit]:
        """Return the best hits for a text, the best first; all of them where `limit` is None.

        `types`: IRIs of classes, of which a hit has at least one. `language`: in which the label is given where there
        is one. `names_in`: only names in this language count. `fuzzy`: offer the closest names where none matches.
        """
        found = self.matches(text, types=types, names_in=names_in, fuzzy=fuzzy)
        return self._hits(found[offset : None if limit is None else offset + limit], language)

    def count(self, text: str, *, types: Collection[str] = (), names_in: str | None = None, fuzzy: bool = True) -> int:
        """Return how many hits `search` would give without a limit."""
        return len(self.matches(text, types=types, names_in=names_in, fuzzy=fuzzy))

    def count_by_type(
        self, text: str, *, types: Collection[str] = (), names_in: str | None = None, fuzzy: bool = True
    ) -> dict[str, int]:
        """Return how many hits there are of each class, by its IRI, the most frequent first."""
        things = [match.thing for match in self.matches(text, types=types, names_in=names_in, fuzzy=fuzzy)]
        rows = self._connect().execute(
            "SELECT class.iri, count(*) AS number FROM typed JOIN class ON class.id = typed.class "
            "WHERE typed.thing IN (SELECT value FROM json_each(?)) GROUP BY class.id ORDER BY number DESC, class.id",
            (json.dumps(things),),
        )
        return dict(rows.fetchall())

    def matches(
        self, text: str, *, types: Collection[str] = (), names_in: str | None = None, fuzzy: bool = True
    ) -> Sequence[Match]:
        """Return all that `search` would give, without labels and types: for joins and facets."""
        return self._matches(Search(text.strip()[:_LONGEST_TEXT], tuple(sorted(types)), names_in), fuzzy)

    def suggest(
        self, prefix: str, types: Collection[str] = (), limit: int = 10, language: str | None = None
    ) -> list[Hit]:
        """Return hits for a text that is still being typed: its last word may go on."""
        search = Search(prefix[:_LONGEST_TEXT], tuple(types))
        return self._hits(by_words(self._connect(), search, is_typing=True)[:limit], language)

    def all_names(self) -> Iterator[tuple[int, str, str, str, str, str]]:
        """Yield number, IRI of the thing, kind, language, text and plain form (without notes) of every name."""
        rows = self._connect().execute(
            "SELECT name.id, iri, kind, language, text, plain FROM name JOIN thing ON thing.id = name.thing "
            "ORDER BY name.id"
        )
        for number, iri, kind, language, text, plain in rows:
            yield number, iri, KINDS[kind], language, text, plain

    def all_types(self) -> Iterator[tuple[str, str]]:
        """Yield the IRI of every thing with that of each class that it is of."""
        yield from self._connect().execute(
            "SELECT thing.iri, class.iri FROM typed JOIN thing ON thing.id = typed.thing "
            "JOIN class ON class.id = typed.class ORDER BY thing.id, class.id"
        )

    def lookup_identifier(self, text: str, *, language: str | None = None) -> list[Hit]:
        """Return what an identifier or IRI names: `mcb`, `Q749588`, `Ley N.º 29073`, `080206`, one of our own IRIs."""
        return self._hits(by_identifier(self._connect(), Search(text)), language)

    def label(self, iri: str, language: str | None = None) -> str | None:
        """Return the preferred name of a thing, or None where it is not in the index."""
        row = self._connect().execute("SELECT id FROM thing WHERE iri = ?", (iri,)).fetchone()
        return self._label(row[0], language, iri) if row else None

    def _connect(self) -> sqlite3.Connection:
        """Return this thread's connection. One that came through a fork is left behind, never used."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is None or held[0] != os.getpid():
            if isinstance(self._source, bytes):
                connection = sqlite3.connect(":memory:")
                connection.deserialize(self._source)
            else:
                # Immutable: no locks, no look for a journal. The file never changes once its snapshot is published.
                connection = sqlite3.connect(f"{self._source.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
            held = (os.getpid(), connection)
            self._local.held = held
        return held[1]

    def _find(self, search: Search, fuzzy: bool) -> Sequence[Match]:
        connection = self._connect()
        named = by_identifier(connection, search) if search.names_in is None else []
        found = by_words(connection, search)
        if not found and not named and fuzzy:
            found = by_closest(connection, search)
        seen = {match.thing for match in named}
        return [*named, *(match for match in found if match.thing not in seen)]

    def _hits(self, found: Sequence[Match], language: str | None) -> list[Hit]:
        connection = self._connect()
        hits = []
        for thing, iri, score, text, kind, _ in found:
            types = connection.execute(
                "SELECT class.iri FROM typed JOIN class ON class.id = typed.class WHERE thing = ? ORDER BY class.id",
                (thing,),
            )
            names = tuple(row[0] for row in types)
            hits.append(Hit(iri, self._label(thing, language, text), text, kind, score, names))
        return hits

    def _label(self, thing: int, language: str | None, otherwise: str) -> str:
        row = (
            self._connect()
            .execute(
                """SELECT text FROM label WHERE thing = ? ORDER BY
                   CASE language WHEN ? THEN 0 WHEN 'es' THEN 1 WHEN 'en' THEN 2 ELSE 3 END, language LIMIT 1""",
                (thing, language),
            )
            .fetchone()
        )
        return str(row[0]) if row else otherwise
