"""What the endpoint must reach, as ratios of what was measured side by side; and the rows of its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Any, Final

from culturegraph.bench.endpoint_findings import CACHED, DEADLINE, DISK, GLIBC, NATIVE, OURS, RDFLIB, Figure, Findings
from culturegraph.bench.endpoint_queries import KINDS

SERVERS: Final = (OURS, GLIBC, DISK, CACHED, NATIVE, RDFLIB)
# Of the native server, at 1M quads: below this a kind counts as light.
_SLOW: Final = 20.0


@dataclass(frozen=True)
class Bar:
    """One thing that must be reached: what was found, and whether that is enough."""

    quads: int
    what: str
    wanted: str
    found: float
    is_reached: bool


def rows(findings: Findings) -> list[Mapping[str, Any]]:
    """Return one row a figure: each server's median, and ours in relation to the native server's."""
    return [_row(figure) for figure in findings.figures]


def _row(figure: Figure) -> Mapping[str, Any]:
    ours = figure.values.get(OURS, figure.values.get(CACHED))
    native = figure.values.get(NATIVE)
    ratio: float | str = round(ours / native, 3) if ours and native else ""
    values = {name: round(figure.values[name], 3) if name in figure.values else "" for name in SERVERS}
    return {"quads": figure.quads, "measured": figure.what, "unit": figure.unit, **values, "ours / native": ratio}


def judge(findings: Findings) -> list[Bar]:
    """Return every bar that the figures allow to judge."""
    sizes = sorted({figure.quads for figure in findings.figures})
    bars = [
        bar for size in sizes for bar in (*_ratios(findings, size), *_kinds(findings, size), *_limits(findings, size))
    ]
    return [*bars, *_growth(findings, sizes)]


def _ratios(findings: Findings, size: int) -> Iterator[Bar]:
    for what, server, peer, wanted in (
        ("light, c=8", OURS, NATIVE, 1.0),
        ("light, c=1", OURS, NATIVE, 0.9),
        ("light, c=8", GLIBC, NATIVE, 0.75),
        ("light, c=8", DISK, NATIVE, 0.7),
        ("light, c=8", OURS, RDFLIB, 30.0),
        ("mixed, c=8", OURS, NATIVE, 1.5),
        ("dashboard, repeated, c=8", CACHED, NATIVE, 1000.0),
        ("light beside 8 hostile, c=8", OURS, NATIVE, 1.0),
    ):
        one, other = findings.value(size, what, server), findings.value(size, what, peer)
        if one is not None and other:
            yield Bar(size, f"{what}: {server} / {peer}", f"≥ {wanted:g}", one / other, one / other >= wanted)
    index = findings.value(size, "text search by the index, p50", OURS)
    scan = findings.value(size, "text search by a scan, p50", OURS)
    if index and scan:
        yield Bar(size, "text search: scan / index", "≥ 20", scan / index, scan / index >= 20)


def _kinds(findings: Findings, size: int) -> Iterator[Bar]:
    """Judge the kinds that take the native server long: none much slower, all together no slower."""
    ratios = {}
    for kind in KINDS:
        ours = findings.value(size, f"{kind.name}, p50", OURS)
        native = findings.value(size, f"{kind.name}, p50", NATIVE)
        if ours is not None and native is not None and native > _SLOW:
            ratios[kind.name] = ours / native
    if ratios:
        average, slowest = mean(ratios.values()), max(ratios, key=lambda name: ratios[name])
        yield Bar(size, f"kinds over {_SLOW:g} ms, p50: ours / native, mean", "≤ 1", average, average <= 1)
        worst = ratios[slowest]
        yield Bar(size, f"kinds over {_SLOW:g} ms, p50: ours / native, worst ({slowest})", "≤ 1.2", worst, worst <= 1.2)


def _limits(findings: Findings, size: int) -> Iterator[Bar]:
    for what, unit, wanted in (
        ("everything, growth of memory", "MB", 120.0),
        ("everything, first byte", "ms", 20.0),
        ("light beside 8 hostile, c=1, p95", "ms", 100.0),
        ("hostile query refused after, at most", "s", DEADLINE + 1.0),
    ):
        found = findings.value(size, what, OURS)
        if found is not None:
            yield Bar(size, f"{what}: {OURS}", f"≤ {wanted:g} {unit}", found, found <= wanted)


def _growth(findings: Findings, sizes: Sequence[int]) -> Iterator[Bar]:
    """Judge how the time of look-ups and of joins of three hops grows with the graph."""
    for small, large in pairwise(sizes):
        for name in ("label", "entity", "three hops"):
            for server in (OURS, DISK):
                one = findings.value(small, f"{name}, p50", server)
                other = findings.value(large, f"{name}, p50", server)
                if one and other:
                    what = f"{name}, p50: {server}, {large:,} / {small:,} quads"
                    yield Bar(large, what, "≤ 1.5", other / one, other / one <= 1.5)
