"""A small project in which a community later hides things, and every way by which a client could reach them.

Four things are hidden, each known by a mark that stands nowhere else: a whole expression with all that is told of it,
one name of an open people, a note by its words, and a source with everything that it says.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Triple
from released_project import commit, git

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
    "access-levels", "local-contexts-labels", "local-contexts-notices",
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
         "property": "ontology/date", "about": f"id/expression/danza-{THING}", "searched_in": THING,
         "source": "editorial"},
    ],
    "corrections": [
        {"id": f"corr-{THING}", "about": f"id/expression/danza-{THING}", "proposal_es": f"No mostrar {THING}",
         "proposal_en": f"Do not show {THING}", "role": "community", "received": "2026-10-02", "state": "received"},
    ],
    "institutions": [
        {"id": "museo", "label_es": "Museo", "label_en": "Museum", "type": "Institution", "source": "libro",
         "locator": "1"},
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
    (root / "ontology" / "alignments").mkdir()
    shutil.copy(ROOT / "ontology" / "alignments" / "odrl.ttl", root / "ontology" / "alignments")
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


def ask(query: str, *, tells: bool = True, **headers: str) -> Probe:
    """Return a query to the endpoint."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Probe("/sparql?query=" + quote(_PREFIX + query), headers=named, tells=tells)


_JSON: Final = "application/sparql-results+json"
_PREFIX: Final = (
    "PREFIX cg: <https://w3id.org/culturegraph/ontology/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
)
_ALL: Final = "SELECT ?s ?p ?o { ?s ?p ?o }"
_BY_WORDS: Final = {"q0": {"query": "Danza secreta", "limit": 5}, "q1": {"query": "Omaruna", "limit": 5}}
_RESULTS: Final = (_JSON, "application/sparql-results+xml", "text/csv", "text/tab-separated-values")
_GRAPHS: Final = (
    "text/turtle", "application/n-triples", "application/ld+json", "application/rdf+xml", "application/trig",
    "application/n-quads",
)  # fmt: skip
PROBES: Final[dict[str, Probe]] = {
    **{f"select as {kind}": ask(_ALL, accept=kind) for kind in _RESULTS},
    **{f"construct as {kind}": ask("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", accept=kind) for kind in _GRAPHS},
    "select again, from the cache": ask(_ALL, accept=_JSON),
    "packed by gzip": ask(_ALL, accept="text/csv", accept_encoding="gzip"),
    "describe": ask("DESCRIBE <https://w3id.org/culturegraph/id/people/omaru>"),
    "graphs": ask("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"),
    "every named graph": ask("SELECT * { GRAPH ?g { ?s ?p ?o } }"),
    "what is inferred": ask("SELECT * { GRAPH <https://w3id.org/culturegraph/graph/inferred> { ?s ?p ?o } }"),
    "the catalogue": ask("SELECT * { GRAPH <https://w3id.org/culturegraph/graph/catalogue> { ?s ?p ?o } }"),
    "the report": ask("SELECT * { GRAPH <https://w3id.org/culturegraph/graph/validation> { ?s ?p ?o } }"),
    "words joined": ask('SELECT (GROUP_CONCAT(?o; separator="|") AS ?all) { ?s rdfs:label ?o }'),
    "text match": ask('SELECT ?s ?l { ?s cg:textMatch "secreta" ; rdfs:label ?l }'),
    "text match with the name": ask('SELECT * { ?s cg:textMatch ( "omaruna" 9 ?score ?name ) }'),
    "a default graph of the request": Probe(
        "/sparql?default-graph-uri=https://w3id.org/culturegraph/graph/source/editorial&query=" + quote(_ALL)
    ),
    "posted as a form": Probe("/sparql", "POST", {"accept": _JSON}, form={"query": _ALL}),
    "posted as it is": Probe(
        "/sparql", "POST", {"accept": _JSON, "content-type": "application/sparql-query"}, body=_ALL
    ),
    "service description": Probe("/sparql", headers={"accept": "text/turtle"}),
    "a faulty query": ask("SELECT * { ?s rdfs:label 'danza secreta' . ?s }", tells=False),
    "front page": Probe("/", tells=False),
    "search page": Probe("/search?q=danza", headers={"accept": "text/html"}),
    "search": Probe("/search?q=secreta", headers={"accept": "application/json"}),
    "search for a name": Probe("/search?q=omaruna", headers={"accept": "application/json"}),
    "reconcile": Probe("/reconcile", "POST", form={"queries": json.dumps(_BY_WORDS)}),
    "suggest entities": Probe("/reconcile/suggest/entity?prefix=danza"),
    "preview": Probe("/reconcile/preview?id=people/omaru", tells=False),
    "harvest dc": Probe("/oai?verb=ListRecords&metadataPrefix=oai_dc"),
    "harvest marc": Probe("/oai?verb=ListRecords&metadataPrefix=marcxml"),
    "harvest headers": Probe("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc"),
    "harvest sets": Probe("/oai?verb=ListSets", tells=False),
    "sru": Probe("/sru?operation=searchRetrieve&version=2.0&query=secreta"),
    "sru scan of all": Probe("/sru?operation=searchRetrieve&version=2.0&query=danza&maximumRecords=20"),
    "void": Probe("/.well-known/void", headers={"accept": "text/turtle"}),
    "catalogue": Probe("/catalogue", headers={"accept": "text/turtle"}, tells=False),
    "graphs page": Probe("/graph/", headers={"accept": "text/html"}),
    "validation page": Probe("/validation/", headers={"accept": "text/html"}),
    "sitemap": Probe("/sitemap.xml"),
    "feed": Probe("/feed.atom", tells=False),
    "metrics": Probe("/metrics", tells=False),
    "health": Probe("/health", tells=False),
    "robots": Probe("/robots.txt", tells=False),
    "people page": Probe("/doc/people/omaru", headers={"accept": "text/html"}),
    "people data": Probe("/data/people/omaru.ttl"),
    "people sheet": Probe("/browse/people/omaru", headers={"accept": "text/html"}),
    "place page": Probe("/doc/place/pe", headers={"accept": "text/html"}),
    "open thing's page": Probe("/doc/expression/danza-abierta", headers={"accept": "text/html"}),
    "coverage": Probe("/about/data/coverage", tells=False),
    "release": Probe(f"/releases/{FIRST}", headers={"accept": "text/html"}, tells=False),
    "release as RDF": Probe(f"/releases/{FIRST}", headers={"accept": "text/turtle"}),
    "dump": Probe(f"/dumps/{FIRST}/culturegraph-{FIRST}.nq.gz"),
    "dump of tables": Probe(f"/dumps/{FIRST}/culturegraph-{FIRST}-csvw.zip"),
    "report of the release": Probe(f"/dumps/{FIRST}/validation-report.ttl"),
    "page as the release had it": Probe(f"/releases/{FIRST}/id/people/omaru", headers={"accept": "text/html"}),
    "data as the release had it": Probe(f"/releases/{FIRST}/id/people/omaru.ttl"),
    "memento of now": Probe("/timegate/id/people/omaru", headers={"accept": "text/html"}),
    "time map": Probe("/timemap/link/id/people/omaru", tells=False),
    "law of a day": Probe("/queries/cq-26", headers={"accept": "text/html"}, tells=False),
    "report draft": Probe("/exports/unesco-qpr", headers={"accept": "text/html"}, tells=False),
    "inventory": Probe("/exports/inventory.csv", tells=False),
    "schema.org": Probe("/exports/schema-org.nt"),
    "cidoc": Probe("/exports/cidoc-crm.nt"),
    "linked art": Probe("/exports/linked-art.jsonld"),
    "hashes of the release": Probe(f"/dumps/{FIRST}/hashes.json"),
    "difference": Probe(f"/releases/{SECOND}/diff?from={FIRST}", headers={"accept": "text/html"}, tells=False),
}
# What a client may guess, each with a thing that never was: the answers must not differ.
_NEVER: Final = "q7x1y"


