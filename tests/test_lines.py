"""The fast path against the library path: any table, any cells, equal quads and equal faults."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, RdfFormat, parse

from culturegraph.rdf.canonical import to_nquads
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.sources.batches import BatchWriter
from culturegraph.sources.lines import LineWriter, careful, check_column
from culturegraph.sources.metadata import ROW_NUMBER, read_metadata
from culturegraph.sources.rows import read_cells
from culturegraph.sources.tables import read_tables
from culturegraph.sources.term_text import escape, match_all

NAMES = ("a", "b", "c")
_FORMATS = [
    None,
    "string",
    "date",
    "decimal",
    "integer",
    "number",
    "boolean",
    "anyURI",
    "gYear",
    {"base": "string", "format": "[a-z0-9]+(-[a-z0-9]+)*"},
    {"base": "string", "format": "a|b.c"},
    {"base": "string", "minLength": 2, "maxLength": 4},
    {"base": "decimal", "minimum": -90, "maximum": 90},
    {"base": "decimal", "minExclusive": 0},
    {"base": "integer", "minimum": 0},
    {"base": "date", "minimum": "2000-01-01"},
    {"base": "date", "format": "dd.MM.yyyy"},
    {"@id": "http://id.loc.gov/datatypes/edtf/EDTF", "base": "string", "format": "[0-9]{4}(-[0-9]{2})?"},
]
_TEMPLATES = [
    BASE + "id/x/{a}",
    BASE + "id/x/{a}/{b}",
    "{+a}",
    BASE + "{+a}",
    "http://example.org/{a}#{b}",
    "http://example.org/#x{a}",
    "http://example.org/#x#{a}",
    "urn:x:{a}",
    "{a}",
    "http://example.org/{a}{?b}",
    "http://example.org/plain",
    "http://example.org/{_row}",
]
_CELLS = st.one_of(
    st.sampled_from(
        [
            *("", " ", "a", "b-c", "A", "2012-02-30", "2012-01-31", "2012", "2012-13", "31.12.2001", "-0", "1e5", "90"),
            *(
                "-90.0",
                "90.5",
                "1,5",
                "INF",
                "NaN",
                "+1",
                "01",
                "true",
                "http://example.org/ñ?q=[1]#x",
                "not an iri <>",
            ),
            *(
                "es",
                "es-PE",
                "x y",
                "q",
                "a;b",
                ";",
                "a;;b",
                "NA",
                "%",
                "%zz",
                "é",
                "\u2028",
                "'",
                '"q"',
                "back\\slash",
            ),
            *("tab\tin", "\x7f", "\ufffe", "😀", "-"),
        ]
    ),
    st.text(max_size=8).filter(lambda text: "\r" not in text and "\n" not in text and "\x00" not in text),
)


@st.composite
def _columns(draw):
    columns = []
    for name in NAMES:
        column: dict[str, object] = {"name": name, "propertyUrl": CG + name}
        datatype = draw(st.sampled_from(_FORMATS))
        if datatype is not None:
            column["datatype"] = datatype
        kind = draw(st.sampled_from(["literal", "literal", "link", "lang", "language", "suppressed", "predicate"]))
        if kind == "link":
            column["valueUrl"] = draw(st.sampled_from(_TEMPLATES)).replace("{a}", "{" + name + "}")
        elif kind == "lang":
            column["lang"] = draw(st.sampled_from(["es", "es-PE", "QU"]))
        elif kind == "language":
            column[CG + "langColumn"] = draw(st.sampled_from(NAMES))
        elif kind == "suppressed":
            column["suppressOutput"] = True
        elif kind == "predicate":
            column["propertyUrl"] = draw(st.sampled_from([CG + "{b}", "{+b}"]))
        if draw(st.booleans()):
            column["separator"] = ";"
        if draw(st.integers(0, 3)) == 0:
            column["required"] = True
        if draw(st.integers(0, 3)) == 0:
            column["null"] = draw(st.sampled_from(["NA", ["", "-"]]))
        if draw(st.integers(0, 3)) == 0:
            column[CG + "inGraph"] = draw(st.sampled_from([BASE + "graph/x", BASE + "graph/{c}", "{+c}"]))
        columns.append(column)
    if draw(st.booleans()):
        value = draw(st.sampled_from([BASE + "kind", BASE + "kind/{b}", "{+b}"]))
        columns.append({"name": "v", "virtual": True, "propertyUrl": CG + "v", "valueUrl": value})
    return columns


@st.composite
def _tables(draw):
    about = draw(st.sampled_from(_TEMPLATES))
    graph = draw(st.sampled_from([BASE + "graph/source/{c}", BASE + "graph/all", "{+c}"]))
    header = draw(st.permutations(NAMES))
    rows = draw(st.lists(st.tuples(_CELLS, _CELLS, _CELLS), min_size=1, max_size=4))
    schema = {"aboutUrl": about, "columns": draw(_columns())}
    table = {"url": "t.csv", CG + "inGraph": graph, "tableSchema": schema}
    return {"@context": "http://www.w3.org/ns/csvw", "tables": [table]}, header, rows


def _plan(metadata):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "csv-metadata.json")
        path.write_text(json.dumps(metadata), encoding="utf-8")
        return read_metadata(path)[0]


@settings(max_examples=400, deadline=None)
@given(_tables())
def test_both_paths_give_equal_quads_and_equal_faults(drawn):
    metadata, header, rows = drawn
    plan = _plan(metadata)
    writer = LineWriter(plan, header)
    for number, row in enumerate(rows, start=2):
        cells = [cell.strip() for cell in row]
        # Twice: the second time the columns remember.
        for _ in range(2):
            lines, faults = writer(number, cells)
            by_library, library_faults = careful(plan, number, dict(zip(header, cells, strict=True)))
            assert lines == by_library
            assert list(map(str, faults)) == list(map(str, library_faults))


@settings(max_examples=200, deadline=None)
@given(_tables())
def test_a_batch_gives_the_lines_and_faults_of_its_rows(drawn):
    metadata, header, rows = drawn
    plan = _plan(metadata)
    writer, batches = LineWriter(plan, [*header, ROW_NUMBER]), BatchWriter(plan, header)
    # Many rows that differ and some that recur, so that columns are read in both ways; twice, as they remember.
    rows = [*rows, *([f"{cell}{n}" for cell in row] for n in range(3) for row in rows[:2]), *rows]
    numbers = range(2, 2 + len(rows))
    wanted, wanted_faults = [], []
    for index, (number, row) in enumerate(zip(numbers, rows, strict=True)):
        lines, faults = writer(number, [*map(str.strip, row), str(number)])
        wanted += lines
        wanted_faults += [(index, str(fault)) for fault in faults]
    for _ in range(2):
        made = batches(numbers, [list(map(str.strip, column)) for column in zip(*rows, strict=True)])
        assert sorted(made.text.decode().splitlines(keepends=True)) == sorted("".join(wanted).splitlines(keepends=True))
        assert made.quads == len(wanted)
        assert [(index, str(fault)) for index, faults in made.faults for fault in faults] == wanted_faults


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_literal_is_escaped_as_the_engine_does(text):
    assert f'"{escape(text)}"' == str(Literal(text))


_PATTERNS = ["[a-z0-9]+(-[a-z0-9]+)*", "[0-9]{3}|[a-z]", "[a-]?", "(?:ab)*", ".{3}", r"\w+.?", "[^a]+", "a|", "(?=a)ab"]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_PATTERNS), st.lists(st.text(alphabet="ab-01\x1f\n", max_size=4), max_size=4))
def test_a_pattern_matches_many_texts_as_it_matches_each(pattern, texts):
    assert match_all(pattern)(texts) == all(re.fullmatch(pattern, text) for text in texts)


@pytest.mark.parametrize("bounds", [(-90, 90), (-180, 180), (-1, 1), (-10, 200), (-200, 5), (0, 99), (-0.5, 7)])
def test_numbers_of_a_column_are_told_to_be_within_its_bounds(bounds):
    low, high = bounds
    datatype = {"base": "decimal", "minimum": low, "maximum": high}
    schema = {"aboutUrl": BASE + "{a}", "columns": [{"name": "a", "propertyUrl": CG + "a", "datatype": datatype}]}
    table = {"url": "t.csv", CG + "inGraph": BASE + "graph/x", "tableSchema": schema}
    check = check_column(_plan({"@context": "http://www.w3.org/ns/csvw", "tables": [table]}).columns[0])
    assert check is not None
    for tenths in range(-2500, 2501):
        # Alone, and beside another, with which it is read.
        assert check([f"{tenths / 10}"]) == check([f"{tenths / 10}", "0.25"]) == (low < tenths / 10 < high)


def test_what_is_plain_takes_the_fast_path():
    plan = _plan(
        {
            "@context": "http://www.w3.org/ns/csvw",
            "tables": [
                {
                    "url": "t.csv",
                    CG + "inGraph": BASE + "graph/{c}",
                    "tableSchema": {
                        "aboutUrl": BASE + "id/{a}",
                        "columns": [
                            {"name": "a", "datatype": {"base": "string", "format": "[a-z]+"}, "required": True},
                            {"name": "b", "datatype": {"base": "decimal", "minimum": -90, "maximum": 90}},
                            {"name": "c", "datatype": "date"},
                        ],
                    },
                }
            ],
        }
    )
    writer = LineWriter(plan, NAMES)
    assert writer.plain(["ab", "-12.5", "2012-05-27"]) is not None
    # A date that does not exist, a number out of bounds, an id of the wrong form: for the library to name the fault.
    for cells in (["ab", "", "2012-02-30"], ["ab", "90.5", ""], ["AB", "", ""], ["", "1", ""]):
        assert writer.plain(cells) is None
        assert writer(2, cells)[1]


def test_the_bundled_tables_give_equal_quads_on_both_paths(root):
    metadata = root / "data/csv-metadata.json"
    lines = set()
    for plan in read_metadata(metadata):
        faults: list = []
        rows = read_cells(plan, faults)
        writer = LineWriter(plan, next(rows)[1])
        for number, cells in rows:
            plain = writer.plain(cells)
            assert plain is not None, (plan.file, number)
            lines.update(plain)
    assert "".join(sorted(lines)).encode() == to_nquads(read_tables(metadata).quads)
    assert len(list(parse(input="".join(lines), format=RdfFormat.N_QUADS))) == len(lines)


@pytest.mark.parametrize("sort", ["tables", "lines"])
def test_a_row_is_all_that_its_quads_depend_on(sort):
    metadata = {
        "@context": "http://www.w3.org/ns/csvw",
        "tables": [
            {
                "url": "t.csv",
                CG + "inGraph": BASE + "graph/{c}",
                "tableSchema": {"aboutUrl": BASE + "id/{a}", "columns": [{"name": name} for name in NAMES]},
            }
        ],
    }
    for column in metadata["tables"][0]["tableSchema"]["columns"]:
        column["propertyUrl"] = CG + column["name"]
    plan = _plan(metadata)
    rows = [["1", "x", "g"], ["2", "", "h"], ["1", "x", "g"]]
    writer = LineWriter(plan, NAMES)
    read = (
        writer if sort == "lines" else lambda number, cells: careful(plan, number, dict(zip(NAMES, cells, strict=True)))
    )
    first, second, third = (read(number, cells)[0] for number, cells in enumerate(rows))
    assert first == third != second
