"""What adapters of delimited tables share: read, clean, check the key, write by the CSVW metadata of the clean row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from culturegraph.sources.adapters.delimited import Layout, read_delimited
from culturegraph.sources.adapters.gazetteer import Gazetteer, read_gazetteer
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.adapters.names import is_damaged, repair_mojibake
from culturegraph.sources.keys import KeyIndex
from culturegraph.sources.lines import LineWriter
from culturegraph.sources.metadata import read_metadata
from culturegraph.sources.tables import read_rows

# From (row number, cells as written) to the cells of the clean row, or None where the row was rejected.
Clean = Callable[[int, dict[str, str]], dict[str, str] | None]


def the_gazetteer(job: Job) -> Gazetteer:
    """Return the gazetteer that the job names, else that of the bundled places."""
    given = job.options.get("gazetteer")
    return read_gazetteer(Path(given) if given else job.data / "places.csv", job.data / "adapters/place-spellings.csv")


def known_codes(job: Job, column: str) -> dict[str, str]:
    """Return what our tables already describe under an outside code: code → IRI, from every column of that name.

    So an entity keeps its one IRI, and a verdict that two codes are one thing is a row of a table.
    """
    known: dict[str, str] = {}
    for plan in read_metadata(job.data / "csv-metadata.json"):
        found = next((each for each in plan.columns if each.name == column), None)
        if found is None:
            continue
        for _, row in read_rows(plan, []):
            for code in row[column].split(found.separator or "\0"):
                known.setdefault(code.strip(), plan.subject(row))
    known.pop("", None)
    return known


def clean_name(row: int, column: str, written: str, tally: Tally) -> str | None:
    """Return a name, its encoding repaired; None, and the row rejected, where it is empty or letters were lost."""
    name = repair_mojibake(written)
    if name != written:
        tally.repaired[f"UTF-8 read as another encoding in {column}"] += 1
    if not name or is_damaged(name):
        fault = "is empty" if not name else "letters were lost (? or U+FFFD stands for them)"
        tally.reject(row, "", f"{column}: {fault}", written)
        return None
    return name


def adapt_table(job: Job, tally: Tally, layout: Layout, metadata: str, clean: Clean) -> Iterator[str]:
    """Yield the lines of all rows of all files; a code that stands twice is rejected the second time."""
    plan = read_metadata(job.data / "adapters" / metadata)[0]
    writer = LineWriter(plan, plan.header)
    with KeyIndex() as keys:
        for path in job.each_file(tally):
            for number, cells in read_delimited(path, layout, tally):
                row = clean(number, cells)
                if row is None:
                    continue
                key = [row[name] for name in plan.primary_key]
                before = keys.add("", key, number)
                if before is not None:
                    kind = "repeats the code of another row"
                    tally.reject(number, "", f"repeats the code of row {before}", ", ".join(key), kind=kind)
                    continue
                lines, faults = writer(number, [row.get(name, "") for name in plan.header])
                for fault in faults:
                    tally.reject_fault(fault, row.get(str(fault.column), ""))
                yield from lines
