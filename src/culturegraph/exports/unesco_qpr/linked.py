"""The draft as JSON-LD: sections, rows and cells, each sentence with the statements that it was derived from.

Source: W3C JSON-LD 1.1; PROV-O (wasDerivedFrom); Dublin Core terms (hasPart).
"""

from __future__ import annotations

import json

from culturegraph.exports.forms.linked import TERMS, list_derived, tell_cell, tell_sentence
from culturegraph.exports.unesco_qpr.draft import Draft
from culturegraph.rdf.vocabulary import BASE


def to_json_ld(draft: Draft) -> bytes:
    """Return the draft as JSON-LD, with its context in it."""
    language = draft.language
    derived = list_derived(draft.notes)
    sections = [
        {
            "@id": f"{draft.iri}#{part.section.id}",
            "title": part.section.title[language],
            "parts": [
                {
                    "@id": f"{draft.iri}#{part.section.id}.{row.iri.rpartition('/')[2]}",
                    "about": row.iri,
                    "parts": [tell_cell(one, language, derived) for one in row.cells],
                }
                for row in part.rows
            ],
        }
        for part in draft.parts
    ]
    due = {
        "@id": draft.cycle.due.value,
        "parts": [tell_sentence(said, language, derived) for said in draft.due.cells[0].sentences],
    }
    whole = {
        "@context": {**TERMS, "@language": language},
        "@id": draft.iri,
        "@type": "Draft",
        "title": draft.cycle.title[language],
        "about": BASE + "id/treaty/conv-2005",
        "note": draft.cycle.verification[language],
        "parts": [due, *sections],
    }
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()
