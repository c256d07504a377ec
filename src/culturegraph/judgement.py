"""Validation of what somebody brings: files, a table, an endpoint, by our shapes or by theirs.

The ontology comes along as context, so that a thing that is only called a ministry is judged as an institution too; of
the context itself nothing is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

from pyoxigraph import NamedNode, Quad

from culturegraph.build import Progress, assemble, memory_store, read_shapes, silent
from culturegraph.errors import DataErrors, StorageError, UsageError
from culturegraph.rdf.graphs import INFERRED, VALIDATION, read_quads, read_rdf
from culturegraph.reasoning import infer, read_rules
from culturegraph.settings import Settings
from culturegraph.sources.bundle import read_ontology
from culturegraph.sources.endpoint import fetch
from culturegraph.sources.tables import Origin, read_tables
from culturegraph.validation import Report, validate
from culturegraph.validation.partitions import Share

FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": Report.to_text,
    "ttl": Report.to_turtle,
    "json": Report.to_json,
    "csv": Report.to_csv,
    "html": Report.to_html,
}
_DATASETS = frozenset({".nq", ".trig"})
_GIVEN = NamedNode("urn:x-culturegraph:given")


def _read(argument: str) -> tuple[list[Quad], Mapping[Quad, Origin]]:
    if argument.startswith(("http://", "https://")):
        return fetch(argument), {}
    path = Path(argument)
    if not path.exists():
        raise StorageError(f"{path} cannot be read: there is no such file")
    if path.is_dir():
        path = path / "csv-metadata.json"
    if path.suffix == ".json":
        tables = read_tables(path)
        return tables.quads, tables.origin
    return (read_quads([path]) if path.suffix in _DATASETS else read_rdf(path, _GIVEN)), {}


def _judge_tables(
    settings: Settings, paths: Sequence[Path], shapes: Sequence[Quad], run: Callable[..., Report]
) -> Report:
    """Judge copies of our own tables in the place of the originals; report what concerns their rows."""
    assembled = assemble(settings, replacements={path.name: path for path in paths})
    report = run(assembled.quads, shapes, origin=assembled.origin)
    names = {path.name for path in paths}
    return Report.of(result for result in report.results if result.row and result.row.split(":")[0] in names)


def _with_context(settings: Settings, quads: Sequence[Quad]) -> list[Quad]:
    context, errors = read_ontology(settings.ontology)
    if errors:
        raise DataErrors(errors)
    known = [*quads, *context]
    inferred = infer(memory_store(known), read_rules(settings.queries / "rules"))
    return known + [Quad(t.subject, t.predicate, t.object, INFERRED) for t in inferred]


def judge(
    settings: Settings,
    data: Sequence[str],
    shapes: Sequence[Path] = (),
    *,
    engine: Literal["compiled", "pyshacl"] = "compiled",
    progress: Progress = silent,
    processes: int = 1,
    share: Share | None = None,
) -> Report:
    """Validate data by shapes: ours of either where none is given.

    `processes` divide the focus nodes; with a `share`, only that share of them is judged.

    `data` holds RDF files, CSVW packages (a folder or its metadata), copies of our own tables (a CSV file of the same
    name), or addresses of SPARQL endpoints.

    Raises DataErrors (faults of the files, located), StorageError (a file or an endpoint cannot be read), UsageError.
    """
    judged = [q for path in shapes for q in read_rdf(path, VALIDATION)] if shapes else read_shapes(settings.shapes)
    if engine == "pyshacl" and (processes > 1 or share is not None):
        raise UsageError("focus nodes are divided by the compiled engine alone")
    run = partial(validate, engine=engine, processes=processes, share=share)
    tables = [Path(argument) for argument in data if argument.endswith(".csv")]
    with progress("reading"):
        if not data:
            assembled = assemble(settings)
            return run(assembled.quads, judged, origin=assembled.origin)
        if tables:
            known = {path.name for path in settings.data.glob("*.csv")}
            if unknown := [str(path) for path in tables if path.name not in known]:
                raise UsageError(f"{unknown[0]} is no copy of a table of ours; give its csv-metadata.json instead")
            if len(tables) != len(data):
                raise UsageError("tables are judged in the place of ours: give them alone")
            return _judge_tables(settings, tables, judged, run)
        quads: list[Quad] = []
        origin: dict[Quad, Origin] = {}
        for argument in data:
            found, places = _read(argument)
            quads += found
            origin.update(places)
    with progress("validating"):
        report = run(_with_context(settings, quads), judged, origin=origin)
    named = {term for quad in quads for term in (quad.subject, quad.object)}
    return Report.of(result for result in report.results if result.focus_node in named)
