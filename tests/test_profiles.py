"""Profiles of export: each record against its shapes, each count against SPARQL, each address against a server."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import shutil
import tracemalloc
from collections.abc import Iterator, Sequence
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from httpx import Client
from lxml import etree
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse
from small_site import listening

from culturegraph.bench import exports as exports_bench
from culturegraph.build import Build
from culturegraph.check import check_profiles
from culturegraph.cli import main
from culturegraph.errors import DataError, DataErrors, NotFoundError
from culturegraph.exports.profiles.bulk import write_all, write_profile, write_rejects
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.files import make_files
from culturegraph.exports.profiles.forms import FORMS, form_of, write_records
from culturegraph.exports.profiles.profile import FOLDER, list_profiles, read_profile, read_profiles
from culturegraph.protocols.documents import is_known
from culturegraph.rdf.graphs import read_rdf
from culturegraph.rdf.vocabulary import BASE, CG, DCAT, DCTERMS, LABEL, PREFIXES, SKOS, TYPE, VOID
from culturegraph.settings import Settings
from culturegraph.store.publishing import publish
from culturegraph.store.snapshot import open_current
from culturegraph.validation.engine import validate

QUERIES = Path(__file__).resolve().parents[1] / "queries"
PROFILES = list_profiles(QUERIES)
RDF_FORMS = {"rdf": RdfFormat.RDF_XML, "ttl": RdfFormat.TURTLE, "nt": RdfFormat.N_TRIPLES, "jsonld": RdfFormat.JSON_LD}
DANCE = BASE + "id/expression/danza-qanchi-de-mamuera"
LICENCE = "creativecommons.org/licenses/by/4.0"
DC, FOAF = PREFIXES["dc"], PREFIXES["foaf"]
EDM = "http://www.europeana.eu/schemas/edm/"
CRM = "http://www.cidoc-crm.org/cidoc-crm/"
GRAPH = NamedNode(BASE + "graph/export")
# Records that the quick tests look at; the slow ones look at all.
SAMPLE = 120


@pytest.fixture(scope="module")
def exports(built_store: Store) -> dict[str, Export]:
    return {name: Export(profile, built_store) for name, profile in read_profiles(QUERIES).items()}


def sample(export: Export) -> Sequence[str]:
    """Return some records of every part of the list, with the dance."""
    step = max(1, len(export.iris) // SAMPLE)
    return sorted({*export.iris[::step], *({DANCE} & set(export.iris))})


def read(export: Export, form: str, iris: Sequence[str] | None = None) -> set[Triple]:
    """Return the triples of a file of a profile; JSON-LD is read with the context beside the profile."""
    data = b"".join(part for part, _ in write_records(export, form, iris))
    if form == "jsonld" and export.profile.context:
        whole = json.loads(data)
        assert whole["@context"] == export.profile.context.get("published", export.profile.context["@context"])
        data = json.dumps({**whole, "@context": export.profile.context["@context"]}).encode()
    return {quad.triple for quad in parse(data, format=RDF_FORMS[form])}


def main_form(export: Export) -> str:
    return next(form for form in export.profile.formats if form in RDF_FORMS)


def has_rdf(name: str) -> bool:
    """Say whether a profile is triples; those with a writer of their own are tried elsewhere."""
    profile = read_profile(QUERIES, name)
    return profile.writer is None and any(form in RDF_FORMS for form in profile.formats)


RDF_PROFILES = [name for name in PROFILES if has_rdf(name)]
SHAPED = [name for name in RDF_PROFILES if (QUERIES / FOLDER / name / "shapes.ttl").is_file()]


def faults(export: Export, iris: Sequence[str] | None, without: str = "") -> list[str]:
    """Return what the shapes of a profile find in its records, or in these without a property."""
    shapes = read_rdf(export.profile.folder / "shapes.ttl", GRAPH)
    triples = {triple for triple in read(export, main_form(export), iris) if triple.predicate.value != without}
    report = validate([Quad(t.subject, t.predicate, t.object, GRAPH) for t in triples], shapes, workers=1)
    return [f"{result.focus_node} {result.path} {result.source_shape}" for result in report.results]


@pytest.mark.parametrize("name", SHAPED)
def test_records_meet_the_shapes_of_their_profile(name: str, exports: dict[str, Export]):
    export = exports[name]
    assert faults(export, sample(export)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPED)
def test_all_records_meet_the_shapes_of_their_profile(name: str, exports: dict[str, Export]):
    assert faults(exports[name], None) == []


NEEDED = {
    "cidoc-crm": [LABEL.value, CRM + "P190_has_symbolic_content", CRM + "P104_is_subject_to"],
    "dcat-ap": [DCTERMS + "publisher", DCTERMS + "title", DCAT + "accessURL", FOAF + "name"],
    "edm": [DC + "title", DC + "language", DC + "date", EDM + "type", EDM + "rights", EDM + "isShownAt", DC + "rights"],
    "edm-contextual": [SKOS + "prefLabel", SKOS + "note"],
    "ich": [
        DCTERMS + "title",
        DCTERMS + "rights",
        LABEL.value,
        SKOS + "prefLabel",
        CG + "recognitionDate",
        CG + "ichDomain",
    ],
    "linked-art": [LABEL.value, CRM + "P2_has_type", CRM + "P82b_end_of_the_end"],
    "schema-org": ["https://schema.org/name", "https://schema.org/license"],
    "skos": [SKOS + "prefLabel", SKOS + "inScheme", DCTERMS + "license"],
    "void": [DCTERMS + "title", DCTERMS + "license", VOID + "triples"],
}


@pytest.mark.parametrize(("name", "without"), [(name, each) for name, every in NEEDED.items() for each in every])
def test_shapes_notice_what_is_missing(name: str, without: str, exports: dict[str, Export]):
    assert faults(exports[name], sample(exports[name])[:20], without)


@pytest.mark.parametrize("name", RDF_PROFILES)
def test_every_format_says_the_same(name: str, exports: dict[str, Export]):
    export = exports[name]
    forms = [form for form in export.profile.formats if form in RDF_FORMS]
    first, *others = [read(export, form, sample(export)) for form in forms]
    assert first
    for form, triples in zip(forms[1:], others, strict=True):
        assert triples == first, form


@pytest.mark.parametrize("name", RDF_PROFILES)
def test_each_record_tells_its_licence(name: str, exports: dict[str, Export]):
    export = exports[name]
    seen = 0
    for batch in export.batches(sample(export)):
        for record in batch:
            seen += 1
            assert any(LICENCE in str(triple.object) for triple in record.triples), record.iri
    assert seen == len(sample(export))


@pytest.mark.parametrize("name", RDF_PROFILES)
def test_a_record_alone_is_the_record_among_all(name: str, exports: dict[str, Export]):
    export = exports[name]
    iri = DANCE if DANCE in export.iris else export.iris[0]
    alone = next(export.batches([iri]))[0]
    among = next(record for batch in export.batches(sample(export)) for record in batch if record.iri == iri)
    assert alone.triples == among.triples


# Counted by queries of their own, not by those of the profiles.
COUNTS = {
    "edm-contextual": """
        { ?s a ?c . VALUES ?c { cg:Agent cg:Place cg:CulturalExpression cg:Language cg:MusicalInstrument cg:State }
          FILTER(STRSTARTS(STR(?s), STR(cgid:))) }
        UNION { ?s skos:inScheme ?x FILTER(STRSTARTS(STR(?s), STR(cgs:))) }""",
    "skos": "?s skos:inScheme ?x . FILTER(STRSTARTS(STR(?s), STR(cgs:)))",
    **dict.fromkeys(
        ("cidoc-crm", "linked-art"),
        """
        ?s a ?c FILTER(?c IN (cg:CulturalExpression, cg:Agent, cg:Place, cg:Event, cg:Initiative, cg:Enactment, cg:Work,
          cg:LegalInstrument, cg:SourceDocument, cg:Language, cg:MusicalInstrument))
        FILTER(STRSTARTS(STR(?s), STR(cgid:)))""",
    ),
    "edm": """
        { GRAPH ?g { ?s a cg:NationalNorm } } UNION { GRAPH ?g { ?norm a cg:NationalNorm } ?norm cg:normRecognises ?s }
        ?g dcterms:rights ?r FILTER(STRSTARTS(?r, "public text"))
        { ?s cg:dateIssued ?d } UNION { ?s cg:datePublished ?d } UNION { ?s cg:recognisedThrough/cg:recognitionDate ?d }
        FILTER NOT EXISTS { ?s a cg:Agent }""",
}


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_counts_are_those_of_sparql(name: str, exports: dict[str, Export], built_store: Store):
    rows = built_store.query(f"SELECT (COUNT(DISTINCT ?s) AS ?n) {{ {COUNTS[name]} }}", prefixes=dict(PREFIXES))
    expected = int(next(iter(rows))["n"].value)  # type: ignore[index]
    assert expected > 50
    assert len(exports[name].iris) == expected


@pytest.mark.parametrize("name", PROFILES)
def test_all_that_is_chosen_goes_out_or_is_told(name: str, exports: dict[str, Export], built_store: Store):
    export = exports[name]
    if export.profile.document is None:
        rows = built_store.query(export.profile.queries["records"].text, prefixes=dict(export.profile.prefixes))
        chosen = {row["record"].value for row in rows}  # type: ignore[union-attr]
        told = {left.iri for left in export.rejected}
        assert chosen == {*export.iris} | told
        assert not told & {*export.iris}
    lines = list(csv.reader(io.StringIO(write_rejects(export).decode())))
    assert len({line[0] for line in lines[1:]}) == len(export.rejected)
    assert all(line[2] and line[3] for line in lines)


def own_iris(triples: set[Triple]) -> set[str]:
    """Return our IRIs that triples hold, without fragments: those are parts of documents."""
    terms = {term for triple in triples for term in (triple.subject, triple.predicate, triple.object)}
    return {
        term.value.partition("#")[0] for term in terms if isinstance(term, NamedNode) and term.value.startswith(BASE)
    }


@pytest.mark.parametrize("name", RDF_PROFILES)
def test_every_address_of_ours_is_of_something_known(name: str, exports: dict[str, Export], built_store: Store):
    export = exports[name]
    iris = own_iris(read(export, main_form(export), sample(export)))
    # What is no thing of the graph is an address of the server: tried below.
    places = {iri for iri in iris if not is_known(built_store, iri)}
    assert places <= SERVED


SERVED = {BASE, BASE + "openapi.json", BASE + "sparql"} | {
    f"{BASE}exports/{name}{suffix}" for name in PROFILES for suffix in ("", *(f".{form}.gz" for form in FORMS))
}


def test_edm_has_the_order_of_its_schema(exports: dict[str, Export]):
    grammar = etree.RelaxNG(etree.parse(exports["edm"].profile.folder / "edm.rng"))
    for name, iris in (("edm", None), ("edm-contextual", sample(exports["edm-contextual"]))):
        data = b"".join(part for part, _ in write_records(exports[name], "rdf", iris))
        root = etree.fromstring(data)
        grammar.assertValid(root)
    # The order counts: a title after the type is no record.
    for element in root.iter("{http://www.w3.org/2004/02/skos/core#}note"):
        element.getparent().insert(0, element)
    place = root.find(".//{http://www.europeana.eu/schemas/edm/}Place")
    assert place is not None
    assert not grammar.validate(root)


def test_edm_records_are_left_out_where_no_rights_are_known(exports: dict[str, Export]):
    reasons = {left.iri: left.lacks for left in exports["edm"].rejected}
    assert "rights" in reasons[BASE + "id/expression/danza-de-tijeras"]
    assert not reasons.keys() & set(exports["edm"].iris)
    # They still go out, as contextual entities.
    assert BASE + "id/expression/danza-de-tijeras" in exports["edm-contextual"].iris


def test_cidoc_crm_uses_terms_that_exist(exports: dict[str, Export]):
    export = exports["cidoc-crm"]
    with (export.profile.folder / "terms.csv").open(encoding="utf-8") as file:
        known = {row["term"]: row["kind"] for row in csv.DictReader(file)}
    triples = read(export, "ttl", [*sample(export), *(iri for iri in export.iris if "/state/" in iri)])
    classes = {t.object.value for t in triples if t.predicate == TYPE and isinstance(t.object, NamedNode)}
    properties = {t.predicate.value for t in triples} - {TYPE.value, LABEL.value}
    assert {iri.removeprefix(CRM) for iri in classes} <= {term for term, kind in known.items() if kind == "class"}
    assert {iri.removeprefix(CRM) for iri in properties} <= {term for term, kind in known.items() if kind == "property"}
    text = "".join(query.sparql for query in export.profile.constructs)
    assert {*re.findall(r"crm:([EP]\d[\w-]+)", text)} <= known.keys()


def test_linked_art_has_a_label_everywhere(exports: dict[str, Export]):
    export = exports["linked-art"]
    told = json.loads(b"".join(part for part, _ in write_records(export, "jsonld", sample(export))))
    objects = list(nested(told["@graph"]))
    assert len(objects) > 1000
    assert [each for each in objects if not {"id", "type", "_label"} <= each.keys()] == []
    assert all(isinstance(each["_label"], str) and isinstance(each["type"], str) for each in objects)
    names = set().union(*(each.keys() for each in objects))
    assert names <= export.profile.context["@context"].keys()


def nested(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nested(each)
    elif isinstance(value, list):
        for each in value:
            yield from nested(each)


@cache
def small_profile(folder: Path, *, context: bool = False) -> Path:
    """Write a profile of a concept's labels into a folder of queries."""
    home = folder / FOLDER / "small"
    home.mkdir(parents=True)
    (home / "profile.yaml").write_text(
        GOOD + "[rdf, ttl, nt, jsonld, csv]\nreasons:\n  title: {es: sin título, en: no title}\n",
        encoding="utf-8",
    )
    head = '#+ id: {}\n#+ title: {{es: "a", en: "a"}}\n'
    (home / "records.rq").write_text(
        head.format("records") + "SELECT ?record ?lacks { ?record a skos:Concept . "
        'BIND(IF(EXISTS { ?record rdfs:label ?l }, ?none, "title") AS ?lacks) }',
        encoding="utf-8",
    )
    (home / "table.rq").write_text(
        head.format("table") + "SELECT ?record ?label { VALUES ?record { UNDEF } ?record rdfs:label ?label }",
        encoding="utf-8",
    )
    (home / "labels.rq").write_text(
        head.format("labels") + "CONSTRUCT { ?record rdfs:label ?label ; a skos:Concept } "
        "{ VALUES ?record { UNDEF } ?record rdfs:label ?label }",
        encoding="utf-8",
    )
    return folder


