"""Finding and judging candidates: names, identifiers and IRIs, with types and properties as evidence.

The score of a candidate is 100 × its likeness (0 to 1), less what speaks against it (another type, another value of a
property), plus a little for what speaks for it. Its features are these parts, so that a client can weigh them itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal

from culturegraph.linking.comparison import Fit, Written, clean, compare, read_written
from culturegraph.protocols.reconciliation.decision import decide
from culturegraph.protocols.reconciliation.evidence import Condition, Evidence
from culturegraph.protocols.reconciliation.schema import NO_NAMES, Schema
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.vocabulary import CG
from culturegraph.store.name_index import HeldName, NameIndex
from culturegraph.store.text_index import TextIndex
from culturegraph.store.text_index_file import identifier_key

Strictness = Literal["any", "all", "should"]
PLACE: Final = CG + "Place"
DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 50
# What a candidate loses or gains.
_OTHER_TYPE: Final = 0.3
_OTHER_VALUE: Final = 0.25
_SAME_VALUE: Final = 0.04
_OTHER_STATE: Final = 0.3
_NOTE: Final = 0.02
_WORTH: Final = {"preferred": 0.0, "alternative": 0.01, "title": 0.01, "hidden": 0.02, "lent": 0.05}
# Written otherwise, though folding makes it one.
_SPELLING: Final = 0.01
_SLIPS: Final = 0.98
# How telling the name of Peru and the words for kinds of things are.
_HOME_WEIGHT: Final = 0.05
_KIND_WEIGHT: Final = 0.5
# … and how like a name must be for such a word to be left out.
_BARE: Final = 0.86
# Names less like than this are no candidates.
_LEAST: Final = 0.3
_FULL: Final = 0.999
# Nobody wants to read what has nothing for it.
_LEAST_SCORE: Final = 15.0


@dataclass(frozen=True)
class Query:
    """What is looked up. `types` are IRIs of classes; `has_unknown_type`: one was named that the graph lacks."""

    text: str
    types: tuple[str, ...] = ()
    strictness: Strictness = "should"
    has_unknown_type: bool = False
    conditions: tuple[Condition, ...] = ()
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True)
class Candidate:
    """A thing that may be meant: by which of its names, how surely (score 0 to 100), and why (features)."""

    iri: str
    matched: str
    kind: str
    fit: Fit
    score: float
    is_exact: bool = False
    by_identifier: bool = False
    # None: not asked, or not known.
    type_agrees: bool | None = None
    values: Mapping[str, bool | None] = field(default_factory=dict)
    note_agrees: bool = False
    other_state: bool = False
    match: bool = False

    @property
    def is_contradicted(self) -> bool:
        """Whether something that was given speaks against it."""
        return self.type_agrees is False or False in self.values.values() or self.other_state

    @property
    def features(self) -> dict[str, float | bool]:
        """What the score is made of, by name."""
        told: dict[str, float | bool] = {
            "name_likeness": round(self.fit.likeness * 100, 2),
            "name_exact": self.is_exact,
            "query_covered": round(self.fit.written * 100, 2),
            "name_covered": round(self.fit.held * 100, 2),
            "identifier": self.by_identifier,
            "note": self.note_agrees,
            "other_state": self.other_state,
        }
        if self.type_agrees is not None:
            told["type"] = self.type_agrees
        return told | {f"property:{key}": value for key, value in self.values.items() if value is not None}


class Reconciler:
    """Reconciles with one snapshot. Made once a process, then only read."""

    def __init__(self, store: Dataset, index: TextIndex, queries: Mapping[str, QueryFile]) -> None:
        self.index = index
        self.schema = Schema(store, index.all_types(), queries)
        self.names = NameIndex(index, self.schema.types, self.schema.namesakes)
        self.evidence = Evidence(self.schema, self.names, index)
        self._weigh = lru_cache(maxsize=65_536)(self._find_weight)

    def find(self, query: Query) -> list[Candidate]:
        """Return the candidates for a query, the likeliest first; at most one of them is a match."""
        written = read_written(query.text)
        if not written.text:
            return []
        found = self._by_identifier(query) or self._by_name(query, written)
        judged = [self._judge(candidate, query, written) for candidate in found.values()]
        judged = [candidate for candidate in judged if self._is_asked_for(candidate, query)]
        judged.sort(key=lambda candidate: (-candidate.score, not candidate.note_agrees, candidate.iri))
        # Names of places differ by a letter, and most places are none of ours: only who asks for a district, and not
        # for any place, means one.
        is_dense = bool(judged) and PLACE in self.schema.types[judged[0].iri]
        is_dense = is_dense and not set(query.types) & set(self.schema.narrowest(judged[0].iri))
        return decide(judged, written, is_dense)[: query.limit]

    def _by_identifier(self, query: Query) -> dict[str, Candidate]:
        """Return what an identifier or IRI names. The number alone of a longer text names legal texts only."""
        text = clean(query.text)
        hits = self.index.lookup_identifier(text)
        whole = identifier_key(text) if not text.startswith("<") else ""
        found = {}
        for hit in hits:
            keys = {identifier_key(hit.matched_text), identifier_key(hit.matched_text.rstrip("/").rpartition("/")[2])}
            in_full = ":" in text or whole in keys
            kinds = self.schema.types.get(hit.iri, frozenset())
            if (in_full or CG + "LegalInstrument" in kinds) and kinds:
                fit = Fit(1.0, 1.0, 1.0)
                found[hit.iri] = Candidate(hit.iri, hit.matched_text, "identifier", fit, 1.0, by_identifier=True)
        if query.types:
            # A code that names something else is a name that looks like a code.
            found = {iri: one for iri, one in found.items() if self.schema.types[iri] & set(query.types)}
        return found

    def _by_name(self, query: Query, written: Written) -> dict[str, Candidate]:
        found: dict[str, Candidate] = {}
        plain = " ".join(written.plain)
        asked = frozenset(query.types)
        states = self.evidence.other_states(written)
        for name in self.names.near(written.folded, written.plain):
            kinds = self.schema.types.get(name.iri)
            if kinds is None or (kinds & NO_NAMES and not kinds & asked):
                continue
            candidate = self._compare(name, written, plain)
            if any(words.isdisjoint(name.words) for words in states):
                candidate = replace(candidate, other_state=True)
            known = found.get(name.iri)
            if candidate.score >= _LEAST and (known is None or known.score < candidate.score):
                found[name.iri] = candidate
        return found

    def _compare(self, name: HeldName, written: Written, plain: str) -> Candidate:
        fit = compare(written, name.words, self._weigh)
        bare = self._without_kind(written, name)
        if bare is not written and (other := compare(bare, name.words, self._weigh)).likeness >= _BARE:
            fit = other
        is_exact = fit.likeness >= _FULL
        likeness = fit.likeness if is_exact else fit.likeness * _SLIPS
        if is_exact and name.plain != plain and sorted(name.plain.split()) != sorted(plain.split()):
            likeness -= _SPELLING
        score = likeness - _WORTH.get(name.kind, 0.0)
        return Candidate(name.iri, name.text, name.kind, fit, score, is_exact)

    def _without_kind(self, written: Written, name: HeldName) -> Written:
        """Leave out the words that only say what the thing is, where others are left that say which."""
        kinds = self.schema.words_of_kinds(name.iri)
        kept = [n for n, word in enumerate(written.folded) if word not in kinds or word in name.words]
        if len(kept) == len(written.folded) or all(written.folded[n] in self.schema.kind_words for n in kept):
            return written
        plain, folded = tuple(written.plain[n] for n in kept), tuple(written.folded[n] for n in kept)
        return replace(written, plain=plain, folded=folded)

    def _find_weight(self, word: str) -> float:
        if word in self.evidence.home:
            return _HOME_WEIGHT
        return self.names.weigh(word) * (_KIND_WEIGHT if word in self.schema.kind_words else 1.0)

    def _judge(self, candidate: Candidate, query: Query, written: Written) -> Candidate:
        """Weigh what is known besides the name."""
        kinds = self.schema.types[candidate.iri]
        agrees: bool | None = None
        if query.types or query.has_unknown_type:
            asked = frozenset(query.types)
            agrees = asked <= kinds and not query.has_unknown_type if query.strictness == "all" else bool(asked & kinds)
        values = {condition.id: self.evidence.agrees(candidate.iri, condition) for condition in query.conditions}
        noted = self.evidence.notes_agree(written, candidate.iri)
        score = candidate.score - (_OTHER_TYPE if agrees is False else 0.0) + (_NOTE if noted else 0.0)
        score -= _OTHER_STATE if candidate.other_state else 0.0
        for value in values.values():
            score += 0.0 if value is None else _SAME_VALUE if value else -_OTHER_VALUE
        # What is said most of stands before its namesakes.
        return replace(
            candidate,
            score=round(100 * max(0.0, min(1.0, score)), 2),
            type_agrees=agrees,
            values=values,
            note_agrees=noted,
        )

    def _is_asked_for(self, candidate: Candidate, query: Query) -> bool:
        if candidate.score < _LEAST_SCORE:
            return False
        return query.strictness == "should" or candidate.type_agrees is not False
