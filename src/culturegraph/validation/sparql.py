"""SPARQL-based constraints and targets: a query written for one focus node, run for all of them at once.

The query becomes a subquery that LATERAL evaluates with $this bound to each focus node, which is what SHACL calls
pre-binding.

Source: SHACL §5 (SPARQL-based Constraints), Appendix A (Pre-binding); https://github.com/w3c/sparql-12 SEP-0006.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Store

from culturegraph.errors import DataError, DataErrors
from culturegraph.rdf.triples import Triples
from culturegraph.rdf.vocabulary import OWL, SH
from culturegraph.validation.literals import INTERNAL, TERMS
from culturegraph.validation.paths import path_sparql
from culturegraph.validation.results import Node, Term, Texts
from culturegraph.validation.shapes import Shape, ShapesGraph, is_true, shacl, texts
from culturegraph.validation.targets import Uncompilable

COMPONENT: Final = NamedNode(SH + "SPARQLConstraintComponent")
SHAPES_GRAPH: Final = NamedNode(INTERNAL + "shapes")
TARGETED: Final = NamedNode(INTERNAL + "targeted")

# What must not be taken for a keyword or a variable: comments, strings, IRIs.
_OPAQUE: Final = (
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'"
    r"|<[^<>\"{}|^`\\\s]*>"
)
_TOKEN: Final = re.compile(
    rf"(?P<comment>#[^\n]*)|(?P<opaque>{_OPAQUE})|(?P<variable>[?$]\w+)|(?P<word>[\w:.-]+)|(?s:.)"
)
_GRAPH: Final = re.compile(r"\bGRAPH\s+([?$]\w+)", re.I)
# A dataset without our own graphs would do the same, but makes the store twenty times slower.
_HIDE_INTERNAL: Final = rf"FILTER(\1 NOT IN ({TERMS}, {TARGETED}, {SHAPES_GRAPH})) GRAPH \1"
_BOUND: Final = re.compile(r"\bBOUND\s*\(\s*[?$](?:shapesGraph|currentShape)\s*\)", re.I)
_SUBSELECT: Final = re.compile(r"\{\s*SELECT\b(?P<projection>.*?)(?:\bWHERE\b|\{)", re.I | re.S)
_PROLOGUE: Final = re.compile(r"\s*(?:PREFIX\s+[\w.-]*:\s*<[^>]*>|BASE\s*<[^>]*>)", re.I)


@dataclass(frozen=True)
class SparqlConstraint:
    """A SPARQL-based constraint, ready to run: its node, its messages with {?variables}, its query."""

    node: Node
    messages: Texts
    query: str


def constraint_query(shapes: ShapesGraph, shape: Shape, node: Node, focus: str, this: str) -> SparqlConstraint | None:
    """Return the constraint's query over all focus nodes of a pattern, None where it is deactivated.

    Raises DataErrors where SHACL forbids what the query uses or it does not parse, Uncompilable for a blank shape that
    the query asks for.
    """
    graph = shapes.graph
    if is_true(graph, node, "deactivated"):
        return None
    text = _select_of(graph, node, shape.name)
    _refuse_forbidden(text, shape.name)
    declared = prefixes(graph, node, shape.name)
    _check_syntax(declared, text, shape.name)
    prologue, body = split_prologue(text)
    body = _substitute(body, shape)
    if this != "?this":
        focus = f"{{ SELECT DISTINCT ({this} AS ?cgthis) WHERE {{ {focus} }} }} BIND(?cgthis AS ?this)"
    query = f"{declared}{prologue}\nSELECT DISTINCT * WHERE {{ {focus}\nLATERAL {{ {{ {body}\n}} }} }}"
    _check_syntax("", query, shape.name)
    return SparqlConstraint(node, texts(graph, node, shacl("message")), query)


def target_query(shapes: ShapesGraph, shape: Shape, target: Node) -> str | None:
    """Return the query of a SPARQL-based target, None for another kind of target (SHACL-AF §3.1)."""
    graph = shapes.graph
    if not graph.objects(target, shacl("select")):
        return None
    declared, text = prefixes(graph, target, shape.name), _select_of(graph, target, shape.name)
    if "this" not in _check_syntax(declared, text, shape.name):
        raise _fault(shape.name, "a target query selects ?this", "target")
    return declared + text


def uses_named_graphs(shapes: ShapesGraph) -> bool:
    """Return whether any query in the shapes graph looks into named graphs."""
    found = [*shapes.graph.pairs(shacl("select")), *shapes.graph.pairs(shacl("ask"))]
    return any(word.upper() == "GRAPH" for _, text in found for kind, word in tokens(text.value) if kind == "word")


def tokens(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield each token of a query with its kind: comment, opaque (string, IRI), variable, word or None."""
    for match in _TOKEN.finditer(text):
        yield match.lastgroup, match.group()


