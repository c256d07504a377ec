"""What an evaluator may not do: use more address space than its share, connect to anybody, outlive its zygote. Linux.

Source: prctl(2), seccomp(2), bpf filters of linux/filter.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from pathlib import Path
from typing import Final, NamedTuple

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 1, 38, 22, 2
# By architecture: socket, connect, io_uring_setup, execve.
_FORBIDDEN: Final = {"x86_64": (41, 42, 425, 59), "aarch64": (198, 203, 425, 221)}
_LOAD_NUMBER: Final = struct.pack("HBBI", 0x20, 0, 0, 0)
_ALLOW: Final = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)
_REFUSE: Final = struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | 1)  # EPERM
STACK: Final = 64 * 1024 * 1024
# Beside the limit that is watched: what an allocator reserves without using it.
_RESERVE: Final = 1_000_000_000

_PAGE: Final = resource.getpagesize()
_TICKS: Final = os.sysconf("SC_CLK_TCK")

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies. The parent may have died before: look afterwards."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def close_descriptors(kept: set[int]) -> None:
    """Close what a fork has inherited, but for the standard streams and what is kept."""
    first = 3
    for number in sorted(kept):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, 1 << 20)


def allow_deep_stacks() -> None:
    """Let the stack of this process and its children grow to what the engine needs for the deepest allowed query."""
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (STACK if hard < 0 else min(STACK, hard), hard))


def limit_memory(size: int) -> None:
    """Let this process have so many bytes more address space: the last resort behind the supervisor's watch."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + 2 * size + _RESERVE
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def forbid_connections() -> bool:
    """Let every attempt of this process to make a socket, connect or start a program fail; say whether that is so."""
    numbers = _FORBIDDEN.get(platform.machine(), ())
    tests = [struct.pack("HBBI", 0x15, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    program = b"".join([_LOAD_NUMBER, *tests, _ALLOW, _REFUSE])
    buffer = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a length, then a pointer, aligned.
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer)))
    if not numbers or _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return int(_libc.prctl(_PR_SET_SECCOMP, _FILTER, header, 0, 0)) == 0


class Use(NamedTuple):
    """What a process has used: bytes that it holds in memory, shared pages included, and seconds of a processor."""

    memory: int
    processor: float


def look_at(process: int) -> Use:
    """Return what a process has used; nothing where it is gone. Source: proc(5), `stat`."""
    try:
        descriptor = os.open(f"/proc/{process}/stat", os.O_RDONLY)
        try:
            # From the third field on: the second is a name, which may hold anything.
            fields = os.read(descriptor, 1024).rpartition(b")")[2].split()
        finally:
            os.close(descriptor)
        return Use(int(fields[21]) * _PAGE, (int(fields[11]) + int(fields[12])) / _TICKS)
    except (OSError, IndexError):
        return Use(0, 0.0)


def total_memory() -> int:
    """Return the bytes of memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
