"""The command line: one function a verb, no logic. Settings → one library call → text on a terminal, or `--json`.

A module holds the verbs of one purpose; what they share is in `terminal`.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from culturegraph import __version__
from culturegraph.cli import (
    asking,
    building,
    exporting,
    ingesting,
    judging,
    linking,
    publishing,
    records,
    releasing,
    tokens,
)
from culturegraph.cli.terminal import err, out
from culturegraph.errors import CulturegraphError, DataErrors, UsageError

app = typer.Typer(
    name="culturegraph",
    help="A linked open data knowledge graph of Peruvian cultural expressions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# In the order of `--help`.
for _group in (building, ingesting, judging, asking, linking, releasing, publishing):
    app.add_typer(_group.verbs)
exporting.verbs.add_typer(records.verbs)
app.add_typer(exporting.verbs, name="export")
app.add_typer(tokens.verbs, name="token")

# What the extras bring; a server runs without.
_EXTRAS = dict.fromkeys(("csvw", "pyshacl", "rdflib", "SPARQLWrapper", "uritemplate"), "build") | dict.fromkeys(
    ("openpyxl", "xlsxwriter"), "tables"
)


@app.callback(invoke_without_command=True)
def _version(show: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if show:
        out.print(f"culturegraph {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; turn every known error into a message and its exit code."""
    try:
        # Outside its stand-alone mode the framework returns the code of an Exit instead of leaving.
        sys.exit(app(standalone_mode=False) or 0)
    except DataErrors as errors:
        for error in errors.errors:
            err.print(str(error), markup=False)
        err.print(f"{errors.title}: {errors.args[0]}", markup=False)
        sys.exit(errors.exit_code)
    except CulturegraphError as error:
        err.print(f"{error.title}: {error}", markup=False)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as missing:
        extra = _EXTRAS.get((missing.name or "").partition(".")[0])
        if extra is None:
            raise
        err.print(f"this needs {missing.name}: install culturegraph[{extra}]", markup=False)
        sys.exit(UsageError.exit_code)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        # Click reports bad usage by exceptions of its own, with the text that the user should see.
        show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
        if show is None or code is None:
            raise
        show()
        sys.exit(code)
