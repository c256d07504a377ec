"""Servers that a benchmark runs beside each other: ours in several configurations, and its peers.

Each is a tree of processes of its own, on a loopback port that was free, ended when the benchmark ends. A peer that is
not installed is left out, with the reason.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from culturegraph.errors import StorageError

_SERVE: Final = "from culturegraph.cli import main; main()"
# Seconds for a server to load its data and answer.
_PATIENCE: Final = 900
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Plan:
    """How a server is started: its command, where `{port}` is put in, its environment, its SPARQL path."""

    name: str
    command: Sequence[str]
    path: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A running server."""

    plan: Plan
    port: int
    process: subprocess.Popen[bytes]

    @property
    def name(self) -> str:
        """Its name in the table."""
        return self.plan.name

    def memory(self) -> float:
        """Return the memory of its processes in MB: what is shared counts once (PSS); 0 where that is not told."""
        return sum(_proportional(process) for process in _tree(self.process.pid)) / 1024

    def processor_seconds(self) -> float:
        """Return the time of the processor that its processes have used since they started."""
        return sum(_used(process) for process in _tree(self.process.pid))


def ours(name: str, store: Path, **settings: object) -> Plan:
    """Return the plan of our server with some settings."""
    environment = {f"CULTUREGRAPH_{key.upper()}": str(value) for key, value in settings.items()}
    command = (sys.executable, "-c", _SERVE, "serve", "--store", str(store), "--port", "{port}")
    return Plan(name, command, "/sparql", environment)


def native_program() -> str | None:
    """Return the path of the oxigraph server, which the dependency group `bench` brings, or None."""
    return shutil.which("oxigraph", path=_programs())


def native(name: str, program: str, location: Path, *options: str) -> Plan:
    """Return the plan of the native oxigraph server on a directory that `load_native` has filled."""
    return Plan(name, (program, "serve", "--location", str(location), "--bind", "127.0.0.1:{port}", *options), "/query")


def load_native(program: str, data: Path, location: Path) -> None:
    """Fill a directory for the native server, and optimise it. Raises StorageError where it fails."""
    for command in (["load", "--file", str(data)], ["optimize"]):
        done = subprocess.run(
            [program, command[0], "--location", str(location), *command[1:]],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StorageError(f"oxigraph {command[0]} failed: {done.stderr.strip()}")


def rdflib_program() -> str | None:
    """Return the path of rdflib-endpoint, which the dependency group `bench` brings, or None."""
    return shutil.which("rdflib-endpoint", path=_programs())


def rdflib_endpoint(name: str, program: str, data: Path) -> Plan:
    """Return the plan of rdflib-endpoint on its Oxigraph store, in memory."""
    return Plan(name, (program, "serve", "--store", "Oxigraph", "--port", "{port}", str(data)), "/")


def _programs() -> str:
    """Return where programs are sought: beside this Python first."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))


@contextmanager
def running(plan: Plan, log: Path) -> Iterator[Server]:
    """Run a server until the block ends. Raises StorageError, with the end of its log, where it does not start."""
    port = _free_port()
    command = [part.replace("{port}", str(port)) for part in plan.command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **plan.environment}, start_new_session=True
        )
    server = Server(plan, port, process)
    try:
        _wait(server, log)
        yield server
    finally:
        _end(process)


def settle(server: Server) -> None:
    """Wait until a server rests, at most as long as for its start: some answer while they still load into memory."""
    deadline, before, resting = time.monotonic() + _PATIENCE, server.processor_seconds(), 0
    while resting < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
        now = server.processor_seconds()
        resting, before = (resting + 1 if abs(now - before) < 0.05 else 0), now


def _wait(server: Server, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    address = f"http://127.0.0.1:{server.port}{server.plan.path}?query=ASK%20%7B%7D"
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        with suppress(URLError, OSError), urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    told = log.read_text(errors="replace")[-600:]
    raise StorageError(f"{server.name} did not start: {told.strip() or 'no word from it'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and all its processes, which are a session of their own."""
    for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 10)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _tree(root: int) -> list[int]:
    """Return the processes of a session: a server is the leader of its own."""
    found = []
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit():
            with suppress(OSError):
                # After the name in brackets: state, parent, group, session.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == root:
                    found.append(int(entry.name))
    return found


def _used(process: int) -> float:
    """Return the seconds of the processor that a process has used, in its own code and in the kernel."""
    with suppress(OSError):
        # After the name in brackets the twelfth and the thirteenth field.
        fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _proportional(process: int) -> int:
    """Return the proportional set size of a process in KB."""
    with suppress(OSError):
        for line in (_PROC / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
