"""Reasoning, measured beside owlrl on made-up data of our kind: types, inverse pairs, nested places, chains.

Each run is a process of its own, so that CPU seconds and peak memory are its alone. owlrl is a development dependency;
without it only our own engine is measured.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from pyoxigraph import NamedNode, Quad, RdfFormat, Store, Triple, parse

from culturegraph.rdf.vocabulary import BASE, CG, TYPE
from culturegraph.reasoning import close, read_rules
from culturegraph.settings import default_root

ENGINES = ("culturegraph", "owlrl")
ONTOLOGY = """
@prefix cg: <https://w3id.org/culturegraph/ontology/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
cg:Dance rdfs:subClassOf cg:PerformingArt . cg:Festivity rdfs:subClassOf cg:CulturalExpression .
cg:PerformingArt rdfs:subClassOf cg:CulturalExpression . cg:IndigenousPeople rdfs:subClassOf cg:Community .
cg:HeritageDeclaration rdfs:subClassOf cg:Recognition . cg:Recognition rdfs:subClassOf cg:Situation .
cg:NationalNorm rdfs:subClassOf cg:LegalInstrument .
[] a owl:AllDisjointClasses ;
  owl:members ( cg:CulturalExpression cg:Community cg:Situation cg:LegalInstrument cg:Place ) .
cg:practises owl:inverseOf cg:practisedBy ; rdfs:domain cg:Community ; rdfs:range cg:CulturalExpression .
cg:recognises owl:inverseOf cg:recognisedThrough ; rdfs:domain cg:Recognition .
cg:grantedByNorm owl:inverseOf cg:grants ; rdfs:range cg:LegalInstrument .
cg:recognisedByNorm owl:inverseOf cg:recognisesByNorm ;
  owl:propertyChainAxiom ( cg:recognisedThrough cg:grantedByNorm ) .
cg:locatedIn rdfs:range cg:Place . cg:celebratedIn rdfs:subPropertyOf cg:locatedIn .
cg:within a owl:TransitiveProperty ; owl:inverseOf cg:contains ; rdfs:domain cg:Place ; rdfs:range cg:Place .
cg:locatedWithin owl:propertyChainAxiom ( cg:locatedIn cg:within ) .
cg:neighbourOf a owl:SymmetricProperty .
"""


@dataclass(frozen=True)
class Run:
    """One measured run. CPU seconds are of the reasoning alone, peak memory (bytes) of the whole process."""

    engine: str
    triples: int
    inferred: int
    cpu_seconds: float
    seconds: float
    peak_memory: int


def generate(size: int, seed: int = 1) -> Iterator[Triple]:
    """Yield about so many triples of made-up instance data, the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311
    count = size // 20
    places = max(30, count)
    for n in range(1, places):
        # Districts in provinces, in departments, in one country: four levels, as in the real data.
        above = (0, 1) if n < 26 else (1, 26) if n < 26 + places // 10 else (26, 26 + places // 10)
        yield _link(f"place/{n}", "within", f"place/{chance.randrange(*above)}")
        yield _type(f"place/{n}", "Place")
    for n in range(count):
        expression, recognition, norm = f"expression/{n}", f"recognition/{n}", f"norm/{n // 3}"
        yield _type(expression, chance.choice(("Dance", "Festivity", "PerformingArt")))
        yield _type(recognition, "HeritageDeclaration")
        yield _link(recognition, "recognises", expression)
        yield _link(recognition, "grantedByNorm", norm)
        for _ in range(4):
            yield _link(f"community/{chance.randrange(count)}", "practises", f"expression/{chance.randrange(count)}")
            yield _link(expression, chance.choice(("celebratedIn", "locatedIn")), f"place/{chance.randrange(places)}")
            yield _link(expression, "mentionedIn", f"document/{chance.randrange(count)}")
        yield _link(f"people/{n % 97}", "neighbourOf", f"people/{chance.randrange(97)}")
        yield _type(norm, "NationalNorm")
        yield _link(norm, "issuedBy", f"institution/{n % 211}")


def _link(subject: str, predicate: str, target: str) -> Triple:
    return Triple(NamedNode(f"{BASE}id/{subject}"), NamedNode(CG + predicate), NamedNode(f"{BASE}id/{target}"))


def _type(subject: str, name: str) -> Triple:
    return Triple(NamedNode(f"{BASE}id/{subject}"), TYPE, NamedNode(CG + name))


def run(sizes: Sequence[int], engines: Sequence[str] = ENGINES, seed: int = 1, rules: Path | None = None) -> list[Run]:
    """Measure each engine at each size (in triples), one process after the other; `rules` is a folder."""
    rules = rules or default_root() / "queries" / "rules"
    runs = []
    for size in sizes:
        for engine in engines:
            if engine == "owlrl" and find_spec("owlrl") is None:
                continue
            command = [sys.executable, "-m", __name__, engine, str(size), str(seed), str(rules)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs.append(Run(**json.loads(done.stdout)))
    return runs


def measure(engine: str, size: int, seed: int, rules: Path) -> Run:
    """Reason once, in this process."""
    count, reason = (_prepare_owlrl if engine == "owlrl" else _prepare_own)(size, seed, rules)
    cpu, start = time.process_time(), time.perf_counter()
    inferred = reason()
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(engine, count, inferred, round(cpu, 3), round(seconds, 3), peak)


def _triples(size: int, seed: int) -> Iterator[Triple]:
    yield from (quad.triple for quad in parse(input=ONTOLOGY, format=RdfFormat.TURTLE))
    yield from generate(size, seed)


def _prepare_own(size: int, seed: int, rules: Path) -> tuple[int, Callable[[], int]]:
    store, read = Store(), read_rules(rules)
    store.bulk_extend(Quad(t.subject, t.predicate, t.object) for t in _triples(size, seed))
    return len(store), lambda: len(close(store, read).triples)


def _prepare_owlrl(size: int, seed: int, rules: Path) -> tuple[int, Callable[[], int]]:  # noqa: ARG001
    # Development only: a build does not need owlrl, nor rdflib here.
    import owlrl

    from culturegraph.rdf.bridge import to_rdflib

    graph = to_rdflib(_triples(size, seed))
    count = len(graph)

    def reason() -> int:
        owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
        return len(graph) - count

    return count, reason


if __name__ == "__main__":
    _engine, _size, _seed, _rules = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(measure(_engine, int(_size), int(_seed), Path(_rules)))))
