"""What the endpoint benchmark measures, how long, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Final

from culturegraph.errors import UsageError

OURS, GLIBC, DISK, CACHED = "ours", "ours, glibc", "ours, disk", "ours, cached"
NATIVE, RDFLIB = "native", "rdflib-endpoint"
PARTS: Final = ("light", "kinds", "mixed", "dashboard", "stream", "text", "hostile")
# Seconds of a hostile query after which our server ends it.
DEADLINE: Final = 4


@dataclass(frozen=True)
class Effort:
    """How long each thing is measured: rounds, seconds of a load, queries of a kind."""

    rounds: int = 5
    seconds: float = 3.0
    queries: int = 15
    parts: tuple[str, ...] = PARTS
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse parts that there are not."""
        if unknown := set(self.parts) - set(PARTS):
            raise UsageError(f"there is no part {sorted(unknown)[0]!r} (there are {', '.join(PARTS)})")


@dataclass
class Figure:
    """One thing measured of several servers: the median of each, larger or smaller being better."""

    quads: int
    what: str
    unit: str
    values: dict[str, float] = field(default_factory=dict)


@dataclass
class Findings:
    """All figures of a run, what was left out, and queries that failed."""

    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, quads: int, what: str, unit: str, samples: dict[str, list[float]]) -> None:
        """Add the medians of samples by server."""
        values = {name: median(found) for name, found in samples.items() if found}
        self.figures.append(Figure(quads, what, unit, values))

    def remark(self, text: str) -> None:
        """Say something once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def value(self, quads: int, what: str, server: str) -> float | None:
        """Return one median, or None where it was not measured."""
        for figure in self.figures:
            if (figure.quads, figure.what) == (quads, what):
                return figure.values.get(server)
        return None
