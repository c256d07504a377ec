"""The named graphs of culturegraph and the reading of RDF files into them.

Which graph holds what is told in the README ("Who says so"). Literals keep the lexical form of their file here;
a store normalises them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from culturegraph.errors import DataError, StorageError
from culturegraph.rdf.vocabulary import BASE

GRAPH: Final = BASE + "graph/"
EDITORIAL: Final = NamedNode(GRAPH + "source/editorial")
INFERRED: Final = NamedNode(GRAPH + "inferred")
ONTOLOGY: Final = NamedNode(GRAPH + "ontology")
VALIDATION: Final = NamedNode(GRAPH + "validation")
CATALOGUE: Final = NamedNode(GRAPH + "catalogue")
GEOMETRY: Final = NamedNode(GRAPH + "geometry")

# Outside the content hash: they describe a build, not what is known.
UNHASHED: Final = frozenset({VALIDATION, CATALOGUE, GEOMETRY})


def source_graph(source: str) -> NamedNode:
    """Return the graph that holds exactly what one source says."""
    return NamedNode(f"{GRAPH}source/{source}")


def scheme_graph(scheme: str) -> NamedNode:
    """Return the graph that holds one SKOS concept scheme."""
    return NamedNode(f"{GRAPH}scheme/{scheme}")


_PLACE = re.compile(r"^Parser error at line \d+ (?:between columns \d+ and(?: line \d+ column)? \d+|column \d+): ")


def syntax_fault(error: SyntaxError, fmt: RdfFormat, file: str) -> DataError:
    """Return the located fault that a parser's syntax error tells."""
    return DataError(f"is not valid {fmt.name}: {_PLACE.sub('', error.msg)}", file, error.lineno, error.offset)


def read_rdf(path: Path, graph: NamedNode) -> list[Quad]:
    """Read a Turtle (or N-Triples, RDF/XML, JSON-LD, by suffix) file into one named graph.

    Raises DataError with line and column where the file does not parse, StorageError where it cannot be read.
    """
    fmt = RdfFormat.from_extension(path.suffix.lstrip("."))
    if fmt is None:
        raise DataError("is of no RDF format known by its suffix", path.name)
    try:
        # Blank nodes of different files must not meet: each file gets labels of its own.
        triples = list(parse(path=str(path), format=fmt, rename_blank_nodes=True))
    except SyntaxError as error:
        raise syntax_fault(error, fmt, path.name) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
    return [Quad(t.subject, t.predicate, t.object, graph) for t in triples]


def merge(quads: Iterable[Quad]) -> Iterable[Quad]:
    """Yield each triple of the quads once, in the default graph."""
    seen = set()
    for quad in quads:
        triple = quad.triple
        if triple not in seen:
            seen.add(triple)
            yield Quad(quad.subject, quad.predicate, quad.object)


def read_quads(paths: Sequence[Path]) -> list[Quad]:
    """Read N-Quads or TriG files as they are. Raises DataError (located) or StorageError."""
    quads: list[Quad] = []
    for path in paths:
        fmt = RdfFormat.from_extension(path.suffix.lstrip("."))
        if fmt is None or not fmt.supports_datasets:
            raise DataError("is neither N-Quads (.nq) nor TriG (.trig)", path.name)
        try:
            quads += parse(path=str(path), format=fmt, rename_blank_nodes=True)
        except SyntaxError as error:
            raise syntax_fault(error, fmt, path.name) from error
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    return quads
