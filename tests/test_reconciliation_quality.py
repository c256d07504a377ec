"""Reconciliation on the gold set: matches are right, homonyms are never matched, the right thing is near the top."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from culturegraph.bench import reconciliation as bench
from culturegraph.errors import StorageError
from culturegraph.protocols.reconciliation.matching import Query, Reconciler
from culturegraph.protocols.reconciliation.opening import open_reconciler


@pytest.fixture(scope="module")
def reconciler(built, settings) -> Reconciler:
    return open_reconciler(settings)


def test_the_gold_set_is_answered_as_it_should_be(reconciler: Reconciler, root: Path) -> None:
    rows = bench.read_gold(root / bench.GOLD)
    ours = bench.measure("culturegraph", rows, lambda row: bench._ours(reconciler, row))
    assert ours.precision >= 0.99
    assert ours.recall >= 0.85
    assert ours.top_5 >= 0.97
    peer = bench.measure("fingerprint", rows, bench._fingerprint(reconciler))
    assert peer.recall < ours.recall


def test_homonyms_are_never_matched(reconciler: Reconciler, root: Path) -> None:
    with (root / bench.GOLD).open(encoding="utf-8", newline="") as file:
        homonyms = [row for row in csv.DictReader(file) if row["spoiled"] == "homonym"]
    assert len(homonyms) > 20
    for row in homonyms:
        types = tuple(filter(None, map(reconciler.schema.find_class, bench.TYPES.get(row["type"], (row["type"],)))))
        found = reconciler.find(Query(row["query"], types if row["type"] else ()))
        assert not any(candidate.match for candidate in found), row


def test_fingerprints_are_openrefines() -> None:
    assert bench.fingerprint("  Danza, de  las TIJERAS. ") == "danza de las tijeras"
    assert bench.fingerprint("Ñusta ñusta") == "nusta"


def test_without_a_checkout_there_is_no_gold_set(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="in a checkout"):
        bench.read_gold(tmp_path / "gold.csv")
