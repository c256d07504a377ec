"""The command line: one function a verb, no logic. Settings → one library call → text on a terminal, or `--json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from culturegraph import __version__
from culturegraph.errors import CulturegraphError, DataErrors, UsageError
from culturegraph.files import write_whole
from culturegraph.settings import Settings

app = typer.Typer(
    name="culturegraph",
    help="A linked open data knowledge graph of Peruvian cultural expressions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
export_app = typer.Typer(help="Write the published graph in a profile.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(export_app, name="export")

# What the extra `build` brings; a server runs without.
_BUILD_MODULES = frozenset({"csvw", "pyshacl", "rdflib", "SPARQLWrapper", "uritemplate"})

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="folder of the snapshots", show_default=".culturegraph")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


class Engine(StrEnum):
    """The SHACL engines."""

    compiled = "compiled"
    pyshacl = "pyshacl"


class Kind(StrEnum):
    """The outside formats that are ingested."""

    mincetur = "mincetur"
    inei_places = "inei-places"
    csvw = "csvw"
    skos = "skos"
    wikidata = "wikidata"


class Bench(StrEnum):
    """The measurements."""

    tables = "tables"
    reasoning = "reasoning"
    validation = "validation"


class Language(StrEnum):
    """The languages of explanations."""

    es = "es"
    en = "en"


class ReportFormat(StrEnum):
    """The forms of a validation report."""

    text = "text"
    ttl = "ttl"
    json = "json"
    csv = "csv"
    html = "html"


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as errors:
        faults = [f"{fault['loc'][0]}: {fault['msg']} (got {fault['input']!r})" for fault in errors.errors()]
        raise UsageError("; ".join(faults)) from errors


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Show a running step on a terminal; print nothing into a pipe."""
    with err.status(f"{name} …"):
        yield


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


