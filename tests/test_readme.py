"""What the README promises: its query gives its answer, its files and commands exist."""

from __future__ import annotations

import csv
import io
import re

import pytest

from culturegraph.rdf.vocabulary import BASE


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def _block(text, language):
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, language
    return found[1]


def test_the_query_gives_the_answer_that_stands_below_it(readme, built_store):
    answer = built_store.query(_block(readme, "sparql"))
    rows = [[variable.value for variable in answer.variables]]
    rows += [[cell.value for cell in row] for row in answer]
    assert rows == list(csv.reader(io.StringIO(_block(readme, "csv"))))


def test_the_python_example_is_python(readme):
    compile(_block(readme, "python"), "README.md", "exec")


def test_linked_files_exist(readme, root):
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (root / link).exists()] == []


def test_the_commands_are_targets_of_make(readme, root):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make (\w[\w-]*)", readme)) - {"for"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_base_is_the_one_of_the_code(readme):
    assert f"`{BASE}`" in readme
