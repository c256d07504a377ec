"""Changes of the ontology between releases: what they ask of the version number, and of data in the older terms."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from pyoxigraph import Quad, RdfFormat, parse
from released_project import BASE, FIRST, MIGRATIONS, SECOND, commit, replace
from test_release import run

from culturegraph.errors import CulturegraphError, DataErrors, UsageError
from culturegraph.migration import migrate_data
from culturegraph.rdf.graphs import CATALOGUE, ONTOLOGY, VALIDATION, read_rdf
from culturegraph.release import make_release
from culturegraph.releases.differences import changes_between
from culturegraph.releases.folder import find_release, list_releases
from culturegraph.releases.migrations import migrate, plan, read_migrations
from culturegraph.releases.ontology_changes import (
    Level,
    OntologyChanges,
    compare_ontologies,
    level_of_step,
    parse_version,
    read_version,
)
from culturegraph.settings import Settings

PREFIXES = """@prefix cg: <https://w3id.org/culturegraph/ontology/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
DANCE = "cg:Dance a owl:Class ; rdfs:subClassOf cg:Expression . "
OTHERS = 'cg:Expression a owl:Class ; rdfs:label "expression"@en . cg:Song a owl:Class . cg:p a owl:ObjectProperty . '
BEFORE = DANCE + OTHERS


def ontology(text: str, version: str = "1.0.0", iri: str = "cg:") -> list[Quad]:
    head = f'{iri} a owl:Ontology ; owl:versionInfo "{version}" . '
    return [Quad(*triple.triple, ONTOLOGY) for triple in parse(PREFIXES + head + text, format=RdfFormat.TURTLE)]


def changes(after: str, version: str = "1.1.0", before: str = BEFORE) -> OntologyChanges:
    return compare_ontologies(ontology(before), ontology(after, version))


@pytest.mark.parametrize(
    ("after", "level", "kind"),
    [
        (BEFORE, Level.none, None),
        (BEFORE + 'cg:Dance rdfs:label "danza"@es .', Level.patch, "changed"),
        (BEFORE.replace('"expression"@en', '"cultural expression"@en'), Level.patch, "changed"),
        (BEFORE + "cg:Song owl:deprecated true .", Level.minor, "changed"),
        (BEFORE + "cg:Song rdfs:subClassOf cg:Expression .", Level.minor, "changed"),
        (BEFORE + "cg:Rite a owl:Class .", Level.minor, "added"),
        (BEFORE + "cg:Rite a owl:Class ; owl:disjointWith cg:Dance .", Level.minor, "added"),
        (BEFORE + "[] a owl:Restriction ; owl:onProperty cg:p ; owl:hasValue 1 .", Level.minor, "changed"),
        (BEFORE + "cg:p owl:propertyChainAxiom ( cg:p cg:p ) .", Level.minor, "changed"),
        (BEFORE + "cg:Dance owl:disjointWith cg:Song .", Level.major, "changed"),
        (BEFORE + "[] a owl:AllDisjointClasses ; owl:members ( cg:Dance cg:Song ) .", Level.major, "changed"),
        (BEFORE + "cg:p a owl:AsymmetricProperty .", Level.major, "changed"),
        (BEFORE.replace("; rdfs:subClassOf cg:Expression", ""), Level.major, "changed"),
        (OTHERS, Level.major, "removed"),
    ],
)
def test_the_level_of_a_change(after: str, level: Level, kind: str | None) -> None:
    found = changes(after)
    assert found.level == level
    assert {term.kind for term in found.terms} == ({kind} if kind else set())


def test_the_order_of_a_chain_counts_and_its_blank_nodes_do_not() -> None:
    chain = BEFORE + "cg:p owl:propertyChainAxiom ( cg:p cg:q ) . cg:q a owl:ObjectProperty ; "
    chain += "owl:propertyChainAxiom ( cg:q cg:p ) ."
    assert changes(chain, before=chain).terms == ()
    [term] = changes(chain.replace("( cg:p cg:q )", "( cg:q cg:p )"), before=chain).terms
    assert [one.text for one in term.removed] == ["owl:propertyChainAxiom ( cg:p cg:q )"]


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ((1, 2, 3), (2, 0, 0), Level.major), ((1, 2, 3), (1, 3, 0), Level.minor), ((1, 2, 3), (1, 2, 4), Level.patch),
        ((0, 1, 0), (0, 2, 0), Level.major), ((0, 1, 0), (0, 1, 1), Level.minor), ((0, 9, 0), (1, 0, 0), Level.major),
    ],
)  # fmt: skip
def test_the_level_of_a_step(before: tuple[int, int, int], after: tuple[int, int, int], level: Level) -> None:
    assert level_of_step(before, after) == level


