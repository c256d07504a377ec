"""Small parts that the adapters share: sorting, keys, cells for spreadsheets, codes, coordinates, encodings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from culturegraph.rdf.spreadsheets import guard, unguard
from culturegraph.sources.adapters.cleaning import clean_code, clean_coordinates
from culturegraph.sources.adapters.delimited import decode_line
from culturegraph.sources.adapters.names import is_damaged, repair_mojibake
from culturegraph.sources.keys import KeyIndex
from culturegraph.sources.sorting import sort_lines


@given(st.lists(st.text(alphabet="abé😀\U0000ffff", max_size=3).map(lambda text: text + "\n")), st.integers(1, 4))
def test_lines_are_sorted_by_bytes_each_once_however_few_are_held(lines, run):
    assert list(sort_lines(lines, run=run)) == sorted({line.encode() for line in lines})


def test_more_runs_than_files_may_be_open():
    lines = [f"{number % 97}\n" for number in range(1000)]
    assert list(sort_lines(lines, run=5)) == sorted({line.encode() for line in lines})


def test_keys_know_their_first_row():
    with KeyIndex() as keys:
        assert keys.add("t", ["a", "b"], 2) is None
        assert keys.add("t", ["a", "b"], 3) == 2
        assert keys.add("u", ["a", "b"], 4) is None
        assert keys.find("t", ["a", "b"]) == 2
        assert keys.find("t", ["ab", ""]) is None


@given(st.text(max_size=6))
def test_no_cell_is_a_formula_and_every_one_comes_back(value):
    cell = guard(value)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    if not value.startswith("'"):
        assert unguard(cell) == value


@pytest.mark.parametrize("value", ["=1+1", "+1", "-77.1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_what_looks_like_a_formula_gets_an_apostrophe(value):
    assert guard(value) == "'" + value
    assert guard("Danza = baile") == "Danza = baile"


@pytest.mark.parametrize(
    ("written", "value", "repair", "fault"),
    [
        ("010101", "010101", "", ""),
        ("10101", "010101", "leading zero restored", ""),
        ("10101.0", "010101", "leading zero restored", ""),
        ("220101.0", "220101", "a decimal point after a code", ""),
        ("1.01E+05", "", "", "a spreadsheet rounded the code: its digits are lost"),
        ("1010", "", "", "is not a code of 6 digits"),
        ("٢٢٠١٠١", "", "", "is not a code of 6 digits"),
        ("", "", "", "is not a code of 6 digits"),
    ],
)
def test_codes(written, value, repair, fault):
    cleaned = clean_code(written, 6)
    assert (cleaned.value, cleaned.repair, cleaned.fault) == (value, repair, fault)


@pytest.mark.parametrize(
    ("pair", "clean"),
    [
        (("-12.5", "-77.1"), ("-12.5", "-77.1")),
        (("-77.1", "-12.5"), ("-12.5", "-77.1")),
        (("-12,5", "-77,1"), ("-12.5", "-77.1")),
        (("−12.5", "-77.1"), ("-12.5", "-77.1")),
        (("12.5", "-77.1"), ("", "")),
        (("-12.5", ""), ("", "")),
        (("", ""), ("", "")),
        (("-12.5", "oeste"), ("", "")),
        (("1e1", "-77"), ("", "")),
    ],
)
def test_coordinates(pair, clean):
    latitude, longitude = clean_coordinates(*pair)
    assert (latitude.value, longitude.value) == clean
    assert bool(latitude.fault) == (clean == ("", "") and pair != ("", ""))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("región de San Martín", "cp850"),
        ("REGIÓN DE ÁNCASH", "cp850"),
        ("Médano Blanco, Parque de los Héroes", "cp1252"),
        ("Óscar baila música", "cp1252"),
        ("¿Quién baila?", "cp850"),
    ],
)
def test_old_code_pages_are_told_apart(text, how):
    assert decode_line(text.encode(how)) == (text, how)
    assert decode_line(text.encode()) == (text, "utf-8")


def test_bytes_that_could_be_either_are_not_guessed():
    text, how = decode_line(b"\xff\xfe\xfd")
    assert how == "undecidable"
    assert "\ufffd" in text


@pytest.mark.parametrize("damaged", ["Ca?ari", "?ancash", "Jos?", "Ca\ufffdari", "a\x91b"])
def test_lost_letters_are_seen(damaged):
    assert is_damaged(damaged)


@pytest.mark.parametrize("sound", ["¿Quién baila?", "Maijɨki", "Q’eswachaka", "Ñahui", ""])
def test_whole_names_are_left_alone(sound):
    assert not is_damaged(sound)
    assert repair_mojibake(sound) == sound


@pytest.mark.parametrize(("spoiled", "name"), [("FERREÃ\x91AFE", "FERREÑAFE"), ("Ã‘ahui", "Ñahui"), ("NiÃ±o", "Niño")])
def test_mojibake(spoiled, name):
    assert repair_mojibake(spoiled) == name
