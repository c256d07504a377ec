"""Dashboards: pages of charts. Which there are says `queries/dashboards/dashboards.yaml`; each chart is a query file
beside it that names its dashboard, its place there (`order`) and its chart in the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from culturegraph.errors import DataError
from culturegraph.protocols.views import check_chart
from culturegraph.queries import QueryFile


@dataclass(frozen=True)
class Dashboard:
    """A page of charts: what it answers, and the queries behind it in their order."""

    id: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    queries: tuple[QueryFile, ...]


def read_dashboards(folder: Path, queries: Sequence[QueryFile]) -> dict[str, Dashboard]:
    """Return the dashboards by id, in the order of their file. None where there is no such file.

    Raises DataError where the file, a chart or the dashboard that a query names is wrong.
    """
    path = folder / "dashboards.yaml"
    charted = [query for query in queries if query.head.get("chart") is not None]
    for query in charted:
        check_chart(query.head["chart"], query.path.name)
    if not path.is_file():
        return {}
    try:
        declared: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DataError(f"is not YAML: {getattr(error, 'problem', error)}", path.name) from error
    by_dashboard: dict[str, list[QueryFile]] = {item["id"]: [] for item in declared}
    for query in sorted(charted, key=lambda query: (int(query.head.get("order", 0)), query.id)):
        if (name := query.head.get("dashboard")) is not None:
            if name not in by_dashboard:
                raise DataError(f"names the dashboard `{name}`, which {path.name} does not have", query.path.name)
            by_dashboard[name].append(query)
    return {
        item["id"]: Dashboard(item["id"], item["title"], item["about"], tuple(by_dashboard[item["id"]]))
        for item in declared
    }
