"""The text of RDF terms in N-Quads: literals escaped, IRIs expanded from templates and checked, answers remembered.

Source: W3C RDF 1.1 N-Quads §4 (grammar), W3C RDF 1.2 N-Triples §4 (canonical form, escapes); RFC 6570 (templates).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode

from culturegraph.sources.metadata import SimpleTemplate, Template

Cells = Sequence[str]
Expand = Callable[[Cells], str | None]

# Cells remembered for each column; all are forgotten at once, so that memory stays flat.
_REMEMBERED: Final = 4096
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")
# An IRI that begins like this stays valid whatever percent-encoded text is put after it.
_ROOMY = re.compile(r"https?://[a-z0-9.-]+/[A-Za-z0-9/._~-]*(#[A-Za-z0-9/._~-]*)?")
# Stands between texts that are looked at together: in no escaped text is it, what is not printable was escaped.
BETWEEN: Final = "\x1f"
# The classes of a pattern in which nothing is negated; what else than they might match what stands between.
_CLASSES = re.compile(r"\[[^]^\\\x00-\x1f]+\]")
_OPEN = re.compile(r"[].^$\\[\x00-\x1f]|\(\?(?!:)")
_TO_ESCAPE = re.compile('["\\\\\x00-\x1f\x7f\ufffe\uffff]')
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def escape(text: str) -> str:
    """Return a literal's text with the escapes of canonical N-Triples."""
    if _TO_ESCAPE.search(text) is None:
        return text
    return _TO_ESCAPE.sub(lambda match: _ESCAPES.get(match[0], f"\\u{ord(match[0]):04X}"), text)


class Memory(dict[str, Any]):
    """A function of a text that remembers its last few thousand answers."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[key] = self._make(key)
        return value


def match_all(pattern: str) -> Callable[[Cells], bool]:
    """Return a function that says whether a pattern matches every one of many texts, each from end to end."""
    if _OPEN.search(_CLASSES.sub("", pattern)):
        match = re.compile(pattern).fullmatch
        return lambda texts: all(map(match, texts))
    # One call for all, in a third of the time: what such a pattern matches ends where a text ends.
    every = re.compile(f"(?:(?:{pattern}){BETWEEN})*+").fullmatch

    def check(texts: Cells) -> bool:
        together = f"{BETWEEN.join(texts)}{BETWEEN}" if texts else ""
        return together.count(BETWEEN) == len(texts) and every(together) is not None

    return check


def is_unreserved(text: str) -> bool:
    """Say whether a text stands in an IRI as it is."""
    return _UNRESERVED.fullmatch(text) is not None


def is_roomy(head: str, tail: str) -> bool:
    """Say whether an IRI that begins and ends like this is valid with whatever percent-encoded text between."""
    return _ROOMY.fullmatch(head) is not None and _UNRESERVED.fullmatch(tail) is not None


def read_iri(text: str) -> str | None:
    """Return `<text>`, or None where the text is no valid IRI."""
    try:
        return str(NamedNode(text))
    except ValueError:
        return None


def read_language(tag: str) -> str | None:
    """Return `@tag` as literals end with it, in lower case, or None where it is no valid language tag."""
    try:
        return str(Literal("", language=tag))[2:]
    except ValueError:
        return None


def quote_plainly(cell: str) -> str:
    """Return a cell percent-encoded for an IRI, where it needs it."""
    return cell if _UNRESERVED.fullmatch(cell) else quote(cell, safe="")


def compile_expansion(template: Template, header: Sequence[str], own: str = "") -> Expand:
    """Return a function from cells to `<iri>`, or None where the template makes no valid IRI of them.

    `own` is the column whose cell stands at the end of the cells once more, as one value of its list.
    """
    at = {name: position for position, name in enumerate(header)}
    if own:
        at[own] = -1
    if not isinstance(template, SimpleTemplate):
        names = dict(at)
        return lambda cells: read_iri(template({name: cells[position] for name, position in names.items()}))
    head, fields = template.text, template.fields
    remembered = Memory(read_iri)
    if not fields:
        constant = read_iri(head)
        return lambda cells: constant  # noqa: ARG005
    if len(fields) == 1 and fields[0][0] in at:
        name, safe, tail = fields[0]
        position = at[name]
        if not safe and is_roomy(head, tail):
            return lambda cells: f"<{head}{quote_plainly(cells[position])}{tail}>"
        single = Memory(lambda cell: read_iri(head + quote(cell, safe=safe) + tail))
        return lambda cells: single[cells[position]]
    places = [(at.get(name), safe, tail) for name, safe, tail in fields]

    def expand(cells: Cells) -> str | None:
        text = head
        for place, safe, tail in places:
            text += ("" if place is None else quote(cells[place], safe=safe)) + tail
        return str(remembered[text]) if remembered[text] is not None else None

    return expand
