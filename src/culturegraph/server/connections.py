"""Connections on their way between processes: the messages of control sockets and to the pages.

All are sockets of whole messages (SOCK_SEQPACKET), some of which carry descriptors.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

# From an evaluator or the pages: what has become of a connection.
PARKED, CLOSED, HANDED_OVER, OFFERED = b"p", b"c", b"h", b"o"
# Between an evaluator and the supervisor: a connection is given; it is taken back; give all back; "I was busy: what is
# still mine?" and the end of the answer.
GIVEN, TAKEN, ALL, SETTLING, SETTLED = b"g", b"t", b"a", b"s", b"k"
# Seconds from which an evaluator counts as busy: afterwards it asks what is still its own. Connections are taken back
# only from one that has been busy for BUSY_LONG, which it cannot be without asking.
BUSY, BUSY_LONG = 0.01, 0.02
# To the pages: finish and give connections back.
DRAIN = b"d"
# From a zygote: a child is there. To a zygote: fork one.
BORN, READY, FAILED = b"b", b"r", b"f"
EVALUATOR, PAGES_PROCESS = b"e", b"P"
_NOTE: Final = struct.Struct("<cQ")
_BIRTH: Final = struct.Struct("<cQQ")
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Connection:
    """A client's connection in an evaluator's hands. `client` is its address; empty for one of our own pages."""

    number: int
    client: str
    socket: socket.socket
    used: float = 0.0
    # Whether our own pages are at the other end.
    is_own: bool = field(init=False)

    def __post_init__(self) -> None:
        """Tell our own."""
        self.is_own = not self.client


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets of whole messages."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def give(control: socket.socket, number: int, client: str, descriptor: int) -> None:
    """Give a connection to an evaluator. Raises BlockingIOError where its socket is full."""
    socket.send_fds(control, [pack_note(GIVEN, number) + client.encode()], [descriptor])


def receive(control: socket.socket) -> tuple[bytes, int, Connection | None]:
    """Wait for a message of the supervisor: its kind (empty at the end), a number, the connection that is given."""
    try:
        message, descriptors, _, _ = socket.recv_fds(control, 256, 1)
    except ConnectionResetError:
        message = b""
    if not message:
        return b"", 0, None
    kind, number = unpack_note(message)
    if not descriptors:
        return kind, number, None
    client, held = unpack_connection(message, descriptors[0])
    return kind, number, Connection(number, client, held, time.monotonic())


def unpack_connection(message: bytes, descriptor: int) -> tuple[str, socket.socket]:
    """Return the client's address and the socket of a connection that is given or offered."""
    client = message[_NOTE.size :].decode()
    # The family is told: finding it out takes three calls of the kernel.
    family = socket.AF_UNIX if not client else socket.AF_INET6 if ":" in client else socket.AF_INET
    return client, socket.socket(family, socket.SOCK_STREAM, 0, fileno=descriptor)


def break_off(connection: socket.socket) -> None:
    """Let the client see, when its connection is closed, that it did not end in order."""
    with suppress(OSError):  # The client was faster.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def pack_note(kind: bytes, number: int) -> bytes:
    """Return a message about a connection."""
    return _NOTE.pack(kind, number)


def offer(control: socket.socket, client: str, descriptor: int) -> None:
    """Give the supervisor a connection: one that idles, or (without a client) the other end of one of our own."""
    socket.send_fds(control, [pack_note(OFFERED, 0) + client.encode()], [descriptor])


def unpack_note(message: bytes) -> tuple[bytes, int]:
    """Return kind and number of a message about a connection."""
    kind, number = _NOTE.unpack(message[: _NOTE.size])
    return kind, number


def announce_birth(zygote: socket.socket, kind: bytes, slot: int) -> socket.socket:
    """Tell the supervisor of this new process; return its control socket.

    The supervisor gets the other end and a descriptor of the process.
    """
    mine, other = pair()
    process = os.pidfd_open(os.getpid())
    with other:
        socket.send_fds(zygote, [_BIRTH.pack(kind, slot, os.getpid())], [other.fileno(), process])
    os.close(process)
    return mine


def unpack_birth(message: bytes) -> tuple[bytes, int, int]:
    """Return kind, slot and process id."""
    kind, slot, process = _BIRTH.unpack(message)
    return kind, slot, process
