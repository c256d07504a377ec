"""Inference rules as files: reading them, and narrowing them to the axioms of an ontology.

Both the reasoner (which runs rules forwards, when a graph is built) and the explanations (which run them backwards,
in a server too) need rules; this package is what they share, and knows neither.
"""

from culturegraph.rules.clauses import Clause, narrow_rules
from culturegraph.rules.files import Rule, read_rule, read_rules
from culturegraph.rules.patterns import Pattern, PropertyPath

__all__ = ["Clause", "Pattern", "PropertyPath", "Rule", "narrow_rules", "read_rule", "read_rules"]
