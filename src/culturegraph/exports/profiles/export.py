"""One profile over one store: which records it has, which are left out and why, and what stands in each.

Records are asked for in batches, whose IRIs take the place of `VALUES ?record { UNDEF }` in the queries: memory stays
that of a batch, and each batch is one evaluation of each query. What a record consists of is told by its subjects: the
record itself, what is named after it (`…/id/expression/wititi#aggregation`), and what these refer to and no record is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, QuerySolutions, QueryTriples, Triple

from culturegraph.errors import DataError, NotFoundError
from culturegraph.exports.profiles.profile import Profile
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE

_RECORDS: Final = re.compile(r"VALUES \?record \{ UNDEF \}")
# Records of an evaluation: more do not make it faster, and memory grows with them.
BATCH: Final = 500


@dataclass(frozen=True)
class Record:
    """One record: its IRI and its triples, sorted, each once."""

    iri: str
    triples: Sequence[Triple]


@dataclass(frozen=True)
class Rejected:
    """What is left out, and what it lacks (keys of `reasons`)."""

    iri: str
    lacks: Sequence[str]


class Export:
    """One profile over one store. `language` is that of the words around the data, where a format has any."""

    def __init__(self, profile: Profile, store: Dataset, language: str = "es") -> None:
        self.profile, self.store, self.language = profile, store, language
        self._context: dict[str, frozenset[Triple]] = {}

    def in_language(self, language: str) -> Export:
        """Return the same export with the words around the data in another language."""
        other = copy(self)
        other.language = language
        return other

    @cached_property
    def iris(self) -> Sequence[str]:
        """The IRIs of all records, in their order."""
        return self._selected[0]

    @cached_property
    def rejected(self) -> Sequence[Rejected]:
        """What is left out, in the order of the IRIs."""
        return self._selected[1]

    @cached_property
    def _selected(self) -> tuple[Sequence[str], Sequence[Rejected]]:
        if self.profile.document is not None:
            return [self.profile.document], []
        query = self.profile.queries["records"]
        lacks: dict[str, set[str]] = {}
        for row in self._select(query, None):
            found = lacks.setdefault(row["record"].value, set())
            if row["lacks"] is not None:
                found.add(row["lacks"].value)
        known = self.profile.reasons
        if unknown := sorted(set().union(*lacks.values()) - known.keys()):
            raise DataError(f"gives the reason `{unknown[0]}`, which profile.yaml does not explain", query.path.name)
        going = sorted(iri for iri, reasons in lacks.items() if not reasons)
        return going, [Rejected(iri, sorted(lacks[iri])) for iri in sorted(lacks) if lacks[iri]]

    def find(self, kind: str, slug: str) -> str:
        """Return the IRI of a record by type and slug. Raises NotFoundError, which says why one is left out."""
        if self.profile.document is not None:
            raise NotFoundError(f"{self.profile.id} is one document; it has no records")
        candidates = [f"{BASE}{space}/{kind}/{slug}" for space in ("id", "schemes")]
        for iri in candidates:
            if iri in self._known:
                return iri
        for left in self.rejected:
            if left.iri in candidates:
                raise NotFoundError(f"{left.iri} is left out of {self.profile.id}: it lacks {', '.join(left.lacks)}")
        raise NotFoundError(f"{self.profile.id} has no record of {candidates[0]}")

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.iris)

    def batches(self, iris: Sequence[str] | None = None, size: int = BATCH) -> Iterator[list[Record]]:
        """Yield records, all or some, in batches."""
        chosen = self.iris if iris is None else iris
        for start in range(0, len(chosen), size):
            yield self._gather(chosen[start : start + size])

    def rows(self, iris: Sequence[str] | None = None, size: int = BATCH) -> Iterator[tuple[list[list[str]], int]]:
        """Yield the rows of the table in batches, each with the number of its records; the header comes first."""
        chosen = self.iris if iris is None else iris
        query = self.profile.queries["table"]
        header = False
        for start in range(0, max(len(chosen), 1), size):
            found = self._select(query, chosen[start : start + size])
            names = [variable.value for variable in found.variables]
            if not header:
                yield [names], 0
                header = True
            rows = [["" if row[name] is None else row[name].value for name in names] for row in found]
            yield sorted(rows), len(chosen[start : start + size])

    def _gather(self, iris: Sequence[str]) -> list[Record]:
        by_subject: dict[Any, set[Triple]] = defaultdict(set)
        for query in self.profile.constructs:
            for triple in self._construct(query, iris):
                by_subject[triple.subject].add(triple)
        if self.profile.document is not None:
            every = {triple for found in by_subject.values() for triple in found}
            return [Record(iris[0], _sorted(every))]
        self._add_context(by_subject)
        named: dict[str, list[Any]] = defaultdict(list)
        for subject in by_subject:
            if isinstance(subject, NamedNode):
                named[subject.value.partition("#")[0]].append(subject)
        return [Record(iri, _sorted(self._belonging(named[iri], by_subject))) for iri in iris]

    @cached_property
    def _included(self) -> Export | None:
        return Export(self.profile.included, self.store) if self.profile.included else None

    def _add_context(self, by_subject: dict[Any, set[Triple]]) -> None:
        """Add what the included profile says of what is referred to; it is asked once for each thing."""
        if self._included is None:
            return
        objects = {triple.object for found in by_subject.values() for triple in found}
        iris = {other.value for other in objects if isinstance(other, NamedNode)} - self._known
        wanted = sorted(iris & self._included._known - self._context.keys())
        for batch in self._included.batches(wanted):
            self._context.update((record.iri, frozenset(record.triples)) for record in batch)
        for iri in iris & self._context.keys():
            by_subject[NamedNode(iri)] |= self._context[iri]

    def _belonging(self, subjects: Iterable[Any], by_subject: Mapping[Any, set[Triple]]) -> set[Triple]:
        """Return the triples of subjects and of what they refer to that is no record itself."""
        found: set[Triple] = set()
        waiting, seen = list(subjects), set(subjects)
        referring = self.profile.referring
        while waiting:
            for triple in by_subject.get(waiting.pop(), ()):
                found.add(triple)
                other = triple.object
                if isinstance(other, Literal) or other in seen or other not in by_subject:
                    continue
                seen.add(other)
                if not (isinstance(other, NamedNode) and other.value.partition("#")[0] in self._known):
                    waiting.append(other)
                elif referring:
                    found.update(each for each in by_subject[other] if each.predicate.value in referring)
        return found

    def _select(self, query: QueryFile, iris: Iterable[str] | None) -> QuerySolutions:
        rows = self._run(query, iris)
        if not isinstance(rows, QuerySolutions):
            raise DataError(f"is {query.form}, where SELECT is needed", query.path.name)
        return rows

    def _construct(self, query: QueryFile, iris: Iterable[str]) -> QueryTriples:
        triples = self._run(query, iris)
        assert isinstance(triples, QueryTriples)
        return triples

    def _run(self, query: QueryFile, iris: Iterable[str] | None) -> Any:
        text = query.text
        if iris is not None:
            chosen = " ".join(str(NamedNode(iri)) for iri in iris)
            text = _RECORDS.sub(lambda _: f"VALUES ?record {{ {chosen} }}", text)
        return self.store.query(text, prefixes=dict(self.profile.prefixes))


def _sorted(triples: Iterable[Triple]) -> list[Triple]:
    return sorted(triples, key=str)
