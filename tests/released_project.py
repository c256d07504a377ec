"""A small project in a real repository with two commits, each released: what the tests of releases and of time share.

Between the two a law is renamed, another is gone, and the ontology goes from 1.0.0 to 2.0.0.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from culturegraph.release import make_release
from culturegraph.settings import Settings

MINIMAL = Path(__file__).parent / "cases" / "build" / "minimal"
MIGRATIONS = Path(__file__).parent / "cases" / "migrations"
FIRST, SECOND = "2026.10.0", "2026.11.0"
BASE = "https://w3id.org/culturegraph/"

_HEADER = """@prefix owl: <http://www.w3.org/2002/07/owl#> .
<https://w3id.org/culturegraph/ontology/> a owl:Ontology ; owl:versionInfo "{0}" ;
    owl:versionIRI <https://w3id.org/culturegraph/ontology/{0}/> .
"""


def git(folder: Path, *arguments: str, date: str = "2026-10-01T12:00:00Z") -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    env = {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date, "PATH": "/usr/bin:/bin:/usr/local/bin"}
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout.strip()


def commit(folder: Path, message: str, date: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message, date=date)


def replace(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def release_twice(base: Path, root: Path) -> Settings:
    """Make the project and its releases in a folder; `root` is the checkout with the rules."""
    folder = shutil.copytree(MINIMAL, base / "root")
    shutil.copytree(root / "queries/rules", folder / "queries/rules", dirs_exist_ok=True)
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- A law was renamed.\n", encoding="utf-8")
    (folder / "ontology" / "culturegraph.ttl").write_text(_HEADER.format("1.0.0"), encoding="utf-8")
    norms = folder / "data" / "norms.csv"
    norms.write_text(norms.read_text(encoding="utf-8") + "law-9,Novena,,2010-05-05,b,\n", encoding="utf-8")
    settings = Settings(root=folder, store=base / "store", releases=base / "releases")
    git(folder, "init", "-q")
    commit(folder, "one", "2026-10-01T12:00:00Z")
    make_release(settings, FIRST)
    replace(norms, ("law-1,Primera", "law-1,Primerísima"), ("law-9,Novena,,2010-05-05,b,\n", ""))
    _remodel(folder)
    commit(folder, "two", "2026-11-01T12:00:00Z")
    make_release(settings, SECOND)
    return settings


def _remodel(folder: Path) -> None:
    (folder / "ontology" / "culturegraph.ttl").write_text(_HEADER.format("2.0.0"), encoding="utf-8")
    replace(
        folder / "ontology" / "modules" / "core.ttl",
        ("cg:dateIssued a owl:DatatypeProperty .", "cg:issued a owl:DatatypeProperty ; rdfs:domain cg:NationalNorm ."),
        ("cg:amends a owl", 'cg:amends rdfs:label "amends"@en ; a owl'),
        ("( cg:SourceGraph cg:LegalInstrument )", "( cg:SourceGraph cg:NationalNorm )"),
    )
    replace(folder / "data" / "csv-metadata.json", ("ontology/dateIssued", "ontology/issued"))
    shutil.copytree(MIGRATIONS, folder / "ontology" / "migrations")
