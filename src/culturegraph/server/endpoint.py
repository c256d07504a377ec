"""What an evaluator answers to a request to /sparql: limits, cache, evaluation, headers. Owns no connection."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from functools import lru_cache
from time import sleep
from typing import Final, NamedTuple

from culturegraph.errors import CulturegraphError, LimitExceededError, QuerySyntaxError, StorageError
from culturegraph.protocols.headers import REQUEST_ID, choose_coding, matches_tag
from culturegraph.protocols.problems import Problem
from culturegraph.protocols.sparql import (
    AnswerFormats,
    SparqlRequest,
    choose_formats,
    entity_tag,
    excerpt,
    parse_request,
)
from culturegraph.server.board import EVALUATING, IDLE, KINDS, OUTCOMES, Board, now
from culturegraph.server.cache import AnswerCache
from culturegraph.server.connections import Connection
from culturegraph.server.journal import Journal
from culturegraph.server.limits import ClientLimits, hash_client, is_local, name_client
from culturegraph.server.output import (
    Body,
    Channel,
    ClientGoneError,
    Clock,
    head_of,
    make_head,
    make_problem,
    wants_problem,
)
from culturegraph.server.request import ForeignRequestError, Head, Request
from culturegraph.settings import Settings
from culturegraph.store.evaluation import evaluate
from culturegraph.store.snapshot import Snapshot

# Seconds of evaluation from which an answer is kept: what is faster is evaluated anew as fast as it is found.
KEEP_FROM: Final = 0.002
# Answers that an evaluator keeps by the bytes of their request, and the bytes that each may have.
_KNOWN, _KNOWN_SIZE = 512, 100_000
_POLL: Final = 0.002
_KIND: Final = {kind: number for number, kind in enumerate(KINDS)}
_OUTCOME: Final = {outcome: number for number, outcome in enumerate(OUTCOMES)}
# Headers between our own pages and an evaluator; from anybody else they mean nothing.
ROWS, CLIENT = b"culturegraph-rows", b"culturegraph-client"
KIND_HEADER, VOLATILE_HEADER = b"culturegraph-kind", b"culturegraph-volatile"


_NOTHING: Final = SparqlRequest(None)
_DEFAULT: Final = choose_formats(None, None)


@dataclass(frozen=True)
class Shared:
    """What the evaluators of one generation share."""

    board: Board
    settings: Settings
    limits: ClientLimits
    cache: AnswerCache
    journal: Journal
    identity: str


@dataclass(slots=True)
class _Asked:
    """One request under way, as it came (`raw`) and as it was read, and what has come of it."""

    request: Request
    head: Head
    raw: bytes
    is_own: bool
    request_id: bytes
    client: str
    started: float
    keep_alive: bool
    sparql: SparqlRequest = _NOTHING
    formats: AnswerFormats = _DEFAULT
    tag: str = ""
    coding: str | None = None
    kind: str = "unknown"
    is_volatile: bool = False
    outcome: str = "ok"
    status: int = 200
    size: int = 0


class _Known(NamedTuple):
    head: bytes
    body: bytes
    kind: int


@lru_cache(4096)
def _number_client(client: str) -> int:
    return 0 if is_local(client) else hash_client(client)


class Endpoint:
    """Answers requests on one snapshot, for one evaluator."""

    def __init__(self, shared: Shared, snapshot: Snapshot, slot: int) -> None:
        self._shared, self._snapshot, self._slot = shared, snapshot, slot
        self._board, self._settings = shared.board, shared.settings
        self._clock = Clock()
        # Of request ids: what is this evaluator's, and a number.
        self._prefix, self._numbers = secrets.token_hex(6).encode(), itertools.count()
        # Dashboards send the same bytes again and again.
        self._known: dict[bytes, _Known] = {}
        self._channel = Channel(self._board, slot, self._settings.query_timeout)

    def answer_known(self, received: bytes, held: Connection) -> bool:
        """Answer a request that this evaluator has answered before, to the byte; False where it must be read."""
        known = self._known.get(received) if self._known else None
        # A client whose queries are counted is served with those.
        if known is None or _number_client(held.client) or self._shared.journal.wants(0) or self._board.stopping[0]:
            return False
        started = now()
        id_line = b"x-request-id: %s%x\r\n\r\n" % (self._prefix, next(self._numbers))
        self._channel.connection = held.socket
        self._channel.send(known.head + self._clock.header(started) + id_line + known.body)
        self._board.count(self._slot, known.kind, _OUTCOME["cached"], now() - started, len(known.body))
        return True

    def answer(self, request: Request, raw: bytes, held: Connection) -> bool:
        """Answer a request; say whether the connection may be used for another.

        Raises ForeignRequestError where the pages must answer it, ClientGoneError where the answer cannot go out whole.
        """
        asked = self._open(request, raw, held)
        try:
            self._answer(asked)
        except CulturegraphError as error:
            self._refuse(asked, error)
        except ClientGoneError:
            asked.outcome, asked.status = "broken_off", 499
            raise
        finally:
            self._board.key[self._slot] = 0
            self._board.state[self._slot] = IDLE
            if asked.status:
                self._note(asked)
        return asked.keep_alive

    def _open(self, request: Request, raw: bytes, held: Connection) -> _Asked:
        head = request.head
        request_id = head.headers.get(b"x-request-id")
        if request_id is None or not REQUEST_ID.fullmatch(request_id):
            request_id = b"%s%x" % (self._prefix, next(self._numbers))
        self._channel.connection = held.socket
        client = held.client or head.get(CLIENT) or ""
        if self._settings.trusted_proxies and not held.is_own:
            client = name_client(client, head.get(b"x-forwarded-for"), self._settings.trusted_proxies)
        # Before any state of this request is told: the supervisor measures from here.
        started = self._board.started[self._slot] = now()
        keep_alive = head.keep_alive and not self._board.stopping[0]
        return _Asked(request, head, raw, held.is_own, request_id, client, started, keep_alive)

    def _answer(self, asked: _Asked) -> None:
        request, head = asked.request, asked.head
        query_string = request.target[8:].decode("latin-1")
        asked.status = 0  # Until it is ours.
        asked.sparql = parse_request(request.method, query_string, head.content_type, request.body)
        formats = asked.formats = choose_formats(head.accept, asked.sparql.format)
        if asked.sparql.query is None or formats.html or formats.derived:
            raise ForeignRequestError
        asked.status = 200
        version = self._shared.identity
        rows = int(head.headers[ROWS]) if asked.is_own and ROWS in head.headers else None
        if rows is not None:
            version += f" {rows}"
        asked.tag = entity_tag(version, asked.sparql, formats)
        if head.condition is not None and matches_tag(head.condition, asked.tag):
            self._send_unchanged(asked)
            return
        if head.accept_encoding is not None and not asked.is_own:
            asked.coding = choose_coding(head.accept_encoding)
        self._begin(asked)
        if not (self._shared.cache.size and self._answer_from_cache(asked)):
            self._evaluate(asked, rows)

    def _begin(self, asked: _Asked) -> None:
        """Check the client's share, then write on the board what is under way. Raises TooManyRequestsError."""
        board, slot = self._board, self._slot
        number = _number_client(asked.client)
        if number:
            self._shared.limits.check(number, board)
        as_json = wants_problem(asked.head.accept)
        board.write_note(slot, asked.request_id, asked.client, asked.sparql.query or "", as_json)
        board.client[slot] = number
        board.deadline[slot] = asked.started + self._settings.query_timeout
        board.state[slot] = EVALUATING
        if not self._shared.cache.size:
            return
        board.key[slot] = key = int(asked.tag[3:19], 16)
        # Somebody evaluates the same: its answer will be in the cache, unless it fails or is too large.
        while board.leader(slot, key) is not None:
            sleep(_POLL)

    def _answer_from_cache(self, asked: _Asked) -> bool:
        cache = self._shared.cache
        found = cache.find(bytes.fromhex(asked.tag[3:-1]), asked.coding)
        if found is None:
            return False
        kind, body, asked.coding = found
        asked.kind, asked.outcome, asked.size = KINDS[kind], "cached", len(body)
        head = self._head(asked) + b"content-length: %d\r\n" % len(body)
        # The pages have to know what they show.
        head += b"%s: %s\r\n" % (KIND_HEADER, asked.kind.encode()) if asked.is_own else b""
        self._channel.send_last(head + self._tail(asked) + b"\r\n" + body)
        is_usual = asked.keep_alive and not asked.head.is_old and b"x-request-id" not in asked.head.headers
        if is_usual and len(body) <= _KNOWN_SIZE:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[asked.raw] = _Known(head, body, kind)
        return True

    def _evaluate(self, asked: _Asked, rows: int | None) -> None:
        settings, cache, snapshot = self._settings, self._shared.cache, self._snapshot
        body = Body(self._channel, settings.max_result_size, asked.coding, not asked.head.is_old, cache.largest)
        try:
            task = asked.formats.to_task(asked.sparql, rows)
            answer = evaluate(snapshot.store, task, settings.max_query_size, settings.service_endpoints, snapshot)
            asked.kind, asked.is_volatile = answer.kind, answer.volatile

            def head() -> bytes:
                asked.coding = body.coding
                # HTTP/1.0 knows no chunks: the end of the connection ends the answer.
                asked.keep_alive = asked.keep_alive and (body.is_chunked or body.is_single)
                lines = self._head(asked) + self._tail(asked)
                if asked.is_own:
                    lines += b"%s: %s\r\n" % (KIND_HEADER, answer.kind.encode())
                    lines += b"%s: 1\r\n" % VOLATILE_HEADER if answer.volatile else b""
                return lines

            body.head = head
            answer.write(body)  # type: ignore[arg-type]
            body.finish()
        except (CulturegraphError, ClientGoneError):
            if body.is_begun:
                raise ClientGoneError from None
            raise
        except MemoryError as error:
            raise LimitExceededError(f"a query may use {settings.memory_limit:,} bytes of memory") from error
        except OSError as error:
            raise StorageError(f"the query cannot be answered: {error}") from error
        finally:
            asked.size = body.size
        if body.kept and not answer.volatile and now() - asked.started >= KEEP_FROM:
            digest = bytes.fromhex(asked.tag[3:-1])
            cache.keep(digest, _KIND[answer.kind], body.coding, b"".join(body.kept))

    def _head(self, asked: _Asked) -> bytes:
        """Return the headers that the same request has again."""
        head = head_of(asked.formats.of(asked.kind).content_type, asked.coding)  # type: ignore[arg-type]
        if asked.is_volatile:
            return head
        return b"%setag: %s\r\ncache-control: public, no-cache\r\n" % (head, asked.tag.encode())

    def _tail(self, asked: _Asked) -> bytes:
        """Return the headers that differ from answer to answer."""
        lines = b"%sx-request-id: %s\r\n" % (self._clock.header(asked.started), asked.request_id)
        if not asked.keep_alive:
            lines += b"connection: close\r\n"
        elif asked.head.is_old:
            lines += b"connection: keep-alive\r\n"
        return lines

    def _send_unchanged(self, asked: _Asked) -> None:
        lines = b"etag: %s\r\ncache-control: public, no-cache\r\nvary: Accept, Accept-Encoding\r\n" % asked.tag.encode()
        asked.status, asked.outcome = 304, "not_modified"
        self._channel.send(make_head(304, lines) + self._tail(asked) + b"\r\n")

    def _refuse(self, asked: _Asked, error: CulturegraphError) -> None:
        if isinstance(error, QuerySyntaxError) and (
            note := excerpt(asked.sparql.query or "", error.line, error.column)
        ):
            error.add_note(note)
        problem = Problem.of(error)
        asked.status = problem.status
        asked.outcome = {413: "size_limit", 503: "memory_limit"}.get(problem.status, "refused")
        as_json = wants_problem(asked.head.accept)
        self._channel.send_last(make_problem(problem, as_json=as_json, tail=self._tail(asked)))

    def _note(self, asked: _Asked) -> None:
        seconds = now() - asked.started
        self._board.count(self._slot, _KIND[asked.kind], _OUTCOME[asked.outcome], seconds, asked.size)
        if self._shared.journal.wants(seconds):
            self._shared.journal.write(
                request_id=asked.request_id.decode(),
                client=asked.client,
                outcome=asked.outcome,
                status=asked.status,
                seconds=seconds,
                size=asked.size,
                query=asked.sparql.query or "",
            )
