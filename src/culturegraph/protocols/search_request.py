"""What is searched: a text and chosen facet values, read from the parameters of an address, written into addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from culturegraph.errors import RequestError
from culturegraph.protocols.facets import Facet

SORTS: Final = ("relevance", "name", "newest", "oldest")
PAGE_SIZE: Final = 20
MAX_PAGE_SIZE: Final = 100
MAX_TEXT: Final = 400
# Values that a request may choose; no reader has need of more.
MAX_CHOSEN: Final = 50


@dataclass(frozen=True)
class SearchRequest:
    """What is searched: a text, the chosen values of each facet, the order, the page."""

    text: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "relevance"
    page: int = 1
    size: int = PAGE_SIZE
    # A facet that is shown with all its values.
    whole: str = ""

    def parameters(self, **changes: Any) -> list[tuple[str, str]]:
        """Return the parameters of an address that asks for this, or for it with changes; defaults are left out."""
        other = replace(self, **{"page": 1, **changes})
        pairs = [("q", other.text)] if other.text else []
        pairs += [(key, value) for key, values in other.chosen.items() for value in values]
        standard = SearchRequest()
        for name, value in (("sort", other.sort), ("page", other.page), ("size", other.size), ("all", other.whole)):
            if value != getattr(standard, "whole" if name == "all" else name):
                pairs.append((name, str(value)))
        return pairs

    @cached_property
    def _start(self) -> str:
        pairs = self.parameters()
        return urlencode(pairs) + "&" if pairs else ""

    def address(self, **changes: Any) -> str:
        """Return the address of this search, or of it with changes."""
        pairs = self.parameters(**changes)
        return f"/search?{urlencode(pairs)}" if pairs else "/search"

    def toggled(self, facet: str, value: str) -> str:
        """Return the address of this search with a value added, or without it where it was chosen."""
        if value in self.chosen.get(facet, ()):
            return self.address(chosen=self.toggle(facet, value))
        # Most links of a page are of this kind, and differ in their end only.
        return f"/search?{self._start}{facet}={quote_plus(value)}"

    def toggle(self, facet: str, value: str) -> dict[str, tuple[str, ...]]:
        """Return the choice with a value added, or without it where it was chosen."""
        held = self.chosen.get(facet, ())
        values = tuple(item for item in held if item != value) if value in held else (*held, value)
        rest = {key: kept for key, kept in self.chosen.items() if key != facet}
        return {**rest, facet: values} if values else rest


def read_request(pairs: Iterable[tuple[str, str]], facets: Mapping[str, Facet]) -> SearchRequest:
    """Return what the parameters of an address ask for. Parameters that are no facet are nobody's business here.

    Raises RequestError, which says what is allowed, where one cannot be what it says.
    """
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        given.setdefault(key, []).append(value)
    text = " ".join("".join(c if c.isprintable() else " " for c in given.get("q", [""])[0]).split())
    if len(text) > MAX_TEXT:
        raise RequestError(f"q: a text to search for may have {MAX_TEXT} characters")
    chosen = {key: tuple(dict.fromkeys(filter(None, given[key]))) for key in facets if key in given}
    if sum(map(len, chosen.values())) > MAX_CHOSEN:
        raise RequestError(f"a search may choose {MAX_CHOSEN} values of facets")
    sort = given.get("sort", [""])[0] or SORTS[0]
    if sort not in SORTS:
        raise RequestError(f"sort: one of {', '.join(SORTS)}")
    return SearchRequest(
        text,
        {key: values for key, values in chosen.items() if values},
        sort,
        _number(given, "page", 1, 1_000_000),
        _number(given, "size", PAGE_SIZE, MAX_PAGE_SIZE),
        given.get("all", [""])[0],
    )


def _number(given: Mapping[str, Sequence[str]], name: str, default: int, most: int) -> int:
    text = given.get(name, [""])[0]
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise RequestError(f"{name}: a number from 1 to {most}")
    return int(text)
