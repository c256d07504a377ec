"""Tables of statistics as RDF Data Cubes: a data set for each table, an observation for each of its rows.

Source: W3C RDF Data Cube Vocabulary §5 to §7. A dimension without a code for everything has no code list: what stands
for none is in no scheme.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.exports.statistics.csvw import LANGUAGES, LICENCE
from culturegraph.exports.statistics.tables import ADDRESS, NONE, Dimension, Table, count
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import DCTERMS, EDTF, LABEL, RDFS, TYPE, XSD

_QB: Final = "http://purl.org/linked-data/cube#"
_EDTF: Final = NamedNode(EDTF)
_INTEGER: Final = NamedNode(XSD + "nonNegativeInteger")
_RESOURCE: Final = NamedNode(RDFS + "Resource")
_NO_NAME: Final = {"es": "ninguno", "en": "none"}


def build_cubes(store: Dataset, tables: Iterable[Table]) -> Iterator[Quad]:
    """Yield the data sets of tables with their structures and observations, in the default graph."""
    yield from _name(NamedNode(NONE), _NO_NAME)
    for table in tables:
        yield from _describe(table)
        for row in count(store, table):
            yield from _observe(table, row.codes, row.value)


def _describe(table: Table) -> Iterator[Quad]:
    dataset, structure = NamedNode(table.iri), NamedNode(f"{table.iri}#structure")
    yield Quad(dataset, TYPE, _qb("DataSet"))
    yield Quad(dataset, _qb("structure"), structure)
    yield Quad(dataset, NamedNode(DCTERMS + "license"), NamedNode(LICENCE))
    yield Quad(structure, TYPE, _qb("DataStructureDefinition"))
    for language in LANGUAGES:
        title, text = table.query.title[language], table.query.description[language]
        yield Quad(dataset, NamedNode(DCTERMS + "title"), Literal(title, language=language))
        yield Quad(dataset, NamedNode(DCTERMS + "description"), Literal(text, language=language))
    for order, dimension in enumerate(table.dimensions, 1):
        component = NamedNode(f"{table.iri}#of-{dimension.name}")
        yield Quad(structure, _qb("component"), component)
        yield Quad(component, _qb("dimension"), NamedNode(dimension.iri))
        yield Quad(component, _qb("order"), Literal(order))
        yield from _describe_dimension(dimension)
    component, measure = NamedNode(f"{table.iri}#of-{table.measure}"), NamedNode(f"{ADDRESS}#{table.measure}")
    yield Quad(structure, _qb("component"), component)
    yield Quad(component, _qb("measure"), measure)
    yield Quad(measure, TYPE, _qb("MeasureProperty"))
    yield Quad(measure, NamedNode(RDFS + "range"), _INTEGER)
    yield from _name(measure, table.measure_title)


def _describe_dimension(dimension: Dimension) -> Iterator[Quad]:
    subject = NamedNode(dimension.iri)
    yield Quad(subject, TYPE, _qb("DimensionProperty"))
    yield Quad(subject, NamedNode(RDFS + "range"), _EDTF if dimension.is_year else _RESOURCE)
    yield from _name(subject, dimension.title)


def _observe(table: Table, codes: tuple[str, ...], value: int) -> Iterator[Quad]:
    ends = [code.rpartition("#" if code == NONE else "/")[2] for code in codes]
    observation = NamedNode(f"{table.iri}#{'.'.join(ends)}")
    yield Quad(observation, TYPE, _qb("Observation"))
    yield Quad(observation, _qb("dataSet"), NamedNode(table.iri))
    for dimension, code in zip(table.dimensions, codes, strict=True):
        term: Any = Literal(code, datatype=_EDTF) if dimension.is_year else NamedNode(code)
        yield Quad(observation, NamedNode(dimension.iri), term)
    yield Quad(observation, NamedNode(f"{ADDRESS}#{table.measure}"), Literal(str(value), datatype=_INTEGER))


def _name(subject: NamedNode, words: Any) -> Iterator[Quad]:
    for language in LANGUAGES:
        yield Quad(subject, LABEL, Literal(words[language], language=language))


def _qb(name: str) -> NamedNode:
    return NamedNode(_QB + name)
