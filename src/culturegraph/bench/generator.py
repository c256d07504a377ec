"""Generated data of our kind, with the shapes that it mostly meets: for benchmarks and differential tests.

One table of kinds gives both the triples and the shapes. About one entity in fifty gets a fault, each of which some
shape finds. The same seed gives the same data.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad

from culturegraph.rdf.vocabulary import BASE, CG, EDTF, PREFIXES, RDFS, TYPE, XSD

Terms = Sequence[NamedNode | Literal]
_LABEL: Final = NamedNode(RDFS + "label")
_CONCEPTS: Final = [
    NamedNode(f"{BASE}schemes/domain/{name}") for name in ["oral", "arts", "practices", "nature", "crafts"]
]


@dataclass(frozen=True)
class Property:
    """One property of a kind: its shape, a good value for the n-th entity, and values with a fault."""

    name: str
    shape: str
    good: Callable[[random.Random, int], Terms]
    bad: Callable[[random.Random, int], Terms]

    @property
    def predicate(self) -> NamedNode:
        """The predicate: in our ontology, or a full IRI."""
        return NamedNode(CG + self.name) if "/" not in self.name else NamedNode(self.name)


def _typed(text: object, datatype: str) -> Literal:
    return Literal(str(text), datatype=NamedNode(XSD + datatype))


def label(size: int = 60) -> Property:
    """Labels in Spanish and English, one a language."""
    shape = (
        'sh:minCount 2 ; sh:uniqueLang true ; sh:languageIn ( "es" "en" ) ; sh:datatype rdf:langString ;'
        f" sh:minLength 3 ; sh:maxLength {size}"
    )
    return Property(
        _LABEL.value,
        shape,
        lambda _, n: [Literal(f"nombre {n}", language="es"), Literal(f"name {n}", language="en")],
        lambda r, n: (
            [Literal(f"nombre {n}", language="es")] + ([Literal(f"otro {n}", language="es")] * r.randint(0, 1))
        ),
    )


def code(name: str, prefix: str) -> Property:
    """An identifier with a pattern, exactly one."""
    return Property(
        name,
        f'sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:string ; sh:pattern "^{prefix}-[0-9]{{6}}$"',
        lambda _, n: [Literal(f"{prefix}-{n:06d}")],
        lambda r, n: [[Literal(f"{prefix}{n}")], [], [Literal(f"{prefix}-{n:06d}"), Literal(f"{prefix}-000001")]][
            r.randint(0, 2)
        ],
    )


def date(name: str, year: int = 1950) -> Property:
    """A day of the twenty years from the given one, at most one."""
    return Property(
        name,
        "sh:maxCount 1 ; sh:datatype xsd:date",
        lambda _, n: [_typed(f"{year + n % 20}-{n % 12 + 1:02d}-{n % 28 + 1:02d}", "date")],
        lambda r, n: [_typed(f"{1900 + n % 20}-13-45", "date")] if r.random() < 0.5 else [Literal("hace poco")],
    )


def before(name: str, other: str) -> Property:
    """A day before that of another property."""
    base = date(name)
    return Property(
        name,
        f"sh:maxCount 1 ; sh:datatype xsd:date ; sh:lessThan cg:{other}",
        base.good,
        lambda _, n: [_typed(f"2099-{n % 12 + 1:02d}-01", "date")],
    )


def edtf(name: str) -> Property:
    """A date of varying precision."""
    datatype = NamedNode(EDTF)
    return Property(
        name,
        f'sh:datatype <{EDTF}> ; sh:pattern "^[0-9]{{4}}(-[0-9]{{2}}){{0,2}}~?$"',
        lambda _, n: [Literal(f"{1900 + n % 120}" + ("-05" if n % 3 else ""), datatype=datatype)],
        lambda _, n: [Literal(f"siglo {n % 20}", datatype=datatype)],
    )


def whole(name: str, low: int, high: int) -> Property:
    """A whole number within bounds."""
    return Property(
        name,
        f"sh:maxCount 1 ; sh:datatype xsd:integer ; sh:minInclusive {low} ; sh:maxInclusive {high}",
        lambda _, n: [_typed(low + n % (high - low), "integer")],
        lambda r, n: [_typed(high + 1 + n, "integer")] if r.random() < 0.5 else [_typed("muchos", "integer")],
    )


def degrees(name: str, low: int, high: int) -> Property:
    """A decimal within bounds; some are written with a zero at the end, which stores drop."""
    return Property(
        name,
        f"sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:decimal ; sh:minInclusive {low}.0 ; sh:maxInclusive {high}.0",
        lambda _, n: [_typed(f"{low + n % (high - low)}.{n % 10000:04d}", "decimal")],
        lambda _, n: [_typed(f"{high + 1 + n % 90}.5", "decimal")],
    )


def reference(name: str, kind: str, required: bool = False) -> Property:
    """A link to an entity of a kind."""
    count = "sh:minCount 1 ; " if required else ""
    return Property(
        name,
        f"{count}sh:nodeKind sh:IRI ; sh:class cg:{kind}",
        lambda r, n: [_entity(kind, r.randrange(max(n, 1)))],
        lambda r, n: [Literal(f"{kind} {n}")] if r.random() < 0.5 else [NamedNode(f"{BASE}id/none/{n}")],
    )


def concept(name: str) -> Property:
    """A concept of a closed list."""
    return Property(
        name,
        f"sh:minCount 1 ; sh:in ( {' '.join(map(str, _CONCEPTS))} )",
        lambda _, n: [_CONCEPTS[n % len(_CONCEPTS)]],
        lambda r, _: [NamedNode(f"{BASE}schemes/domain/unknown")] if r.random() < 0.5 else [],
    )


def either(name: str) -> Property:
    """A day or a year."""
    return Property(
        name,
        "sh:or ( [ sh:datatype xsd:date ] [ sh:datatype xsd:gYear ] )",
        lambda _, n: [_typed(1950 + n % 70, "gYear") if n % 2 else _typed(f"{1950 + n % 70}-06-01", "date")],
        lambda _, n: [Literal(str(1950 + n % 70))],
    )


def nested(name: str, kind: str) -> Property:
    """A link to an entity that has a label."""
    return Property(
        name,
        "sh:maxCount 2 ; sh:node cg:LabelledShape",
        lambda r, n: [_entity(kind, r.randrange(max(n, 1)))],
        lambda _, n: [NamedNode(f"{BASE}id/none/{n}")],
    )


_DATED: Final = [before("begin", "end"), date("end", 2000)]

KINDS: Final[dict[str, list[Property]]] = {
    "Place": [label(), code("ubigeo", "PE"), degrees("latitude", -19, 1), degrees("longitude", -82, -68)],
    "Language": [label(), code("iso", "LG"), whole("speakers", 0, 9_000_000), concept("vitality")],
    "IndigenousPeople": [label(), code("bdpi", "PI"), reference("speaks", "Language"), reference("locatedIn", "Place")],
    "LocalCommunity": [
        label(),
        code("register", "CN"),
        reference("partOf", "IndigenousPeople"),
        nested("seat", "Place"),
    ],
    "Institution": [label(), code("ruc", "IN"), either("founded"), reference("locatedIn", "Place", required=True)],
    "NationalNorm": [
        label(120),
        code("number", "NL"),
        date("issued"),
        reference("issuer", "Institution", required=True),
    ],
    "Dance": [
        label(),
        concept("domain"),
        reference("practisedBy", "IndigenousPeople"),
        reference("locatedIn", "Place"),
    ],
    "Music": [label(), concept("domain"), reference("practisedBy", "IndigenousPeople"), edtf("since")],
    "TraditionalCraft": [label(), concept("domain"), code("line", "CR"), reference("locatedIn", "Place")],
    "Festivity": [label(), concept("domain"), whole("month", 1, 12), reference("locatedIn", "Place", required=True)],
    "Ritual": [label(), concept("domain"), edtf("since"), nested("heldAt", "Place")],
    "HeritageDeclaration": [
        label(120),
        reference("recognises", "Dance", required=True),
        reference("grantedByNorm", "NationalNorm", required=True),
        *_DATED,
    ],
    "NationalProgramme": [
        label(),
        reference("administeredBy", "Institution", required=True),
        *_DATED,
        code("snip", "PR"),
    ],
    "CooperationProgramme": [label(), code("acronym", "CO"), either("founded"), concept("domain")],
    "Membership": [
        reference("memberOf", "CooperationProgramme", required=True),
        edtf("joined"),
        *_DATED,
        concept("role"),
    ],
    "PolicyMeasure": [label(120), reference("implements", "NationalNorm"), concept("goal"), whole("cycle", 2012, 2030)],
    "Treaty": [label(120), code("registration", "TR"), *_DATED, reference("depositary", "Institution")],
    "Mention": [label(), nested("mentions", "Institution"), whole("page", 1, 400), code("item", "ME")],
    "Practice": [
        label(),
        reference("people", "IndigenousPeople", required=True),
        reference("expression", "Music"),
        *_DATED,
    ],
}


def _entity(kind: str, number: int) -> NamedNode:
    return NamedNode(f"{BASE}id/{kind.lower()}/{number}")


def generate(triples: int, seed: int = 1, faults: float = 0.02) -> Iterator[Quad]:
    """Yield about so many triples, in the default graph; `faults` is the share of entities that get one."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    made = number = 0
    while made < triples:
        for kind, properties in KINDS.items():
            subject = _entity(kind, number)
            yield Quad(subject, TYPE, NamedNode(CG + kind))
            broken = rng.choice(properties) if rng.random() < faults else None
            made += 1
            for item in properties:
                values = (item.bad if item is broken else item.good)(rng, number)
                made += len(values)
                for value in values:
                    yield Quad(subject, item.predicate, value)
        number += 1


