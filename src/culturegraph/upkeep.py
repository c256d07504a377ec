"""What a maintainer looks at once in a while: how long ago each source was read, and whether it is still there.

Asks each address once (HEAD, then GET where that is refused), a few at a time and never two of one host at once.

Source: RFC 9110 §9.3.2 (HEAD), §15 (status codes).
"""

from __future__ import annotations

import csv
import threading
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from http.client import HTTPException
from typing import TextIO
from urllib.parse import urlsplit

from culturegraph import __version__
from culturegraph.queries import read_query
from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

_COLUMNS = ("source", "title", "retrieved", "days", "address", "answer", "dead")
_AT_ONCE = 4
# What servers answer to HEAD that answer GET.
_NO_HEAD = frozenset({400, 403, 404, 405, 501})


@dataclass(frozen=True)
class SourceState:
    """A source: when it was read, how many days ago, where it is, and what its address answered, if it was asked."""

    source: str
    title: str
    retrieved: str
    days: int | None
    address: str
    answer: str = ""
    is_dead: bool = False

    def row(self) -> tuple[str, ...]:
        """Return the cells of the report."""
        days = "" if self.days is None else str(self.days)
        dead = "" if not self.answer else "yes" if self.is_dead else "no"
        return (self.source, self.title, self.retrieved, days, self.address, self.answer, dead)


def list_sources(settings: Settings, today: date) -> list[SourceState]:
    """Return the sources of the published snapshot, the one that was read longest ago first.

    Raises StorageError where nothing is published.
    """
    query = read_query(settings.queries / "examples" / "source-age.rq")
    store = open_current(settings.store).store
    found = []
    for row in store.query(query.sparql, prefixes=dict(PREFIXES)):  # type: ignore[union-attr]
        source, title, retrieved, address = (
            getattr(row[name], "value", "") for name in ("source", "title", "retrieved", "address")
        )
        days = (today - date.fromisoformat(retrieved)).days if retrieved else None
        found.append(SourceState(source, title, retrieved, days, address))
    return found


def check_links(sources: Sequence[SourceState], timeout: float = 20.0) -> list[SourceState]:
    """Return the sources with what their addresses answered; those without an address as they are."""
    hosts: dict[str, threading.Lock] = defaultdict(threading.Lock)
    asked = {source.address: hosts[urlsplit(source.address).netloc] for source in sources if source.address}

    def ask(address: str) -> tuple[str, bool]:
        with asked[address]:
            return ask_address(address, timeout)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = dict(zip(asked, pool.map(ask, asked), strict=True))
    return [
        replace(source, answer=answers[source.address][0], is_dead=answers[source.address][1])
        if source.address in answers
        else source
        for source in sources
    ]


def ask_address(address: str, timeout: float) -> tuple[str, bool]:
    """Return what an address answers (a status and where it led, or the error), and whether it is dead."""
    answer, status = "", 0
    for method in ("HEAD", "GET"):
        headers = {"User-Agent": f"culturegraph/{__version__} (report of dead links)", "Accept": "*/*"}
        # The table of sources admits http and https only.
        request = urllib.request.Request(address, method=method, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
                led = f" → {response.url}" if response.url != address else ""
                return f"{response.status}{led}", False
        except urllib.error.HTTPError as error:
            answer, status = str(error.code), error.code
            error.close()
        except (OSError, HTTPException, ValueError) as error:
            return f"{type(error).__name__}: {getattr(error, 'reason', error)}", True
        if status not in _NO_HEAD:
            break
    # Refused or too often asked: somebody is there.
    return answer, status not in (401, 403, 429)


def write_report(sources: Sequence[SourceState], target: TextIO) -> None:
    """Write the report as CSV."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(source.row() for source in sources)
