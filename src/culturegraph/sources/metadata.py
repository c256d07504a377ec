"""CSVW metadata compiled into plans: what each column is, and how a row becomes quads.

Owns the reading of `csv-metadata.json` through the `csvw` library, and our two annotations:

- `cg:inGraph` (URI template; on a table, overridden on a column): the named graph that a quad goes to;
- `cg:langColumn` (column name): the column whose cell holds the language tag of this one.

Source: W3C Metadata Vocabulary for Tabular Data §5; W3C Generating RDF from Tabular Data on the Web (minimal mode).
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import csvw
import uritemplate

from culturegraph.errors import DataError, StorageError
from culturegraph.rdf.vocabulary import CG, XSD

_IN_GRAPH = CG + "inGraph"
_LANG_COLUMN = CG + "langColumn"
_RESERVED = ":/?#[]@!$&'()*+,;="

Row = Mapping[str, str]
Template = Callable[[Row], str]


@dataclass(frozen=True)
class SimpleTemplate:
    """A URI template of `{name}` and `{+name}` alone: its text up to the first field, then its fields.

    A field is (column, characters that stay as they are, text after it).
    """

    text: str
    fields: tuple[tuple[str, str, str], ...]

    def __call__(self, row: Row) -> str:
        """Expand the template with the cells of a row."""
        expanded = self.text
        for name, safe, tail in self.fields:
            expanded += quote(row.get(name, ""), safe=safe) + tail
        return expanded


def compile_template(template: str) -> Template:
    """Return a function that expands a URI template (RFC 6570) with the cells of a row.

    `{name}` and `{+name}`, which is all that most tables need, are expanded directly; anything else by `uritemplate`.
    """
    if re.sub(r"\{\+?\w+\}", "", template).count("{"):
        compiled = uritemplate.URITemplate(template)
        return lambda row: str(compiled.expand(dict(row)))
    parts = re.split(r"\{(\+?\w+)\}", template)
    return SimpleTemplate(
        parts[0],
        tuple(
            (name.lstrip("+"), (_RESERVED + "%") if name.startswith("+") else "", tail)
            for name, tail in zip(parts[1::2], parts[2::2], strict=True)
        ),
    )


@dataclass(frozen=True)
class ColumnPlan:
    """How the cells of one column are read and which quads they become (`predicate` None: none)."""

    name: str
    virtual: bool
    required: bool
    separator: str | None
    null: frozenset[str]
    read: Callable[[str], Any] | None
    datatype: str
    described_as: str
    lang: str | None
    lang_column: str | None
    predicate: Template | None
    value: Template | None
    graph: Template


@dataclass(frozen=True)
class ForeignKey:
    """Columns of a table whose cells must be found in the columns of another table."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class TablePlan:
    """One table: its file, its columns, its keys, its subject."""

    file: str
    path: Path
    delimiter: str
    encoding: str
    subject: Template
    columns: tuple[ColumnPlan, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """The column names that the file must have, in any order."""
        return tuple(column.name for column in self.columns if not column.virtual)


def _describe(datatype: Any) -> str:
    """Return how a datatype is named in an error, after `is not `."""
    if datatype is None:
        return "a string"
    title = datatype.common_props.get("dc:title")
    if title:
        return str(title)
    form = f" matching {datatype.format}" if datatype.format and datatype.base == "string" else ""
    bounds = " and ".join(
        f"{word} {bound}"
        for word, bound in (("at least", datatype.minimum), ("at most", datatype.maximum))
        if bound is not None
    )
    article = "an" if datatype.base[0] in "aeiou" else "a"
    return f"{article} {datatype.base}{form}{f' of {bounds}' if bounds else ''}"


def _datatype_iri(datatype: Any) -> str:
    if datatype is None or (datatype.base == "string" and "id" not in datatype.at_props):
        return XSD + "string"
    return str(datatype.at_props.get("id", XSD + str(datatype.base)))


def _compile_column(column: Any, table_graph: str) -> ColumnPlan:
    datatype = column.inherit("datatype")
    properties = column.common_props
    predicate = None if column.suppressOutput else column.inherit("propertyUrl")
    value = column.inherit("valueUrl")
    lang = column.inherit("lang")
    return ColumnPlan(
        name=column.name,
        virtual=bool(column.virtual),
        required=bool(column.inherit("required")),
        separator=column.inherit("separator"),
        null=frozenset(column.inherit_null()),
        read=datatype.read if datatype is not None else None,
        datatype=_datatype_iri(datatype),
        described_as=_describe(datatype),
        lang=None if lang in (None, "und") else str(lang),
        lang_column=properties.get(_LANG_COLUMN),
        predicate=compile_template(str(predicate.uri if hasattr(predicate, "uri") else predicate))
        if predicate
        else None,
        value=compile_template(str(value.uri if hasattr(value, "uri") else value)) if value else None,
        graph=compile_template(properties.get(_IN_GRAPH, table_graph)),
    )


def _compile_table(table: Any, folder: Path) -> TablePlan:
    schema, file = table.tableSchema, str(table.url)
    graph = table.common_props.get(_IN_GRAPH)
    about = schema.aboutUrl
    if graph is None or about is None:
        raise DataError(
            f"describes {file} without {'cg:inGraph' if graph is None else 'aboutUrl'}", "csv-metadata.json"
        )
    dialect = table.dialect or table.inherit("dialect")
    keys = tuple(
        ForeignKey(
            tuple(key.columnReference), str(key.reference.resource), tuple(map(str, key.reference.columnReference))
        )
        for key in schema.foreignKeys
    )
    return TablePlan(
        file=file,
        path=folder / file,
        delimiter=dialect.delimiter if dialect else ",",
        encoding=dialect.encoding if dialect else "utf-8",
        subject=compile_template(str(about.uri if hasattr(about, "uri") else about)),
        columns=tuple(_compile_column(column, graph) for column in schema.columns),
        primary_key=tuple(schema.primaryKey or ()),
        foreign_keys=keys,
    )


def read_metadata(path: Path) -> list[TablePlan]:
    """Read a CSVW table group. Raises DataError where it is malformed, StorageError where it cannot be read."""
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"is not JSON: {error.msg}", path.name, error.lineno, error.colno) from error
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start})", path.name) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    with warnings.catch_warnings():
        # The library only warns of metadata that it then ignores; ignored metadata would lose data.
        warnings.simplefilter("error")
        try:
            group = csvw.TableGroup.from_file(path)
        except (UserWarning, ValueError, KeyError, TypeError) as error:
            raise DataError(f"is not CSVW metadata: {error}", path.name) from error
    return [_compile_table(table, path.parent) for table in group.tables]
