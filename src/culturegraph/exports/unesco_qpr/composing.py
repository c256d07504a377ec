"""Composes a whole draft: all sections, the due date, and what earlier reports said of the same things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyoxigraph import NamedNode, Triple

from culturegraph.errors import NotFoundError
from culturegraph.exports.forms.declared import LANGUAGES, Field, Step
from culturegraph.exports.forms.filled import Filler, Part, Sentence
from culturegraph.exports.unesco_qpr.draft import PROFILE, Compared, Draft
from culturegraph.exports.unesco_qpr.form import Cycle
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG

_DATE: Final = NamedNode(CG + "date")
_REPORTED, _CONCERNS = NamedNode(CG + "reportedIn"), NamedNode(CG + "concerns")


def compose(store: Dataset, cycle: Cycle, language: str, version: str = "") -> Draft:
    """Return the draft of a cycle in one language. Raises NotFoundError where there is no form in it."""
    if language not in LANGUAGES:
        raise NotFoundError(f"there is no form in {language!r}; there is {', '.join(LANGUAGES)}")
    filler = Filler(store, language, f"{PROFILE}/{cycle.id}")
    due = filler.row(cycle.due, Field("due", {}, ((Step(_DATE),),)), "due")
    parts = tuple(part for section in cycle.form.sections for part in filler.fill(section))
    compared = tuple(_compare(filler, cycle, parts, language))
    return Draft(
        cycle=cycle,
        language=language,
        version=version,
        due=due,
        parts=parts,
        notes=filler.notes.all(),
        comparison=compared,
        reports=tuple((report.value, filler.name(report)[0]) for report in cycle.earlier),
    )


def _compare(filler: Filler, cycle: Cycle, parts: tuple[Part, ...], language: str) -> Iterator[Compared]:
    """Yield what earlier reports told of: by the thing that a measure concerns, or by the measure itself."""
    said: dict[NamedNode, dict[str, list[Sentence]]] = {}
    comparison = cycle.form.comparison
    for solution in filler.select(comparison.text) if comparison else ():
        measure, report, thing = solution["measure"], solution["report"], solution["thing"]
        if report not in cycle.earlier:
            continue
        name, tag, own = filler.name(measure)
        triples = [Triple(measure, _REPORTED, report), *own]
        if thing is not None:
            triples.append(Triple(measure, _CONCERNS, thing))
        sentence = Sentence(name, filler.notes.number(tuple(triples)), tag)
        said.setdefault(thing or measure, {}).setdefault(report.value, []).append(sentence)
    places: dict[str, list[str]] = {}
    for part in parts:
        for row in part.rows:
            places.setdefault(row.iri, []).append(part.section.title[language])
    named = sorted((filler.name(thing)[0], thing) for thing in said)
    for name, thing in named:
        reported = {report: tuple(sentences) for report, sentences in said[thing].items()}
        # A thing is in the draft by itself or by a measure that concerned it.
        yield Compared(name, thing.value, reported, tuple(places.get(thing.value, ())))
