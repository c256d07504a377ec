"""A SKOS concept scheme with all its alignments, in any RDF syntax: what Skosmos, VocBench and the like load."""

from __future__ import annotations

from pathlib import Path

from pyoxigraph import NamedNode, QueryTriples, RdfFormat, serialize

from culturegraph.errors import NotFoundError
from culturegraph.files import writing
from culturegraph.queries import read_query
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, PREFIXES, SKOS


def export(store: Dataset, queries: Path, scheme: str, output: Path | None, form: RdfFormat) -> int:
    """Write a scheme, named by its id; return the number of alignments. Raises NotFoundError where there is none."""
    query = read_query(queries / "exports" / "skos-scheme.rq")
    found = store.query(query.bind({"scheme": f"{BASE}schemes/{scheme}"}), prefixes=dict(PREFIXES))
    assert isinstance(found, QueryTriples)
    triples = sorted(set(found), key=str)
    if not triples:
        known = store.quads_for_pattern(None, None, NamedNode(SKOS + "ConceptScheme"), None)
        ours = sorted({str(quad.subject).strip("<>").rpartition("/")[2] for quad in known})
        raise NotFoundError(f"there is no scheme {scheme!r} (there are: {', '.join(ours) or 'none'})")
    prefixes = dict(PREFIXES) if form.supports_datasets or form != RdfFormat.N_TRIPLES else None
    with writing(output) as file:
        file.write(serialize(triples, format=form, prefixes=prefixes) or b"")
    return sum(triple.predicate.value.endswith("Match") for triple in triples)
