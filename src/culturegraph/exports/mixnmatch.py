"""A catalogue for Mix'n'match, the game by which volunteers link lists to Wikidata: one TSV row a record.

Source: Mix'n'match/Import on Meta-Wiki (columns id, name, desc, url, q).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from culturegraph.exports.records import Records, batches
from culturegraph.files import writing

HEADER: Final = ("id", "name", "desc", "url", "q")


def export(records: Records, kinds: Sequence[str], output: Path | None) -> Iterator[int]:
    """Write the records of some kinds, or of all; yield how many are written, time and again."""
    chosen = [entry for entry in records.entries.values() if not kinds or entry.kind in kinds]
    query, written = records.query("mixnmatch"), 0
    with writing(output) as file:
        file.write(("\t".join(HEADER) + "\n").encode())
        for batch in batches(chosen):
            rows = records.group(query, [entry.iri for entry in batch])
            for entry in batch:
                row = rows.get(entry.iri, [{}])[0]
                described = " in ".join(filter(None, (row.get("classes", ""), row.get("places", ""))))
                cells = (entry.key, records.headings[entry.iri], described, entry.iri, row.get("q", ""))
                file.write(("\t".join(cells) + "\n").encode())
                written += 1
            yield written
