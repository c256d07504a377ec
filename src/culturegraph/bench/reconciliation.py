"""Reconciliation, measured on the gold set beside two plain ways of matching names.

The gold set (`tests/cases/reconciliation/gold.csv`) gives names as catalogues write them, the type and the department
that the record tells, and the thing that is meant, or none. Measured are how often a match that is made alone is right
(precision) and how many of those that could be made are (recall); how often the right thing comes first, is among the
first five, and the mean of its reciprocal rank; and the time. The peers match names alone, as they do:

`rapidfuzz scan` compares the name with every name (token_sort_ratio), and matches alone from 90 on if one thing is
best. `fingerprint` is the method of OpenRefine's clustering: the sorted distinct words, without case, accents,
punctuation; it matches alone where one thing has the same key.
"""

from __future__ import annotations

import csv
import random
import string
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rapidfuzz import fuzz, process, utils

from culturegraph.errors import StorageError
from culturegraph.protocols.reconciliation.evidence import Condition
from culturegraph.protocols.reconciliation.matching import Query, Reconciler
from culturegraph.protocols.reconciliation.opening import open_reconciler
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.settings import Settings

GOLD: Final = Path("tests") / "cases" / "reconciliation" / "gold.csv"
BATCH: Final = 10
# The types of the gold set are those of catalogues: what each is called here.
TYPES: Final = {
    "Expression": ("CulturalExpression",),
    "Norm": ("NationalNorm",),
    "Institution": ("Organization",),
    "Group": ("PerformingGroup", "BearerGroup", "PuntoDeCultura", "CivilSocietyOrganization"),
    "Programme": ("Programme", "Project"),
}
_AT_LEAST: Final = 90.0

# The things that a name may mean, the best first, and how many of them (0 or 1) are matched alone.
Answer = tuple[Sequence[str], bool]
Find = Callable[["Row"], Answer]


@dataclass(frozen=True)
class Row:
    """One row of the gold set; `expected` is an IRI, or empty where nothing of ours is meant."""

    query: str
    type: str
    place: str
    expected: str


@dataclass(frozen=True)
class Run:
    """What one way of matching did. Shares are of 1; a batch has ten names. Times are of the wall; those of the
    processor (cpu) do not grow where a machine is shared."""

    method: str
    names: int
    precision: float
    recall: float
    wrong: int
    top_1: float
    top_5: float
    mrr: float
    names_per_second: float
    batch_p50_ms: float
    batch_p95_ms: float
    batch_p95_cpu_ms: float
    cpu_ms_per_name: float


