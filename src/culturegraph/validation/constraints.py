"""Core constraints as SPARQL tests of a value or of a focus node; those that are no tests are in `patterns`.

A test is an expression that is true where the node conforms and that never errors, since an error in a FILTER would
pass a faulty node in silence. Whatever is said here of a node holds at the top of a shape and inside another shape.

Source: SHACL §4 (Core Constraint Components).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.rdf.vocabulary import SH, XSD
from culturegraph.validation.paths import PropertyPath
from culturegraph.validation.results import Node, Term
from culturegraph.validation.scope import Scope
from culturegraph.validation.shapes import Shape, literal_integer
from culturegraph.validation.targets import A

Conforms = Callable[[str, Node], str]
"""From a variable and a shape to the expression that is true where the variable's node conforms to the shape."""


@dataclass(frozen=True)
class Test:
    """An expression that is true where the value (or, with `of_focus`, the focus node as a whole) conforms."""

    parameter: str
    component: NamedNode
    expression: str
    of_focus: bool = False
    wants: Any = None


def component(parameter: str) -> NamedNode:
    """Return the constraint component of a core parameter: minCount → sh:MinCountConstraintComponent."""
    return NamedNode(f"{SH}{parameter[0].upper()}{parameter[1:]}ConstraintComponent")


# --- tests of one value -----------------------------------------------------------------------------------------------

_KINDS: Final = {
    "IRI": "isIRI({0})",
    "BlankNode": "isBlank({0})",
    "Literal": "isLiteral({0})",
    "BlankNodeOrIRI": "!isLiteral({0})",
    "BlankNodeOrLiteral": "!isIRI({0})",
    "IRIOrLiteral": "!isBlank({0})",
}
_RANGES: Final = {"minExclusive": ">", "minInclusive": ">=", "maxExclusive": "<", "maxInclusive": "<="}


def is_class(scope: Scope, value: str, cls: Term) -> str:
    """sh:class, with the subclasses that the data declares (SHACL §4.1.1)."""
    classes = scope.subclasses(cls)
    if len(classes) == 1:
        return f"EXISTS {{ {value} {A} {classes[0]} }}"
    found = scope.fresh()
    return f"EXISTS {{ {value} {A} {found} FILTER({found} IN ({', '.join(classes)})) }}"


def is_kind(_scope: Scope, value: str, kind: Term) -> str:
    """sh:nodeKind (SHACL §4.1.3)."""
    name = kind.value.removeprefix(SH)
    if name not in _KINDS:
        raise ValueError(f"is not a node kind: {kind.value}")
    return _KINDS[name].format(value)


def _range(operator: str) -> Callable[[Scope, str, Term], str]:
    """sh:minExclusive and its like: what cannot be compared does not conform (SHACL §4.3)."""

    def test(scope: Scope, value: str, bound: Term) -> str:
        if not isinstance(bound, Literal):
            raise TypeError("is not a literal")
        return f"COALESCE({scope.value(value)} {operator} {bound}, false)"

    return test


def _length(operator: str) -> Callable[[Scope, str, Term], str]:
    """sh:minLength, sh:maxLength (SHACL §4.4.1, §4.4.2)."""

    def test(_scope: Scope, value: str, bound: Term) -> str:
        # STR of a blank node is an error, so none conforms.
        return f"COALESCE(STRLEN(STR({value})) {operator} {number(bound)}, false)"

    return test


def number(value: Term) -> int:
    """Return the number of a literal. Raises ValueError where it is none."""
    found = literal_integer(value)
    if found is None:
        raise ValueError(f"is not a whole number: {value}")
    return found


def is_among(scope: Scope, value: str, members: tuple[Term, ...]) -> str:
    """sh:in: the same term, not only the same value (SHACL §4.8.3)."""
    # For IRIs and strings, to be equal is to be the same term, and IN is far quicker; numbers and dates have values.
    plain, parts = [], []
    for member in members:
        if isinstance(member, Literal) and member.datatype.value != XSD + "string":
            parts.append(f"sameTerm({value}, {scope.constant(member)})")
        else:
            plain.append(scope.constant(member))
    if plain:
        parts.append(f"COALESCE({value} IN ({', '.join(plain)}), false)")
    return f"({' || '.join(parts) or 'false'})"


def has_language(_scope: Scope, value: str, ranges: tuple[Term, ...]) -> str:
    """sh:languageIn (SHACL §4.4.4)."""
    if not ranges:
        return "false"
    # The store writes tags in lower case, so most values are settled by the first, cheaper comparison.
    exact = ", ".join(str(Literal(tag.value.lower())) for tag in ranges)
    within = " || ".join(f"langMatches(LANG({value}), {Literal(tag.value)})" for tag in ranges)
    return f"COALESCE(LANG({value}) IN ({exact}) || {within}, false)"


def has_datatype(scope: Scope, value: str, datatype: Term) -> str:
    """sh:datatype, by what was written (SHACL §4.1.2)."""
    return scope.has_datatype(value, datatype)


_VALUE_TESTS: Final[dict[str, Callable[[Scope, str, Any], str]]] = {
    "class": is_class,
    "datatype": has_datatype,
    "nodeKind": is_kind,
    "minLength": _length(">="),
    "maxLength": _length("<="),
    "in": is_among,
    "languageIn": has_language,
    **{name: _range(operator) for name, operator in _RANGES.items()},
}