def fill(template: str, row: Mapping[str, Term]) -> str:
    """Return a message with its {?variables} and {$variables} filled in (SHACL §5.3.2)."""
    return re.sub(
        r"\{[?$](\w+)\}",
        lambda match: row[match[1]].value if match[1] in row else match[0],
        template,
    )


def _fault(name: str, message: str, parameter: str = "sparql") -> DataErrors:
    return DataErrors([DataError(message, name, column=f"sh:{parameter}")])


def _select_of(graph: Triples, node: Node, name: str) -> str:
    found = graph.objects(node, shacl("select"))
    if len(found) != 1 or not isinstance(found[0], Literal):
        raise _fault(name, f"a SPARQL-based constraint has one sh:select, this one has {len(found)}")
    return found[0].value


def prefixes(graph: Triples, node: Node, name: str) -> str:
    """Return the prologue that sh:prefixes asks for, through owl:imports (SHACL §5.2.1)."""
    seen: set[Any] = set()
    stack = graph.objects(node, shacl("prefixes"))
    declared: dict[str, str] = {}
    while stack:
        owner = stack.pop()
        if owner in seen:
            continue
        seen.add(owner)
        stack += graph.objects(owner, NamedNode(OWL + "imports"))
        for declaration in graph.objects(owner, shacl("declare")):
            prefix, namespace = (_text(graph.value(declaration, shacl(key))) for key in ("prefix", "namespace"))
            if declared.setdefault(prefix, namespace) != namespace:
                raise _fault(name, f"the prefix {prefix}: has two namespaces", "prefixes")
    return "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in sorted(declared.items()))


def _text(value: Any) -> str:
    return "" if value is None else str(value.value)


def split_prologue(text: str) -> tuple[str, str]:
    """Return the query's own PREFIX and BASE lines, and what follows them."""
    end = 0
    while match := _PROLOGUE.match(text, end):
        end = match.end()
    return text[:end], text[end:]


def _refuse_forbidden(text: str, name: str) -> None:
    """Raise DataErrors for what pre-binding forbids (SHACL Appendix A)."""
    plain = "".join(token if kind not in {"comment", "opaque"} else " " for kind, token in tokens(text))
    for keyword in ("MINUS", "VALUES", "SERVICE"):
        if any(kind == "word" and word.upper() == keyword for kind, word in tokens(text)):
            raise _fault(name, f"{keyword} is not allowed in a SPARQL-based constraint")
    if re.search(r"\bAS\s+[?$](?:this|shapesGraph|currentShape)\b", plain, re.I):
        raise _fault(name, "a pre-bound variable is bound again")
    for match in _SUBSELECT.finditer(plain):
        if not re.search(r"[?$]this\b", match["projection"]):
            raise _fault(name, "a subquery does not select $this")
    projection = re.search(r"\bSELECT\b(.*?)(?:\bWHERE\b|\{)", plain, re.I | re.S)
    if projection is None or not re.search(r"[?$]this\b|\*", projection[1]):
        raise _fault(name, "the query does not select $this")


def _substitute(body: str, shape: Shape) -> str:
    """Return the query with $PATH, $shapesGraph and $currentShape written out."""
    body = _BOUND.sub("(true)", body)
    values = {"shapesGraph": str(SHAPES_GRAPH)}
    if isinstance(shape.node, NamedNode):
        values["currentShape"] = str(shape.node)
    if shape.path is not None:
        values["PATH"] = path_sparql(shape.path)
    parts: list[str] = []
    for kind, token in tokens(body):
        name = token[1:] if kind == "variable" else ""
        if name == "PATH" and shape.path is None:
            raise _fault(shape.name, "$PATH in a node shape")
        if name == "currentShape" and name not in values:
            raise Uncompilable("$currentShape of a shape without a name")
        parts.append(values.get(name, token))
    return _GRAPH.sub(_HIDE_INTERNAL, "".join(parts))


def _check_syntax(declared: str, text: str, name: str) -> tuple[str, ...]:
    """Return the variables of the query. Raises DataErrors with line and column, counted without the prefixes."""
    try:
        solutions: Any = Store().query(declared + text)
        return tuple(variable.value for variable in solutions.variables)
    except SyntaxError as error:
        place, _, reason = str(error).removeprefix("error at ").partition(": ")
        line, _, column = place.partition(":")
        if line.isdigit() and column.isdigit():
            reason = f"line {int(line) - declared.count(chr(10))}, column {column}: {reason}"
        shown = " ".join(reason.split())
        raise _fault(name, f"is not valid SPARQL: {shown[:160]}") from error
