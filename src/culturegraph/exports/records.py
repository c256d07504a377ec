"""The things of the graph that go out as records: which they are, under what heading, and what is said of them.

How the graph becomes records is written in `queries/exports/`, not here: `records.rq` says what is a record,
`headings.rq` what it is called, and the queries of a format what stands in it. This module runs them: over all records
where a table of all is needed, else over the records of a page, which take the place of `VALUES ?record { UNDEF }`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pyoxigraph import NamedNode, QuerySolutions, QueryTriples, Triple

from culturegraph.errors import DataError, UsageError
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.profile import read_profile
from culturegraph.queries import QueryFile, read_queries
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, PREFIXES

_RECORDS: Final = re.compile(r"VALUES \?record \{ UNDEF \}")
# Records asked for at a time where all are exported.
BATCH: Final = 200


@dataclass(frozen=True)
class Entry:
    """One record of the table: its IRI, kind, MARC heading (tag and indicators) and EDM class; "" for none."""

    iri: str
    kind: str
    tag: str
    indicators: str
    edm: str

    @property
    def key(self) -> str:
        """The IRI below the base: what the record is known by in other protocols."""
        return self.iri.removeprefix(BASE)


class Records:
    """The records of one store, by the queries of a folder."""

    def __init__(self, store: Dataset, queries: Path) -> None:
        self._store = store
        self._folder = queries / "exports"

    @cached_property
    def _queries(self) -> Mapping[str, QueryFile]:
        # Other folders beside these belong to other exports.
        kinds = {self._folder.name, "marc"}
        return {query.path.stem: query for query in read_queries(self._folder) if query.kind in kinds}

    @cached_property
    def marc_queries(self) -> Sequence[QueryFile]:
        """The queries that give the fields of a MARC record, in the order of their files."""
        return [query for query in self._queries.values() if query.kind == "marc"]

    @cached_property
    def contextual(self) -> Export:
        """The records as contextual entities of EDM."""
        return Export(read_profile(self._folder.parent, "edm-contextual"), self._store)

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All records by IRI, in the order of their IRIs."""
        best: dict[str, tuple[int, Entry]] = {}
        for row in self.select("records"):
            iri = row["record"].value
            rank, names = int(row["rank"].value), [row[name].value for name in ("kind", "tag", "indicators", "edm")]
            # Without a name there is nothing to call it by.
            if iri in self.headings and (iri not in best or rank < best[iri][0]):
                best[iri] = rank, Entry(iri, *names)
        return {iri: best[iri][1] for iri in sorted(best)}

    @cached_property
    def headings(self) -> Mapping[str, str]:
        """The authorised name of every named thing, by IRI."""
        return {row["record"].value: clean(row["heading"].value) for row in self.select("headings")}

    @cached_property
    def by_key(self) -> Mapping[str, Entry]:
        """All records by their key."""
        return {entry.key: entry for entry in self.entries.values()}

    def check_kinds(self, kinds: Sequence[str]) -> Sequence[str]:
        """Return kinds that were asked for. Raises UsageError where one is unknown."""
        known = sorted({entry.kind for entry in self.entries.values()})
        if unknown := [kind for kind in kinds if kind not in known]:
            raise UsageError(f"there is no kind {unknown[0]!r} (there are: {', '.join(known)})")
        return kinds

    def query(self, name: str) -> QueryFile:
        """Return a query of the folder. Raises DataError where it is missing."""
        try:
            return self._queries[name]
        except KeyError:
            raise DataError("is missing: exports cannot do without", f"{name}.rq") from None

    def select(self, name: str, iris: Iterable[str] | None = None) -> QuerySolutions:
        """Return the rows of a query: of some records, or of all."""
        rows = self._run(self.query(name), iris)
        assert isinstance(rows, QuerySolutions)
        return rows

    def group(self, query: QueryFile, iris: Iterable[str]) -> Mapping[str, list[dict[str, Any]]]:
        """Return the rows of a query by record: texts by variable, what is unbound left out."""
        rows = self._run(query, iris)
        assert isinstance(rows, QuerySolutions)
        names = [variable.value for variable in rows.variables]
        found = defaultdict(list)
        for row in rows:
            cells = {name: clean(row[name].value) for name in names if row[name] is not None}
            found[cells.pop("record")].append(cells)
        return found

    def construct(self, name: str, iris: Iterable[str]) -> Mapping[str, list[Triple]]:
        """Return the triples of a CONSTRUCT query by record, sorted."""
        triples = self._run(self.query(name), iris)
        assert isinstance(triples, QueryTriples)
        found = defaultdict(list)
        for triple in sorted(triples, key=str):
            if isinstance(triple.subject, NamedNode):
                found[triple.subject.value].append(triple)
        return found

    def _run(self, query: QueryFile, iris: Iterable[str] | None) -> Any:
        text = query.text
        if iris is not None:
            chosen = " ".join(str(NamedNode(iri)) for iri in iris)
            text = _RECORDS.sub(lambda _: f"VALUES ?record {{ {chosen} }}", text)
        return self._store.query(text, prefixes=dict(PREFIXES))


def batches(entries: Iterable[Entry], size: int = BATCH) -> Iterator[list[Entry]]:
    """Yield the entries in lists of a size."""
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


# What XML 1.0 cannot carry, escaped or not: most control characters, surrogates, U+FFFE and U+FFFF (§2.2). The
# controls U+007F to U+009F are allowed and useless; the separators of ISO 2709 (U+001D to U+001F) are among the first.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return a text without what XML and ISO 2709 cannot carry, its white space in single blanks."""
    return " ".join(_FORBIDDEN.sub("", text).split())
