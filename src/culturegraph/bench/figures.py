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
    # What must be reached, each judged by the rows.
    bars: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    # An SVG.
    picture: str | None = None
    # Where and when they were taken.
    taken: Mapping[str, str] = field(default_factory=dict)

    def to_markdown(self) -> str:
        """Return the rows, and what must be reached, as Markdown tables."""
        return "\n\n".join(_table(rows) for rows in (self.rows, self.bars) if rows or rows is self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the figures for machines."""
        bars = {"bars": list(map(dict, self.bars))} if self.bars else {}
        taken = {"taken": dict(self.taken)} if self.taken else {}
        return {"bench": self.name, **taken, "rows": list(map(dict, self.rows)), **bars, "remarks": list(self.remarks)}


@dataclass(frozen=True)
class Options:
    """What may be asked of a benchmark; None: as it is usually run. Most take sizes only."""

    sizes: str | None = None
    seed: int | None = None
    rounds: int | None = None
    parts: str | None = None
    progress: Callable[[str], None] = lambda _: None


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    header = list(rows[0]) if rows else []
    lines = [header, ["---"] * len(header), *([_show(row[name]) for name in header] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _show(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3g}" if value < 100 else f"{value:,.0f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
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


def _tables(settings: Settings, options: Options) -> Figures:
    runs = tables.run(settings.data / "csv-metadata.json", _sizes(options.sizes, tables.SIZES))
    return Figures("tables", [asdict(run) for run in runs], tables.conclude(runs))


def _reasoning(settings: Settings, options: Options) -> Figures:
    runs = reasoning.run(_sizes(options.sizes, (10_000,)), rules=settings.queries / "rules")
    return Figures("reasoning", [asdict(run) for run in runs], _without("owlrl", "owlrl"))


def _validation(_settings: Settings, options: Options) -> Figures:
    missing = _without("pyshacl", "'culturegraph[build]'")
    engines = tuple(engine for engine in validation.ENGINES if not (missing and engine == "pyshacl"))
    runs = validation.run(_sizes(options.sizes, (10_000,)), engines)
    return Figures("validation", [asdict(run) for run in runs], missing)


def _endpoint(_settings: Settings, options: Options) -> Figures:
    # Only here: it starts servers, and draws in the store.
    from culturegraph.bench import endpoint, endpoint_bars, pictures
    from culturegraph.bench.endpoint_findings import PARTS, Effort

    effort = Effort(
        rounds=options.rounds or 5,
        seed=options.seed or 1,
        parts=tuple(options.parts.split(",")) if options.parts else PARTS,
    )
    found = endpoint.run(_sizes(options.sizes, (1_000_000,)), effort, options.progress)
    rows = endpoint_bars.rows(found)
    bars = [asdict(bar) for bar in endpoint_bars.judge(found)]
    return Figures("endpoint", rows, found.remarks, bars, pictures.draw(rows))


def _reconciliation(settings: Settings, options: Options) -> Figures:
    # Only here: it opens the published snapshot.
    from culturegraph.bench import reconciliation

    runs = reconciliation.run(settings, _sizes(options.sizes, (10_000,)), options.progress)
    return Figures("reconciliation", [asdict(run) for run in runs], bars=reconciliation.judge(runs))


def _pages(settings: Settings, options: Options) -> Figures:
    # Only here: it starts a server on the published snapshot.
    from culturegraph.bench import pages

    rounds, seed = options.rounds or pages.ROUNDS, options.seed or 1
    runs = pages.run(settings, _sizes(options.sizes, (pages.PAGES,)), rounds, seed, options.progress)
    return Figures("pages", [asdict(run) for run in runs], bars=pages.judge(runs))


def _scale(_settings: Settings, options: Options) -> Figures:
    # Only here: it publishes snapshots of its own.
    from culturegraph.bench import scale, scale_picture

    parts = tuple(options.parts.split(",")) if options.parts else scale.PARTS
    if unknown := set(parts) - set(scale.PARTS):
        raise UsageError(f"there is no part {unknown.pop()!r} (there are {', '.join(scale.PARTS)})")
    rows = scale.rows(scale.run(_sizes(options.sizes, scale.SIZES), parts, options.progress))
    return Figures("scale", rows, picture=scale_picture.draw(rows), taken=scale.machine())


def _exports(settings: Settings, options: Options) -> Figures:
    # Only here: it opens the published snapshot.
    from culturegraph.bench import exports

    runs = exports.run(settings, _sizes(options.sizes, exports.SIZES), options.progress)
    return Figures("exports", [asdict(run) for run in runs], bars=exports.judge(runs))


def _explanation(settings: Settings, options: Options) -> Figures:
    # Only here: it opens the published snapshot.
    from culturegraph.bench import explanation

    runs = explanation.run(settings, _sizes(options.sizes, (explanation.STATEMENTS,)))
    return Figures("explanation", [asdict(run) for run in runs], bars=explanation.judge(runs))


BENCHES: Final[Mapping[str, Callable[[Settings, Options], Figures]]] = {
    "endpoint": _endpoint,
    "tables": _tables,
    "reasoning": _reasoning,
    "validation": _validation,
    "reconciliation": _reconciliation,
    "pages": _pages,
    "scale": _scale,
    "exports": _exports,
    "explanation": _explanation,
}
# What takes --seed and --rounds, and what takes --parts.
_REPEATED, _PARTED = frozenset({"endpoint", "pages"}), frozenset({"endpoint", "scale"})


def measure(name: str, settings: Settings, options: Options) -> Figures:
    """Run a benchmark by its name. Raises UsageError where there is none of that name or an option does not suit it."""
    if name not in BENCHES:
        raise UsageError(f"there is no benchmark {name!r} (there are {', '.join(BENCHES)})")
    if name not in _REPEATED and (options.seed, options.rounds) != (None, None):
        raise UsageError(f"--seed and --rounds are for the benchmarks {' and '.join(sorted(_REPEATED))}")
    if name not in _PARTED and options.parts is not None:
        raise UsageError(f"--parts is for the benchmark {' and '.join(sorted(_PARTED))}")
    return BENCHES[name](settings, options)
