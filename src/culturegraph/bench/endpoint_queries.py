"""The nineteen kinds of query of the endpoint benchmark, over the data of `bench.generator`.

Light kinds touch a handful of triples; the others join, count, sort, scan or stream. Each kind gives as many different
texts as are asked for, so that neither side can answer from memory of the last one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from string import Template
from typing import Final

from culturegraph.bench.generator import KINDS as ENTITY_KINDS
from culturegraph.rdf.vocabulary import BASE, CG, RDFS

_PREFIXES: Final = f"PREFIX cg: <{CG}> PREFIX rdfs: <{RDFS}> PREFIX id: <{BASE}id/> "
# Triples that one round of the generator makes: one entity of each kind.
_ROUND: Final = 1 + sum(1 + len(properties) for properties in ENTITY_KINDS.values()) * 1.2


@dataclass(frozen=True)
class QueryKind:
    """A kind of query: its name, its text with `$n` for the number of an entity, whether it is a light look-up."""

    name: str
    template: str
    is_light: bool = False


# `$few` is a number from 0 to 99 that makes texts differ; `$month` and `$domain` are values of the data.
KINDS: Final = (
    QueryKind("label", "SELECT ?l { <$id/dance/$n> rdfs:label ?l }", True),
    QueryKind("entity", "SELECT ?p ?o { <$id/institution/$n> ?p ?o }", True),
    QueryKind("code", 'SELECT ?e ?l { ?e cg:ubigeo "PE-$code" ; rdfs:label ?l }', True),
    QueryKind("ask", "ASK { <$id/dance/$n> a cg:Dance }", True),
    QueryKind("describe", "DESCRIBE <$id/nationalnorm/$n>", True),
    QueryKind("construct", "CONSTRUCT WHERE { <$id/ritual/$n> ?p ?o }", True),
    QueryKind("inverse", "SELECT ?d ?l { ?d cg:practisedBy <$id/indigenouspeople/$n> ; rdfs:label ?l }", True),
    QueryKind("two hops", "SELECT ?c ?l { <$id/dance/$n> cg:locatedIn ?p . ?p cg:ubigeo ?c ; rdfs:label ?l }", True),
    QueryKind(
        "three hops",
        "SELECT ?d ?l { <$id/heritagedeclaration/$n> cg:recognises ?d . ?d cg:practisedBy ?p . ?p cg:speaks ?g . "
        "?g rdfs:label ?l }",
        True,
    ),
    QueryKind(
        "star",
        "SELECT ?f ?l ?u { ?f a cg:Festivity ; cg:month $month ; cg:domain <$domain> ; cg:locatedIn ?p ; "
        'rdfs:label ?l . ?p cg:ubigeo ?u FILTER(LANG(?l) = "es") }',
    ),
    QueryKind("classes", "SELECT ?c (COUNT(*) AS ?n$few) { ?s a ?c } GROUP BY ?c ORDER BY DESC(?n$few)"),
    QueryKind(
        "aggregate",
        "SELECT ?i (COUNT(?n) AS ?c) (MIN(?d) AS ?first) { ?n a cg:NationalNorm ; cg:issuer ?i ; cg:issued ?d } "
        "GROUP BY ?i HAVING (COUNT(?n) > 1) ORDER BY DESC(?c) LIMIT 1$few",
    ),
    QueryKind(
        "aggregate of a join",
        "SELECT ?g (COUNT(DISTINCT ?d) AS ?c) { ?d a cg:Dance ; cg:practisedBy ?p . ?p cg:speaks ?g } "
        "GROUP BY ?g ORDER BY DESC(?c) ?g LIMIT 1$few",
    ),
    QueryKind("range", "SELECT ?e ?s { ?e cg:speakers ?s FILTER(?s >= $n && ?s < $n + 500) }"),
    QueryKind("sort", "SELECT ?e ?d { ?e cg:issued ?d } ORDER BY DESC(?d) ?e LIMIT 50 OFFSET $few"),
    QueryKind("text scan", 'SELECT ?e ?l { ?e rdfs:label ?l FILTER(CONTAINS(LCASE(?l), "nombre $n")) }'),
    QueryKind("path", "SELECT ?x { ?x (cg:partOf|cg:speaks|cg:locatedIn|cg:seat)+ <$id/place/$low> }"),
    QueryKind(
        "optional and union",
        "SELECT DISTINCT ?x ?l ?y { { ?x a cg:Ritual } UNION { ?x a cg:Music } ?x rdfs:label ?l "
        'OPTIONAL { ?x cg:since ?y } FILTER(LANG(?l) = "en") } ORDER BY ?l LIMIT 100 OFFSET $few',
    ),
    QueryKind("stream", "SELECT ?s ?p ?o { ?s ?p ?o } LIMIT 200$few"),
)

# A cartesian product with ORDER BY: nothing can come out before all of it is made.
HOSTILE: Final = _PREFIXES + (
    "SELECT ?a ?b ?c { ?a a cg:Dance . ?b a cg:Music . ?c a cg:Ritual FILTER(STR(?a) < STR(?c)) } ORDER BY ?c ?b ?a"
)
EVERYTHING: Final = "SELECT ?s ?p ?o { ?s ?p ?o }"
DASHBOARD: Final = ("classes", "aggregate", "aggregate of a join", "optional and union")


def rounds(triples: int) -> int:
    """Return about how many entities of each kind there are among so many triples."""
    return max(2, int(triples / _ROUND))


def texts(kind: QueryKind, triples: int, count: int, seed: int) -> list[str]:
    """Return so many queries of a kind; the same seed gives the same ones."""
    rng = random.Random(f"{kind.name} {seed}")  # noqa: S311 - not a secret
    template = Template(_PREFIXES + kind.template)
    found = []
    for _ in range(count):
        number = rng.randrange(rounds(triples))
        values = {"n": number, "low": number // 8, "code": f"{number:06d}", "few": f"{rng.randrange(100):02d}"}
        domain = f"{BASE}schemes/domain/{rng.choice(['arts', 'oral', 'crafts'])}"
        found.append(template.substitute(values, id=f"{BASE}id", month=1 + number % 11, domain=domain))
    return found


def text_search(triples: int, count: int, seed: int) -> tuple[list[str], list[str]]:
    """Return queries for the same names, by cg:textMatch and by a scan."""
    index = QueryKind("text", 'SELECT ?e { ?e cg:textMatch "nombre $n" }')
    scan = QueryKind("text", 'SELECT ?e { ?e rdfs:label ?l FILTER(CONTAINS(LCASE(?l), "nombre $n")) }')
    return texts(index, triples, count, seed), texts(scan, triples, count, seed)
