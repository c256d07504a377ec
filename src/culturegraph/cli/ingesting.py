"""The verb that takes in published data sets: ingest."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from culturegraph.cli.terminal import JsonOption, StoreOption, err, read_settings, show_step
from culturegraph.errors import StorageError, UsageError

if TYPE_CHECKING:
    from culturegraph.settings import Settings
    from culturegraph.sources.adapters.job import Link

verbs = typer.Typer()


class Kind(StrEnum):
    """The outside formats that are ingested."""

    mincetur = "mincetur"
    inei_places = "inei-places"
    csvw = "csvw"
    skos = "skos"
    wikidata = "wikidata"
    unesco_qpr = "unesco-qpr"
    # ISO 2709 or XML: the reader sees which.
    marcxml = "marcxml"


@verbs.command(epilog="Example: culturegraph ingest mincetur inventario.csv -o mincetur.nq --rejects rejects.csv")
def ingest(
    kind: Annotated[Kind, typer.Argument(help="format of the files")],
    files: Annotated[list[Path] | None, typer.Argument(help="files; for wikidata, query files instead of ours")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="N-Quads; standard output without it")] = None,
    rejects: Annotated[Path | None, typer.Option(help="CSV of what is not carried over, with reasons")] = None,
    source: Annotated[str | None, typer.Option(help="id of the source, as in sources.csv")] = None,
    describe: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the source: title, url, licence …")] = None,
    gazetteer: Annotated[Path | None, typer.Option(help="list of districts instead of places.csv")] = None,
    candidates: Annotated[Path | None, typer.Option(help="skos: SSSOM file of labels equal to ours")] = None,
    endpoint: Annotated[str | None, typer.Option(help="wikidata: address of the SPARQL endpoint")] = None,
    state: Annotated[Path | None, typer.Option(help="wikidata: file of answered pages, to go on from")] = None,
    delay: Annotated[float | None, typer.Option(help="wikidata: seconds between requests")] = None,
    rows: Annotated[Path | None, typer.Option(help="unesco-qpr: CSV of the answers, to be reviewed")] = None,
    page: Annotated[int | None, typer.Option(help="wikidata: solutions asked for at a time")] = None,
    review: Annotated[Path | None, typer.Option(help="marcxml: CSV of names that may be something of ours")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="csvw: so many processes, each writing unsorted parts into the folder -o")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a published data set into N-Quads and a file of rejects."""
    from culturegraph.sources.adapters.csvw_parts import Effort
    from culturegraph.sources.adapters.ingestion import ingest as run
    from culturegraph.sources.adapters.ingestion import ingest_parts, plan_job

    given = {
        "gazetteer": gazetteer,
        "candidates": candidates,
        "endpoint": endpoint,
        "state": state,
        "delay": delay,
        "page": page,
        "rows": rows,
        "review": review,
    }
    options = {name: str(value) for name, value in given.items() if value is not None}
    described = _pairs(describe or [])
    settings = read_settings(store=store)
    link = _make_linker(settings) if kind is Kind.marcxml else None
    job = plan_job(
        settings, kind.value, tuple(files or ()), source=source, described=described, options=options, link=link
    )
    with show_step(f"reading {kind.value}"):
        if workers is None:
            tally = run(kind.value, job, output, rejects)
        elif kind is not Kind.csvw or output is None:
            raise UsageError("--workers is for csvw, with -o naming the folder of the parts")
        else:
            tally = ingest_parts(job, output, rejects, Effort(workers))
    # Standard output may be the quads.
    for line in [json.dumps(tally.to_json(), ensure_ascii=False)] if as_json else tally.to_text():
        err.print(line, markup=False)


def _make_linker(settings: Settings) -> Link | None:
    """Return what links names to the published graph; without one, nothing is linked, and that is told."""
    from culturegraph.protocols.record_linking import make_linker
    from culturegraph.store.snapshot import open_current

    try:
        snapshot = open_current(settings.store)
    except StorageError as error:
        err.print(f"nothing is linked: {error}", markup=False)
        return None
    return make_linker(snapshot, settings.queries)


def _pairs(given: list[str]) -> dict[str, str]:
    faulty = [pair for pair in given if "=" not in pair]
    if faulty:
        raise UsageError(f"--describe takes NAME=VALUE, not {faulty[0]!r}")
    return dict(pair.split("=", 1) for pair in given)
