"""What our ontology entails, module by module, and whether the tests would notice that an axiom is gone."""

from __future__ import annotations

from collections import Counter

import pytest
from axiom_cases import judge, modules, mutate, ontology, read_case


@pytest.mark.parametrize("module", modules())
def test_the_ontology_entails_what_the_module_s_files_say(module):
    case = read_case(module)
    then, forbidden = judge(ontology(), case["given"])

    assert case["given"], "no case: run `python tests/axiom_cases.py write` and review what it says"
    assert then == case["then"]
    assert forbidden == case["forbidden"]


@pytest.mark.slow
def test_nearly_every_axiom_is_noticed_when_it_is_gone():
    report = mutate()
    kinds = Counter(report.values())

    # What nobody notices follows from other axioms, most often by way of an inverse; or is the range of a literal.
    assert kinds["nobody"] <= 0.05 * len(report), [str(axiom) for axiom, kind in report.items() if kind == "nobody"]
