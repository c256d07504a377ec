"""Fills a form from a graph. Each sentence knows the statements that it says; each gap the query that fills it.

Nothing is said that no statement says: a cell holds values and names, side by side, and no prose around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import DefaultGraph, Literal, NamedNode, QuerySolutions, Triple

from culturegraph.exports.forms.declared import LANGUAGES, Field, Path_, Section, Step
from culturegraph.exports.forms.footnotes import Notes
from culturegraph.queries import QueryFile
from culturegraph.rdf.dataset import Dataset
from culturegraph.rdf.graphs import INFERRED
from culturegraph.rdf.vocabulary import BASE, CG, DCTERMS, LABEL, PREFIXES, SKOS, TYPE, XSD, shrink

EXPORTS: Final = BASE + "exports/"
_ANSWERS_FIELD, _ABOUT = NamedNode(CG + "answersField"), NamedNode(CG + "about")
# A term, with the statements that lead to it.
Found = tuple[Any, tuple[Triple, ...]]
Nodes = Mapping[NamedNode, Sequence[Found]]
_TEXT: Final = NamedNode(DCTERMS + "description")
_NAMES: Final = (LABEL, NamedNode(SKOS + "prefLabel"), NamedNode(DCTERMS + "title"))
_BOOLEANS: Final = {"es": {"true": "Sí", "false": "No"}, "en": {"true": "Yes", "false": "No"}}
_GAP_ABOUT, _GAP_PROPERTY = NamedNode(CG + "gapAbout"), NamedNode(CG + "gapProperty")


@dataclass(frozen=True)
class Sentence:
    """What statements say, in the words of the graph.

    `language` is told where it is not the reader's, `iri` where the sentence names a thing.
    """

    text: str
    note: int
    language: str | None = None
    iri: str | None = None


@dataclass(frozen=True)
class KnownGap:
    """What the graph says is known to be unknown."""

    iri: str
    text: str


@dataclass(frozen=True)
class Cell:
    """One cell of a row: its sentences, or what would fill it. `key` is what an answer to it names."""

    id: str
    key: str
    field: Field
    sentences: tuple[Sentence, ...]
    query: str
    known_gaps: tuple[KnownGap, ...] = ()


@dataclass(frozen=True)
class Row:
    """A thing that stands in a section, with its cells in the order of the fields."""

    iri: str
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Part:
    """A section with its rows, or with further sections."""

    section: Section
    level: int
    rows: tuple[Row, ...]

    def gaps(self) -> Iterator[tuple[Row, Cell]]:
        """Yield the empty cells with their rows."""
        for row in self.rows:
            yield from ((row, cell) for cell in row.cells if not cell.sentences)


class Filler:
    """Reads one graph for one reader; gathers the notes. `form` is what is filled: `unesco-qpr/2027`.

    A cell is known by `{form}/{section}.{field}` (what an answer to it names) and by an IRI, of which `place` makes the
    part after `exports/`.
    """

    def __init__(self, store: Dataset, language: str, form: str) -> None:
        self._store, self._language, self._form = store, language, form
        self._chosen_nodes: dict[str, Nodes] = {}
        self._order = (language, *(other for other in LANGUAGES if other != language))
        self.notes = Notes(store)

    def fill(self, section: Section, level: int = 1) -> Iterator[Part]:
        """Yield the parts of a section and of those below it."""
        rows = tuple(self.rows(section)) if section.query else ()
        yield Part(section, level, rows)
        for below in section.sections:
            yield from self.fill(below, level + 1)

    def rows(self, section: Section) -> Iterator[Row]:
        """Yield the rows of a section that has a query."""
        assert section.query is not None
        for solution in self.select(section.query.text):
            item = solution["item"]
            short = item.value.rpartition("/")[2]
            yield self.fill_row(section, item, f"{self._form}#{section.id}.{short}")

    def fill_row(self, section: Section, item: NamedNode, place: str) -> Row:
        """Return the row of one thing in a section; `place` begins the IRI of each cell, below `exports/`."""
        cells = (self._cell(section, field, item, place) for field in section.fields)
        return Row(item.value, self.name(item)[0], tuple(cells))

    def row(self, item: NamedNode, field: Field, key: str) -> Row:
        """Return a row that stands outside of sections, with one cell."""
        sentences = tuple(self._say(field, item, {}))
        return Row(item.value, self.name(item)[0], (Cell(key, key, field, sentences, ""),))

    def select(self, query: str) -> Iterator[Any]:
        """Yield the solutions of a query."""
        solutions = self._store.query(query, prefixes=dict(PREFIXES))
        assert isinstance(solutions, QuerySolutions)
        yield from solutions

    def _nodes(self, query: QueryFile) -> Nodes:
        """Return the nodes that a query chooses for each row, with the statements that tie them to it.

        Where the query says by way of what (`?via`), these are the statements between node, way and row.
        """
        found: dict[NamedNode, list[Found]] = {}
        for solution in self.select(query.text):
            item, node = solution["item"], solution["node"]
            via = _value(solution, "via")
            ends = [(node, item)] if via is None or via == item else [(node, via), (via, item)]
            ties = [triple for one, other in ends for triple in self._ties(one, other)]
            found.setdefault(item, []).append((node, tuple(ties)))
        return found

    def _ties(self, one: NamedNode, other: NamedNode) -> list[Triple]:
        """Return the statements between two things that a source makes."""
        quads = [
            quad
            for subject, value in ((one, other), (other, one))
            for quad in self._store.quads_for_pattern(subject, None, value, None)
            if quad.graph_name not in (INFERRED, DefaultGraph())
        ]
        return sorted({quad.triple for quad in quads}, key=str)

    def _cell(self, section: Section, field: Field, item: NamedNode, place: str) -> Cell:
        key = f"{self._form}/{section.id}.{field.id}"
        nodes = self._nodes_of(field.query) if field.query else {}
        sentences = tuple(self._say(field, item, nodes)) + tuple(self._answers(key, item))
        iri = f"{EXPORTS}{place}.{field.id}"
        if sentences:
            return Cell(iri, key, field, sentences, "")
        return Cell(iri, key, field, (), gap_query(field, item, key), tuple(self._known_gaps(field, item)))

    def _nodes_of(self, query: QueryFile) -> Nodes:
        """Return what a query chooses for each row; it is asked once."""
        if query.id not in self._chosen_nodes:
            self._chosen_nodes[query.id] = self._nodes(query)
        return self._chosen_nodes[query.id]

    def _say(self, field: Field, item: NamedNode, nodes: Nodes) -> Iterator[Sentence]:
        for path in field.paths:
            yield from self._tell_all(self._walk(item, path), field.say)
        yield from self._tell_all(nodes.get(item, ()), field.say)

    def _answers(self, key: str, item: NamedNode) -> Iterator[Sentence]:
        for quad in self._quads(None, _ANSWERS_FIELD, Literal(key)):
            about = list(self._quads(quad.subject, _ABOUT, item))
            if about:
                found = ((t.object, (quad.triple, about[0].triple, t.triple)) for t in self._quads(quad.subject, _TEXT))
                yield from self._tell_all(found, ())

    def _walk(self, item: Any, path: Path_) -> Iterator[Found]:
        """Yield the ends of a path with the statements that lead there, in a fixed order."""
        if not path:
            yield item, ()
            return
        step, rest = path[0], path[1:]
        quads = self._quads(None, step.predicate, item) if step.inverse else self._quads(item, step.predicate)
        for quad in sorted(quads, key=lambda quad: str(quad.triple)):
            after = quad.subject if step.inverse else quad.object
            for end, triples in self._walk(after, rest):
                yield end, (quad.triple, *triples)

    def _tell_all(self, found: Iterable[Found], say: Sequence[NamedNode]) -> Iterator[Sentence]:
        ends = list(found)
        texts = [(end, triples) for end, triples in ends if isinstance(end, Literal) and end.language]
        best = min((self._rank(end.language) for end, _ in texts), default=0)
        seen: set[str] = set()
        for end, triples in ends:
            if isinstance(end, Literal) and end.language and self._rank(end.language) > best:
                continue
            text, language, own = self._tell(end, say)
            if text and text not in seen:
                seen.add(text)
                iri = end.value if isinstance(end, NamedNode) else None
                yield Sentence(text, self.notes.number((*triples, *own)), language, iri)

    def _tell(self, end: Any, say: Sequence[NamedNode]) -> tuple[str, str | None, tuple[Triple, ...]]:
        if isinstance(end, Literal):
            if end.datatype.value == XSD + "boolean":
                return _BOOLEANS[self._language].get(end.value, end.value), None, ()
            return end.value, self._foreign(end.language), ()
        if not say:
            return self.name(end)
        texts, triples, language = [], [], None
        for predicate in say:
            values = [self._tell_all_of(quad) for quad in self._chosen(end, predicate)]
            texts.append(" / ".join(text for text, _, _ in values))
            triples += [triple for _, _, own in values for triple in own]
            language = language or next((tag for _, tag, _ in values if tag), None)
        return " · ".join(filter(None, texts)), language, tuple(triples)

    def _tell_all_of(self, quad: Any) -> tuple[str, str | None, tuple[Triple, ...]]:
        text, language, own = self._tell(quad.object, ())
        return text, language, (quad.triple, *own)

    def _chosen(self, subject: Any, predicate: NamedNode) -> list[Any]:
        """Return the statements with a predicate: of texts, those in the language that suits best."""
        quads = sorted(self._quads(subject, predicate), key=lambda quad: str(quad.triple))
        ranks = [self._rank(getattr(quad.object, "language", None)) for quad in quads]
        best = min(ranks, default=0)
        return [quad for quad, rank in zip(quads, ranks, strict=True) if rank == best]

    def name(self, node: Any) -> tuple[str, str | None, tuple[Triple, ...]]:
        """Return the name of a thing, its language if it is not the reader's, and the statement that gives it."""
        for predicate in _NAMES:
            for quad in self._chosen(node, predicate)[:1]:
                return quad.object.value, self._foreign(quad.object.language), (quad.triple,)
        value = getattr(node, "value", str(node))
        return value if not value.startswith(BASE) else value.removeprefix(BASE), None, ()

    def _foreign(self, language: str | None) -> str | None:
        return language if language and language.split("-")[0] != self._language else None

    def _rank(self, language: str | None) -> int:
        main = (language or "").split("-")[0]
        return self._order.index(main) if main in self._order else len(self._order)

    def _known_gaps(self, field: Field, item: NamedNode) -> Iterator[KnownGap]:
        """Yield the known gaps of a row, or of its class, at a property that would fill the cell."""
        kinds = [quad.object for quad in self._quads(item, TYPE)]
        wanted = {path[-1].predicate for path in field.paths} | set(field.say)
        seen = set()
        for about in (item, *kinds):
            for quad in self._quads(None, _GAP_ABOUT, about):
                properties = {p.object for p in self._quads(quad.subject, _GAP_PROPERTY)}
                if properties & wanted and quad.subject not in seen:
                    seen.add(quad.subject)
                    yield KnownGap(quad.subject.value, self.name(quad.subject)[0])

    def _quads(self, subject: Any, predicate: NamedNode, value: Any = None) -> Iterator[Any]:
        return self._store.quads_for_pattern(subject, predicate, value, DefaultGraph())


