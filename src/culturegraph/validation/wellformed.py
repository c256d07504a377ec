"""Whether a shapes graph is well-formed: the shapes that SHACL gives for shapes, run by our own engine.

Source: SHACL Appendix C (Shapes to Validate Shapes Graphs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pyoxigraph import Literal, Quad, RdfFormat, parse

from culturegraph.errors import DataError, DataErrors, StorageError
from culturegraph.rdf.triples import Triples
from culturegraph.validation.paths import path_text
from culturegraph.validation.reading import read_shapes_graph
from culturegraph.validation.results import Result, term_text
from culturegraph.validation.shapes import ShapesGraph, shacl

Run = Callable[[Iterable[Quad], ShapesGraph, int | None], list[Result]]


@cache
def shapes_of_shapes() -> ShapesGraph:
    """Return SHACL's shapes for shapes, as pyshacl carries them."""
    # Found without an import of pyshacl, which takes half a second.
    package = find_spec("pyshacl")
    if package is None or package.origin is None:
        raise StorageError("pyshacl is not installed: it carries the shapes for shapes")
    document = Path(package.origin).with_name("assets") / "shacl-shacl.ttl"
    triples = list(parse(path=str(document), format=RdfFormat.TURTLE))
    # Paths are judged when they are read, less strictly: W3C test path-strange-002 is to be evaluated.
    of_paths = {t.subject for t in triples if t.predicate == shacl("path") and t.object == shacl("path")}
    kept = (t for t in triples if t.subject not in of_paths or t.predicate != shacl("or"))
    return read_shapes_graph(Triples(kept))


def refuse_malformed(shapes: ShapesGraph, run: Run) -> None:
    """Raise DataErrors, located by shape and parameter, where the shapes graph is not well-formed."""
    results = run((Quad(t.subject, t.predicate, t.object) for t in shapes.graph), shapes_of_shapes(), 1)
    errors = {str(error): error for error in (_error(result, shapes) for result in results)}
    if errors:
        raise DataErrors([errors[text] for text in sorted(errors)])


def _error(result: Result, shapes: ShapesGraph) -> DataError:
    node = result.focus_node
    owner = None if isinstance(node, Literal) else shapes.shapes.get(node)
    name = owner.name if owner is not None else term_text(node)
    value = "" if result.value is None or result.value == node else f": {term_text(result.value)}"
    message = f"is not well-formed SHACL: {result.message(('en', ''))}{value}"
    return DataError(message, name, column=None if result.path is None else path_text(result.path))
