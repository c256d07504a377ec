"""How terms, steps and fresh variables are written while shapes become SPARQL.

Knows the store's layout (see `literals`): values in the default graph, veiled literals in TERMS.

Source: SHACL §2.3.2 (property paths in SPARQL).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pyoxigraph import BlankNode, Literal, NamedNode, Store

from culturegraph.rdf.vocabulary import RDF
from culturegraph.validation.literals import TERMS, WRITTEN, SourceTerms
from culturegraph.validation.paths import (
    Alternative,
    Inverse,
    PropertyPath,
    Repeat,
    Steps,
    path_predicates,
    path_sparql,
)
from culturegraph.validation.results import Term
from culturegraph.validation.targets import Uncompilable


class Scope:
    """What compiling needs to know of the data: its literals and its subclasses."""

    def __init__(self, source: SourceTerms, closure: Callable[[str], list[str]], has_veils: bool) -> None:
        self.source = source
        self.has_veils = has_veils
        self._closure = closure
        self._count = 0
        # Variables that hold no veiled literal: those reached by paths that are not in TERMS.
        self._plain: set[str] = set()
        self._scratch = Store()

    def fresh(self) -> str:
        """Return a variable that occurs nowhere else."""
        self._count += 1
        return f"?cg{self._count}"

    def constant(self, value: Term) -> str:
        """Return the term as SPARQL. Raises Uncompilable for a blank node."""
        if isinstance(value, BlankNode):
            raise Uncompilable("a blank node as a constant")
        return str(self.source.veil(value)) if isinstance(value, Literal) else str(value)

    def subclasses(self, cls: Term) -> list[str]:
        """Return the class and its subclasses in the data, as SPARQL."""
        if not isinstance(cls, NamedNode):
            raise Uncompilable("a class that is no IRI")
        return [f"<{found}>" for found in self._closure(cls.value)]

    def step(self, subject: str, path: PropertyPath, value: str) -> str:
        """Return the pattern that leads from subject to value; `subject` is bound before it."""
        # An empty path gives the focus node itself; and those come from several targets, so ?this is never sure.
        if not _may_be_empty(path) and not self._is_in_terms(path) and value != "?this":
            self._plain.add(value)
        return self._pattern(subject, path, value)

    def _is_in_terms(self, path: PropertyPath) -> bool:
        return any(predicate in self.source.predicates for predicate in path_predicates(path))

    def _pattern(self, subject: str, path: PropertyPath, value: str) -> str:
        if isinstance(path, Repeat) and _may_be_empty(path):
            # The store gives no empty path for a term that is in no triple, so it is written out.
            same = f"{{ BIND({subject} AS {value}) }}"
            once = self._plain_pattern(subject, Repeat(path.path, "+"), value)
            if path.times == "?":
                once = self._pattern(subject, path.path, value)
            return f"LATERAL {{ {same} UNION {{ {once} }} }}"
        if isinstance(path, Steps) and any(map(_may_be_empty, path.paths)):
            return self._steps(subject, path.paths, value)
        if isinstance(path, Alternative) and any(map(_may_be_empty, path.paths)):
            branches = (f"{{ {self._pattern(subject, choice, value)} }}" for choice in path.paths)
            return f"LATERAL {{ {' UNION '.join(branches)} }}"
        if isinstance(path, Inverse) and _may_be_empty(path.path):
            return self._pattern(subject, _push_inverse(path.path), value)
        return self._plain_pattern(subject, path, value)

    def _plain_pattern(self, subject: str, path: PropertyPath, value: str) -> str:
        pattern = f"{subject} {path_sparql(path)} {value} ."
        return f"GRAPH {TERMS} {{ {pattern} }}" if self._is_in_terms(path) else pattern

    def _may_be_veiled(self, variable: str) -> bool:
        return self.has_veils and variable not in self._plain

    def _steps(self, subject: str, paths: tuple[PropertyPath, ...], value: str) -> str:
        patterns = []
        for path in paths[:-1]:
            middle = self.fresh()
            patterns.append(self._pattern(subject, path, middle))
            subject = middle
        return " ".join([*patterns, self._pattern(subject, paths[-1], value)])

    def any_step(self, subject: str, predicate: str, value: str) -> str:
        """Return the pattern of all triples of a subject."""
        pattern = f"{subject} {predicate} {value} ."
        if not self.source.predicates:
            return pattern
        veiled = ", ".join(sorted(f"<{p.value}>" for p in self.source.predicates))
        plain = f"{pattern} FILTER({predicate} NOT IN ({veiled}))"
        return f"{{ {plain} }} UNION {{ GRAPH {TERMS} {{ {pattern} FILTER({predicate} IN ({veiled})) }} }}"

    def value(self, variable: str) -> str:
        """Return the expression for the value of a literal, whatever veil it wears."""
        if not self._may_be_veiled(variable):
            return variable
        datatype = f"STR(DATATYPE({variable}))"
        lifted = f'STRDT(STR({variable}), IRI(STRAFTER({datatype}, "{WRITTEN}")))'
        return f'IF(isLiteral({variable}) && STRSTARTS({datatype}, "{WRITTEN}"), {lifted}, {variable})'

    def has_datatype(self, variable: str, datatype: Term) -> str:
        """Return the expression that is true where the literal was written with the datatype, and well."""
        if not isinstance(datatype, NamedNode):
            raise Uncompilable("a datatype that is no IRI")
        if datatype.value == RDF + "langString":
            return f'COALESCE(LANG({variable}) != "", false)'
        if not self._may_be_veiled(variable):
            return f"COALESCE(DATATYPE({variable}) = {datatype}, false)"
        return f"COALESCE(DATATYPE({variable}) IN ({datatype}, <{WRITTEN}{datatype.value}>), false)"

    def regex(self, text: str, pattern: str, flags: str) -> str:
        """Return a REGEX call. Raises Uncompilable where only the store cannot read it, ValueError where none can."""
        call = f"REGEX({text}, {Literal(pattern)}, {Literal(flags)})"
        probe = f"SELECT ({call.replace(text, str(Literal('')), 1)} AS ?ok) {{}}"
        rows = list(self._scratch.query(probe))  # type: ignore[arg-type]
        if rows and rows[0]["ok"] is not None:
            return call
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        # Lookaround and back references: the store would pass them over in silence.
        raise Uncompilable(f"the regular expression {pattern!r}")


def _may_be_empty(path: PropertyPath) -> bool:
    """Return whether the path may lead from a node to itself without any triple."""
    match path:
        case Repeat():
            return path.times in "*?" or _may_be_empty(path.path)
        case Steps():
            return all(map(_may_be_empty, path.paths))
        case Alternative():
            return any(map(_may_be_empty, path.paths))
        case Inverse():
            return _may_be_empty(path.path)
        case NamedNode():
            return False


def _push_inverse(path: PropertyPath) -> PropertyPath:
    """Return `^path` with the inverse moved inwards, where it no longer hides an empty path."""
    match path:
        case Repeat():
            return Repeat(_push_inverse(path.path), path.times)
        case Steps():
            return Steps(tuple(map(_push_inverse, reversed(path.paths))))
        case Alternative():
            return Alternative(tuple(map(_push_inverse, path.paths)))
        case Inverse():
            return path.path
        case NamedNode():
            return Inverse(path)
