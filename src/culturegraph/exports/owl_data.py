"""Instance data as an OWL 2 reasoner takes them: no literal whose datatype OWL 2 does not know.

OWL 2 has no xsd:date, no xsd:gYear and no EDTF, so a DL reasoner refuses a graph that holds them. This export leaves
such statements out and says how many it left out, by datatype. It holds what the sources say and the links to outside
authorities; terms, schemes, conclusions, report and catalogue are not instance data.

Source: OWL 2 Structural Specification (second edition) §4 (datatype maps).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from culturegraph.errors import StorageError
from culturegraph.rdf.graphs import GRAPH
from culturegraph.rdf.vocabulary import BASE, CG, RDF, XSD
from culturegraph.store.snapshot import open_current

_NUMBERS = "decimal integer nonNegativeInteger nonPositiveInteger positiveInteger negativeInteger long int short byte"
_OTHERS = "string boolean anyURI dateTime dateTimeStamp double float hexBinary base64Binary"
SUPPORTED: Final = frozenset(
    [RDF + name for name in ("langString", "PlainLiteral", "XMLLiteral")]
    + [XSD + name for name in f"{_NUMBERS} {_OTHERS} unsignedLong unsignedInt unsignedShort unsignedByte".split()]
)
_GRAPHS: Final = (GRAPH + "source/", GRAPH + "links/")


def is_instance_quad(quad: Quad) -> bool:
    """Whether a quad says something of an instance: in a graph of a source or of links, and not of a term."""
    graph, subject = quad.graph_name, quad.subject
    if not isinstance(graph, NamedNode) or not isinstance(subject, NamedNode) or not graph.value.startswith(_GRAPHS):
        return False
    return subject.value.startswith(BASE) and not subject.value.startswith(CG)


def select_owl_data(quads: Iterable[Quad]) -> tuple[list[Triple], Counter[str]]:
    """Return the instance triples, each once, and how many were left out for each unsupported datatype."""
    kept: dict[Triple, None] = {}
    left_out: dict[Triple, str] = {}
    for quad in filter(is_instance_quad, quads):
        value = quad.object
        if isinstance(value, Literal) and value.datatype.value not in SUPPORTED:
            left_out[quad.triple] = value.datatype.value
        else:
            kept[quad.triple] = None
    return list(kept), Counter(left_out.values())


def to_ntriples(triples: Iterable[Triple]) -> str:
    """Return the triples as sorted N-Triples."""
    return "".join(sorted(f"{triple} .\n" for triple in triples))


def export(store: Path, output: Path) -> tuple[int, Counter[str]]:
    """Write the published snapshot's instance data to a file; return what was written and what was left out.

    Raises StorageError where there is no snapshot, or the file cannot be written.
    """
    triples, left_out = select_owl_data(open_current(store).store)
    try:
        output.write_text(to_ntriples(triples), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{output} cannot be written: {error.strerror}") from error
    return len(triples), left_out
