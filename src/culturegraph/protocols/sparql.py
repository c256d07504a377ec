"""SPARQL 1.1 Protocol: what a request asks for. Parses and negotiates; evaluates nothing, knows no web framework.

Source: SPARQL 1.1 Protocol §2.1 (query operation).
"""

from __future__ import annotations

import hashlib
import re
from binascii import a2b_qp
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from pyoxigraph import QueryResultsFormat, RdfFormat

from culturegraph.errors import NotAcceptableError, RequestError, UnsupportedMediaTypeError
from culturegraph.rdf.formats import DERIVED, GRAPHS, HTML, RESULTS, MediaType, choose, negotiate
from culturegraph.store.evaluation import Kind, Task

FORM: Final = "application/x-www-form-urlencoded"
QUERY: Final = "application/sparql-query"
UPDATE: Final = "application/sparql-update"
_BROKEN_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class SparqlRequest(NamedTuple):
    """A query operation. `query` is None where the request asks for none: a bare GET of the endpoint."""

    query: str | None
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    format: str | None = None


def parse_request(method: str, query_string: str, content_type: str | None, body: bytes) -> SparqlRequest:
    """Read a request: GET, POST of a form, POST of a query. Unknown parameters are ignored: editors send their own.

    Raises RequestError (no query, two queries, an update, broken encoding) or UnsupportedMediaTypeError.
    """
    if method == "GET" and query_string.startswith("query=") and "&" not in query_string:
        # What most clients send.
        return SparqlRequest(_unescape(query_string[6:]))
    pairs = parse_form(query_string)
    if method == "POST":
        media_type, charset = _split_content_type(content_type)
        if charset not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaTypeError(f"a query is sent in UTF-8, not in {charset}")
        if media_type == FORM:
            pairs += parse_form(_decode(body, "the form"))
        elif media_type == QUERY:
            pairs.append(("query", _decode(body, "the query")))
        elif media_type == UPDATE:
            raise RequestError("this endpoint only reads: no SPARQL Update")
        else:
            raise UnsupportedMediaTypeError(f"send the query as {FORM} or as {QUERY}, not as {media_type or 'nothing'}")
    return _to_request(pairs, method)


def parse_form(text: str) -> list[tuple[str, str]]:
    """Decode `a=b&c=d`. Raises RequestError where an escape is broken or is not UTF-8."""
    return [
        (_unescape(name), _unescape(value))
        for name, _, value in (pair.partition("=") for pair in text.split("&") if pair)
    ]


def _to_request(pairs: Sequence[tuple[str, str]], method: str) -> SparqlRequest:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    if "update" in values:
        raise RequestError("this endpoint only reads: no SPARQL Update")
    queries = values.get("query", ())
    if len(queries) > 1:
        raise RequestError("more than one `query` parameter")
    default, named = tuple(values.get("default-graph-uri", ())), tuple(values.get("named-graph-uri", ()))
    asked = (*values.get("format", ()), *values.get("output", ()))
    if not queries and (method == "POST" or default or named):
        raise RequestError("the `query` parameter is missing")
    return SparqlRequest(
        query=queries[0] if queries else None,
        default_graphs=default,
        named_graphs=named,
        format=asked[0] if asked else None,
    )


@dataclass(frozen=True)
class AnswerFormats:
    """How an answer is written, whichever form the query turns out to have.

    `html` wraps it in a page; `derived` is a format that is made of the whole answer (GeoJSON, GraphML).
    """

    results: MediaType
    graph: MediaType
    html: bool = False
    derived: MediaType | None = None

    @cached_property
    def names(self) -> str:
        """What tells these formats from others."""
        offers = self.results, self.graph, *([self.derived] if self.derived else []), *([HTML] if self.html else [])
        return " ".join(offer.value for offer in offers)

    def of(self, kind: Kind) -> MediaType:
        """Return the media type for a kind of answer."""
        return self.graph if kind == "graph" else self.results

    def to_task(self, request: SparqlRequest, rows: int | None = None) -> Task:
        """Return the task of a request in these formats; of the solutions only so many `rows` where that is given."""
        return Task(
            request.query or "",
            self.results.results or QueryResultsFormat.JSON,
            self.graph.rdf or RdfFormat.TURTLE,
            request.default_graphs,
            request.named_graphs,
            rows,
        )


@lru_cache(256)
def choose_formats(accept: str | None, name: str | None) -> AnswerFormats:
    """Return the formats of an answer by the `format=` parameter, else by Accept.

    Where only the other kind of answer is accepted, the default format goes out: some clients ask for result formats
    whatever the query. Raises NotAcceptableError where nothing that is ever offered suits.
    """
    if name is not None:
        best = next((offer for offer in (*RESULTS, *GRAPHS, *DERIVED, HTML) if offer.is_called(name)), None)
        if best is None:
            raise NotAcceptableError(_offers(f"the format `{name}` is not known"))
    else:
        best = negotiate(accept, (*RESULTS, *GRAPHS, HTML, *DERIVED))
    results, graph = choose(accept, name, RESULTS), choose(accept, name, GRAPHS)
    return AnswerFormats(results or RESULTS[0], graph or GRAPHS[0], best is HTML, best if best in DERIVED else None)


def entity_tag(version: str, request: SparqlRequest, formats: AnswerFormats) -> str:
    """Return the ETag of an answer: weak, as the order of solutions may differ."""
    digest = _begin_digest(version, formats.names).copy()
    if request.default_graphs or request.named_graphs:
        parts = ("", "\n".join(request.default_graphs), "\n".join(request.named_graphs), "")
        digest.update("\0".join(parts).encode())
    digest.update((request.query or "").encode())
    return f'W/"{digest.hexdigest()}"'


@lru_cache(256)
def _begin_digest(version: str, formats: str) -> hashlib.blake2b:
    return hashlib.blake2b(f"{version}\0{formats}\0".encode(), digest_size=16)


def _offers(problem: str) -> str:
    return f"{problem}; available: " + ", ".join(offer.name for offer in (*RESULTS, *GRAPHS, *DERIVED, HTML))


def _split_content_type(header: str | None) -> tuple[str, str]:
    media_type, *parameters = (part.strip() for part in (header or "").split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            return media_type.lower(), value.strip().strip('"').lower()
    return media_type.lower(), "utf-8"


def _unescape(text: str) -> str:
    if "%" not in text and text.isascii():
        return text.replace("+", " ")
    # Seven times as fast as urllib: quoted-printable (RFC 2045) is percent-encoding with another mark.
    quoted = text.replace("+", " ").replace("=", "=3D").replace("%", "=").encode()
    data = a2b_qp(quoted)
    # An escape is two characters shorter when it is read and stays as it is where it is broken; `=` and a new line go.
    is_whole = len(data) == len(quoted) - 2 * quoted.count(b"=") and "\n" not in text
    if not is_whole and (broken := _BROKEN_PERCENT.search(text)):
        raise RequestError(f"broken percent-encoding: `{text[broken.start() : broken.start() + 3]}`")
    return _decode(data, "a parameter")


def _decode(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise RequestError(f"{what} is not UTF-8 (byte {error.start})") from error


def excerpt(query: str, line: int | None, column: int | None) -> str:
    """Return the line of a query with a caret under the column, or nothing where the place is not known."""
    lines = query.splitlines()
    if line is None or column is None or not 0 < line <= len(lines):
        return ""
    # Long lines (generated queries) are cut around the place.
    start = max(0, column - 60)
    shown = lines[line - 1][start : start + 100]
    pointer = "".join("\t" if character == "\t" else " " for character in shown[: column - 1 - start])
    return f"{shown}\n{pointer}^"