def gap_query(field: Field, item: NamedNode | None, key: str) -> str:
    """Return the query whose answer would fill an empty cell: it gives none today. Without a row, that of all rows."""
    row = str(item) if item else "?item"
    ways = []
    if field.paths:
        alternatives = "|".join("/".join(map(_short, path)) for path in field.paths)
        ways.append(f"{row} {alternatives} ?value")
    if field.query:
        bound = field.query.bind({"item": item.value} if item else {})
        ways.append(f"{_body(bound)} BIND(?node AS ?value)")
    ways.append(f'?answer cg:answersField "{key}" ; cg:about {row} ; dcterms:description ?value')
    used = sorted({name for name in PREFIXES if any(f"{name}:" in way for way in ways)})
    prefixes = "".join(f"PREFIX {name}: <{PREFIXES[name]}>\n" for name in used)
    pattern = "\n  UNION ".join(f"{{ {way} }}" for way in ways)
    return f"{prefixes}SELECT {'' if item else '?item '}?value WHERE {{\n  {pattern}\n}}"


def _value(solution: Any, name: str) -> Any:
    try:
        return solution[name]
    except KeyError:
        return None


def _short(step: Step) -> str:
    return f"{'^' if step.inverse else ''}{shrink(step.predicate.value)}"


def _body(text: str) -> str:
    """Return the pattern of a SELECT query: what stands between its outer braces, without comments."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    plain = "\n".join(lines)
    return plain[plain.index("{") + 1 : plain.rindex("}")].strip()
