"""What a community does not want shown leaves before anything could keep it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Triple
from released_project import FIRST, SECOND
from typer.testing import CliRunner

from culturegraph.build import build
from culturegraph.cli import app as command_line
from culturegraph.errors import DataErrors, InvalidGraphError, StorageError, UsageError
from culturegraph.freshness import is_stale
from culturegraph.rdf.graphs import INFERRED, ONTOLOGY, source_graph
from culturegraph.rdf.statements import statement_hash
from culturegraph.rdf.vocabulary import BASE, CG, LABEL, RDFS, TYPE
from culturegraph.redaction import redact, take_out
from culturegraph.releases.differences import changes_between
from culturegraph.releases.folder import find_marks, find_release, list_releases, verify
from culturegraph.settings import Settings
from culturegraph.sources.restrictions import FILE, Restrictions, open_gate, read_restrictions, spread
from culturegraph.sources.tables import Origin
from culturegraph.store.snapshot import open_current

MINIMAL = Path(__file__).parent / "cases" / "build" / "minimal"
HEADER = "thing,statement,text,level,role,date"


def folder_of(path: Path, *rows: str) -> Path:
    path.mkdir(exist_ok=True)
    (path / FILE).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path, root: Path) -> Settings:
    folder = shutil.copytree(MINIMAL, tmp_path / "root")
    shutil.copytree(root / "queries/rules", folder / "queries/rules", dirs_exist_ok=True)
    return Settings(root=folder, store=tmp_path / "store", private_data=folder_of(tmp_path / "private"))


def stored_bytes(settings: Settings) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(settings.store.rglob("*")) if path.is_file())


def test_no_byte_of_a_restricted_thing_is_in_the_snapshot(small: Settings) -> None:
    build(small)
    assert b"norm/law-2>" in stored_bytes(small)
    assert b"Segunda" in stored_bytes(small)
    assert small.private_data is not None
    folder_of(small.private_data, "id/norm/law-2,,,restricted,community,2026-11-23")
    assert is_stale(small)
    shutil.rmtree(small.store)
    build(small)
    assert not is_stale(small)
    found = stored_bytes(small)
    assert b"law-2" not in found
    assert b"Segunda" not in found
    assert b"law-1" in found


def test_one_statement_and_the_words_of_a_text() -> None:
    law = NamedNode(BASE + "id/norm/law-1")
    graph = source_graph("a")
    one = Quad(law, LABEL, Literal("Primera", language="es"), graph)
    two = Quad(law, LABEL, Literal("the First of them", language="en"), graph)
    assert open_gate([one, two], Restrictions(statements=frozenset({statement_hash(one.triple)})), {}) == [two]
    assert open_gate([one, two], Restrictions(texts=("First",)), {}) == [one]
    assert open_gate([one, two], Restrictions(things=frozenset({graph.value})), {}) == []
    assert open_gate([one, two], Restrictions(things=frozenset({BASE + "id/norm/law"})), {}) == [one, two]


def test_what_speaks_of_a_hidden_statement_is_hidden(small: Settings) -> None:
    digest = statement_hash(Triple(NamedNode("urn:s"), NamedNode("urn:p"), NamedNode("urn:o")))
    note = Quad(NamedNode("urn:note"), LABEL, NamedNode(f"{BASE}statement/{digest}"))
    assert open_gate([note], Restrictions(statements=frozenset({digest})), {}) == []


def test_levels_that_show_hide_nothing(tmp_path: Path) -> None:
    rows = [f"id/norm/law-1,,,{level},community,2026-11-23" for level in ("open", "labelled")]
    assert not read_restrictions(folder_of(tmp_path / "p", *rows))
    shown = read_restrictions(folder_of(tmp_path / "p", "id/norm/law-1,,,on-request,community,2026-11-23"))
    assert shown.things == {BASE + "id/norm/law-1"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",,,restricted,community,2026-11-23", "restrictions.csv:2:thing hides nothing"),
        (",12ab,,restricted,community,2026-11-23", "restrictions.csv:2:statement is no hash"),
        (",,ab,restricted,community,2026-11-23", "restrictions.csv:2:text is too short"),
        ("id/a/b,,,secret,community,2026-11-23", "restrictions.csv:2:level is none of"),
        ("id/a/b,,,restricted,,2026-11-23", "restrictions.csv:2:role is empty"),
        ("id/a/b,,,restricted,community,yesterday", "restrictions.csv:2:date is no day"),
    ],
)
def test_faulty_rows_stop_the_build(small: Settings, row: str, told: str) -> None:
    assert small.private_data is not None
    folder_of(small.private_data, row)
    with pytest.raises(DataErrors) as caught:
        build(small)
    assert str(caught.value).startswith(told)
    assert not small.store.exists() or not list(small.store.glob("snapshots/*"))


def test_a_folder_that_is_not_there_stops_the_build(small: Settings, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nothing is built"):
        build(small.model_copy(update={"private_data": tmp_path / "elsewhere"}))
    (small.private_data / FILE).write_text("thing,level\n", encoding="utf-8")  # type: ignore[operator]
    with pytest.raises(DataErrors, match="statement"):
        build(small)


# Releases that are out already


@pytest.fixture(scope="module")
def released(project: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    base = tmp_path_factory.mktemp("redaction")
    shutil.copytree(project.releases, base / "releases")
    private = folder_of(base / "private", "id/norm/law-2,,,restricted,community,2026-11-23")
    return project.model_copy(update={"releases": base / "releases", "private_data": private})


def test_releases_are_redacted_backwards_and_to_the_last_byte(released: Settings) -> None:
    assert released.private_data is not None
    before = {release.version: dict(release.manifest) for release in list_releases(released.releases)}
    hidden = read_restrictions(released.private_data)
    assert any(find_marks(released.releases / FIRST, hidden.marks()))
    assert redact(released) == [SECOND, FIRST]
    for version in (FIRST, SECOND):
        release = find_release(released.releases, version)
        verify(release)
        assert find_marks(release.path, hidden.marks()) == []
        assert release.manifest["redacted"] is True
        assert release.manifest["content_hash"] != before[version]["content_hash"]
        # Everything else stays: version, commit, time, the other laws.
        assert [release.manifest[key] for key in ("commit", "built")] == [
            before[version][key] for key in ("commit", "built")
        ]
        text = b"".join(release.lines())
        assert b"norm/law-1>" in text
        assert b"norm/law-3>" in text
    assert redact(released) == []


def test_rows_after_one_of_two_lines_are_found(tmp_path: Path, root: Path) -> None:
    """The title of law 3 has a line break, so rows and lines differ after it."""
    data = Path(shutil.copytree(MINIMAL, tmp_path / "root")) / "data"
    norms = data / "norms.csv"
    text = norms.read_text(encoding="utf-8")
    norms.write_text(text + "law-4,Cuarta,,2005-01-01,b,law-3;law-1\nlaw-5,Quinta,,2006-01-01,b,\n", encoding="utf-8")
    take_out(data, Restrictions(things=frozenset({BASE + "id/norm/law-3"})))
    left = norms.read_text(encoding="utf-8")
    assert "law-3" not in left
    assert "law-4,Cuarta,,2005-01-01,b,law-1\n" in left
    assert left.endswith("law-5,Quinta,,2006-01-01,b,\n")
    take_out(data, Restrictions(texts=("Quinta",)))
    assert "Quinta" not in norms.read_text(encoding="utf-8")


def test_the_difference_of_redacted_releases_shows_nothing_hidden(released: Settings) -> None:
    redact(released)
    with changes_between(released.releases, FIRST, SECOND) as changes:
        assert b"law-2" not in b"".join(line for _, line in changes)


def test_what_no_row_says_is_not_redacted_and_nothing_is_lost(project: Settings, tmp_path: Path) -> None:
    shutil.copytree(project.releases, tmp_path / "releases")
    private = folder_of(tmp_path / "private", ",,A law was renamed,restricted,community,2026-11-23")
    settings = project.model_copy(update={"releases": tmp_path / "releases", "private_data": private})
    before = {path: path.read_bytes() for path in (tmp_path / "releases").rglob("*") if path.is_file()}
    with pytest.raises(InvalidGraphError, match=r"CHANGES\.md"):
        redact(settings)
    assert before == {path: path.read_bytes() for path in (tmp_path / "releases").rglob("*") if path.is_file()}


# What hangs on a hidden thing, and what would tell it after all


def situation(name: str, kind: str, *objects: str) -> list[Quad]:
    subject, graph = NamedNode(f"{BASE}id/situation/{name}"), source_graph("a")
    return [
        Quad(subject, TYPE, NamedNode(CG + kind), graph),
        *(Quad(subject, NamedNode(CG + "about"), NamedNode(BASE + each), graph) for each in objects),
    ]


def below(kind: str, parent: str) -> Quad:
    return Quad(NamedNode(CG + kind), NamedNode(RDFS + "subClassOf"), NamedNode(CG + parent), ONTOLOGY)


def test_situations_and_evidence_about_a_hidden_thing_go_with_it_and_other_things_stay() -> None:
    hierarchy = [below("Practice", "Situation"), below("Mention", "EvidenceItem"), below("Dance", "Expression")]
    quads = [
        *hierarchy,
        *situation("practice", "Practice", "id/expression/secret"),
        *situation("mention-of-the-practice", "Mention", "id/situation/practice"),
        *situation("another", "Practice", "id/expression/open"),
        *situation("dance", "Dance", "id/expression/secret"),
    ]
    hidden = spread(Restrictions(things=frozenset({BASE + "id/expression/secret"})), quads, {})
    names = {iri.removeprefix(BASE) for iri in hidden.things}
    assert names == {"id/expression/secret", "id/situation/practice", "id/situation/mention-of-the-practice"}
    left = {quad.subject.value.rpartition("/")[2] for quad in open_gate(quads, hidden, {}) if quad not in hierarchy}
    assert left == {"another", "dance"}


def test_a_thing_that_only_a_hidden_source_describes_goes_and_its_row_with_it() -> None:
    thing, secret, editorial = NamedNode(BASE + "id/norm/law-1"), source_graph("secret"), source_graph("editorial")
    row = {
        Quad(thing, TYPE, NamedNode(CG + "NationalNorm"), secret): Origin("norms.csv", 2, "class"),
        Quad(thing, LABEL, Literal("our name", language="en"), editorial): Origin("norms.csv", 2, "label_en_editorial"),
        Quad(thing, LABEL, Literal("another", language="es"), source_graph("b")): Origin("names.csv", 2, "name"),
    }
    hidden = spread(Restrictions(things=frozenset({secret.value})), list(row), row)
    assert thing.value in hidden.things
    assert open_gate(row, hidden, row) == []


def test_a_statement_that_follows_from_others_is_not_hidden_by_itself(small: Settings) -> None:
    build(small)
    assert small.private_data is not None
    store = open_current(small.store).store
    inferred = sorted(store.quads_for_pattern(None, None, None, INFERRED), key=str)
    assert inferred
    folder_of(small.private_data, f",{statement_hash(inferred[0].triple)},,restricted,community,2026-11-23")
    with pytest.raises(DataErrors, match=r"restrictions\.csv:2:statement follows by a rule"):
        build(small)


def test_a_file_that_names_what_is_hidden_stops_the_build(small: Settings) -> None:
    assert small.private_data is not None
    folder_of(small.private_data, "id/norm/law-2,,,restricted,community,2026-11-23")
    question = small.queries / "examples" / "norms.rq"
    question.write_text(question.read_text(encoding="utf-8") + "# not <id/norm/law-2>\n", encoding="utf-8")
    with pytest.raises(InvalidGraphError, match=r"queries/examples/norms\.rq"):
        build(small)


def test_what_hides_nothing_is_told(small: Settings) -> None:
    assert small.private_data is not None
    rows = ["id/norm/law-2,,,restricted,community,2026-11-23", "norm/law-2,,,restricted,community,2026-11-23"]
    rows += [f",{'0' * 64},,restricted,community,2026-11-23", ",,Terceraza,on-request,community,2026-11-23"]
    folder_of(small.private_data, *rows)
    assert [str(error).partition(" ")[0] for error in build(small).idle] == [f"{FILE}:{row}" for row in (3, 4, 5)]


def test_an_earlier_snapshot_does_not_stay_beside_one_that_hides(small: Settings) -> None:
    build(small)
    assert small.private_data is not None
    folder_of(small.private_data, "id/norm/law-2,,,restricted,community,2026-11-23")
    (small.store / "validation-report.ttl").write_text("law-2", encoding="utf-8")
    build(small)
    assert b"law-2" not in stored_bytes(small)


def test_marks_are_of_the_thing_and_not_of_one_whose_name_goes_on() -> None:
    hidden = Restrictions(things=frozenset({BASE + "id/place/pe-22"}), texts=('a "word"',))
    found = [any(re.search(mark, text) for mark in hidden.marks()) for text in (
        b"<https://w3id.org/culturegraph/id/place/pe-22>", b"id/place/pe-22;", b"id/place/pe-2201", b"id/place/pe-22-a",
        b'"a \\"word\\""', b'"a ""word"""', b"a word",
    )]  # fmt: skip
    assert found == [True, True, False, False, True, True, False]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("id/a/b,,,restricted", "restrictions.csv:2:role is empty"),
        ("id/a/b,,,restricted,community,2026-11-23,more", "restrictions.csv:2 has more cells than the header"),
    ],
)
def test_rows_of_another_width_are_located(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(DataErrors) as caught:
        read_restrictions(folder_of(tmp_path / "p", row))
    assert told in str(caught.value)


def test_spaces_around_a_name_do_not_show_it(tmp_path: Path) -> None:
    read = read_restrictions(folder_of(tmp_path / "p", " id/a/b , , ,restricted, community,2026-11-23"))
    assert read.things == {BASE + "id/a/b"}


def test_the_command_tells_what_hides_nothing_and_that_releases_wait(
    released: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = folder_of(
        tmp_path / "private",
        "id/norm/law-2,,,restricted,community,2026-11-23",
        "id/norm/law-77,,,restricted,community,2026-11-23",
    )
    monkeypatch.setenv("CULTUREGRAPH_ROOT", str(released.root))
    monkeypatch.setenv("CULTUREGRAPH_RELEASES", str(released.releases))
    options = ["build", "--private-data", str(private), "--store"]
    done = CliRunner().invoke(command_line, [*options, str(tmp_path / "store")])
    assert done.exit_code == 0
    assert "note: restrictions.csv:3 hides nothing" in done.stderr
    assert "redacted by `culturegraph redact`" in done.stderr
    done = CliRunner().invoke(command_line, [*options, str(tmp_path / "private-store"), "--private", "--json"])
    assert json.loads(done.stdout)["private"] is True
    assert "redact" not in done.stderr
    assert isinstance(CliRunner().invoke(command_line, ["build", "--private"]).exception, UsageError)
