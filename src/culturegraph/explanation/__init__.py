"""Why a statement is in the graph: its proof from asserted statements by rules, told in prose and in PROV.

Reads rules and a store, and knows nothing of how conclusions were drawn: each is proved anew, backwards.
"""

from culturegraph.explanation.proofs import Explainer, Proof, explain
from culturegraph.explanation.prose import Sentence, tell
from culturegraph.explanation.provenance import REASONER, describe_rule, rule_iri, to_provenance

__all__ = [
    "REASONER",
    "Explainer",
    "Proof",
    "Sentence",
    "describe_rule",
    "explain",
    "rule_iri",
    "tell",
    "to_provenance",
]
