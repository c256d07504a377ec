"""Rules to a fixpoint: what follows from a graph, and what in it cannot hold together.

`infer` is the fast engine; `reference` runs the rule files as they are and is its oracle.
"""

from culturegraph.reasoning.engine import Closure, Inconsistency, close, find_inconsistencies, infer, run_clauses
from culturegraph.rules import read_rules

__all__ = ["Closure", "Inconsistency", "close", "find_inconsistencies", "infer", "read_rules", "run_clauses"]
