"""Where the columns of the fact tables went in the graph, and the search for recalled values in it.

`cases/recalled.csv` lists the values: fact table, id, column, value, and where the mark stands. A value may come in
once a source was read that gives it: `cases/recalled_since_sourced.csv` says which (an empty `value` means the whole
cell), and the value may then stand only in that source's graph. Values marked `editorial:` are classifications and
translations of our own: they may stand in the editorial graph, never in a source's.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad

BASE = "https://w3id.org/culturegraph/"
CG = BASE + "ontology/"
SOURCE_GRAPH = BASE + "graph/source/"
EDITORIAL = SOURCE_GRAPH + "editorial"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
SKOS = "http://www.w3.org/2004/02/skos/core#"
GEO = "http://www.w3.org/2003/01/geo/wgs84_pos#"
FOAF = "http://xmlns.com/foaf/0.1/"

Match = Callable[[str, Literal | NamedNode], bool]


@dataclass(frozen=True)
class Recalled:
    """One row of the list."""

    table: str
    id: str
    column: str
    value: str
    marker: str


@dataclass(frozen=True)
class Rule:
    """How a column of a fact table would show in the graph."""

    match: Match
    properties: frozenset[str] = frozenset()  # empty: any property
    via: frozenset[str] = frozenset()  # also on nodes that point to the entity by one of these
    direct: bool = True  # on the entity itself
    editorial: bool = False  # a classification of our own may say the same


@dataclass(frozen=True)
class FactTable:
    """Where the rows and columns of a fact table went."""

    subjects: Callable[[str], list[str]]
    columns: Mapping[str, Rule]
    without_property: frozenset[str] = frozenset()  # columns that the graph has no property for


def _is_text(value: str, node: Literal | NamedNode) -> bool:
    return isinstance(node, Literal) and " ".join(node.value.split()) == value


def _is_number(value: str, node: Literal | NamedNode) -> bool:
    try:
        return isinstance(node, Literal) and Decimal(node.value) == Decimal(re.match(r"-?[\d.]+", value)[0])
    except (InvalidOperation, TypeError):
        return False


def _is_date(value: str, node: Literal | NamedNode) -> bool:
    return isinstance(node, Literal) and bool(re.match(re.escape(value) + r"([-/~?%]|$)", node.value))


def _is_address(value: str, node: Literal | NamedNode) -> bool:
    bare = re.compile(r"^https?://|/$")
    return isinstance(node, NamedNode) and bare.sub("", node.value) == bare.sub("", value)


def _is_identifier(value: str, node: Literal | NamedNode) -> bool:
    """The identifier as a literal, or as the last step of an address; a scheme name may stand before it."""
    code = value.split()[-1]
    return node.value == code or (isinstance(node, NamedNode) and node.value.rstrip("/").rsplit("/", 1)[-1] == code)


def _is_one_of(value: str, node: Literal | NamedNode) -> bool:
    return isinstance(node, Literal) and node.value in re.findall(r"\b[A-Z]{2,3}\b", value)


def _is_entity(value: str, node: Literal | NamedNode) -> bool:
    """An entity or concept named in the cell by the id of its fact table."""
    slugs = {_slug(part) for part in re.split(r"[;|, ]+", value)}
    return isinstance(node, NamedNode) and node.value.startswith(BASE) and node.value.rsplit("/", 1)[-1] in slugs


_SLUGS = {"state-peru": "per", "proj-sanmartin": "sanmartin-rescate", "ens-bnp": "ballet-nacional"}


def _slug(fact_id: str) -> str:
    """The last step of the IRI of a fact id or of a plain word (`Amazonía`, `nearly extinct`)."""
    if fact_id in _SLUGS:
        return _SLUGS[fact_id]
    short = re.sub(r"^(inst|ens|prog|plan|reg|net|db|sys|arch|plat|proj|coop|pueblo|lengua|state)-", "", fact_id)
    plain = short.lower().translate(str.maketrans("áéíóúñ", "aeioun"))
    return plain.replace(" ", "-")


_DEPARTMENT_NAMES = """Amazonas Áncash Apurímac Arequipa Ayacucho Cajamarca Callao Cusco Huancavelica Huánuco Ica Junín
La_Libertad Lambayeque Lima Loreto Madre_de_Dios Moquegua Pasco Piura Puno San_Martín Tacna Tumbes Ucayali"""
_EXPRESSION_CLASSES = {
    "festival": "Festivity",
    "dance-music": "PerformingArt Dance Music",
    "music": "Music",
    "dance": "Dance",
    "craft": "TraditionalCraft",
    "oral-tradition": "OralTradition",
    "cuisine": "CulinaryTradition",
    "traditional-knowledge": "TraditionalKnowledge",
    "social-organisation": "TraditionalGovernance",
    "instrument": "MusicalInstrument",
}
DEPARTMENTS = {
    name.replace("_", " "): f"{BASE}id/place/pe-{number:02}" for number, name in enumerate(_DEPARTMENT_NAMES.split(), 1)
}


def _read_table(name: str) -> list[dict[str, str]]:
    with (Path(__file__).resolve().parents[1] / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


PLACES = {f"{BASE}id/place/{row['id']}": row["label_es"] for row in _read_table("places.csv")}
ACCEPTED_SHEETS = {
    row["object"].partition("cod_Ficha=")[2] for row in _read_table("mappings.csv") if row["verdict"] == "accepted"
}


def _is_department(value: str, node: Literal | NamedNode) -> bool:
    return node.value == DEPARTMENTS.get(value)


def _is_expression_class(value: str, node: Literal | NamedNode) -> bool:
    """A class, or a concept of the types of expression, named by the category of a fact table."""
    concept = f"{BASE}schemes/expression-types/{value}"
    classes = {CG + name for name in _EXPRESSION_CLASSES.get(value, "").split()}
    return node.value == concept or node.value in classes


def _is_within(value: str, node: Literal | NamedNode) -> bool:
    """One of the departments that a cell names, or a place within it."""
    named = tuple(DEPARTMENTS[part.strip()] for part in value.split(";") if part.strip() in DEPARTMENTS)
    return isinstance(node, NamedNode) and bool(named) and node.value.startswith(named)


def _is_place_of(digits: int) -> Match:
    """One of the provinces (4 digits) or districts (6) that a cell names."""
    return lambda value, node: (
        isinstance(node, NamedNode)
        and len(node.value.rsplit("-", 1)[-1]) == digits
        and PLACES.get(node.value) in {part.strip() for part in value.split(";")}
    )


def _is_norm(value: str, node: Literal | NamedNode) -> bool:
    """A norm whose id holds the letters and the number of a cell such as `RDN 836/INC-2008`."""
    words = re.findall(r"[a-z]+|\d+", value.lower())
    return isinstance(node, NamedNode) and "-".join(words[:2]) in node.value.rsplit("/", 1)[-1]


def _is_people(value: str, node: Literal | NamedNode) -> bool:
    return isinstance(node, NamedNode) and node.value in {
        f"{BASE}id/people/{_slug(part.strip())}" for part in value.split(";")
    }


def _is_unjudged_sheet(value: str, node: Literal | NamedNode) -> bool:
    """The code of a sheet that no verdict of `mappings.csv` accepted."""
    return isinstance(node, Literal) and value.startswith(f"exp-m{node.value}-") and node.value not in ACCEPTED_SHEETS


def _cg(*names: str) -> frozenset[str]:
    return frozenset(CG + name for name in names)


def _under(*segments: str) -> Callable[[str], list[str]]:
    return lambda fact_id: [f"{BASE}id/{segment}/{_slug(fact_id)}" for segment in segments]


ELEMENTS = {
    "00007": "patrimonio-oral-zapara",
    "00166": "arte-textil-taquile",
    "00299": "salvaguardia-aymara-bolivia-chile-peru",
    "00390": "huaconada-mito",
    "00391": "danza-de-tijeras",
    "00531": "esuwa-wachiperi",
    "00567": "peregrinacion-qoyllurit-i",
    "00594": "puente-q-eswachaka",
    "00956": "fiesta-candelaria-puno",
    "01056": "danza-wititi",
    "01155": "jueces-de-agua-corongo",
    "01309": "hatajo-de-negritos-y-pallitas",
    "01557": "ceramica-awajun",
    "01952": "ceviche",
    "sarawja": "sarawja",
}
# Ids of some fact tables say nothing of the slug: `cases/fact_entities.csv` says where each row went, or would go.
_ENTITIES: dict[tuple[str, str], str] = {}
with (Path(__file__).parent / "cases" / "fact_entities.csv").open(encoding="utf-8", newline="") as _file:
    for _row in csv.DictReader(_file):
        _ENTITIES[_row["table"], _row["id"]] = BASE + _row["entity"]


def _listed_in(*tables: str) -> Callable[[str], list[str]]:
    return lambda fact_id: [_ENTITIES[table, fact_id] for table in tables if (table, fact_id) in _ENTITIES]


def _element(fact_id: str) -> list[str]:
    return [f"{BASE}id/expression/{ELEMENTS[fact_id.removeprefix('ich-pe-')]}"]


def _of_prefix(fact_id: str) -> list[str]:
    """Subjects of an id whose prefix says its kind (`lengua-`, `pe-prov-`, `inst-`, ...)."""
    if fact_id.startswith("pe-"):
        return [f"{BASE}id/place/{re.sub('dep-|prov-|dist-', '', fact_id)}"]
    if fact_id.startswith("state-"):
        return [BASE + "id/state/per", BASE + "id/place/pe"]
    segments = {"lengua": "language", "pueblo": "people", "inst": "institution", "ens": "institution"}
    return _under(segments.get(fact_id.split("-")[0], "programme"))(fact_id)


def _statement(number: str) -> list[str]:
    return {"2": [BASE + "id/state/per", BASE + "id/place/pe"], "61": [BASE + "id/document/qpr-2012"]}[number]


def _label_slug(fact_id: str) -> str:
    """The slug of a row that is named by its label and row number (`Lupuna - Artes amazónicas#6`)."""
    plain = unicodedata.normalize("NFD", re.sub(r" \(.*|#\d+$", "", fact_id).lower())
    return "-".join(
        re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)).replace("'", ""))
    )


def _of_label(segment: str) -> Callable[[str], list[str]]:
    return lambda fact_id: [f"{BASE}id/{segment}/{_label_slug(fact_id)}"]


def _community(fact_id: str) -> str:
    short = fact_id.removeprefix("cn-").removesuffix("-2")
    return short.replace("-sanmarti", "-san-martin").replace("-madreded", "-madre-de-dios")


PROJECTS = {"cp-mipequeno": "mi-pequeno"}
# Expressions of core_san_martin.csv that have rows of their own.
SAN_MARTIN = {
    "carnaval-lamista",
    "danza-de-la-adoracion-de-lamas",
    "danza-de-la-kajada",
    "danza-del-pillo",
    "tolenton-de-saposoa",
}
WORKS = {
    "wk-20": "memoria-anual-2013-ministerio-de-cultura",
    "bib-51": "guide-to-documentary-sources-for-andean-studies",
}
PEOPLE_AND_GROUPS = {
    "po-041": "id/group/yanawaraq-pallaymi",
    "po-042": "id/group/san-miguel-arcangel",
    "po-043": "id/group/kanaris-warmi-kaynu-awakun",
    "po-044": "id/group/allin-maki-wasi",
    "po-045": "id/group/oneker",
    "po-046": "id/person/gabriel-aybar",
    "po-047": "id/person/tomas-jancco",
    "po-048": "id/person/agustin-piminchumo",
    "po-049": "id/group/tejedoras-de-bufeo-cocha",
    "po-050": "id/community/comunidad-harakbut-de-puerto-luz",
    "po-051": "id/community/comunidad-harakbut-de-puerto-azul",
    "po-075": "id/punto/centro-cultural-nosotros",
}


NAME = Rule(_is_text, frozenset({LABEL, SKOS + "altLabel", SKOS + "prefLabel"}))
FOUND = Rule(_is_text, frozenset({SKOS + "altLabel", SKOS + "hiddenLabel", SKOS + "prefLabel"}))
HOMEPAGE = Rule(_is_address, frozenset({FOAF + "homepage"}))
STARTED = Rule(_is_date, _cg("founded", "startDate"))
CODE = Rule(_is_identifier)
DOMAIN = Rule(_is_entity, _cg("ichDomain"))
MEMBER_SINCE = Rule(_is_date, _cg("startDate"), _cg("memberOfProgramme"), direct=False)
REPORT = FactTable(
    _under("document", "measure"),
    {
        **dict.fromkeys(("label_es", "label_en", "report"), NAME),
        "links": Rule(_is_entity, _cg("about", "concerns")),
        "report_year": Rule(_is_date, frozenset({"http://purl.org/dc/terms/issued", CG + "period"})),
        "reporting_org": Rule(_is_entity, _cg("responsibleOrganization") | {"http://purl.org/dc/terms/creator"}),
    },
    frozenset({"cultural_domain", "convention"}),
)
ELEMENT = FactTable(
    _element,
    {
        "label_es": NAME,
        "ich_domains": DOMAIN,
        "element_no": Rule(_is_text, _cg("elementNumber"), _cg("recognises")),
        "ich_url": Rule(_is_address, frozenset({FOAF + "page"}), _cg("recognises")),
        "proclaimed_masterpiece": Rule(_is_date, _cg("recognitionDate", "date", "startDate"), _cg("recognises")),
        "communities": Rule(_is_text, _cg("practitionerName"), _cg("expressionPractised")),
    },
)
# What class an expression has is ours to say, but only in the editorial graph.
CLASS = Rule(_is_expression_class, editorial=True)
LOCATED = _cg("locatedIn", "practicePlace")
DECLARED = Rule(_is_date, _cg("recognitionDate", "dateIssued", "datePublished"), _cg("recognises"), direct=False)
DECLARATION = FactTable(
    _listed_in("patrimonio_nacion", "unesco2_patrimonio_nacion_additional"),
    {
        "label_es": NAME,
        "department": Rule(_is_within, LOCATED),
        "province": Rule(_is_place_of(4), LOCATED),
        "district": Rule(_is_place_of(6), LOCATED),
        "expression_type": CLASS,
        "register_class": Rule(_is_entity, _cg("registerClass")),
        "year": DECLARED,
        "date": DECLARED,
        "value": DECLARED,
        "resolution_recalled": Rule(_is_norm, _cg("grantedByNorm"), _cg("recognises")),
    },
    frozenset({"field", "unesco_ich_no"}),  # element numbers are looked for below, in the tables of UNESCO
)
MAPPED: dict[str, FactTable] = {
    "patrimonio_nacion": DECLARATION,
    "unesco2_patrimonio_nacion_additional": DECLARATION,
    "unesco2_patrimonio_nacion_updates": DECLARATION,
    "expressions_other": FactTable(
        _listed_in("expressions_other"),
        {
            "label_es": NAME,
            "department": Rule(_is_within, LOCATED),
            "category": CLASS,
            "subcategory": CLASS,
            "craft_line": Rule(_is_entity, _cg("craftLine"), editorial=True),
            "community": Rule(_is_people, _cg("practitioner"), _cg("expressionPractised")),
        },
    ),
    "crosswalk_pcn_mincetur_candidates": FactTable(
        _listed_in("patrimonio_nacion", "unesco2_patrimonio_nacion_additional"),
        # A sheet merged with a declared expression shows as its code: only a verdict lets it in.
        {"expression_id": Rule(_is_unjudged_sheet, _cg("minceturCode"))},
    ),
    "world_heritage_pe": FactTable(
        _listed_in("world_heritage_pe"),
        {"label_es": NAME, "departments": Rule(_is_department, _cg("within"))},
    ),
    "memory_world_pe": FactTable(_listed_in("memory_world_pe"), {"label_en": NAME}),
    # The letters of the domains of the Framework for Cultural Statistics (2009): a scheme of the ontology, not a table.
    "vocab_alignments": FactTable(lambda fact_id: [], {"scheme_label_en": NAME}),
    "institutions": FactTable(
        _of_prefix,
        {
            "website": HOMEPAGE,
            "start_date": STARTED,
            "successor_ids": Rule(_is_entity, via=_cg("originalOrganization")),
            "parent_id": Rule(_is_entity, _cg("unitOf")),
            "note": Rule(lambda value, node: _is_entity(value.replace(" ", "-"), node)),
            "external_id": Rule(_is_one_of, _cg("iso31661Alpha2", "iso31661Alpha3")),
        },
    ),
    "programs": FactTable(
        lambda fact_id: _of_prefix(fact_id) + _under("programme")(fact_id),
        {
            "website": HOMEPAGE,
            "start_date": STARTED,
            "end_date": Rule(_is_date, _cg("endDate")),
            "label_es": NAME,
            "label_en": NAME,
            "operator_id": Rule(_is_entity, _cg("administeredBy")),
            "legal_basis_ids": Rule(_is_entity, _cg("legalBasis")),
            "note": Rule(lambda value, node: _is_entity(value.replace(" ", "-"), node)),
        },
        frozenset({"statistic", "type"}),
    ),
    "cooperation": FactTable(
        _under("cooperation"),
        {
            "website": HOMEPAGE,
            "created": STARTED,
            "created_by": Rule(_is_text, _cg("createdAt")),
            "peru_joined": MEMBER_SINCE,
            "field": Rule(_is_entity, _cg("field")),
            "label_es": NAME,
            "label_en": NAME,
            "parent": Rule(_is_entity, _cg("secretariat")),
        },
        frozenset({"unesco2005_articles"}),
    ),
    "core_cooperation_facts": FactTable(
        lambda fact_id: _under("cooperation")(fact_id.split("#")[0]),
        {
            "value": MEMBER_SINCE,
            "date": Rule(_is_date, _cg("date"), _cg("concerns")),
        },
    ),
    "core_ensembles": FactTable(
        lambda fact_id: _under("institution")(fact_id.split("#")[0]),
        {"note": STARTED, "value": STARTED, "date": STARTED},
    ),
    "core_convention_ifcd_qpr": FactTable(
        lambda fact_id: _under("treaty", "cooperation", "document")(fact_id.split("#")[0]),
        {
            "date": Rule(_is_date, _cg("dateInForce", "date", "startDate"), _cg("concernsInstrument")),
            "value": Rule(_is_text),
        },
    ),
    "laws": FactTable(
        _under("norm", "treaty"),
        {
            "entry_into_force": Rule(_is_date, _cg("dateInForce", "date"), _cg("concernsInstrument")),
            "publication_date": Rule(_is_date, _cg("datePublished")),
            "issue_date": Rule(_is_date, _cg("dateIssued")),
            "issuer": Rule(_is_text, _cg("issuerName")),
            "label_es": NAME,
            "label_en": NAME,
            "number": Rule(_is_text, _cg("number")),
            "relations": Rule(_is_entity, _cg("repeals", "replaces", "amends", "modifies")),
        },
        frozenset({"status", "norm_type"}),
    ),
    "trade_agreements": FactTable(
        _under("treaty"),
        {
            "in_force": Rule(_is_date, _cg("dateInForce", "date"), _cg("concernsInstrument")),
            "signed": Rule(_is_date, _cg("dateSigned", "date"), _cg("concernsInstrument")),
        },
    ),
    "policies_measures": REPORT,
    "unesco2_peru_reports": REPORT,
    "statement_entities": FactTable(_statement, {"key_properties": CODE}),
    "unesco_ich_pe": ELEMENT,
    "unesco2_ich_pe_additional": ELEMENT,
    "unesco2_unesco_status_facts": FactTable(
        lambda _: [BASE + "id/place/pe", BASE + "id/state/per"],
        {"value": Rule(_is_number, _cg("value"), _cg("observedFor"))},
        frozenset({"date"}),
    ),
    "peoples": FactTable(
        _under("people"),
        {
            "label_es": Rule(_is_text, frozenset({LABEL})),
            "alt_labels": FOUND,
            "area": Rule(_is_entity, _cg("area"), editorial=True),
            "departments": Rule(_is_department, _cg("livesIn")),
            "language_ids": Rule(_is_entity, _cg("speaks")),
        },
        frozenset({"kind"}),
    ),
    "languages": FactTable(
        _under("language"),
        {
            **dict.fromkeys(("label_es", "label_official_spelling"), Rule(_is_text, frozenset({LABEL}))),
            **dict.fromkeys(("glottolog_name",), NAME),
            **dict.fromkeys(("family_glottolog", "family_mincul"), Rule(_is_text, _cg("familyName"))),
            **dict.fromkeys(("glottocode", "iso639_3", "member_glottocodes", "member_iso639_3"), CODE),
            **dict.fromkeys(("wikidata_qid", "elp_id", "enwiki"), CODE),
            "alt_names": FOUND,
            "latitude": Rule(_is_number, frozenset({GEO + "lat"})),
            "longitude": Rule(_is_number, frozenset({GEO + "long"})),
            "vitality_aes": Rule(_is_entity, _cg("vitality")),
            "parent_id": Rule(_is_entity, _cg("varietyOf")),
            "speakers_census2017": Rule(_is_number, _cg("value"), _cg("observedFor")),
        },
        frozenset({"alphabet_norm", "glottolog_level"}),
    ),
    "cooperation_projects": FactTable(
        lambda fact_id: [BASE + "id/supported-project/" + PROJECTS.get(fact_id, fact_id)],
        {"title_es": NAME},
    ),
    "core_cooperation_projects": FactTable(_of_label("supported-project"), {"title": NAME}),
    "core_puntos_de_cultura": FactTable(
        _of_label("punto"),
        {
            "name": NAME,
            "year": Rule(_is_date, _cg("recognitionDate", "attested"), _cg("recognises")),
            "act": Rule(_is_text, _cg("decision"), _cg("recognises")),
            "recognition": Rule(lambda _, node: node.value == CG + "PuntoRecognition", via=_cg("recognises")),
            "region": Rule(_is_department, _cg("locatedIn")),
        },
        frozenset({"province_or_place", "activity", "already_in"}),
    ),
    "core_puntos_totals": FactTable(
        lambda _: [BASE + "id/programme/puntos"],
        {"value": Rule(_is_number, _cg("value"), _cg("observedFor"))},
        frozenset({"measure", "date"}),
    ),
    "core_ruraqmaki_editions": FactTable(
        lambda fact_id: [BASE + "id/event/ruraqmaki-" + fact_id.split("#")[0]],
        {"start": Rule(_is_date, _cg("startDate")), "end": Rule(_is_date, _cg("endDate"))},
        frozenset({"year", "venue", "collectives", "other_figures"}),
    ),
    "core_ruraqmaki_participants": FactTable(
        lambda fact_id: [iri for segment in ("group", "person", "community") for iri in _of_label(segment)(fact_id)],
        {
            "department": Rule(_is_department, _cg("locatedIn")),
            "participant": NAME,
        },
        frozenset({"kind", "craft_line", "place_or_community", "edition", "already_in"}),
    ),
    "core_san_martin": FactTable(_of_label("expression"), {"label": NAME}),
    "links_bibliography": FactTable(lambda fact_id: [BASE + "id/work/" + WORKS.get(fact_id, fact_id)], {"title": NAME}),
    "links_wikidata_misc": FactTable(
        lambda fact_id: [BASE + "id/people/" + _label_slug(fact_id)], {"wikidata_qid": CODE}
    ),
    "links_wikidata_properties": FactTable(lambda _: [CG + "wikidataId"], {"property": CODE}, frozenset({"label"})),
    "native_communities": FactTable(
        # Rows that a verdict found to be one community went to the one that stayed.
        lambda fact_id: _listed_in("native_communities")(fact_id) or [BASE + "id/community/" + _community(fact_id)],
        {
            "label_es": NAME,
            "people_id": Rule(_is_entity, _cg("belongsToPeople")),
            "district_ubigeo": Rule(lambda value, node: node.value == f"{BASE}id/place/pe-{value}", _cg("locatedIn")),
            "inei_ccpp_candidate": CODE,
            "latitude": Rule(_is_number, frozenset({GEO + "lat"})),
            "longitude": Rule(_is_number, frozenset({GEO + "long"})),
        },
        frozenset({"department", "province", "district", "kind"}),
    ),
    "people_orgs": FactTable(
        lambda fact_id: [BASE + PEOPLE_AND_GROUPS.get(fact_id, "id/person/" + fact_id)],
        {
            "label": NAME,
            "place": Rule(_is_department, _cg("locatedIn")),
            "year": Rule(
                _is_date, _cg("attested", "startDate", "recognitionDate"), _cg("participationOf", "recognises")
            ),
        },
    ),
    "works": FactTable(
        lambda fact_id: [BASE + "id/work/" + WORKS.get(fact_id, fact_id)],
        {"year": Rule(_is_date, frozenset({"http://purl.org/dc/terms/issued"}))},
    ),
    "crosswalk_identifiers": FactTable(_of_prefix, {"external_id": CODE}),
    "links_labels": FactTable(_of_prefix, {"label": NAME}, frozenset({"bcp47"})),
}
# Tables whose entities are not in the graph yet, with the first part of the IRI that would show that they came in.
NOT_YET = {
    "unesco2_2005_framework": "id/indicator/",
    "unesco2_fcs": "id/indicator/",
    "unesco2_ich10_form": "id/indicator/",
    "unesco2_ich_results_framework": "id/indicator/",
}


class Graph:
    """The quads of the tables, found by subject and by object."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self.by_subject: dict[str, list[Quad]] = defaultdict(list)
        self.by_object: dict[str, list[Quad]] = defaultdict(list)
        for quad in quads:
            self.by_subject[quad.subject.value].append(quad)
            if isinstance(quad.object, NamedNode):
                self.by_object[quad.object.value].append(quad)

    def about(self, subject: str, rule: Rule) -> Iterator[Quad]:
        """Quads of an entity and of the situations that point to it."""
        if rule.direct:
            yield from self.by_subject[subject]
        for quad in self.by_object[subject]:
            if quad.predicate.value in rule.via:
                yield from self.by_subject[quad.subject.value]


