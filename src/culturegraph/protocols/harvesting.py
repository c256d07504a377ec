"""OAI-PMH 2.0: six verbs over the records of a snapshot. Pure: arguments in, XML out; no web framework, no memory.

Source: The Open Archives Initiative Protocol for Metadata Harvesting, version 2.0 (document version 2015-01-08).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from culturegraph.exports.marc import MARCXML, make_records, to_xml
from culturegraph.exports.record_sets import RecordSet
from culturegraph.exports.records import Entry, Records, clean
from culturegraph.exports.xml_records import EDM, OAI_DC, make_elements
from culturegraph.protocols.record_changes import Changes
from culturegraph.protocols.resumption import Position, read_token, write_token
from culturegraph.rdf.vocabulary import BASE, RDF

OAI: Final = "http://www.openarchives.org/OAI/2.0/"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_IDENTIFIER: Final = "oai:w3id.org:culturegraph/"
# Records, and headers, that a page of a list has.
PAGE: Final = 100
PAGE_OF_HEADERS: Final = 1000
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?", re.ASCII)


@dataclass(frozen=True)
class Format:
    """A metadata format: prefix, schema, namespace, and which records it can be had of."""

    prefix: str
    schema: str
    namespace: str
    has: Callable[[Entry], bool]


FORMATS: Final = {
    form.prefix: form
    for form in (
        Format("oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc.xsd", OAI_DC, lambda entry: True),  # noqa: ARG005
        Format(
            "marcxml",
            "http://www.loc.gov/standards/marcxml/schema/MARC21slim.xsd",
            MARCXML,
            lambda entry: bool(entry.tag),
        ),
        Format("edm", "http://www.europeana.eu/schemas/edm/EDM.xsd", EDM, lambda entry: bool(entry.edm)),
        Format("rdf", "http://www.openarchives.org/OAI/2.0/rdf.xsd", RDF, lambda entry: True),  # noqa: ARG005
    )
}
# Each verb: the arguments that it must have, those that it may have, and whether a token may stand for all of them.
_VERBS: Final[Mapping[str, tuple[frozenset[str], frozenset[str], bool]]] = {
    "Identify": (frozenset(), frozenset(), False),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"}), False),
    "ListSets": (frozenset(), frozenset(), True),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset(), False),
    "ListIdentifiers": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), True),
    "ListRecords": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), True),
}


class ProtocolError(Exception):
    """An error that the protocol has a code for."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Item:
    """A record, or what is left of a deleted one (`entry` is None), with its datestamp."""

    iri: str
    entry: Entry | None
    changed: datetime

    @property
    def key(self) -> str:
        """The IRI below the base, by which lists are ordered."""
        return self.iri.removeprefix(BASE)


@dataclass(frozen=True)
class Repository:
    """What is harvested: records, sets, changes, and who answers for them."""

    records: Records
    sets: Mapping[str, RecordSet]
    changes: Changes
    name: str
    # The e-mail address of who answers for it; "": the postmaster of the server.
    contact: str = ""

    @cached_property
    def items(self) -> Sequence[Item]:
        """All records and deleted ones, in the order of their keys."""
        present = [Item(iri, entry, self.changes.when(iri)) for iri, entry in self.records.entries.items()]
        gone = [Item(iri, None, since) for iri, since in self.changes.deleted.items()]
        return sorted([*present, *gone], key=lambda item: item.key)

    @cached_property
    def specs(self) -> Mapping[str, Sequence[str]]:
        """The sets of each record, by IRI: the lowest ones, which those above follow from."""
        found: dict[str, list[str]] = {}
        for spec, each in self.sets.items():
            if ":" in spec:
                for iri in each.members:
                    found.setdefault(iri, []).append(spec)
        return found


