"""One clause, ready to run: how new rows of one of its premises become rows of its conclusion.

Rows are tuples of numbers. Every step makes them longer (a premise met by way of an index) or fewer (a premise that
only has to hold), for the whole set at once: that is what makes Python fast enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, TypeAlias

from pyoxigraph import Variable

from culturegraph.reasoning.relations import Relation, Relations, relation_of
from culturegraph.rules import Clause, Pattern

Rows: TypeAlias = Iterable[tuple[int, ...]]
Step: TypeAlias = Callable[[Rows], Rows]


def _places(pattern: Pattern) -> list[Any]:
    """Return what a row of the pattern's relation holds: the subject, and the object unless it is a class."""
    return [pattern.subject] if relation_of(pattern).member_of is not None else [pattern.subject, pattern.object]


class Plan:
    """What a clause makes of new rows of the premise at one position (its trigger).

    `slots` tells which place of a solution holds which variable or constant of the clause.
    """

    def __init__(self, clause: Clause, position: int, relations: Relations) -> None:
        self.clause = clause
        self.trigger = relation_of(clause.premises[position])
        self.slots: dict[object, int] = {}
        self._relations = relations
        self._width = 0
        self._tests: list[tuple[int, int]] = []
        self._plan_start(_places(clause.premises[position]))
        self._constants = self._plan_constants()
        rest = [pattern for place, pattern in enumerate(clause.premises) if place != position]
        self._steps: list[Step] = []
        while rest:
            # The premise with the most known places comes first: fewer rows on the way.
            pattern = max(rest, key=lambda p: sum(place in self.slots for place in _places(p)))
            rest.remove(pattern)
            self._steps.append(self._plan_step(pattern))
        if clause.conclusion:
            self._plan_conclusion(clause.conclusion)

    def solve(self, rows: set[Any]) -> Rows:
        """Return the solutions of all premises for new rows of the trigger."""
        constants, found = self._constants, rows
        if self.trigger.member_of is not None:
            found = [(x, *constants) for x in rows]  # type: ignore[assignment]
        elif constants:
            found = [(*row, *constants) for row in rows]  # type: ignore[assignment]
        for slot, other in self._tests:
            found = [row for row in found if row[slot] == row[other]]  # type: ignore[assignment]
        for step in self._steps:
            found = step(found)  # type: ignore[assignment]
        return found

    def conclude(self, rows: set[Any]) -> set[Any]:
        """Return the rows of the conclusion that follow from new rows of the trigger, known ones included."""
        if self._copies:
            return rows
        concluded = set(map(self._pick, self.solve(rows)))
        if not self._guarded:
            return concluded
        if self.target.member_of is not None:
            return {subject for subject in concluded if subject >= 0}
        return {row for row in concluded if row[0] >= 0}

    def _plan_start(self, places: list[Any]) -> None:
        for place in places:
            if place in self.slots:
                self._tests.append((self.slots[place], self._width))
            elif isinstance(place, Variable):
                self.slots[place] = self._width
            self._width += 1
        # Constants of the trigger are compared with the constants that every row carries.
        self._fixed = [(slot, place) for slot, place in enumerate(places) if not isinstance(place, Variable)]

    def _plan_constants(self) -> tuple[int, ...]:
        conclusion = [self.clause.conclusion] if self.clause.conclusion else []
        places = [place for pattern in [*self.clause.premises, *conclusion] for place in _places(pattern)]
        constants = list(dict.fromkeys(place for place in places if not isinstance(place, Variable)))
        for constant in constants:
            self.slots[constant] = self._width
            self._width += 1
        self._tests += [(slot, self.slots[constant]) for slot, constant in self._fixed]
        return tuple(self._relations.number(constant) for constant in constants)

    def _plan_step(self, pattern: Pattern) -> Step:
        relation, places = relation_of(pattern), _places(pattern)
        held = self._relations.rows[relation]
        known = [self.slots.get(place) for place in places]
        if None not in known:
            pick = itemgetter(*known)
            return lambda rows: [row for row in rows if pick(row) in held]
        new = [place for place in dict.fromkeys(places) if place not in self.slots]
        for place in new:
            self.slots[place] = self._width
            self._width += 1
        if len(places) == 2 and len(new) == 1 and known != [None, None]:
            by_object = known[0] is None
            index, slot = self._relations.index(relation, by_object=by_object), known[1 if by_object else 0]
            return lambda rows: [(*row, value) for row in rows for value in index.get(row[slot], ())]  # type: ignore[index]
        return lambda rows: [(*row, *tail) for row in rows for tail in _tails(held, len(places), len(new))]

    def _plan_conclusion(self, conclusion: Pattern) -> None:
        self.target: Relation = relation_of(conclusion)
        slots = [self.slots[place] for place in _places(conclusion)]
        self._pick = itemgetter(*slots)
        arity = len(_places(conclusion))
        same_shape = (arity == 1) == (self.trigger.member_of is not None)
        plain = not (self._steps or self._tests or self._constants)
        self._copies = plain and same_shape and slots == list(range(arity))
        # A literal may stand where the conclusion has its subject only if no premise has it as a subject.
        self._guarded = conclusion.subject not in {premise.subject for premise in self.clause.premises}


def _tails(held: set[Any], arity: int, new: int) -> Iterable[tuple[int, ...]]:
    """Yield what an unconnected premise adds to a row: one number for `?x a C` and `?x ?p ?x`, else two."""
    if arity == 1:
        return [(x,) for x in held]
    return list(held) if new == 2 else [(s,) for s, o in held if s == o]
