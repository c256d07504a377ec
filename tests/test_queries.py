"""The heads of query files."""

from __future__ import annotations

import pytest

from culturegraph.errors import DataError, DataErrors, StorageError
from culturegraph.queries import check_syntax, read_queries, read_query

HEAD = """#+ id: first
#+ title: {es: Primera, en: First}
#+ tags: [researcher, norms]
#+ expect: {min: 3}
"""
BODY = """# SELECT in a comment
PREFIX ex: <http://example.org/ASK#>
CONSTRUCT { ?s a ex:Thing } WHERE { ?s ?p "SELECT" }
"""


def _write(folder, text, name="q.rq"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_head_is_read_and_the_rest_is_the_query(tmp_path):
    query = read_query(_write(tmp_path, HEAD + BODY))
    assert (query.id, query.title["es"], query.tags) == ("first", "Primera", ("researcher", "norms"))
    assert query.head["expect"] == {"min": 3}
    assert query.sparql == BODY
    assert query.form == "CONSTRUCT"


def test_the_id_is_the_file_name_unless_the_head_says_otherwise(tmp_path):
    assert read_query(_write(tmp_path, "#+ title: {es: x, en: y}\nASK {}", "cq-99.rq")).id == "cq-99"


def test_a_syntax_error_has_the_line_of_the_file(tmp_path):
    error = check_syntax(read_query(_write(tmp_path, HEAD + "SELECT * {\n  ?s foo:bar ?o }\n")))
    assert str(error).startswith("q.rq:6:6 is not valid SPARQL: the prefix `foo:` is not declared")
    assert check_syntax(read_query(_write(tmp_path, HEAD + BODY))) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#+ title: [\n", r"q\.rq:\d+ has a head that is not YAML"),
        ("#+ - a\n", "not a mapping"),
        ("#+ title: {es: x}\nASK {}", "has no title in en"),
        ("#+ title: plain\nASK {}", "needs `title`"),
        ("#+ title: {es: x, en: y}\n#+ tags: a\nASK {}", "needs `tags` as a list"),
        ("ASK {}", "has no title in en, es"),
    ],
)
def test_a_malformed_head_is_an_error(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_query(_write(tmp_path, text))


def test_every_malformed_file_of_a_folder_is_told(tmp_path):
    _write(tmp_path, "ASK {}", "a.rq")
    _write(tmp_path, HEAD + BODY, "b.rq")
    _write(tmp_path, HEAD + BODY, "c.rq")
    with pytest.raises(DataErrors) as caught:
        read_queries(tmp_path)
    assert [error.file for error in caught.value.errors] == ["a.rq", "c.rq"]


def test_encoding_and_absence_are_told_apart(tmp_path):
    (tmp_path / "q.rq").write_bytes(b"#+ title: {es: regi\xa2n, en: x}\nASK {}")
    with pytest.raises(DataError, match="is not UTF-8"):
        read_query(tmp_path / "q.rq")
    with pytest.raises(StorageError, match="cannot be read"):
        read_query(tmp_path / "none.rq")
