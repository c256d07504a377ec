"""Labels and identifiers from Wikidata, or any endpoint with its terms: the query files of `queries/ingest/`.

Each file is a CONSTRUCT query that runs as it stands. Its head may say `batch: {variable, file, column, size}`: then
its VALUES of that variable are replaced by the values of that column of our tables, so many at a time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from culturegraph.errors import DataError, UsageError
from culturegraph.queries import QueryFile, check_syntax, read_queries, read_query
from culturegraph.rdf.vocabulary import shrink
from culturegraph.sources.adapters.endpoint import Endpoint, Manners, State
from culturegraph.sources.adapters.job import Job, Tally
from culturegraph.sources.adapters.names import is_damaged

_PAGED = re.compile(r"\b(LIMIT|OFFSET)\b", re.IGNORECASE)
_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_ITEM = re.compile(r"Q[1-9][0-9]*")
_SIZE: Final = 50


def _check(query: QueryFile) -> None:
    fault = check_syntax(query)
    if fault is not None:
        raise fault
    if query.form != "CONSTRUCT":
        raise DataError(f"is a {query.form} query: only CONSTRUCT is ingested", query.path.name)
    if _PAGED.search(query.sparql):
        raise DataError("has LIMIT or OFFSET: pages are asked for here", query.path.name)
    if not _ORDERED.search(query.sparql):
        raise DataError("has no ORDER BY: without it pages overlap", query.path.name)


def _term(value: str, written_as: str) -> str:
    """Return a value as a term of a VALUES list, in the manner of the ones that stand in the query."""
    if written_as.startswith("wd:"):
        if not _ITEM.fullmatch(value):
            raise DataError(f"{value!r} is no Wikidata item", "values")
        return f"wd:{value}"
    return str(Literal(value))


def _values(job: Job, batch: dict[str, Any]) -> list[str]:
    path = job.data / str(batch["file"])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return sorted({row[batch["column"]] for row in csv.DictReader(file) if row[batch["column"]]})
    except (OSError, KeyError) as error:
        raise DataError(
            f"has a batch of {path.name} {batch.get('column')}, which cannot be read", "ingest query"
        ) from error


def _batches(job: Job, query: QueryFile) -> Iterator[str]:
    """Yield the query, its VALUES filled with so many of our values at a time; as it stands without a batch."""
    batch = query.head.get("batch")
    if not batch:
        yield query.sparql
        return
    pattern = re.compile(r"VALUES\s+\?" + re.escape(str(batch["variable"])) + r"\s*\{\s*(\S+)[^}]*\}")
    found = pattern.search(query.sparql)
    if found is None:
        raise DataError(f"has no VALUES ?{batch['variable']} {{ … }} to fill", query.path.name)
    values, size = _values(job, batch), int(batch.get("size", _SIZE))
    for start in range(0, len(values), size):
        terms = " ".join(_term(value, found[1]) for value in values[start : start + size])
        filled = f"VALUES ?{batch['variable']} {{ {terms} }}"
        yield query.sparql[: found.start()] + filled + query.sparql[found.end() :]


def _manners(job: Job) -> Manners:
    try:
        return Manners(
            delay=float(job.options.get("delay") or Manners.delay),
            page=int(job.options.get("page") or Manners.page),
            tries=int(job.options.get("tries") or Manners.tries),
        )
    except ValueError as error:
        raise UsageError(f"delay, page and tries are numbers: {error}") from error


def _fault(quad: Quad) -> str:
    if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
        return "has a blank node: an unknown value of the endpoint"
    if isinstance(quad.object, Literal) and is_damaged(" ".join(quad.object.value.split())):
        return "has lost letters"
    return ""


def adapt(job: Job, tally: Tally) -> Iterator[str]:
    """Yield the lines of all answers; the row of a reject is the running number of the triple within its query."""
    state = Path(job.options["state"]) if job.options.get("state") else None
    endpoint = Endpoint(job.option("endpoint"), _manners(job), State(state))
    queries = [read_query(path) for path in job.files] if job.files else read_queries(job.queries / "ingest")
    for query in queries:
        _check(query)
    graph = NamedNode(job.source.graph)
    for query in queries:
        tally.prefix = f"{query.id}:"
        pages = (page for text in _batches(job, query) for page in endpoint.pages(text))
        for number, quad in enumerate(chain.from_iterable(pages), start=1):
            tally.rows += 1
            fault = _fault(quad)
            if fault:
                tally.reject(number, shrink(quad.predicate.value), fault, str(quad.object))
            else:
                yield f"{Quad(quad.subject, quad.predicate, quad.object, graph)} .\n"
    tally.noted["requests to the endpoint"] = endpoint.asked
