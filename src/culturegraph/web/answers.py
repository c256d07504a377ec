"""Answers to queries on pages: as a table, and as the chart, the map or the graph that the reader chose.

What is common to `/sparql`, `/queries/…` and `/dashboards/…`. The pictures are drawn here, on the server; the editor
takes them from these pages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from pyoxigraph import QueryResultsFormat, RdfFormat, Triple, parse, serialize
from starlette.requests import Request

from culturegraph.errors import NotAcceptableError
from culturegraph.protocols.charts import Captions
from culturegraph.protocols.labels import Labels
from culturegraph.protocols.solutions import Solutions, read_solutions, triples_to_solutions
from culturegraph.protocols.views import Chart, draw_chart, draw_graph, draw_map, suggest_chart
from culturegraph.rdf.formats import DERIVED, GRAPHS, RESULTS
from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.store.evaluation import Kind, Task, TooLargeError
from culturegraph.store.evaluators import Evaluation
from culturegraph.web.results import Table, to_table
from culturegraph.web.site import Site

VIEWS: Final = ("table", "chart", "map", "graph")
PAGE_ROWS: Final = 500
# Bytes of a graph that a page shows, and of solutions that a page is made from.
PAGE_BYTES: Final = 200_000
MAX_BYTES: Final = 5_000_000


@dataclass(frozen=True)
class Answer:
    """An evaluated query: its kind and its bytes (JSON of solutions or of a boolean, N-Triples of a graph)."""

    kind: Kind
    data: bytes
    # A graph that is longer than a page shows.
    is_cut: bool = False


def page_task(query: str, rows: int = PAGE_ROWS) -> Task:
    """Return the task of a query whose answer goes into a page."""
    return Task(query, results=QueryResultsFormat.JSON, graph=RdfFormat.N_TRIPLES, rows=rows)


async def evaluate(site: Site, task: Task) -> Answer:
    """Return the answer to a query for a page."""
    evaluation = await site.evaluators.evaluate(task)
    async with aclosing(evaluation):
        return await collect(evaluation)


async def collect(evaluation: Evaluation, *, is_whole: bool = False) -> Answer:
    """Return what a page shows of an evaluation: a graph cut to its size, unless the whole is wanted.

    Raises TooLargeError where the values are too large for what is made of them.
    """
    data = bytearray()
    limit = PAGE_BYTES if evaluation.kind == "graph" and not is_whole else MAX_BYTES
    async for frame in evaluation.frames():
        data += frame
        if len(data) > limit:
            break
    if len(data) > limit and (is_whole or evaluation.kind != "graph"):
        raise TooLargeError(f"an answer in this format may be made of {limit:,} bytes; ask for CSV, JSON or N-Triples")
    return Answer(evaluation.kind, bytes(data), is_cut=len(data) > limit)


def read_answer(site: Site, answer: Answer, language: str = "es") -> Solutions:
    """Return an answer as rows: those of a graph are its triples. Raises NotAcceptableError for a boolean."""
    labels = Labels(site.snapshot.store, language)
    if answer.kind == "graph":
        return triples_to_solutions(_triples(answer), labels)
    if answer.kind == "boolean":
        raise NotAcceptableError("the answer is yes or no, which is neither on a map nor in a network")
    return read_solutions(json.loads(answer.data), labels)


@dataclass(frozen=True)
class Presentation:
    """What a page shows of an answer."""

    kind: Kind
    view: str
    picture: Markup | None
    table: Table | None = None
    boolean: bool | None = None
    turtle: str | None = None
    is_truncated: bool = False


def present(site: Site, answer: Answer, view: str, captions: Captions, chart: Chart | None = None) -> Presentation:
    """Return how a page shows an answer. `picture` is None for the table, empty where there is nothing to draw."""
    view = view if view in VIEWS else "table"
    if answer.kind == "boolean":
        return Presentation("boolean", "table", None, boolean=json.loads(answer.data)["boolean"])
    picture = None
    if view != "table":
        picture = draw(site, read_answer(site, answer, captions.language), view, captions, chart)
    if answer.kind == "graph":
        # Turtle reads better than N-Triples.
        return Presentation("graph", view, picture, turtle=_to_turtle(answer), is_truncated=answer.is_cut)
    table = to_table(json.loads(answer.data), site.snapshot.store, captions.language)
    return Presentation("solutions", view, picture, table=table, is_truncated=table.is_truncated)


def draw(site: Site, solutions: Solutions, view: str, captions: Captions, chart: Chart | None = None) -> Markup:
    """Return a view of an answer as SVG; empty where its values do not fit it."""
    if view == "map" or (chart and chart["kind"] == "map"):
        return draw_map(solutions, site.snapshot.store, captions, chart if chart and chart["kind"] == "map" else None)
    if view == "graph":
        return draw_graph(solutions, captions)
    chosen = chart or suggest_chart(solutions)
    return draw_chart(chosen, solutions, captions) if chosen else Markup()


def captions(site: Site, request: Request, title: str, name: str = "answer", description: str = "") -> Captions:
    """Return what a picture is called, in the reader's language."""
    language = site.pages.language(request)
    words = site.pages.words[language]
    return Captions(name, title, description or words["ask_picture_desc"], language, words["ask_other"])


def download_links(kind: Kind, parameters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the formats of an answer with the addresses from which it comes in each."""
    offered = [*(GRAPHS if kind == "graph" else RESULTS), *DERIVED]
    return [(offer.name, "/sparql?" + urlencode([*parameters, ("format", offer.name)])) for offer in offered]


def view_links(path: str, parameters: Sequence[tuple[str, str]], view: str) -> list[tuple[str, str, bool]]:
    """Return the views with the address of each and whether it is the one that is shown."""
    kept = [(name, value) for name, value in parameters if name != "view"]
    return [(name, f"{path}?{urlencode([*kept, ('view', name)])}", name == view) for name in VIEWS]


def _triples(answer: Answer) -> list[tuple[Any, Any, Any]]:
    whole = answer.data[: answer.data.rfind(b"\n") + 1] if answer.is_cut else answer.data
    return [(quad.subject, quad.predicate, quad.object) for quad in parse(whole, RdfFormat.N_TRIPLES)]


def _to_turtle(answer: Answer) -> str:
    output = serialize(
        (Triple(*triple) for triple in _triples(answer)), format=RdfFormat.TURTLE, prefixes=dict(PREFIXES)
    )
    return (output or b"").decode()