def concepts(*labels: str | None) -> Store:
    store = Store()
    for number, label in enumerate(labels):
        node = NamedNode(f"{BASE}schemes/small/c{number:05}")
        store.add(Quad(node, TYPE, NamedNode(SKOS + "Concept")))
        if label is not None:
            store.add(Quad(node, LABEL, Literal(label, language="es")))
    return store


def whole(export: Export, form: str) -> bytes:
    return b"".join(part for part, _ in write_records(export, form))


def test_xml_never_holds_what_it_forbids(tmp_path: Path):
    export = Export(
        read_profile(small_profile(tmp_path), "small"), concepts("a\x0bb\x00 <&> \ufffe", 'c"d', "\r\n]]>\ttab")
    )
    root = etree.fromstring(whole(export, "rdf"))
    texts = root.xpath("//*[local-name()='label']/text()")
    assert texts == ["a\ufffdb\ufffd <&> \ufffd", 'c"d', "\r\n]]>\ttab"]
    for form in ("ttl", "nt", "jsonld"):
        assert len({quad.triple for quad in parse(whole(export, form), format=RDF_FORMS[form])}) == 6


def test_a_table_is_no_formula_and_counts_its_records(tmp_path: Path):
    export = Export(read_profile(small_profile(tmp_path), "small"), concepts("=1+1", "x", "\t@y", None))
    rows = list(csv.reader(io.StringIO(whole(export, "csv").decode())))
    assert [row[1] for row in rows] == ["label", "'=1+1", "x", "'\t@y"]
    assert sum(count for _, count in write_records(export, "csv")) == 3
    assert [(left.iri.rpartition("/")[2], left.lacks) for left in export.rejected] == [("c00003", ["title"])]


