"""Asking a SPARQL endpoint politely: one page at a time, a pause between pages, patience with a busy server.

What was answered is kept in a state file, line by line, so that a run that was stopped goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError

from pyoxigraph import Quad, RdfFormat, parse, serialize
from SPARQLWrapper import POST, TURTLE, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import EndPointInternalError, EndPointNotFound, SPARQLWrapperException

from culturegraph import __version__
from culturegraph.errors import DataError, StorageError

AGENT: Final = f"culturegraph/{__version__} (https://w3id.org/culturegraph/)"
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE: Final = 60.0


@dataclass(frozen=True)
class Manners:
    """How an endpoint is asked. Times in seconds; `page` counts solutions."""

    delay: float = 1.0
    tries: int = 5
    timeout: float = 60.0
    page: int = 500
    sleep: Callable[[float], None] = time.sleep


class State:
    """The answered pages, as lines of JSON in a file; without a file, nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._pages: dict[str, str] = {}
        if path is not None and path.is_file():
            whole = 0
            for line in path.read_bytes().splitlines(keepends=True):
                try:
                    page = json.loads(line)
                    self._pages[page["key"]] = page["triples"]
                except (ValueError, KeyError, TypeError):
                    break
                whole += len(line)
            # What a killed run left half-written is asked for again.
            os.truncate(path, whole)

    def get(self, key: str) -> str | None:
        """Return the N-Triples of a page, or None where it was not answered yet."""
        return self._pages.get(key)

    def put(self, key: str, triples: str) -> None:
        """Keep an answered page; it is on disk when this returns."""
        self._pages[key] = triples
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "triples": triples}, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}") from error


class Endpoint:
    """One endpoint, its manners and its state; `asked` counts the requests of this run."""

    def __init__(self, url: str, manners: Manners, state: State) -> None:
        self.url, self.manners, self.state = url, manners, state
        self.asked = 0

    def pages(self, query: str) -> Iterator[list[Quad]]:
        """Yield the triples of a CONSTRUCT query (without LIMIT) page by page, until a page is empty.

        A solution of the query must give at least one triple, and ORDER BY must put solutions in one order.
        Raises StorageError where the endpoint does not answer, DataError where it refuses the query or sends no RDF.
        """
        offset = 0
        while True:
            paged = f"{query.rstrip()}\nLIMIT {self.manners.page} OFFSET {offset}\n"
            key = hashlib.sha256(f"{self.url}\n{paged}".encode()).hexdigest()
            triples = self.state.get(key)
            if triples is None:
                triples = self._ask(paged)
                self.state.put(key, triples)
            found = list(parse(input=triples, format=RdfFormat.N_TRIPLES))
            if not found:
                return
            yield found
            offset += self.manners.page

    def _ask(self, query: str) -> str:
        """Return the answer to a query as N-Triples, after as many tries as the manners allow."""
        for attempt in range(1, self.manners.tries + 1):
            if self.asked:
                self.manners.sleep(self.manners.delay)
            self.asked += 1
            try:
                return _to_ntriples(self._request(query))
            except (HTTPError, URLError, TimeoutError, ConnectionError, HTTPException, SPARQLWrapperException) as error:
                pause = self._pause(error, attempt)
                if pause is None or attempt == self.manners.tries:
                    raise self._give_up(error, attempt) from error
                self.manners.sleep(pause)
        raise StorageError(f"{self.url} was not asked: no try is allowed")

    def _request(self, query: str) -> bytes:
        wrapper = SPARQLWrapper(self.url, agent=AGENT)
        wrapper.setMethod(POST)
        wrapper.setTimeout(int(self.manners.timeout))
        wrapper.setReturnFormat(TURTLE)
        wrapper.setQuery(query)
        answer: Any = wrapper.query().response
        with answer:
            return bytes(answer.read())

    def _pause(self, error: Exception, attempt: int) -> float | None:
        """Return how long to wait before the next try, or None where there is no sense in one."""
        doubled = min(self.manners.delay * float(2**attempt), _LONGEST_PAUSE)
        if isinstance(error, HTTPError):
            if error.code not in _BUSY:
                return None
            asked = str(error.headers.get("Retry-After", ""))
            return max(doubled, min(float(asked), _LONGEST_PAUSE)) if asked.isdigit() else doubled
        return (
            None
            if isinstance(error, SPARQLWrapperException) and not isinstance(error, EndPointInternalError)
            else doubled
        )

    def _give_up(self, error: Exception, attempt: int) -> DataError | StorageError:
        told = str(getattr(error, "reason", "")) or str(error).splitlines()[0]
        if isinstance(error, SPARQLWrapperException) and not isinstance(
            error, EndPointInternalError | EndPointNotFound
        ):
            return DataError(f"refuses the query: {told}", self.url)
        return StorageError(
            f"{self.url} did not answer after {attempt} tries: {told} (the state file keeps what it did)"
        )


def _to_ntriples(turtle: bytes) -> str:
    try:
        found = parse(input=turtle, format=RdfFormat.TURTLE, rename_blank_nodes=True)
        data = serialize((quad.triple for quad in found), format=RdfFormat.N_TRIPLES)
    except SyntaxError as error:
        raise DataError(f"is no Turtle: {error.msg}", "answer of the endpoint", error.lineno, error.offset) from error
    return (data or b"").decode()
