"""Verbs that link records with the graph: reconcile."""

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