def test_memory_does_not_grow_with_the_records(tmp_path: Path):
    profile = read_profile(small_profile(tmp_path), "small")

    def peak(number: int) -> int:
        export = Export(profile, concepts(*(f"label {each}" for each in range(number))))
        assert len(export.iris) == number
        tracemalloc.start()
        try:
            size = sum(len(part) for part, _ in write_records(export, "rdf"))
            assert size > number * 100
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(600)
    assert peak(6000) < 1.5 * peak(1500)


GOOD = "title: {es: a, en: a}\ndescription: {es: a, en: a}\nformats: "
BROKEN = {
    "profile.yaml": [
        ("title: [", "is not YAML"),
        ("- a", "is not a mapping"),
        ("colour: red", "unknown key `colour`"),
        ("title: {es: a}", "needs `title` in es and en"),
        (GOOD + "[pdf]", "there is none of: pdf"),
        (
            GOOD + "[ttl]\ndocument: http://x/",
            "either records.rq",
        ),
        (
            GOOD + "[ttl]\nelements: {nope:A: [rdf:type]}",
            "unknown pre",
        ),
        (GOOD + "[ttl]\ninclude: other", "no other profile"),
        (
            GOOD + "[ttl]\nlost: [{es: a}]",
            "each `lost` in es and en",
        ),
    ],
    "labels.rq": [('#+ id: labels\n#+ title: {es: "a", en: "a"}\nSELECT * { }', "where CONSTRUCT is needed")],
}


