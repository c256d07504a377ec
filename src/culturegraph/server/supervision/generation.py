"""One generation: the zygote of a snapshot with its evaluators and pages, as the supervisor sees them."""

from __future__ import annotations

import os
import signal
import socket
import traceback
from contextlib import suppress
from dataclasses import dataclass, field

from culturegraph.server import connections as wire
from culturegraph.server.confinement import close_descriptors, die_with_parent, look_at
from culturegraph.server.zygote import Means, Zygote


@dataclass(slots=True)
class Child:
    """An evaluator or a pages process: its control socket, a descriptor of it, what it held in memory at birth.

    Evaluators and pages processes have slots of their own.
    """

    slot: int
    process: int
    control: socket.socket
    handle: int
    memory: int
    generation: Generation
    is_pages: bool
    # The numbers of the connections that it holds.
    connections: set[int] = field(default_factory=set)
    # At something that takes a while: it holds only that connection. Long: the query counts as one of those that may
    # run for long. Slow: it has lower priority, and ends when it has answered.
    is_busy: bool = False
    # Seconds of processor time that it had used when it became busy.
    processor: float = 0.0
    is_long: bool = False
    is_slow: bool = False
    # Of pages: whether they have told that they answer.
    is_ready: bool = False
    # Why it was killed: outcome, and what the client is told.
    verdict: tuple[str, str] | None = None

    def dismiss(self) -> None:
        """Let it answer what it is at, give back what it holds, and leave."""
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)

    def kill(self, outcome: str, reason: str) -> None:
        """End it at once."""
        if self.verdict is None:
            self.verdict = (outcome, reason)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def close(self) -> None:
        """Let go of what is left of it; to a child that lives, the end of its control socket is the end."""
        self.control.close()
        os.close(self.handle)


@dataclass(eq=False)
class Generation:
    """A zygote and its children: evaluators (`children`) and pages."""

    zygote: socket.socket
    process: int
    # How many pages processes there are to be.
    wanted_pages: int
    children: dict[int, Child] = field(default_factory=dict)
    pages: dict[int, Child] = field(default_factory=dict)
    identity: str = ""
    is_loaded: bool = False
    is_retired: bool = False
    # Whether its pages have been told to leave, and its evaluators are to follow: the server stops.
    is_leaving: bool = False
    # Whether it is served from disk only until it is loaded into memory.
    may_move_to_memory: bool = False
    # Evaluators that have been asked for and are not there yet.
    expected: set[int] = field(default_factory=set)

    def fork(self, kind: bytes, slot: int) -> None:
        """Ask the zygote for a child."""
        if kind == wire.EVALUATOR:
            self.expected.add(slot)
        with suppress(OSError):  # Where it is dead, the end of its socket tells.
            self.zygote.send(kind + str(slot).encode())

    def receive(self) -> tuple[bytes, str, Child | None]:
        """Read a message of the zygote's socket: its kind (empty at the end), its text, the child that is born."""
        message, descriptors, _, _ = socket.recv_fds(self.zygote, 4096, 2)
        if not message or message[:1] in (wire.READY, wire.FAILED, wire.BORN):
            return message[:1], message[1:].decode(), None
        kind, slot, process = wire.unpack_birth(message)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=descriptors[0])
        control.setblocking(False)
        is_pages = kind == wire.PAGES_PROCESS
        child = Child(slot, process, control, descriptors[1], look_at(process).memory, self, is_pages)
        if is_pages:
            self.pages[slot] = child
        else:
            self.expected.discard(slot)
            self.children[slot] = child
        # Born too late: those that were there have been told already.
        if (self.is_leaving or (self.is_retired and self.is_empty)) if is_pages else self.is_retired:
            child.dismiss()
        return kind, "", child

    def remove(self, child: Child) -> None:
        """Forget a child that has ended."""
        del (self.pages if child.is_pages else self.children)[child.slot]

    @property
    def free(self) -> list[Child]:
        """The evaluators that may be given connections, in the order of their slots."""
        children = self.children
        return [children[slot] for slot in sorted(children) if not (children[slot].is_busy or children[slot].verdict)]

    @property
    def is_ready(self) -> bool:
        """Whether it can take over: evaluators are there, and all pages answer."""
        ready = sum(child.is_ready for child in self.pages.values())
        return bool(self.children) and ready == self.wanted_pages

    @property
    def is_empty(self) -> bool:
        """Whether no evaluator is left."""
        return not self.children and not self.expected

    def retire(self) -> None:
        """Let the evaluators leave when they have answered what has reached them."""
        if not self.is_retired:
            self.is_retired = True
            for child in self.children.values():
                child.dismiss()
            for child in self.pages.values():
                with suppress(OSError):
                    child.control.send(wire.DRAIN)

    def leave(self) -> None:
        """Let the pages leave when they have answered."""
        self.is_leaving = True
        for child in self.pages.values():
            child.dismiss()

    def close(self) -> None:
        """Let the zygote leave."""
        self.zygote.close()


def start_generation(means: Means, *, in_memory: bool) -> Generation:
    """Fork a zygote."""
    control, zygote_control = wire.pair()
    # One for each pages process; what is sent while there is none waits for its successor.
    handing_over = [wire.pair() for _ in range(means.settings.page_workers)]
    theirs = [zygote_control, *(end for pair in handing_over for end in pair)]
    process = os.fork()
    if process:
        for end in theirs:
            end.close()
        return Generation(control, process, means.settings.page_workers)
    status = 1
    try:
        die_with_parent()
        close_descriptors({end.fileno() for end in theirs} | means.journal.descriptors)
        Zygote(means, zygote_control, handing_over).run(in_memory=in_memory)
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)
