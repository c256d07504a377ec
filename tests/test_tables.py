"""Tables to quads, and every kind of bad table with its located error. Each case is a folder of files."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse

from culturegraph.errors import DataErrors, StorageError
from culturegraph.rdf.canonical import to_nquads
from culturegraph.sources.metadata import compile_template
from culturegraph.sources.tables import read_tables

CASES = Path(__file__).parent / "cases" / "tables"
GOOD = CASES / "good"


def _copy_good(folder: Path) -> Path:
    for path in GOOD.glob("*"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_rows_become_the_quads_that_the_metadata_says():
    tables = read_tables(GOOD / "csv-metadata.json")
    expected = list(parse(path=str(GOOD / "expected.nq"), format=RdfFormat.N_QUADS))
    assert to_nquads(tables.quads).decode() == to_nquads(expected).decode()
    assert tables.rows == {"sources.csv": 2, "norms.csv": 3, "names.csv": 2}


def test_each_quad_knows_its_cell():
    tables = read_tables(GOOD / "csv-metadata.json")
    cells = {str(origin) for origin in tables.origin.values()}
    assert "norms.csv:3:issued" in cells
    # The row of a cell that spans lines is the line on which the row begins.
    assert "norms.csv:4:title" in cells


def test_an_unchanged_table_gives_equal_bytes_twice():
    once, twice = (to_nquads(read_tables(GOOD / "csv-metadata.json").quads) for _ in range(2))
    assert once == twice


# One line of a table changed → exactly these errors.
FAULTS = {
    "bad date": ("norms.csv", "2003-12-18", "2003-13-01", ['norms.csv:3:issued "2003-13-01" is not a date']),
    "day that does not exist": (
        "norms.csv",
        "2003-12-18",
        "2003-02-30",
        ['norms.csv:3:issued "2003-02-30" is not a date'],
    ),
    "missing source": ("norms.csv", "2003-12-18,b,", "2003-12-18,,", ["norms.csv:3:source is required but empty"]),
    "dangling source": (
        "norms.csv",
        "2003-12-18,b,",
        "2003-12-18,c,",
        ['norms.csv:3:source "c" is not in sources.csv'],
    ),
    "dangling list item": (
        "norms.csv",
        "law-1;law-2",
        "law-1;law-9",
        ['norms.csv:4:amends "law-9" is not in norms.csv'],
    ),
    "duplicate key": ("norms.csv", "law-2,Segunda", "law-1,Segunda", None),
    "unknown column": ("norms.csv", "id,title", "id,tittle", None),
    "too few cells": (
        "norms.csv",
        ",2003-12-18,b,",
        ",2003-12-18",
        ["norms.csv:3 has 4 cells, the header 6", 'norms.csv:4:amends "law-2" is not in norms.csv'],
    ),
    "unclosed quote": ("norms.csv", "Segunda", '"Segunda', None),
    "bad id": ("sources.csv", "b,El", "B b,El", None),
    "bad language tag": ("names.csv", "law-1,qu,", "law-1,q,", None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_located(name, tmp_path):
    file, old, new, expected = FAULTS[name]
    folder = _copy_good(tmp_path)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        read_tables(folder / "csv-metadata.json")
    lines = str(caught.value).splitlines()
    if expected is not None:
        assert lines == expected
    assert all(line.split(":")[0].endswith(".csv") for line in lines)


def test_unknown_and_missing_columns_are_both_named(tmp_path):
    folder = _copy_good(tmp_path)
    path = folder / "norms.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("id,title", "id,tittle", 1), encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        read_tables(folder / "csv-metadata.json")
    text = str(caught.value)
    assert "unknown column 'tittle'" in text
    assert "column 'title' is missing" in text


def test_a_repeated_key_names_both_rows(tmp_path):
    folder = _copy_good(tmp_path)
    path = folder / "norms.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("law-2,Segunda", "law-1,Segunda", 1), encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        read_tables(folder / "csv-metadata.json")
    assert "norms.csv:3 repeats the key of row 2: id 'law-1'" in str(caught.value).splitlines()


def test_all_faults_of_a_run_are_told(tmp_path):
    folder = _copy_good(tmp_path)
    for file, old, new in (("norms.csv", "2003-12-18", "2003-13-01"), ("sources.csv", ",El diario", ",")):
        path = folder / file
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        read_tables(folder / "csv-metadata.json")
    assert {error.file for error in caught.value.errors} == {"norms.csv", "sources.csv"}


def test_wrong_encoding_is_located(tmp_path):
    folder = _copy_good(tmp_path)
    path = folder / "norms.csv"
    path.write_bytes(path.read_bytes().replace("región".encode(), "región".encode("cp850")))
    with pytest.raises(DataErrors, match=r"norms\.csv:5 is not UTF-8: byte b'\\xa2'"):
        read_tables(folder / "csv-metadata.json")


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    folder = _copy_good(tmp_path)
    path = folder / "norms.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert to_nquads(read_tables(folder / "csv-metadata.json").quads) == to_nquads(
        read_tables(GOOD / "csv-metadata.json").quads
    )


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_table_without_header_is_an_error(tmp_path, content):
    folder = _copy_good(tmp_path)
    (folder / "names.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataErrors, match=r"names\.csv"):
        read_tables(folder / "csv-metadata.json")


def test_a_missing_table_is_an_error(tmp_path):
    folder = _copy_good(tmp_path)
    (folder / "names.csv").unlink()
    with pytest.raises(DataErrors, match=r"names\.csv is missing"):
        read_tables(folder / "csv-metadata.json")


def test_metadata_that_is_no_json_is_located(tmp_path):
    (tmp_path / "csv-metadata.json").write_text('{"tables": [', encoding="utf-8")
    with pytest.raises(DataErrors, match=r"csv-metadata\.json:1:\d+ is not JSON"):
        read_tables(tmp_path / "csv-metadata.json")


def test_metadata_that_the_library_would_ignore_is_an_error(tmp_path):
    folder = _copy_good(tmp_path)
    path = folder / "csv-metadata.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"lang": "es"', '"lang": "{es}"', 1), encoding="utf-8")
    with pytest.raises(DataErrors, match="is not CSVW metadata"):
        read_tables(path)


def test_unreadable_metadata_is_an_input_output_error(tmp_path):
    with pytest.raises(StorageError, match="cannot be read"):
        read_tables(tmp_path / "csv-metadata.json")


@pytest.mark.parametrize(
    ("template", "cells", "iri"),
    [
        ("http://x/{id}", {"id": "a b/ñ"}, "http://x/a%20b%2F%C3%B1"),
        ("http://x/{+ref}", {"ref": "id/norm/law-1"}, "http://x/id/norm/law-1"),
        ("{+url}", {"url": "https://a.pe/?q=1&r=%20#x"}, "https://a.pe/?q=1&r=%20#x"),
        ("http://x/{a}-{b}", {"a": "1", "b": "2"}, "http://x/1-2"),
        ("http://x/{?q}", {"q": "ñ"}, "http://x/?q=%C3%B1"),
    ],
)
def test_uri_templates_expand_as_rfc_6570_says(template, cells, iri):
    import uritemplate

    assert compile_template(template)(cells) == iri == uritemplate.expand(template, cells)


def test_a_line_separator_within_a_cell_ends_no_row(tmp_path):
    # U+2028, U+0085 and the vertical tab are line ends to Python's splitlines, not to CSV.
    folder = _copy_good(tmp_path)
    path = folder / "norms.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("Segunda", "Se\u2028gun\x85da\x0b!"), encoding="utf-8")
    values = {getattr(quad.object, "value", "") for quad in read_tables(folder / "csv-metadata.json").quads}
    assert any("\u2028gun\x85da\x0b!" in value for value in values)


@pytest.mark.parametrize("value", ["INF", "-INF", "NaN"])
def test_a_decimal_is_a_finite_number(value):
    from csvw import Datatype

    from culturegraph.sources.metadata import ValueReader

    with pytest.raises(ValueError, match="is not of decimal"):
        ValueReader(Datatype.fromvalue("decimal"))(value)
    assert ValueReader(Datatype.fromvalue("double"))(value) is not None
