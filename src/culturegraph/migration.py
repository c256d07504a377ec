"""Data in the terms of an older ontology turned into those of a newer one: a release or a file in, N-Quads out.

Order of the steps: read the data → find the two versions → run the updates between them → write.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

from pyoxigraph import Quad, RdfFormat, parse

from culturegraph.errors import NotFoundError, StorageError, UsageError
from culturegraph.rdf.canonical import canonicalise, to_nquads
from culturegraph.rdf.graphs import ONTOLOGY, UNHASHED, read_rdf, syntax_fault
from culturegraph.releases.folder import find_release
from culturegraph.releases.migrations import FOLDER, migrate, plan, read_migrations
from culturegraph.releases.ontology_changes import read_version
from culturegraph.settings import Settings

_LEFT_OUT: Final = frozenset({ONTOLOGY, *UNHASHED})


def migrate_data(settings: Settings, data: str, before: str | None, after: str | None, target: BinaryIO) -> str:
    """Write the migrated data as canonical N-Quads; return in a line what was done.

    Without `before` the data must have an ontology with its version; without `after`, the ontology at hand tells it.
    The ontology in the data is of the older version and is left out, as are the report and the catalogue of a release.

    Raises UsageError (no such versions), StorageError, DataError (faulty data), DataErrors (faulty migrations).
    """
    migrations = read_migrations(settings.ontology / FOLDER)
    quads = _read(settings, data)
    start = before or read_version(quad for quad in quads if quad.graph_name == ONTOLOGY)
    end = after or read_version(read_rdf(settings.ontology / "culturegraph.ttl", ONTOLOGY))
    if not start:
        raise UsageError(f"{data} does not say of which version its ontology is; say it: --from 1.0.0")
    steps = plan(migrations, start, end)
    kept = (quad for quad in quads if quad.graph_name not in _LEFT_OUT)
    target.write(to_nquads(canonicalise(migrate(kept, steps))))
    told = ", ".join(step.query.path.name for step in steps) or "nothing to do"
    return f"{start} → {end}: {told}"


def _read(settings: Settings, data: str) -> list[Quad]:
    path = Path(data)
    fmt = RdfFormat.from_extension(path.suffix.lstrip("."))
    if not path.is_file():
        try:
            lines = find_release(settings.releases, data).lines()
        except NotFoundError as error:
            raise StorageError(f"{data} is neither a file nor a release: {error}") from error
        return list(parse(b"".join(lines), format=RdfFormat.N_QUADS))
    if fmt is None:
        raise UsageError(f"{path.name} is of no RDF format known by its suffix")
    try:
        return list(parse(path=str(path), format=fmt))
    except SyntaxError as error:
        raise syntax_fault(error, fmt, path.name) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
