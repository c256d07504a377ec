"""Sheets as JSON-LD: blocks, and in each its cells.

Source: W3C JSON-LD 1.1; Dublin Core terms (hasPart, conformsTo).
"""

from __future__ import annotations

import json
from typing import Any

from culturegraph.exports.forms.linked import TERMS, list_derived, tell_cell
from culturegraph.exports.inventory.sheets import LICENCE, Sheet


def write_context(language: str) -> str:
    """Return the context of sheets in a language, as JSON."""
    return json.dumps({**TERMS, "@language": language}, ensure_ascii=False)


def to_object(sheet: Sheet) -> dict[str, Any]:
    """Return one sheet as an object of that context."""
    derived = list_derived(sheet.notes)
    sources = dict.fromkeys(source.graph for note in sheet.notes for source in note.sources())
    blocks = [
        {
            "@id": f"{sheet.address}#{section.id}",
            "title": sheet.say(section.title),
            "parts": [tell_cell(cell, sheet.language, derived) for cell in row.cells],
        }
        for section, row in sheet.blocks
    ]
    return {
        "@id": sheet.address,
        "@type": "Draft",
        "title": sheet.name,
        "about": sheet.iri,
        "conformsTo": sheet.outline.source,
        "licence": LICENCE,
        "source": list(sources),
        "parts": blocks,
    }
