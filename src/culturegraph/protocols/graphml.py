"""Answers as GraphML, for Gephi, yEd, Cytoscape or igraph: things are nodes, what links them are edges.

Source: GraphML 1.0 (graphml.graphdrawing.org/specification).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from culturegraph.protocols.solutions import Solutions, Value
from culturegraph.rdf.dataset import Dataset

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_LABEL, _RELATION = "label", "relation"
Link = tuple[Value, str, str, Value]


def to_graphml(solutions: Solutions, _store: Dataset) -> bytes:
    """Return a graph. Triples become edges, their literals attributes of nodes.

    A row of a table links its first thing to its others; numbers and texts become attributes of the first.
    """
    nodes: dict[str, Value] = {}
    attributes: dict[str, dict[str, str]] = {}
    links: dict[tuple[str, str, str], Link] = {}
    for source, relation, label, target in _links(solutions):
        nodes.setdefault(source.text, source)
        if target is None:
            continue
        if target.is_iri:
            nodes.setdefault(target.text, target)
            links.setdefault((source.text, relation, target.text), (source, relation, label, target))
        else:
            known = attributes.setdefault(source.text, {})
            values = known[label].split("; ") if label in known else []
            if target.text not in values:
                known[label] = "; ".join([*values, target.text])
    return _write(nodes, attributes, list(links.values()))


def _links(solutions: Solutions) -> Iterator[tuple[Value, str, str, Value | None]]:
    is_graph = solutions.variables == ("subject", "predicate", "object")
    for row in solutions.rows:
        if is_graph:
            yield row["subject"], row["predicate"].text, row["predicate"].name.text, row["object"]
            continue
        first = next((name for name in solutions.variables if name in row and row[name].is_iri), None)
        if first is not None:
            yield row[first], "", "", None
            for name in solutions.variables:
                if name != first and name in row:
                    yield row[first], name, name, row[name]


def _write(nodes: dict[str, Value], attributes: dict[str, dict[str, str]], links: list[Link]) -> bytes:
    root = ET.Element("graphml", {"xmlns": _NAMESPACE})
    names = sorted({name for known in attributes.values() for name in known} - {_LABEL})
    keys = {name: f"n{place}" for place, name in enumerate(names)}
    for id, kind, name in [
        ("label", "node", _LABEL),
        *((id, "node", name) for name, id in keys.items()),
        ("relation", "edge", _RELATION),
        ("iri", "edge", "iri"),
    ]:
        ET.SubElement(root, "key", {"id": id, "for": kind, "attr.name": name, "attr.type": "string"})
    graph = ET.SubElement(root, "graph", {"id": "G", "edgedefault": "directed"})
    for iri, value in nodes.items():
        node = ET.SubElement(graph, "node", {"id": iri})
        _say(node, "label", value.name.text)
        for name, text in attributes.get(iri, {}).items():
            if name in keys:
                _say(node, keys[name], text)
    for place, (source, relation, label, target) in enumerate(links):
        edge = ET.SubElement(graph, "edge", {"id": f"e{place}", "source": source.text, "target": target.text})
        _say(edge, "relation", label)
        _say(edge, "iri", relation)
    output = io.BytesIO()
    ET.ElementTree(root).write(output, encoding="utf-8", xml_declaration=True)
    return output.getvalue()


def _say(element: ET.Element, key: str, text: str) -> None:
    ET.SubElement(element, "data", {"key": key}).text = "".join(c for c in text if c >= " " or c in "\t\n\r")
