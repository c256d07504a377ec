"""Labels, Notices, protocols and policies: on made-up data, from the tables to the pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hidden_site import make_project, unpacked
from httpx import Client
from pyoxigraph import DefaultGraph, Literal, NamedNode, RdfFormat, Triple, parse
from small_site import listening

from culturegraph.build import build
from culturegraph.errors import DataErrors, InvalidGraphError
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.forms import write_records
from culturegraph.exports.profiles.profile import read_profiles
from culturegraph.rdf.statements import statement_hash
from culturegraph.rdf.vocabulary import BASE, CG, LABEL
from culturegraph.settings import Settings
from culturegraph.store.snapshot import Snapshot, open_current

EXAMPLE = Path(__file__).resolve().parents[1] / "data" / "examples" / "care"
SONG = BASE + "id/expression/ejemplo-canto-de-las-nubes"
NAME = Triple(NamedNode(SONG), LABEL, Literal("Canto de las nubes (ejemplo ficticio)", language="es"))
HAS_POLICY = NamedNode("http://www.w3.org/ns/odrl/2/hasPolicy")
PEOPLE = "id/people/ejemplo-yarume"
LEVELS = BASE + "schemes/access-levels/"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small project, with the rows of the example added and its restrictions kept, as its README says."""
    settings = make_project(tmp_path_factory.mktemp("care"))
    settings = settings.model_copy(update={"tables": EXAMPLE, "private_data": EXAMPLE})
    build(settings)
    return settings


@pytest.fixture(scope="module")
def snapshot(example: Settings) -> Snapshot:
    return open_current(example.store, in_memory=True)


@pytest.fixture(scope="module")
def client(example: Settings, snapshot: Snapshot) -> Iterator[Client]:
    with listening(example, snapshot) as address, Client(base_url=address, timeout=30) as client:
        client.headers["accept-language"] = "en"
        yield client


def values(snapshot: Snapshot, subject: str, predicate: NamedNode) -> set[str]:
    quads = snapshot.store.quads_for_pattern(NamedNode(subject), predicate, None, DefaultGraph())
    return {getattr(quad.object, "value", "").removeprefix(BASE) for quad in quads}


def test_labels_stand_on_a_people_an_expression_a_source_and_a_statement(snapshot: Snapshot) -> None:
    carries = NamedNode(CG + "carriesLabel")
    labels = "schemes/local-contexts-labels/"
    assert values(snapshot, SONG, carries) == {labels + "tk-seasonal"}
    assert values(snapshot, BASE + "id/people/ejemplo-yarume", carries) == {labels + "tk-multiple-communities"}
    assert values(snapshot, BASE + "graph/source/ejemplo-ficticio", carries) == {labels + "tk-multiple-communities"}
    assert values(snapshot, f"{BASE}statement/{statement_hash(NAME)}", carries) == {labels + "tk-attribution"}
    dance = BASE + "id/expression/ejemplo-danza-del-umbral"
    assert values(snapshot, dance, carries) == {"schemes/local-contexts-notices/tk-notice"}


def test_what_is_governed_has_the_policy_of_its_level_and_every_other_source_is_open(snapshot: Snapshot) -> None:
    level = LEVELS.removeprefix(BASE)
    assert values(snapshot, SONG, HAS_POLICY) == {level + "labelled"}
    assert values(snapshot, f"{BASE}statement/{statement_hash(NAME)}", HAS_POLICY) == {level + "labelled"}
    assert values(snapshot, BASE + "graph/source/libro", HAS_POLICY) == {level + "open"}
    assert values(snapshot, BASE + "dataset", HAS_POLICY) == {level + "open"}


def test_each_level_is_a_policy_with_rules_that_have_actions(snapshot: Snapshot) -> None:
    """Source: ODRL Information Model 2.2 §2.1: a policy has a rule, a rule an action."""
    query = """PREFIX odrl: <http://www.w3.org/ns/odrl/2/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
    SELECT ?level (COUNT(DISTINCT ?rule) AS ?rules) {
      ?level a odrl:Set ; skos:inScheme <https://w3id.org/culturegraph/schemes/access-levels> .
      ?level odrl:permission|odrl:prohibition ?rule . ?rule odrl:action ?action .
      FILTER NOT EXISTS { ?rule odrl:duty ?duty FILTER NOT EXISTS { ?duty odrl:action ?any } }
    } GROUP BY ?level ORDER BY ?level"""
    rows = snapshot.store.query(query)
    found = {row["level"].value.removeprefix(LEVELS): row["rules"].value for row in rows}  # type: ignore[union-attr]
    assert found == {"labelled": "1", "on-request": "2", "open": "1", "restricted": "1"}