@app.callback(invoke_without_command=True)
def _version(show: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if show:
        out.print(f"culturegraph {__version__}")
        raise typer.Exit


@app.command(epilog="Example: culturegraph build --store /srv/culturegraph")
def build(
    store: StoreOption = None,
    quads: Annotated[
        list[Path] | None, typer.Option("--quads", help="N-Quads or TriG instead of the bundled data")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="SHACL engine")] = Engine.compiled,
    allow_violations: Annotated[bool, typer.Option("--allow-violations", help="publish with violations")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the graph from its files and publish it as a snapshot."""
    from culturegraph import build as building

    settings = _settings(store=store)
    if quads:
        made = building.build_from_quads(settings, quads, progress=_step)
    else:
        made = building.build(settings, progress=_step, engine=engine.value, allow_violations=allow_violations)
    version, total = made.snapshot.version, sum(made.quads_by_graph.values())
    seconds = {step: round(duration, 2) for step, duration in made.seconds_by_step.items()}
    if as_json:
        _print_json(
            {
                "version": version,
                "content_hash": made.content_hash,
                "quads": total,
                "quads_by_graph": made.quads_by_graph,
                "validation": made.report.counts,
                "seconds": seconds,
            }
        )
        return
    steps = ", ".join(f"{step} {duration} s" for step, duration in seconds.items())
    found = ", ".join(f"{number} {severity}" for severity, number in made.report.counts.items()) or "no result"
    out.print(f"published {version}: {total} quads in {len(made.quads_by_graph)} graphs")
    out.print(f"validation: {found}")
    out.print(f"content hash: sha256:{made.content_hash}")
    out.print(f"time: {steps}")


@app.command(epilog="Example: culturegraph serve --port 8123")
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on", show_default="8000")] = None,
    store: StoreOption = None,
) -> None:
    """Serve the graph; build it first where its files changed."""
    from culturegraph.web.server import serve as run

    settings = _settings(host=host, port=port, store=store)
    _build_if_changed(settings)
    run(settings)


def _build_if_changed(settings: Settings) -> None:
    from culturegraph.freshness import is_stale

    if not is_stale(settings):
        return
    try:
        from culturegraph import build as building
    except ImportError:
        # A server installs without what building needs; it serves the snapshot that it is given.
        return
    made = building.build(settings, progress=_step)
    err.print(f"built {made.snapshot.version}: {sum(made.quads_by_graph.values())} quads")


@app.command(epilog="Example: culturegraph check · culturegraph check --coverage")
def check(
    coverage: Annotated[bool, typer.Option("--coverage", help="tell what the graph covers instead")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check tables, ontology, queries, statement coverage and shapes; publish nothing."""
    if coverage:
        _show_coverage(as_json)
        return
    from culturegraph.check import check as run

    findings = run(_settings(), progress=_step)
    if as_json:
        _print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            out.print(f"{'ok   ' if finding.passed else 'FAIL '} {finding.name}: {finding.detail}", markup=False)
            for fault in finding.faults:
                out.print(f"      {fault}", markup=False)
    if not all(finding.passed for finding in findings):
        raise typer.Exit(1)


def _show_coverage(as_json: bool) -> None:
    from culturegraph.coverage import cover

    sections = cover(_settings(), progress=_step)
    if as_json:
        _print_json({section.id: section.to_json() for section in sections})
        return
    for section in sections:
        out.print(f"\n{section.title}", markup=False)
        for line in section.to_text():
            out.print(f"  {line}", markup=False)


@app.command(epilog="Example: culturegraph ingest mincetur inventario.csv -o mincetur.nq --rejects rejects.csv")
def ingest(
    kind: Annotated[Kind, typer.Argument(help="format of the files")],
    files: Annotated[list[Path] | None, typer.Argument(help="files; for wikidata, query files instead of ours")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="N-Quads; standard output without it")] = None,
    rejects: Annotated[Path | None, typer.Option(help="CSV of what is not carried over, with reasons")] = None,
    source: Annotated[str | None, typer.Option(help="id of the source, as in sources.csv")] = None,
    describe: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the source: title, url, licence …")] = None,
    gazetteer: Annotated[Path | None, typer.Option(help="list of districts instead of places.csv")] = None,
    candidates: Annotated[Path | None, typer.Option(help="skos: SSSOM file of labels equal to ours")] = None,
    endpoint: Annotated[str | None, typer.Option(help="wikidata: address of the SPARQL endpoint")] = None,
    state: Annotated[Path | None, typer.Option(help="wikidata: file of answered pages, to go on from")] = None,
    delay: Annotated[float | None, typer.Option(help="wikidata: seconds between requests")] = None,
    page: Annotated[int | None, typer.Option(help="wikidata: solutions asked for at a time")] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a published data set into N-Quads and a file of rejects."""
    from culturegraph.sources.adapters.ingestion import ingest as run
    from culturegraph.sources.adapters.ingestion import plan_job

    given = {
        "gazetteer": gazetteer,
        "candidates": candidates,
        "endpoint": endpoint,
        "state": state,
        "delay": delay,
        "page": page,
    }
    options = {name: str(value) for name, value in given.items() if value is not None}
    described = _pairs(describe or [])
    job = plan_job(_settings(), kind.value, tuple(files or ()), source=source, described=described, options=options)
    with _step(f"reading {kind.value}"):
        tally = run(kind.value, job, output, rejects)
    # Standard output may be the quads.
    for line in [json.dumps(tally.to_json(), ensure_ascii=False)] if as_json else tally.to_text():
        err.print(line, markup=False)


def _pairs(given: list[str]) -> dict[str, str]:
    faulty = [pair for pair in given if "=" not in pair]
    if faulty:
        raise UsageError(f"--describe takes NAME=VALUE, not {faulty[0]!r}")
    return dict(pair.split("=", 1) for pair in given)


@app.command(epilog="Example: culturegraph bench tables --json figures.json")
def bench(
    name: Annotated[Bench, typer.Argument(help="what is measured")],
    sizes: Annotated[str | None, typer.Option(help="sizes, as N,N")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures to a file")] = None,
) -> None:
    """Measure a part of culturegraph beside what it is compared with; print a table in Markdown."""
    from culturegraph.bench.figures import measure

    with _step(f"measuring {name.value}"):
        figures = measure(name.value, _settings(), sizes)
    if json_file is not None:
        json_file.write_text(json.dumps(figures.to_json(), indent=2) + "\n", encoding="utf-8")
    out.print(figures.to_markdown(), markup=False)
    for remark in figures.remarks:
        err.print(remark, markup=False)


@app.command(
    epilog="Example: culturegraph validate my.ttl · culturegraph validate copy/norms.csv --format html -o report.html"
)
def validate(
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="DATA…", help="RDF files, CSVW packages, copies of our tables, endpoints; ours without"),
    ] = None,
    shapes: Annotated[list[Path] | None, typer.Option("--shapes", help="SHACL files; ours without")] = None,
    engine: Annotated[Engine, typer.Option(help="SHACL engine")] = Engine.compiled,
    fmt: Annotated[ReportFormat, typer.Option("--format", help="form of the report")] = ReportFormat.text,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="file; standard output without it")] = None,
) -> None:
    """Validate data by shapes. Exit code 1 where there is a violation."""
    from culturegraph.judgement import FORMS, judge

    report = judge(_settings(), data or [], shapes or [], engine=engine.value, progress=_step)
    text = FORMS[fmt.value](report)
    if output is None:
        sys.stdout.write(text)
    else:
        write_whole(output, text.encode())
    if report.violations:
        raise typer.Exit(1)


@app.command(epilog="Example: culturegraph query cq-19 --format csv · echo 'ASK {}' | culturegraph query -")
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

    settings = _settings(store=store)
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


@app.command(epilog="Example: culturegraph explain id/place/pe-2201 cg:within id/place/pe --lang en")
def explain(
    terms: Annotated[list[str], typer.Argument(metavar="S P O", help="a statement as in Turtle, or its hash alone")],
    lang: Annotated[Language, typer.Option(help="language of the explanation")] = Language.es,
    as_turtle: Annotated[bool, typer.Option("--turtle", help="print the proof as RDF (PROV)")] = False,
    store: StoreOption = None,
) -> None:
    """Say why a statement is in the graph: its proof, down to asserted statements and their sources."""
    from culturegraph.explanation.answer import as_provenance, as_sentences, find

    settings = _settings(store=store)
    found = find(settings, terms)
    sys.stdout.write(as_provenance(found) if as_turtle else as_sentences(found, lang.value))


@export_app.command("nquads", epilog="Example: culturegraph export nquads -o culturegraph.nq")
def export_nquads(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="file; standard output without it")] = None,
    store: StoreOption = None,
) -> None:
    """Write all named graphs as sorted N-Quads."""
    from culturegraph.exports.nquads import export

    settings = _settings(store=store)
    with _step("exporting"):
        export(settings.store, output)


@export_app.command("owl-data", epilog="Example: culturegraph export owl-data -o instances.nt")
def export_owl_data(
    output: Annotated[Path, typer.Option("-o", "--output", help="file")], store: StoreOption = None
) -> None:
    """Write the instance data as N-Triples without literals that OWL 2 has no datatype for; say what was left out."""
    from culturegraph.exports.owl_data import export

    written, left_out = export(_settings(store=store).store, output)
    err.print(f"{written} triples written", markup=False)
    for datatype, number in sorted(left_out.items()):
        err.print(f"left out: {number} of {datatype}", markup=False)


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
        if missing.name is None or missing.name.partition(".")[0] not in _BUILD_MODULES:
            raise
        err.print(f"this needs {missing.name}: install culturegraph[build]", markup=False)
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