@pytest.mark.parametrize(("file", "text", "told"), [(name, *pair) for name, pairs in BROKEN.items() for pair in pairs])
def test_a_malformed_profile_is_told_with_its_place(file: str, text: str, told: str, tmp_path: Path):
    (small_profile(tmp_path) / FOLDER / "small" / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataErrors) as caught:
        read_profiles(tmp_path)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"small/{file}")


def test_what_the_schema_has_no_place_for_is_an_error_and_no_record(tmp_path: Path):
    home = small_profile(tmp_path) / FOLDER / "small"
    with (home / "profile.yaml").open("a", encoding="utf-8") as file:
        file.write("elements: {skos:Concept: [skos:prefLabel]}\n")
    export = Export(read_profile(tmp_path, "small"), concepts("a"))
    target = tmp_path / "small.rdf"
    with pytest.raises(DataError, match="no place in"):
        write_profile(export, "rdf", target)
    assert not list(tmp_path.glob("small.rdf*"))


def test_a_reason_must_be_explained(tmp_path: Path):
    home = small_profile(tmp_path) / FOLDER / "small"
    query = (home / "records.rq").read_text(encoding="utf-8")
    (home / "records.rq").write_text(query.replace('"title"', '"taste"'), encoding="utf-8")
    with pytest.raises(DataError, match="`taste`"):
        _ = Export(read_profile(tmp_path, "small"), concepts(None)).iris


