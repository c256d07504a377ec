"""The one tree of errors. Owns what a user is told when something fails: title, HTTP status, exit code.

Exit codes: 1 invalid data, 2 usage, 3 input/output. Validation results are values, not exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence


class CulturegraphError(Exception):
    """Anything that culturegraph reports to its user instead of a traceback."""

    title = "Error"
    status = 500
    exit_code = 1


class UsageError(CulturegraphError):
    """The command or request was put together wrongly."""

    title = "Usage error"
    status = 400
    exit_code = 2


class DataError(CulturegraphError):
    """One fault in one file, located as `file:row:column` (row 1 is the header)."""

    title = "Invalid data"
    status = 422

    def __init__(self, message: str, file: str, row: int | None = None, column: str | int | None = None) -> None:
        super().__init__(message)
        self.message, self.file, self.row, self.column = message, file, row, column

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.row, self.column) if part is not None)
        return f"{place} {self.message}"


class DataErrors(CulturegraphError):
    """All faults of a run, in the order of files and rows."""

    title = "Invalid data"
    status = 422

    def __init__(self, errors: Sequence[DataError]) -> None:
        super().__init__(f"{len(errors)} error{'s' if len(errors) != 1 else ''}")
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class InvalidGraphError(CulturegraphError):
    """The graph violates its shapes, so it is not published."""

    title = "The graph violates its shapes"
    status = 422


class QuerySyntaxError(CulturegraphError):
    """A query that does not parse: line and column count from 1."""

    title = "Malformed query"
    status = 400
    exit_code = 2

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        place = f" at line {line}, column {column}" if line is not None else ""
        super().__init__(f"{message}{place}")
        self.line, self.column = line, column


class RequestError(CulturegraphError):
    """A request that the protocol does not allow."""

    title = "Bad request"
    status = 400
    exit_code = 2


class NotAcceptableError(CulturegraphError):
    """No offered media type suits the client."""

    title = "Not acceptable"
    status = 406
    exit_code = 2


class UnsupportedMediaTypeError(CulturegraphError):
    """The request body has a media type that the protocol does not know."""

    title = "Unsupported media type"
    status = 415
    exit_code = 2


class NotFoundError(CulturegraphError):
    """Nothing is known under this name."""

    title = "Not found"
    status = 404
    exit_code = 2


class LimitExceededError(CulturegraphError):
    """A stated limit was reached; the message names it."""

    title = "Limit exceeded"
    status = 503
    exit_code = 3


class StorageError(CulturegraphError):
    """Reading or writing files failed, or a snapshot is unusable."""

    title = "Input/output error"
    status = 500
    exit_code = 3


class UpstreamError(CulturegraphError):
    """A store on another server is down, refuses the credentials, or answers with what is no answer."""

    title = "The store does not answer as it should"
    status = 502
    exit_code = 3
