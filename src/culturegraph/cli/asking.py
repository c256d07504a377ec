"""Verbs that ask the published graph: query, explain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from culturegraph.cli.terminal import Language, StoreOption, out, read_settings
from culturegraph.errors import UsageError
from culturegraph.settings import Settings

verbs = typer.Typer()


@verbs.command(epilog="Example: culturegraph query cq-19 --format csv · echo 'ASK {}' | culturegraph query -")
def query(
    source: Annotated[
        str, typer.Argument(metavar="FILE|ID|-", help="query file, id of a bundled query, or - for input")
    ],
    fmt: Annotated[
        str | None, typer.Option("--format", help="json xml csv tsv turtle ntriples jsonld rdfxml trig nquads")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Run a query on the published graph."""
    from culturegraph.store.snapshot import open_current

    settings = read_settings(store=store)
    text = _query_text(source, settings)
    snapshot = open_current(settings.store)
    if fmt is None and sys.stdout.isatty():
        _print_table(snapshot, text)
        return
    from culturegraph.store.evaluators import evaluate_to

    evaluate_to(snapshot, text, fmt, sys.stdout.buffer)


def _query_text(source: str, settings: Settings) -> str:
    from culturegraph.queries import read_queries, read_query

    if source == "-":
        return sys.stdin.read()
    path = Path(source)
    if path.is_file():
        return path.read_text(encoding="utf-8") if path.suffix != ".rq" else read_query(path).text
    for known in read_queries(settings.queries):
        if known.id == source:
            return known.text
    raise UsageError(f"{source!r} is neither a file nor the id of a bundled query")


def _print_table(snapshot: Any, text: str) -> None:
    from culturegraph.store.evaluators import evaluate_rows

    header, rows = evaluate_rows(snapshot, text)
    table = Table(*header, row_styles=["", "dim"])
    for row in rows:
        table.add_row(*row)
    out.print(table)


@verbs.command(epilog="Example: culturegraph explain id/place/pe-2201 cg:within id/place/pe --lang en")
def explain(
    terms: Annotated[list[str], typer.Argument(metavar="S P O", help="a statement as in Turtle, or its hash alone")],
    lang: Annotated[Language, typer.Option(help="language of the explanation")] = Language.es,
    as_turtle: Annotated[bool, typer.Option("--turtle", help="print the proof as RDF (PROV)")] = False,
    store: StoreOption = None,
) -> None:
    """Say why a statement is in the graph: its proof, down to asserted statements and their sources."""
    from culturegraph.explanation.answer import as_provenance, as_sentences, find

    settings = read_settings(store=store)
    found = find(settings, terms)
    sys.stdout.write(as_provenance(found) if as_turtle else as_sentences(found, lang.value))
