"""Reads the report's form: cycles, and the edition of the form that each has. Every fault names its file.

Source: the online form https://unesco.tfaforms.net/3 (sections); the Policy Monitoring Platform of UNESCO (fields).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode

from culturegraph.errors import NotFoundError
from culturegraph.exports.forms.declared import Form, FormReader, Words, load, need, read_words
from culturegraph.rdf.vocabulary import BASE

FOLDER: Final = Path("exports") / "unesco-qpr"
_CYCLES: Final = "cycles.yaml"


@dataclass(frozen=True)
class Cycle:
    """A round of reports: its form, the event of the graph that is its due date, the reports before it."""

    id: str
    title: Words
    due: NamedNode
    verification: Words
    earlier: tuple[NamedNode, ...]
    form: Form


def has_cycles(queries: Path) -> bool:
    """Return whether a project declares cycles of the report: one on another subject may have none."""
    return (queries / FOLDER / _CYCLES).is_file()


def list_cycles(queries: Path) -> tuple[str, Sequence[str]]:
    """Return the default cycle and the ids of all, newest first. Raises NotFoundError, DataError, StorageError."""
    if not has_cycles(queries):
        raise NotFoundError(f"this project has no periodic report: {queries.name}/{FOLDER / _CYCLES} is not there")
    declared = load(queries / FOLDER / _CYCLES)
    ids = sorted((str(cycle["id"]) for cycle in need(declared, "cycles", _CYCLES)), reverse=True)
    return str(need(declared, "default", _CYCLES)), ids


def revision(queries: Path) -> str:
    """Return what changes with the declared cycles and forms."""
    files = sorted((queries / FOLDER).glob("*.yaml"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def read_cycle(queries: Path, name: str | None = None) -> Cycle:
    """Read a cycle with its form. Raises NotFoundError for an unknown cycle or none, DataError for a fault of them."""
    default, known = list_cycles(queries)
    wanted = name or default
    if wanted not in known:
        raise NotFoundError(f"there is no cycle {wanted!r}; there is {', '.join(known)}")
    folder = queries / FOLDER
    cycle = next(c for c in load(folder / _CYCLES)["cycles"] if str(c["id"]) == wanted)
    return Cycle(
        id=wanted,
        title=read_words(need(cycle, "title", _CYCLES), _CYCLES),
        due=NamedNode(BASE + need(cycle, "due", _CYCLES)),
        verification=read_words(need(cycle, "verification", _CYCLES), _CYCLES),
        earlier=tuple(NamedNode(BASE + report) for report in need(cycle, "earlier", _CYCLES)),
        form=FormReader(folder, f"{need(cycle, 'form', _CYCLES)}.yaml").read(),
    )
