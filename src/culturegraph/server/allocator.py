"""A faster memory allocator: jemalloc where the system has it, else glibc's own with larger caches.

Either is chosen when a program starts, so this program is started once more.
"""

from __future__ import annotations

import ctypes.util
import os
import sys
from typing import Final

# Set in the environment of a program that has been started once more.
_RESTARTED: Final = "_CULTUREGRAPH_RESTARTED"
# Large pages where the kernel gives them on request: a scan jumps about in memory. And a query allocates and frees some
# thousand small pieces; of each size glibc keeps seven at hand unless told otherwise.
_JEMALLOC: Final = ("MALLOC_CONF", "thp:always", ",")
_GLIBC: Final = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=1000:glibc.malloc.hugetlb=1", ":")


def is_restarted() -> bool:
    """Say whether this program has started itself once more."""
    return _RESTARTED in os.environ


def restart_lean(*, jemalloc: bool) -> None:
    """Start this program once more in place of itself, with jemalloc preloaded where it is wanted and installed.

    What has been loaded so far, for a build for instance, is gone then. Returns where there is nothing to gain.
    """
    library = ctypes.util.find_library("jemalloc") if jemalloc else None
    if is_restarted() or not sys.platform.startswith("linux"):
        return
    environment = {**os.environ, _RESTARTED: "1"}
    if library is not None:
        loaded = os.environ.get("LD_PRELOAD", "")
        environment["LD_PRELOAD"] = f"{library}:{loaded}" if loaded else library
    name, options, separator = _GLIBC if library is None else _JEMALLOC
    # What was told before comes last, and so holds.
    environment[name] = separator.join(filter(None, (options, os.environ.get(name))))
    os.execve(sys.executable, sys.orig_argv, environment)  # noqa: S606 - this very program