def test_the_pages_say_who_put_it_and_in_whose_words(client: Client) -> None:
    page = client.get("/doc/expression/ejemplo-canto-de-las-nubes", headers={"accept": "text/html"}).text
    care = page.partition('<section class="care"')[2].partition("</section>")[0]
    for told in ("TK Seasonal", "Yarumé", "goes with the first rain", "labelled", "/about/care"):
        assert told in care, told
    dance = client.get("/doc/expression/ejemplo-danza-del-umbral", headers={"accept": "text/html"}).text
    assert "by this project (it is no Label)" in dance
    source = client.get("/graph/source/ejemplo-ficticio", headers={"accept": "text/html"}, follow_redirects=True).text
    assert "TK Multiple Communities" in source.partition('<section class="care"')[2]
    statement = client.get(f"/doc/statement/{statement_hash(NAME)}", headers={"accept": "text/html"}).text
    care = statement.partition('<section class="care"')[2].partition("</section>")[0]
    assert care.index("TK Attribution") < care.index("TK Seasonal") < care.index("TK Multiple Communities")
    assert "say that it is ours" in care
    plain = client.get("/doc/expression/danza-abierta", headers={"accept": "text/html"}).text
    assert '<section class="care"' not in plain


def test_the_data_of_things_and_statements_carry_the_labels(client: Client) -> None:
    for path in ("expression/ejemplo-canto-de-las-nubes", f"statement/{statement_hash(NAME)}"):
        data = client.get(f"/data/{path}.nt").content
        said = {(quad.predicate.value, getattr(quad.object, "value", "")) for quad in parse(data, RdfFormat.N_TRIPLES)}
        assert any(predicate == CG + "carriesLabel" for predicate, _ in said), path
        assert (HAS_POLICY.value, LEVELS + "labelled") in said


def test_what_the_example_restricts_answers_as_if_it_had_never_been(client: Client) -> None:
    assert client.get("/doc/expression/ejemplo-rito-reservado").status_code == 404
    assert "Rito reservado" not in client.get("/doc/people/ejemplo-yarume", headers={"accept": "text/html"}).text


def with_row(tmp_path: Path, table: str, row: str) -> Path:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "care"))
    file = folder / table
    file.write_text(file.read_text(encoding="utf-8").splitlines()[0] + "\n" + row + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("table", "row", "told"),
    [
        ("labels.csv", "a,id/people/ejemplo-yarume,tk-clan,,,,,,ejemplo-ficticio,,", "care/labels.csv:2:applied_by is"),
        ("labels.csv", "a,id/people/ejemplo-yarume,tk-nothing,id/people/ejemplo-yarume,,,,,ejemplo-ficticio,,",
         'care/labels.csv:2:label "schemes/local-contexts-labels/tk-nothing" is defined nowhere'),
        ("labels.csv", "a,id/people/ejemplo-yarume,tk-notice,id/people/ejemplo-yarume,,,,,ejemplo-ficticio,,",
         'care/labels.csv:2:label "schemes/local-contexts-labels/tk-notice" is defined nowhere'),
        ("notices.csv", f"a,statement/{'0' * 64},tk-notice,,,ejemplo-ficticio,,",
         "care/notices.csv:2:applied_to no statement has the hash"),
        ("notices.csv", "a,people/ejemplo-yarume,tk-notice,,,ejemplo-ficticio,,", "care/notices.csv:2:applied_to"),
        ("protocols.csv", "a,R,,R,,id/people/ejemplo-yarume,restricted,id/people/ejemplo-yarume,,ejemplo-ficticio,,",
         'care/protocols.csv:2:level "restricted" is not open or labelled'),
    ],
)  # fmt: skip
def test_faulty_rows_are_located(example: Settings, tmp_path: Path, table: str, row: str, told: str) -> None:
    folder = with_row(tmp_path, table, row)
    with pytest.raises(DataErrors) as caught:
        build(example.model_copy(update={"tables": folder, "private_data": None, "store": tmp_path / "store"}))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        (
            "labels.csv",
            "a,id/people/ejemplo-yarume,tk-clan,id/institution/museo,,,,,ejemplo-ficticio,,",
            "labels.csv:2",
        ),
        (
            "protocols.csv",
            "a,R,,R,,id/people/ejemplo-yarume,open,id/institution/museo,,ejemplo-ficticio,,",
            "protocols.csv:2",
        ),
    ],
)
def test_a_label_or_protocol_of_no_community_is_refused(
    example: Settings, tmp_path: Path, table: str, row: str, column: str
) -> None:
    folder = with_row(tmp_path, table, row)
    settings = example.model_copy(update={"tables": folder, "private_data": None, "store": tmp_path / "store"})
    with pytest.raises(InvalidGraphError) as caught:
        build(settings)
    line = next(line for line in str(caught.value).splitlines() if line.startswith("Violation") and "comunidad" in line)
    assert column in line


