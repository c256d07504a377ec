"""The figures as an RDF Data Cube: one observation for each figure and each source that gives it.

How the cube is made, and what it must satisfy, is in `queries/data-cube/`: `cube.rq` constructs it, the others are the
integrity constraints that concern it (a cube without slices and without a measure dimension has nothing that IC-7 to
IC-10, IC-15 to IC-18, IC-20 and IC-21 speak of).

Source: W3C RDF Data Cube Vocabulary §11.1 (integrity constraints).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode, Quad, QuerySolutions, QueryTriples, RdfFormat, Store, serialize

from culturegraph.files import write_whole
from culturegraph.queries import read_queries, read_query
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import PREFIXES, TYPE
from culturegraph.store.snapshot import open_current

_CUBE: Final = "cube.rq"
_OBSERVATION: Final = NamedNode("http://purl.org/linked-data/cube#Observation")


def build_cube(store: Dataset, folder: Path) -> Store:
    """Return the cube of a graph; `folder` holds the query that constructs it."""
    triples = store.query(read_query(folder / _CUBE).text, prefixes=dict(PREFIXES))
    assert isinstance(triples, QueryTriples)
    cube = Store()
    cube.extend(Quad(triple.subject, triple.predicate, triple.object) for triple in triples)
    return cube


def count_observations(cube: Dataset) -> int:
    """Return how many observations a cube has."""
    return sum(1 for _ in cube.quads_for_pattern(None, TYPE, _OBSERVATION, None))


def find_faults(cube: Dataset, folder: Path) -> list[str]:
    """Return what breaks an integrity constraint: the constraint and the node, a line each."""
    faults = []
    for query in read_queries(folder):
        if query.path.name != _CUBE:
            nodes = cube.query(query.text, prefixes=dict(PREFIXES))
            assert isinstance(nodes, QuerySolutions)
            faults += [f"{query.id} ({query.title['en']}): {row['node']}" for row in nodes]
    return faults


def to_turtle(triples: Iterable[Quad]) -> bytes:
    """Return the cube as Turtle, its triples sorted."""
    prefixes = {**PREFIXES, "qb": "http://purl.org/linked-data/cube#", "cube": "https://w3id.org/culturegraph/cube#"}
    ordered = sorted((quad.triple for quad in triples), key=str)
    return serialize(ordered, format=RdfFormat.TURTLE, prefixes=prefixes) or b""


def export(store: Path, folder: Path, output: Path) -> int:
    """Write the cube of the published graph to a file, whole or not at all; return the number of observations."""
    cube = build_cube(open_current(store).store, folder)
    write_whole(output, to_turtle(cube))
    return count_observations(cube)
