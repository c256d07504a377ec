"""The figures of the page for officers, `/about/unesco`: what goes out in each profile, and what is missing.

All are counted on the published graph when the page is first asked for; the page's text is an article.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from culturegraph.exports.inventory.coverage import count_filled
from culturegraph.exports.inventory.sheets import PROFILE, read_outline
from culturegraph.exports.profiles.export import Export
from culturegraph.exports.profiles.forms import write_records
from culturegraph.exports.profiles.profile import list_profiles
from culturegraph.exports.unesco_qpr.composing import compose
from culturegraph.exports.unesco_qpr.form import has_cycles, read_cycle
from culturegraph.rdf.vocabulary import BASE
from culturegraph.web.site import SAMPLE, Site

# Characters of a record that are shown; its address gives all of it.
_SHOWN = 3_000


@dataclass(frozen=True)
class Shown:
    """One record in one profile; without text where the profile leaves it out."""

    export: Export
    form: str
    text: str
    cut: bool


def serves_officers(site: Site) -> bool:
    """Return whether the project has what the page tells of: the periodic report and the inventory sheets."""
    return has_cycles(site.settings.queries) and PROFILE in list_profiles(site.settings.queries)


def tell_officers(site: Site, language: str) -> Mapping[str, Any]:
    """Return the figures for the page; they are counted once for each language."""
    if language not in site.officers:
        site.officers[language] = _count(site, language)
    return site.officers[language]


def _count(site: Site, language: str) -> Mapping[str, Any]:
    draft = compose(site.snapshot.store, read_cycle(site.settings.queries), language, site.snapshot.version)
    sections = [
        (draft.say(part.section.title), sum(len(row.cells) for row in part.rows), sum(1 for _ in part.gaps()))
        for part in draft.parts
        if part.section.query
    ]
    outline = read_outline(site.settings.queries)
    return {
        "draft": draft,
        "sections": sections,
        "exports": site.exports.values(),
        # Only what UNESCO's outline asks for.
        "outline": [one for one in count_filled(site.snapshot.store, outline) if not one.section.ours],
        "sheets": len(site.exports[PROFILE].iris),
        "sample": SAMPLE.removeprefix("id/"),
        "shown": [_show(export) for export in site.exports.values() if export.profile.document is None],
    }


def _show(export: Export) -> Shown:
    form = next(each for each in export.profile.formats if each != "html")
    if BASE + SAMPLE not in export.iris:
        return Shown(export, form, "", cut=False)
    text = b"".join(part for part, _ in write_records(export, form, [BASE + SAMPLE])).decode()
    if form == "jsonld":
        # The context is the same for all records, and longer than many.
        told = {key: value for key, value in json.loads(text).items() if key != "@context"}
        text = json.dumps(told, ensure_ascii=False, indent=1)
    return Shown(export, form, text[:_SHOWN], cut=len(text) > _SHOWN)
