"""The rows of CSVW tables to N-Quads as a PySpark job, for tables that already lie on a cluster.

A table is a data frame, wherever it comes from (CSV, Parquet, a table of a catalogue), with the columns that its CSVW
metadata names; its partitions go through `sources.batches`, so the quads are those of `culturegraph ingest csvw`, and
the sorted parts have the same hash. What looks beyond a row (keys, references) is left to Spark. Rows on a cluster have
no number and no order: a fault is located by file and key, and of several rows with the same key none is carried over.

    python -m culturegraph.sources.spark csv-metadata.json hdfs://…/quads

writes `kind=quads/*.txt` (N-Quads) and `kind=rejects/*.txt` (CSV: row, column, reason, value). The
cluster is the one that Spark's own settings name; executors need `culturegraph[build]`.

Source: Apache Spark, PySpark RDD.mapPartitions; W3C csv2rdf §4 (minimal mode).
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from culturegraph.errors import CulturegraphError, DataError, DataErrors, UsageError
from culturegraph.rdf.spreadsheets import guard
from culturegraph.sources.batches import BatchWriter
from culturegraph.sources.metadata import ROW_NUMBER, SimpleTemplate, TablePlan, read_metadata

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_BATCH: Final = 500
# Faulty keys and references that are told row by row; more mean that the input is another than the metadata describes.
_MOST_FAULTS: Final = 100_000
_FILE: Final = "_file"
_MALFORMED: Final = "_malformed"


@dataclass(frozen=True)
class _Wrong:
    """What looks beyond a row: keys that several rows have, and for each reference the values that lead nowhere."""

    repeated: frozenset[tuple[str, ...]]
    dangling: Sequence[tuple[tuple[str, ...], str, str | None, frozenset[tuple[str, ...]]]]


def read_table(
    session: SparkSession, plan: TablePlan, path: str | None = None, *, split_lines: bool = False
) -> DataFrame:
    """Return the CSV files of a table as a frame of texts, with the file of each row.

    `split_lines` lets Spark read a single file in several tasks; only for files without line ends within cells.
    """
    from pyspark.sql.functions import input_file_name

    schema = ", ".join(f"`{name}` string" for name in (*plan.header, _MALFORMED))
    frame = session.read.csv(
        path or plan.path.as_uri(),
        schema=schema,
        sep=plan.delimiter,
        encoding=plan.encoding,
        header=plan.has_header,
        enforceSchema=False,
        quote='"',
        escape='"',
        multiLine=not split_lines,
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=_MALFORMED,
    )
    return frame.withColumn(_FILE, input_file_name())


def map_tables(frames: Mapping[str, DataFrame], plans: Sequence[TablePlan], output: str) -> None:
    """Write quads and rejects of all tables below `output`, which must not exist.

    Raises DataErrors where a table asks for what a cluster cannot tell, or has more faults than can be told.
    """
    kinds = None
    for plan in plans:
        _refuse_row_numbers(plan)
        frame = frames[plan.file]
        rows = frame.rdd.mapPartitions(partial(_map_rows, plan, tuple(frame.columns), _find_wrong(frame, plan, frames)))
        made = rows.toDF("kind string, value string")
        kinds = made if kinds is None else kinds.union(made)
    if kinds is not None:
        kinds.write.partitionBy("kind").text(output)


def _refuse_row_numbers(plan: TablePlan) -> None:
    templates = [plan.subject, *(column.value for column in plan.columns), *(column.graph for column in plan.columns)]
    for template in templates:
        names = {name for name, _, _ in template.fields} if isinstance(template, SimpleTemplate) else set()
        if ROW_NUMBER in names:
            told = f"describes {plan.file} by the numbers of its rows, which rows of a cluster do not have"
            raise DataErrors([DataError(told, "csv-metadata.json")])


def _cells(names: Sequence[str]) -> list[Column]:
    from pyspark.sql.functions import coalesce, col, lit, trim

    return [trim(coalesce(col(f"`{name}`"), lit(""))).alias(name) for name in names]


def _collect(frame: DataFrame, plan: TablePlan, what: str) -> frozenset[tuple[str, ...]]:
    rows = frame.limit(_MOST_FAULTS + 1).collect()
    if len(rows) > _MOST_FAULTS:
        raise DataErrors([DataError(f"has more than {_MOST_FAULTS:,} {what}", plan.file)])
    return frozenset(tuple(row) for row in rows)


def _find_wrong(frame: DataFrame, plan: TablePlan, frames: Mapping[str, DataFrame]) -> _Wrong:
    from pyspark.sql.functions import col, explode, split, trim

    repeated: frozenset[tuple[str, ...]] = frozenset()
    if plan.primary_key:
        names = list(plan.primary_key)
        keys = frame.select(*_cells(names)).groupBy(*names).count().where("count > 1").select(*names)
        repeated = _collect(keys, plan, "keys that are repeated")
    separators = {column.name: column.separator for column in plan.columns}
    dangling = []
    for key in plan.foreign_keys:
        names, separator = list(key.columns), separators[key.columns[0]] if len(key.columns) == 1 else None
        said = frame.select(*_cells(names))
        if separator is not None:
            pattern = "".join(f"\\{sign}" for sign in separator)
            said = said.select(trim(explode(split(col(names[0]), pattern))).alias(names[0]))
        for name in names:
            said = said.where(col(name) != "")
        target = frames[key.target].select(*_cells(key.target_columns)).toDF(*names)
        missing = _collect(
            said.distinct().join(target, names, "left_anti"), plan, f"values that are not in {key.target}"
        )
        dangling.append((key.columns, key.target, separator, missing))
    return _Wrong(repeated, dangling)


def _map_rows(plan: TablePlan, columns: Sequence[str], wrong: _Wrong, rows: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Yield ("quads", lines) and ("rejects", a line of CSV) of a partition."""
    header = list(plan.header)
    positions, file = [columns.index(name) for name in header], _position(columns, _FILE)
    malformed, primary = _position(columns, _MALFORMED), [header.index(name) for name in plan.primary_key]
    writer, each = BatchWriter(plan, header), iter(rows)
    while batch := list(islice(each, _BATCH)):
        cells = list[list[str]]()
        places = list[str]()
        for row in batch:
            found = [("" if row[position] is None else str(row[position])).strip() for position in positions]
            place = "" if file is None else str(row[file]).rpartition("/")[2]
            place = f"{place}:{' '.join(found[position] for position in primary)}"
            if malformed is not None and row[malformed] is not None:
                yield (
                    "rejects",
                    _reject(place, "is not well-formed, or has not as many cells as the header", row[malformed]),
                )
            elif beyond := _faults(wrong, header, primary, found):
                for reason, value in beyond:
                    yield "rejects", _reject(place, reason, value)
            elif any(found):
                cells.append(found)
                places.append(place)
        written = writer(range(len(cells)), list(zip(*cells, strict=True)))
        for index, faults in written.faults:
            for fault in faults:
                told = cells[index][header.index(str(fault.column))] if fault.column in header else ""
                column = "" if fault.column is None else f"{fault.column}: "
                yield "rejects", _reject(places[index], f"{column}{fault.message}", told)
        if written.text:
            yield "quads", written.text.decode().removesuffix("\n")


