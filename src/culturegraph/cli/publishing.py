"""The verb that brings a snapshot into a store on another server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from culturegraph.cli.terminal import (
    EndpointOption,
    JsonOption,
    StoreOption,
    err,
    out,
    print_json,
    read_settings,
    show_step,
)
from culturegraph.errors import UsageError

verbs = typer.Typer()


@verbs.command(epilog="Example: culturegraph publish --endpoint http://localhost:3030/ds/query")
def publish(
    endpoint: EndpointOption = None,
    graph_store: Annotated[
        str | None, typer.Option("--graph-store", help="address of the Graph Store Protocol, where it is not found")
    ] = None,
    update: Annotated[str | None, typer.Option("--update", help="address of SPARQL updates, used instead")] = None,
    nquads: Annotated[
        Path | None, typer.Option("--nquads", help="write the generation to a file for the store's bulk loader instead")
    ] = None,
    keep: Annotated[int, typer.Option("--keep", min=1, help="generations that the store keeps")] = 2,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load the published snapshot into a SPARQL store as a new generation, verify it, and switch to it.

    User and password are read from CULTUREGRAPH_ENDPOINT_USER and CULTUREGRAPH_ENDPOINT_PASSWORD.
    """
    from culturegraph.store.remote.graph_store import Addresses
    from culturegraph.store.remote.publishing import publish_everywhere, write_generation
    from culturegraph.store.snapshot import open_current, read_current_manifest

    settings = read_settings(store=store, endpoints=tuple(endpoint or ()) or None)
    if read_current_manifest(settings.store).get("private"):
        raise UsageError("a private snapshot stays here: another store would ask nobody for a token")
    if nquads is not None:
        with show_step(f"write {nquads}"):
            count = write_generation(open_current(settings.store), nquads)
        err.print(f"wrote {count:,} quads to {nquads}", markup=False)
        return
    if not settings.endpoints:
        raise UsageError("name the store: --endpoint URL")
    if len(settings.endpoints) > 1 and (graph_store or update):
        raise UsageError("--graph-store and --update go with one --endpoint; publish to each by itself")
    made = publish_everywhere(settings, Addresses(graph_store, update), keep=keep, progress=show_step)
    if as_json:
        print_json([{"endpoint": address, **vars(done), "graphs": len(done.graphs)} for address, done in made])
        return
    for address, done in made:
        told = (
            "was published already"
            if done.was_current
            else f"published: {done.triples:,} triples in {len(done.graphs)} graphs, verified; {done.sent:,} sent"
            + (", gone on with after a cut" if done.resumed else "")
        )
        out.print(f"{address}: generation {done.generation} {told}", markup=False)
