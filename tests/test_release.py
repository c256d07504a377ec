"""Releases of a small project in a real repository: what they hold, that they never change, how two of them differ."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyoxigraph import Dataset, RdfFormat, parse
from released_project import FIRST, SECOND, git

from culturegraph.build import build_from_quads
from culturegraph.errors import NotFoundError, StorageError, UsageError
from culturegraph.release import make_release
from culturegraph.releases.differences import changes_between, compare, to_patch
from culturegraph.releases.folder import find_release, list_releases, parse_version, verify
from culturegraph.settings import Settings


def test_a_release_holds_every_distribution_with_its_checksum(project: Settings) -> None:
    release = find_release(project.releases, SECOND)
    names = {name.removeprefix(f"culturegraph-{SECOND}") for name in release.files}
    assert names >= {
        ".nq.gz", ".trig.gz", ".jsonld.gz", "-csvw.zip", "-ontology.zip", "-shapes.zip", "-queries.zip", "CHANGES.md",
        "validation-report.ttl", "hashes.json", "dcat.ttl", "datacite.json", "ro-crate-metadata.json", "SHA256SUMS",
    }  # fmt: skip
    verify(release)
    assert release.built.isoformat() == "2026-11-01T12:00:00+00:00"
    assert release.manifest["commit"] == git(project.root, "rev-parse", "HEAD")
    assert "A law was renamed" in (release.path / "CHANGES.md").read_text(encoding="utf-8")
    assert [r.version for r in list_releases(project.releases)] == [SECOND, FIRST]


def test_all_forms_hold_the_same_quads(project: Settings) -> None:
    release = find_release(project.releases, SECOND)
    forms = {".nq": RdfFormat.N_QUADS, ".trig": RdfFormat.TRIG, ".jsonld": RdfFormat.JSON_LD}
    found = []
    for suffix, form in forms.items():
        data = gzip.decompress((release.path / f"culturegraph-{SECOND}{suffix}.gz").read_bytes())
        found.append(Dataset(parse(data, format=form)))
    assert len({len(dataset) for dataset in found}) == 1
    assert len(found[0]) == release.manifest["quads"] > 100


def test_rebuilt_from_the_same_commit_it_is_the_same_to_the_byte(project: Settings, tmp_path: Path) -> None:
    again = make_release(project.model_copy(update={"releases": tmp_path}), SECOND)
    first = find_release(project.releases, SECOND)
    assert again.files == first.files
    for name in (*first.files, "manifest.json"):
        assert (again.path / name).read_bytes() == (first.path / name).read_bytes(), name


def test_a_snapshot_restored_from_a_release_has_its_hash(project: Settings, tmp_path: Path) -> None:
    release = find_release(project.releases, SECOND)
    quads = tmp_path / "restored.nq"
    quads.write_bytes(gzip.decompress(release.nquads.read_bytes()))
    made = build_from_quads(project.model_copy(update={"store": tmp_path / "store"}), [quads])
    assert made.content_hash == release.manifest["content_hash"]


def test_a_release_never_changes(project: Settings) -> None:
    before = {path: path.read_bytes() for path in project.releases.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="released already"):
        make_release(project, SECOND)
    assert before == {path: path.read_bytes() for path in project.releases.rglob("*") if path.is_file()}


def test_changes_that_no_commit_holds_are_not_released(project: Settings) -> None:
    extra = project.root / "data" / "note.md"
    extra.write_text("x", encoding="utf-8")
    try:
        with pytest.raises(UsageError, match=r"changes that no commit holds \(data/note\.md\)"):
            make_release(project, "2026.12.0")
    finally:
        extra.unlink()
    assert [release.version for release in list_releases(project.releases)] == [SECOND, FIRST]


@pytest.mark.parametrize("version", ["1.0", "2026.13.0", "2026.1.0", "../2026.11.0", "2026.11.01", ""])
def test_what_is_no_version_is_refused(project: Settings, version: str) -> None:
    with pytest.raises(UsageError):
        parse_version(version)
    with pytest.raises(NotFoundError):
        find_release(project.releases, version)


def test_a_tampered_file_is_named(project: Settings, tmp_path: Path) -> None:
    shutil.copytree(project.releases, tmp_path / "r")
    release = find_release(tmp_path / "r", FIRST)
    file = release.path / "hashes.json"
    file.write_bytes(file.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(StorageError, match=r"hashes\.json has the checksum"):
        verify(release)
    file.unlink()
    with pytest.raises(StorageError, match=r"hashes\.json is missing"):
        verify(release)


def run(project: Settings, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from culturegraph.cli import main; main()",
        *arguments,
        "--releases",
        str(project.releases),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def test_the_difference_of_two_releases(project: Settings) -> None:
    done = run(project, "diff", FIRST, SECOND, "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["added"] > 0 < told["removed"]
    assert "https://w3id.org/culturegraph/id/norm/law-1" in {row["subject"] for row in told["by_subject"]}
    patch = run(project, "diff", FIRST, SECOND, "--format", "patch").stdout.splitlines()
    assert (patch[0], patch[-1]) == ("TX .", "TC .")
    assert any(line.startswith("D <") and '"Primera"' in line for line in patch)
    assert any(line.startswith("A <") and "Primer\u00edsima" in line for line in patch)
    same = json.loads(run(project, "diff", FIRST, FIRST, "--format", "json").stdout)
    assert same.pop("ontology")["terms"] == []
    assert same == {"added": 0, "removed": 0, "by_graph": [], "by_subject": []}
    assert "Primer\u00edsima" in run(project, "diff", FIRST, SECOND, "--format", "trig").stdout


def test_a_patch_turns_the_first_release_into_the_second(project: Settings) -> None:
    old, new = (set(find_release(project.releases, version).lines()) for version in (FIRST, SECOND))
    with changes_between(project.releases, FIRST, SECOND, literally=True) as changes:
        for line in to_patch(changes):
            if line.startswith(b"D "):
                old.remove(line[2:])
            elif line.startswith(b"A "):
                old.add(line[2:])
    of_the_build = (b"graph/catalogue> .\n", b"graph/validation> .\n")
    assert {q for q in old if not q.endswith(of_the_build)} == {q for q in new if not q.endswith(of_the_build)}


def test_blank_nodes_and_order_do_not_count(tmp_path: Path) -> None:
    one, two = tmp_path / "one.nq", tmp_path / "two.nq"
    one.write_text('_:a <urn:p> "1" <urn:g> .\n_:b <urn:p> _:a <urn:g> .\n<urn:s> <urn:p> <urn:o> <urn:g> .\n')
    two.write_text('<urn:s> <urn:p> <urn:o> <urn:g> .\n_:x <urn:p> "1" <urn:g> .\n_:y <urn:p> _:x <urn:g> .\n')
    with changes_between(tmp_path, str(one), str(two)) as changes:
        assert list(changes) == []


def test_lines_of_one_side_only() -> None:
    assert list(compare(iter([b"a", b"b", b"d"]), iter([b"b", b"c"]))) == [("-", b"a"), ("+", b"c"), ("-", b"d")]


@pytest.mark.parametrize(
    ("side", "code", "told"),
    [
        ("2026.01.5", 2, "there is no release '2026.01.5'"),
        ("missing.nq", 3, "missing.nq cannot be read"),
        ("bad.nq", 1, "bad.nq:2:"),
        ("odd.csv", 2, "neither a release"),
    ],
)
def test_what_cannot_be_compared_is_told(
    project: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: str, code: int, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.nq").write_text("<urn:s> <urn:p> <urn:o> .\n<urn:s> nonsense .\n")
    Path("odd.csv").write_text("a,b\n")
    done = run(project, "diff", FIRST, side)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
