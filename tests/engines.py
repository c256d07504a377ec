"""SPARQL engines that are not ours, each started on loopback ports of its own with an empty store, for the slow tests.

What is not installed is named with the reason (`missing`); `install_engines.sh` installs what it can.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

# Where install_engines.sh puts what has no package: a folder beside the virtual environment.
FUSEKI = Path(os.environ.get("CULTUREGRAPH_FUSEKI", Path(__file__).parents[1] / ".venv" / "engines" / "fuseki.jar"))
PASSWORD = "loopback-only"
_PATIENCE = 90

_VIRTUOSO = """\
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {folder}/temp.db
TransactionFile = {folder}/temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DirsAllowed = {folder}
NumberOfBuffers = 20000
MaxDirtyBuffers = 15000
DefaultIsolation = 2
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerThreads = 10
[SPARQL]
ResultSetMaxRows = {rows}
MaxQueryExecutionTime = 60
"""


@dataclass(frozen=True)
class Engine:
    """A running engine: where it is asked, where graphs are written, and how one writes."""

    name: str
    query: str
    graph_store: str
    update: str
    user: str | None = None
    password: str | None = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing(name: str) -> str | None:
    """Return why an engine cannot be started here, or None."""
    if name == "oxigraph" and _oxigraph() is None:
        return "the oxigraph server is not installed (uv sync --group bench)"
    if name == "virtuoso" and shutil.which("virtuoso-t") is None:
        return "Virtuoso is not installed (apt-get install virtuoso-opensource-7)"
    if name == "fuseki" and shutil.which("java") is None:
        return "there is no Java (17 or later) for Fuseki"
    if name == "fuseki" and not FUSEKI.is_file():
        return f"Fuseki is not installed (sh tests/install_engines.sh puts it at {FUSEKI.name})"
    return None


def _oxigraph() -> str | None:
    return shutil.which("oxigraph", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))


@contextmanager
def oxigraph(folder: Path) -> Iterator[Engine]:
    """The native oxigraph server, on disk."""
    port = free_port()
    command = [_oxigraph() or "oxigraph", "serve", "--location", str(folder), "--bind", f"127.0.0.1:{port}"]
    address = f"http://127.0.0.1:{port}"
    with _running(command, folder, f"{address}/query?query=ASK%7B%7D"):
        yield Engine("oxigraph", f"{address}/query", f"{address}/store", f"{address}/update")


@contextmanager
def fuseki(folder: Path) -> Iterator[Engine]:
    """Apache Jena Fuseki with a TDB2 dataset on disk."""
    port = free_port()
    (folder / "data").mkdir()
    command = ["java", "-Xmx1g", "-cp", str(FUSEKI), "org.apache.jena.fuseki.main.cmds.FusekiServerCmd"]
    command += [
        "--localhost",
        f"--port={port}",
        "--timeout=60000",
        "--update",
        "--tdb2",
        f"--loc={folder / 'data'}",
        "/ds",
    ]
    address = f"http://127.0.0.1:{port}/ds"
    with _running(command, folder, f"{address}/query?query=ASK%7B%7D"):
        yield Engine("fuseki", f"{address}/query", f"{address}/data", f"{address}/update")


@contextmanager
def virtuoso(folder: Path, rows: int = 10_000_000) -> Iterator[Engine]:
    """Virtuoso Open Source; it cuts answers at `rows`."""
    port, sql = free_port(), free_port()
    (folder / "virtuoso.ini").write_text(_VIRTUOSO.format(folder=folder, port=port, sql=sql, rows=rows))
    command = ["virtuoso-t", "+foreground", "+configfile", str(folder / "virtuoso.ini")]
    # A run of its own makes the database, changes the password and ends.
    passwords = ["+pwdold", "dba", "+pwddba", PASSWORD, "+pwddav", PASSWORD]
    subprocess.run([*command, *passwords], cwd=folder, capture_output=True, check=True, timeout=_PATIENCE)
    address = f"http://127.0.0.1:{port}"
    with _running(command, folder, f"{address}/sparql?query=ASK%7B%7D"):
        yield Engine(
            "virtuoso",
            f"{address}/sparql",
            f"{address}/sparql-graph-crud-auth",
            f"{address}/sparql-auth",
            "dba",
            PASSWORD,
        )


ENGINES: dict[str, Callable[[Path], object]] = {"oxigraph": oxigraph, "virtuoso": virtuoso, "fuseki": fuseki}


@contextmanager
def _running(command: list[str], folder: Path, probe: str) -> Iterator[None]:
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + _PATIENCE
            while True:
                assert process.poll() is None, (folder / "engine.log").read_text(errors="replace")[-2000:]
                try:
                    if httpx.get(probe, timeout=5).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                assert time.monotonic() < deadline, f"{command[0]} did not answer"
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
