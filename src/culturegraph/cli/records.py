"""Verbs that write records for libraries: export marcxml, export marc, export mixnmatch, export skos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from culturegraph.cli.terminal import StoreOption, err, read_settings, write_profile
from culturegraph.errors import UsageError

verbs = typer.Typer()
KindOption = Annotated[
    list[str] | None, typer.Option("--kind", help="person, people, place, genre … (see queries/exports); all without")
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", help="file; standard output without it")]


def _export_records(form: str, kinds: list[str] | None, output: Path | None, store: Path | None) -> None:
    """Write records in a form, and show how many there are by now."""
    from culturegraph.exports import marc, mixnmatch
    from culturegraph.exports.records import Records
    from culturegraph.store.snapshot import open_current

    settings = read_settings(store=store)
    snapshot, written = open_current(settings.store), 0
    records = Records(snapshot.store, settings.queries)
    with err.status("reading the graph …") as status:
        known = records.check_kinds(kinds or [])
        steps = (
            mixnmatch.export(records, known, output)
            if form == "mixnmatch"
            else marc.export(records, known, output, form, lambda _: snapshot.built)
        )
        for written in steps:
            status.update(f"{written} of {len(records.entries)} records …")
    err.print(f"{written} records written", markup=False)


@verbs.command("marcxml", epilog="Example: culturegraph export marcxml -o authorities.xml --kind people")
def export_marcxml(kind: KindOption = None, output: OutputOption = None, store: StoreOption = None) -> None:
    """Write MARC 21 authority records as MARCXML."""
    _export_records("marcxml", kind, output, store)


@verbs.command("marc", epilog="Example: culturegraph export marc -o authorities.mrc")
def export_marc(kind: KindOption = None, output: OutputOption = None, store: StoreOption = None) -> None:
    """Write MARC 21 authority records as ISO 2709 (UTF-8)."""
    _export_records("marc", kind, output, store)


@verbs.command(
    "mixnmatch", epilog="Example: culturegraph export mixnmatch --kind people --kind language -o peoples.tsv"
)
def export_mixnmatch(kind: KindOption = None, output: OutputOption = None, store: StoreOption = None) -> None:
    """Write a catalogue for Mix'n'match (TSV), by which Wikidata's volunteers link the records."""
    _export_records("mixnmatch", kind, output, store)


@verbs.command("skos", epilog="Example: culturegraph export skos expression-types -o expression-types.ttl")
def export_skos(
    scheme: Annotated[
        str | None, typer.Argument(help="id of the scheme, as in /schemes/{id}", show_default="all concepts")
    ] = None,
    output: OutputOption = None,
    form: Annotated[str, typer.Option("--format", help="ttl, rdf, nt, jsonld")] = "ttl",
    store: StoreOption = None,
) -> None:
    """Write a concept scheme with all its alignments; without a scheme, all concepts, one record each."""
    if scheme is None:
        write_profile("skos", form, output, store)
        return
    from culturegraph.exports.skos_scheme import export
    from culturegraph.rdf.formats import GRAPHS
    from culturegraph.store.snapshot import open_current

    chosen = next((offer.rdf for offer in GRAPHS if offer.is_called(form) and offer.rdf is not None), None)
    if chosen is None:
        raise UsageError(f"{form!r} is no RDF format; there are ttl, rdf, nt, jsonld")
    settings = read_settings(store=store)
    matches = export(open_current(settings.store).store, settings.queries, scheme, output, chosen)
    err.print(f"{matches} alignments written", markup=False)
