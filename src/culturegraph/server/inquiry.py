"""How the pages have a query evaluated by an evaluator: as a client of their own, over a socket pair."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final, cast
from urllib.parse import urlencode

from pyoxigraph import QueryResultsFormat, RdfFormat

from culturegraph import errors
from culturegraph.errors import CulturegraphError, LimitExceededError, QuerySyntaxError
from culturegraph.protocols.problems import PROBLEM
from culturegraph.protocols.sparql import FORM
from culturegraph.rdf.formats import GRAPHS, RESULTS
from culturegraph.server.endpoint import CLIENT, KIND_HEADER, ROWS, VOLATILE_HEADER
from culturegraph.server.limits import TooManyRequestsError
from culturegraph.store.evaluation import Kind, Task, TooLargeError

_PIECE: Final = 64 * 1024
_ERRORS: Final = {
    each.title: each
    for each in (TooLargeError, TooManyRequestsError, *vars(errors).values())
    if isinstance(each, type) and issubclass(each, CulturegraphError) and "__init__" not in vars(each)
}


class Inquiry:
    """A task in the hands of an evaluator, and its answer as it arrives."""

    def __init__(self, task: Task, offer: Callable[[int], None], patience: float) -> None:
        """Send the task. `offer` gives a connection to the supervisor; `patience` is in seconds."""
        mine, other = socket.socketpair()
        with other:
            offer(other.fileno())
        mine.settimeout(patience)
        self._connection = http.client.HTTPConnection("evaluator")
        self._connection.sock = mine
        try:
            self._response = self._send(task)
            if self._response.status != 200:
                raise _read_problem(self._response)
        except OSError as error:
            self.close()
            raise LimitExceededError("no evaluator answered; try again later") from error
        except BaseException:
            self.close()
            raise
        self.kind = cast(Kind, self._response.headers[KIND_HEADER.decode()])
        self.volatile = VOLATILE_HEADER.decode() in self._response.headers

    def write(self, output: IO[bytes]) -> None:
        """Pass the answer on. Raises LimitExceededError where it breaks off, and what `output.write` raises."""
        try:
            while True:
                try:
                    piece = self._response.read1(_PIECE)
                except (OSError, http.client.HTTPException) as error:
                    raise LimitExceededError("the answer broke off") from error
                if not piece:
                    break
                output.write(piece)
            if self._response.length:
                raise LimitExceededError("the answer broke off")
        finally:
            self.close()

    def close(self) -> None:
        """Let go; an evaluation that runs is then ended by the supervisor."""
        with suppress(OSError):
            self._connection.close()

    def _send(self, task: Task) -> http.client.HTTPResponse:
        results = next(offer.value for offer in RESULTS if offer.results == (task.results or QueryResultsFormat.JSON))
        graph = next(offer.value for offer in GRAPHS if offer.rdf == (task.graph or RdfFormat.TURTLE))
        parameters = [("query", task.query)]
        parameters += [("default-graph-uri", iri) for iri in task.default_graphs]
        parameters += [("named-graph-uri", iri) for iri in task.named_graphs]
        headers = {"Content-Type": FORM, "Accept": f"{results}, {graph}, {PROBLEM.value};q=0.5"}
        if task.client:
            headers[CLIENT.decode()] = task.client
        if task.rows is not None:
            headers[ROWS.decode()] = str(task.rows)
        self._connection.request("POST", "/sparql", urlencode(parameters), headers)
        return self._connection.getresponse()


def _read_problem(response: http.client.HTTPResponse) -> CulturegraphError:
    try:
        told = json.loads(response.read())
    except (ValueError, http.client.HTTPException):
        return LimitExceededError("no evaluator answered; try again later")
    detail = told["detail"]
    if told["title"] == QuerySyntaxError.title:
        line, column = told.get("line"), told.get("column")
        return QuerySyntaxError(detail.removesuffix(f" at line {line}, column {column}"), line, column)
    return _ERRORS.get(told["title"], CulturegraphError)(detail)
