"""What an entity is, in one sentence made from the graph: a template of its class, filled by paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from culturegraph.protocols.dates import DATE_TYPES, tell_date
from culturegraph.protocols.labels import Labels, describe_term
from culturegraph.protocols.layout import Layout, Sentence
from culturegraph.protocols.steps import Path
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import TYPE

# Names that a sentence spells out; the rest is a number.
_NAMED: Final = 3
_MORE: Final = {"es": "y {} más", "en": "and {} more"}
# Before these Spanish says `e`: Huánuco e Ica.
_SOUNDS_LIKE_Y: Final = re.compile(r"h?[ií](?![aeo])", re.IGNORECASE)
_NAME: Final = re.compile(r"\{(\w+)\}")
_OPTIONAL: Final = re.compile(r"\[([^\[\]]*)\]")


def tell_what_it_is(store: Dataset, layout: Layout, iri: str, kind: str, labels: Labels, language: str) -> str:
    """Return the sentence of an entity; its class alone where no template fits or what it needs is missing.

    `kind` is what the entity is, in words. The sentence is in `language`, names in it in what language they have.
    """
    node = NamedNode(iri)
    for sentence in layout.sentences:
        if Quad(node, TYPE, NamedNode(sentence.kind), DefaultGraph()) in store:
            template = sentence.text.get(language) or sentence.text.get("es", "{kind}.")
            told = _fill(template, _Values(store, node, sentence, kind, labels, language))
            return told or _capitalised(kind)
    return _capitalised(kind)


class _Values(Mapping[str, str]):
    """The values of the names of a sentence, looked up when they are needed; empty where there is none."""

    def __init__(
        self, store: Dataset, node: NamedNode, sentence: Sentence, kind: str, labels: Labels, language: str
    ) -> None:
        self._store, self._node, self._paths, self._kind = store, node, sentence.names, kind
        self._labels, self._language = labels, language

    def __getitem__(self, name: str) -> str:
        if name == "kind":
            return self._kind
        path = self._paths.get(name)
        return "" if path is None else self._value(path)

    def __iter__(self) -> Any:
        return iter(("kind", *self._paths))

    def __len__(self) -> int:
        return len(self._paths) + 1

    def _value(self, path: Path) -> str:
        nodes = path.nodes(self._store, self._node)
        if path.counts:
            return f"{len(nodes):,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if nodes else ""
        literals = [node for node in nodes if isinstance(node, Literal) and node.language]
        if literals and len(literals) == len(nodes):  # The same text in several languages is one value.
            return self._labels.best(literals).value
        dates = {node.value for node in nodes if isinstance(node, Literal) and node.datatype.value in DATE_TYPES}
        if dates:  # Of a year and a day in it the day says more.
            precise = [date for date in sorted(dates) if not any(o != date and o.startswith(date) for o in dates)]
            return tell_date(precise[0], self._language)
        names = sorted({describe_term(node, self._labels)[0].text for node in nodes})
        if len(names) > _NAMED:
            more = _MORE.get(self._language, _MORE["es"]).format(len(names) - _NAMED + 1)
            return f"{', '.join(names[: _NAMED - 1])} {more}"
        return self._enumerate(names)

    def _enumerate(self, names: list[str]) -> str:
        if len(names) < 2:
            return "".join(names)
        word = "and" if self._language == "en" else "e" if _SOUNDS_LIKE_Y.match(names[-1]) else "y"
        return f"{', '.join(names[:-1])} {word} {names[-1]}"


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its values; without the parts that lack one, empty where a required one is missing."""
    told = ""
    # Part by part, so that brackets and braces in a value stay as they are.
    for number, part in enumerate(_OPTIONAL.split(template)):
        filled = _replace(part, values)
        if filled is None and number % 2 == 0:
            return ""
        told += filled or ""
    return _capitalised(told)


def _replace(text: str, values: Mapping[str, str]) -> str | None:
    found = {name: values[name] for name in _NAME.findall(text)}
    return None if "" in found.values() else _NAME.sub(lambda match: found[match[1]], text)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
