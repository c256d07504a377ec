"""Profiles of export: each a folder of `queries/exports/profiles/`, read and checked here. Adding one needs no Python.

    {profile}/profile.yaml     titles, formats, what maps to what, what is lost
    {profile}/records.rq       SELECT ?record ?lacks: which records there are; ?lacks names why one is left out
    {profile}/table.rq         SELECT ?record …: the columns of its CSV, where it offers one
    {profile}/*.rq             CONSTRUCT: what stands in the records

A profile without `records.rq` is one document (`document:` in `profile.yaml` is its IRI).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from culturegraph.errors import DataError, DataErrors, NotFoundError
from culturegraph.queries import QueryFile, read_queries
from culturegraph.rdf.vocabulary import PREFIXES

FOLDER: Final = Path("exports", "profiles")
_HEAD: Final = "profile.yaml"
_SPECIAL: Final = frozenset({"records", "table"})
_KEYS: Final = frozenset(
    {"title", "description", "order", "formats", "document", "prefixes", "elements", "context", "reasons"}
    | {"mapping", "lost", "specification", "include", "refer", "writer", "record_formats"}
)
_RDF_FORMS: Final = frozenset({"rdf", "ttl", "nt", "jsonld"})
# What `forms` can write.
FORMS: Final = ("rdf", "ttl", "nt", "jsonld", "csv")
# A profile that is more than the triples of its records names what writes it (`writer:` in `profile.yaml`).
WRITERS: Final[Mapping[str, Sequence[str]]] = {
    "inventory": ("html", "docx", "jsonld", "csv"),
    "statistics": ("ttl", "zip"),
}


@dataclass(frozen=True)
class Profile:
    """One profile: its id (the name of its folder), what `profile.yaml` says, and its queries by name."""

    folder: Path
    head: Mapping[str, Any]
    queries: Mapping[str, QueryFile]
    # Changes with any of its files.
    revision: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    # The profile by which what a record refers to stands in it.
    included: Profile | None = None

    @property
    def id(self) -> str:
        """What it is called in addresses and on the command line."""
        return self.folder.name

    @property
    def queries_folder(self) -> Path:
        """The folder of all query files, in which that of the profile is."""
        return self.folder.parents[len(FOLDER.parts)]

    @property
    def title(self) -> Mapping[str, str]:
        """What it is called, by language."""
        return dict(self.head["title"])

    @property
    def description(self) -> Mapping[str, str]:
        """What it is for, by language."""
        return dict(self.head["description"])

    @property
    def formats(self) -> Sequence[str]:
        """The formats that it is offered in, by suffix; the first is what is given where none is asked for."""
        return tuple(self.head["formats"])

    @property
    def record_formats(self) -> Sequence[str]:
        """The formats that one record is offered in: those of the whole, and those that suit only one."""
        return (*self.formats, *self.head.get("record_formats", ()))

    @property
    def writer(self) -> str | None:
        """What writes its records; None where its own queries say all that stands in them."""
        return self.head.get("writer")

    @property
    def document(self) -> str | None:
        """The IRI of the one document that it is; None where it has many records."""
        return self.head.get("document")

    @property
    def constructs(self) -> Sequence[QueryFile]:
        """The queries that say what stands in the records, in the order of their files."""
        return [query for name, query in self.queries.items() if name not in _SPECIAL]

    @property
    def mapping(self) -> Sequence[Mapping[str, Any]]:
        """What maps to what: `from`, `to`, and a note by language."""
        return list(self.head.get("mapping", ()))

    @property
    def lost(self) -> Sequence[Mapping[str, str]]:
        """What is lost, by language."""
        return list(self.head.get("lost", ()))

    @property
    def reasons(self) -> Mapping[str, Mapping[str, str]]:
        """What each value of ?lacks means, by language."""
        return dict(self.head.get("reasons", {}))

    @cached_property
    def prefixes(self) -> Mapping[str, str]:
        """The prefixes of the project and its own."""
        others = self.included.prefixes if self.included else PREFIXES
        return {**others, **self.head.get("prefixes", {})}

    @cached_property
    def elements(self) -> Mapping[str, Sequence[str]]:
        """The classes in the order that XML has them, each with its properties in their order; empty: any order."""
        own = {
            self.expand(name): [self.expand(member) for member in members]
            for name, members in self.head.get("elements", {}).items()
        }
        return {**own, **self.included.elements} if self.included else own

    @cached_property
    def referring(self) -> frozenset[str]:
        """The properties by which another record stands in one that refers to it; by default none: its IRI only."""
        return frozenset(self.expand(name) for name in self.head.get("refer", ()))

    def expand(self, name: str) -> str:
        """Return the IRI of a prefixed name. Raises DataError where the prefix is unknown."""
        prefix, _, local = name.partition(":")
        if prefix not in self.prefixes:
            raise DataError(f"has the unknown prefix `{prefix}`", f"{self.id}/{_HEAD}")
        return self.prefixes[prefix] + local

    def check_format(self, form: str | None, *, record: bool = False) -> str:
        """Return a format that was asked for, or the first; for one record where `record` is true.

        Raises NotFoundError where it is not offered.
        """
        offered = self.record_formats if record else self.formats
        if form is None:
            return offered[0]
        if form not in offered:
            what = "a record of " if record else ""
            raise NotFoundError(f"{what}{self.id} is written as {', '.join(offered)}, not as {form!r}")
        return form


def list_profiles(queries: Path) -> Sequence[str]:
    """Return the ids of all profiles, without reading them."""
    return sorted(path.parent.name for path in (queries / FOLDER).glob(f"*/{_HEAD}"))


def read_profiles(queries: Path) -> Mapping[str, Profile]:
    """Return all profiles by id, in their order. Raises DataErrors with what is wrong with any of them."""
    found: list[Profile] = []
    errors: list[DataError] = []
    for name in list_profiles(queries):
        try:
            found.append(_read(queries / FOLDER / name))
        except DataError as error:
            errors.append(error)
        except DataErrors as more:
            errors += more.errors
    if errors:
        raise DataErrors(errors)
    found.sort(key=lambda profile: (int(profile.head.get("order", 100)), profile.id))
    return {profile.id: profile for profile in found}


def read_profile(queries: Path, name: str) -> Profile:
    """Return one profile. Raises NotFoundError where there is none of the name, DataErrors where it is malformed."""
    if name not in (known := list_profiles(queries)):
        raise NotFoundError(f"there is no profile {name!r} (there are: {', '.join(known)})")
    return _read(queries / FOLDER / name)


def _read(folder: Path) -> Profile:
    place = f"{folder.name}/{_HEAD}"
    try:
        head = yaml.safe_load((folder / _HEAD).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise DataError(f"is not YAML: {error}", place, mark.line + 1 if mark else None) from error
    if not isinstance(head, dict):
        raise DataError("is not a mapping", place)
    _check(head, place)
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.read_bytes())
    context = json.loads((folder / head["context"]).read_text(encoding="utf-8")) if "context" in head else {}
    queries = {query.path.stem: query for query in read_queries(folder)}
    included = _include(folder, head["include"]) if "include" in head else None
    digest.update(included.revision.encode() if included else b"")
    profile = Profile(folder, head, queries, digest.hexdigest()[:16], context, included)
    _check_queries(profile, place)
    return profile


def _include(folder: Path, name: str) -> Profile:
    other = folder.parent / str(name)
    if not (other / _HEAD).is_file() or other == folder:
        raise DataError(f"includes `{name}`, which is no other profile", f"{folder.name}/{_HEAD}")
    profile = _read(other)
    if profile.included:
        raise DataError(f"includes `{name}`, which includes another", f"{folder.name}/{_HEAD}")
    return profile


def _check(head: Mapping[str, Any], place: str) -> None:
    if unknown := sorted(set(head) - _KEYS):
        raise DataError(f"has the unknown key `{unknown[0]}`", place)
    for key in ("title", "description"):
        value = head.get(key)
        if not isinstance(value, dict) or {"es", "en"} - value.keys():
            raise DataError(f"needs `{key}` in es and en", place)
    if (writer := head.get("writer")) not in {None, *WRITERS}:
        raise DataError(f"names a writer that there is none of: {writer}", place)
    known = WRITERS[writer] if writer else FORMS
    forms = head.get("formats")
    if not isinstance(forms, list) or not forms:
        raise DataError(f"needs `formats`, a list of {', '.join(known)}", place)
    if wrong := [form for form in (*forms, *head.get("record_formats", ())) if form not in known]:
        raise DataError(f"has a format that there is none of: {wrong[0]} (there are: {', '.join(known)})", place)
    for key in ("mapping", "lost"):
        for entry in head.get(key, ()):
            note = entry.get("note", {"es": "", "en": ""}) if key == "mapping" and isinstance(entry, dict) else entry
            if not isinstance(note, dict) or {"es", "en"} - note.keys():
                raise DataError(f"needs each `{key}` in es and en", place)


def _check_queries(profile: Profile, place: str) -> None:
    has_records = "records" in profile.queries
    if has_records is (profile.document is not None):
        raise DataError("needs either records.rq or `document`", place)
    if profile.writer:
        return
    if "csv" in profile.formats and "table" not in profile.queries:
        raise DataError("offers csv without table.rq", place)
    if _RDF_FORMS & set(profile.formats) and not profile.constructs:
        raise DataError("has no query that constructs anything", place)
    for query in profile.constructs:
        if query.form != "CONSTRUCT":
            raise DataError(f"is {query.form}, where CONSTRUCT is needed", f"{profile.id}/{query.path.name}")
    _ = profile.elements, profile.referring
