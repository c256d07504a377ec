"""The records of cases/harvesting, and what checks responses about them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from pyoxigraph import DefaultGraph, Quad, RdfFormat, Store, parse

from culturegraph.exports.record_sets import read_sets
from culturegraph.exports.records import Records
from culturegraph.protocols.harvesting import OAI, Repository, respond
from culturegraph.protocols.record_changes import Changes

with warnings.catch_warnings():
    # Its source has escapes that Python warns of.
    warnings.simplefilter("ignore")
    from sickle import Sickle  # noqa: F401  (the tests take it from here)

CASES = Path(__file__).parent / "cases" / "harvesting"
QUERIES = Path(__file__).parents[1] / "queries"
BUILT = datetime(2026, 11, 1, 10, 20, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ADDRESS = "http://example.org/oai"
IDS = "https://w3id.org/culturegraph/id/"
AWAJUN = "oai:w3id.org:culturegraph/id/people/awajun"


def merged(quads: list[Quad]) -> Store:
    """A store as a snapshot has it: named graphs, and their merge."""
    store = Store()
    store.extend([*quads, *(Quad(*quad.triple, DefaultGraph()) for quad in quads)])
    return store


@cache
def repository() -> Repository:
    store = merged(list(parse(path=str(CASES / "site.trig"), format=RdfFormat.TRIG)))
    records = Records(store, QUERIES)
    return Repository(records, read_sets(store, records, QUERIES), Changes(BUILT, {}, {}), "test")


def with_deleted(**when: datetime) -> Repository:
    deleted = {f"{IDS}person/{name}": moment for name, moment in when.items()}
    return replace(repository(), changes=Changes(BUILT, {}, deleted))


@cache
def schema(name: str) -> Any:
    return etree.RelaxNG(etree.parse(str(CASES / name)))


def ask(query: str, of: Repository | None = None) -> Any:
    """Ask for `verb=…&…`; return the checked response without its namespace: elements by their plain names."""
    given = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]
    root = etree.fromstring(respond(of or repository(), given, ADDRESS, NOW))
    schema("oai-pmh.rng").assertValid(root)
    for record in root.iter("{http://www.loc.gov/MARC21/slim}record"):
        schema("marc21slim.rng").assertValid(record)
    return root


def told(root: Any, name: str) -> list[str]:
    """The texts of all elements of a name."""
    return [element.text or "" for element in root.iter(f"{{{OAI}}}{name}")]


def code(query: str, of: Repository | None = None) -> str:
    """The code of the error that a request has."""
    (error,) = ask(query, of).iter(f"{{{OAI}}}error")
    return error.get("code")
