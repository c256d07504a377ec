"""How to cite a release, a thing or a statement, in the forms that reference managers read. Pure: facts in, text out.

Source: CSL-JSON schema 1.0.2 (type `dataset`); BibLaTeX manual §2.1.1 (@dataset); RIS (TY - DATA).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

AUTHOR: Final = "culturegraph contributors"
PUBLISHER: Final = "culturegraph"


@dataclass(frozen=True)
class Citation:
    """What is cited: its title, the version that it is read in, the day of that version and its IRI."""

    title: str
    version: str
    issued: date
    iri: str
    author: str = AUTHOR

    @property
    def key(self) -> str:
        """A key for BibTeX: the last part of the IRI, letters, digits and hyphens only."""
        return "culturegraph-" + re.sub(r"[^A-Za-z0-9]+", "-", f"{self.iri.rstrip('/').rsplit('/', 1)[-1]}").strip("-")

    def plain(self) -> str:
        """Return one line for a list of references."""
        year = self.issued.year
        return f"{self.author} ({year}). {self.title} (version {self.version}) [data set]. {PUBLISHER}. {self.iri}"

    def csl(self) -> str:
        """Return CSL-JSON: an array with one item."""
        issued = [[self.issued.year, self.issued.month, self.issued.day]]
        item: dict[str, Any] = {
            "id": self.key,
            "type": "dataset",
            "title": self.title,
            "author": [{"literal": self.author}],
            "publisher": PUBLISHER,
            "version": self.version,
            "issued": {"date-parts": issued},
            "URL": self.iri,
        }
        return json.dumps([item], ensure_ascii=False, indent=1)

    def bibtex(self) -> str:
        """Return a BibLaTeX entry."""
        fields = {
            "title": self.title,
            "author": f"{{{self.author}}}",
            "publisher": PUBLISHER,
            "version": self.version,
            "date": self.issued.isoformat(),
            "url": self.iri,
        }
        lines = [f"  {name} = {{{_escape(value) if name != 'url' else value}}}," for name, value in fields.items()]
        return "\n".join([f"@dataset{{{self.key},", *lines, "}"])

    def ris(self) -> str:
        """Return a RIS record; its lines end in CR LF."""
        lines = {
            "TY": "DATA",
            "TI": self.title,
            "AU": self.author,
            "PB": PUBLISHER,
            "PY": str(self.issued.year),
            "DA": self.issued.strftime("%Y/%m/%d"),
            "ET": self.version,
            "UR": self.iri,
        }
        written = [f"{tag}  - {' '.join(value.split())}" for tag, value in lines.items()]
        return "\r\n".join([*written, "ER  - ", ""])


FORMS: Final[Mapping[str, tuple[str, Callable[[Citation], str]]]] = {
    "txt": ("text/plain; charset=utf-8", Citation.plain),
    "csl": ("application/vnd.citationstyles.csl+json", Citation.csl),
    "bib": ("application/x-bibtex; charset=utf-8", Citation.bibtex),
    "ris": ("application/x-research-info-systems; charset=utf-8", Citation.ris),
}

_SPECIAL: Final = re.compile(r"([\\{}$&#%_^~])")


def _escape(text: str) -> str:
    """Return text with the characters that TeX takes for commands written as themselves."""
    named = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
    # The braces around a corporate author stay: they keep it in one piece.
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    escaped = _SPECIAL.sub(lambda match: named.get(match[1], "\\" + match[1]), inner)
    return f"{{{escaped}}}" if inner != text else escaped
