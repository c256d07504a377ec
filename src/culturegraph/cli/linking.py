"""Verbs that link records with the graph: reconcile, link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from culturegraph.cli.terminal import JsonOption, Language, StoreOption, err, print_json, read_settings
from culturegraph.errors import UsageError
from culturegraph.settings import Settings

verbs = typer.Typer()
links = typer.Typer(help="Propose and accept links to an authority file.", no_args_is_help=True)
verbs.add_typer(links, name="link")


@verbs.command(
    epilog="Example: culturegraph reconcile inventory.csv --column NAME --type CulturalExpression "
    "--property department=REGION -o linked.xlsx"
)
def reconcile(
    file: Annotated[Path, typer.Argument(help="CSV, TSV or XLSX")],
    column: Annotated[str, typer.Option(help="column with the names")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="CSV, TSV or XLSX", show_default="FILE-reconciled")
    ] = None,
    types: Annotated[list[str] | None, typer.Option("--type", help="class of our ontology, as Dance")] = None,
    properties: Annotated[
        list[str] | None, typer.Option("--property", help="PROPERTY=COLUMN, evidence: department=REGION")
    ] = None,
    candidates: Annotated[int, typer.Option(min=1, max=10, help="candidates that are given for a name")] = 3,
    lang: Annotated[Language, typer.Option(help="language of names")] = Language.es,
    encoding: Annotated[str, typer.Option(help="of a CSV, as cp1252")] = "utf-8-sig",
    sheet: Annotated[str | None, typer.Option(help="sheet of a workbook; the first without")] = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Add to a spreadsheet what each of its names stands for. An interrupted run goes on when it is started again."""
    from culturegraph.worklists.reconciling import Tally, Task
    from culturegraph.worklists.reconciling import reconcile as run

    if faulty := [pair for pair in properties or () if "=" not in pair]:
        raise UsageError(f"--property takes PROPERTY=COLUMN, not {faulty[0]!r}")
    pairs = tuple((name, value) for name, _, value in (pair.partition("=") for pair in properties or ()))
    output = output or file.with_name(f"{file.stem}-reconciled{file.suffix}")
    task = Task(file, column, output, tuple(types or ()), pairs, candidates, lang.value, encoding, sheet)
    with show_progress("reconciling") as progress:
        tally: Tally = run(task, open_reconciler(read_settings(store=store)), progress)
    if as_json:
        print_json(tally.to_json())
        return
    err.print(f"{output}: {tally.rows} rows: {tally.matched} matched, {tally.doubtful} with candidates to review,")
    err.print(f"{tally.unknown} without a candidate, {tally.empty} without a name", markup=False)
    if tally.resumed:
        err.print(f"{tally.resumed} rows were done before")


@links.command(epilog="Example: culturegraph link propose thesaurus.ttl --type MusicalInstrument -o proposals.tsv")
def propose(
    source: Annotated[str, typer.Argument(metavar="FILE|ENDPOINT", help="SKOS, MARC, CSV (iri, label), endpoint")],
    output: Annotated[Path, typer.Option("-o", "--output", help="SSSOM TSV, for a person to judge")],
    types: Annotated[list[str] | None, typer.Option("--type", help="class of our ontology that is meant")] = None,
    store: StoreOption = None,
) -> None:
    """Propose which of our things the terms of an authority file are."""
    from culturegraph.worklists.proposals import propose as run
    from culturegraph.worklists.proposals import read_authority, read_known, write_proposals

    settings = read_settings(store=store)
    left_out: list[str] = []
    terms = read_authority(source, left_out)
    for told in left_out:
        err.print(f"left out: {told}", markup=False)
    known = read_known(settings.data / "links.csv")
    with show_progress("comparing") as progress:
        rows = run(terms, open_reconciler(settings), tuple(types or ()), known, progress)
    write_proposals(output, rows)
    err.print(f"{output}: {len(rows)} proposals for {len(terms)} terms; write accepted or rejected under verdict")


@links.command(epilog="Example: culturegraph link accept proposals.tsv --authority bnf --source bnf-rameau-2026")
def accept(
    proposals: Annotated[Path, typer.Argument(help="the judged TSV (or CSV, XLSX)")],
    authority: Annotated[str, typer.Option(help="whose terms these are: names the graph of the links")],
    source: Annotated[str, typer.Option(help="id of the source, as in sources.csv")],
) -> None:
    """Add the accepted proposals to data/links.csv; the next build puts them into graph/links/{authority}."""
    from culturegraph.worklists.proposals import accept as run

    added, had = run(proposals, read_settings().data / "links.csv", authority, source)
    err.print(f"{added} links added, {had} were there before; `culturegraph check` judges the whole")


def open_reconciler(settings: Settings) -> Any:
    """Return what reconciles with the published snapshot."""
    from culturegraph.protocols.reconciliation.opening import open_reconciler

    return open_reconciler(settings)


@contextmanager
def show_progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal; give what is told how many of how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
