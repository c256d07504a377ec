"""An error as the body of a response: plain text or problem details.

Source: RFC 9457 (problem details for HTTP APIs).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from culturegraph.errors import CulturegraphError
from culturegraph.rdf.formats import MediaType

TEXT: Final = MediaType("text/plain", "text", "txt")
PROBLEM: Final = MediaType("application/problem+json", "problem", "json", ("application/json",))
RETRY_AFTER: Final = {429: "1", 503: "5"}


@dataclass(frozen=True)
class Problem:
    """What a client is told of a failure. `notes` is an excerpt of the query; `near` lists IRIs that may be meant."""

    status: int
    title: str
    detail: str
    notes: str = ""
    near: Sequence[str] = ()
    place: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, error: CulturegraphError) -> Problem:
        """Return the problem that an error of ours is."""
        place = {key: value for key in ("line", "column") if (value := getattr(error, key, None)) is not None}
        near = [entry.iri for entry in getattr(error, "near", ())]
        notes = "\n".join(getattr(error, "__notes__", ()))
        return cls(error.status, error.title, str(error), notes, near, place)

    def to_text(self) -> str:
        """Return it as one line of text, and the excerpt below."""
        return f"{self.title}: {self.detail}\n{self.notes}{chr(10) if self.notes else ''}"

    def to_json(self) -> str:
        """Return it as problem details."""
        body: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        body |= {"detail": self.detail, **self.place}
        if self.notes:
            body["excerpt"] = self.notes
        if self.near:
            body["near"] = list(self.near)
        return json.dumps(body, ensure_ascii=False)

    def to_body(self, media_type: MediaType) -> bytes:
        """Return it in one of the two media types."""
        return (self.to_json() if media_type is PROBLEM else self.to_text()).encode()
