"""The draft of the periodic report: real files opened again, and nothing in them that the graph does not say."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from httpx import Client
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse
from small_site import listening

from culturegraph.build import Build
from culturegraph.errors import DataError, NotFoundError
from culturegraph.exports.unesco_qpr.composing import compose
from culturegraph.exports.unesco_qpr.document import to_document
from culturegraph.exports.unesco_qpr.draft import Draft
from culturegraph.exports.unesco_qpr.form import FOLDER, read_cycle
from culturegraph.exports.unesco_qpr.linked import to_json_ld
from culturegraph.exports.unesco_qpr.page import to_html
from culturegraph.exports.unesco_qpr.workbook import to_workbook
from culturegraph.rdf.spreadsheets import MAP_SHEET
from culturegraph.rdf.statements import statement_hash
from culturegraph.rdf.vocabulary import BASE, CG, LABEL, PREFIXES
from culturegraph.settings import Settings
from culturegraph.sources.adapters.ingestion import ingest, plan_job
from culturegraph.store.snapshot import open_current

ROOT = Path(__file__).resolve().parents[1]
QUERIES = ROOT / "queries"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="module")
def draft(built_store: Store) -> Draft:
    return compose(built_store, read_cycle(QUERIES), "es", "test")


@pytest.fixture(scope="module")
def workbook(draft: Draft) -> bytes:
    return to_workbook(draft)


def _open(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def test_every_footnoted_statement_is_in_the_store(draft: Draft, built_store: Store) -> None:
    assert len(draft.notes) > 500
    for note in draft.notes:
        assert note.statements
        for statement in note.statements:
            triple = statement.triple
            assert statement.iri == f"{BASE}statement/{statement_hash(triple)}"
            assert any(built_store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None))
            # Either somebody says so, or it is marked as concluded.
            assert bool(statement.sources) is not statement.inferred
    numbers = [s.note for part in draft.parts for row in part.rows for cell in row.cells for s in cell.sentences]
    assert set(numbers) <= {note.number for note in draft.notes}


def test_a_section_has_as_many_rows_as_its_query(draft: Draft, built_store: Store) -> None:
    counted = 0
    for part in draft.parts:
        if part.section.query is not None:
            text = part.section.query.text
            inner = re.sub(r"^PREFIX.*$", "", text, flags=re.MULTILINE)
            count = f"SELECT (COUNT(*) AS ?n) WHERE {{ {{ {inner} }} }}"
            (row,) = built_store.query(count, prefixes=dict(PREFIXES))
            assert len(part.rows) == int(row["n"].value), part.section.id
            counted += len(part.rows)
    assert counted > 100


def test_a_value_of_the_graph_is_in_a_cell_iff_a_statement_says_it(draft: Draft, built_store: Store) -> None:
    """Budgets: the sentences of a row are the contributions that the graph holds for it."""
    rows = {row.iri: row for part in draft.parts if part.section.id == "flow" for row in part.rows}
    cells = {cell.field.id: cell for cell in rows[BASE + "id/cooperation/ibermedia"].cells}
    told = [sentence.text for sentence in cells["budget"].sentences]
    assert len(told) == 2
    assert any("150000" in text and "USD" in text and "2012" in text for text in told)
    # What ties the amount to the programme is in the note too.
    notes = {note.number: {s.triple.predicate.value for s in note.statements} for note in draft.notes}
    for sentence in cells["budget"].sentences:
        assert {CG + "recipient", CG + "amount", CG + "currency", CG + "contributor"} <= notes[sentence.note]
    assert not cells["evaluated"].sentences


@pytest.mark.slow
def test_the_query_of_a_gap_gives_nothing(draft: Draft, built_store: Store) -> None:
    gaps = [cell for part in draft.parts for _, cell in part.gaps()]
    assert len(gaps) == draft.count()[1] > 100
    for cell in gaps:
        assert list(built_store.query(cell.query)) == [], cell.id


def test_the_query_of_a_filled_cell_would_give_its_value(draft: Draft, built_store: Store) -> None:
    from culturegraph.exports.forms.filled import gap_query

    for part in draft.parts:
        for row in part.rows[:2]:
            for cell in row.cells:
                if cell.sentences and cell.field.paths:
                    query = gap_query(cell.field, NamedNode(row.iri), cell.key)
                    assert list(built_store.query(query)), cell.id


def test_known_gaps_are_linked(draft: Draft) -> None:
    known = {gap.iri for part in draft.parts for _, cell in part.gaps() for gap in cell.known_gaps}
    assert {f"{BASE}id/gap/measures-monitoring-areas", f"{BASE}id/gap/measures-sdg-targets"} <= known


def test_the_due_date_is_a_statement_and_says_how_far_it_was_checked(draft: Draft) -> None:
    (sentence,) = draft.due.cells[0].sentences
    assert sentence.text == "2027-06-30"
    assert "resolución" in draft.say(draft.cycle.verification)


def test_earlier_reports_are_compared(draft: Draft, built_store: Store) -> None:
    assert [iri.rpartition("/")[2] for iri, _ in draft.reports] == ["qpr-2012", "qpr-2020"]
    puntos = next(thing for thing in draft.comparison if thing.iri == f"{BASE}id/programme/puntos")
    assert set(puntos.reported) == {iri for iri, _ in draft.reports}
    assert puntos.places
    # Every measure of both reports is told of.
    query = "SELECT (COUNT(DISTINCT ?m) AS ?n) { ?m a cg:PolicyMeasure ; cg:reportedIn cgid:document%s }"
    told = {s.note for thing in draft.comparison for said in thing.reported.values() for s in said}
    subjects = {note.statements[0].triple.subject for note in draft.notes if note.number in told}
    total = 0
    for report in ("qpr-2012", "qpr-2020"):
        text = query.replace("cgid:document%s", f"<{BASE}id/document/{report}>")
        (row,) = built_store.query(text, prefixes=dict(PREFIXES))
        total += int(row["n"].value)
    assert len(subjects) == total


def test_the_workbook_holds_the_cells(draft: Draft, workbook: bytes) -> None:
    book = _open(workbook)
    mapped = list(book[MAP_SHEET].iter_rows(min_row=3, values_only=True))
    assert book[MAP_SHEET].sheet_state == "veryHidden"
    assert len(mapped) == sum(draft.count())
    filled = 0
    for sheet, place, *_, value in mapped:
        assert (book[sheet][place].value or "") == (value or "")
        filled += bool(value)
    assert filled == draft.count()[0]
    notes = {row[2] for row in book["Notas"].iter_rows(min_row=2, values_only=True)}
    assert notes == {statement.iri for note in draft.notes for statement in note.statements}
    assert book["Vacíos"].max_row - 1 == draft.count()[1]
    assert all(row[4] for row in book["Vacíos"].iter_rows(min_row=2, values_only=True))


def _hostile(store: Store) -> Store:
    """Return a graph in which a measure is called like a formula and holds characters that XML forbids."""
    copy = Store()
    copy.extend(store)
    measure = NamedNode(BASE + "id/measure/hostile")
    graph = NamedNode(BASE + "graph/source/editorial")
    goal = NamedNode(BASE + "schemes/convention-2005-goals/goal-1")
    for predicate, value in (
        (LABEL, Literal('=HYPERLINK("http://example.org";"x")', language="es")),
        (NamedNode(CG + "result"), Literal("a\x0bb\x00c <b>&amp;", language="es")),
        (NamedNode(CG + "conventionGoal"), goal),
    ):
        copy.add(Quad(measure, predicate, value, graph))
        copy.add(Quad(measure, predicate, value))
    return copy


@pytest.fixture(scope="module")
def hostile(built_store: Store) -> Draft:
    tiny = Store()
    for name in ("id/state/per", "id/event/conv-2005-reports-due-2027"):
        tiny.extend(built_store.quads_for_pattern(NamedNode(BASE + name), None, None, None))
    return compose(_hostile(tiny), read_cycle(QUERIES), "es")


def test_a_text_like_a_formula_stays_a_text(hostile: Draft) -> None:
    book = _open(to_workbook(hostile))
    cells = [c for row in book["Sectores culturales y creativos"].iter_rows(min_row=3) for c in row if c.value]
    assert [cell.data_type for cell in cells if str(cell.value).startswith("=")] == ["s"]
    assert any(cell.value == "a�b�c <b>&amp;" for cell in cells)


def test_forbidden_characters_reach_no_file(hostile: Draft) -> None:
    assert b"a\xef\xbf\xbdb\xef\xbf\xbdc" in to_html(hostile)
    assert b"&lt;b&gt;&amp;amp;" in to_html(hostile)
    document = docx.Document(io.BytesIO(to_document(hostile)))
    assert any("a�b�c <b>&amp;" in cell.text for table in document.tables for row in table.rows for cell in row.cells)


def test_nothing_fluent_over_an_empty_cell(hostile: Draft) -> None:
    """A graph that knows next to nothing gives a draft that says so, section by section."""
    filled, empty = hostile.count()
    assert filled < 8 < empty
    empty_parts = [part for part in hostile.parts if part.section.query and not part.rows]
    assert to_html(hostile).decode().count("Ninguna fila: el grafo no tiene respuesta.") == len(empty_parts) > 5


@pytest.mark.slow
def test_the_document_leads_from_each_number_to_its_note(draft: Draft) -> None:
    data = to_document(draft)
    document = docx.Document(io.BytesIO(data))
    assert document.core_properties.title == draft.say(draft.cycle.title)
    body = document.element.body
    anchors = {link.get(f"{W}anchor") for link in body.iter(f"{W}hyperlink")} - {None}
    marks = [mark.get(f"{W}name") for mark in body.iter(f"{W}bookmarkStart")]
    assert anchors == set(marks)
    assert len(marks) == len(set(marks)) == len(draft.notes)
    targets = {rel.target_ref for rel in document.part.rels.values() if rel.is_external}
    assert targets == {statement.iri for note in draft.notes for statement in note.statements}
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None


def test_json_ld_derives_each_sentence_from_statements(draft: Draft) -> None:
    data = to_json_ld(draft)
    store = Store()
    store.extend(parse(input=data, format=RdfFormat.JSON_LD))
    derived = NamedNode("http://www.w3.org/ns/prov#wasDerivedFrom")
    found = {quad.object.value for quad in store.quads_for_pattern(None, derived, None)}
    # The notes of the comparison stand in the other forms only.
    assert found <= {statement.iri for note in draft.notes for statement in note.statements}
    sentences = [s for part in draft.parts for row in part.rows for cell in row.cells for s in cell.sentences]
    value = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#value")
    assert len(list(store.quads_for_pattern(None, value, None))) == len(sentences) + 1
    assert json.loads(data)["@id"] == f"{BASE}exports/unesco-qpr/2027"


def test_both_languages_have_the_same_cells(draft: Draft, built_store: Store) -> None:
    english = compose(built_store, read_cycle(QUERIES), "en")
    assert english.count() == draft.count()
    assert [part.section.id for part in english.parts] == [part.section.id for part in draft.parts]
    assert "Peru" in {row.name for row in english.parts[0].rows}


def test_unknown_cycles_languages_and_faults_of_the_form(tmp_path: Path, built_store: Store) -> None:
    with pytest.raises(NotFoundError, match="no cycle '1999'; there is 2027"):
        read_cycle(QUERIES, "1999")
    with pytest.raises(NotFoundError, match="no form in 'xx'"):
        compose(built_store, read_cycle(QUERIES), "xx")
    copy = tmp_path / "queries"
    shutil.copytree(QUERIES / FOLDER, copy / FOLDER)
    form = copy / FOLDER / "form-2020.yaml"
    text = form.read_text(encoding="utf-8")
    for change, message in (
        (("query: party", "query: nothing"), r"form-2020\.yaml names a query that is not in the folder: nothing\.rq"),
        (("fields: norm}", "fields: norms}"), r"form-2020\.yaml names a list of fields that is not there: norms"),
        (("path: [cg:partner]", "path: [cgpartner]"), r"form-2020\.yaml has a step of a path that is no prefixed name"),
        (("id: form-2020", "id: [form"), r"form-2020\.yaml:\d+ is not YAML"),
    ):
        form.write_text(text.replace(*change), encoding="utf-8")
        with pytest.raises(DataError, match=message):
            read_cycle(copy)


def _complete(workbook: bytes, path: Path) -> None:
    book = _open(workbook)
    sheet = book["Información general"]
    column = {cell.value: cell.column_letter for cell in sheet[2]}
    sheet[f"{column['Resumen ejecutivo']}3"] = "- Primero\n- Segundo"
    sheet[f"{column['Punto de contacto oficial de la Convención']}3"] = "Dirección General"
    sheet[f"{column['Presupuesto público de cultura (USD)']}3"] = "=SUM(A1:A2)"
    sheet[f"{column['Nombre de la Parte']}3"] = None
    measures = book["Sectores culturales y creativos"]
    # As an officer who sorts the sheet: two rows change places, then one is completed.
    third, fourth = ([cell.value for cell in row] for row in measures.iter_rows(min_row=3, max_row=4))
    for place, (one, other) in enumerate(zip(third, fourth, strict=True), start=1):
        measures.cell(3, place).value, measures.cell(4, place).value = other, one
    titles = {cell.value: cell.column for cell in measures[2]}
    measures.cell(4, titles["Conclusiones y recomendaciones de la evaluación"]).value = "Ninguna aún"
    measures.cell(4, titles["Socios"]).value = "+1 socio"
    book.save(path)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _ingest(settings: Settings, folder: Path, path: Path) -> Any:
    job = plan_job(
        settings,
        "unesco-qpr",
        (path,),
        source="respuestas-2027",
        described={
            "title": "Respuestas",
            "publisher": "MC",
            "url": "https://example.org/r",
            "rights": "facts only",
            "kind": "primary",
        },
        options={"rows": str(folder / "rows.csv")},
    )
    return ingest("unesco-qpr", job, folder / "out.nq", folder / "rejects.csv")


def test_completed_cells_come_back_as_rows(workbook: bytes, draft: Draft, settings: Settings, tmp_path: Path) -> None:
    _complete(workbook, tmp_path / "completed.xlsx")
    tally = _ingest(settings, tmp_path, tmp_path / "completed.xlsx")
    rows = _rows(tmp_path / "rows.csv")
    assert {(row["field"], row["text"]) for row in rows} == {
        ("unesco-qpr/2027/general.summary", "– Primero\n- Segundo"),
        ("unesco-qpr/2027/general.contact", "Dirección General"),
        ("unesco-qpr/2027/sectors.conclusions", "Ninguna aún"),
    }
    sectors = next(part for part in draft.parts if part.section.id == "sectors")
    conclusion = next(row for row in rows if row["field"].endswith("conclusions"))
    assert BASE + conclusion["about"] == sectors.rows[0].iri
    assert conclusion["locator"].startswith("Sectores culturales y creativos!")
    assert conclusion["locator"].endswith("4")
    rejects = _rows(tmp_path / "rejects.csv")
    reasons = {row["column"].rpartition("!")[2]: row["reason"] for row in rejects}
    assert len(reasons) == 3
    assert reasons["A3"].startswith("was emptied")
    assert any(reason.startswith("is a formula") for reason in reasons.values())
    assert any(reason.startswith("begins like a formula") for reason in reasons.values())
    assert tally.rows == sum(draft.count())


def test_an_untouched_workbook_gives_nothing(workbook: bytes, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "same.xlsx").write_bytes(workbook)
    _ingest(settings, tmp_path, tmp_path / "same.xlsx")
    assert _rows(tmp_path / "rows.csv") == []
    assert _rows(tmp_path / "rejects.csv") == []


@pytest.mark.slow
def test_reviewed_answers_fill_the_next_draft(
    workbook: bytes, draft: Draft, built_store: Store, settings: Settings, tmp_path: Path
) -> None:
    _complete(workbook, tmp_path / "completed.xlsx")
    _ingest(settings, tmp_path, tmp_path / "completed.xlsx")
    store = Store()
    store.extend(built_store)
    for quad in parse(path=str(tmp_path / "out.nq"), format=RdfFormat.N_QUADS):
        store.add(quad)
        store.add(Quad(quad.subject, quad.predicate, quad.object))
    after = compose(store, read_cycle(QUERIES), "es")
    assert after.count() == (draft.count()[0] + 3, draft.count()[1] - 3)
    general = {cell.field.id: cell for cell in after.parts[0].rows[0].cells}
    (sentence,) = general["contact"].sentences
    assert sentence.text == "Dirección General"
    note = next(note for note in after.notes if note.number == sentence.note)
    assert {source.title for source in note.sources()} == {"Respuestas"}


@pytest.mark.parametrize("case", ["text", "foreign", "changed"])
def test_other_files_are_refused_with_their_name(
    case: str, workbook: bytes, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "w.xlsx"
    if case == "text":
        path.write_text("no workbook", encoding="utf-8")
    else:
        book = _open(workbook) if case == "changed" else openpyxl.Workbook()
        if case == "changed":
            book[MAP_SHEET]["C5"] = "unesco-qpr/1999/general.x"
        book.save(path)
    with pytest.raises(DataError, match=r"w\.xlsx"):
        _ingest(settings, tmp_path, path)


@pytest.fixture(scope="module")
def client(built: Build, settings: Settings) -> Iterator[Client]:
    site = settings.model_copy(update={"query_timeout": 10.0, "port": 0})
    with listening(site, open_current(site.store)) as server, Client(base_url=server, timeout=120) as client:
        yield client


@pytest.mark.slow
def test_the_server_gives_the_page_and_the_files(client: Client, draft: Draft) -> None:
    moved = client.get("/exports/unesco-qpr?lang=es")
    assert (moved.status_code, moved.headers["location"]) == (303, "/exports/unesco-qpr/2027?lang=es")
    page = client.get("/exports/unesco-qpr/2027?lang=es", headers={"accept": "text/html"})
    assert page.headers["content-language"] == "es"
    ids = re.findall(r'\sid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page.text)) <= set(ids)
    assert "style=" not in page.text
    # A cell has the fragment that the JSON-LD names it by.
    assert {cell.id.partition("#")[2] for part in draft.parts for row in part.rows for cell in row.cells} <= set(ids)
    statements = sorted(set(re.findall(r'href="(/statement/[0-9a-f]+)"', page.text)))
    assert len(statements) > 500
    for path in statements[::200]:
        assert client.get(path, headers={"accept": "text/html"}, follow_redirects=True).status_code == 200
    run = re.search(r'href="(/sparql\?query=[^"]+)"', page.text)
    assert run is not None
    answer = client.get(run[1].replace("&amp;", "&"), headers={"accept": "application/sparql-results+json"})
    assert answer.status_code == 200
    book = client.get("/exports/unesco-qpr/2027.xlsx?lang=es")
    assert "unesco-qpr-2027-es.xlsx" in book.headers["content-disposition"]
    assert "Notas" in _open(book.content).sheetnames
    linked = client.get("/exports/unesco-qpr/2027", headers={"accept": "application/ld+json"})
    assert linked.headers["content-type"] == "application/ld+json"
    again = client.get("/exports/unesco-qpr/2027.xlsx?lang=es", headers={"if-none-match": book.headers["etag"]})
    assert again.status_code == 304


def test_unknown_cycles_and_forms_are_404_with_what_there_is(client: Client) -> None:
    for path, told in (
        ("/exports/unesco-qpr/1999", "2027"),
        ("/exports/unesco-qpr?cycle=1999", "2027"),
        ("/exports/unesco-qpr/2027.pdf", "docx"),
    ):
        response = client.get(path)
        assert response.status_code == 404
        assert told in response.text


def test_the_page_for_officers_leads_to_every_form(client: Client) -> None:
    assert 'href="/about/unesco' in client.get("/about/").text
    assert 'href="/exports/unesco-qpr' in client.get("/exports/").text
    for language in ("es", "en"):
        page = client.get(f"/about/unesco?lang={language}").text
        for form in ("xlsx", "docx", "html", "jsonld"):
            assert f'href="/exports/unesco-qpr/2027.{form}?lang={language}"' in page


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed")
def test_a_word_processor_opens_the_document(draft: Draft, tmp_path: Path) -> None:
    short = replace(draft, notes=draft.notes[:40], comparison=())
    (tmp_path / "draft.docx").write_bytes(to_document(short))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), "draft.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=180)
    assert (tmp_path / "draft.pdf").read_bytes().startswith(b"%PDF")
