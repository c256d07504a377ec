"""One table of figures a benchmark, and who measures what: the names that `culturegraph bench` knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import Any, Final

from culturegraph.bench import reasoning, tables, validation
from culturegraph.errors import UsageError
from culturegraph.settings import Settings


@dataclass(frozen=True)
class Figures:
    """Rows with the same columns, and what is to be known besides (a peer that was not there)."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    remarks: Sequence[str] = field(default_factory=tuple)

    def to_markdown(self) -> str:
        """Return the rows as a Markdown table."""
        header = list(self.rows[0]) if self.rows else []
        lines = [header, ["---"] * len(header), *([_show(row[name]) for name in header] for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def to_json(self) -> dict[str, Any]:
        """Return the figures for machines."""
        return {"bench": self.name, "rows": list(map(dict, self.rows)), "remarks": list(self.remarks)}


def _show(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3g}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _sizes(written: str | None, usual: Sequence[int]) -> list[int]:
    try:
        sizes = [int(size) for size in written.split(",")] if written else list(usual)
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise UsageError(f"--sizes takes whole numbers with commas between them, such as 1000,10000, not {written!r}")
    return sizes


def _without(peer: str, extra: str) -> list[str]:
    """Return the remark on a peer that is not installed; nothing where it is."""
    return [] if find_spec(peer) else [f"{peer} is not installed, so it was not measured (pip install {extra})"]


def _tables(settings: Settings, sizes: str | None) -> Figures:
    runs = tables.run(settings.data / "csv-metadata.json", _sizes(sizes, tables.SIZES))
    return Figures("tables", [asdict(run) for run in runs])


def _reasoning(settings: Settings, sizes: str | None) -> Figures:
    runs = reasoning.run(_sizes(sizes, (10_000,)), rules=settings.queries / "rules")
    return Figures("reasoning", [asdict(run) for run in runs], _without("owlrl", "owlrl"))


def _validation(_settings: Settings, sizes: str | None) -> Figures:
    missing = _without("pyshacl", "'culturegraph[build]'")
    engines = tuple(engine for engine in validation.ENGINES if not (missing and engine == "pyshacl"))
    runs = validation.run(_sizes(sizes, (10_000,)), engines)
    return Figures("validation", [asdict(run) for run in runs], missing)


BENCHES: Final[Mapping[str, Callable[[Settings, str | None], Figures]]] = {
    "tables": _tables,
    "reasoning": _reasoning,
    "validation": _validation,
}


def measure(name: str, settings: Settings, sizes: str | None) -> Figures:
    """Run a benchmark by its name. Raises UsageError where there is none of that name or the sizes are none."""
    if name not in BENCHES:
        raise UsageError(f"there is no benchmark {name!r} (there are {', '.join(BENCHES)})")
    return BENCHES[name](settings, sizes)