def value_tests(scope: Scope, shape: Shape, this: str, value: str, conforms: Conforms) -> Iterator[Test]:
    """Yield the tests that each value node of the shape must pass."""
    for parameter, write in _VALUE_TESTS.items():
        for wanted in shape.values.get(parameter, ()):
            yield Test(parameter, component(parameter), write(scope, value, wanted), wants=wanted)
    flags = shape.one("flags")
    for pattern in shape.values.get("pattern", ()):
        match = scope.regex(f"STR({value})", pattern.value, flags.value if flags else "")
        yield Test("pattern", component("pattern"), f"COALESCE({match}, false)", wants=pattern)
    for other in shape.values.get("disjoint", ()):
        met = f"EXISTS {{ {scope.step(this, other, value)} }}"
        yield Test("disjoint", component("disjoint"), f"!{met}", wants=other)
    for parameter, write_shape in _SHAPE_TESTS.items():
        for wanted in shape.values.get(parameter, ()):
            yield Test(parameter, component(parameter), write_shape(value, wanted, conforms), wants=wanted)


def _all_of(value: str, members: tuple[Node, ...], conforms: Conforms) -> str:
    return f"({' && '.join(conforms(value, member) for member in members) or 'true'})"


def _any_of(value: str, members: tuple[Node, ...], conforms: Conforms) -> str:
    return f"({' || '.join(conforms(value, member) for member in members) or 'false'})"


def _one_of(value: str, members: tuple[Node, ...], conforms: Conforms) -> str:
    return f"({' + '.join(f'IF({conforms(value, member)}, 1, 0)' for member in members) or '0'} = 1)"


_SHAPE_TESTS: Final[dict[str, Callable[[str, Any, Conforms], str]]] = {
    "node": lambda value, shape, conforms: conforms(value, shape),
    "not": lambda value, shape, conforms: f"!({conforms(value, shape)})",
    "and": _all_of,
    "or": _any_of,
    "xone": _one_of,
}


# --- tests of the focus node ------------------------------------------------------------------------------------------


def focus_tests(scope: Scope, shape: Shape, this: str, siblings: list[Node], conforms: Conforms) -> Iterator[Test]:
    """Yield the tests that are about all value nodes together (SHACL §4.2, §4.7.3, §4.8.2)."""
    for wanted in shape.values.get("hasValue", ()):
        constant = scope.constant(wanted)
        met = f"sameTerm({this}, {constant})"
        if shape.path is not None:
            met = f"EXISTS {{ {scope.step(this, shape.path, constant)} }}"
            if _needs_variable(shape.path):
                value = scope.fresh()
                met = f"EXISTS {{ {scope.step(this, shape.path, value)} FILTER(sameTerm({value}, {constant})) }}"
        yield Test("hasValue", component("hasValue"), met, of_focus=True, wants=wanted)
    if shape.path is None:
        return
    for wanted in shape.values.get("minCount", ()):
        met = at_least(scope, this, shape.path, number(wanted))
        yield Test("minCount", component("minCount"), met, of_focus=True, wants=wanted)
    for wanted in shape.values.get("maxCount", ()):
        met = f"!{at_least(scope, this, shape.path, number(wanted) + 1)}"
        yield Test("maxCount", component("maxCount"), met, of_focus=True, wants=wanted)
    for qualified in shape.values.get("qualifiedValueShape", ()):

        def counts(value: str, node: Node = qualified) -> str:
            others = "".join(f" && !({conforms(value, sibling)})" for sibling in siblings if sibling != node)
            return conforms(value, node) + others

        for wanted in shape.values.get("qualifiedMinCount", ()):
            met = at_least(scope, this, shape.path, number(wanted), counts)
            yield Test("qualifiedMinCount", component("qualifiedMinCount"), met, of_focus=True, wants=wanted)
        for wanted in shape.values.get("qualifiedMaxCount", ()):
            met = f"!{at_least(scope, this, shape.path, number(wanted) + 1, counts)}"
            yield Test("qualifiedMaxCount", component("qualifiedMaxCount"), met, of_focus=True, wants=wanted)


def _needs_variable(path: PropertyPath) -> bool:
    return not isinstance(path, NamedNode)


def at_least(
    scope: Scope, this: str, path: PropertyPath, count: int, counts: Callable[[str], str] | None = None
) -> str:
    """Return the expression that is true where the path leads to so many nodes or more (for which `counts` is true)."""
    if count <= 0:
        return "true"
    if count > 2:
        value = scope.fresh()
        inner = scope.step(this, path, value) + (f" FILTER({counts(value)})" if counts else "")
        having = f"HAVING(COUNT(DISTINCT {value}) >= {count})"
        return f"EXISTS {{ SELECT {this} WHERE {{ {inner} }} GROUP BY {this} {having} }}"
    values = [scope.fresh() for _ in range(count)]
    steps = " ".join(scope.step(this, path, value) for value in values)
    filters = [counts(value) for value in values] if counts else []
    if count == 2:
        filters.append(f"!sameTerm({values[0]}, {values[1]})")
    return f"EXISTS {{ {steps}{''.join(f' FILTER({condition})' for condition in filters)} }}"
