"""The ontology files hold together: they parse, terms are described in both languages, nothing undeclared is used."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest
from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "ontology").rglob("*.ttl"))
SCHEMES = [path for path in FILES if path.parent.name == "schemes"]
ALIGNMENTS = [path for path in FILES if path.parent.name == "alignments"]
ONTOLOGY = URIRef("https://w3id.org/culturegraph/ontology/")
CG = Namespace(str(ONTOLOGY))
VANN = Namespace("http://purl.org/vocab/vann/")
SCHEME_BASE = "https://w3id.org/culturegraph/schemes/"
KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
LANGUAGES = {"es", "en"}
BUILTIN = tuple(
    str(term).removesuffix(name) for term, name in ((RDF.type, "type"), (RDFS.label, "label"), (OWL.Class, "Class"))
)


@cache
def parse(path: Path) -> Graph:
    return Graph().parse(path, format="turtle")


@cache
def merged(*folders: str) -> Graph:
    """The merge of culturegraph.ttl and the given folders of ontology/."""
    graph = Graph()
    for path in FILES:
        if path.parent.name in folders or path.name == "culturegraph.ttl":
            graph += parse(path)
    return graph


def ontology() -> Graph:
    return merged("modules")


def is_own(term: object) -> TypeGuard[URIRef]:
    """True for a term such as cg:Dance; not for the ontology, its versions or its modules."""
    return isinstance(term, URIRef) and re.fullmatch(re.escape(str(CG)) + r"[A-Za-z][A-Za-z0-9]*", term) is not None


def own_terms() -> list[URIRef]:
    graph = ontology()
    return sorted({term for kind in KINDS for term in graph.subjects(RDF.type, kind) if is_own(term)})


def texts(graph: Graph, subject: Node, predicate: URIRef) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in graph.objects(subject, predicate):
        assert isinstance(value, Literal), f"{subject} {predicate} is not a text"
        found.setdefault(value.language or "", []).append(str(value))
    return found


def columns() -> Iterator[tuple[str, dict[str, object]]]:
    """Every column description of the tables, with the name of its table."""
    for table in json.loads((ROOT / "data" / "csv-metadata.json").read_text(encoding="utf-8"))["tables"]:
        for column in table["tableSchema"]["columns"]:
            yield table["url"], column


def expand(template: str, column: str, siblings: dict[str, dict[str, object]]) -> list[str]:
    """A URI template with a variable whose column lists its values (``Dance|Music``) stands for all of them."""
    match = re.search(r"\{\+?(\w+)\}", template)
    if match is None:
        return [template]
    datatype = siblings.get(match[1], {}).get("datatype")
    values = str(datatype.get("format", "")) if isinstance(datatype, dict) else ""
    assert re.fullmatch(r"[A-Za-z0-9|]+", values), f"{column}: {template} does not list its values"
    return [template.replace(match[0], value) for value in values.split("|")]


def terms_of_tables() -> set[str]:
    """The ontology terms that csv-metadata.json writes: predicates, and classes as values of rdf:type."""
    by_table: dict[str, dict[str, dict[str, object]]] = {}
    for table, column in columns():
        by_table.setdefault(table, {})[str(column["name"])] = column
    used: set[str] = set()
    for table, column in columns():
        predicate = str(column.get("propertyUrl", ""))
        where = f"{table} {column['name']}"
        if predicate.startswith(str(CG)):
            used.update(expand(predicate, where, by_table[table]))
        if predicate == str(RDF.type):
            used.update(expand(str(column["valueUrl"]), where, by_table[table]))
    text = (ROOT / "data" / "csv-metadata.json").read_text(encoding="utf-8")
    return used | set(re.findall(rf'"({re.escape(str(CG))}\w+)":', text))


def schemes_of_tables() -> set[str]:
    text = (ROOT / "data" / "csv-metadata.json").read_text(encoding="utf-8")
    return set(re.findall(rf"{re.escape(SCHEME_BASE)}([a-z0-9-]+)/\{{", text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_parses_and_says_something(path: Path) -> None:
    assert len(parse(path)) > 0


def test_header_is_complete() -> None:
    graph = parse(ROOT / "ontology" / "culturegraph.ttl")
    version = graph.value(ONTOLOGY, OWL.versionInfo)
    assert graph.value(ONTOLOGY, OWL.versionIRI) == URIRef(f"{ONTOLOGY}{version}/")
    assert graph.value(ONTOLOGY, VANN.preferredNamespacePrefix) == Literal("cg")
    assert graph.value(ONTOLOGY, VANN.preferredNamespaceUri) == Literal(str(ONTOLOGY))
    assert graph.value(ONTOLOGY, DCTERMS.license) == URIRef("https://creativecommons.org/licenses/by/4.0/")
    assert graph.value(ONTOLOGY, DCTERMS.creator) == Literal("culturegraph contributors")
    assert set(texts(graph, ONTOLOGY, DCTERMS.title)) == LANGUAGES
    assert set(texts(graph, ONTOLOGY, DCTERMS.description)) == LANGUAGES


def test_header_imports_exactly_the_modules() -> None:
    graph = merged("modules")
    modules = set(graph.subjects(RDF.type, OWL.Ontology)) - {ONTOLOGY}
    assert set(graph.objects(ONTOLOGY, OWL.imports)) == modules
    assert {str(module).rsplit("/", 1)[1] for module in modules} == {
        p.stem for p in FILES if p.parent.name == "modules"
    }


def test_modules_carry_the_version_of_the_header() -> None:
    graph = merged("modules")
    version = graph.value(ONTOLOGY, OWL.versionInfo)
    for module in set(graph.subjects(RDF.type, OWL.Ontology)) - {ONTOLOGY}:
        assert graph.value(module, OWL.versionIRI) == URIRef(str(module).replace("ontology/", f"ontology/{version}/"))


@pytest.mark.parametrize("term", own_terms(), ids=lambda term: term.removeprefix(str(CG)))
def test_term_is_described(term: URIRef) -> None:
    graph = ontology()
    labels = texts(graph, term, RDFS.label)
    definitions = texts(graph, term, SKOS.definition)
    assert {language: len(found) for language, found in labels.items()} == {"es": 1, "en": 1}
    assert {language: len(found) for language, found in definitions.items()} == {"es": 1, "en": 1}
    assert list(graph.objects(term, SKOS.example))
    assert list(graph.objects(term, RDFS.isDefinedBy)) == [ONTOLOGY]


@pytest.mark.parametrize("term", own_terms(), ids=lambda term: term.removeprefix(str(CG)))
def test_definition_is_one_sentence_without_the_term(term: URIRef) -> None:
    graph = ontology()
    labels = texts(graph, term, RDFS.label)
    for language, (definition,) in texts(graph, term, SKOS.definition).items():
        assert definition.endswith(".")
        assert not re.search(r"[.;?!] [A-ZÁÉÍÓÚÑ]", definition), "more than one sentence"
        assert not re.search(rf"\b{re.escape(labels[language][0])}\b", definition, re.IGNORECASE)


def test_labels_of_one_kind_are_unique() -> None:
    graph = ontology()
    for kinds in ((OWL.Class,), KINDS[1:]):
        terms = {term for kind in kinds for term in graph.subjects(RDF.type, kind) if is_own(term)}
        labels = Counter(label for term in terms for label in graph.objects(term, RDFS.label))
        assert [label for label, count in labels.items() if count > 1] == []


def test_definitions_are_unique() -> None:
    definitions = Counter(ontology().objects(None, SKOS.definition))
    assert [text for text, count in definitions.items() if count > 1] == []


def test_names_follow_the_style() -> None:
    graph = ontology()
    for term in own_terms():
        name = term.removeprefix(str(CG))
        assert name[0].isupper() == ((term, RDF.type, OWL.Class) in graph), name


def test_a_property_is_of_one_kind() -> None:
    graph = merged("modules", "alignments")
    for term in set(graph.subjects(RDF.type, None)):
        assert sum((term, RDF.type, kind) in graph for kind in KINDS) <= 1, term


def test_nothing_own_is_used_undeclared() -> None:
    declared = set(own_terms())
    used = {term for path in FILES for triple in parse(path) for term in triple if is_own(term)}
    assert used - declared == set()


def test_every_foreign_term_is_declared() -> None:
    """A predicate or class of another vocabulary that is used but not declared would leave OWL 2 DL."""
    graph = merged("modules", "schemes", "alignments")
    used = set(graph.predicates()) | set(graph.objects(None, RDF.type)) | set(graph.objects(None, RDFS.subClassOf))
    declared = {term for kind in KINDS for term in graph.subjects(RDF.type, kind)}
    assert {term for term in used - declared if not str(term).startswith(BUILTIN)} == set()


def test_the_terms_of_the_tables_are_defined() -> None:
    used = terms_of_tables()
    assert len(used) > 100
    assert used - {str(term) for term in own_terms()} == set()


def test_the_foreign_predicates_of_the_tables_are_declared() -> None:
    """Otherwise the instance data would leave OWL 2 DL."""
    graph = ontology()
    used = {str(column.get("propertyUrl", "")) for _, column in columns()} - {""}
    declared = {str(term) for kind in KINDS for term in graph.subjects(RDF.type, kind)}
    foreign = {iri for iri in used if not iri.startswith((str(CG), *BUILTIN)) and "{" not in iri}
    assert len(foreign) > 5
    assert foreign - declared == set()


def test_the_schemes_of_the_tables_exist() -> None:
    used = schemes_of_tables()
    assert len(used) > 10
    assert used - {path.stem for path in SCHEMES} == set()


def test_object_properties_have_an_inverse() -> None:
    """Except those that are symmetric, and two whose values are pages or properties (their editorial note says so)."""
    graph = ontology()
    inverses = set(graph.subjects(OWL.inverseOf, None)) | set(graph.objects(None, OWL.inverseOf))
    symmetric = set(graph.subjects(RDF.type, OWL.SymmetricProperty))
    noted = {term for term, note in graph.subject_objects(SKOS.editorialNote) if "no inverse" in str(note)}
    own = {term for term in graph.subjects(RDF.type, OWL.ObjectProperty) if is_own(term)}
    assert own - inverses - symmetric == noted
    assert len(noted) == 2


def test_an_inverse_has_the_inverse_super_properties() -> None:
    """If p is a sub-property of q, the inverse of p is one of the inverse of q: both directions say the same."""
    graph = ontology()
    inverse = {}
    for left, right in graph.subject_objects(OWL.inverseOf):
        inverse[left], inverse[right] = right, left
    missing = [
        (sub, upper)
        for sub, upper in graph.subject_objects(RDFS.subPropertyOf)
        if sub in inverse and upper in inverse and (inverse[sub], RDFS.subPropertyOf, inverse[upper]) not in graph
    ]
    assert missing == []


def test_top_classes_are_pairwise_disjoint() -> None:
    graph = ontology()
    tops = {c for c in graph.subjects(RDF.type, OWL.Class) if is_own(c) and not list(graph.objects(c, RDFS.subClassOf))}
    lists = [
        lst for node in graph.subjects(RDF.type, OWL.AllDisjointClasses) for lst in graph.objects(node, OWL.members)
    ]
    groups = [set(graph.items(lst)) for lst in lists]
    apart = {frozenset((a, b)) for group in groups for a in group for b in group if a != b}
    pairs = {frozenset((a, b)) for a in tops for b in tops if a != b}
    # A work may be an expression too: the audiovisual work is both.
    assert pairs - apart == {frozenset((CG.Work, CG.CulturalExpression))}


def test_no_construct_outside_rl_and_open_world() -> None:
    """Cardinalities, existentials, unions, functional properties belong in the shapes; OWLAPI proves the rest."""
    graph = merged("modules", "alignments")
    forbidden = {
        OWL.unionOf, OWL.intersectionOf, OWL.complementOf, OWL.oneOf, OWL.FunctionalProperty,
        OWL.InverseFunctionalProperty, OWL.sameAs, OWL.hasKey, OWL.someValuesFrom, OWL.maxCardinality,
    }  # fmt: skip
    assert {term for triple in graph for term in triple} & forbidden == set()
    # A fixed value may decide a class: it is inside RL as long as it stands on the left.
    restrictions = set(graph.subjects(RDF.type, OWL.Restriction))
    assert restrictions == set(graph.subjects(OWL.hasValue, None))
    assert not restrictions & set(graph.objects(None, RDFS.subClassOf))


def test_chain_and_transitive_properties_stay_out_of_simple_axioms() -> None:
    graph = ontology()
    simple_only = (OWL.IrreflexiveProperty, OWL.AsymmetricProperty, OWL.propertyDisjointWith)
    assert {term for triple in graph for term in triple} & set(simple_only) == set()
    for head, chain in graph.subject_objects(OWL.propertyChainAxiom):
        assert head not in set(graph.items(chain)), head


@pytest.mark.parametrize("path", SCHEMES, ids=lambda path: path.stem)
def test_scheme_is_complete(path: Path) -> None:
    graph = parse(path)
    scheme = URIRef(SCHEME_BASE + path.stem)
    assert set(graph.subjects(RDF.type, SKOS.ConceptScheme)) == {scheme}
    assert set(texts(graph, scheme, DCTERMS.title)) == LANGUAGES
    assert set(graph.objects(scheme, SKOS.hasTopConcept)) == set(graph.subjects(SKOS.topConceptOf, scheme))
    assert list(graph.objects(scheme, SKOS.hasTopConcept))


@pytest.mark.parametrize("path", SCHEMES, ids=lambda path: path.stem)
def test_concepts_are_complete(path: Path) -> None:
    graph = parse(path)
    scheme = URIRef(SCHEME_BASE + path.stem)
    for concept in graph.subjects(RDF.type, SKOS.Concept):
        assert str(concept).startswith(f"{scheme}/"), concept
        assert {language: len(found) for language, found in texts(graph, concept, SKOS.prefLabel).items()} == {
            "es": 1,
            "en": 1,
        }
        assert scheme in set(graph.objects(concept, SKOS.inScheme)), concept
        assert (concept, SKOS.topConceptOf, scheme) in graph or list(graph.objects(concept, SKOS.broader)), concept
        definitions = texts(graph, concept, SKOS.definition)
        assert set(definitions) in (set(), LANGUAGES), concept
    concepts = set(merged("schemes").subjects(RDF.type, SKOS.Concept))
    assert set(graph.objects(None, SKOS.broader)) - concepts == set()


def test_concepts_of_a_scheme_are_told_apart() -> None:
    """Equal labels inside one scheme are two concepts for one thing."""
    for path in SCHEMES:
        labels = Counter(parse(path).objects(None, SKOS.prefLabel))
        assert [label for label, count in labels.items() if count > 1] == [], path.stem


def test_alignments_are_apart() -> None:
    """Only files in alignments/ relate our terms to classes and properties of other models."""
    graph = ontology()
    for predicate in (
        RDFS.subClassOf,
        RDFS.subPropertyOf,
        OWL.equivalentClass,
        OWL.equivalentProperty,
        SKOS.closeMatch,
        SKOS.exactMatch,
    ):
        for subject, value in graph.subject_objects(predicate):
            if is_own(subject):
                assert is_own(value) or isinstance(value, BNode) or value == SKOS.Concept, (subject, predicate, value)
    assert len(ALIGNMENTS) >= 10
