"""Cells of a form as JSON-LD: sentences with the statements behind them, or the query that would fill the cell.

Source: W3C JSON-LD 1.1; PROV-O (wasDerivedFrom); Dublin Core terms (hasPart).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from culturegraph.exports.forms.filled import Cell, Sentence
from culturegraph.exports.forms.footnotes import Note
from culturegraph.rdf.vocabulary import CG, DCTERMS, PROV, RDF, SKOS

Derived = Mapping[int, Sequence[str]]
TERMS: Final = {
    "parts": {"@id": DCTERMS + "hasPart", "@type": "@id"},
    "title": DCTERMS + "title",
    "about": {"@id": CG + "about", "@type": "@id"},
    "text": RDF + "value",
    "value": {"@id": DCTERMS + "references", "@type": "@id"},
    "derivedFrom": {"@id": PROV + "wasDerivedFrom", "@type": "@id"},
    "field": CG + "answersField",
    "code": SKOS + "notation",
    "query": DCTERMS + "description",
    "knownGap": {"@id": CG + "hasKnownGap", "@type": "@id"},
    "note": SKOS + "note",
    "licence": {"@id": DCTERMS + "license", "@type": "@id"},
    "conformsTo": {"@id": DCTERMS + "conformsTo", "@type": "@id"},
    "source": {"@id": DCTERMS + "source", "@type": "@id"},
    "Draft": PROV + "Entity",
}


def list_derived(notes: Iterable[Note]) -> Derived:
    """Return the IRIs of the statements of each note."""
    return {note.number: [statement.iri for statement in note.statements] for note in notes}


def tell_sentence(sentence: Sentence, language: str, derived: Derived) -> dict[str, Any]:
    """Return a sentence: its text, the thing that it names, the statements behind it."""
    text = {"@value": sentence.text, "@language": sentence.language or language}
    told: dict[str, Any] = {"text": text, "derivedFrom": derived[sentence.note]}
    if sentence.iri:
        told["value"] = sentence.iri
    return told


def tell_cell(cell: Cell, language: str, derived: Derived) -> dict[str, Any]:
    """Return a cell: its sentences, or the query that would fill it and what is known to be unknown."""
    field = cell.field
    told: dict[str, Any] = {"@id": cell.id, "field": cell.key, "title": field.title.get(language, cell.id)}
    if field.code:
        told["code"] = field.code
    if cell.sentences:
        told["parts"] = [tell_sentence(sentence, language, derived) for sentence in cell.sentences]
        return told
    told["query"] = cell.query
    if cell.known_gaps:
        told["knownGap"] = [gap.iri for gap in cell.known_gaps]
    if field.note:
        told["note"] = field.note[language]
    return told
