"""What communities ask about a thing: Labels, Notices, protocols, the level of access. Pure: a store in, values out.

Source: Local Contexts (TK and BC Labels and Notices); W3C ODRL 2.2 (odrl:hasPolicy).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Triple

from culturegraph.protocols.labels import Labels, Name, Reference, refer
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import BASE, CG

NOTICES: Final = BASE + "schemes/local-contexts-notices/"
HAS_POLICY: Final = NamedNode("http://www.w3.org/ns/odrl/2/hasPolicy")
_THROUGH, _GOVERNED = NamedNode(CG + "labelledThrough"), NamedNode(CG + "governedBy")
_CARRIES = NamedNode(CG + "carriesLabel")
_LABEL, _BY, _TEXT = (NamedNode(CG + name) for name in ("appliesLabel", "labelAppliedBy", "markText"))
_SET_BY, _LEVEL = NamedNode(CG + "setBy"), NamedNode(CG + "accessLevel")
_DATE, _PAGE = NamedNode(CG + "startDate"), NamedNode("http://xmlns.com/foaf/0.1/page")
_MARK: Final = (_THROUGH, _CARRIES, _GOVERNED, HAS_POLICY)


@dataclass(frozen=True)
class Mark:
    """A Label or a Notice on a thing: which, by whom (None: by this project), in whose words, since when."""

    about: Reference
    label: Reference
    is_notice: bool
    by: Reference | None
    text: Name | None
    date: str
    page: str | None
    href: str | None


@dataclass(frozen=True)
class Rule:
    """A protocol that governs a thing, by whom it is set, and the level of access that it asks for."""

    about: Reference
    protocol: Reference
    by: Reference | None
    level: Reference | None


@dataclass(frozen=True)
class Care:
    """All that is asked about some things; false where nothing is."""

    # The thing that the page is about; the others are said to be what they are.
    own: str
    marks: Sequence[Mark] = ()
    rules: Sequence[Rule] = ()

    def __bool__(self) -> bool:
        return bool(self.marks or self.rules)


def read_care(store: Dataset, own: str, others: Iterable[str], labels: Labels) -> Care:
    """Return what is asked about a thing and about some others that it rests on, in their order."""
    marks, rules = [], []
    for iri in dict.fromkeys([own, *others]):
        thing = NamedNode(iri)
        about = refer(thing, labels)
        marks += [_mark(store, about, node, labels) for node in _values(store, thing, _THROUGH)]
        rules += [_rule(store, about, node, labels) for node in _values(store, thing, _GOVERNED)]
    return Care(own, marks, rules)


def describe_care(store: Dataset, iri: str) -> list[Quad]:
    """Return what the graph says of the marks and the policy of a thing, for its description as RDF."""
    thing = NamedNode(iri)
    found = [Triple(thing, predicate, value) for predicate in _MARK for value in _values(store, thing, predicate)]
    for act in [*_values(store, thing, _THROUGH), *_values(store, thing, _GOVERNED)]:
        found += [quad.triple for quad in store.quads_for_pattern(act, None, None, DefaultGraph())]
    return [Quad(*triple) for triple in dict.fromkeys(found)]


def _values(store: Dataset, subject: NamedNode, predicate: NamedNode) -> list[NamedNode]:
    found = store.quads_for_pattern(subject, predicate, None, DefaultGraph())
    return sorted((quad.object for quad in found if isinstance(quad.object, NamedNode)), key=str)


def _texts(store: Dataset, subject: NamedNode, predicate: NamedNode) -> list[Literal]:
    found = store.quads_for_pattern(subject, predicate, None, DefaultGraph())
    return [quad.object for quad in found if isinstance(quad.object, Literal)]


def _one(store: Dataset, subject: NamedNode, predicate: NamedNode, labels: Labels) -> Reference | None:
    found = _values(store, subject, predicate)
    return refer(found[0], labels) if found else None


def _mark(store: Dataset, about: Reference, node: NamedNode, labels: Labels) -> Mark:
    label = _one(store, node, _LABEL, labels) or refer(node, labels)
    texts, pages = _texts(store, node, _TEXT), _values(store, node, _PAGE)
    text = labels.best(texts) if texts else None
    return Mark(
        about=about,
        label=label,
        is_notice=(label.iri or "").startswith(NOTICES),
        by=_one(store, node, _BY, labels),
        text=Name(text.value, text.language) if text else None,
        date=min((date.value for date in _texts(store, node, _DATE)), default=""),
        page=pages[0].value if pages else None,
        href=refer(node, labels).href,
    )


def _rule(store: Dataset, about: Reference, node: NamedNode, labels: Labels) -> Rule:
    return Rule(about, refer(node, labels), _one(store, node, _SET_BY, labels), _one(store, node, _LEVEL, labels))
