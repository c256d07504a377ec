"""Verbs that ask the published graph: query, search, explain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from culturegraph.cli.terminal import JsonOption, Language, StoreOption, err, out, print_json, read_settings
from culturegraph.errors import UsageError
from culturegraph.rdf.vocabulary import BASE
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


@verbs.command(
    epilog="Example: culturegraph search 'danza de tijeras' · culturegraph search fiesta --type Festivity --json"
)
def search(
    text: Annotated[str, typer.Argument(help="name, part of a name, identifier or IRI; empty for everything")] = "",
    types: Annotated[list[str] | None, typer.Option("--type", help="class of our ontology, as Dance")] = None,
    narrow: Annotated[
        list[str] | None, typer.Option("--narrow", help="FACET=VALUE, as department=pe-21 or people=awajun")
    ] = None,
    limit: Annotated[int, typer.Option(help="results shown", min=1, max=100)] = 20,
    lang: Annotated[Language, typer.Option(help="language of names")] = Language.es,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Search the published graph by name, variant or identifier. Exit code 0 whether something is found or not."""
    from culturegraph.protocols.search import open_searcher
    from culturegraph.protocols.search_answers import to_json
    from culturegraph.protocols.search_request import read_request

    settings = read_settings(store=store)
    searcher = open_searcher(settings, lang.value)
    chosen = [("type", name) for name in types or ()] + list(_pairs(narrow or []))
    if unknown := {name for name, _ in chosen} - set(searcher.index.facets):
        raise UsageError(f"{unknown.pop()!r} is no facet; facets: {', '.join(searcher.index.facets)}")
    results = searcher.search(read_request([("q", text), ("size", str(limit)), *chosen], searcher.index.facets))
    if as_json:
        print_json(to_json(results, lang.value))
        return
    for facet, value in results.ignored:
        err.print(f"not in the graph, ignored: {facet}={value}", markup=False)
    table = Table("name", "type", row_styles=["", "dim"])
    table.add_column("below the base IRI", no_wrap=True)
    for item in results.items:
        kinds = ", ".join(kind.name.text for kind in item.types)
        table.add_row(Text(item.name.text), Text(kinds), Text(item.iri.removeprefix(BASE)))
    out.print(table)
    out.print(f"{len(results.items)} of {results.total}")


def _pairs(given: list[str]) -> list[tuple[str, str]]:
    if faulty := [pair for pair in given if "=" not in pair]:
        raise UsageError(f"--narrow takes FACET=VALUE, not {faulty[0]!r}")
    return [(name, value) for name, _, value in (pair.partition("=") for pair in given)]


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