def generated_shapes() -> str:
    """Return the shapes of all kinds, in Turtle: a node shape a kind, a property shape a property."""
    lines = [f"@prefix {prefix}: <{iri}> ." for prefix, iri in PREFIXES.items()]
    lines.append(_DECLARED)
    lines.append("cg:LabelledShape a sh:NodeShape ; sh:property [ sh:path rdfs:label ; sh:minCount 1 ] .")
    for kind, properties in KINDS.items():
        names = [f"cg:{kind}Shape-{index}" for index, _ in enumerate(properties)]
        lines.append(
            f"cg:{kind}Shape a sh:NodeShape ; sh:targetClass cg:{kind} ; sh:nodeKind sh:IRI ;"
            f' sh:pattern "^{BASE}id/" ; sh:property {", ".join(names)} .'
        )
        for name, item in zip(names, properties, strict=True):
            lines.append(f"{name} a sh:PropertyShape ; sh:path {item.predicate} ; {item.shape} .")
    lines += [_sparql(number, *rule) for number, rule in enumerate(_RULES)]
    return "\n".join(lines) + "\n"


_LATE: Final = f'FILTER(?value < "1950-01-01"^^<{XSD}date>)'
# Kind, message, what is asked of $this: what a fifth of our own shapes look like.
_RULES: Final = [
    ("HeritageDeclaration", "ends before 1950", f"$this cg:end ?value {_LATE}"),
    ("Place", "shares its code", "$this cg:ubigeo ?value . ?other cg:ubigeo ?value FILTER(?other != $this)"),
    ("Dance", "is of an unnamed people", "$this cg:practisedBy ?value FILTER NOT EXISTS { ?value rdfs:label ?name }"),
    (
        "NationalProgramme",
        "has no agency",
        "$this cg:administeredBy ?value FILTER NOT EXISTS { ?value a cg:Institution }",
    ),
    (
        "Membership",
        "is of no programme",
        "$this cg:memberOf ?value FILTER NOT EXISTS { ?value a cg:CooperationProgramme }",
    ),
    ("PolicyMeasure", "implements what is no norm", "$this cg:implements ?value FILTER(!isIRI(?value))"),
]


def _sparql(number: int, kind: str, message: str, pattern: str) -> str:
    select = f"SELECT $this ?value WHERE {{ {pattern} }}"
    return (
        f"cg:{kind}Shape sh:sparql cg:rule-{number} . cg:rule-{number} sh:prefixes cg:rules ;"
        f' sh:message "{{$this}} {message}: {{?value}}"@en ; sh:select """{select}""" .'
    )


_DECLARED: Final = "".join(
    f'cg:rules sh:declare [ sh:prefix "{prefix}" ; sh:namespace "{PREFIXES[prefix]}"^^xsd:anyURI ] .\n'
    for prefix in ("cg", "rdfs")
)
