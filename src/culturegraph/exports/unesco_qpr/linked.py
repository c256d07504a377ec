"""The draft as JSON-LD: sections, rows and cells, each sentence with the statements that it was derived from.

Source: W3C JSON-LD 1.1; PROV-O (wasDerivedFrom); Dublin Core terms (hasPart).
"""

from __future__ import annotations

import json
from typing import Any, Final

from culturegraph.exports.forms.filled import Cell, Sentence
from culturegraph.exports.unesco_qpr.draft import DRAFT, Draft
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, PROV, RDF, SKOS

_CONTEXT: Final = {
    "@vocab": DRAFT + "terms/",
    "parts": {"@id": DCTERMS + "hasPart", "@type": "@id"},
    "title": DCTERMS + "title",
    "about": {"@id": CG + "about", "@type": "@id"},
    "text": RDF + "value",
    "derivedFrom": {"@id": PROV + "wasDerivedFrom", "@type": "@id"},
    "field": CG + "answersField",
    "query": DCTERMS + "description",
    "knownGap": {"@id": CG + "hasKnownGap", "@type": "@id"},
    "note": SKOS + "note",
    "created": DCTERMS + "created",
    "Draft": PROV + "Entity",
}


def to_json_ld(draft: Draft) -> bytes:
    """Return the draft as JSON-LD, with its context in it."""
    language = draft.language
    derived = {note.number: [s.iri for s in note.statements] for note in draft.notes}

    def sentence(one: Sentence) -> dict[str, Any]:
        text = {"@value": one.text, "@language": one.language or language}
        return {"text": text, "derivedFrom": derived[one.note]}

    def cell(one: Cell) -> dict[str, Any]:
        found: dict[str, Any] = {"@id": one.id, "field": one.key, "title": one.field.title.get(language, one.id)}
        if one.sentences:
            found["parts"] = [sentence(said) for said in one.sentences]
        else:
            found["query"] = one.query
            found["knownGap"] = [gap.iri for gap in one.known_gaps]
        return found

    sections = [
        {
            "@id": f"{draft.iri}#{part.section.id}",
            "title": part.section.title[language],
            "parts": [
                {
                    "@id": f"{draft.iri}#{part.section.id}.{row.iri.rpartition('/')[2]}",
                    "about": row.iri,
                    "parts": [cell(one) for one in row.cells],
                }
                for row in part.rows
            ],
        }
        for part in draft.parts
    ]
    due = {"@id": draft.cycle.due.value, "parts": [sentence(said) for said in draft.due.cells[0].sentences]}
    whole = {
        "@context": {**_CONTEXT, "@language": language},
        "@id": draft.iri,
        "@type": "Draft",
        "title": draft.cycle.title[language],
        "about": BASE + "id/treaty/conv-2005",
        "note": draft.cycle.verification[language],
        "parts": [due, *sections],
    }
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()
