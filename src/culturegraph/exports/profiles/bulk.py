"""A whole profile as files: one a format, and the list of what is left out with its reasons.

Streams: what is in memory is a batch. Files appear whole or not at all.
"""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from culturegraph.errors import StorageError
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.forms import write_records
from culturegraph.exports.profiles.profile import Profile
from culturegraph.files import writing
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.spreadsheets import guard

# Told after each batch: profile, format, records so far, records in all.
Progress = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Written:
    """One file that was written: its records, bytes, and the seconds it took (wall clock and processor)."""

    profile: str
    form: str
    path: Path | None
    records: int
    rejected: int
    size: int
    seconds: float
    processor: float

    def __str__(self) -> str:
        rate = f", {60 * self.records / self.processor:,.0f} a minute of processor" if self.records > 1 else ""
        left = f", {self.rejected} left out" if self.rejected else ""
        name = self.path or f"{self.profile}.{self.form}"
        return f"{name}: {self.records} records{left}, {self.size:,} bytes, {self.seconds:.1f} s{rate}"

    def to_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {**asdict(self), "path": str(self.path) if self.path else None}


def write_profile(
    export: Export, form: str, path: Path | None, progress: Progress | None = None, *, packed: bool = False
) -> Written:
    """Write a profile in a format to a file, or to standard output; `packed` compresses it (gzip)."""
    form = export.profile.check_format(form)
    began, worked = time.perf_counter(), time.process_time()
    done, size, total = 0, 0, len(export.iris)
    with writing(path) as file, _packing(file, packed=packed) as sink:
        for data, records in write_records(export, form):
            sink.write(data)
            done, size = done + records, size + len(data)
            if progress:
                progress(export.profile.id, form, done, total)
    return Written(
        export.profile.id,
        form,
        path,
        total,
        len(export.rejected),
        size,
        time.perf_counter() - began,
        time.process_time() - worked,
    )


@contextmanager
def _packing(file: BinaryIO, *, packed: bool) -> Iterator[BinaryIO | gzip.GzipFile]:
    if not packed:
        yield file
        return
    # No name and no time of day: the same records give the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as sink:
        yield sink


def write_rejects(export: Export) -> bytes:
    """Return what is left out as CSV: IRI, what it lacks, and the reason in Spanish and English."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["record", "lacks", "razon_es", "reason_en"])
    for left in export.rejected:
        for name in left.lacks:
            reason = export.profile.reasons[name]
            writer.writerow([guard(cell) for cell in (left.iri, name, reason["es"], reason["en"])])
    return text.getvalue().encode()


def write_all(
    profiles: list[Profile], store: Dataset, folder: Path, progress: Progress | None = None
) -> Iterator[Written]:
    """Write every profile in its formats into a folder, with what is left out; yield each file that is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror}") from error
    for profile in profiles:
        export = Export(profile, store)
        for form in profile.formats:
            yield write_profile(export, form, folder / f"{profile.id}.{form}", progress)
        if export.rejected:
            with writing(folder / f"{profile.id}.rejects.csv") as file:
                file.write(write_rejects(export))
