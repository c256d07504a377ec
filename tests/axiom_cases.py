"""What the ontology entails, as files to review, and the proof that the tests notice a lost axiom.

For each module, `cases/entailments/<module>.given.ttl` holds a plain fact for every class and property that the module
defines (and what transitivity, chains and disjointness need), `.then.ttl` all that must follow under the whole
ontology, `.forbidden.ttl` what must be found inconsistent. After a change of the ontology that is meant, write them
anew and review the difference:

    python tests/axiom_cases.py write
    python tests/axiom_cases.py mutate      # which test notices that an axiom is gone
"""

# ruff: noqa: T201 - it is a program: its report goes to standard output
from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations

from entailment import ROOT, RULES, read_turtle, store_of
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from culturegraph.queries import read_queries
from culturegraph.rdf.vocabulary import BASE, CG, OWL, PREFIXES, RDF, RDFS, TYPE
from culturegraph.reasoning import close, read_rules

FOLDER = ROOT / "tests" / "cases" / "entailments"
PARTS = ("given", "then", "forbidden")
_RULES = read_rules(RULES)
_AXIOMS = {
    *(RDFS + name for name in ("subClassOf", "subPropertyOf", "domain", "range")),
    *(OWL + name for name in ("inverseOf", "propertyChainAxiom", "disjointWith", "members", "propertyDisjointWith")),
    *(OWL + name for name in ("equivalentClass", "equivalentProperty", "hasValue", "someValuesFrom", "allValuesFrom")),
}
_KINDS = {OWL + kind + "Property" for kind in ("Transitive", "Symmetric", "Asymmetric", "Irreflexive")}
_PREFIXES = {"cg": CG, "ex": BASE + "example/", "rdfs": RDFS, "skos": PREFIXES["skos"], "prov": PREFIXES["prov"]}


@cache
def modules() -> dict[str, list[Triple]]:
    """Return the triples of each module of the ontology."""
    return {path.stem: read_turtle(path) for path in sorted((ROOT / "ontology" / "modules").glob("*.ttl"))}


def ontology() -> list[Triple]:
    """Return the triples of all modules."""
    return [triple for triples in modules().values() for triple in triples]


def is_axiom(triple: Triple) -> bool:
    """Whether a triple is (the heart of) a logical axiom."""
    of_kind = triple.predicate == TYPE and isinstance(triple.object, NamedNode) and triple.object.value in _KINDS
    return of_kind or triple.predicate.value in _AXIOMS


def suggest_facts(triples: list[Triple]) -> Iterator[Triple]:
    """Yield facts that make every axiom of a module tell."""

    def terms(kind: str) -> list[NamedNode]:
        named = {t.subject for t in triples if t.predicate == TYPE and t.object == NamedNode(OWL + kind)}
        return sorted(named, key=str)

    transitive = set(terms("TransitiveProperty"))
    for name in terms("Class"):
        yield Triple(_example(name), TYPE, name)
    for name in terms("ObjectProperty"):
        yield Triple(_example(name, 1), name, _example(name, 2))
        if name in transitive:
            yield Triple(_example(name, 2), name, _example(name, 3))
    named = {t.subject for t in triples if t.predicate == NamedNode(RDFS + "subPropertyOf")}
    for name in [*terms("DatatypeProperty"), *(name for name in terms("AnnotationProperty") if name in named)]:
        yield Triple(_example(name, 1), name, Literal("1"))
    for triple in triples:
        if triple.predicate == NamedNode(OWL + "propertyChainAxiom"):
            links = _items(triples, triple.object)
            for place, link in enumerate(links, start=1):
                chain = ("chain", triple.subject, links[0])
                yield Triple(_example(*chain, place), link, _example(*chain, place + 1))
        disjoint = []
        if triple.predicate == NamedNode(OWL + "disjointWith"):
            disjoint = [triple.subject, triple.object]
        elif triple.predicate == NamedNode(OWL + "members"):
            disjoint = _items(triples, triple.object)
        for pair in combinations(disjoint, 2):
            yield from (Triple(_example("both", *pair), TYPE, name) for name in pair)


def _example(*parts: object) -> NamedNode:
    names = (p.value.rpartition("/")[2].rpartition("#")[2] if isinstance(p, NamedNode) else str(p) for p in parts)
    return NamedNode(_PREFIXES["ex"] + "-".join(names))


def _items(triples: list[Triple], head: object) -> list[NamedNode]:
    cells = {(t.subject, t.predicate.value): t.object for t in triples}
    found = []
    while (head, RDF + "first") in cells:
        found.append(cells[head, RDF + "first"])
        head = cells[head, RDF + "rest"]
    return found


def judge(axioms: Iterable[Triple], facts: Iterable[Triple]) -> tuple[set[Triple], set[Triple]]:
    """Return what follows from facts under axioms, and the statements that these find inconsistent."""
    closure = close(store_of([*axioms, *facts]), _RULES)
    examples = {triple for triple in closure.triples if str(triple.subject).startswith(f"<{_PREFIXES['ex']}")}
    return examples, {triple for found in closure.inconsistencies for triple in found.premises}


def read_case(module: str) -> dict[str, set[Triple]]:
    """Return given, then and forbidden of a module."""
    return {part: set(read_turtle(FOLDER / f"{module}.{part}.ttl")) for part in PARTS}


def write_cases() -> None:
    """Write the files of every module anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for module, triples in modules().items():
        facts = list(suggest_facts(triples))
        then, forbidden = judge(ontology(), facts)
        for part, found in zip(PARTS, (facts, then, forbidden), strict=True):
            path = FOLDER / f"{module}.{part}.ttl"
            path.unlink(missing_ok=True)
            if found:
                path.write_bytes(serialize(sorted(set(found), key=str), format=RdfFormat.TURTLE, prefixes=_PREFIXES))


def mutate() -> dict[Triple, str]:
    """Remove each logical axiom in turn; return which kind of test notices: entailments, checks, or `nobody`."""
    whole, cases = ontology(), [read_case(module) for module in modules()]
    facts = set().union(*(case["given"] for case in cases))
    checks = read_queries(ROOT / "queries" / "checks")
    expected = judge(whole, facts)
    rows = _count_rows(whole, checks)
    noticed = {}
    for axiom in filter(is_axiom, whole):
        rest = [triple for triple in whole if triple != axiom]
        if judge(rest, facts) != expected:
            noticed[axiom] = "entailments"
        else:
            more = [query for query, count in _count_rows(rest, checks).items() if count > rows[query]]
            noticed[axiom] = f"check {more[0]}" if more else "nobody"
    return noticed


def _count_rows(triples: list[Triple], checks: list) -> dict[str, int]:
    store = store_of(triples)
    return {query.id: len(list(store.query(query.text, prefixes=dict(PREFIXES)))) for query in checks}


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write_cases()
    elif sys.argv[1:] == ["mutate"]:
        report = mutate()
        for kind, count in Counter(report.values()).most_common():
            print(f"{count:5} {kind}")
        print(*(axiom for axiom, kind in report.items() if kind == "nobody"), sep="\n")
    else:
        sys.exit(__doc__)
