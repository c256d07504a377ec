"""One run of an adapter: from files to sorted N-Quads and a file of rejects, both whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from culturegraph.files import writing
from culturegraph.settings import Settings
from culturegraph.sources.adapters import csvw_package, inei_places, marc, mincetur, skos, unesco_qpr, wikidata
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


def ingest(kind: str, job: Job, output: Path | None, rejects: Path | None) -> Tally:
    """Run an adapter; the same files give the same bytes. Rejects go to standard error where no file is given."""
    tally = Tally()

    def lines() -> Iterator[str]:
        yield from describe(job.data, job.source)
        yield from ADAPTERS[kind](job, tally)

    with writing(rejects, sys.stderr.buffer) as told, writing(output) as written:
        tally.write_rejects(told)
        for line in sort_lines(lines()):
            written.write(line)
            tally.quads += 1
        tally.flush_rejects()
    return tally
