"""Verbs that measure and judge: bench, validate."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from culturegraph.cli.terminal import Engine, err, out, read_settings, show_step
from culturegraph.errors import UsageError
from culturegraph.files import write_whole

verbs = typer.Typer()


class Bench(StrEnum):
    """The measurements."""

    endpoint = "endpoint"
    tables = "tables"
    reasoning = "reasoning"
    validation = "validation"
    reconciliation = "reconciliation"
    pages = "pages"
    scale = "scale"
    exports = "exports"
    explanation = "explanation"


class ReportFormat(StrEnum):
    """The forms of a validation report."""

    text = "text"
    ttl = "ttl"
    json = "json"
    csv = "csv"
    html = "html"


@verbs.command(
    epilog="Example: culturegraph bench tables --json figures.json · "
    "culturegraph bench endpoint --rounds 3 --parts light,mixed --picture endpoint.svg"
)
def bench(
    name: Annotated[Bench, typer.Argument(help="what is measured")],
    sizes: Annotated[str | None, typer.Option(help="sizes, as N,N")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures to a file")] = None,
    picture: Annotated[Path | None, typer.Option(help="endpoint, scale: write an SVG of the figures to a file")] = None,
    seed: Annotated[int | None, typer.Option(help="endpoint, pages: of what is random", show_default="1")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="endpoint, pages: rounds", show_default="5")] = None,
    parts: Annotated[
        str | None,
        typer.Option(
            help="endpoint: some of light,kinds,mixed,dashboard,stream,text,hostile; "
            "scale: some of publish,disk,memory,validation,inference; all without"
        ),
    ] = None,
) -> None:
    """Measure a part of culturegraph beside what it is compared with; print a table in Markdown."""
    from culturegraph.bench.figures import Options, measure

    with err.status(f"measuring {name.value} …") as status:
        options = Options(sizes, seed, rounds, parts, lambda step: status.update(f"{step} …"))
        figures = measure(name.value, read_settings(), options)
    if picture is not None:
        if figures.picture is None:
            raise UsageError(f"the benchmark {name.value} draws no picture")
        write_whole(picture, figures.picture.encode())
    if json_file is not None:
        json_file.write_text(json.dumps(figures.to_json(), indent=2) + "\n", encoding="utf-8")
    out.print(figures.to_markdown(), markup=False)
    for remark in figures.remarks:
        err.print(remark, markup=False)


@verbs.command(
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
    workers: Annotated[int, typer.Option(min=1, max=256, help="processes that divide the focus nodes")] = 1,
    share: Annotated[
        str | None, typer.Option(help="judge one share of the focus nodes, as 2/8: on one machine of 8")
    ] = None,
) -> None:
    """Validate data by shapes. Exit code 1 where there is a violation."""
    from culturegraph.judgement import FORMS, judge
    from culturegraph.validation.partitions import Share

    part = None if share is None else Share.read(share)
    if part is not None and workers > 1:
        raise UsageError("give --share or --workers")
    settings = read_settings()
    report = judge(
        settings,
        data or [],
        shapes or [],
        engine=engine.value,
        progress=show_step,
        processes=workers,
        share=part,
    )
    text = FORMS[fmt.value](report)
    if output is None:
        sys.stdout.write(text)
    else:
        write_whole(output, text.encode())
    if report.violations:
        raise typer.Exit(1)