def test_a_version_that_does_not_say_what_happened() -> None:
    assert not changes(OTHERS, "1.1.0").is_enough
    assert changes(OTHERS, "2.0.0").is_enough
    assert not changes(OTHERS, "0.9.0").is_enough, "versions rise"
    assert not changes(BEFORE + "cg:Rite a owl:Class .", "1.0.0").is_enough
    assert not compare_ontologies(ontology(BEFORE, ""), ontology(OTHERS, "")).is_enough


def test_different_ontologies_are_not_compared() -> None:
    with pytest.raises(UsageError, match="two different ontologies"):
        compare_ontologies(ontology(BEFORE), ontology(BEFORE, iri="<https://example.org/other>"))


def test_the_difference_of_releases_tells_the_ontology(project: Settings) -> None:
    told = json.loads(run(project, "diff", FIRST, SECOND, "--format", "json").stdout)["ontology"]
    assert (told["before"], told["after"], told["level"], told["is_enough"]) == ("1.0.0", "2.0.0", "major", True)
    kinds = {term["term"].removeprefix(BASE + "ontology/"): term["kind"] for term in told["terms"]}
    assert kinds == {"dateIssued": "removed", "issued": "added", "amends": "changed", "": "changed"}
    text = run(project, "diff", FIRST, SECOND).stdout
    assert "ontology: 1.0.0 → 2.0.0, changes of level major" in text
    assert "removed  cg:dateIssued" in text


def test_files_of_different_ontologies_are_not_compared(project: Settings, tmp_path: Path) -> None:
    for name, iri in (("a", BASE + "ontology/"), ("b", "https://example.org/other")):
        line = f'<{iri}> <http://www.w3.org/2002/07/owl#versionInfo> "1.0.0" <{ONTOLOGY.value}> .\n'
        (tmp_path / f"{name}.nq").write_text(line, encoding="utf-8")
    done = run(project, "diff", str(tmp_path / "a.nq"), str(tmp_path / "b.nq"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "two different ontologies cannot be compared" in done.stderr


# Migrations


def test_a_migration_turns_the_previous_release_to_the_new_model(project: Settings) -> None:
    """All that still differs is what the second commit says of the laws, and what follows from the new domain."""
    old, new = (list(read(project, version)) for version in (FIRST, SECOND))
    steps = plan(read_migrations(project.ontology / "migrations"), "1.0.0", "2.0.0")
    migrated = set(migrate(old, steps))
    predicates = {quad.predicate.value.removeprefix(BASE + "ontology/") for quad in migrated}
    assert ("issued" in predicates, "dateIssued" in predicates) == (True, False)
    dates = {q for q in new if q.predicate.value.endswith("/issued") and q.graph_name not in (CATALOGUE, VALIDATION)}
    assert dates < migrated
    assert {str(q.subject) for q in migrated - dates if q.predicate.value.endswith("/issued")} == {
        f"<{BASE}id/norm/law-9>"
    }, "in the graph of its source, as before"


def read(project: Settings, version: str) -> list[Quad]:
    lines = find_release(project.releases, version).lines()
    return [q for q in parse(b"".join(lines), format=RdfFormat.N_QUADS) if q.graph_name != ONTOLOGY]


def test_the_command_migrates_releases_and_files(project: Settings, tmp_path: Path) -> None:
    target = tmp_path / "new.nq"
    environment = {"CULTUREGRAPH_ROOT": str(project.root)}
    done = run(project, "migrate", FIRST, "-o", str(target), **environment)
    assert (done.returncode, done.stderr.strip()) == (0, "1.0.0 → 2.0.0: 1.0.0-2.0.0.ru")
    with changes_between(project.releases, str(target), SECOND) as found:
        left = [line for _, line in found if b"/issued>" in line or b"dateIssued>" in line]
    assert [line.split(b" ")[0] for line in left if b"graph/ontology>" not in line] == [
        f"<{BASE}id/norm/law-9>".encode()
    ]
    turtle = tmp_path / "mine.ttl"
    turtle.write_text(PREFIXES + '<urn:x> cg:dateIssued "2001" .', encoding="utf-8")
    done = run(project, "migrate", str(turtle), "--from", "1.0.0", "--to", "2.0.0", **environment)
    assert done.stdout == f'<urn:x> <{BASE}ontology/issued> "2001" .\n', "without a graph, as it came"


@pytest.mark.parametrize(
    ("data", "versions", "code", "told"),
    [
        ("mine.ttl", (None, None), 2, "does not say of which version"),
        ("mine.ttl", ("2.0.0", "1.0.0"), 2, "no earlier and later version"),
        ("mine.ttl", ("one", None), 2, "no earlier and later version"),
        ("nothing.nq", ("1.0.0", None), 3, "neither a file nor a release"),
        ("bad.ttl", ("1.0.0", None), 1, "bad.ttl:1:"),
        ("odd.csv", ("1.0.0", None), 2, "no RDF format"),
    ],
)
def test_what_cannot_be_migrated_is_told(
    project: Settings, tmp_path: Path, data: str, versions: tuple[str | None, str | None], code: int, told: str
) -> None:
    for name, text in (("mine.ttl", "<urn:x> <urn:p> <urn:o> ."), ("bad.ttl", "nonsense"), ("odd.csv", "a,b")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    written = io.BytesIO()
    with pytest.raises(CulturegraphError, match=told) as found:
        migrate_data(project, str(tmp_path / data), *versions, written)
    assert (found.value.exit_code, written.getvalue()) == (code, b"")


GOOD = (MIGRATIONS / "1.0.0-2.0.0.ru").read_text(encoding="utf-8")


def step(before: str, after: str) -> str:
    return GOOD.replace('from: "1.0.0"', f'from: "{before}"').replace('to: "2.0.0"', f'to: "{after}"')


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"1.0.0-2.0.0.ru": GOOD.replace("DELETE {", "DELETE")}, "1.0.0-2.0.0.ru:11:1"),
        ({"1.0.0-3.0.0.ru": GOOD}, "should be named 1.0.0-2.0.0.ru"),
        ({"a.ru": GOOD.replace('"2.0.0"', '"1.0.0"')}, "an earlier and a later version"),
        ({"1.0.0-2.0.0.ru": GOOD.replace("#+   es:", "#+   fr:")}, "has no title in es"),
        ({"1.0.0-2.0.0.ru": GOOD, "1.5.0-2.1.0.ru": step("1.5.0", "2.1.0")},
         "1.5.0-2.1.0.ru begins before 1.0.0-2.0.0.ru ends"),
    ],
)  # fmt: skip
def test_a_faulty_migration_is_located(tmp_path: Path, files: dict[str, str], told: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataErrors) as found:
        read_migrations(tmp_path)
    assert told in str(found.value)


