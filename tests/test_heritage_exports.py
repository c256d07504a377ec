"""What goes out for the 2003 Convention and for statistics: elements, inventory sheets, tables, each read back."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import docx
import pytest
from csvw import CSVW
from httpx import Client
from lxml import html
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse
from small_site import listening

from culturegraph.build import Build
from culturegraph.cli import main
from culturegraph.errors import DataError, DataErrors, NotFoundError
from culturegraph.exports.data_cube import count_observations, find_faults
from culturegraph.exports.forms.filled import gap_query
from culturegraph.exports.inventory.coverage import count_filled
from culturegraph.exports.inventory.sheets import FOLDER as OUTLINE
from culturegraph.exports.inventory.sheets import Sheet, Sheets, read_outline
from culturegraph.exports.inventory.table import HEADER, write_rows
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.forms import write_records
from culturegraph.exports.profiles.profile import read_profiles
from culturegraph.exports.statistics.csvw import to_csv, to_package
from culturegraph.exports.statistics.tables import FOLDER as TABLES
from culturegraph.exports.statistics.tables import NONE, Table, count, read_table, read_tables
from culturegraph.rdf.statements import statement_hash
from culturegraph.rdf.vocabulary import BASE, CG, LABEL, PREFIXES, TYPE
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

ROOT = Path(__file__).resolve().parents[1]
QUERIES = ROOT / "queries"
WITITI = BASE + "id/expression/danza-wititi"


@pytest.fixture(scope="module")
def exports(built_store: Store) -> Mapping[str, Export]:
    return {name: Export(profile, built_store) for name, profile in read_profiles(QUERIES).items()}


@pytest.fixture(scope="module")
def sheet(built_store: Store) -> Sheet:
    return Sheets(built_store, read_outline(QUERIES), "es").make(WITITI)


def whole(export: Export, form: str, iris: Sequence[str] | None = None) -> bytes:
    return b"".join(part for part, _ in write_records(export, form, iris))


def counted(store: Store, pattern: str) -> int:
    rows: Any = store.query(f"SELECT (COUNT(DISTINCT ?x) AS ?n) {{ {pattern} }}", prefixes=dict(PREFIXES))
    return int(next(iter(rows))["n"].value)


# Elements of the lists.


def test_an_element_says_what_dive_says_of_one(exports: Mapping[str, Export]) -> None:
    told = json.loads(whole(exports["ich"], "jsonld", [WITITI]))
    (inscription,) = (one for one in told["recognition"] if one["type"] == "Inscription")
    assert (inscription["elementNumber"], inscription["list"]["code"]) == ("01056", "RL")
    assert inscription["decision"] == "10.COM 10.b.24"
    assert {"@value": "Wititi dance of the Colca Valley", "@language": "en"} in told["title"]
    # The Spanish title is ours: a name, and no title.
    assert {title["@language"] for title in told["title"]} == {"en", "fr"}
    assert {name["@language"] for name in told["name"]} == {"es", "en"}
    (dance,) = told["concept"]
    assert dance["exactMatch"] == ["http://vocabularies.unesco.org/thesaurus/concept351"]
    assert [place["id"] for place in told["department"]] == [BASE + "id/place/pe-04"]


def test_every_element_is_a_row_of_the_table(exports: Mapping[str, Export], built_store: Store) -> None:
    export = exports["ich"]
    rows = list(csv.DictReader(io.StringIO(whole(export, "csv").decode())))
    assert [row["record"] for row in rows] == list(export.iris)
    inscribed = "?r a cg:UnescoInscription ; cg:recognises ?x . ?x a cg:CulturalExpression"
    assert len(rows) == counted(built_store, inscribed) == 15
    by_iri = {row["record"]: row for row in rows}
    wititi = by_iri[WITITI]
    assert (wititi["title_es"], wititi["our_translation_es"]) == ("", "Danza wititi del valle del Colca")
    assert (wititi["year"], wititi["departments"], wititi["list"]) == ("2015", "Arequipa", "RL")
    # No source that was read gives it a list: the cell is empty, and nothing is invented.
    assert by_iri[BASE + "id/expression/huaconada-mito"]["list"] == ""
    assert all(row["licence"] for row in rows)


# Inventory sheets.


def test_the_outline_has_its_fields_and_its_double_number() -> None:
    fields = [field for section in read_outline(QUERIES).sections if not section.ours for field in section.fields]
    codes = Counter(field.code for field in fields)
    assert {"1.1", "1.5", "2.4", "3.1", "3.4", "4.5", "5.6", "6"} <= set(codes)
    assert [field.id for field in fields if field.code == "3.3"] == ["access", "transmission"]
    assert len({field.id for field in fields}) == len(fields)


def test_every_declared_expression_has_a_sheet(exports: Mapping[str, Export], built_store: Store) -> None:
    declared = "?d a cg:HeritageDeclaration ; cg:recognises ?x . ?x a cg:CulturalExpression"
    assert len(exports["inventory"].iris) == counted(built_store, declared) > 200


def test_each_sentence_of_a_sheet_rests_on_statements(sheet: Sheet, built_store: Store) -> None:
    assert sheet.count()[0] > 5
    assert {s.note for _, cell in sheet.cells() for s in cell.sentences} == {note.number for note in sheet.notes}
    for note in sheet.notes:
        for statement in note.statements:
            triple = statement.triple
            assert any(built_store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None))
            assert statement.iri == f"{BASE}statement/{statement_hash(triple)}"
            assert bool(statement.sources) is not statement.inferred


def test_empty_fields_are_gaps_with_a_query_that_finds_nothing(sheet: Sheet, built_store: Store) -> None:
    blank = [cell for _, cell in sheet.cells() if not cell.sentences]
    assert {"practitioners", "description", "threats", "consent"} <= {cell.field.id for cell in blank}
    for cell in blank:
        assert list(built_store.query(cell.query)) == [], cell.id  # type: ignore[arg-type]
    # Personal data are not even asked of the graph: only an answer would fill the field.
    (persons,) = (cell for cell in blank if cell.field.id == "practitioners")
    assert "cg:answersField" in persons.query
    assert not persons.field.paths


def test_an_answer_fills_a_field_of_a_sheet(built_store: Store) -> None:
    store = Store()
    store.extend(built_store.quads_for_pattern(NamedNode(WITITI), None, None, None))
    answer = NamedNode(BASE + "id/answer/wititi-threats")
    text = Literal("Los jóvenes migran.", language="es")
    for predicate, value in (
        (CG + "answersField", Literal("inventory/2003/viability.threats-transmission")),
        (CG + "about", NamedNode(WITITI)),
        ("http://purl.org/dc/terms/description", text),
    ):
        store.add(Quad(answer, NamedNode(predicate), value))
        store.add(Quad(answer, NamedNode(predicate), value, NamedNode(BASE + "graph/source/ministry")))
    made = Sheets(store, read_outline(QUERIES), "es").make(WITITI)
    (cell,) = (cell for _, cell in made.cells() if cell.field.id == "threats-transmission")
    assert [sentence.text for sentence in cell.sentences] == ["Los jóvenes migran."]


def test_a_sheet_as_csv_holds_every_cell_once_filled_or_empty(sheet: Sheet, exports: Mapping[str, Export]) -> None:
    rows = list(csv.DictReader(io.StringIO(whole(exports["inventory"], "csv", [WITITI]).decode())))
    assert tuple(rows[0]) == HEADER
    assert {row["field"] for row in rows} == {cell.field.id for _, cell in sheet.cells()}
    filled = [row for row in rows if row["state"] == "filled"]
    assert all(row["statements"] and not row["query"] for row in filled)
    assert all(row["query"] and not row["value_iri"] for row in rows if row["state"] == "empty")
    assert BASE + "id/place/pe-0405" in {row["value_iri"] for row in filled}
    assert {row["licence"] for row in rows} == {"https://creativecommons.org/licenses/by/4.0/"}


def test_no_cell_of_a_sheet_is_a_formula(built_store: Store) -> None:
    store = Store()
    item = NamedNode(BASE + "id/expression/x")
    store.add(Quad(item, TYPE, NamedNode(CG + "CulturalExpression")))
    store.add(Quad(item, LABEL, Literal('=HYPERLINK("http://x")', language="es")))
    made = Sheets(store, read_outline(QUERIES), "es").make(item.value)
    rows = list(csv.reader(io.StringIO(write_rows(made).decode())))
    assert '\'=HYPERLINK("http://x")' in rows[0]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_sheet_as_json_ld_is_read_by_another_reader(sheet: Sheet, exports: Mapping[str, Export]) -> None:
    data = whole(exports["inventory"], "jsonld", [WITITI])
    quads = list(parse(data, format=RdfFormat.JSON_LD))
    derived = {q.object for q in quads if q.predicate.value.endswith("#wasDerivedFrom")}
    assert derived == {NamedNode(statement.iri) for note in sheet.notes for statement in note.statements}
    many = json.loads(whole(exports["inventory"], "jsonld", exports["inventory"].iris[:3]))
    assert [one["about"] for one in many["@graph"]] == list(exports["inventory"].iris[:3])


def test_a_sheet_as_page_and_as_word_document(sheet: Sheet, exports: Mapping[str, Export]) -> None:
    page = html.fromstring(whole(exports["inventory"], "html", exports["inventory"].iris[:2]).decode())
    assert len(page.xpath("//article")) == 2
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.xpath("//a/@href") if link.startswith("#")} <= set(ids)
    document = docx.Document(io.BytesIO(whole(exports["inventory"], "docx", [WITITI])))
    texts = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert any("artes del espectáculo" in text for text in texts)
    empty = [line.text for line in document.paragraphs if "Sin dato en el grafo" in line.text]
    assert len(empty) == sheet.count()[1]


@pytest.mark.slow
def test_the_figures_of_the_officers_page_are_those_of_the_sheets(
    exports: Mapping[str, Export], built_store: Store
) -> None:
    outline = read_outline(QUERIES)
    sheets = Sheets(built_store, outline, "en")
    filled: Counter[str] = Counter()
    for iri in exports["inventory"].iris:
        filled.update(cell.field.id for _, cell in sheets.make(iri).cells() if cell.sentences)
    assert {one.field.id: one.sheets for one in count_filled(built_store, outline) if one.sheets} == dict(filled)


def test_a_faulty_outline_is_told_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / OUTLINE
    folder.mkdir(parents=True)
    for file in (QUERIES / OUTLINE).iterdir():
        text = file.read_text(encoding="utf-8")
        (folder / file.name).write_text(text.replace("path: [cg:threat]", "path: [nothing:threat]"), encoding="utf-8")
    with pytest.raises(DataError, match=r"outline\.yaml.*nothing:threat"):
        read_outline(tmp_path)


def test_labels_of_local_contexts_go_out_with_the_record(exports: Mapping[str, Export]) -> None:
    label = NamedNode(BASE + "schemes/local-contexts/toy")
    store = Store()
    store.extend(exports["ich"].store)
    store.add(Quad(NamedNode(WITITI), NamedNode(CG + "carriesLabel"), label))
    store.add(Quad(label, LABEL, Literal("TK toy", language="es")))
    element = json.loads(whole(Export(exports["ich"].profile, store), "jsonld", [WITITI]))
    assert [one["id"] for one in element["localContextsLabel"]] == [label.value]
    made = Sheets(store, read_outline(QUERIES), "es").make(WITITI)
    (cell,) = (cell for _, cell in made.cells() if cell.field.id == "restrictions")
    assert [sentence.text for sentence in cell.sentences] == ["TK toy"]


# Statistics.


@cache
def tables() -> Mapping[str, Table]:
    return read_tables(QUERIES)


def test_the_package_is_valid_and_holds_what_was_counted(built_store: Store, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(to_package(built_store, tables().values()))) as package:
        package.extractall(tmp_path)
    read = CSVW(str(tmp_path / "csv-metadata.json"), validate=True)
    assert read.is_valid
    by_name = {str(table.url): [dict(row) for row in table.iterdicts()] for table in read.tables}
    assert set(by_name) == {f"{name}.csv" for name in tables()}
    for name, table in tables().items():
        expected = [row.value for row in count(built_store, table)]
        assert [row[table.measure] for row in by_name[f"{name}.csv"]] == expected


# Each counted by a query of its own; "" for all of the table.
SUMS: Mapping[str, Sequence[tuple[str, str]]] = {
    "recognised-by-year": [
        ("HeritageDeclaration", "?r a cg:HeritageDeclaration ; cg:recognises ?x . ?x a cg:CulturalExpression"),
        ("UnescoInscription", "?r a cg:UnescoInscription ; cg:recognises ?x . ?x a cg:CulturalExpression"),
    ],
    "measures-by-indicator": [
        ("", "?x a cg:PolicyMeasure"),
        ("indicator-12", "?x cg:reportsOnIndicator <https://w3id.org/culturegraph/schemes/culture-2030/indicator-12>"),
    ],
    "programmes": [("", "GRAPH ?g { ?x a ?k } ?g a cg:SourceGraph . ?x a cg:Programme")],
    "expressions": [("none pe-15", "")],
}


@pytest.mark.parametrize(("name", "part", "pattern"), [(n, *one) for n, every in SUMS.items() for one in every])
def test_rows_add_up_to_what_sparql_counts(name: str, part: str, pattern: str, built_store: Store) -> None:
    rows = count(built_store, tables()[name])
    if name == "expressions":
        lima = BASE + "id/place/pe-15"
        pattern = (
            f"?x a cg:CulturalExpression FILTER NOT EXISTS {{ ?x cg:fcsDomain ?d }} {{ ?x cg:locatedWithin <{lima}> }}"
        )
        pattern += f" UNION {{ ?x cg:practisedThrough/cg:locatedWithin <{lima}> }}"
        found = [row.value for row in rows if row.codes == (NONE, lima)]
    else:
        found = [row.value for row in rows if not part or any(code.endswith(part) for code in row.codes)]
    assert sum(found) == counted(built_store, pattern) > 0


def test_what_we_assigned_is_said_to_be_ours(built_store: Store) -> None:
    editorial = NamedNode(BASE + "graph/source/editorial")
    for name in ("fcsDomain", "reportsOnIndicator"):
        graphs = Counter(
            q.graph_name
            for q in built_store.quads_for_pattern(None, NamedNode(CG + name), None, None)
            if isinstance(q.graph_name, NamedNode)
        )
        assert set(graphs) == {editorial}
        assert graphs[editorial] > 20


def test_the_cubes_are_well_formed_and_hold_every_row(exports: Mapping[str, Export], built_store: Store) -> None:
    cube = Store()
    cube.load(whole(exports["statistics"], "ttl"), format=RdfFormat.TURTLE)
    assert find_faults(cube, QUERIES / "data-cube") == []
    rows = sum(len(count(built_store, table)) for table in tables().values())
    figures = counted(
        cube, "?x <http://purl.org/linked-data/cube#dataSet> <https://w3id.org/culturegraph/cube#figures>"
    )
    assert count_observations(cube) == rows + figures
    # Broken, it is told: an observation without its year.
    year = NamedNode(BASE + "exports/statistics#year")
    cube.remove(next(iter(cube.quads_for_pattern(None, year, None, None))))
    assert any("ic-11" in fault for fault in find_faults(cube, QUERIES / "data-cube"))


def test_a_table_without_its_variables_is_told(built_store: Store, tmp_path: Path) -> None:
    folder = tmp_path / TABLES
    folder.mkdir(parents=True)
    text = (QUERIES / TABLES / "programmes.rq").read_text(encoding="utf-8")
    (folder / "programmes.rq").write_text(
        text.replace("SELECT ?kind ?domain", "SELECT ?domain ?kind"), encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"programmes\.rq.*does not select kind, domain, programmes"):
        to_csv(built_store, read_table(tmp_path, "programmes"))
    (folder / "programmes.rq").write_text(text.replace("#+ table:", "#+ tables:"), encoding="utf-8")
    with pytest.raises((DataError, DataErrors), match="table"):
        read_tables(tmp_path)
    with pytest.raises(NotFoundError, match="there is no table 'nothing'"):
        read_table(QUERIES, "nothing")


# Over HTTP and on the command line.


@pytest.fixture(scope="module")
def client(built: Build, settings: Settings) -> Iterator[Client]:
    site = Settings(root=ROOT, store=settings.store)
    with listening(site, open_current(site.store)) as server, Client(base_url=server, timeout=120) as client:
        yield client


@pytest.mark.slow
def test_addresses_of_ours_in_a_sheet_and_in_the_tables_answer(
    client: Client, exports: Mapping[str, Export], sheet: Sheet
) -> None:
    triples = [quad.triple for quad in parse(whole(exports["inventory"], "jsonld", [WITITI]), format=RdfFormat.JSON_LD)]
    cube = Store()
    cube.load(whole(exports["statistics"], "ttl"), format=RdfFormat.TURTLE)
    triples += [quad.triple for quad in cube]
    ours = {term.value.partition("#")[0] for triple in triples for term in triple if isinstance(term, NamedNode)}
    addresses = sorted(iri.removeprefix(BASE) for iri in ours if iri.startswith(BASE))
    assert {"cube", "exports/statistics/programmes", "exports/inventory/expression/danza-wititi"} <= {*addresses}
    # Figures are many, and all of a kind: a part of them stands for all.
    figures = [address for address in addresses if address.startswith("id/observation/")]
    for address in sorted({*addresses} - {*figures[20:]}):
        answer = client.get(f"/{address}", headers={"Accept": "text/html, */*"}, follow_redirects=True)
        assert answer.status_code == 200, address


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/exports/inventory/expression/danza-wititi", "text/html"),
        ("/exports/inventory/expression/danza-wititi.csv", "text/csv"),
        ("/exports/inventory/expression/danza-wititi.docx", "wordprocessingml"),
        ("/exports/ich/expression/danza-wititi.jsonld", "application/ld+json"),
        ("/exports/statistics/programmes", "text/html"),
        ("/exports/statistics/programmes.csv", "text/csv"),
        ("/exports/statistics.zip", "application/zip"),
    ],
)
def test_every_form_is_served(client: Client, address: str, kind: str) -> None:
    answer = client.get(address, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert kind in answer.headers["Content-Type"]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/exports/nada", "there is no profile"),
        ("/exports/inventory/expression/nada", "has no record"),
        ("/exports/inventory/expression/danza-wititi.pdf", "is written as"),
        ("/exports/inventory.docx", "is written as"),
        ("/exports/statistics/nada", "there is no table"),
        ("/exports/statistics/programmes.pdf", "is written as csv"),
        ("/exports/unesco-qpr/1999", "there is no cycle"),
    ],
)
def test_what_is_not_there_is_told(client: Client, address: str, told: str) -> None:
    answer = client.get(address, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert told in answer.text


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_officers_page_tells_true_figures(client: Client, exports: Mapping[str, Export], language: str) -> None:
    page = html.fromstring(client.get(f"/about/unesco?lang={language}").text)
    rows = {row.xpath("string(th/a/@href)").partition("?")[0]: row for row in page.xpath("//tr[th/a]")}
    for name, export in exports.items():
        if export.profile.document is None:
            shown = rows[f"/exports/{name}"].xpath("string(td[1])")
            assert int("".join(filter(str.isdigit, shown))) == len(export.iris), name
    assert page.xpath("//section[@aria-labelledby='side-ich']//pre")
    assert page.xpath("//section[@aria-labelledby='side-inventory']//pre")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["inventory", "--format", "pdf"], "is written as html, jsonld, csv"),
        (["nothing"], "there is no profile 'nothing'"),
        (["unesco-qpr", "--cycle", "1999"], "there is no cycle '1999'"),
    ],
)
def test_the_command_line_tells_what_there_is_none_of(
    arguments: list[str],
    told: str,
    built: Build,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["culturegraph", "export", *arguments, "--store", str(settings.store)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code not in {0, None}
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_gap_of_all_sheets_has_one_query() -> None:
    outline = read_outline(QUERIES)
    (field,) = (field for section in outline.sections for field in section.fields if field.id == "threats")
    assert "?item cg:threat ?value" in gap_query(field, None, "inventory/2003/viability.threats")
