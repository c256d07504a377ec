"""What speaks for a candidate besides its name: values of properties, notes in brackets, the State that is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.linking.comparison import Written, alike, clean, compare, read_written
from culturegraph.protocols.reconciliation.schema import Schema
from culturegraph.rdf.vocabulary import BASE, CG
from culturegraph.store.name_index import NameIndex, read_words
from culturegraph.store.text_index import TextIndex

_HOME: Final = BASE + "id/place/pe"
_STATE: Final = CG + "State"
# From here on a value is what was written.
_SAME_VALUE: Final = 0.85
_SAME_STATE: Final = 0.84


@dataclass(frozen=True)
class Condition:
    """A property and what a record gives as its value: texts, or IRIs of ours. `predicate` is None where unknown."""

    id: str
    predicate: str | None
    texts: tuple[str, ...] = ()
    iris: tuple[str, ...] = ()


class Evidence:
    """Weighs candidates of one snapshot."""

    def __init__(self, schema: Schema, names: NameIndex, index: TextIndex) -> None:
        self._schema, self._names, self._index = schema, names, index
        self._identified = lru_cache(maxsize=4096)(self._identify)
        self._agree = lru_cache(maxsize=65_536)(self._is_named)
        self._parts_of_states = lru_cache(maxsize=65_536)(self._find_parts)
        self._words_about = lru_cache(maxsize=65_536)(self._read_about)

    def agrees(self, iri: str, condition: Condition) -> bool | None:
        """Say whether a thing has one of the values of a condition; None where the graph says nothing of it."""
        if condition.predicate is None or not (condition.texts or condition.iris):
            return None
        values = self._schema.values(iri, condition.predicate)
        if not values:
            return None
        return any(self._is_value(value, condition) for value in values)

    def _is_value(self, value: Any, condition: Condition) -> bool:
        if isinstance(value, NamedNode):
            if value.value in condition.iris:
                return True
            return any(self._agree(value.value, text) for text in condition.texts)
        if isinstance(value, Literal):
            return any(_same_literal(value, text) for text in condition.texts)
        return False

    def _is_named(self, iri: str, text: str) -> bool:
        """Say whether a text names a thing: by one of its names, or an identifier."""
        written = read_written(text)
        held = self._names.by_thing.get(iri, ())
        if any(compare(written, name.words, self._names.weigh).likeness >= _SAME_VALUE for name in held):
            return True
        return iri == text or iri in self._identified(text)

    def _identify(self, text: str) -> frozenset[str]:
        return frozenset(hit.iri for hit in self._index.lookup_identifier(clean(text)))

    @cached_property
    def home(self) -> frozenset[str]:
        """The words of the names of Peru: they tell nothing in a graph about it."""
        return frozenset(word for name in self._names.by_thing.get(_HOME, ()) for word in name.words)

    @cached_property
    def _states(self) -> Sequence[tuple[str, ...]]:
        named = [iri for iri, kinds in self._schema.types.items() if _STATE in kinds]
        found = {name.words for iri in named for name in self._names.by_thing.get(iri, ())}
        return sorted(words for words in found if words and not set(words) <= self.home)

    def other_states(self, written: Written) -> Sequence[frozenset[str]]:
        """Return the States other than Peru that are named, each as the words that name it."""
        said = (*written.folded, *(word for note in written.notes for word in read_words(note)))
        meant = {word: parts for word in said if (parts := self._parts_of_states(word))}
        if not meant:
            return []
        known = frozenset(part for parts in meant.values() for part in parts)
        named = [state for state in self._states if known.issuperset(state)]
        return [frozenset(word for word, parts in meant.items() if not parts.isdisjoint(state)) for state in named]

    def _find_parts(self, word: str) -> frozenset[str]:
        """Return the words of names of States that a word may be."""
        return frozenset(part for state in self._states for part in state if alike(word, part) >= _SAME_STATE)

    def notes_agree(self, written: Written, iri: str) -> bool:
        """Say whether a note in brackets names something that the thing is also called, is, or where it is."""
        if not written.notes:
            return False
        about = (iri, *self._schema.narrowest(iri), *(value.value for value in self._places(iri)))
        noted = {word for note in written.notes for word in read_words(note)}
        return any(not noted.isdisjoint(self._words_about(thing)) for thing in about)

    def _read_about(self, iri: str) -> frozenset[str]:
        """Return the words of the names of a thing, with those in brackets."""
        if iri not in self._names.by_thing:
            return frozenset(read_words(self._schema.name(iri, "es")))
        return frozenset(word for name in self._names.by_thing[iri] for word in read_words(name.text))

    def _places(self, iri: str) -> list[Any]:
        return self._schema.values(iri, CG + "department")


def _same_literal(value: Literal, text: str) -> bool:
    """Say whether a text is a literal: the same words, the same number, or the year of a date."""
    if value.value.strip() == text.strip() or read_words(value.value) == read_words(text) != ():
        return True
    try:
        return float(value.value) == float(text)
    except ValueError:
        # A record often knows the year alone.
        return len(text) >= 4 and text[:4].isdigit() and value.value.startswith(text)
