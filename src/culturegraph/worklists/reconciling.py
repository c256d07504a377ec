"""A spreadsheet of names in, the same with what each name stands for out: for people without OpenRefine.

What is done is kept in a file beside the output as it is done; a run that was interrupted goes on from there when it
is started again in the same way, and the file goes when the output is whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from culturegraph.errors import StorageError, UsageError
from culturegraph.protocols.reconciliation.matching import Candidate, Query, Reconciler
from culturegraph.protocols.reconciliation.requests import read_condition
from culturegraph.protocols.reconciliation.service import describe
from culturegraph.worklists.spreadsheets import Sheet, read_sheet, write_sheet

MAX_CANDIDATES: Final = 10
_CHUNK: Final = 100


@dataclass(frozen=True)
class Task:
    """What to reconcile: file, column, types and, as evidence, columns by property; where the result goes."""

    file: Path
    column: str
    output: Path
    types: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    candidates: int = 3
    language: str = "es"
    encoding: str = "utf-8-sig"
    sheet: str | None = None

    @property
    def partial(self) -> Path:
        """The file that holds what is done."""
        return self.output.with_name(self.output.name + ".partial")


@dataclass(frozen=True)
class Tally:
    """How many rows there were, how many were matched, had only candidates, had none; how many were done before."""

    rows: int
    matched: int
    doubtful: int
    unknown: int
    empty: int
    resumed: int

    def to_json(self) -> dict[str, int]:
        """Return the numbers for machines."""
        return dict(vars(self))


def reconcile(task: Task, reconciler: Reconciler, progress: Callable[[int, int], None] = lambda _d, _t: None) -> Tally:
    """Reconcile a column and write the output; `progress` is told how many rows of how many are done.

    Raises DataError, StorageError or UsageError where the file, the column or an option will not do.
    """
    if task.output.resolve() == task.file.resolve():
        raise UsageError("the output may not be the file that is read")
    sheet = read_sheet(task.file, encoding=task.encoding, sheet=task.sheet)
    queries = list(_queries(task, sheet, reconciler))
    done = _read_partial(task, reconciler)
    resumed = len(done)
    known: dict[Query, list[list[str]]] = {}
    progress(resumed, len(queries))
    try:
        with task.partial.open("a", encoding="utf-8") as file:
            if not resumed:
                file.write(json.dumps({"task": _key(task, reconciler)}) + "\n")
            for start in range(resumed, len(queries), _CHUNK):
                chunk = [_look_up(query, known, reconciler, task) for query in queries[start : start + _CHUNK]]
                file.writelines(json.dumps(cells, ensure_ascii=False) + "\n" for cells in chunk)
                file.flush()
                done += chunk
                progress(len(done), len(queries))
    except OSError as error:
        raise StorageError(f"{task.partial}: {error.strerror or error}") from error
    write_sheet(task.output, _add_columns(sheet, done, task))
    task.partial.unlink()
    return _count(queries, done, resumed)


def _queries(task: Task, sheet: Sheet, reconciler: Reconciler) -> Iterable[Query]:
    schema = reconciler.schema
    place = sheet.column(task.column, task.file.name)
    types = tuple(iri for name in task.types if (iri := schema.find_class(name)))
    if len(types) < len(task.types):
        unknown = next(name for name in task.types if schema.find_class(name) is None)
        raise UsageError(f"there is no type {unknown!r}; there are {', '.join(t.id for t in schema.type_terms('en'))}")
    columns = []
    for name, column in task.properties:
        if schema.find_property(name) is None:
            raise UsageError(f"there is no property {name!r}, such as department, people, locatedIn")
        columns.append((name, sheet.column(column, task.file.name)))
    for row in sheet.rows:
        conditions = tuple(read_condition(name, row[n], schema) for name, n in columns if row[n].strip())
        yield Query(row[place], types, conditions=conditions, limit=task.candidates)


def _look_up(query: Query, known: dict[Query, list[list[str]]], reconciler: Reconciler, task: Task) -> list[list[str]]:
    if query not in known:
        known[query] = [_tell(candidate, reconciler, task.language) for candidate in reconciler.find(query)]
    return known[query]


def _tell(candidate: Candidate, reconciler: Reconciler, language: str) -> list[str]:
    schema = reconciler.schema
    name, line = schema.name(candidate.iri, language), describe(candidate.iri, schema, language)
    return [candidate.iri, name, line, f"{candidate.score:g}", "yes" if candidate.match else ""]


def _add_columns(sheet: Sheet, done: Sequence[list[list[str]]], task: Task) -> Sheet:
    added = ["match_iri", "match_name"]
    for n in range(1, task.candidates + 1):
        added += [f"candidate_{n}_{part}" for part in ("iri", "name", "description", "score")]
    taken = set(sheet.header)
    header = (*sheet.header, *(name if name not in taken else f"culturegraph_{name}" for name in added))
    rows = []
    for row, found in zip(sheet.rows, done, strict=True):
        match = next((cells[:2] for cells in found if cells[4]), ["", ""])
        cells = [cell for cells in found for cell in cells[:4]]
        rows.append((*row, *match, *cells, *[""] * (4 * task.candidates - len(cells))))
    return Sheet(header, tuple(rows))


def _count(queries: Sequence[Query], done: Sequence[list[list[str]]], resumed: int) -> Tally:
    matched = sum(any(cells[4] for cells in found) for found in done)
    empty = sum(not query.text.strip() for query in queries)
    doubtful = sum(bool(found) for found in done) - matched
    return Tally(len(queries), matched, doubtful, len(queries) - matched - doubtful - empty, empty, resumed)


def _key(task: Task, reconciler: Reconciler) -> str:
    """Return what makes a run the same: the content of the file, the options, the names that are compared with."""
    told = (task.column, task.types, task.properties, task.candidates, task.language, task.encoding, task.sheet)
    digest = hashlib.sha256(task.file.read_bytes())
    digest.update(repr((told, reconciler.names.identity)).encode())
    return digest.hexdigest()


def _read_partial(task: Task, reconciler: Reconciler) -> list[list[list[str]]]:
    """Return what an interrupted run of the same task did; a line that was not written whole is left out."""
    if not task.partial.exists():
        return []
    lines = task.partial.read_text(encoding="utf-8").splitlines()
    found: list[list[list[str]]] = []
    try:
        head: Mapping[str, str] = json.loads(lines[0]) if lines else {}
        if head.get("task") == _key(task, reconciler):
            for line in lines[1:]:
                found.append(json.loads(line))
    except (json.JSONDecodeError, AttributeError):
        pass
    kept = [json.dumps({"task": _key(task, reconciler)}), *(json.dumps(cells, ensure_ascii=False) for cells in found)]
    # Begun anew where it is another task; without its broken end where it is this one.
    task.partial.write_text("\n".join(kept) + "\n" if found else "", encoding="utf-8")
    return found
