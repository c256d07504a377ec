"""What keeps the graph for decades: restoring a release, its metadata, the permanent addresses, the age of sources."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from datacite import schema45
from pyoxigraph import Quad, RdfFormat, parse
from released_project import FIRST, SECOND, replace
from test_release import run

from culturegraph.errors import InvalidGraphError, NotFoundError, StorageError
from culturegraph.rdf.graphs import CATALOGUE, EDITORIAL
from culturegraph.release import restore
from culturegraph.releases.folder import MANIFEST, checksum, find_release
from culturegraph.settings import Settings
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current
from culturegraph.upkeep import SourceState, check_links, list_sources, write_report

# Restoring


def test_a_restored_release_is_what_was_released(project: Settings, tmp_path: Path) -> None:
    done = run(project, "restore", FIRST, "--store", str(tmp_path / "restored"))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{FIRST} restored" in done.stdout
    snapshot, release = open_current(tmp_path / "restored"), find_release(project.releases, FIRST)
    assert (snapshot.version, snapshot.manifest["content_hash"]) == (FIRST, release.manifest["content_hash"])
    assert snapshot.built == release.built
    # The store writes times its own way, so what describes the build differs in its letters.
    given = {q for line in release.lines() for q in parse(line, format=RdfFormat.N_QUADS) if q.graph_name != CATALOGUE}
    assert given <= set(snapshot.store)


def test_what_is_not_as_it_was_released_is_not_restored(project: Settings, tmp_path: Path) -> None:
    shutil.copytree(project.releases, tmp_path / "r")
    settings = project.model_copy(update={"releases": tmp_path / "r", "store": tmp_path / "store"})
    release = find_release(tmp_path / "r", FIRST)
    lines = gzip.decompress(release.nquads.read_bytes()).replace(b"Primera", b"Ultima")
    release.nquads.write_bytes(gzip.compress(lines, mtime=0))
    with pytest.raises(StorageError, match=r"nq\.gz has the checksum"):
        restore(settings, FIRST)
    # Whoever mends the checksum too is found out by the content hash.
    before = find_release(project.releases, FIRST).files[release.nquads.name]["sha256"]
    replace(release.path / MANIFEST, (before, checksum(release.nquads)))
    with pytest.raises(InvalidGraphError, match="has the content hash"):
        restore(settings, FIRST)
    with pytest.raises(NotFoundError):
        restore(settings, "2020.01.0")
    assert not (tmp_path / "store").exists()


# Metadata


def test_the_datacite_record_is_valid(project: Settings) -> None:
    record = json.loads((find_release(project.releases, SECOND).path / "datacite.json").read_text(encoding="utf-8"))
    assert [error.message for error in schema45.validator.iter_errors(record)] == []
    assert list(schema45.validator.iter_errors({**record, "titles": []})), "the validator does find faults"


def test_the_crate_is_whole(project: Settings) -> None:
    """RO-Crate 1.1 §2.1 (descriptor), §4.1 (root data entity), §4.2 (files are there), §3 (flat, linked by @id)."""
    folder = find_release(project.releases, SECOND).path
    crate = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["conformsTo"]["@id"] == "https://w3id.org/ro/crate/1.1"
    root = entities[descriptor["about"]["@id"]]
    assert root["@id"] == "./"
    for name in ("name", "description", "datePublished", "license", "author", "publisher"):
        assert root[name], name
    for part in root["hasPart"]:
        file = entities[part["@id"]]
        assert file["@type"] == "File"
        assert int(file["contentSize"]) == (folder / part["@id"]).stat().st_size
        assert file["sha256"] == checksum(folder / part["@id"])
    linked = [value["@id"] for entity in entities.values() for value in entity.values() if isinstance(value, dict)]
    assert {iri for iri in linked if not iri.startswith("https://w3id.org/ro/")} <= set(entities)
    assert {path.name for path in folder.iterdir()} - {p["@id"] for p in root["hasPart"]} == {
        "ro-crate-metadata.json", "SHA256SUMS", MANIFEST,
    }  # fmt: skip


# The permanent addresses


def redirect(rules: str, path: str) -> tuple[str, int]:
    """Apply the rewrite rules of a folder to a path below it, as mod_rewrite does (one pass, flags R, L, NE)."""
    for line in rules.splitlines():
        if not (words := line.split("#")[0].split()) or words[0] == "RewriteEngine":
            continue
        name, pattern, target, flags = words
        assert name == "RewriteRule"
        given = dict(flag.partition("=")[::2] for flag in flags.strip("[]").split(","))
        assert set(given) == {"R", "L", "NE"}
        if match := re.search(pattern, path):
            return re.sub(r"\$(\d)", lambda number: match[int(number[1])], target), int(given["R"])
    return path, 404


@pytest.mark.parametrize(
    "path",
    [
        "", "id/people/awajun", "id/people/awajun.ttl", "schemes/areas/music", "ontology/", "ontology/0.1.0/",
        "ontology/Dance", "graph/source/editorial", "graph/inferred", "statement/" + "0" * 64, "validation/17",
        "releases/2026.11.0", "releases/2026.11.0/id/people/awajun", "dataset", "queries/cq-01", "id/x/a%20b",
    ],
)  # fmt: skip
def test_the_permanent_addresses_lead_to_the_server(root: Path, path: str) -> None:
    rules = (root / "w3id" / ".htaccess").read_text(encoding="utf-8")
    assert redirect(rules, path) == (f"https://SERVER/{path}", 303)


# The age of sources


class Site(BaseHTTPRequestHandler):
    """Answers by path: a page, a page that refuses HEAD, one that moved, one that is gone, one that is guarded."""

    asked: list[tuple[str, str]]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        type(self).asked.append((self.command, self.path))
        status = {"/gone": 404, "/guarded": 403, "/moved": 301, "/broken": 500}.get(self.path, 200)
        if self.path == "/no-head" and self.command == "HEAD":
            status = 405
        self.send_response(status)
        if status == 301:
            self.send_header("Location", "/page")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def site() -> Iterator[str]:
    Site.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_dead_links_are_told_apart(site: str) -> None:
    paths = ("/page", "/no-head", "/moved", "/gone", "/guarded", "/broken")
    sources = [SourceState(path, path, "2026-01-01", 1, site + path) for path in paths]
    sources += [SourceState("none", "", "", None, ""), SourceState("off", "", "", None, "http://127.0.0.1:9/x")]
    found = {source.source: source for source in check_links(sources, timeout=5)}
    assert {name for name, source in found.items() if source.is_dead} == {"/gone", "/broken", "off"}
    assert (found["/page"].answer, found["/no-head"].answer) == ("200", "200")
    assert found["/moved"].answer == f"200 → {site}/page"
    assert (found["/gone"].answer, found["/guarded"].answer, found["none"].answer) == ("404", "403", "")
    assert "refused" in found["off"].answer
    written = io.StringIO()
    write_report(list(found.values()), written)
    rows = list(csv.DictReader(written.getvalue().splitlines()))
    assert [row["dead"] for row in rows] == ["no", "no", "no", "yes", "no", "yes", "", "yes"]


def test_sources_come_by_age(root: Path, tmp_path: Path) -> None:
    text = """
    PREFIX g: <https://w3id.org/culturegraph/graph/source/> PREFIX cg: <https://w3id.org/culturegraph/ontology/>
    PREFIX dct: <http://purl.org/dc/terms/> PREFIX prov: <http://www.w3.org/ns/prov#>
    PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
    g:new a cg:SourceGraph ; dct:title "New" ; cg:sourceKind g:k ; cg:retrieved "2026-11-01"^^xsd:date ;
      prov:wasDerivedFrom <https://example.org/new> .
    g:old a cg:SourceGraph ; dct:title "Old" ; cg:sourceKind g:k ; cg:retrieved "2025-11-01"^^xsd:date .
    """
    publish(
        tmp_path,
        [Quad(*t.triple, EDITORIAL) for t in parse(text, format=RdfFormat.TURTLE)],
        version="1",
        metadata={},
        keep=1,
    )
    found = list_sources(Settings(root=root, store=tmp_path), date(2026, 11, 11))
    assert [(source.title, source.days, source.address) for source in found] == [
        ("Old", 375, ""), ("New", 10, "https://example.org/new"),
    ]  # fmt: skip
