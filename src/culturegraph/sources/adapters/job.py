"""What an adapter is given, and what it tells: its source, its options, its rejects and counts."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from culturegraph.errors import DataError, StorageError, UsageError
from culturegraph.rdf.graphs import source_graph
from culturegraph.rdf.spreadsheets import guard
from culturegraph.sources.lines import careful
from culturegraph.sources.metadata import read_metadata

# Something that a name may stand for: its IRI, its name, how likely (0 to 100).
Suspect = tuple[str, str, float]
# From a name and the IRI of a class ("" for any): the IRI that it surely stands for or "", else what it may stand for.
Link = Callable[[str, str], tuple[str, Sequence[Suspect]]]
REJECT_HEADER: Final = ("row", "column", "reason", "value")


@dataclass(frozen=True)
class Source:
    """A source as `data/sources.csv` describes it: its columns and the row's cells."""

    cells: Mapping[str, str]

    @property
    def id(self) -> str:
        """The id, which names the graph."""
        return self.cells["id"]

    @property
    def graph(self) -> str:
        """The IRI of the named graph that holds what the source says."""
        return source_graph(self.id).value


def _find(source: str, tables: Iterable[Path]) -> dict[str, str]:
    for path in tables:
        if path.is_file():
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    if row["id"] == source:
                        return row
    return {}


def read_source(data: Path, source: str, given: Mapping[str, str]) -> Source:
    """Return the source: its row in `sources.csv`, else in `adapters/sources.csv`; given cells come before both.

    Raises UsageError where a cell is unknown or wrong, or the description is not complete.
    """
    plan = next(plan for plan in read_metadata(data / "csv-metadata.json") if plan.file == "sources.csv")
    unknown = sorted(set(given) - set(plan.header))
    if unknown:
        raise UsageError(f"a source has no {', '.join(unknown)} (it has {', '.join(plan.header)})")
    cells = dict.fromkeys(plan.header, "") | _find(source, [data / "sources.csv", data / "adapters" / "sources.csv"])
    source_row = Source({**cells, **given, "id": source})
    _, faults = careful(plan, 1, source_row.cells)
    if not source_row.cells["licence"] and not source_row.cells["rights"]:
        faults.append(DataError("is required but empty (or `rights`)", plan.file, None, "licence"))
    if faults:
        told = "; ".join(f"{fault.column} {fault.message}" for fault in faults)
        raise UsageError(f"source {source!r}: {told} (describe it by --describe title=… or a row in sources.csv)")
    return source_row


def describe(data: Path, source: Source) -> Iterator[str]:
    """Yield the lines that describe a source, as a row of `sources.csv` gives them."""
    plan = next(plan for plan in read_metadata(data / "csv-metadata.json") if plan.file == "sources.csv")
    yield from careful(plan, 1, source.cells)[0]


@dataclass
class Tally:
    """Counts of a run, and the file that takes what was not carried over.

    A *reject* is a row (`column` empty) or a cell that is not in the output. A *repair* is a cell that is in the output
    otherwise than written. A *note* is something that is right but worth knowing.
    """

    rows: int = 0
    quads: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_rows: int = 0
    repaired: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    _writer: Any = None

    @contextmanager
    def writing_rejects(self, file: BinaryIO) -> Iterator[None]:
        """Let rejects go to an open file, as UTF-8, and leave the file to whoever opened it, whatever happens."""
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(text, lineterminator="\n")
        self._writer.writerow(REJECT_HEADER)
        try:
            yield
        finally:
            self._writer = None
            text.flush()
            # Else it would close the file, which may be standard error, where the fault is to be told.
            text.detach()

    def reject(self, row: int, column: str, reason: str, value: str, *, kind: str = "") -> None:
        """Reject a cell, or with no column the row. `kind` is what the reason is counted as."""
        self.rejected[kind or reason] += 1
        self.rejected_rows += not column
        if self._writer is not None:
            self._writer.writerow([f"{self.prefix}{row}", *map(guard, (column, reason, value))])

    def reject_fault(self, fault: DataError, value: str) -> None:
        """Reject the row that a located fault tells of."""
        column = "" if fault.column is None else f"{fault.column}: "
        self.reject(fault.row or 0, "", f"{column}{fault.message}", value, kind=f"{column}is not valid")

    def to_text(self) -> list[str]:
        """Return the counts as lines for people."""
        lines = [f"{self.rows} rows: {self.quads} quads, {self.rejected_rows} rows rejected"]
        for name in ("rejected", "repaired", "noted", "left_out"):
            for what, number in sorted(getattr(self, name).items()):
                lines.append(f"  {name.replace('_', ' ')}: {what}: {number}")
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return the counts for machines."""
        return {
            "rows": self.rows,
            "quads": self.quads,
            "rejected_rows": self.rejected_rows,
            "rejected": dict(sorted(self.rejected.items())),
            "repaired": dict(sorted(self.repaired.items())),
            "noted": dict(sorted(self.noted.items())),
            "left_out": dict(sorted(self.left_out.items())),
        }


@dataclass(frozen=True)
class Job:
    """One run: the files, the source that says what is in them, and where things of ours lie."""

    files: tuple[Path, ...]
    source: Source
    data: Path
    ontology: Path
    queries: Path
    options: Mapping[str, str] = field(default_factory=dict)
    # What links names to the published graph, where there is one.
    link: Link | None = None

    def option(self, name: str) -> str:
        """Return an option that the adapter needs. Raises UsageError where it was not given."""
        if not self.options.get(name):
            raise UsageError(f"--{name} is needed for this kind")
        return self.options[name]

    def each_file(self, tally: Tally) -> Iterator[Path]:
        """Yield the files; where there are several, rejects name theirs. Raises UsageError where there is none."""
        if not self.files:
            raise UsageError("no file was given")
        for path in self.files:
            if not path.is_file():
                raise StorageError(f"{path} cannot be read: no such file")
            tally.prefix = f"{path.name}:" if len(self.files) > 1 else ""
            yield path
