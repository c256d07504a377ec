"""Shapes to queries: every constraint of a target shape becomes part of one set-at-a-time SPARQL query.

A shape's tests share a query that finds the nodes which fail any of them and tells which; patterns and SPARQL-based
constraints have a query each. Property shapes inside a shape report for themselves, so they are walked with the focus
nodes that their owner leads to; every other shape inside a shape becomes an expression. What has no SPARQL form is
named, never dropped: its target shape goes to the reference engine.

Source: SHACL §3.4 (Validation), §4 (Core Constraint Components), §5 (SPARQL-based Constraints).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from culturegraph.errors import DataError, DataErrors
from culturegraph.validation.constraints import Test, focus_tests, value_tests
from culturegraph.validation.patterns import Pattern, wrong_patterns
from culturegraph.validation.results import Node, Term
from culturegraph.validation.scope import Scope
from culturegraph.validation.shapes import Shape, ShapesGraph
from culturegraph.validation.sparql import SparqlConstraint, constraint_query
from culturegraph.validation.targets import Uncompilable, focus_pattern

# Inlined shapes may grow without end where they share parts many times over.
_MAX_QUERY = 200_000
_MAX_DEPTH = 20

Keep = Callable[[str], str]


@dataclass(frozen=True)
class Focus:
    """A pattern that binds the variable `this` to focus nodes; `all` are the variables of the way to them."""

    pattern: str
    this: str = "?this"
    all: tuple[str, ...] = ("?this",)


@dataclass(frozen=True)
class Check:
    """A query whose rows are results of a shape.

    The rows of `tests` have ?ok0, ?ok1, … beside the focus node and value, one for each test. Those of a pattern or of
    a SPARQL constraint are one result each.
    """

    query: str
    shape: Shape
    this: str
    value: str | None = None
    path: str | None = None
    detail: str | None = None
    tests: tuple[Test, ...] = ()
    pattern: Pattern | None = None
    sparql: SparqlConstraint | None = None
    # Whether its focus nodes are found from those of another shape, and each counts once wherever it is found from.
    is_gathered: bool = False


@dataclass(frozen=True)
class Plan:
    """What is run as queries, and the target shapes left to the reference engine with the reason why."""

    checks: tuple[Check, ...]
    left: Mapping[Node, str] = field(default_factory=dict)


def compile_shapes(
    shapes: ShapesGraph, scope: Scope, sparql_targets: Mapping[Term, str], keep: Keep | None = None
) -> Plan:
    """Compile every shape that has targets.

    `keep` takes the pattern of focus nodes and returns one that finds the same, or those wanted of them, at once.

    Raises DataErrors where a parameter makes no sense (a regular expression that does not compile, a count that is no
    number), located by shape and parameter.
    """
    compiler = _Compiler(shapes, scope)
    checks: list[Check] = []
    left: dict[Node, str] = {}
    errors: list[DataError] = []
    for shape in shapes.targeting:
        try:
            pattern = focus_pattern(shape, scope, sparql_targets)
            if keep is not None:
                pattern = keep(pattern)
            compiled = list(compiler.walk(shape, Focus(pattern)))
            if any(len(check.query) > _MAX_QUERY for check in compiled):
                raise Uncompilable("shapes inside shapes that grow too large")
            checks += compiled
        except Uncompilable as reason:
            left[shape.node] = str(reason)
        except DataErrors as found:
            errors += found.errors
    if errors:
        raise DataErrors(errors)
    return Plan(tuple(checks), left)


class _Compiler:
    """Compiles the shapes of one shapes graph."""

    def __init__(self, shapes: ShapesGraph, scope: Scope) -> None:
        self.shapes, self.scope = shapes, scope
        self._depth = 0

    def walk(self, shape: Shape, focus: Focus) -> Iterator[Check]:
        """Yield the checks of a shape and of the property shapes in it, for the given focus nodes."""
        if shape.deactivated:
            return
        if shape.custom or "expression" in shape.values:
            raise Uncompilable("a constraint component of its own")
        value = focus.this if shape.path is None else self.scope.fresh()
        reach = focus.pattern
        if shape.path is not None:
            reach = f"{focus.pattern} {self.scope.step(focus.this, shape.path, value)}"
        of_focus, of_value, patterns = self._constraints(shape, focus.this, value)
        if of_focus:
            yield self._tests_query(shape, focus, focus.pattern, None, of_focus)
        if of_value:
            yield self._tests_query(shape, focus, reach, value, of_value)
        for pattern in patterns:
            yield _pattern_query(shape, focus, pattern)
        for node in shape.values.get("sparql", ()):
            sparql = constraint_query(self.shapes, shape, node, focus.pattern, focus.this)
            if sparql is not None:
                yield Check(sparql.query, shape, "?this", sparql=sparql, is_gathered=focus.this != "?this")
        inner = Focus(reach, value, focus.all if value == focus.this else (*focus.all, value))
        for node in shape.values.get("property", ()):
            yield from self.walk(self.shapes.shapes[node], inner)

    def _constraints(self, shape: Shape, this: str, value: str) -> tuple[list[Test], list[Test], list[Pattern]]:
        """Return what the shape's own parameters ask of focus nodes and of values."""
        allowed = [self.shapes.shapes[node].path for node in shape.values.get("property", ())]
        siblings = self.shapes.siblings(shape) if shape.flag("qualifiedValueShapesDisjoint") else []
        try:
            of_focus = list(focus_tests(self.scope, shape, this, siblings, self.conforms))
            of_value = list(value_tests(self.scope, shape, this, value, self.conforms))
            return of_focus, of_value, list(wrong_patterns(self.scope, shape, this, allowed))
        except (ValueError, TypeError) as error:
            raise DataErrors([DataError(str(error), shape.name)]) from error

    def conforms(self, this: str, node: Node) -> str:
        """Return the expression that is true where the node of a variable conforms to a shape (SHACL §3.5)."""
        shape = self.shapes.shapes[node]
        if shape.deactivated:
            return "true"
        if shape.custom or {"sparql", "expression"} & shape.values.keys():
            raise Uncompilable("SPARQL inside a shape that another one refers to")
        if self._depth >= _MAX_DEPTH:
            raise Uncompilable("shapes nested too deep")
        self._depth += 1
        try:
            value = this if shape.path is None else self.scope.fresh()
            of_focus, of_value, patterns = self._constraints(shape, this, value)
            inner = [self.conforms(value, member) for member in shape.values.get("property", ())]
        finally:
            self._depth -= 1
        of_values = [*(test.expression for test in of_value), *inner]
        terms = [test.expression for test in of_focus]
        if shape.path is None:
            terms += of_values
        elif of_values:
            wrong = f"{self.scope.step(this, shape.path, value)} FILTER(!({' && '.join(of_values)}))"
            terms.append(f"!EXISTS {{ {wrong} }}")
        terms += [f"!EXISTS {{ {pattern.pattern} }}" for pattern in patterns]
        return f"({' && '.join(terms) or 'true'})"

    def _tests_query(self, shape: Shape, focus: Focus, reach: str, value: str | None, tests: Sequence[Test]) -> Check:
        shown = dict.fromkeys([*focus.all, *([value] if value else [])])
        met = " && ".join(test.expression for test in tests)
        if len(tests) == 1:
            query = f"SELECT DISTINCT {' '.join(shown)} WHERE {{ {reach} FILTER(!({met})) }}"
        else:
            flags = " ".join(f"({test.expression} AS ?ok{index})" for index, test in enumerate(tests))
            query = f"SELECT DISTINCT {' '.join(shown)} {flags} WHERE {{ {reach} FILTER(!({met})) }}"
        return Check(query, shape, focus.this, value, tests=tuple(tests))


def _pattern_query(shape: Shape, focus: Focus, pattern: Pattern) -> Check:
    columns = dict.fromkeys(filter(None, (*focus.all, pattern.value, pattern.path, pattern.detail)))
    query = f"SELECT DISTINCT {' '.join(columns)} WHERE {{ {focus.pattern} {pattern.pattern} }}"
    return Check(query, shape, focus.this, pattern.value, pattern.path, pattern.detail, pattern=pattern)
