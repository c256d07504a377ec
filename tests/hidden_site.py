"""A small project in which a community later hides things, and every way by which a client could reach them.

Four things are hidden, each known by a mark that stands nowhere else: a whole expression with all that is told of it,
one name of an open people, a note by its words, and a source with everything that it says.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Triple
from test_release import commit, git

from culturegraph.rdf.statements import statement_hash
from culturegraph.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[1]
BASE: Final = "https://w3id.org/culturegraph/"
# In the bytes of what is hidden, and nowhere else.
MARKS: Final = (b"q7x1z", b"w9x2z", b"k3v8z", b"p4m5z")
THING, NAME, WORDS, SOURCE = (mark.decode() for mark in MARKS)
HIDDEN_THING: Final = f"id/expression/danza-{THING}"
HIDDEN_SOURCE: Final = f"graph/source/libro-{SOURCE}"
HIDDEN_NAME: Final = Triple(
    NamedNode(BASE + "id/people/omaru"),
    NamedNode("http://www.w3.org/2004/02/skos/core#altLabel"),
    Literal(f"Omaruna {NAME}", language="es"),
)
TEXT: Final = f"canto de los {WORDS}"
# Schemes that rows or rules of the project name.
_SCHEMES: Final = (
    "areas", "expression-types", "ich-domains", "source-kinds", "register-classes", "unesco-lists", "correction-roles",
    "correction-states", "reserve-kinds", "measures",
)  # fmt: skip
FIRST, SECOND = "2026.10.0", "2026.11.0"

_ROWS: Final[dict[str, list[dict[str, str]]]] = {
    "sources": [
        {"id": "editorial", "title": "editorial", "publisher": "culturegraph", "kind": "editorial",
         "licence": "https://creativecommons.org/licenses/by/4.0/"},
        {"id": "libro", "title": "Libro de pruebas", "publisher": "Nadie", "url": "https://example.org/libro",
         "licence": "https://creativecommons.org/licenses/by/4.0/", "retrieved": "2026-10-01", "kind": "primary"},
        {"id": f"libro-{SOURCE}", "title": f"Cuaderno {SOURCE}", "publisher": "Nadie", "rights": "unknown, facts only",
         "url": f"https://example.org/{SOURCE}", "retrieved": "2026-10-01", "kind": "primary"},
    ],
    "peoples": [
        {"id": "omaru", "label_es": "Omaru", "label_en": "Omaru people", "area": "amazonia", "source": "libro",
         "locator": "1"},
    ],
    "places": [
        {"id": "pe", "label_es": "Perú", "label_en": "Peru", "type": "Country", "latitude": "-9.17",
         "longitude": "-74.35", "source": "libro", "locator": "1"},
    ],
    "expressions": [
        {"id": "danza-abierta", "label_es": "Danza abierta", "label_en": "Open dance", "type_editorial": "Dance",
         "place": "id/place/pe", "source": "libro", "locator": "2", "note_editorial": f"Here stands the {TEXT}."},
        {"id": f"danza-{THING}", "label_es": f"Danza secreta {THING}", "label_en": f"Secret dance {THING}",
         "type_editorial": "Dance", "domain_editorial": "performing", "place": "id/place/pe", "source": "libro",
         "locator": f"page {THING}", "note_editorial": f"Danced by {THING}."},
        {"id": "danza-de-cuaderno", "label_es": f"Danza anotada {SOURCE}", "label_en": f"Noted dance {SOURCE}",
         "type_editorial": "Dance", "source": f"libro-{SOURCE}", "locator": "3"},
    ],
    "practices": [
        {"id": f"omaru-{THING}", "expression": f"danza-{THING}", "practitioner": "id/people/omaru",
         "practitioner_name": f"Omaru of {THING}", "place": "id/place/pe", "source": "libro", "locator": "4"},
        {"id": "omaru-abierta", "expression": "danza-abierta", "practitioner": "id/people/omaru", "source": "libro",
         "locator": "4"},
    ],
    "names": [
        {"subject": "id/people/omaru", "kind": "altLabel", "lang": "es", "name": f"Omaruna {NAME}", "source": "libro",
         "locator": "5"},
        {"subject": f"id/expression/danza-{THING}", "kind": "altLabel", "lang": "es", "name": f"Baile {THING}",
         "source": "libro", "locator": "5"},
    ],
    "recognitions": [
        {"id": f"rec-{THING}", "type": "HeritageDeclaration", "recognises": f"danza-{THING}", "date": "2020-02-01",
         "source": "libro", "locator": "6"},
    ],
    "gaps": [
        {"id": f"gap-{THING}", "label_es": f"Falta {THING}", "label_en": f"Missing {THING}", "as_of": "2026-10-01",
         "property": "ontology/date", "about": f"id/expression/danza-{THING}", "searched_in": THING, "source": "editorial"},
    ],
    "corrections": [
        {"id": f"corr-{THING}", "about": f"id/expression/danza-{THING}", "proposal_es": f"No mostrar {THING}",
         "proposal_en": f"Do not show {THING}", "role": "community", "received": "2026-10-02", "state": "received"},
    ],
    "documents": [{"id": "qpr-2012", "label_es": "Informe", "label_en": "Report", "source": "libro"}],
}  # fmt: skip


def make_project(folder: Path) -> Settings:
    """Make the project in a repository, with everything told and released."""
    root = folder / "root"
    (root / "data").mkdir(parents=True)
    (root / "ontology" / "schemes").mkdir(parents=True)
    shutil.copytree(ROOT / "ontology" / "modules", root / "ontology" / "modules")
    shutil.copy(ROOT / "ontology" / "culturegraph.ttl", root / "ontology")
    for scheme in _SCHEMES:
        shutil.copy(ROOT / "ontology" / "schemes" / f"{scheme}.ttl", root / "ontology" / "schemes")
    for part in ("shapes", "queries"):
        shutil.copytree(ROOT / part, root / part)
    shutil.copy(ROOT / "data" / "csv-metadata.json", root / "data")
    for table in sorted((ROOT / "data").glob("*.csv")):
        write_table(root / "data" / table.name, table, _ROWS.get(table.stem, []))
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- Things.\n", encoding="utf-8")
    git(root, "init", "-q")
    commit(root, "one", "2026-10-01T12:00:00Z")
    return Settings(root=root, store=folder / "store", releases=folder / "releases", port=0, workers=2)


def write_table(path: Path, like: Path, rows: list[dict[str, str]]) -> None:
    """Write rows below the header of another table."""
    with like.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def restrict(folder: Path) -> Path:
    """Write the restrictions of the project into a private folder."""
    folder.mkdir(exist_ok=True)
    rows = [
        f"{HIDDEN_THING},,,restricted,community,2026-10-20",
        f",{statement_hash(HIDDEN_NAME)},,restricted,community,2026-10-20",
        f',,"{TEXT}",on-request,community,2026-10-20',
        f"{HIDDEN_SOURCE},,,restricted,community,2026-10-20",
    ]
    text = "\n".join(["thing,statement,text,level,role,date", *rows]) + "\n"
    (folder / "restrictions.csv").write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Probe:
    """One request. It never holds a whole mark, so that no answer can have one from it."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, Any] | None = None
    body: str | None = None
    # Whether a mark is in the answer of a server that hides nothing.
    tells: bool = True


def ask(query: str, **headers: str) -> Probe:
    """Return a query to the endpoint."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Probe("/sparql?query=" + quote(query), headers=named)


_JSON: Final = "application/sparql-results+json"
_PREFIX: Final = (
    "PREFIX cg: <https://w3id.org/culturegraph/ontology/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>"
)
EVERYTHING: Final = "SELECT ?s ?p ?o { ?s ?p ?o }"
