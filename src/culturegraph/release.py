"""Makes a release: the graph of one commit, in every form in which it is to be kept, in a folder that never changes.

Everything is derived from the commit, its time included, so that the same commit gives the same bytes. Order of the
steps: version and checkout → compose → distributions → description → checksums → rename into place.

Source: W3C DCAT 3; W3C PROV-O; SPDX checksums; RO-Crate 1.1; DataCite Metadata Schema 4.5; W3C RDFC-1.0.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from pyoxigraph import DefaultGraph, Quad, RdfFormat, parse, serialize

from culturegraph import __version__
from culturegraph.build import Clock, Composed, Progress, compose, count_by_graph, silent
from culturegraph.errors import DataError, DataErrors, InvalidGraphError, StorageError, UsageError
from culturegraph.geometry import describe_geometry
from culturegraph.protocols.maps import GEOMETRY as OUTLINES
from culturegraph.rdf.canonical import canonicalise, content_hash, to_nquads
from culturegraph.rdf.graphs import CATALOGUE, ONTOLOGY
from culturegraph.rdf.vocabulary import OWL, PREFIXES
from culturegraph.releases.description import describe_release, to_crate, to_datacite
from culturegraph.releases.folder import (
    MANIFEST,
    SUMS,
    Release,
    checksum,
    find_marks,
    find_release,
    list_releases,
    parse_version,
    verify,
)
from culturegraph.releases.migrations import FOLDER, check_step, read_migrations
from culturegraph.releases.ontology_changes import compare_ontologies
from culturegraph.settings import Settings
from culturegraph.sources.restrictions import Restrictions, read_restrictions
from culturegraph.sources.tables import read_tables
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import Snapshot

# Folders of files for domain people, each released as one archive.
_ARCHIVES: Final = {
    "csvw": ("data", ("*.csv", "*.json", "*.md")),
    "ontology": ("ontology", ("**/*.ttl", "**/*.ru", "**/*.md")),
    "shapes": ("shapes", ("**/*.ttl",)),
    "queries": ("queries", ("**/*.rq",)),
}
# The earliest time that a ZIP archive knows.
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Origin:
    """The checkout that a release is made from."""

    commit: str
    repository: str


def make_release(settings: Settings, version: str, *, progress: Progress = silent) -> Release:
    """Make the release of a version from the checkout that `settings.root` is in, and return it.

    Raises UsageError where the version is none, is released already, or the checkout has changes that no commit holds;
    what `build` raises; StorageError where the folder cannot be written. Nothing half-made is left.
    """
    parse_version(version)
    if settings.private:
        raise UsageError("a release is public: make it without --private (CULTUREGRAPH_PRIVATE)")
    target = settings.releases / version
    if target.exists():
        raise UsageError(f"{version} is released already, and a release never changes; take the next number")
    origin = read_checkout(settings.root)
    clock = Clock(progress)
    restrictions = read_restrictions(settings.private_data)
    refuse_restricted(settings, restrictions)
    made = compose(settings, clock, version=version)
    with clock.step("ontology"):
        check_ontology(settings, version, made.quads)
    try:
        settings.releases.mkdir(parents=True, exist_ok=True)
        with (
            clock.step("distributions"),
            tempfile.TemporaryDirectory(dir=settings.releases, prefix=".partial-") as name,
        ):
            partial = Path(name, version)
            partial.mkdir()
            write_release(partial, version, made, settings.root, origin)
            if left := find_marks(partial, restrictions.marks()):
                raise InvalidGraphError(f"not released: something restricted stands in {', '.join(left)}")
            partial.rename(target)
    except OSError as error:
        raise StorageError(f"the release cannot be written to {target}: {error.strerror or error}") from error
    return find_release(settings.releases, version)


def restore(settings: Settings, version: str, *, progress: Progress = silent) -> Snapshot:
    """Publish the snapshot of a release in the store of the settings: the graph as it was released.

    Raises NotFoundError (no such release), StorageError (a file is not as it was released, or the store cannot be
    written), InvalidGraphError where the content hash is another one. Nothing is published then.
    """
    release = find_release(settings.releases, version)
    clock = Clock(progress)
    with clock.step("checksums"):
        verify(release)
    with clock.step("reading"):
        quads = canonicalise(parse(b"".join(release.lines()), format=RdfFormat.N_QUADS))
        digest = content_hash(quads)
    if digest != release.manifest["content_hash"]:
        expected = release.manifest["content_hash"]
        raise InvalidGraphError(f"release {version} has the content hash {digest}, not {expected}")
    with clock.step("snapshot"):
        return publish(
            settings.store,
            [*quads, *describe_geometry(quads, OUTLINES)],
            version=version,
            metadata={"content_hash": digest, "built": release.built.isoformat()},
            keep=settings.keep_snapshots,
        )


def check_ontology(settings: Settings, version: str, quads: Iterable[Quad]) -> None:
    """Hold the ontology to the release before: its version must say what changed, its migrations must move the data.

    Raises UsageError with all that speaks against it, DataErrors where a migration is malformed.
    """
    migrations = read_migrations(settings.ontology / FOLDER)
    earlier = (r for r in list_releases(settings.releases) if parse_version(r.version) < parse_version(version))
    previous = next(earlier, None)
    if previous is None:
        return
    old = list(parse(b"".join(previous.lines()), format=RdfFormat.N_QUADS))
    changes = compare_ontologies(
        [quad for quad in old if quad.graph_name == ONTOLOGY], [quad for quad in quads if quad.graph_name == ONTOLOGY]
    )
    if faults := check_step(old, changes, migrations):
        raise UsageError("\n".join([f"the ontology does not follow on release {previous.version}:", *faults]))


def refuse_restricted(settings: Settings, restrictions: Restrictions) -> None:
    """Raise DataErrors, located, where the tables themselves hold something restricted: a release archives them."""
    if not restrictions:
        return
    origin = read_tables(settings.data / "csv-metadata.json").origin
    message = "is restricted: move it to the private folder, and commit, before a release archives it"
    cells = {(o.file, o.row, o.column): o for quad, o in origin.items() if restrictions.covers(quad)}
    if cells:
        raise DataErrors([DataError(message, o.file, o.row, o.column) for _, o in sorted(cells.items())])


def read_checkout(root: Path) -> Origin:
    """Return the commit that a folder is checked out from. Raises UsageError where there is none or it has changes."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"a release is made from a commit: {done.stderr.strip() or 'no git checkout'}")
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", ".")
    if changed:
        first = changed.splitlines()[0].split(maxsplit=1)[-1]
        raise UsageError(f"the checkout has changes that no commit holds ({first}); commit them first")
    remotes = git("remote", "get-url", "origin") if "origin" in git("remote").split() else ""
    # An address may carry a password; only one that is public is told.
    public = remotes if re.fullmatch(r"https://[\w.-]+/[\w./-]+", remotes) else ""
    return Origin(git("rev-parse", "HEAD"), public)


