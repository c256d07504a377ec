"""The snapshot that a server reads from stores on other servers: their generation, and the indexes made from it.

    {store}/remote/{generation}/names.sqlite    the text index of the merge
    {store}/remote/{generation}/statements      the hashes of its statements

A generation never changes, so its indexes are made once and kept. The watch looks at every endpoint again and again:
a dead one gets no request, and a new generation that all hold is told of.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Final

from culturegraph.errors import CulturegraphError, LimitExceededError, StorageError, UpstreamError
from culturegraph.rdf.dataset import Dataset
from culturegraph.settings import Settings
from culturegraph.store.remote.dataset import RemoteDataset
from culturegraph.store.remote.generation import Generation, Pointer, choose_generation
from culturegraph.store.remote.publishing import find_generation, find_pointer
from culturegraph.store.remote.upstream import Endpoint, Replica, Replicas
from culturegraph.store.snapshot import STATEMENTS, TEXT_INDEX, Snapshot
from culturegraph.store.statement_index import StatementIndex
from culturegraph.store.text_index_file import write_text_index

Progress = Callable[[str], AbstractContextManager[None]]
# Folders of indexes that are kept: of the generation that is read, and of the one before.
_KEPT: Final = 2


def connect(settings: Settings) -> Replicas:
    """Return the replicas that the settings name, looked at once. Raises UpstreamError where none of them answers.

    One that answers with an error is told of where no other serves: its credentials may be wrong.
    """
    replicas = Replicas([Endpoint(address, settings) for address in settings.endpoints])
    found = look(replicas, settings.endpoint_check)
    if not any(isinstance(each, Pointer) for each in found):
        faults = [each for each in found if isinstance(each, CulturegraphError)]
        if faults:
            raise faults[0]
        raise UpstreamError(
            f"nothing is published at {', '.join(settings.endpoints)}; run `culturegraph publish --endpoint …`"
        )
    return replicas


def look(replicas: Replicas, patience: float) -> list[Pointer | CulturegraphError | None]:
    """Look at every endpoint, at the same time: note which are alive and what they hold, and return what they say."""
    with ThreadPoolExecutor(len(replicas.replicas) or 1) as pool:
        return list(pool.map(lambda replica: _look_at(replica, patience), replicas.replicas))


def _look_at(replica: Replica, patience: float) -> Pointer | CulturegraphError | None:
    try:
        pointer = find_pointer(replica.endpoint, patience)
    except (UpstreamError, LimitExceededError) as error:
        replica.is_alive = False
        return error
    replica.generations = frozenset(pointer.generations) if pointer else frozenset()
    replica.is_alive = True
    return pointer


def open_generation(
    replicas: Replicas, generation: Generation, settings: Settings, progress: Progress = lambda _: nullcontext()
) -> Snapshot:
    """Return a generation as a snapshot; its indexes are made where the folder of the settings has none of it."""
    patient = replicas.unhurried(settings)
    try:
        folder, whole, copy = settings.store / "remote", RemoteDataset(patient, generation), None
        if len(whole) <= settings.endpoint_copy:
            with progress("copy the generation from the store"):
                copy = whole.copy()
        path = _write_indexes(folder / generation.id, whole if copy is None else copy, progress)
    finally:
        patient.close()
    _prune(folder, path)
    return Snapshot(path, generation.manifest, RemoteDataset(replicas, generation, copy))


def _write_indexes(path: Path, source: Dataset, progress: Progress) -> Path:
    """Make the folder of indexes of a generation unless it is there; return it."""
    if path.is_dir():
        return path
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with progress("make the index of names from the store"):
            write_text_index(partial / TEXT_INDEX, source)
        with progress("make the index of statements from the store"):
            StatementIndex(source).write(partial / STATEMENTS)
        # Another server may have made it meanwhile.
        with suppress(OSError):
            partial.rename(path)
    except OSError as error:
        raise StorageError(f"the indexes of the store cannot be written to {path.parent}: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path


def read_generation(replicas: Replicas, identity: str) -> Generation:
    """Return what one of the replicas that hold a generation tells of it."""
    fault = UpstreamError("no endpoint tells of a generation any more")
    for replica in replicas.replicas:
        if identity in replica.generations and replica.is_alive:
            try:
                return find_generation(replica.endpoint, identity)
            except UpstreamError as error:
                fault = error
    raise fault


def open_remote(settings: Settings, replicas: Replicas, progress: Progress = lambda _: nullcontext()) -> Snapshot:
    """Return the generation to serve as a snapshot."""
    pointers = [each for each in look(replicas, settings.endpoint_check) if isinstance(each, Pointer)]
    identity = choose_generation(pointers) or ""
    return open_generation(replicas, read_generation(replicas, identity), settings, progress)


class Watch:
    """Looks at the endpoints at intervals, until it is stopped; tells of a generation that is to be served instead."""

    def __init__(self, replicas: Replicas, seconds: float, served: str, tell: Callable[[Generation], None]) -> None:
        self._replicas, self._seconds, self._served, self._tell = replicas, seconds, served, tell
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        """End it."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            # Whatever goes wrong, the next look may go right; requests have their own errors.
            with suppress(CulturegraphError, OSError):
                self._look()

    def _look(self) -> None:
        pointers = [each for each in look(self._replicas, self._seconds) if isinstance(each, Pointer)]
        identity = choose_generation(pointers)
        if identity is not None and identity != self._served:
            self._tell(read_generation(self._replicas, identity))
            self._served = identity


def _prune(folder: Path, current: Path) -> None:
    """Remove the indexes of generations that were served long ago."""
    os.utime(current)
    found = sorted(
        (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")),
        key=lambda path: path.stat().st_mtime_ns,
        reverse=True,
    )
    for path in found[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
