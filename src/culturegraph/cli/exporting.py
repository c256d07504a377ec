"""Verbs that write the published graph in a profile: export nquads, export owl-data, export data-cube."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from culturegraph.cli.terminal import StoreOption, err, read_settings, show_step

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