def test_the_project_itself_puts_no_label(root: Path) -> None:
    """Only a community may: so the bundled table names none that a source of theirs does not."""
    rows = (root / "data" / "labels.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert not [row for row in rows if "editorial" in row]


PROFILES = read_profiles(Path(__file__).resolve().parents[1] / "queries")
# What these write is no record of one thing: the form of a convention, tables, descriptions of the whole.
WHOLE = {"ich", "inventory", "statistics", "dcat-ap", "void", "skos", "edm"}


@pytest.mark.parametrize("name", sorted(set(PROFILES) - WHOLE))
def test_every_record_of_a_profile_carries_its_licence_and_its_labels(snapshot: Snapshot, name: str) -> None:
    export = Export(PROFILES[name], snapshot.store)
    for form in PROFILES[name].formats:
        data = b"".join(chunk for chunk, _ in write_records(export, form, [SONG]))
        assert b"creativecommons.org/licenses/by/4.0/" in data, form
        assert b"tk-seasonal" in data or b"TK Seasonal" in data, form
        other = b"".join(chunk for chunk, _ in write_records(export, form, [BASE + "id/expression/danza-abierta"]))
        assert b"easonal" not in other, form


def test_harvested_records_carry_licence_and_labels_in_the_words_of_the_community(client: Client) -> None:
    found = {
        kind: client.get(
            f"/oai?verb=GetRecord&metadataPrefix={kind}&identifier=oai:w3id.org:culturegraph/id/people/ejemplo-yarume"
        ).text
        for kind in ("oai_dc", "marcxml")
    }
    assert "licenses/by/4.0/" in found["oai_dc"]
    assert "TK Multiple Communities" in found["oai_dc"]
    assert "CT Múltiples comunidades" in found["marcxml"]


@pytest.mark.parametrize("name", sorted(WHOLE - {"edm", "inventory", "ich"}))
def test_what_describes_the_whole_carries_a_licence(snapshot: Snapshot, name: str) -> None:
    export = Export(PROFILES[name], snapshot.store)
    for form in PROFILES[name].formats:
        data = b"".join(chunk for chunk, _ in write_records(export, form, export.iris[:1]))
        data = b"".join(unpacked(data))
        assert b"creativecommons.org/licenses/by/4.0/" in data, form


def test_a_source_that_forbids_passing_on_stops_the_build(example: Settings, tmp_path: Path) -> None:
    header = (EXAMPLE / "sources.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("id,title,publisher,url,licence,rights,retrieved,kind")
    folder = tmp_path / "more"
    folder.mkdir()
    for licence in ("https://creativecommons.org/licenses/by-nc/4.0/", "https://example.org/all-rights-reserved"):
        row = f"cerrada,Cerrada,Nadie,https://example.org/c,{licence},,2026-11-23,primary,,"
        (folder / "sources.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
        with pytest.raises(InvalidGraphError) as caught:
            build(example.model_copy(update={"tables": folder, "private_data": None, "store": tmp_path / "store"}))
        assert "more/sources.csv:2" in str(caught.value)
        assert "SourceGraph-licencePermits" in str(caught.value)
        assert not (tmp_path / "store" / "current").exists()
