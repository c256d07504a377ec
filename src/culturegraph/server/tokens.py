"""The tokens of those who may read a private snapshot: made once, kept as hashes, with a day on which they end.

The file is CSV, `id,sha256,role,created,expires`; a row is taken out to withdraw a token. A token has 256 random bits,
so that a plain hash keeps it: there is nothing to guess.

Source: RFC 6750 (bearer tokens); NIST SP 800-63B §5.1.2 (look-up secrets: at least 112 bits may be hashed plainly).
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from culturegraph.errors import DataError, DataErrors, StorageError, UsageError

_COLUMNS: Final = ("id", "sha256", "role", "created", "expires")
_PREFIX: Final = "cgp_"
# What scanners for leaked secrets can look for, and what is worth hashing at all.
_FORM: Final = re.compile(_PREFIX + r"[A-Za-z0-9_-]{43}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ROLE: Final = re.compile(r"[\w .,/()-]{1,80}")
MAX_DAYS: Final = 366


class Verdict(Enum):
    """What is found of a token."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Token:
    """What is kept of a token: never the token itself."""

    id: str
    digest: str
    role: str
    created: datetime
    expires: datetime


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def judge(tokens: Sequence[Token], presented: str, now: datetime) -> Verdict:
    """Say what a presented token is. Every kept hash is compared, each in constant time."""
    if not _FORM.fullmatch(presented):
        return Verdict.UNKNOWN
    digest = _digest(presented)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    if found is None:
        return Verdict.UNKNOWN
    return Verdict.VALID if now < found.expires else Verdict.EXPIRED


def read_tokens(path: Path) -> list[Token]:
    """Read the file of tokens. Raises StorageError where it cannot be read, DataErrors, located, where it is faulty."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            header, rows = list(reader.fieldnames or []), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StorageError(f"the tokens cannot be read from {path}: {error}") from error
    if header != list(_COLUMNS):
        raise DataErrors([DataError(f"must have the columns {','.join(_COLUMNS)}", path.name, 1)])
    errors: list[DataError] = []
    tokens = [token for number, row in enumerate(rows, 2) if (token := _read(row, number, path.name, errors))]
    if errors:
        raise DataErrors(errors)
    return tokens


def _read(row: dict[str, str], number: int, file: str, errors: list[DataError]) -> Token | None:
    if not _HASH.fullmatch(row["sha256"]):
        # The cell is not told: it may be a token that was pasted here.
        errors.append(DataError("is no SHA-256 hash (64 hexadecimal digits)", file, number, "sha256"))
        return None
    times = []
    for column in ("created", "expires"):
        try:
            moment = datetime.fromisoformat(row[column])
            times.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except ValueError:
            errors.append(DataError(f"is no time as 2026-11-23T12:00:00+00:00: {row[column]!r}", file, number, column))
    return Token(row["id"], row["sha256"], row["role"], *times) if len(times) == 2 else None


def make_token(path: Path, role: str, days: int, now: datetime) -> tuple[str, Token]:
    """Make a token, add its hash to the file, and return it: this is the only time that it is there to be read.

    `role` says what the bearer is, never who. Raises UsageError where it is empty or `days` is out of range.
    """
    if not _ROLE.fullmatch(role):
        raise UsageError("say by a role, not by a name, who gets the token: --role curator")
    if not 1 <= days <= MAX_DAYS:
        raise UsageError(f"a token holds for 1 to {MAX_DAYS} days")
    tokens = read_tokens(path) if path.exists() else []
    secret = _PREFIX + secrets.token_urlsafe(32)
    moment = now.replace(microsecond=0)
    token = Token(secrets.token_hex(4), _digest(secret), role, moment, moment + timedelta(days=days))
    write_tokens(path, [*tokens, token])
    return secret, token


def drop_token(path: Path, token_id: str) -> None:
    """Withdraw a token. Raises UsageError where there is none of this id."""
    tokens = read_tokens(path)
    left = [token for token in tokens if token.id != token_id]
    if len(left) == len(tokens):
        raise UsageError(f"no token has the id {token_id!r}")
    write_tokens(path, left)


def write_tokens(path: Path, tokens: Sequence[Token]) -> None:
    """Write the file anew, in one step, for nobody but its owner. Raises StorageError."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for token in tokens:
        writer.writerow([token.id, token.digest, token.role, token.created.isoformat(), token.expires.isoformat()])
    partial = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text.getvalue())
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"the tokens cannot be written to {path}: {error.strerror or error}") from error
