"""From the hash of a statement to the statement, without passing the whole graph.

Kept are the first eight bytes of each hash, sorted, and the numbers of the subject and the predicate that they lead
to: 16 bytes a triple. A look-up hashes the statements of one subject and predicate, rarely of two.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from pathlib import Path
from typing import Final

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Triple

from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.statements import statement_hash

_DIGITS: Final = 16  # Hexadecimal digits of eight bytes.


class StatementIndex:
    """The statements of a store's default graph by their hash. Making it takes about 7 µs a triple."""

    def __init__(self, store: Dataset) -> None:
        self._store = store
        subjects: dict[NamedNode | BlankNode, int] = {}
        predicates: dict[NamedNode, int] = {}
        rows = sorted(
            (
                int(statement_hash(quad.triple)[:_DIGITS], 16),
                subjects.setdefault(quad.subject, len(subjects)),  # type: ignore[arg-type]
                predicates.setdefault(quad.predicate, len(predicates)),
            )
            for quad in store.quads_for_pattern(None, None, None, DefaultGraph())
        )
        self._keys = array("Q", (row[0] for row in rows))
        self._subject_numbers = array("I", (row[1] for row in rows))
        self._predicate_numbers = array("I", (row[2] for row in rows))
        self._subjects, self._predicates = list(subjects), list(predicates)

    def write(self, path: Path) -> None:
        """Write the index to a file: counts, terms by their lines of N-Triples, keys and numbers."""
        terms = "".join(f"{term}\n" for term in (*self._subjects, *self._predicates)).encode()
        counts = array("Q", (len(self._subjects), len(self._predicates), len(terms), len(self._keys)))
        with path.open("wb") as file:
            file.write(counts.tobytes() + terms)
            for part in (self._keys, self._subject_numbers, self._predicate_numbers):
                part.tofile(file)

    @classmethod
    def read(cls, path: Path, store: Dataset) -> StatementIndex:
        """Return the index of a store that was written to a file. Raises OSError or EOFError where it is damaged."""
        index = cls.__new__(cls)
        counts, index._keys = array("Q"), array("Q")
        index._subject_numbers, index._predicate_numbers = array("I"), array("I")
        with path.open("rb") as file:
            counts.fromfile(file, 4)
            subjects, predicates, size, keys = counts
            terms = [_read_term(line) for line in file.read(size).decode().split("\n")[:-1]]
            for part in (index._keys, index._subject_numbers, index._predicate_numbers):
                part.fromfile(file, keys)
        index._store = store
        index._subjects = terms[:subjects]
        index._predicates = terms[subjects : subjects + predicates]  # type: ignore[assignment]
        return index

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
            subject = self._subjects[self._subject_numbers[place]]
            predicate = self._predicates[self._predicate_numbers[place]]
            for quad in self._store.quads_for_pattern(subject, predicate, None, DefaultGraph()):
                if statement_hash(quad.triple) == digest:
                    return quad.triple
            place += 1
        return None


def _read_term(line: str) -> NamedNode | BlankNode:
    return BlankNode(line[2:]) if line.startswith("_:") else NamedNode(line[1:-1])