def _position(columns: Sequence[str], name: str) -> int | None:
    return columns.index(name) if name in columns else None


def _faults(
    wrong: _Wrong, header: Sequence[str], primary: Sequence[int], cells: Sequence[str]
) -> list[tuple[str, str]]:
    """Return (reason, value) of what is wrong with a row beyond itself."""
    found = []
    key = tuple(cells[position] for position in primary)
    if primary and key in wrong.repeated:
        found.append((f"has the key of another row: {', '.join(key)}", ""))
    for columns, target, separator, missing in wrong.dangling:
        values = [cells[header.index(name)] for name in columns]
        several = [[piece.strip()] for piece in values[0].split(separator)] if separator is not None else [values]
        for value in several:
            if tuple(value) in missing:
                told = ", ".join(value)
                found.append((f'{",".join(columns)}: "{told}" is not in {target}', ", ".join(values)))
    return found


def _reject(place: str, reason: str, value: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([place, "", *map(guard, (reason, value))])
    return line.getvalue()


def main(arguments: Sequence[str]) -> None:
    """Run as a job: METADATA OUTPUT [FOLDER-OF-THE-TABLES]."""
    if len(arguments) not in {2, 3}:
        raise UsageError("give METADATA and OUTPUT, and the address of the folder of the tables where it is another")
    from pyspark.sql import SparkSession

    # Spark takes addresses of files, and only a whole path has one.
    plans = read_metadata(Path(arguments[0]).resolve())
    session = SparkSession.builder.appName("culturegraph").getOrCreate()
    try:
        below = arguments[2].rstrip("/") + "/" if len(arguments) == 3 else None
        frames = {plan.file: read_table(session, plan, below and below + plan.file) for plan in plans}
        map_tables(frames, plans, arguments[1])
    finally:
        session.stop()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CulturegraphError as error:
        sys.stderr.write(f"{error.title}: {error}\n")
        sys.exit(error.exit_code)
