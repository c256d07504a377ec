"""What all verbs share: the terminal, the settings of a run, the options that recur."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from culturegraph.errors import UsageError
from culturegraph.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="folder of the snapshots", show_default=".culturegraph")
]
PrivateOption = Annotated[
    Path | None, typer.Option("--private-data", help="folder with restrictions.csv: what must not be shown")
]
EndpointOption = Annotated[
    list[str] | None, typer.Option("--endpoint", help="SPARQL endpoint of another store; several are replicas")
]
PrivateBuildOption = Annotated[
    bool, typer.Option("--private", help="with the private rows and all that is restricted; for a store of its own")
]
TablesOption = Annotated[Path | None, typer.Option("--tables", help="folder of further rows for the tables of data/")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


class Engine(StrEnum):
    """The SHACL engines."""

    compiled = "compiled"
    pyshacl = "pyshacl"


class Language(StrEnum):
    """The languages of explanations."""

    es = "es"
    en = "en"


def read_settings(**given: Any) -> Settings:
    """Return the settings with what the options gave. Raises UsageError where a value is out of range."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as errors:
        faults = [f"{fault['loc'][0]}: {fault['msg']} (got {fault['input']!r})" for fault in errors.errors()]
        raise UsageError("; ".join(faults)) from errors


def check_private(settings: Settings) -> None:
    """Raise UsageError where a folder of rows is asked for that is not there."""
    if settings.private and settings.private_data is None:
        raise UsageError("say where the private rows are: --private-data DIR")
    for folder in settings.additions:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder")


@contextmanager
def show_step(name: str) -> Iterator[None]:
    """Show a running step on a terminal; print nothing into a pipe."""
    with err.status(f"{name} …"):
        yield


@contextmanager
def show_export() -> Iterator[Callable[[str, str, int, int], None]]:
    """Show on a terminal how far an export is; give what is told of it."""
    with err.status("reading the graph …") as status:

        def tell(profile: str, form: str, done: int, total: int) -> None:
            status.update(f"{profile}.{form}: {done} of {total} records …")

        yield tell


def write_profile(
    name: str,
    fmt: str | None,
    output: Path | None,
    store: Path | None,
    rejects: Path | None = None,
    lang: str = "es",
) -> None:
    """Write a profile of queries/exports/profiles, and what is left out of it where that is asked for."""
    from culturegraph.exports.profiles.bulk import write_profile, write_rejects
    from culturegraph.exports.profiles.export import Export
    from culturegraph.exports.profiles.profile import read_profile
    from culturegraph.files import write_whole
    from culturegraph.store.snapshot import open_current

    settings = read_settings(store=store)
    profile = read_profile(settings.queries, name)
    form = profile.check_format(fmt)
    export = Export(profile, open_current(settings.store).store, lang)
    with show_export() as progress:
        made = write_profile(export, form, output, progress)
    if rejects:
        write_whole(rejects, write_rejects(export))
    err.print(str(made), markup=False)


def print_json(value: Any) -> None:
    """Write a value as JSON for machines."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
