"""The names of languages by the tags that labels have: `agr` is awajún to a Spanish reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyoxigraph import DefaultGraph, NamedNode

from culturegraph.protocols.labels import Labels
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG

# Those that the graph does not describe, having no speakers of its own there.
_COMMON: Final = {
    "es": {"es": "español", "en": "inglés", "fr": "francés", "pt": "portugués", "qu": "quechua", "ay": "aimara"},
    "en": {"es": "Spanish", "en": "English", "fr": "French", "pt": "Portuguese", "qu": "Quechua", "ay": "Aymara"},
}
_MORE: Final = {
    "es": {"de": "alemán", "it": "italiano", "ru": "ruso", "zh": "chino", "ar": "árabe", "la": "latín"},
    "en": {"de": "German", "it": "Italian", "ru": "Russian", "zh": "Chinese", "ar": "Arabic", "la": "Latin"},
}


def name_languages(store: Dataset, language: str) -> Mapping[str, str]:
    """Return the names of languages by tag: those that the graph gives codes for (ISO 639), and some common ones."""
    reader = language if language in _COMMON else "es"
    labels = Labels(store, language)
    names: dict[str, str] = {}
    for code in ("iso6393", "iso6391"):
        for quad in store.quads_for_pattern(None, NamedNode(CG + code), None, DefaultGraph()):
            if isinstance(quad.subject, NamedNode):
                names.setdefault(quad.object.value, labels.of(quad.subject.value).text)  # type: ignore[union-attr]
    return {**_MORE[reader], **names, **_COMMON[reader]}
