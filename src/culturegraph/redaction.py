"""Takes what is restricted out of releases that are out already: each is made anew from what it archived.

Order of the steps: find what a release shows → unpack its archives → take the rows and cells out → compose and write
the release again, with its own version, commit and time → look for what is left, byte by byte → swap the folders.

A redacted release has new checksums and says that it was redacted, not what. Copies that were downloaded before cannot
be recalled.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pyoxigraph import RdfFormat, parse

from culturegraph.build import Clock, Progress, compose, silent
from culturegraph.errors import CulturegraphError, DataErrors, InvalidGraphError, StorageError
from culturegraph.rdf.vocabulary import BASE
from culturegraph.release import Origin, write_release
from culturegraph.releases.folder import Release, find_marks, list_releases
from culturegraph.settings import Settings
from culturegraph.sources import tables
from culturegraph.sources.bundle import read_ontology
from culturegraph.sources.restrictions import Restrictions, read_restrictions, spread
from culturegraph.sources.rows import number_rows

_ARCHIVES: Final = ("csvw", "ontology", "shapes", "queries")
# Taking a row out may leave another without what it needs; how often that is followed.
_ROUNDS: Final = 10


def redact(settings: Settings, *, progress: Progress = silent) -> list[str]:
    """Redact every release that shows something restricted; return the versions, newest first.

    Raises StorageError where a folder cannot be read or written, InvalidGraphError where something restricted stands in
    a file that cannot be redacted by rows (an ontology module, the changelog); that release is then left as it was.
    """
    restrictions = read_restrictions(settings.private_data)
    if not restrictions:
        return []
    shown = [release for release in list_releases(settings.releases) if shows(release, restrictions)]
    for release in shown:
        _redact(settings, release, restrictions, progress)
    return [release.version for release in shown]


def shows(release: Release, restrictions: Restrictions) -> bool:
    """Return whether any statement or file of a release has something restricted in it."""
    quads = (quad for line in release.lines() for quad in parse(line, format=RdfFormat.N_QUADS))
    return bool(find_marks(release.path, restrictions.marks())) or any(map(restrictions.covers, quads))


def _redact(settings: Settings, release: Release, restrictions: Restrictions, progress: Progress) -> None:
    facts = release.manifest
    with tempfile.TemporaryDirectory(dir=settings.releases, prefix=".redacting-") as name:
        root, made_in = Path(name, "root"), Path(name, release.version)
        unpack(release, root)
        try:
            hidden = spread_over(root, restrictions)
            take_out(root / "data", hidden)
            own = settings.model_copy(
                update={"root": root, "store": Path(name, "store"), "private": False, "tables": None}
            )
            clock = Clock(progress)
            made = compose(own, clock, version=release.version, built=release.built, allow_violations=True)
        except CulturegraphError as error:
            raise InvalidGraphError(f"release {release.version} cannot be redacted: {error}") from error
        made_in.mkdir()
        origin = Origin(facts["commit"], facts.get("repository", ""))
        with clock.step("distributions"):
            write_release(made_in, release.version, made, root, origin, redacted=True)
        if left := find_marks(made_in, hidden.marks()):
            raise InvalidGraphError(f"release {release.version} cannot be redacted by rows: {', '.join(left)}")
        _swap(release.path, made_in, Path(name, "before"))


def _swap(path: Path, new: Path, old: Path) -> None:
    try:
        path.rename(old)
        new.rename(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be replaced: {error.strerror or error}") from error


def unpack(release: Release, root: Path) -> None:
    """Unpack the archives of a release into a folder that can be built from."""
    for kind in _ARCHIVES:
        with zipfile.ZipFile(release.path / f"culturegraph-{release.version}-{kind}.zip") as archive:
            archive.extractall(root)
    for name in ("LICENSE", "CHANGES.md"):
        if (release.path / name).is_file():
            shutil.copyfile(release.path / name, root / name.replace("CHANGES", "CHANGELOG"))


def spread_over(root: Path, restrictions: Restrictions) -> Restrictions:
    """Return the restrictions with what hangs on them in the tables of a folder."""
    read = tables.read_tables(root / "data" / "csv-metadata.json")
    declared, _ = read_ontology(root / "ontology")
    return spread(restrictions, [*read.origin, *declared], read.origin)


def take_out(data: Path, restrictions: Restrictions) -> None:
    """Take every restricted statement out of the tables of a folder: whole rows of hidden things, else cells or parts.

    Raises DataErrors where the tables cannot be read afterwards.
    """
    for _ in range(_ROUNDS):
        read = tables.read_tables(data / "csv-metadata.json")
        covered = {origin for quad, origin in read.origin.items() if restrictions.covers(quad)}
        if not covered:
            return
        rows = {
            (origin.file, origin.row)
            for quad, origin in read.origin.items()
            if origin in covered and restrictions.covers_subject(quad)
        }
        cells = {(o.file, o.row, o.column) for o in covered if (o.file, o.row) not in rows}
        _edit(data, rows, cells, restrictions)
        _drop_faulty(data)


def _edit(data: Path, rows: set[tuple[str, int]], cells: set[tuple[str, int, str]], restrictions: Restrictions) -> None:
    by_file: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file, row, column in cells:
        by_file[file][row].add(column)
    for file in {file for file, _ in rows} | set(by_file):
        (_, header), *lines = _read(data / file)
        kept = []
        for number, line in lines:
            columns = by_file[file].get(number, set())
            # A statement of no column comes from the row as a whole.
            if (file, number) in rows or not columns <= set(header):
                continue
            for column in columns:
                place = header.index(column)
                line[place] = _without(line[place], restrictions)
            kept.append(line)
        _write(data / file, [header, *kept])


def _without(cell: str, restrictions: Restrictions) -> str:
    """Return a cell without the parts that name a hidden thing; empty where it is hidden for another reason."""
    names = [f"/{iri.removeprefix(BASE)}" for iri in restrictions.things]
    parts = cell.split(";")
    kept = [part for part in parts if not any(name.endswith(f"/{part.strip()}") for name in names)]
    return ";".join(kept) if len(kept) < len(parts) else ""


def _drop_faulty(data: Path) -> None:
    """Drop the rows that lack something they need, until none does."""
    for _ in range(_ROUNDS):
        try:
            tables.read_tables(data / "csv-metadata.json")
        except DataErrors as found:
            faulty = {(error.file, error.row) for error in found.errors if error.row is not None}
            if not faulty:
                raise
            for file in {file for file, _ in faulty}:
                _write(data / file, [line for number, line in _read(data / file) if (file, number) not in faulty])
        else:
            return


def _read(path: Path) -> list[tuple[int, list[str]]]:
    """Return each row with the line on which it begins, as errors and origins count them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(number_rows(file, ",", path.name))


def _write(path: Path, rows: Iterable[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
