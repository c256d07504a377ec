"""Publishing: atomic, verified, one build at a time, nothing half-made left."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, NamedNode, Quad
from small_site import ONE, TWO, many_quads, small_quads

from culturegraph.errors import DataError, StorageError
from culturegraph.store.publishing import exclusive, publish
from culturegraph.store.snapshot import Snapshot, open_current


def put(root: Path, version: str = "1", keep: int = 2, quads: list[Quad] | None = None) -> Snapshot:
    return publish(root, small_quads() if quads is None else quads, version=version, metadata={"note": "x"}, keep=keep)


def names(root: Path) -> set[str]:
    return {path.name for path in (root / "snapshots").iterdir()}


def in_graph(snapshot: Snapshot, graph: str | None) -> set[str]:
    name = DefaultGraph() if graph is None else NamedNode(graph)
    return {str(quad.triple) for quad in snapshot.store.quads_for_pattern(None, None, None, name)}


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_merge_holds_every_triple_once(tmp_path: Path, in_memory: bool) -> None:
    put(tmp_path)
    snapshot = open_current(tmp_path, in_memory=in_memory)
    triples = {str(quad.triple) for quad in small_quads()}
    assert in_graph(snapshot, None) == triples
    counted = snapshot.store.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    assert int(next(iter(counted))["n"].value) == len(triples) == snapshot.triples
    assert len(triples) == len(small_quads()) - 1, "one triple is said by two sources"
    assert in_graph(snapshot, ONE) & in_graph(snapshot, TWO)


def test_the_manifest_tells_the_build(tmp_path: Path) -> None:
    snapshot = put(tmp_path, version="2026-11-23")
    assert snapshot.version == "2026-11-23"
    assert snapshot.manifest["note"] == "x"
    assert snapshot.manifest["quads_by_graph"][ONE] == 10
    assert sum(snapshot.manifest["quads_by_graph"].values()) == len(small_quads())
    assert json.loads((tmp_path / "current" / "manifest.json").read_text()) == dict(snapshot.manifest)


def test_a_quad_of_the_default_graph_stays_there(tmp_path: Path) -> None:
    node = NamedNode("https://example.org/x")
    snapshot = put(tmp_path, quads=[Quad(node, node, node)])
    assert len(in_graph(snapshot, None)) == 1
    assert snapshot.manifest["quads_by_graph"] == {}


def test_current_is_swapped_and_predecessors_are_kept(tmp_path: Path) -> None:
    for version in ("1", "2", "3"):
        put(tmp_path, version=version, keep=2).close()
        assert open_current(tmp_path).version == version
    assert names(tmp_path) == {"2", "3"}
    assert (tmp_path / "current").is_symlink()
    assert not (tmp_path / "current").readlink().is_absolute(), "the folder can be moved"


def test_the_same_version_built_again_is_another_snapshot(tmp_path: Path) -> None:
    first, second = put(tmp_path), put(tmp_path)
    assert first.version == second.version
    assert first.identity != second.identity
    assert first.key != second.key
    assert second.path.name == "1-2"


def test_what_a_reader_has_open_is_not_removed(tmp_path: Path) -> None:
    reader = put(tmp_path, version="read", keep=1)
    put(tmp_path, version="new", keep=1).close()
    assert names(tmp_path) == {"read", "new"}
    assert len(in_graph(reader, ONE)) == 10
    reader.close()
    put(tmp_path, version="newer", keep=1).close()
    assert names(tmp_path) == {"newer"}


def test_a_second_build_at_the_same_time_fails(tmp_path: Path) -> None:
    before = put(tmp_path)
    with exclusive(tmp_path), pytest.raises(StorageError, match="another build"):
        put(tmp_path, version="2")
    assert open_current(tmp_path).identity == before.identity
    assert put(tmp_path, version="2").version == "2", "the lock is free again"


def test_a_build_in_another_process_holds_the_lock(tmp_path: Path) -> None:
    put(tmp_path)
    with (tmp_path / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code = "import sys, pathlib; from culturegraph.store.publishing import publish\n" + (
            "publish(pathlib.Path(sys.argv[1]), [], version='2', metadata={}, keep=2)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "StorageError: another build" in done.stderr


def test_a_failure_while_quads_arrive_leaves_no_trace(tmp_path: Path) -> None:
    before = put(tmp_path)

    def broken() -> Iterator[Quad]:
        yield from small_quads()
        raise DataError("is wrong", "x.csv", 3)

    with pytest.raises(DataError):
        publish(tmp_path, broken(), version="2", metadata={}, keep=2)
    assert names(tmp_path) == {"1"}
    assert open_current(tmp_path).identity == before.identity


def test_what_a_killed_build_left_is_removed(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "snapshots" / ".partial-1" / "store").mkdir(parents=True)
    put(tmp_path, version="2")
    assert names(tmp_path) == {"1", "2"}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        put(occupied)
    store = tmp_path / "store"
    store.mkdir()
    (store / "snapshots").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        put(store)


def test_a_full_disk(tmp_path: Path) -> None:
    """Files may not grow beyond 300 kB in the child: to the store that is a full disk."""
    before = put(tmp_path)
    code = textwrap.dedent(
        """
        import pathlib, resource, signal, sys
        sys.path.insert(0, sys.argv[2])
        from small_site import many_quads
        from culturegraph.errors import StorageError
        from culturegraph.store.publishing import publish
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        try:
            publish(pathlib.Path(sys.argv[1]), many_quads(60_000), version="2", metadata={}, keep=2)
        except StorageError as error:
            sys.exit(f"StorageError {error}")
        """
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("StorageError the snapshot cannot be written"), done.stderr
    assert names(tmp_path) == {"1"}
    assert open_current(tmp_path).identity == before.identity


def test_nothing_published(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="culturegraph build"):
        open_current(tmp_path)


def damage_truncate(path: Path) -> None:
    file = max((path / "store").glob("*.sst"), key=lambda item: item.stat().st_size)
    file.write_bytes(file.read_bytes()[:-10])


def damage_flip(path: Path) -> None:
    file = path / "quads.nq"
    data = bytearray(file.read_bytes())
    data[20] ^= 1
    file.write_bytes(data)


def damage_missing(path: Path) -> None:
    next((path / "store").glob("MANIFEST*")).unlink()


def damage_manifest(path: Path) -> None:
    (path / "manifest.json").write_text('{"version": ')


def damage_empty_manifest(path: Path) -> None:
    (path / "manifest.json").write_text("{}")


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(
    "damage", [damage_truncate, damage_flip, damage_missing, damage_manifest, damage_empty_manifest, shutil.rmtree]
)
def test_a_damaged_snapshot_says_what_to_do(tmp_path: Path, damage: object, in_memory: bool) -> None:
    path = put(tmp_path).path
    assert callable(damage)
    damage(path)
    with pytest.raises(StorageError, match=r"damaged .*culturegraph build"):
        open_current(tmp_path, in_memory=in_memory)
    assert put(tmp_path, version="2").version == "2", "a build repairs it"


def test_a_larger_graph_loads_whole(tmp_path: Path) -> None:
    snapshot = publish(tmp_path, many_quads(20_000), version="many", metadata={}, keep=1)
    assert snapshot.triples == 20_000
    assert len(open_current(tmp_path, in_memory=True).store) == 40_000
