"""Finding by name: spellings, exonyms, identifiers, misspellings; the index holds the merge and nothing else."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store
from small_site import BASE, publish_small, small_quads

from culturegraph.linking.names import fold, folded, plain, spell, split_note, telling, words
from culturegraph.rdf.graphs import VALIDATION
from culturegraph.rdf.vocabulary import CG, LABEL, RDFS, SKOS, TYPE
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import TEXT_INDEX, Snapshot
from culturegraph.store.text_index import TextIndex

ID = BASE + "id/"
ALT, HIDDEN = NamedNode(SKOS + "altLabel"), NamedNode(SKOS + "hiddenLabel")


def _thing(path: str, kind: str, *names: tuple[NamedNode, str, str | None]) -> Iterator[Quad]:
    subject = NamedNode(ID + path)
    yield Quad(subject, TYPE, NamedNode(CG + kind))
    for predicate, text, language in names:
        yield Quad(subject, predicate, Literal(text, language=language) if language else Literal(text))


def _quads() -> Iterator[Quad]:
    yield from _thing("language/quechua", "Language", (LABEL, "Quechua", "es"), (ALT, "Runasimi", "qu"))
    yield from _thing("people/kichwa", "IndigenousPeople", (LABEL, "Kichwa", "es"), (LABEL, "Kichwa people", "en"))
    yield from _thing(
        "people/awajun", "IndigenousPeople", (LABEL, "Awajún", "es"), (HIDDEN, "Aguaruna", "es"), (ALT, "Aents", "agr")
    )
    yield from _thing("people/yine", "IndigenousPeople", (LABEL, "Yine (Piro)", "es"))
    yield from _thing("people/ashaninka", "IndigenousPeople", (LABEL, "Asháninka", "es"))
    yield from _thing("expression/danza", "Dance", (LABEL, "Danza de tijeras", "es"), (LABEL, "Scissors dance", "en"))
    yield from _thing("expression/danzantes", "Dance", (LABEL, "Danzantes de Tijeras de Lucanas", "es"))
    yield from _thing("place/pe-08", "Department", (LABEL, "Cusco", "es"))
    yield from _thing("norm/law-29073", "NationalNorm", (LABEL, "Ley del Artesano", "es"))
    awajun, norm = NamedNode(ID + "people/awajun"), NamedNode(ID + "norm/law-29073")
    yield Quad(NamedNode(CG + "number"), NamedNode(RDFS + "subPropertyOf"), NamedNode(CG + "identifier"))
    yield Quad(norm, NamedNode(CG + "number"), Literal("29073"))
    yield Quad(awajun, NamedNode(SKOS + "exactMatch"), NamedNode("http://www.wikidata.org/entity/Q790969"))
    for path in ("people/awajun", "norm/law-29073"):
        yield Quad(NamedNode(ID + path), NamedNode(CG + "related"), NamedNode(ID + "place/pe-08"))


@pytest.fixture(scope="module")
def index() -> TextIndex:
    store = Store()
    store.bulk_extend(_quads())
    return TextIndex.of(store)


def _found(index: TextIndex, text: str, **options: object) -> list[str]:
    return [hit.iri.removeprefix(ID) for hit in index.search(text, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spellings",
    [
        "Quechua Kechwa Kichwa Quichua Qhichwa QUECHUAS",
        "huayno wayno huayño guayno Huaynos",
        "Cusco Cuzco Qosqo",
        "Shipibo Xipibo shipibos",
        "hatun jatun",
        "Qhapaq Capac Ccapac",
        "Q’ero Qero Keros Q'eros",
        "Awajún awahun",
    ],
)
def test_spellings_of_one_word_are_one(spellings: str) -> None:
    assert len({fold(word) for word in words(spellings)}) == 1


def test_names_that_differ_stay_apart() -> None:
    assert (
        len({folded(name) for name in ("Piro", "Perené", "Shuar", "Huambo", "Huanca", "Huánuco", "Puno", "Piura")}) == 8
    )
    assert spell("misa") != spell("mesa"), "vowels are kept until the last form"


def test_the_parts_of_a_name() -> None:
    assert split_note("Piro (Yine) de Ucayali [nota]") == ("Piro de Ucayali", ("Yine", "nota"))
    assert split_note("(solo)") == ("(solo)", ())
    assert plain("  ¡Ñandú!  Nº 29073—b ") == "nandu no 29073 b"
    assert telling(["danza", "de", "las", "tijeras"]) == ["danza", "tijeras"]
    assert telling(["de", "la"]) == ["de", "la"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Quechuas", "language/quechua"),
        ("KICHWA", "people/kichwa"),
        ("qosqo", "place/pe-08"),
        ("danza de las tijeras", "expression/danza"),
        ("tijeras danza", "expression/danza"),
        ("tijer", "expression/danza"),
        ("danz* de tij*", "expression/danza"),
        ("aguaruna", "people/awajun"),
        ("Piro", "people/yine"),
        ("Yine", "people/yine"),
        ("runasimi", "language/quechua"),
        ("dance scissors", "expression/danza"),
        ("Ley N.º 29073", "norm/law-29073"),
        ("29073", "norm/law-29073"),
        ("wikidata:q790969", "people/awajun"),
        ("http://www.wikidata.org/entity/Q790969", "people/awajun"),
        (ID + "people/awajun", "people/awajun"),
        ("ashanika", "people/ashaninka"),
        ("danza de las tijeras ayacucho", "expression/danza"),
    ],
)
def test_what_is_found_first(index: TextIndex, text: str, first: str) -> None:
    assert _found(index, text)[0] == first


def test_an_exact_name_comes_before_a_variant_and_a_part(index: TextIndex) -> None:
    assert _found(index, "Quechua")[0] == "language/quechua"
    assert _found(index, "danz* de tijeras") == ["expression/danza", "expression/danzantes"]
    scores = [hit.score for hit in index.search("tijeras danza*")]
    assert index.search("danza de tijeras")[0].score > 0.97
    assert 0.8 < scores[0] <= 1 and scores[1] < 0.8


def test_a_hit_tells_what_matched(index: TextIndex) -> None:
    (hit,) = index.search("Aguaruna", language="es")
    assert (hit.label, hit.matched_text, hit.matched_kind) == ("Awajún", "Aguaruna", "hidden")
    assert hit.types == (CG + "IndigenousPeople",)
    (hit,) = index.search("scissors", language="en")
    assert hit.label == "Scissors dance"
    assert index.search("scissors", language="qu")[0].label == "Danza de tijeras", "Spanish where there is no other"
    assert index.label(ID + "place/pe-08") == "Cusco"
    assert index.label(ID + "nothing") is None


def test_types_languages_and_pages(index: TextIndex) -> None:
    assert _found(index, "kichwa", types=[CG + "Language"]) == ["language/quechua"]
    assert _found(index, "danza", names_in="es") == ["expression/danza", "expression/danzantes"]
    assert _found(index, "danza", names_in="en", fuzzy=False) == []
    assert _found(index, "danza", limit=1, offset=1) == ["expression/danzantes"]
    assert index.count("danza") == 2
    assert index.count_by_type("danza") == {CG + "Dance": 2}
    assert _found(index, "ashanika", fuzzy=False) == []


def test_words_are_whole_save_the_last_and_the_starred(index: TextIndex) -> None:
    assert _found(index, "danz tijeras", fuzzy=False) == []
    assert _found(index, "danz* tijeras", fuzzy=False) == _found(index, "tijeras danz", fuzzy=False) != []
    assert _found(index, "tijeras d", fuzzy=False) == []


def test_suggestions_go_on_where_the_writer_stops(index: TextIndex) -> None:
    assert [hit.iri for hit in index.suggest("tijeras d")] == [ID + "expression/danza", ID + "expression/danzantes"]
    assert [hit.iri for hit in index.suggest("d", [CG + "Dance"], limit=1)] == [ID + "expression/danza"]
    assert index.suggest("") == []


def test_identifiers(index: TextIndex) -> None:
    assert [hit.matched_text for hit in index.lookup_identifier("29073")] == ["29073"]
    assert index.lookup_identifier("29074") == []
    assert index.lookup_identifier("kichwa") == []


@pytest.mark.parametrize(
    "text", ["", " ", "(", '"', "*", "a* OR b", 'x" OR "y', "NEAR(a b)", "😀", "\x00", "-", "de", "x" * 10_000]
)
def test_no_text_breaks_the_search(index: TextIndex, text: str) -> None:
    assert isinstance(index.search(text), list)
    assert isinstance(index.suggest(text), list)
    assert isinstance(index.lookup_identifier(text), list)


@given(st.text(max_size=40))
def test_no_text_at_all_breaks_the_search(text: str) -> None:
    for hit in _ANY.search(text):
        assert 0 < hit.score <= 1


_ANY = TextIndex.of(Store())


def test_what_is_not_in_the_merge_cannot_be_found(tmp_path: Path) -> None:
    told = [*small_quads(), Quad(NamedNode(ID + "x/secret"), LABEL, Literal("Secreto", language="es"), VALIDATION)]
    snapshot = publish(tmp_path, told, version="1", metadata={})
    assert (snapshot.path / TEXT_INDEX).is_file()
    assert TEXT_INDEX in snapshot.manifest["files"]
    assert _found(snapshot.text_index, "secreto") == []
    assert "people/awajun" in _found(snapshot.text_index, "aguaruna")


def test_the_same_graph_gives_the_same_file(tmp_path: Path) -> None:
    files = [publish_small(tmp_path / name).path / TEXT_INDEX for name in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_snapshot_without_the_file_makes_its_index(tmp_path: Path) -> None:
    with_file = publish_small(tmp_path)
    (with_file.path / TEXT_INDEX).unlink()
    older = Snapshot(with_file.path, with_file.manifest, with_file.store)
    assert _found(older.text_index, "aguaruna") == ["people/awajun"]


def test_threads_and_forks_each_open_it(tmp_path: Path) -> None:
    index = publish_small(tmp_path).text_index
    expected = index.search("aguaruna")
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.extend(index.search("aguaruna") == expected for _ in range(50)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 200
    child = os.fork()
    if child == 0:
        index._matches.cache_clear()
        os._exit(0 if index.search("aguaruna") == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
