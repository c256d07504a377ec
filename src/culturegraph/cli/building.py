"""Verbs that make the graph and serve it: build, serve, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from culturegraph.cli.terminal import (
    EndpointOption,
    Engine,
    JsonOption,
    PrivateBuildOption,
    PrivateOption,
    StoreOption,
    TablesOption,
    check_private,
    err,
    out,
    print_json,
    read_settings,
    show_step,
)
from culturegraph.settings import Settings

verbs = typer.Typer()


@verbs.command(epilog="Example: culturegraph build --store /srv/culturegraph")
def build(
    store: StoreOption = None,
    quads: Annotated[
        list[Path] | None, typer.Option("--quads", help="N-Quads or TriG instead of the bundled data")
    ] = None,
    private_data: PrivateOption = None,
    private: PrivateBuildOption = False,
    tables: TablesOption = None,
    engine: Annotated[Engine, typer.Option(help="SHACL engine")] = Engine.compiled,
    allow_violations: Annotated[bool, typer.Option("--allow-violations", help="publish with violations")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the graph from its files and publish it as a snapshot."""
    from culturegraph import build as building
    from culturegraph.releases.folder import list_releases

    settings = read_settings(store=store, private_data=private_data, private=private or None, tables=tables)
    check_private(settings)
    if quads:
        made = building.build_from_quads(settings, quads, progress=show_step)
    else:
        made = building.build(settings, progress=show_step, engine=engine.value, allow_violations=allow_violations)
    for error in made.idle:
        err.print(f"note: {error}", markup=False)
    if made.has_hidden and list_releases(settings.releases):
        err.print("note: releases that are out already are redacted by `culturegraph redact`", markup=False)
    version, total = made.snapshot.version, sum(made.quads_by_graph.values())
    seconds = {step: round(duration, 2) for step, duration in made.seconds_by_step.items()}
    if as_json:
        print_json(
            {
                "version": version,
                "content_hash": made.content_hash,
                "quads": total,
                "quads_by_graph": made.quads_by_graph,
                "validation": made.report.counts,
                "private": settings.private,
                "restrictions_without_effect": list(map(str, made.idle)),
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


@verbs.command(
    epilog="Example: culturegraph serve --port 8123 · culturegraph serve --endpoint https://example.org/ds/query"
)
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on", show_default="8000")] = None,
    store: StoreOption = None,
    endpoint: EndpointOption = None,
    private_data: PrivateOption = None,
    private: PrivateBuildOption = False,
    tokens: Annotated[Path | None, typer.Option("--tokens", help="file of tokens: who has none is not let in")] = None,
    tables: TablesOption = None,
    single_process: Annotated[
        bool, typer.Option("--single-process", help="threads instead of processes: no query can be killed")
    ] = False,
) -> None:
    """Serve the graph; build it first where its files changed. With --endpoint: what is published in another store."""
    from culturegraph.server.allocator import is_restarted, restart_lean
    from culturegraph.web.server import serve as run

    settings = read_settings(
        host=host,
        port=port,
        store=store,
        single_process=single_process or None,
        endpoints=tuple(endpoint or ()) or None,
        private_data=private_data,
        private=private or None,
        tokens=tokens,
        tables=tables,
    )
    if settings.endpoints:
        run(settings, progress=show_step)
        return
    check_private(settings)
    if not is_restarted():
        _build_if_changed(settings)
        restart_lean(jemalloc=settings.jemalloc)
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
    made = building.build(settings, progress=show_step)
    err.print(f"built {made.snapshot.version}: {sum(made.quads_by_graph.values())} quads")


@verbs.command(epilog="Example: culturegraph check · culturegraph check --coverage")
def check(
    coverage: Annotated[bool, typer.Option("--coverage", help="tell what the graph covers instead")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check tables, ontology, queries, statement coverage and shapes; publish nothing."""
    if coverage:
        _show_coverage(as_json)
        return
    from culturegraph.check import check as run

    findings = run(read_settings(), progress=show_step)
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            out.print(f"{'ok   ' if finding.passed else 'FAIL '} {finding.name}: {finding.detail}", markup=False)
            for fault in finding.faults:
                out.print(f"      {fault}", markup=False)
    if not all(finding.passed for finding in findings):
        raise typer.Exit(1)


def _show_coverage(as_json: bool) -> None:
    from culturegraph.coverage import cover

    sections = cover(read_settings(), progress=show_step)
    if as_json:
        print_json({section.id: section.to_json() for section in sections})
        return
    for section in sections:
        out.print(f"\n{section.title}", markup=False)
        for line in section.to_text():
            out.print(f"  {line}", markup=False)
