"""Verbs of releases and of keeping: release, redact, diff, migrate, restore, sources."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from culturegraph.cli.terminal import (
    JsonOption,
    PrivateOption,
    StoreOption,
    err,
    out,
    print_json,
    read_settings,
    show_step,
)
from culturegraph.errors import UsageError

verbs = typer.Typer(rich_markup_mode=None)

ReleasesOption = Annotated[
    Path | None, typer.Option("--releases", help="folder of the releases", show_default="releases")
]


class DiffFormat(StrEnum):
    """What differences are written as."""

    text = "text"
    patch = "patch"
    trig = "trig"
    json = "json"


@verbs.command(epilog="Example: culturegraph release 2026.11.0")
def release(
    version: Annotated[str, typer.Argument(help="year, month and number within the month")],
    releases: ReleasesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a release of the commit that is checked out: an immutable folder with every distribution and checksums."""
    from culturegraph.release import make_release

    made = make_release(read_settings(releases=releases), version, progress=show_step)
    if as_json:
        print_json({**made.manifest, "path": str(made.path)})
        return
    out.print(f"{made.path}", markup=False)
    for name, file in made.files.items():
        out.print(f"  {file['sha256'][:16]}  {file['size']:>12,}  {name}", markup=False)
    out.print(f"content hash {made.manifest['content_hash']}", markup=False)


@verbs.command(epilog="Example: culturegraph redact --private-data /srv/private")
def redact(private_data: PrivateOption = None, releases: ReleasesOption = None, as_json: JsonOption = False) -> None:
    """Take what restrictions.csv names out of all releases; they get new checksums and say that they were redacted."""
    from culturegraph.redaction import redact as run

    settings = read_settings(private_data=private_data, releases=releases)
    if settings.private_data is None:
        raise UsageError("say where restrictions.csv is: --private-data DIR")
    versions = run(settings, progress=show_step)
    if as_json:
        print_json({"redacted": versions})
    else:
        out.print(f"redacted: {', '.join(versions) or 'none'}", markup=False)


@verbs.command(epilog="Example: culturegraph diff 2026.10.0 2026.11.0 --format patch -o changes.rdfp")
def diff(
    before: Annotated[str, typer.Argument(help="version, or an N-Quads or TriG file")],
    after: Annotated[str, typer.Argument(help="version, or an N-Quads or TriG file")],
    form: Annotated[DiffFormat, typer.Option("--format", help="text counts by source and thing")] = DiffFormat.text,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="file; standard output without it")] = None,
    releases: ReleasesOption = None,
) -> None:
    """Tell which statements two releases (or files) do not share. Exit code 0 also where there are differences."""
    from culturegraph.files import writing
    from culturegraph.releases.differences import Ontologies, changes_between, write_changes

    folder, ontologies = read_settings(releases=releases).releases, Ontologies()
    options: dict[str, Any] = {"literally": form is DiffFormat.patch, "ontologies": ontologies}
    with show_step("comparing"), changes_between(folder, before, after, **options) as changes, writing(output) as file:
        write_changes(changes, form.value, file, ontologies)


@verbs.command(epilog="Example: culturegraph migrate old.nq --from 1.0.0 --to 2.0.0 -o new.nq")
def migrate(
    data: Annotated[str, typer.Argument(help="version of a release, or an N-Quads, TriG or Turtle file")],
    before: Annotated[str | None, typer.Option("--from", help="ontology version of the data; read from them")] = None,
    after: Annotated[str | None, typer.Option("--to", help="ontology version wanted; the one at hand")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="N-Quads; standard output without it")] = None,
    releases: ReleasesOption = None,
) -> None:
    """Turn data in the terms of an older version of the ontology into those of a newer one (ontology/migrations/)."""
    from culturegraph.files import writing
    from culturegraph.migration import migrate_data

    with show_step("migrating"), writing(output) as file:
        told = migrate_data(read_settings(releases=releases), data, before, after, file)
    err.print(told, markup=False)


@verbs.command(epilog="Example: culturegraph restore 2026.11.0 --store restored")
def restore(
    version: Annotated[str, typer.Argument(help="version of a release")],
    store: StoreOption = None,
    releases: ReleasesOption = None,
) -> None:
    """Publish the snapshot of a release again: its checksums are compared before, its content hash after reading."""
    from culturegraph.release import restore as run

    settings = read_settings(store=store, releases=releases)
    snapshot = run(settings, version, progress=show_step)
    out.print(f"{snapshot.version} restored to {settings.store}, content hash as released", markup=False)


@verbs.command(epilog="Example: culturegraph sources --links -o sources.csv")
def sources(
    links: Annotated[bool, typer.Option("--links", help="ask each address whether it is still there")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="CSV; standard output without it")] = None,
    store: StoreOption = None,
) -> None:
    """Report how long ago each source was read, oldest first, and with --links which of their addresses are dead."""
    from culturegraph.files import writing
    from culturegraph.upkeep import check_links, list_sources, write_report

    found = list_sources(read_settings(store=store), datetime.now(UTC).date())
    if links:
        with show_step(f"asking {len(found)} addresses"):
            found = check_links(found)
    with writing(output) as file, io.TextIOWrapper(file, encoding="utf-8", write_through=True) as text:
        write_report(found, text)
        text.detach()
    oldest = max((source.days or 0 for source in found), default=0)
    told = f"{len(found)} sources, the oldest read {oldest} days ago"
    dead = sum(source.is_dead for source in found)
    err.print(f"{told}, {dead} addresses dead" if links else told, markup=False)