def write_release(
    folder: Path, version: str, made: Composed, root: Path, origin: Origin, *, redacted: bool = False
) -> None:
    """Write every file of a release into an empty folder."""
    stem = f"culturegraph-{version}"
    # Graph by graph, so that each is written once.
    grouped = sorted(made.quads, key=lambda quad: (str(quad.graph_name), str(quad)))
    _write_gzip(folder / f"{stem}.nq.gz", to_nquads(made.quads))
    for suffix, fmt in (("trig", RdfFormat.TRIG), ("jsonld", RdfFormat.JSON_LD)):
        prefixes = dict(PREFIXES) if fmt == RdfFormat.TRIG else None
        _write_gzip(folder / f"{stem}.{suffix}.gz", serialize(grouped, format=fmt, prefixes=prefixes) or b"")
    for name, (base, patterns) in _ARCHIVES.items():
        _write_zip(folder / f"{stem}-{name}.zip", root / base, patterns)
    (folder / "validation-report.ttl").write_text(made.report.to_turtle(), encoding="utf-8")
    (folder / "CHANGES.md").write_text(changes_of(root, version), encoding="utf-8")
    if (root / "LICENSE").is_file():
        shutil.copyfile(root / "LICENSE", folder / "LICENSE")
    hashes = hash_graphs(made.quads)
    (folder / "hashes.json").write_text(_json({"whole": made.info.content_hash, "graphs": hashes}), encoding="utf-8")
    facts = {
        "version": version,
        "ontology_version": ontology_version(made.quads),
        "software": f"culturegraph {__version__}",
        "commit": origin.commit,
        "repository": origin.repository,
        "built": made.info.built.isoformat(),
        "content_hash": made.info.content_hash,
        "quads": len(made.quads),
        "quads_by_graph": count_by_graph(made.quads),
        "results": dict(made.report.counts),
        **({"redacted": True} if redacted else {}),
    }
    catalogue = [quad for quad in made.quads if quad.graph_name == CATALOGUE]
    (folder / "dcat.ttl").write_bytes(describe_release(catalogue, facts, _measure(folder)))
    (folder / "datacite.json").write_text(_json(to_datacite(facts)), encoding="utf-8")
    (folder / "ro-crate-metadata.json").write_text(_json(to_crate(facts, _measure(folder))), encoding="utf-8")
    files = _measure(folder)
    (folder / SUMS).write_text("".join(f"{files[name]['sha256']}  {name}\n" for name in files), encoding="utf-8")
    (folder / MANIFEST).write_text(_json({**facts, "files": _measure(folder)}), encoding="utf-8")


def hash_graphs(quads: Iterable[Quad]) -> dict[str, str]:
    """Return the canonical hash of each named graph on its own: SHA-256 of its canonical N-Triples (RDFC-1.0)."""
    graphs: dict[str, list[Quad]] = defaultdict(list)
    for quad in quads:
        if not isinstance(quad.graph_name, DefaultGraph):
            graphs[quad.graph_name.value].append(Quad(quad.subject, quad.predicate, quad.object))
    return {
        name: hashlib.sha256(to_nquads(canonicalise(members))).hexdigest() for name, members in sorted(graphs.items())
    }


def ontology_version(quads: Iterable[Quad]) -> str:
    """Return the owl:versionInfo of the ontology."""
    for quad in quads:
        if quad.graph_name == ONTOLOGY and quad.predicate.value == OWL + "versionInfo":
            return str(getattr(quad.object, "value", ""))
    return ""


def changes_of(root: Path, version: str) -> str:
    """Return the part of CHANGELOG.md on a version, else what is unreleased there."""
    file = root / "CHANGELOG.md"
    parts = re.split(r"(?m)^(?=## )", file.read_text(encoding="utf-8")) if file.is_file() else []
    for heading in (f"## {version}", "## Unreleased"):
        for part in parts:
            if part.startswith(heading):
                return part.replace("## Unreleased", f"## {version}", 1)
    return f"## {version}\n"


def _write_gzip(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        # No name and no time of day: the same data give the same bytes.
        raw: IO[bytes] = file
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed:
            packed.write(data)


def _write_zip(path: Path, folder: Path, patterns: Iterable[str]) -> None:
    files = sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}", _ZIP_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)


def _measure(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.name: {"size": path.stat().st_size, "sha256": checksum(path)}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
