"""One run of an adapter: from files to sorted N-Quads and a file of rejects, both whole or not at all."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from culturegraph.errors import StorageError, UsageError
from culturegraph.files import writing
from culturegraph.settings import Settings
from culturegraph.sources.adapters import (
    csvw_package,
    csvw_parts,
    inei_places,
    marc,
    mincetur,
    skos,
    unesco_qpr,
    wikidata,
)
from culturegraph.sources.adapters.job import Job, Link, Tally, describe, read_source
from culturegraph.sources.sorting import sort_lines

Adapter = Callable[[Job, Tally], Iterator[str]]

ADAPTERS: Final[Mapping[str, Adapter]] = {
    "mincetur": mincetur.adapt,
    "inei-places": inei_places.adapt,
    "csvw": csvw_package.adapt,
    "marcxml": marc.adapt,
    "skos": skos.adapt,
    "wikidata": wikidata.adapt,
    "unesco-qpr": unesco_qpr.adapt,
}
# The source that an outside data set is of, where no other is named.
_SOURCES: Final[Mapping[str, str]] = {
    "mincetur": "mincetur-inventory",
    "inei-places": "inei-populated-places",
    "skos": "unesco-thesaurus",
    "wikidata": "wikidata",
    "csvw": "csvw-package",
    "unesco-qpr": "unesco-qpr-answers",
    "marcxml": "marc-records",
}


def plan_job(
    settings: Settings,
    kind: str,
    files: tuple[Path, ...],
    *,
    source: str | None,
    described: Mapping[str, str],
    options: Mapping[str, str],
    link: Link | None = None,
) -> Job:
    """Return the job of a run. Raises UsageError where the source is not described."""
    told = read_source(settings.data, source or _SOURCES[kind], described)
    return Job(files, told, settings.data, settings.ontology, settings.queries, options, link)


def ingest_parts(job: Job, folder: Path, rejects: Path | None, effort: csvw_parts.Effort) -> Tally:
    """Map CSV on the Web packages by worker processes into parts, N-Quads that are neither sorted nor each once.

    Sorted, the parts are what `ingest` gives. The folder appears whole or not at all. Raises UsageError where something
    is in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder: parts are written into a new one")
    tally, partial = Tally(), folder.with_name(f"{folder.name}.part")
    try:
        partial.mkdir(parents=True)
        with writing(rejects, sys.stderr.buffer) as told, tally.writing_rejects(told):
            description = list(describe(job.data, job.source))
            (partial / "source.nq").write_text("".join(description), encoding="utf-8")
            tally.quads += len(description)
            csvw_parts.map_package(job, tally, partial, effort)
        partial.replace(folder)
    except FileExistsError:
        raise StorageError(f"{partial} is there already: another run writes it, or one was killed; remove it") from None
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return tally


def ingest(kind: str, job: Job, output: Path | None, rejects: Path | None) -> Tally:
    """Run an adapter; the same files give the same bytes. Rejects go to standard error where no file is given."""
    tally = Tally()

    def lines() -> Iterator[str]:
        yield from describe(job.data, job.source)
        yield from ADAPTERS[kind](job, tally)

    with writing(rejects, sys.stderr.buffer) as told, writing(output) as written, tally.writing_rejects(told):
        for line in sort_lines(lines()):
            written.write(line)
            tally.quads += 1
    return tally