def twins() -> Iterator[tuple[str, str]]:
    """Yield (path of what is hidden, path of what never was) by every way on which a name is looked up."""
    hidden, never = f"danza-{THING}", f"danza-{_NEVER}"
    oai = "/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:w3id.org:culturegraph/id/expression/"
    find = '/reconcile?queries={"q0":{"query":"%s"}}'
    for form in (
        "/id/expression/{}", "/doc/expression/{}", "/data/expression/{}", "/data/expression/{}.ttl",
        "/data/expression/{}.jsonld", "/linkset/expression/{}", "/correction/expression/{}", "/search?q={}",
        "/reconcile/preview?id=expression/{}", "/exports/marc/expression/{}", "/exports/edm/expression/{}",
        "/reconcile/suggest/entity?prefix={}", oai + "{}", f"/releases/{FIRST}/id/expression/{{}}",
        f"/releases/{FIRST}/id/expression/{{}}.jsonld",
        "/timegate/id/expression/{}", "/timemap/link/id/expression/{}", "/timemap/json/id/expression/{}",
        "/exports/schema-org/expression/{}", "/exports/cidoc-crm/expression/{}.ttl",
        "/sparql?query=" + quote("DESCRIBE <https://w3id.org/culturegraph/id/expression/") + "{}" + quote(">"),
        "/sru?operation=searchRetrieve&version=2.0&query={}",
    ):  # fmt: skip
        yield form.format(hidden), form.format(never)
    yield find % hidden, find % never
    digest, unknown = statement_hash(HIDDEN_NAME), "0" * 64
    for form in (
        "/statement/{}", "/doc/statement/{}", "/data/statement/{}", "/data/statement/{}.ttl",
        "/statement/{}/citation.bib", "/statement/{}/citation.csl", "/correction/?about=/statement/{}",
    ):  # fmt: skip
        yield form.format(digest), form.format(unknown)
    for form in ("/graph/source/libro-{}", "/doc/graph/source/libro-{}", "/data/graph/source/libro-{}.nq"):
        yield form.format(SOURCE), form.format("p4m5y")


def unpacked(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """Yield bytes, and what is in them where they are an archive or packed."""
    yield data
    if depth and data[:2] == b"\x1f\x8b":
        yield from unpacked(gzip.decompress(data), depth - 1)
    elif depth and data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from unpacked(archive.read(name), depth - 1)


def find_marks(data: bytes) -> set[bytes]:
    """Return the marks that stand in some bytes, packed or not, in capitals or not."""
    return {mark for part in unpacked(data) for mark in MARKS if mark in part.lower()}
