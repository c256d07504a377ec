"""The verb `token`: who may read a private snapshot."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from culturegraph.cli.terminal import JsonOption, err, out, print_json

verbs = typer.Typer(no_args_is_help=True, help="Tokens of those who may read a private snapshot.")

FileArgument = Annotated[Path, typer.Argument(help="file of tokens; it holds hashes, never a token")]


@verbs.command(epilog="Example: culturegraph token new /srv/private/tokens --role curator --days 90")
def new(
    file: FileArgument,
    role: Annotated[str, typer.Option(help="what the bearer is, never who")],
    days: Annotated[int, typer.Option(help="days for which it holds (1 to 366)")] = 90,
) -> None:
    """Make a token and show it, this once."""
    from culturegraph.server.tokens import make_token

    secret, token = make_token(file, role, days, datetime.now(UTC))
    sys.stdout.write(secret + "\n")
    err.print(f"token {token.id} for {role} holds until {token.expires:%Y-%m-%d %H:%M} UTC;", markup=False)
    err.print("it is shown this once: only its hash is kept", markup=False)


@verbs.command("list", epilog="Example: culturegraph token list /srv/private/tokens")
def list_tokens(file: FileArgument, as_json: JsonOption = False) -> None:
    """List the tokens of a file: id, role, from when until when; expired ones are marked."""
    from culturegraph.server.tokens import read_tokens

    now = datetime.now(UTC)
    rows = [
        {
            "id": token.id,
            "role": token.role,
            "created": token.created.isoformat(),
            "expires": token.expires.isoformat(),
            "expired": token.expires <= now,
        }
        for token in read_tokens(file)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mark = "expired" if row["expired"] else "holds"
        out.print(f"{row['id']}  {mark:8} {row['expires']}  {row['role']}", markup=False)


@verbs.command(epilog="Example: culturegraph token drop /srv/private/tokens 1f2e3d4c")
def drop(file: FileArgument, token_id: Annotated[str, typer.Argument(help="id that `token list` tells")]) -> None:
    """Withdraw a token; a running server lets it in no more."""
    from culturegraph.server.tokens import drop_token

    drop_token(file, token_id)
    err.print(f"{token_id} is withdrawn", markup=False)
