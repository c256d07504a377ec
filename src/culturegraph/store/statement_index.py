"""From the hash of a statement to the statement, without passing the whole graph.

Kept are the first eight bytes of each hash, sorted, and a number for the subject that they lead to: 12 bytes a
triple. A look-up hashes the statements of one subject, rarely of two.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Store, Triple

from culturegraph.rdf.statements import statement_hash

_DIGITS: Final = 16  # Hexadecimal digits of eight bytes.


class StatementIndex:
    """The statements of a store's default graph by their hash. Making it takes about 7 µs a triple."""

    def __init__(self, store: Store) -> None:
        self._store = store
        numbers: dict[NamedNode | BlankNode, int] = {}
        pairs = sorted(
            (int(statement_hash(quad.triple)[:_DIGITS], 16), numbers.setdefault(quad.subject, len(numbers)))  # type: ignore[arg-type]
            for quad in store.quads_for_pattern(None, None, None, DefaultGraph())
        )
        self._keys = array("Q", (key for key, _ in pairs))
        self._numbers = array("I", (number for _, number in pairs))
        self._subjects = list(numbers)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, digest: str) -> Triple | None:
        """Return the statement with this hash (64 hexadecimal digits, lower case), or None."""
        try:
            key = int(digest[:_DIGITS], 16)
        except ValueError:
            return None
        place = bisect_left(self._keys, key)
        while place < len(self._keys) and self._keys[place] == key:
            subject = self._subjects[self._numbers[place]]
            for quad in self._store.quads_for_pattern(subject, None, None, DefaultGraph()):
                if statement_hash(quad.triple) == digest:
                    return quad.triple
            place += 1
        return None
