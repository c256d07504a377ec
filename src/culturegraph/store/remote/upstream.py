"""Requests to stores on other servers: one endpoint, or several replicas of which a dead one costs no request.

Knows HTTP and the SPARQL 1.1 Protocol (query by form POST, §2.1.2), no SPARQL. What an endpoint answers is passed on as
it arrives; an answer that ends before its end, is no answer or is cut by a limit of the store raises UpstreamError.
Credentials are in no message and no log.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx

from culturegraph.errors import LimitExceededError, RequestError, UpstreamError, UsageError
from culturegraph.settings import Settings

RESULTS: Final = "application/sparql-results+json, application/sparql-results+xml;q=0.5"
GRAPH: Final = "application/n-triples, text/turtle;q=0.5"
# Seconds to reach a server on the network.
_CONNECT: Final = 5.0
# Seconds for which a store may be silent at our own work.
_PATIENCE: Final = 600.0
# The store or what stands before it is at fault, not the query: another replica may answer.
_DOWN: Final = frozenset({429, 502, 503, 504})
_LONGEST_WORDS: Final = 300
# What Virtuoso answers with 500: a query that its compiler fails on, and one that took too long.
_UNREAD, _OUT_OF_TIME = "Virtuoso 37000", "Virtuoso S1T00"
# Virtuoso repeats the names of the graphs in the head of its answer, which has room for some hundreds. Told of none, it
# looks into all graphs: queries hold the names of those that are meant (`wording`), and readers pass over others.
_MOST_ECHOED: Final = 100
# Bytes taken from the connection at once.
_PIECE: Final = 64 * 1024
# Virtuoso keeps geometry under a datatype of its own.
_RENAMED: Final = (
    b"http://www.openlinksw.com/schemas/virtrdf#Geometry",
    b"http://www.opengis.net/ont/geosparql#wktLiteral",
)


class _DownError(UpstreamError):
    """An endpoint did not answer at all: another may."""


class Credentials(httpx.Auth):
    """A token, or a user and a password by the scheme that the server asks for; nothing where none is set."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.endpoint_token.get_secret_value()
        user, password = settings.endpoint_user, settings.endpoint_password.get_secret_value()
        self._basic = httpx.BasicAuth(user, password) if user else None
        self._digest = httpx.DigestAuth(user, password) if user else None
        self._asked: httpx.Auth | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request as the server is known to want it; at first without: a password may go out readable."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request
        elif self._asked is not None:
            yield from self._asked.auth_flow(request)
        else:
            response = yield request
            if response.status_code == 401 and self._basic is not None:
                wants_digest = "digest" in response.headers.get("www-authenticate", "").lower()
                self._asked = self._digest if wants_digest else self._basic
                assert self._asked is not None
                yield from self._asked.auth_flow(request)


@dataclass
class Body:
    """The body of an answer as a file that is read once. Raises UpstreamError where it breaks off."""

    response: httpx.Response
    place: str
    limit: int
    _pieces: Iterator[bytes] | None = None
    _rest: bytes = b""
    _size: int = 0

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, all that is left where it is negative; none at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_PIECE), b""))
        while not self._rest:
            piece = self._next()
            if piece is None:
                return b""
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def close(self) -> None:
        """End the request: a store sees its connection closed and may stop."""
        self.response.close()

    def _next(self) -> bytes | None:
        if self._pieces is None:
            self._pieces = _renamed(self.response.iter_bytes(_PIECE))
        try:
            piece = next(self._pieces, None)
        except httpx.TimeoutException as error:
            raise LimitExceededError(f"{self.place} sent nothing more in time") from error
        except (httpx.TransportError, httpx.StreamError, httpx.DecodingError) as error:
            raise UpstreamError(f"{self.place} broke off in the middle of its answer") from error
        if piece is None:
            self.close()
            return None
        self._size += len(piece)
        if self._size > self.limit:
            self.close()
            raise LimitExceededError(f"an answer may have {self.limit:,} bytes")
        return piece