def read_list(path: Path) -> list[Recalled]:
    """The recalled and doubted values, as listed."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Recalled(**row) for row in csv.DictReader(file)]


def read_since(path: Path) -> dict[tuple[str, str, str, str], set[str]]:
    """(table, id, column, value or "") -> the sources read since."""
    since: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            since[row["table"], row["id"], row["column"], row.get("value") or ""].add(row["source"])
    return since


def find_recalled(
    listed: Iterable[Recalled], graph: Graph, since: Mapping[tuple[str, str, str, str], set[str]]
) -> list[tuple[Recalled, Quad]]:
    """Each listed value that the graph asserts of its entity, with the quad that does."""
    return [
        (item, quad)
        for item in listed
        if not item.marker.startswith("url_complete") and item.table in MAPPED
        if (rule := MAPPED[item.table].columns.get(item.column)) is not None
        for subject in MAPPED[item.table].subjects(item.id)
        for quad in graph.about(subject, rule)
        if (not rule.properties or quad.predicate.value in rule.properties) and rule.match(item.value, quad.object)
        if not _is_allowed(item, rule, quad, since)
    ]


def _is_allowed(item: Recalled, rule: Rule, quad: Quad, since: Mapping[tuple[str, str, str, str], set[str]]) -> bool:
    if quad.predicate.value == CG + "locator" or quad.predicate.value == SKOS + "editorialNote":
        return True
    graph = quad.graph_name.value
    if graph == EDITORIAL and (rule.editorial or item.marker.startswith("editorial:")):
        return True
    sources = {
        source for value in (item.value, "") for source in since.get((item.table, item.id, item.column, value), ())
    }
    # Links stand in the graph of their authority: there the source is not in the graph's name.
    return graph.removeprefix(SOURCE_GRAPH) in sources or (bool(sources) and graph.startswith(BASE + "graph/links/"))
