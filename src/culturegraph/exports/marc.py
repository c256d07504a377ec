"""MARC 21 authority records, made from the graph by the queries of `queries/exports/marc/`, as MARCXML or ISO 2709.

A row of a query is a field: the head says its tag (`marc: {tag: "670"}`), `?ind1` and `?ind2` are its indicators, and
each variable of one letter or digit is the subfield of that code. `4XX` takes the tag of the record's own heading;
`5XX` that of the record which `?target` names, with its heading and IRI.

Source: MARC 21 Format for Authority Data; ISO 2709; MARC 21 XML Schema (MARC21slim).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lxml import etree
from pymarc import Field, Indicators, Record, Subfield

from culturegraph.exports.records import Entry, Records, batches
from culturegraph.files import writing

MARCXML: Final = "http://www.loc.gov/MARC21/slim"
_SCHEMA: Final = "http://www.loc.gov/standards/marcxml/schema/MARC21slim.xsd"
# New, authority data, UTF-8, complete authority record.
_LEADER: Final = "00000nz  a2200000n  4500"
# 008 after the date: established heading (a), other rules (z), fully established (a); the rest is not coded (|).
_CODED: Final = "|||az|||||||" + " " * 10 + "|| ||a" + " " * 4 + "||"
# The order of subfields where it is not that of their codes: the relation comes first, control subfields last.
_ORDER: Final = "iabcdefghjklmnopqrstuvxyz"
# ISO 2709 gives five digits to the length of a record and four to that of a field.
_LONGEST_RECORD: Final = 99_999
_LONGEST_FIELD: Final = 9_000


def make_records(records: Records, entries: Sequence[Entry], changed: Callable[[str], datetime]) -> list[Record]:
    """Return the authority records of some entries; an entry without a heading of MARC gives none.

    `changed` says when a record, by IRI, last changed.
    """
    headed = [entry for entry in entries if entry.tag]
    rows = [(query, records.group(query, [entry.iri for entry in headed])) for query in records.marc_queries]
    made = []
    for entry in headed:
        fields = [
            field
            for query, found in rows
            for row in found.get(entry.iri, ())
            if (field := _field(str(query.head["marc"]["tag"]), row, entry, records)) is not None
        ]
        made.append(_record(entry, records.headings[entry.iri], fields, changed(entry.iri)))
    return made


def _record(entry: Entry, heading: str, fields: Iterable[Field], changed: datetime) -> Record:
    record = Record(leader=_LEADER, force_utf8=True)
    own = [
        Field("001", data=entry.key),
        Field("005", data=changed.strftime("%Y%m%d%H%M%S.0")),
        Field("008", data=changed.strftime("%y%m%d") + _CODED),
        Field("040", Indicators(" ", " "), [Subfield("b", "spa")]),
        Field(entry.tag, Indicators(*entry.indicators), [Subfield("a", _shorten(heading))]),
    ]
    others = {str(field): field for field in fields if not (field.tag[0] == "4" and field["a"] == heading)}
    for field in sorted([*own, *others.values()], key=lambda field: field.tag):
        record.add_field(field)
    return record


def _field(tag: str, row: Mapping[str, str], entry: Entry, records: Records) -> Field | None:
    """Return the field of a row; None where it refers to what is no record with a heading."""
    cells, indicators = dict(row), row.get("ind1", " ") + row.get("ind2", " ")
    if tag == "4XX":
        tag, indicators = "4" + entry.tag[1:], entry.indicators
        if entry.tag == "130":
            # The non-filing characters of a title stand in the heading only.
            indicators = " 0"
    elif tag == "5XX":
        target = records.entries.get(cells.pop("target"))
        if target is None or not target.tag or target.iri == entry.iri:
            return None
        tag, indicators = "5" + target.tag[1:], target.indicators
        cells |= {"a": records.headings[target.iri], "0": target.iri}
    codes = sorted((code for code in cells if len(code) == 1), key=_place)
    subfields = [Subfield(code, _shorten(cells[code])) for code in codes if cells[code]]
    return Field(tag, Indicators(*indicators), subfields) if subfields else None


def _place(code: str) -> tuple[int, str]:
    # $w, the control subfield of tracings, and those whose code is a digit come last.
    return (_ORDER.index(code) if code in _ORDER else len(_ORDER) + (code == "w"), code)


def _shorten(text: str) -> str:
    """Return a text that fits into a field of ISO 2709, cut at a character where it is too long."""
    data = text.encode()
    return text if len(data) <= _LONGEST_FIELD else data[:_LONGEST_FIELD].decode(errors="ignore") + "…"


def to_xml(record: Record) -> etree._Element:
    """Return a record as an element of MARCXML."""
    root = etree.Element(f"{{{MARCXML}}}record", nsmap={None: MARCXML}, type="Authority")
    etree.SubElement(root, f"{{{MARCXML}}}leader").text = str(record.leader)
    for field in record.fields:
        if field.is_control_field():
            etree.SubElement(root, f"{{{MARCXML}}}controlfield", tag=field.tag).text = field.data
            continue
        first, second = field.indicator1, field.indicator2
        element = etree.SubElement(root, f"{{{MARCXML}}}datafield", tag=field.tag, ind1=first, ind2=second)
        for code, value in field.subfields:
            etree.SubElement(element, f"{{{MARCXML}}}subfield", code=code).text = value
    return root


def to_iso2709(record: Record) -> bytes:
    """Return a record as ISO 2709. What a record has no room for is left out, from its last sources on."""
    data: bytes = record.as_marc()
    while len(data) > _LONGEST_RECORD:
        longest = [field for field in record.fields if field.tag == "670"] or record.fields
        record.remove_field(longest[-1])
        data = record.as_marc()
    return data


def export(
    records: Records, kinds: Sequence[str], output: Path | None, form: str, changed: Callable[[str], datetime]
) -> Iterator[int]:
    """Write all records with a heading, of all kinds where none is given; yield how many are written, time and again.

    `form` is `marcxml` or `marc`. The file appears whole or not at all. Raises StorageError where it cannot be written.
    """
    chosen = [entry for entry in records.entries.values() if entry.tag and (not kinds or entry.kind in kinds)]
    written = 0
    with writing(output) as file:
        if form == "marcxml":
            place = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{MARCXML} {_SCHEMA}"'
            file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="{MARCXML}" {place}>\n'.encode())
        for batch in batches(chosen):
            for record in make_records(records, batch, changed):
                file.write(_bytes(record, form))
                written += 1
            yield written
        if form == "marcxml":
            file.write(b"</collection>\n")


def _bytes(record: Record, form: str) -> bytes:
    if form == "marc":
        return to_iso2709(record)
    text: Any = etree.tostring(to_xml(record), encoding="unicode")
    # The namespace is that of the collection around.
    return str(text).replace(f' xmlns="{MARCXML}"', "", 1).encode() + b"\n"