def test_steps_follow_each_other(tmp_path: Path) -> None:
    for name in ("1.0.0-2.0.0", "2.0.0-2.1.0", "2.1.0-3.0.0"):
        (tmp_path / f"{name}.ru").write_text(step(*name.split("-")), encoding="utf-8")
    steps = read_migrations(tmp_path)
    assert [step.before for step in plan(steps, "1.5.0", "3.0.0")] == ["2.0.0", "2.1.0"]
    assert plan(steps, "3.0.0", "4.0.0") == []


# A release asks for both


@pytest.fixture
def next_commit(project: Settings, tmp_path: Path) -> Settings:
    root = shutil.copytree(project.root, tmp_path / "root")
    shutil.copytree(project.releases, tmp_path / "releases")
    return project.model_copy(update={"root": root, "releases": tmp_path / "releases"})


def test_a_release_whose_ontology_changed_silently_is_refused(next_commit: Settings) -> None:
    replace(next_commit.root / "ontology" / "modules" / "core.ttl", ("; rdfs:domain cg:NationalNorm", ""))
    commit(next_commit.root, "silent", "2026-12-01T12:00:00Z")
    with pytest.raises(UsageError, match=r"by a major change .*ontology/issued.*, but its version stays 2\.0\.0"):
        make_release(next_commit, "2026.12.0")
    assert [release.version for release in list_releases(next_commit.releases)] == [SECOND, FIRST]


def test_a_release_without_the_migration_it_needs_is_refused(next_commit: Settings) -> None:
    replace(next_commit.root / "ontology" / "culturegraph.ttl", ('"2.0.0"', '"3.0.0"'), ("/2.0.0/", "/3.0.0/"))
    core = next_commit.root / "ontology" / "modules" / "core.ttl"
    replace(core, ("cg:amends rdfs:label", "cg:changes rdfs:label"))
    replace(next_commit.root / "data" / "csv-metadata.json", ("ontology/amends", "ontology/changes"))
    commit(next_commit.root, "renamed", "2026-12-01T12:00:00Z")
    with pytest.raises(UsageError, match=r"/amends is gone, and no migration from 2\.0\.0 to 3\.0\.0 moves its"):
        make_release(next_commit, "2026.12.0")
    text = step("2.0.0", "3.0.0").replace("dateIssued", "amends").replace("cg:issued", "cg:changes")
    (next_commit.ontology / "migrations" / "2.0.0-3.0.0.ru").write_text(text, encoding="utf-8")
    commit(next_commit.root, "migration", "2026-12-02T12:00:00Z")
    assert make_release(next_commit, "2026.12.0").manifest["ontology_version"] == "3.0.0"


def test_the_bundled_migrations_lead_to_the_version_at_hand(root: Path) -> None:
    version = parse_version(read_version(read_rdf(root / "ontology" / "culturegraph.ttl", ONTOLOGY)))
    assert version is not None
    assert all(migration.span[1] <= version for migration in read_migrations(root / "ontology" / "migrations"))