def respond(repository: Repository, arguments: Sequence[tuple[str, str]], address: str, now: datetime) -> bytes:
    """Return the response to a request: its arguments in order, the address of the repository, the time."""
    root = etree.Element(f"{{{OAI}}}OAI-PMH", nsmap={None: OAI, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", f"{OAI} {OAI}OAI-PMH.xsd")
    _add(root, "responseDate", _write_moment(now))
    request = _add(root, "request", address)
    try:
        verb, given = _read_arguments(arguments)
        answer = _HANDLERS[verb](repository, given, address)
    except ProtocolError as error:
        if error.code not in ("badVerb", "badArgument"):
            _tell(request, arguments)
        _add(root, "error", error.message, code=error.code)
    else:
        _tell(request, arguments)
        root.append(answer)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _tell(request: etree._Element, arguments: Sequence[tuple[str, str]]) -> None:
    for name, value in arguments:
        request.set(name, clean(value))


def _read_arguments(arguments: Sequence[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """Return the verb and its arguments. Raises ProtocolError (badVerb, badArgument)."""
    verbs = [value for name, value in arguments if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in _VERBS:
        told = f"there is no verb {clean(verbs[0])!r}" if len(verbs) == 1 else "exactly one verb is needed"
        raise ProtocolError("badVerb", f"{told}; the verbs are {', '.join(_VERBS)}")
    required, optional, resumable = _VERBS[verbs[0]]
    given: dict[str, str] = {}
    for name, value in arguments:
        if name in given:
            raise ProtocolError("badArgument", f"{clean(name)} is given twice")
        if name != "verb" and name not in required | optional and not (resumable and name == "resumptionToken"):
            raise ProtocolError("badArgument", f"{verbs[0]} has no argument {clean(name)!r}")
        given[name] = value
    del given["verb"]
    if "resumptionToken" in given:
        if len(given) > 1:
            raise ProtocolError("badArgument", "resumptionToken stands alone: it has the other arguments in it")
    elif missing := sorted(required - given.keys()):
        raise ProtocolError("badArgument", f"{verbs[0]} needs {' and '.join(missing)}")
    return verbs[0], given


def _identify(repository: Repository, _given: Mapping[str, str], address: str) -> etree._Element:
    answer = etree.Element(f"{{{OAI}}}Identify")
    _add(answer, "repositoryName", repository.name)
    _add(answer, "baseURL", address)
    _add(answer, "protocolVersion", "2.0")
    _add(answer, "adminEmail", repository.contact or _postmaster(address))
    _add(answer, "earliestDatestamp", _write_moment(repository.changes.earliest))
    # Only what releases tell of is told, and what care demands to forget is forgotten: no promise for ever.
    _add(answer, "deletedRecord", "transient")
    _add(answer, "granularity", "YYYY-MM-DDThh:mm:ssZ")
    _add(answer, "compression", "gzip")
    space = OAI + "oai-identifier"
    scheme = etree.SubElement(_add(answer, "description"), f"{{{space}}}oai-identifier", nsmap={None: space})
    scheme.set(f"{{{_XSI}}}schemaLocation", f"{space} {space}.xsd")
    for name, text in (
        ("scheme", "oai"),
        ("repositoryIdentifier", "w3id.org"),
        ("delimiter", ":"),
        ("sampleIdentifier", _IDENTIFIER + "id/people/awajun"),
    ):
        etree.SubElement(scheme, f"{{{space}}}{name}").text = text
    return answer


def _postmaster(address: str) -> str:
    host = urlsplit(address).hostname or "localhost"
    return f"postmaster@{host if '.' in host else host + '.invalid'}"


def _list_formats(repository: Repository, given: Mapping[str, str], _address: str) -> etree._Element:
    item = _find(repository, given["identifier"]) if "identifier" in given else None
    offered = [form for form in FORMATS.values() if item is None or (item.entry and form.has(item.entry))]
    if not offered:
        raise ProtocolError("noMetadataFormats", "the record is deleted: nothing is left to be had of it")
    answer = etree.Element(f"{{{OAI}}}ListMetadataFormats")
    for form in offered:
        element = _add(answer, "metadataFormat")
        _add(element, "metadataPrefix", form.prefix)
        _add(element, "schema", form.schema)
        _add(element, "metadataNamespace", form.namespace)
    return answer


def _list_sets(repository: Repository, given: Mapping[str, str], _address: str) -> etree._Element:
    if "resumptionToken" in given:
        raise ProtocolError("badResumptionToken", "the list of sets is given whole: there is no token for it")
    answer = etree.Element(f"{{{OAI}}}ListSets")
    for each in repository.sets.values():
        element = _add(answer, "set")
        _add(element, "setSpec", each.spec)
        _add(element, "setName", each.name)
    return answer


def _get_record(repository: Repository, given: Mapping[str, str], _address: str) -> etree._Element:
    item, form = _find(repository, given["identifier"]), _format(given["metadataPrefix"])
    if item.entry is not None and not form.has(item.entry):
        raise ProtocolError("cannotDisseminateFormat", f"{form.prefix} has no place for a record of this kind")
    answer = etree.Element(f"{{{OAI}}}GetRecord")
    _add_records(answer, repository, form, [item])
    return answer


def _list_identifiers(repository: Repository, given: Mapping[str, str], _address: str) -> etree._Element:
    answer = etree.Element(f"{{{OAI}}}ListIdentifiers")
    page, _, token = _page(repository, given, PAGE_OF_HEADERS)
    for item in page:
        answer.append(_header(repository, item))
    _add_token(answer, token)
    return answer


def _list_records(repository: Repository, given: Mapping[str, str], _address: str) -> etree._Element:
    answer = etree.Element(f"{{{OAI}}}ListRecords")
    page, form, token = _page(repository, given, PAGE)
    _add_records(answer, repository, form, page)
    _add_token(answer, token)
    return answer


_HANDLERS: Final[Mapping[str, Callable[[Repository, Mapping[str, str], str], etree._Element]]] = {
    "Identify": _identify,
    "ListMetadataFormats": _list_formats,
    "ListSets": _list_sets,
    "GetRecord": _get_record,
    "ListIdentifiers": _list_identifiers,
    "ListRecords": _list_records,
}


@dataclass(frozen=True)
class _Token:
    text: str
    total: int
    cursor: int


def _page(repository: Repository, given: Mapping[str, str], size: int) -> tuple[Sequence[Item], Format, _Token | None]:
    """Return a page of a list: its items, their format, and the token of the list where it has several pages."""
    position = _position(given)
    form = _format(position.prefix, of_token="resumptionToken" in given)
    try:
        matching = _select(repository, position, form)
    except ProtocolError as error:
        if "resumptionToken" in given:
            raise ProtocolError("badResumptionToken", f"this token has lost its meaning: {error.message}") from error
        raise
    rest = [item for item in matching if item.key > position.last] if position.last else matching
    if not rest:
        if position.last:
            # What was left has gone since.
            raise ProtocolError("badResumptionToken", "nothing is left behind this token: begin the list anew")
        raise ProtocolError("noRecordsMatch", "no record is of this set, format and time")
    page = rest[:size]
    if len(rest) == len(page):
        last = _Token("", len(matching), position.cursor) if position.last else None
        return page, form, last
    following = Position(
        position.prefix, position.set, position.since, position.until, page[-1].key, position.cursor + len(page)
    )
    return page, form, _Token(write_token(following), len(matching), position.cursor)


def _position(given: Mapping[str, str]) -> Position:
    if "resumptionToken" not in given:
        if empty := sorted(name for name, value in given.items() if not value):
            raise ProtocolError("badArgument", f"{' and '.join(empty)} is empty")
        since, until = given.get("from", ""), given.get("until", "")
        return Position(given["metadataPrefix"], given.get("set", ""), since, until, "", 0)
    position = read_token(given["resumptionToken"])
    if position is None:
        raise ProtocolError("badResumptionToken", "this is no token of this repository")
    return position


def _select(repository: Repository, position: Position, form: Format) -> Sequence[Item]:
    since, until = _moments(position.since, position.until)
    if position.set and position.set not in repository.sets:
        raise ProtocolError("noRecordsMatch", f"there is no set {clean(position.set)!r}; ListSets has those there are")
    chosen = repository.sets[position.set].members if position.set else None
    return [
        item
        for item in repository.items
        # In which sets a deleted record was is not known any more: whoever harvests one of them has to hear of it.
        if (chosen is None or item.entry is None or item.iri in chosen)
        and (item.entry is None or form.has(item.entry))
        and (since is None or item.changed >= since)
        and (until is None or item.changed < until)
    ]


def _moments(since: str, until: str) -> tuple[datetime | None, datetime | None]:
    """Return the first moment of a range and the first one after it. Raises ProtocolError (badArgument)."""
    start, end = _read_moment("from", since), _read_moment("until", until)
    if start and end:
        if len(since) != len(until):
            raise ProtocolError("badArgument", "from and until must be of one granularity")
        if start > end:
            raise ProtocolError("badArgument", "from is later than until")
    if end:
        try:
            end += timedelta(days=1) if "T" not in until else timedelta(seconds=1)
        except OverflowError:
            end = None
    return start, end


def _read_moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        told = f"{name} is {clean(text)!r}, which is no date (YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ)"
        raise ProtocolError("badArgument", told) from None


def _format(prefix: str, *, of_token: bool = False) -> Format:
    if prefix not in FORMATS:
        if of_token:
            raise ProtocolError("badResumptionToken", "this token is of a format that is no more")
        told = f"there is no format {clean(prefix)!r}; there are {', '.join(FORMATS)}"
        raise ProtocolError("cannotDisseminateFormat", told)
    return FORMATS[prefix]


def _find(repository: Repository, identifier: str) -> Item:
    iri = BASE + identifier.removeprefix(_IDENTIFIER)
    if identifier.startswith(_IDENTIFIER):
        if iri in repository.records.entries:
            return Item(iri, repository.records.entries[iri], repository.changes.when(iri))
        if iri in repository.changes.deleted:
            return Item(iri, None, repository.changes.deleted[iri])
    raise ProtocolError("idDoesNotExist", f"there is no record {clean(identifier)!r}")


def _add_records(answer: etree._Element, repository: Repository, form: Format, items: Sequence[Item]) -> None:
    """Append the records of a page. All are asked for at once."""
    entries = [item.entry for item in items if item.entry is not None]
    if form.prefix == "marcxml":
        made = make_records(repository.records, entries, repository.changes.when)
        elements = {entry.iri: to_xml(record) for entry, record in zip(entries, made, strict=True)}
    else:
        elements = dict(make_elements(repository.records, form.prefix, entries))
    for item in items:
        record = _add(answer, "record")
        record.append(_header(repository, item))
        if item.entry is not None:
            _add(record, "metadata").append(elements[item.iri])


def _header(repository: Repository, item: Item) -> etree._Element:
    header = etree.Element(f"{{{OAI}}}header")
    if item.entry is None:
        header.set("status", "deleted")
    _add(header, "identifier", _IDENTIFIER + item.key)
    _add(header, "datestamp", _write_moment(item.changed))
    for spec in repository.specs.get(item.iri, ()):
        _add(header, "setSpec", spec)
    return header


def _add_token(answer: etree._Element, token: _Token | None) -> None:
    if token is not None:
        _add(answer, "resumptionToken", token.text, completeListSize=str(token.total), cursor=str(token.cursor))


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{OAI}}}{name}", **attributes)
    element.text = text
    return element


def _write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
