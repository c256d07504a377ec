"""Triple patterns: the premises and conclusions of a rule. Knows how they are written, not what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, Triple, Variable

from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import PREFIXES

Term: TypeAlias = NamedNode | BlankNode | Literal
# Terms by the names of the variables that stand for them.
Bindings: TypeAlias = Mapping[str, Term]


@dataclass(frozen=True)
class PropertyPath:
    """A property path, which only walks the lists of axioms: `rdf:rest*/rdf:first`, written with full IRIs."""

    text: str

    def __str__(self) -> str:
        return self.text


class Pattern(NamedTuple):
    """A triple some of whose places are variables. `str()` is SPARQL."""

    subject: NamedNode | BlankNode | Literal | Variable
    predicate: NamedNode | BlankNode | Literal | Variable | PropertyPath
    object: NamedNode | BlankNode | Literal | Variable

    def __str__(self) -> str:
        return f"{self.subject} {self.predicate} {self.object} ."

    @property
    def variables(self) -> list[str]:
        """The names of the variables, in the order of the places, each once."""
        return list(dict.fromkeys(place.value for place in self if isinstance(place, Variable)))

    def substitute(self, bindings: Bindings) -> Pattern:
        """Return the pattern with the bound variables replaced by their terms."""
        return Pattern(*(bindings.get(p.value, p) if isinstance(p, Variable) else p for p in self))  # type: ignore[arg-type]

    def match(self, triple: Triple) -> dict[str, Term] | None:
        """Return the bindings under which the pattern is the triple, or None."""
        bindings: dict[str, Term] = {}
        for place, term in zip(self, (triple.subject, triple.predicate, triple.object), strict=True):
            if isinstance(place, Variable):
                if bindings.setdefault(place.value, term) != term:  # type: ignore[arg-type]
                    return None
            elif place != term:
                return None
        return bindings

    def to_triple(self) -> Triple | None:
        """Return the triple of a pattern without variables; None where RDF has no such triple (a literal subject)."""
        s, p, o = self
        if isinstance(p, NamedNode) and isinstance(s, NamedNode | BlankNode) and not isinstance(o, Variable):
            return Triple(s, p, o)
        return None


def select(store: Dataset, query: str) -> list[dict[str, Term]]:
    """Return the solutions of a SELECT query that bind every variable (a BIND that fails leaves one unbound)."""
    solutions = store.query(query, prefixes=dict(PREFIXES))
    if not isinstance(solutions, QuerySolutions):
        raise TypeError("not a SELECT query")
    names = [variable.value for variable in solutions.variables]
    rows = ([row[name] for name in names] for row in solutions)
    return [dict(zip(names, row, strict=True)) for row in rows if None not in row]
