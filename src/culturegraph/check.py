"""Is what lies in the files fit to be published? Runs everything that needs no server, publishes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import Quad, Store

from culturegraph.build import Progress, assemble, memory_store, read_shapes, silent
from culturegraph.errors import DataError, DataErrors
from culturegraph.exports.data_cube import build_cube, count_observations, find_faults
from culturegraph.exports.profiles.profile import read_profiles
from culturegraph.linking.duplicates import find_duplicates
from culturegraph.protocols.browsing import check_listing
from culturegraph.protocols.dashboards import read_dashboards
from culturegraph.protocols.facets import check_facet
from culturegraph.queries import QueryFile, check_syntax, read_queries
from culturegraph.rdf.graphs import VALIDATION, read_rdf
from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.releases.migrations import FOLDER as MIGRATIONS
from culturegraph.releases.migrations import read_migrations
from culturegraph.settings import Settings
from culturegraph.validation import validate

_ROWS_SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One check: passed or not, with one line that says what was seen and the faults if there were any."""

    name: str
    passed: bool
    detail: str
    faults: tuple[str, ...] = ()


def _select(store: Store, query: QueryFile) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a SELECT query, each cell as its plain value."""
    solutions: Any = store.query(query.text, prefixes=dict(PREFIXES))
    header = [variable.value for variable in solutions.variables]
    rows = [[getattr(cell, "value", str(cell)) if cell else "" for cell in row] for row in solutions]
    return header, rows


def check_queries(queries: Sequence[QueryFile], folder: Path) -> Finding:
    """Parse every query file, and the heads that make pages, charts and dashboards of some."""
    faults = [
        str(error)
        for check_part in (check_syntax, check_listing, check_facet)
        for error in map(check_part, queries)
        if error
    ]
    try:
        read_dashboards(folder / "dashboards", queries)
    except DataError as error:
        faults.append(str(error))
    return Finding("queries", not faults, f"{len(queries)} files parse", tuple(faults))


def check_rule(store: Store, query: QueryFile) -> Finding:
    """Run one query of `queries/checks/`: no row is a pass, each row is a fault."""
    header, rows = _select(store, query)
    shown = [", ".join(f"{name} {cell}" for name, cell in zip(header, row, strict=True)) for row in rows[:_ROWS_SHOWN]]
    if len(rows) > _ROWS_SHOWN:
        shown.append(f"… and {len(rows) - _ROWS_SHOWN} more")
    return Finding(query.id, not rows, query.title["en"], tuple(shown))


def check_statement(store: Store, folder: Path) -> Finding:
    """Count how many of the statement's mentions lead to a typed, labelled entity."""
    query = next(query for query in read_queries(folder / "pages") if query.id == "statement-coverage")
    _, rows = _select(store, query)
    covered, total = map(int, rows[0])
    return Finding("statement", total > 0 and covered == total, f"coverage {covered} of {total}")


def check_duplicates(quads: Sequence[Quad]) -> Finding:
    """Look for entities that may be one thing and that no verdict of `mappings.csv` names."""
    suspects = find_duplicates(quads)
    shown = [f"{suspect.likeness:.2f}  {suspect.first}  {suspect.second}" for suspect in suspects[:_ROWS_SHOWN]]
    return Finding("duplicates", not suspects, f"{len(suspects)} suspected without a verdict", tuple(shown))


def check_data_cube(quads: Sequence[Quad], folder: Path) -> Finding:
    """Make the data cube of the figures and hold it to the integrity constraints of its specification."""
    if not folder.is_dir():
        return Finding("data-cube", True, "no cube is described")
    store = Store()
    store.bulk_extend(quads)
    cube = build_cube(store, folder)
    faults = find_faults(cube, folder)
    return Finding("data-cube", not faults, f"{count_observations(cube)} observations", tuple(faults))


def check_migrations(folder: Path) -> Finding:
    """Read every migration of the ontology, and the order of their steps."""
    try:
        steps = read_migrations(folder)
    except DataErrors as errors:
        return Finding("migrations", False, f"{len(errors.errors)} errors", tuple(map(str, errors.errors)))
    return Finding("migrations", True, f"{len(steps)} steps of the ontology's version")


def check_profiles(queries: Path) -> Finding:
    """Read every profile of export, and its shapes."""
    try:
        profiles = read_profiles(queries)
        for profile in profiles.values():
            if (profile.folder / "shapes.ttl").is_file():
                read_rdf(profile.folder / "shapes.ttl", VALIDATION)
    except DataErrors as errors:
        return Finding("profiles", False, f"{len(errors.errors)} errors", tuple(map(str, errors.errors)))
    except DataError as error:
        return Finding("profiles", False, "1 error", (str(error),))
    return Finding("profiles", True, f"{len(profiles)} profiles of export")


def check(settings: Settings, *, progress: Progress = silent) -> list[Finding]:
    """Check tables, queries and what they demand, statement, migrations, profiles, cube, duplicates and shapes.

    Stops after the tables where they are faulty, since nothing else could be judged then.
    """
    try:
        assembled = assemble(settings, progress)
    except DataErrors as errors:
        return [Finding("tables", False, str(len(errors.errors)) + " errors", tuple(map(str, errors.errors)))]
    rows = sum(assembled.rows.values())
    store = memory_store(assembled.quads)
    with progress("queries"):
        queries = read_queries(settings.queries)
        findings = [
            Finding("tables", True, f"{rows} rows of {len(assembled.rows)} tables, {len(assembled.quads)} quads"),
            check_queries(queries, settings.queries),
        ]
        if findings[-1].passed:
            findings += [check_rule(store, query) for query in queries if query.kind == "checks"]
            findings.append(check_statement(store, settings.queries))
            findings.append(check_migrations(settings.ontology / MIGRATIONS))
            findings.append(check_profiles(settings.queries))
            findings.append(check_data_cube(assembled.quads, settings.queries / "data-cube"))
        findings.append(check_duplicates(list(assembled.quads)))
    with progress("shapes"):
        report = validate(assembled.quads, read_shapes(settings.shapes), origin=assembled.origin)
    shown = ", ".join(f"{number} {severity}" for severity, number in report.counts.items()) or "no result"
    faults = tuple(report.to_text().splitlines()) if report.violations else ()
    return [*findings, Finding("shapes", not report.violations, shown, faults)]
