"""The profile of statistics in its formats: the tables as CSVW, and as data cubes beside that of the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from culturegraph.exports.data_cube import build_cube, to_turtle
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.statistics.csvw import to_package
from culturegraph.exports.statistics.cube import build_cubes
from culturegraph.exports.statistics.tables import read_tables

ZIP: Final = "application/zip"
Chunk = tuple[bytes, int]


def write_package(export: Export, _iris: Sequence[str] | None) -> Iterator[Chunk]:
    """Yield the CSVW package."""
    tables = read_tables(export.profile.queries_folder)
    yield to_package(export.store, tables.values()), 1


def write_cubes(export: Export, _iris: Sequence[str] | None) -> Iterator[Chunk]:
    """Yield the cubes as Turtle: that of the figures that sources give, and one for each table that we count."""
    queries = export.profile.queries_folder
    cube = build_cube(export.store, queries / "data-cube")
    cube.extend(build_cubes(export.store, read_tables(queries).values()))
    yield to_turtle(cube), 1
