"""Verbs that write the published graph in a profile: nquads, owl-data, data-cube, unesco-qpr."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from culturegraph.cli.terminal import Language, StoreOption, err, read_settings, show_step
from culturegraph.files import write_whole


class ReportForm(StrEnum):
    """The forms of the draft of a periodic report."""

    xlsx = "xlsx"
    docx = "docx"
    html = "html"
    jsonld = "jsonld"


verbs = typer.Typer(help="Write the published graph in a profile.", no_args_is_help=True, rich_markup_mode=None)


@verbs.command("nquads", epilog="Example: culturegraph export nquads -o culturegraph.nq")
def export_nquads(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="file; standard output without it")] = None,
    store: StoreOption = None,
) -> None:
    """Write all named graphs as sorted N-Quads."""
    from culturegraph.exports.nquads import export

    settings = read_settings(store=store)
    with show_step("exporting"):
        export(settings.store, output)


@verbs.command("owl-data", epilog="Example: culturegraph export owl-data -o instances.nt")
def export_owl_data(
    output: Annotated[Path, typer.Option("-o", "--output", help="file")], store: StoreOption = None
) -> None:
    """Write the instance data as N-Triples without literals that OWL 2 has no datatype for; say what was left out."""
    from culturegraph.exports.owl_data import export

    written, left_out = export(read_settings(store=store).store, output)
    err.print(f"{written} triples written", markup=False)
    for datatype, number in sorted(left_out.items()):
        err.print(f"left out: {number} of {datatype}", markup=False)


@verbs.command("data-cube", epilog="Example: culturegraph export data-cube -o figures.ttl")
def export_data_cube(
    output: Annotated[Path, typer.Option("-o", "--output", help="file (Turtle)")], store: StoreOption = None
) -> None:
    """Write the figures as an RDF Data Cube: an observation for each figure and source."""
    from culturegraph.exports.data_cube import export

    settings = read_settings(store=store)
    with show_step("exporting"):
        written = export(settings.store, settings.queries / "data-cube", output)
    err.print(f"{written} observations written", markup=False)


@verbs.command("unesco-qpr", epilog="Example: culturegraph export unesco-qpr --cycle 2027 --format docx --lang es")
def export_unesco_qpr(
    cycle: Annotated[str | None, typer.Option(help="cycle of reports", show_default="the next")] = None,
    fmt: Annotated[ReportForm, typer.Option("--format", help="form of the draft")] = ReportForm.xlsx,
    lang: Annotated[Language, typer.Option(help="language of the draft")] = Language.es,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="file; - for standard output", show_default="by its name")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Write the draft of the periodic report on the 2005 Convention: sentences with their statements, and gaps."""
    from culturegraph.exports.unesco_qpr.writing import export

    settings = read_settings(store=store)
    with show_step("drafting the report"):
        written = export(settings.store, settings.queries, cycle, fmt.value, lang.value)
    if output == Path("-"):
        sys.stdout.buffer.write(written.data)
        return
    path = output or Path(written.name)
    write_whole(path, written.data)
    err.print(f"{path}: {written.filled} cells filled, {written.empty} empty, {written.notes} notes", markup=False)