def read_gold(path: Path) -> list[Row]:
    """Read the gold set. Raises StorageError where it is not there: an installed package has no tests."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise StorageError(f"the gold set {path} cannot be read; it is in a checkout of the project") from error
    return [
        Row(row["query"], row["type"], row["place"], BASE + row["expected"] if row["expected"] else "") for row in rows
    ]


def run(settings: Settings, sizes: Sequence[int], progress: Callable[[str], None] = lambda _: None) -> list[Run]:
    """Measure each method on the gold set, and ours on so many misspelled names of our own besides."""
    rows = read_gold(settings.root / GOLD)
    reconciler = open_reconciler(settings)
    methods: dict[str, Find] = {
        "culturegraph": lambda row: _ours(reconciler, row),
        "rapidfuzz scan": _scan(reconciler),
        "fingerprint": _fingerprint(reconciler),
    }
    # What is read when it is first needed is not what is measured.
    for find in methods.values():
        find(rows[0])
    runs = []
    for name, find in methods.items():
        progress(name)
        runs.append(measure(name, rows, find))
    for size in sizes:
        progress(f"{size:,} misspelled names")
        runs.append(measure(f"culturegraph, {size:,} misspelled", misspell(reconciler, size), methods["culturegraph"]))
    return runs


def measure(method: str, rows: Sequence[Row], find: Find) -> Run:
    """Look every row up, ten at a time, and count."""
    answers: list[Answer] = []
    batches = []
    cpu_batches = []
    for start in range(0, len(rows), BATCH):
        began, cpu = time.perf_counter(), time.process_time()
        answers += [find(row) for row in rows[start : start + BATCH]]
        batches.append(time.perf_counter() - began)
        cpu_batches.append(time.process_time() - cpu)
    batches.sort()
    cpu_batches.sort()
    pairs = list(zip(rows, answers, strict=True))
    ranks = [_rank(row, found) for row, (found, _) in pairs if row.expected]
    matched = [row.expected == found[0] for row, (found, is_match) in pairs if is_match]
    expected = sum(bool(row.expected) for row in rows)
    return Run(
        method,
        len(rows),
        precision=round(sum(matched) / len(matched), 4) if matched else 0.0,
        recall=round(sum(matched) / expected, 4),
        wrong=matched.count(False),
        top_1=round(sum(rank == 1 for rank in ranks) / expected, 4),
        top_5=round(sum(0 < rank <= 5 for rank in ranks) / expected, 4),
        mrr=round(sum(1 / rank for rank in ranks if rank) / expected, 4),
        names_per_second=round(len(rows) / sum(batches), 1),
        batch_p50_ms=round(1000 * batches[len(batches) // 2], 2),
        batch_p95_ms=round(1000 * batches[int(len(batches) * 0.95)], 2),
        batch_p95_cpu_ms=round(1000 * cpu_batches[int(len(cpu_batches) * 0.95)], 2),
        cpu_ms_per_name=round(1000 * sum(cpu_batches) / len(rows), 3),
    )


def _rank(row: Row, found: Sequence[str]) -> int:
    return found.index(row.expected) + 1 if row.expected in found else 0


def _ours(reconciler: Reconciler, row: Row) -> Answer:
    names = TYPES.get(row.type, (row.type,) if row.type else ())
    types = tuple(iri for name in names if (iri := reconciler.schema.find_class(name)))
    conditions = (Condition("department", CG + "department", (row.place,)),) if row.place else ()
    found = reconciler.find(Query(row.query, types, conditions=conditions))
    return [candidate.iri for candidate in found], any(candidate.match for candidate in found)


def _scan(reconciler: Reconciler) -> Find:
    names = [(name.text, name.iri) for held in reconciler.names.by_thing.values() for name in held]
    texts = [utils.default_process(text) for text, _ in names]

    def find(row: Row) -> Answer:
        query = utils.default_process(row.query)
        best: dict[str, float] = {}
        for _, score, number in process.extract(query, texts, scorer=fuzz.token_sort_ratio, limit=50):
            iri = names[number][1]
            best[iri] = max(score, best.get(iri, 0.0))
        found = sorted(best, key=lambda iri: -best[iri])
        alone = len(found) == 1 or (len(found) > 1 and best[found[0]] > best[found[1]])
        return found, alone and best[found[0]] >= _AT_LEAST

    return find


def fingerprint(text: str) -> str:
    """Return the key of a text in OpenRefine's fingerprint method.

    Source: OpenRefine documentation, Clustering methods in depth, “Fingerprint”.
    """
    lower = unicodedata.normalize("NFKD", text.strip().lower())
    ascii_only = lower.encode("ascii", "ignore").decode()
    return " ".join(sorted(set(ascii_only.translate(str.maketrans("", "", string.punctuation)).split())))


def _fingerprint(reconciler: Reconciler) -> Find:
    keys: dict[str, dict[str, None]] = defaultdict(dict)
    for iri, held in reconciler.names.by_thing.items():
        for name in held:
            keys[fingerprint(name.text)][iri] = None

    def find(row: Row) -> Answer:
        found = list(keys.get(fingerprint(row.query), ()))
        return found, len(found) == 1

    return find


def misspell(reconciler: Reconciler, size: int, seed: int = 1) -> list[Row]:
    """Return names of our own with two letters swapped or one left out; all different, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311
    held = sorted({(name.text, iri) for iri, names in reconciler.names.by_thing.items() for name in names})
    made: dict[str, str] = {}
    while len(made) < size:
        text, iri = chance.choice(held)
        made.setdefault(_spoil(text, chance), iri)
    return [Row(text, "", "", iri) for text, iri in made.items()]


def _spoil(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice((1, 1, 2))):
        place = chance.randrange(max(1, len(text) - 1))
        swapped = text[place + 1 : place + 2] + text[place : place + 1]
        text = text[:place] + (swapped if chance.random() < 0.5 else "") + text[place + 2 :]
    return text


def judge(runs: Iterable[Run]) -> list[dict[str, object]]:
    """Return what must be reached, and whether it was."""
    by_name = {found.method: found for found in runs}
    ours = by_name["culturegraph"]
    bars = [
        ("precision of matches", ours.precision, ">=", 0.99),
        ("recall of matches", ours.recall, ">=", 0.85),
        ("right one among the first five", ours.top_5, ">=", 0.97),
        ("batch of ten, p95 in ms", ours.batch_p95_ms, "<", 50.0),
    ]
    large = by_name.get("culturegraph, 10,000 misspelled")
    if large is not None:
        bars.append(("10,000 names, seconds", 10_000 / large.names_per_second, "<", 60.0))
    return [
        {
            "bar": name,
            "value": value,
            "must be": f"{sign} {bar:g}",
            "reached": value >= bar if sign == ">=" else value < bar,
        }
        for name, value, sign, bar in bars
    ]
