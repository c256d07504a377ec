"""Connections on their way between processes: the messages of the queue, of control sockets and to the pages.

All are sockets of whole messages (SOCK_SEQPACKET), some of which carry descriptors.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from typing import Final

# From an evaluator or the pages: what has become of a connection.
PARKED, CLOSED, HANDED_OVER, OFFERED = b"p", b"c", b"h", b"o"
# To the pages: finish and give connections back.
DRAIN = b"d"
# From a zygote: a child is there. To a zygote: fork one.
BORN, READY, FAILED = b"b", b"r", b"f"
EVALUATOR, PAGES_PROCESS = b"e", b"P"
_NOTE: Final = struct.Struct("<cQ")
_QUEUED: Final = struct.Struct("<Q")
_BIRTH: Final = struct.Struct("<cQQ")


@dataclass(slots=True)
class Connection:
    """A client's connection in an evaluator's hands. `client` is its address; empty for one of our own pages."""

    number: int
    client: str
    socket: socket.socket

    @property
    def is_own(self) -> bool:
        """Whether our own pages are at the other end."""
        return not self.client


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets of whole messages."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send_connection(queue: socket.socket, number: int, client: str, descriptor: int) -> None:
    """Give a connection to whoever reads the queue next. Raises BlockingIOError where it is full."""
    socket.send_fds(queue, [_QUEUED.pack(number) + client.encode()], [descriptor])


def receive_connection(queue: socket.socket) -> Connection | None:
    """Take a connection from the queue; None at its end. Raises BlockingIOError where another was faster."""
    message, descriptors, _, _ = socket.recv_fds(queue, 256, 1)
    if not message or not descriptors:
        return None
    client = message[_QUEUED.size :].decode()
    # The family is told: finding it out takes three calls of the kernel.
    family = socket.AF_UNIX if not client else socket.AF_INET6 if ":" in client else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM, 0, fileno=descriptors[0])
    return Connection(_QUEUED.unpack_from(message)[0], client, held)


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
