"""Names of terms in a reader's language, and where a click on a term leads."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode

from culturegraph.protocols.authorities import name_foreign, name_site
from culturegraph.protocols.foreign_terms import FOREIGN_PREFIXES, FOREIGN_TERMS
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, LABEL, SKOS, TYPE, shrink

_ENTITIES: Final = BASE + "id/"
_LINKS: Final = BASE + "graph/links/"
# The name of an authority is made of initials where it is no longer than this.
_INITIALS: Final = 4
# In order of preference.
LABEL_PROPERTIES: Final = (NamedNode(SKOS + "prefLabel"), LABEL, NamedNode(DCTERMS + "title"))
# How a reader of one language is best served where a name is missing in it.
FALLBACKS: Final = {"es": ("es", "en"), "en": ("en", "es")}


@dataclass(frozen=True)
class Name:
    """A name with its language, which is None where it is no text of a language (a prefixed name, a number)."""

    text: str
    language: str | None = None


@dataclass(frozen=True)
class Reference:
    """An RDF term as a page shows it: its name, where a click leads, and its whole IRI if it is one."""

    name: Name
    href: str | None = None
    iri: str | None = None


class Labels:
    """Looks up names in one store for one reader; remembers what it has found."""

    def __init__(self, store: Dataset, language: str) -> None:
        self._store = store
        self._languages = FALLBACKS.get(language, (language, *FALLBACKS["es"]))
        self._known: dict[str, Name] = {}

    def of(self, iri: str) -> Name:
        """Return the best name: from the graph, else of a foreign term that we know, else a short form of the IRI."""
        if iri not in self._known:
            self._known[iri] = self._find(iri)
        return self._known[iri]

    def _find(self, iri: str) -> Name:
        return self._from_graph(iri) or self._from_foreign(iri) or self._composed(iri) or self._plain(iri)

    def _from_graph(self, iri: str) -> Name | None:
        for label in LABEL_PROPERTIES:
            found = [
                quad.object
                for quad in self._store.quads_for_pattern(NamedNode(iri), label, None, DefaultGraph())
                if isinstance(quad.object, Literal)
            ]
            if found:
                best = self.best(found)
                return Name(best.value, best.language)
        return None

    def _plain(self, iri: str) -> Name:
        """Return what a nameless thing is called: by its authority, its site, or its own short form."""
        if iri.startswith(_LINKS):
            authority = iri.removeprefix(_LINKS)
            told = authority.upper() if len(authority) <= _INITIALS else authority.capitalize()
            word = "links" if self._languages[0] == "en" else "enlaces"
            return Name(f"{word}: {told}", "en" if self._languages[0] == "en" else "es")
        if iri.startswith(BASE):
            return Name(shorten(iri))
        return Name(name_foreign(iri) or name_site(iri) or shorten(iri))

    def _composed(self, iri: str) -> Name | None:
        """Return a name made from what a nameless thing of ours is and connects: `membership: Peru · Ibermedia`."""
        if not iri.startswith(_ENTITIES):
            return None
        node = NamedNode(iri)
        kind = min((name.text for name in self._own(node, TYPE, CG)), default=None)
        if kind is None:
            return None
        parts = dict.fromkeys(name.text for name in self._own(node, None, _ENTITIES))
        return Name(f"{kind}: {' · '.join(list(parts)[:3]) or shorten(iri)}", self._languages[0])

    def _own(self, node: NamedNode, predicate: NamedNode | None, namespace: str) -> list[Name]:
        """Return the names of the objects in a namespace that a graph other than the inferred one states."""
        quads = self._store.quads_for_pattern(node, predicate, None, None)
        stated = {
            (quad.predicate.value, quad.object.value)
            for quad in quads
            if isinstance(quad.object, NamedNode)
            and quad.object.value.startswith(namespace)
            and quad.graph_name not in (INFERRED, DefaultGraph())
        }
        return [name for _, iri in sorted(stated) if (name := self._from_graph(iri)) is not None]

    def best(self, literals: Sequence[Literal]) -> Literal:
        """Return the literal in the language that the reader likes best."""
        return min(literals, key=lambda literal: (self.rank(literal.language), literal.value))

    def rank(self, language: str | None) -> int:
        """Return how far down a language stands among those that the reader likes; no language stands below them."""
        if language is None:
            return len(self._languages)
        main = language.split("-")[0]
        return self._languages.index(main) if main in self._languages else len(self._languages) + 1

    def _from_foreign(self, iri: str) -> Name | None:
        names = FOREIGN_TERMS.get(iri)
        if names is None:
            return None
        language = next(language for language in self._languages if language in names)
        return Name(names[language], language)


@lru_cache(maxsize=50_000)
def sort_key(text: str) -> str:
    """Return what a name is sorted by: case and accents do not count."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def shorten(iri: str) -> str:
    """Return a readable short form of an IRI that has no name: a prefixed name, a path below ours, a host and path."""
    if iri.startswith(BASE):
        local = iri[len(BASE) :]
        if "#" in local:
            return local.rpartition("#")[2]
        return local.split("/", 1)[1] if "/" in local.strip("/") else local or "culturegraph"
    prefixed = shrink(iri)
    if not prefixed.startswith("<"):
        return prefixed
    for prefix, namespace in FOREIGN_PREFIXES.items():
        if iri.startswith(namespace) and "/" not in (local := iri[len(namespace) :]):
            return f"{prefix}:{local}"
    short = iri.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
    return short if len(short) <= 60 else short[:40] + "…" + short[-15:]


@lru_cache(maxsize=50_000)
def to_href(iri: str) -> str | None:
    """Return where a click on an IRI leads: to this server for our own, nowhere for what no browser should open."""
    if iri.startswith(BASE):
        return "/" + quote(iri[len(BASE) :], safe="/:@!$&'()*+,;=~-._%")
    return iri if iri.startswith(("https://", "http://")) else None


def describe_term(term: Any, labels: Labels) -> tuple[Name, str | None]:
    """Return how a page shows an RDF term: its name and its link."""
    if isinstance(term, NamedNode):
        return labels.of(term.value), to_href(term.value)
    if isinstance(term, Literal):
        href = term.value if term.datatype.value.endswith("#anyURI") else ""
        return Name(term.value, term.language), to_href(href) if href else None
    if isinstance(term, BlankNode):
        return Name("[…]"), None
    return Name(str(term)), None


def refer(term: Any, labels: Labels) -> Reference:
    """Return an RDF term as a page shows it."""
    name, href = describe_term(term, labels)
    return Reference(name, href, term.value if isinstance(term, NamedNode) else None)


def preferred_language(accept_language: str | None, offered: Sequence[str]) -> str:
    """Return the offered language that an Accept-Language header likes best; the first where none is liked.

    Source: RFC 9110 §12.5.4.
    """
    best, best_quality = offered[0], 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        main = tag.strip().lower().split("-")[0]
        try:
            quality = float(parameters.partition("=")[2]) if "=" in parameters else 1.0
        except ValueError:
            quality = 0.0
        if main in offered and quality > best_quality:
            best, best_quality = main, quality
    return best
