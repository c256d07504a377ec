"""`This is not right, or should not be shown`: who answers, in what time, and a message that names what it is about.

/correction/people/awajun?part=place     the statements of one section, each with its message
/correction/?about=/queries/             any other page
No account, no form, nothing is kept: the message leaves through the reader's own mail or messenger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pyoxigraph import NamedNode, Triple
from starlette.responses import Response

from culturegraph.protocols.entity import HIDDEN, Part
from culturegraph.protocols.labels import Name, to_href
from culturegraph.protocols.linkeddata import read_entity
from culturegraph.rdf.statements import STATEMENT, statement_iri
from culturegraph.rdf.vocabulary import BASE
from culturegraph.web.dereferencing import to_iri, unknown
from culturegraph.web.site import Contact, Site, SiteDep

router = APIRouter()

# Statements of one section that get a message each; the rest is reached by its own page.
_LISTED: Final = 60


@dataclass(frozen=True)
class Message:
    """A message, and the link that writes it; None where no address is set."""

    text: str
    href: str | None


@dataclass(frozen=True)
class Item:
    """A statement with its message."""

    property: Name
    value: Name
    statement: str
    message: Message


@router.get("/correction/")
def correct_page(
    request: Request, site: SiteDep, about: Annotated[str, Query(max_length=2000, description="path of a page")] = "/"
) -> Response:
    """Show whom to write to about a page."""
    # A path of this server and nothing else: the link back must not lead elsewhere.
    back = about if about.startswith("/") and not about.startswith("//") and "\\" not in about else "/"
    kind, _, rest = back.removeprefix("/doc/").partition("/")
    if not back.startswith("/doc/"):
        return _show(request, site, Name(back), back, BASE.rstrip("/") + back, ())
    if kind == "statement":
        return _show(request, site, Name(back), back, STATEMENT + rest, (), _line(site, rest))
    return _show(request, site, Name(back), back, to_iri(back.removeprefix("/doc/")), ())


@router.get("/correction/{path:path}")
def correct_entity(
    request: Request,
    site: SiteDep,
    path: str,
    part: Annotated[str, Query(max_length=40, description="section of the page of the entity")] = "",
) -> Response:
    """Show whom to write to about an entity, and about each statement of a section of its page."""
    iri, language = to_iri(path), site.pages.language(request)
    entity = read_entity(site.reader, iri, language)
    if entity is None:
        raise unknown(site, iri, language)
    parts = tuple(kept for kept in entity.parts if kept.section.id == part)
    return _show(request, site, entity.name, f"/doc/{path}", iri, parts)


def _line(site: Site, digest: str) -> str:
    """Return a statement as a line; empty where there is none, or where it has a name that is never shown."""
    triple = site.statement_index.find(digest)
    return f"{triple} ." if triple is not None and triple.predicate.value not in HIDDEN else ""


def _show(
    request: Request, site: Site, name: Name, back: str, subject: str, parts: tuple[Part, ...], line: str = ""
) -> Response:
    contact = site.contact
    title = site.pages.words[site.pages.language(request)]["entity_wrong"]

    def write(line: str = "") -> Message:
        return _message(contact, title, f"{subject}\n{line}\n" if line else f"{subject}\n", site.snapshot.version)

    page = site.pages.render(
        request,
        "correction.html",
        name=name,
        back=back,
        contact=contact,
        whole=write(line),
        parts=[(part, list(islice(_items(subject, part, write), _LISTED))) for part in parts],
    )
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def _items(subject: str, part: Part, write: Callable[[str], Message]) -> Iterator[Item]:
    node = NamedNode(subject)
    for group in part.groups:
        predicate = NamedNode(group.predicate)
        for value in group.values:
            triple = Triple(node, predicate, value.term)
            if group.direction == "in":
                triple = Triple(value.term, predicate, node)
            href = to_href(statement_iri(triple).value) or ""
            yield Item(group.name, value.name, href, write(f"{triple} ."))


def _message(contact: Contact, subject: str, text: str, version: str) -> Message:
    """Return the message about something: its text, and the link that opens it where it can be sent."""
    body = f"{text}\nculturegraph {version}\n"
    if "{body}" in contact.address:  # A messenger or a form: its address says where the text goes.
        return Message(body, contact.address.replace("{subject}", quote(subject)).replace("{body}", quote(body)))
    if "@" in contact.address:
        address = contact.address.removeprefix("mailto:")
        return Message(body, f"mailto:{quote(address, safe='@+.')}?subject={quote(subject)}&body={quote(body)}")
    return Message(body, contact.address or None)
