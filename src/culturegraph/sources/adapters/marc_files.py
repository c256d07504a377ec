"""MARC files read record by record, ISO 2709 or MARCXML: a record that is broken is told where, and the next one read.

Neither the lengths that ISO 2709 states nor the well-formedness of a whole XML file are relied upon to find where a
record ends: a file that is cut or damaged in the middle loses what is damaged and nothing else. Memory stays that of
one record.

Source: ISO 2709; MARC 21 Record Structure; MARC 21 XML Schema.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from lxml import etree
from pymarc import Field, Indicators, Leader, Record, Subfield
from pymarc.exceptions import PymarcException

from culturegraph.errors import StorageError

_BLOCK: Final = 1 << 16
# Longer than any record of ISO 2709 (99,999 bytes), and than any in XML that is not an attack.
_LONGEST: Final = 2_000_000
_END: Final = b"\x1d"
_START_TAG: Final = re.compile(rb"<(?:([A-Za-z_][\w.-]*):)?record(?=[\s>])")
_SPACE: Final = "http://www.loc.gov/MARC21/slim"
_LEADER: Final = re.compile(r"[0-9 ]{5}[a-z ][a-z][\x20-\x7e]{3}[2 ][2 ][0-9 ]{5}[\x20-\x7e]{7}", re.ASCII)
_PARTIAL_START: Final = 80


@dataclass(frozen=True)
class Broken:
    """A record that cannot be read: why, and what could be told of it."""

    reason: str
    told: str


def read_marc(path: Path) -> Iterator[tuple[int, Record | Broken]]:
    """Yield the records of a file with their numbers, from 1. Raises StorageError where the file cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
            file.seek(0)
            yield from enumerate(_read_xml(file) if head.startswith(b"<") else _read_iso(file), start=1)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error


def _told(data: bytes) -> str:
    return re.sub(r"[^\x20-\x7e]", "·", data[:80].decode("ascii", errors="replace"))


def _read_iso(file: BinaryIO) -> Iterator[Record | Broken]:
    rest = b""
    while block := file.read(_BLOCK):
        *whole, rest = (rest + block).split(_END)
        for data in whole:
            yield _read_iso_record(data)
        if len(rest) > _LONGEST:
            yield Broken("has no end within what a record may have", _told(rest))
            rest = b""
    # Some systems end a file by the sign of CP/M.
    if rest.strip(b"\r\n\t \x00\x1a"):
        yield Broken("is cut off: the file ends within it", _told(rest))


def _read_iso_record(data: bytes) -> Record | Broken:
    data = data.lstrip(b"\r\n\t \x00\x1a\xef\xbb\xbf") + _END
    fault = _fault_of_leader(data)
    if fault:
        return Broken(fault, _told(data))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Broken(f"is not UTF-8 (byte {error.start} of the record)", _told(data))
    try:
        # What the leader says of the encoding is often wrong; the bytes were read as what they are.
        record = Record(data=data, force_utf8=True, utf8_handling="strict")
    except (PymarcException, ValueError, IndexError, UnicodeError) as error:
        return Broken(f"cannot be read: {str(error) or type(error).__name__}", _told(data))
    return _checked(record, text)


def _fault_of_leader(data: bytes) -> str:
    """Return what is wrong with the leader and the length that it states; "" where nothing is."""
    leader = data[:24].decode("ascii", errors="replace")
    if len(data) < 26 or not _LEADER.fullmatch(leader):
        return "has a leader that is none"
    if leader[:5].strip() and int(leader[:5]) != len(data):
        return f"has {len(data)} bytes, its leader says {leader[:5]}"
    if not leader[12:17].strip() or not 24 < int(leader[12:17]) < len(data):
        return "has a leader whose base address lies outside the record"
    return ""


def _read_xml(file: BinaryIO) -> Iterator[Record | Broken]:
    rest = b""
    while block := file.read(_BLOCK):
        rest += block
        rest = yield from _take_records(rest)
        if len(rest) > _LONGEST:
            yield Broken("has no end within what a record may have", _told(rest))
            rest = b""
    if _START_TAG.match(rest):
        yield Broken("is cut off: the file ends within it", _told(rest))


def _take_records(data: bytes) -> Generator[Record | Broken, None, bytes]:
    """Yield the records that are whole in the data; return what begins one that is not."""
    while start := _START_TAG.search(data):
        prefix = start[1] or b""
        end = data.find(b"</" + (prefix + b":" if prefix else b"") + b"record", start.end())
        following = _START_TAG.search(data, start.end())
        if following and (end < 0 or following.start() < end):
            yield Broken("is cut off: the next one begins within it", _told(data[start.start() :]))
            data = data[following.start() :]
            continue
        close = data.find(b">", end) if end >= 0 else -1
        if close < 0:
            return data[start.start() :]
        yield _read_xml_record(data[start.start() : close + 1], prefix.decode())
        data = data[close + 1 :]
    # A start tag may lie on the edge of what was read.
    return data[-_PARTIAL_START:]


def _read_xml_record(data: bytes, prefix: str) -> Record | Broken:
    """Read one element by itself: entities are unknown to it, which makes harmless what a DOCTYPE would declare."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Broken(f"is not UTF-8 (byte {error.start} of the record)", _told(data))
    # The prefix may be declared in what was around it.
    declared = f' xmlns:{prefix}="{_SPACE}"' if prefix else ""
    around = f'<around xmlns="{_SPACE}"{declared}>'.encode()
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, encoding="utf-8")
        (element,) = etree.fromstring(around + data + b"</around>", parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return Broken(f"is not well-formed XML: {error}", _told(data))
    record = Record(force_utf8=True)
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name, text, tag = etree.QName(child).localname, child.text or "", child.get("tag", "")
        if name == "leader":
            record.leader = Leader(text.ljust(24)[:24])
        elif name == "controlfield":
            record.add_field(Field(tag, data=text))
        elif name == "datafield":
            parts = [Subfield(part.get("code", ""), part.text or "") for part in child if isinstance(part.tag, str)]
            record.add_field(Field(tag, Indicators(child.get("ind1", " "), child.get("ind2", " ")), parts))
    if not _LEADER.fullmatch(str(record.leader)):
        return Broken("has a leader that is none", str(record.leader)[:80])
    return _checked(record, "")


def _checked(record: Record, text: str) -> Record | Broken:
    """Return a record whose fields are such; what has a replacement character has lost letters."""
    if "\ufffd" in (text or str(record)):
        control = record["001"].data if "001" in record else ""
        return Broken("has lost letters (U+FFFD stands for them)", control or "")
    faulty = [field.tag for field in record.fields if not re.fullmatch(r"[0-9A-Za-z]{3}", field.tag)]
    return Broken(f"has a field whose tag is none: {faulty[0]!r}", "") if faulty else record
