"""What a CQL query finds among the records: by names, identifiers, kind and sets.

Names are those of the text index, so that accents and variant spellings do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from culturegraph.exports.record_sets import RecordSet
from culturegraph.exports.records import Entry, Records
from culturegraph.linking.names import fold, telling, words
from culturegraph.protocols.cql import Clause, DiagnosticError, Query
from culturegraph.rdf.vocabulary import BASE
from culturegraph.store.text_index import TextIndex

# By context set: its URI, and each index with the tag of MARC heading that it is restricted to ("" for none).
CONTEXT_SETS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "cql": ("info:srw/cql-context-set/1/cql-v1.2", {"serverchoice": "", "anywhere": "", "allrecords": ""}),
    "rec": ("info:srw/cql-context-set/2/rec-1.1", {"identifier": ""}),
    "dc": ("info:srw/cql-context-set/1/dc-v1.1", {"title": "", "identifier": "", "type": ""}),
    "bath": (
        "http://zing.z3950.org/cql/bath/2.0/",
        {
            "name": "",
            "personalname": "100",
            "corporatename": "110",
            "conferencename": "111",
            "uniformtitle": "130",
            "topicalsubject": "150",
            "geographicname": "151",
            "genreform": "155",
        },
    ),
    "local": (BASE + "sru", {"names": "", "identifier": "", "kind": "", "set": ""}),
}
# How names of more than one word are written in an explanation.
CASED: Final = {
    "serverchoice": "serverChoice",
    "allrecords": "allRecords",
    "personalname": "personalName",
    "corporatename": "corporateName",
    "conferencename": "conferenceName",
    "uniformtitle": "uniformTitle",
    "topicalsubject": "topicalSubject",
    "geographicname": "geographicName",
    "genreform": "genreForm",
}
_SETS_OF_NAME: Final = ("local", "cql", "rec", "dc", "bath")
_WHOLE: Final = frozenset({"==", "exact"})
# Found, and how well: 0 to 1.
Scores = dict[str, float]


@dataclass(frozen=True)
class RecordSearch:
    """Searches the records that can be had in MARC or another format."""

    records: Records
    sets: Mapping[str, RecordSet]
    index: TextIndex

    def find(self, query: Query, prefixes: Mapping[str, str]) -> Sequence[Entry]:
        """Return the records, the best first. Raises DiagnosticError for what is not supported."""
        scores = self._evaluate(query, prefixes)
        entries = self.records.entries
        return sorted((entries[iri] for iri in scores), key=lambda entry: (-round(scores[entry.iri], 3), entry.key))

    def _evaluate(self, query: Query, prefixes: Mapping[str, str]) -> Scores:
        if isinstance(query, Clause):
            return self._search(query, prefixes)
        left, right = self._evaluate(query.left, prefixes), self._evaluate(query.right, prefixes)
        if query.operator == "and":
            return {iri: min(left[iri], right[iri]) for iri in left.keys() & right.keys()}
        if query.operator == "not":
            return {iri: score for iri, score in left.items() if iri not in right}
        return {iri: max(left.get(iri, 0), right.get(iri, 0)) for iri in left.keys() | right.keys()}

    def _search(self, clause: Clause, prefixes: Mapping[str, str]) -> Scores:
        index, tag = _resolve(clause.index, prefixes)
        if clause.modifiers:
            raise DiagnosticError(20, "modifiers of relations are not supported", clause.modifiers[0])
        if clause.relation not in {"=", "==", "exact", "all", "any", "adj", "scr"}:
            raise DiagnosticError(19, "this relation is not supported; there are = == any all adj", clause.relation)
        if index == "allrecords":
            return dict.fromkeys(self.records.entries, 1.0)
        if not clause.term.strip():
            raise DiagnosticError(27, "a term is empty", clause.index)
        terms = clause.term.split() if clause.relation == "any" else [clause.term]
        found: Scores = {}
        for term in terms:
            for iri, score in self._finder(index)(term, clause.relation):
                entry = self.records.entries.get(iri)
                if entry is not None and (not tag or entry.tag == tag):
                    found[iri] = max(score, found.get(iri, 0))
        return found

    def _finder(self, index: str) -> Callable[[str, str], Iterable[tuple[str, float]]]:
        return {
            "serverchoice": self._anything,
            "anywhere": self._anything,
            "identifier": self._identified,
            "type": self._of_kind,
            "kind": self._of_kind,
            "set": self._in_set,
        }.get(index, self._named)

    def _anything(self, term: str, relation: str) -> Iterable[tuple[str, float]]:
        return [*self._identified(term, relation), *self._named(term, relation)]

    def _named(self, term: str, relation: str) -> Iterable[tuple[str, float]]:
        asked, starts = words(term), "*" in term
        if "?" in term or (starts and not term.rstrip().endswith("*")):
            raise DiagnosticError(31, "a term may be cut at its end only, by *", term)
        form = list(map(fold, asked))
        for match in self.index.matches(term, fuzzy=False):
            have = list(map(fold, words(match.text)))
            if match.kind == "identifier":
                continue
            if relation in _WHOLE and have != form:
                continue
            if relation == "adj" and not any(have[n : n + len(form)] == form for n in range(len(have))):
                continue
            # The index lets the last word go on; a query without a star does not.
            if starts or set(map(fold, telling(asked))) <= set(have):
                yield match.iri, match.score

    def _identified(self, term: str, _relation: str) -> Iterable[tuple[str, float]]:
        if term in self.records.by_key:
            return [(BASE + term, 1.0)]
        return [(hit.iri, 1.0) for hit in self.index.lookup_identifier(term)]

    def _of_kind(self, term: str, _relation: str) -> Iterable[tuple[str, float]]:
        return self._in_set(f"kind:{term.strip().lower()}", "")

    def _in_set(self, term: str, _relation: str) -> Iterable[tuple[str, float]]:
        return [(iri, 1.0) for iri in self.sets[term].members] if term in self.sets else []


def _resolve(index: str, prefixes: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of an index without its context set, and the tag that it is restricted to."""
    prefix, dot, name = index.rpartition(".")
    uris = {uri: known for known, (uri, _) in CONTEXT_SETS.items()}
    if prefix in prefixes:
        uri = prefixes[prefix]
        if uri not in uris:
            raise DiagnosticError(15, "this context set is not supported", uri)
        prefix, dot = uris[uri], "."
    if dot and prefix not in CONTEXT_SETS:
        raise DiagnosticError(15, f"there is no context set {prefix!r}; there are {', '.join(CONTEXT_SETS)}", prefix)
    for known in [prefix] if dot else _SETS_OF_NAME:
        if name in CONTEXT_SETS[known][1]:
            return name, CONTEXT_SETS[known][1][name]
    raise DiagnosticError(16, "there is no such index; explain has those there are", index)