def _renamed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces with a datatype under its standard name, also where it lies across two pieces."""
    old, new = _RENAMED
    kept = b""
    for piece in pieces:
        data = (kept + piece).replace(old, new)
        # What may be the beginning of the name waits for the next piece.
        cut = next((n for n in range(min(len(old) - 1, len(data)), 0, -1) if data.endswith(old[:n])), 0)
        kept, data = data[len(data) - cut :], data[: len(data) - cut]
        if data:
            yield data
    if kept:
        yield kept


class Endpoint:
    """One SPARQL endpoint: asked by form POST, answers as a stream."""

    def __init__(self, address: str, settings: Settings) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"not the address of an endpoint: {parts.scheme or address}…; it begins with http(s)://")
        if parts.username or parts.password:
            raise UsageError(
                "the address of an endpoint holds no credentials: set CULTUREGRAPH_ENDPOINT_USER and "
                "CULTUREGRAPH_ENDPOINT_PASSWORD (or CULTUREGRAPH_ENDPOINT_TOKEN)"
            )
        self.address = address
        self.limit = settings.max_result_size
        self.patience = settings.query_timeout
        self._echoes_graphs = False
        timeout = httpx.Timeout(settings.query_timeout, connect=min(_CONNECT, settings.query_timeout))
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        # No redirects, no proxies from the environment: queries and credentials go where the operator said.
        self._client = httpx.Client(auth=Credentials(settings), timeout=timeout, limits=limits, trust_env=False)

    def ask(
        self,
        query: str,
        accept: str = RESULTS,
        *,
        default: Sequence[str] = (),
        named: Sequence[str] = (),
        patience: float | None = None,
    ) -> Body:
        """Send a query; return the body of a 200 once its head is there.

        Raises RequestError where the store refuses the query, LimitExceededError where it takes too long,
        UpstreamError otherwise.
        """
        if self._echoes_graphs and len(named) > _MOST_ECHOED:
            named = ()
        form: dict[str, object] = {"query": query, "default-graph-uri": list(default), "named-graph-uri": list(named)}
        request = self._client.build_request("POST", self.address, data=form, headers={"Accept": accept})
        if patience is not None:
            request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), patience)
        response = self.send(request)
        self._echoes_graphs = response.headers.get("server", "").startswith("Virtuoso")
        if response.status_code != 200:
            raise self._refused(response)
        if rows := response.headers.get("x-sparql-maxrows"):
            response.close()
            raise LimitExceededError(
                f"{self.address} cuts answers at {rows} rows (ResultSetMaxRows); ask for fewer with LIMIT"
            )
        if response.headers.get("x-sql-state"):
            response.close()
            raise LimitExceededError(f"{self.address} gave part of the answer only: a limit of the store was reached")
        return Body(response, self.address, self.limit)

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its answer, whatever the status, as a stream."""
        try:
            return self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _DownError(f"{self.address} cannot be reached: {_say(error)}") from error
        except httpx.TimeoutException as error:
            raise LimitExceededError(f"a query may take {self.patience:g} seconds at {self.address}") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _DownError(f"{self.address} broke off before its answer: {_say(error)}") from error

    def build(self, method: str, address: str, **options: object) -> httpx.Request:
        """Return a request of another kind, for `send`."""
        return self._client.build_request(method, address, **options)  # type: ignore[arg-type]

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __del__(self) -> None:
        # Where its address was refused it has none.
        with suppress(AttributeError, RuntimeError):
            self._client.close()

    def _refused(self, response: httpx.Response) -> Exception:
        status, words = response.status_code, read_words(response)
        if status in (401, 403):
            return refused_credentials(self.address, status)
        if status in _DOWN:
            return _DownError(f"{self.address} answers {status}: {words}")
        if 300 <= status < 400:
            there = response.headers.get("location", "elsewhere")
            return UpstreamError(f"{self.address} redirects to {there}; give that address itself")
        if status in (400, 413, 414) or words.startswith(_UNREAD):
            return RequestError(f"the store refuses the query: {words}")
        if words.startswith(_OUT_OF_TIME):
            return LimitExceededError(f"{self.address} ended the query at a time limit of its own")
        return UpstreamError(f"{self.address} answers {status}: {words}")


def refused_credentials(address: str, status: int) -> UpstreamError:
    """Return what to tell where a store answers 401 or 403."""
    return UpstreamError(
        f"{address} refuses the credentials ({status}): set CULTUREGRAPH_ENDPOINT_USER and "
        "CULTUREGRAPH_ENDPOINT_PASSWORD, or CULTUREGRAPH_ENDPOINT_TOKEN"
    )


def read_words(response: httpx.Response) -> str:
    """Return the beginning of what a refusal says, in one line; close it."""
    try:
        data = b""
        for piece in response.iter_bytes(1024):
            data += piece
            if len(data) > 4 * _LONGEST_WORDS:
                break
    except httpx.HTTPError:
        data = b""
    finally:
        response.close()
    text = " ".join(data.decode("utf-8", "replace").split())
    return text[:_LONGEST_WORDS] or "nothing more"


def _say(error: Exception) -> str:
    return str(error) or type(error).__name__


@dataclass
class Replica:
    """An endpoint, whether it answers, and which generations it holds (of which only the watch writes)."""

    endpoint: Endpoint
    is_alive: bool = True
    generations: frozenset[str] = field(default_factory=frozenset)


def unhurried(settings: Settings) -> Settings:
    """Return the settings for our own work on a store, which reads whole graphs: no limit of size, more of time."""
    return settings.model_copy(update={"query_timeout": _PATIENCE, "max_result_size": 1 << 62})


class Replicas:
    """Endpoints that hold the same generations: each request goes to one that answers, in turn."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.replicas = [Replica(endpoint) for endpoint in endpoints]
        self._turn = itertools.count()
        self._lock = threading.Lock()

    def unhurried(self, settings: Settings) -> Replicas:
        """Return the same replicas, as they are now, for our own work."""
        patient = Replicas([Endpoint(each.endpoint.address, unhurried(settings)) for each in self.replicas])
        for other, each in zip(patient.replicas, self.replicas, strict=True):
            other.is_alive, other.generations = each.is_alive, each.generations
        return patient

    def ask(
        self, generation: str, query: str, accept: str = RESULTS, *, default: Sequence[str], named: Sequence[str]
    ) -> Body:
        """Ask a replica that holds the generation; another where it is down. Raises what `Endpoint.ask` raises."""
        holders = [replica for replica in self.replicas if generation in replica.generations]
        # Those that were down when they were last looked at come last: they may be back.
        turn = self._next_turn()
        ordered = sorted(
            range(len(holders)), key=lambda place: (not holders[place].is_alive, (place - turn) % len(holders))
        )
        fault: UpstreamError = UpstreamError("no store holds the generation that is served")
        for place in ordered:
            replica = holders[place]
            try:
                body = replica.endpoint.ask(query, accept, default=default, named=named)
            except _DownError as error:
                replica.is_alive, fault = False, error
                continue
            replica.is_alive = True
            return body
        raise fault

    def _next_turn(self) -> int:
        with self._lock:
            return next(self._turn)

    def close(self) -> None:
        """Close all connections."""
        for replica in self.replicas:
            with suppress(httpx.HTTPError):
                replica.endpoint.close()


def media_type(headers: Mapping[str, str]) -> str:
    """Return the media type of an answer without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
