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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import csvw
import uritemplate

from culturegraph.errors import DataError, StorageError
from culturegraph.rdf.vocabulary import CG, XSD

_IN_GRAPH = CG + "inGraph"
_LANG_COLUMN = CG + "langColumn"
_SPECIAL_NUMBERS = frozenset({"INF", "-INF", "NaN"})
_WITH_SPECIAL_NUMBERS = frozenset({"string", "number", "float", "double", "any", "anyAtomicType", "normalizedString"})
_RESERVED = ":/?#[]@!$&'()*+,;="

# The CSVW template variable that holds the line on which a row begins.
ROW_NUMBER = "_sourceRow"

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
class ValueReader:
    """Reads a value by a CSVW datatype. Raises ValueError or ArithmeticError where the value is not of it."""

    datatype: Any

    def __call__(self, value: str) -> Any:
        """Return the value as a Python object."""
        # The library only warns of these, and would let them through as decimals.
        if value in _SPECIAL_NUMBERS and self.datatype.base not in _WITH_SPECIAL_NUMBERS:
            raise ValueError(f"{value} is not of {self.datatype.base}")
        return self.datatype.read(value)


@dataclass(frozen=True)
class ColumnPlan:
    """How the cells of one column are read and which quads they become (`predicate` None: none)."""

    name: str
    virtual: bool
    required: bool
    separator: str | None
    null: frozenset[str]
    read: ValueReader | None
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
    titles: Mapping[str, str] = field(default_factory=dict)
    has_header: bool = True

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


def _text(template: Any) -> str:
    return str(template.uri if hasattr(template, "uri") else template)


def _compile_column(column: Any, table_graph: str, properties_below: str = "") -> ColumnPlan:
    """Compile one column; `properties_below` is what a column without `propertyUrl` is named under."""
    datatype = column.inherit("datatype")
    properties, name = column.common_props, column.name or column.header
    predicate = column.inherit("propertyUrl") or (properties_below and f"{properties_below}#{quote(name)}")
    value = column.inherit("valueUrl")
    lang = column.inherit("lang")
    return ColumnPlan(
        name=name,
        virtual=bool(column.virtual),
        required=bool(column.inherit("required")),
        separator=column.inherit("separator"),
        null=frozenset(column.inherit_null()),
        read=ValueReader(datatype) if datatype is not None else None,
        datatype=_datatype_iri(datatype),
        described_as=_describe(datatype),
        lang=None if lang in (None, "und") else str(lang),
        lang_column=properties.get(_LANG_COLUMN),
        predicate=compile_template(_text(predicate)) if predicate and not column.suppressOutput else None,
        value=compile_template(_text(value)) if value else None,
        graph=compile_template(properties.get(_IN_GRAPH, table_graph)),
    )


def _check_supported(table: Any, dialect: Any, file: str) -> None:
    """Raise DataError where a table asks for what is not read here; to ignore it would change its meaning."""
    if not table.tableSchema or not table.tableSchema.columns:
        raise DataError(f"describes {file} without columns", "csv-metadata.json")
    asked = {"skipRows": 0, "skipColumns": 0, "headerRowCount": 1, "quoteChar": '"'}
    odd = [name for name, usual in asked.items() if getattr(dialect, name, usual) not in (usual, None)]
    if dialect is not None and not dialect.header and "headerRowCount" in odd:
        odd.remove("headerRowCount")
    odd += [f"default of {column.name}" for column in table.tableSchema.columns if column.inherit("default")]
    if odd:
        raise DataError(f"describes {file} with {', '.join(odd)}, which is not read here", "csv-metadata.json")


def _foreign_keys(schema: Any) -> Iterator[ForeignKey]:
    for key in schema.foreignKeys:
        target = tuple(map(str, key.reference.columnReference))
        yield ForeignKey(tuple(key.columnReference), str(key.reference.resource), target)


def _compile_table(table: Any, folder: Path, fallback: str | None) -> TablePlan:
    schema, file = table.tableSchema, str(table.url)
    dialect = table.dialect or table.inherit("dialect")
    _check_supported(table, dialect, file)
    below = "" if fallback is None else f"{fallback}/{quote(file)}"
    graph = table.common_props.get(_IN_GRAPH, fallback)
    about = schema.inherit("aboutUrl") or (below and f"{below}#row={{{ROW_NUMBER}}}")
    if graph is None or not about:
        raise DataError(
            f"describes {file} without {'cg:inGraph' if graph is None else 'aboutUrl'}", "csv-metadata.json"
        )
    columns = tuple(_compile_column(column, graph, below) for column in schema.columns)
    named = zip(schema.columns, columns, strict=True)
    titles = {str(column.titles.getfirst()): plan.name for column, plan in named if column.titles and not plan.virtual}
    return TablePlan(
        file=file,
        path=folder / file,
        delimiter=dialect.delimiter if dialect else ",",
        encoding=dialect.encoding if dialect else "utf-8",
        subject=compile_template(_text(about)),
        columns=columns,
        primary_key=tuple(schema.primaryKey or ()),
        foreign_keys=tuple(_foreign_keys(schema)),
        titles=titles,
        has_header=bool(dialect.header) if dialect else True,
    )


def _load(path: Path) -> Any:
    """Return the table group of a metadata file; a file that describes one table is a group of one."""
    group = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(group, dict) and "tables" not in group and "url" in group:
        return [csvw.Table.from_file(path)]
    return csvw.TableGroup.from_file(path).tables


def read_metadata(path: Path, *, fallback: str | None = None) -> list[TablePlan]:
    """Read CSVW metadata. Raises DataError where it is malformed, StorageError where it cannot be read.

    `fallback` is the graph (an IRI) of tables that name none, below which subjects and properties that the metadata
    does not name are minted; without it, such metadata is malformed.
    """
    try:
        with warnings.catch_warnings():
            # The library only warns of metadata that it then ignores; ignored metadata would lose data.
            warnings.simplefilter("error")
            tables = _load(path)
    except json.JSONDecodeError as error:
        raise DataError(f"is not JSON: {error.msg}", path.name, error.lineno, error.colno) from error
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start})", path.name) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except (UserWarning, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"is not CSVW metadata: {error}", path.name) from error
    return [_compile_table(table, path.parent, fallback) for table in tables]