def test_all_are_written_with_their_counts(tmp_path: Path):
    profiles = read_profiles(small_profile(tmp_path))
    told: list[tuple[str, str, int, int]] = []
    made = list(
        write_all(list(profiles.values()), concepts("a", "b", None), tmp_path / "out", lambda *x: told.append(x))
    )
    assert [(each.form, each.records, each.rejected) for each in made] == [
        (form, 2, 1) for form in ("rdf", "ttl", "nt", "jsonld", "csv")
    ]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *(f"small.{form}" for form in FORMS),
        "small.rejects.csv",
    }
    assert ("small", "ttl", 2, 2) in told
    assert all(each.path and each.path.stat().st_size == each.size for each in made)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["culturegraph", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_the_command_line_knows_every_profile(
    built: Build,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    store, target = ("--store", str(settings.store)), tmp_path / "edm.rdf"
    assert run(monkeypatch, "export", "edm", *store, "-o", str(target), "--rejects", str(tmp_path / "left.csv")) == 0
    assert re.search(r"edm.rdf: \d+ records, \d+ left out", capsys.readouterr().err)
    assert len(etree.parse(target).getroot()) > 100
    assert (tmp_path / "left.csv").read_text(encoding="utf-8").startswith("record,lacks")
    assert run(monkeypatch, "export", "pdf", *store) == 2
    assert "there is no profile 'pdf' (there are: " in capsys.readouterr().err
    assert run(monkeypatch, "export", "edm", "--format", "xlsx", *store) == 2
    assert "edm is written as rdf, ttl, jsonld, not as 'xlsx'" in capsys.readouterr().err
    assert run(monkeypatch, "export") == 2
    assert "edm-contextual" in capsys.readouterr().out


def test_the_files_of_a_server_are_made_before_it_is_asked(tmp_path: Path):
    profiles = list(read_profiles(small_profile(tmp_path)).values())
    store = concepts("a", "b")
    snapshot = publish(tmp_path / "store", store, version="one", metadata={})
    told: list[tuple[str, str, int, int]] = []
    assert make_files(profiles, snapshot, lambda *each: told.append(each)) == len(FORMS)
    made = sorted((snapshot.path / "exports").iterdir())
    assert len(made) == len(FORMS)
    assert all(gzip.decompress(path.read_bytes()) for path in made)
    # What is there is not made again.
    told.clear()
    assert make_files(profiles, snapshot, lambda *each: told.append(each)) == len(FORMS)
    assert not told


@pytest.fixture(scope="module")
def client(built: Build, settings: Settings) -> Iterator[Client]:
    with listening(settings, open_current(settings.store)) as server, Client(base_url=server, timeout=300) as client:
        yield client


@pytest.mark.parametrize("language", ["es", "en"])
def test_each_profile_has_a_page(client: Client, language: str, exports: dict[str, Export]):
    index = client.get("/exports/", params={"lang": language})
    assert index.status_code == 200
    for name, export in exports.items():
        assert f"/exports/{name}" in index.text
        page = client.get(f"/exports/{name}", params={"lang": language})
        assert page.status_code == 200
        for note in (export.profile.title, export.profile.description, *export.profile.lost):
            assert note[language] in unescape(page.text)
    assert client.get("/exports", follow_redirects=False).status_code == 303


def test_one_record_in_each_format(client: Client, exports: dict[str, Export]):
    for name, export in exports.items():
        if name not in RDF_PROFILES or DANCE not in export.iris:
            continue
        path = f"/exports/{name}/expression/danza-qanchi-de-mamuera"
        for form in export.profile.formats:
            given = client.get(f"{path}.{form}")
            assert given.status_code == 200
            assert given.headers["content-type"] == form_of(export.profile, form).media_type
            assert given.content == client.get(path, params={"format": form}).content
        default = client.get(path, headers={"Accept": "text/html,*/*;q=0.1"})
        assert default.headers["content-type"] == form_of(export.profile, export.profile.formats[0]).media_type
        assert client.get(path, headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/exports/pdf", "there is no profile"),
        ("/exports/edm.xlsx", "written as rdf, ttl, jsonld"),
        ("/exports/edm/expression/nothing", "has no record of"),
        ("/exports/edm/expression/danza-qanchi-de-mamuera.csv", "written as"),
        ("/exports/edm/expression/danza-de-tijeras", "is left out of edm: it lacks rights"),
        ("/exports/void/expression/danza-de-tijeras", "it has no records"),
        ("/exports/edm/expression/%22%3E%3C", "has no record of"),
    ],
)
def test_what_is_not_there_is_told(client: Client, path: str, told: str):
    given = client.get(path)
    assert given.status_code == 404
    assert told in given.json()["detail"]


def test_an_interrupted_download_is_taken_up_again(client: Client):
    path = "/exports/edm.rdf.gz"
    complete = client.get(path)
    assert complete.headers["content-type"] == "application/gzip"
    tag, data = complete.headers["etag"], complete.content
    assert f'"{hashlib.sha256(data).hexdigest()}"' == tag
    half = len(data) // 2
    first = client.get(path, headers={"Range": f"bytes=0-{half - 1}", "Accept-Encoding": "gzip"})
    rest = client.get(path, headers={"Range": f"bytes={half}-", "If-Range": tag, "Accept-Encoding": "gzip"})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == data
    # Of another file nothing is taken up: it begins anew.
    assert client.get(path, headers={"Range": "bytes=5-", "If-Range": '"other"'}).content == data
    assert client.get(path, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    plain = client.get("/exports/edm.rdf", headers={"Accept-Encoding": "identity"})
    assert plain.content == gzip.decompress(data) == client.get("/exports/edm.rdf").content


def test_a_file_is_made_once(client: Client, settings: Settings):
    client.get("/exports/void.ttl.gz")
    folder = open_current(settings.store).path / "exports"
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    client.get("/exports/void.ttl.gz")
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert len([name for name in before if name.startswith("void-")]) == 1


def addresses(exports: dict[str, Export], *, every: bool) -> list[str]:
    iris: set[str] = set()
    for export in exports.values():
        if export.profile.id in RDF_PROFILES:
            iris |= own_iris(read(export, main_form(export), None if every else sample(export)[:10]))
    return sorted(iri.removeprefix(BASE) for iri in iris)


def is_answered(client: Client, path: str) -> bool:
    answered = client.get(f"/{path}", follow_redirects=True, headers={"Accept": "text/turtle, */*;q=0.1"})
    # The endpoint without a query tells what it is.
    return answered.status_code == 200


def test_addresses_of_each_kind_answer(client: Client, exports: dict[str, Export]):
    kinds: dict[str, str] = {}
    for path in addresses(exports, every=False):
        kinds.setdefault(path.rpartition("/")[0], path)
    assert len(kinds) > 20
    assert [path for path in kinds.values() if not is_answered(client, path)] == []


@pytest.mark.slow
def test_all_addresses_answer(client: Client, exports: dict[str, Export]):
    every = addresses(exports, every=True)
    assert len(every) > 5000
    assert [path for path in every if not is_answered(client, path)] == []


def test_a_profile_is_added_by_a_folder(tmp_path: Path, built_store: Store):
    shutil.copytree(QUERIES / FOLDER / "skos", tmp_path / FOLDER / "ours")
    export = Export(read_profile(tmp_path, "ours"), built_store)
    assert len(export.iris) > 100
    with pytest.raises(NotFoundError, match="there are: ours"):
        read_profile(tmp_path, "skos")
    assert export.profile.revision
    assert CG in PREFIXES.values()


@pytest.mark.slow
def test_exports_are_measured_on_a_larger_graph(built: Build, settings: Settings):
    runs = exports_bench.run(settings, (200, 600))
    edm = [run for run in runs if run.profile == "edm"]
    assert edm[0].records < 300 < edm[1].records
    assert all(run.cpu_seconds > 0 and run.peak_memory > 1_000_000 for run in runs)
    assert [bar["bar"][:3] for bar in exports_bench.judge(runs)] == ["EDM", "EDM"]


def test_the_bars_of_exports_are_judged():
    def run(records: int, rate: float, memory: int) -> exports_bench.Run:
        return exports_bench.Run("edm", 1, records, 1.0, 1.0, rate, memory)

    fast, slow = run(100, 30_000, 10), run(1000, 19_000, 25)
    assert [bar["reached"] for bar in exports_bench.judge([fast, slow])] == [False, False]
    assert [bar["reached"] for bar in exports_bench.judge([fast, run(1000, 20_000, 20)])] == [True, True]


def test_the_check_reads_profiles(tmp_path: Path):
    assert check_profiles(QUERIES).passed
    home = small_profile(tmp_path) / FOLDER / "small"
    (home / "shapes.ttl").write_text("<a> <b> .", encoding="utf-8")
    assert "shapes.ttl" in check_profiles(tmp_path).faults[0]
    (home / "profile.yaml").write_text("- a", encoding="utf-8")
    assert check_profiles(tmp_path).faults == ("small/profile.yaml is not a mapping",)
