"""Verbs that write the published graph in a profile: nquads, owl-data, data-cube, unesco-qpr, and any profile of
`queries/exports/profiles/`.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from culturegraph.cli.terminal import (
    JsonOption,
    Language,
    StoreOption,
    err,
    out,
    print_json,
    read_settings,
    show_export,
    show_step,
    write_profile,
)
from culturegraph.errors import UsageError
from culturegraph.files import write_whole


class ReportForm(StrEnum):
    """The forms of the draft of a periodic report."""

    xlsx = "xlsx"
    docx = "docx"
    html = "html"
    jsonld = "jsonld"


class _Profiles(TyperGroup):
    """Takes a verb that is none for a profile of `queries/exports/profiles/`: those are files, and may be added."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb, or that which writes any profile."""
        known = self.get_command(ctx, args[0]) is not None
        return super().resolve_command(ctx, args if known else ["profile", *args])


verbs = typer.Typer(help="Write the published graph in a profile.", cls=_Profiles, rich_markup_mode=None)


@verbs.callback(invoke_without_command=True, epilog="Example: culturegraph export --all -o exports")
def export_all(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="every profile, in all its formats")] = False,
    for_server: Annotated[
        bool, typer.Option("--for-server", help="make the files that a server gives away, before it is asked for them")
    ] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="folder")] = Path("exports"),
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Write the published graph in a profile."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(store=store)
    if not every and not for_server:
        from culturegraph.exports.profiles.profile import list_profiles

        out.print(context.get_help(), markup=False)
        out.print("Profiles: " + ", ".join(list_profiles(settings.queries)), markup=False)
        raise typer.Exit(UsageError.exit_code)
    from culturegraph.exports.profiles.bulk import write_all
    from culturegraph.exports.profiles.files import make_files
    from culturegraph.exports.profiles.profile import read_profiles
    from culturegraph.store.snapshot import open_current

    profiles, snapshot = list(read_profiles(settings.queries).values()), open_current(settings.store)
    if for_server:
        with show_export() as progress:
            number = make_files(profiles, snapshot, progress)
        err.print(f"{number} files beside {snapshot.path}", markup=False)
        return
    with show_export() as progress:
        made = list(write_all(profiles, snapshot.store, output, progress))
    if as_json:
        print_json([each.to_json() for each in made])
        return
    for each in made:
        err.print(str(each), markup=False)


@verbs.command("profile", hidden=True, epilog="Example: culturegraph export edm --format rdf -o edm.rdf")
def export_profile(
    name: Annotated[str, typer.Argument(help="a profile of queries/exports/profiles")],
    fmt: Annotated[
        str | None, typer.Option("--format", help="rdf, ttl, nt, jsonld or csv", show_default="first")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="file; standard output without it")] = None,
    lang: Annotated[
        Language, typer.Option(help="language of the words around the data, where there are any")
    ] = Language.es,
    rejects: Annotated[Path | None, typer.Option("--rejects", help="file (CSV) for what is left out, and why")] = None,
    store: StoreOption = None,
) -> None:
    """Write a profile of queries/exports/profiles."""
    write_profile(name, fmt, output, store, rejects, lang.value)


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
