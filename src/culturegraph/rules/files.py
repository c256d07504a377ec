"""Rule files: `CONSTRUCT { conclusions } WHERE { premises }` under a `#+` head, one rule per file.

The form is narrow on purpose, so that every rule can be run both ways (to infer, and to explain) and always
comes to an end: triple patterns, lists, and FILTER or BIND on what they bind; no OPTIONAL, UNION or negation. A rule
that constructs nothing forbids: its premises must never hold together ("false" in the OWL 2 RL tables).

Source: OWL 2 Profiles (second edition) §4.3, tables 4 to 9, for rules named as there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import BlankNode, NamedNode, RdfFormat, Variable, parse

from culturegraph.errors import DataError, DataErrors
from culturegraph.queries import QueryFile, check_syntax, read_query
from culturegraph.rdf.vocabulary import PREFIXES
from culturegraph.rules.patterns import Pattern, PropertyPath

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_COMMENT = re.compile(r"(<[^<>\s]*>)|#[^\n]*")
_PREFIX = re.compile(r"PREFIX\s+([\w-]*):\s*<([^<>\s]*)>", re.IGNORECASE)
_FORM = re.compile(r"\s*CONSTRUCT\s*\{(?P<then>[^{}]*)\}\s*WHERE\s*\{(?P<given>[^{}]*)\}\s*", re.IGNORECASE)
_EXPRESSION = re.compile(r"\b(?:FILTER|BIND)\b", re.IGNORECASE)
_NAME = r"[\w-]*:[\w-]+"
_PLACE = re.compile(rf"(<[^<>\s]*>)|\?(\w+)|({_NAME}[*+]?(?:/{_NAME}[*+]?)+|{_NAME}[*+])")
_VARIABLE, _PATH = "urn:rule:variable:", "urn:rule:path:"


@dataclass(frozen=True)
class Rule:
    """One rule: where all premises hold, so do the conclusions. Without conclusions, the premises must not all hold."""

    id: str
    title: Mapping[str, str]
    specification: str
    prose: Mapping[str, str]
    premises: tuple[Pattern, ...]
    conclusions: tuple[Pattern, ...]
    expressions: tuple[str, ...]
    file: QueryFile

    @property
    def forbids(self) -> bool:
        """Whether the rule finds inconsistencies instead of inferring."""
        return not self.conclusions


def read_rules(folder: Path) -> list[Rule]:
    """Read all rules below a folder, sorted by id. Raises DataErrors with every malformed file."""
    rules, errors = [], []
    for path in sorted(folder.rglob("*.rq")):
        try:
            rules.append(read_rule(path))
        except DataError as error:
            errors.append(error)
    if errors:
        raise DataErrors(errors)
    return sorted(rules, key=lambda rule: rule.id)


def read_rule(path: Path) -> Rule:
    """Read one rule file. Raises DataError where it is no valid query, or no rule."""
    query = read_query(path)
    if error := check_syntax(query):
        raise error
    strings: list[str] = []

    def mask(match: re.Match[str]) -> str:
        strings.append(match[0])
        return f'"{len(strings) - 1}"'

    # Strings may hold anything; comments go, then only braces and parentheses that count are left.
    body = _COMMENT.sub(lambda match: match[1] or "", _STRING.sub(mask, query.sparql))
    prefixes = dict(PREFIXES) | dict(_PREFIX.findall(body))
    form = _FORM.fullmatch(_PREFIX.sub("", body))
    if form is None:
        raise DataError("is no rule: write CONSTRUCT { … } WHERE { … } without nested groups", path.name)
    given, masked = _split_expressions(form["given"])
    expressions = tuple(_expand(re.sub(r'"(\d+)"', lambda m: strings[int(m[1])], text), prefixes) for text in masked)
    conclusions, premises = (_parse_patterns(text, prefixes, strings, path.name) for text in (form["then"], given))
    specification, prose = _text(query, "specification"), _prose(query)
    rule = Rule(query.id, query.title, specification, prose, premises, conclusions, expressions, query)
    _check_variables(rule, path.name)
    return rule


def _text(query: QueryFile, key: str) -> str:
    value = query.head.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"has no `{key}` in its head", query.path.name)
    return value


def _prose(query: QueryFile) -> Mapping[str, str]:
    prose = query.head.get("prose")
    if not isinstance(prose, dict) or {"es", "en"} - set(prose):
        raise DataError("needs `prose` in es and en in its head: the sentence that explains it", query.path.name)
    return {str(language): " ".join(str(text).split()) for language, text in prose.items()}


def _split_expressions(text: str) -> tuple[str, list[str]]:
    """Return the text without its FILTER and BIND expressions, and these."""
    kept, expressions, position = [], [], 0
    while match := _EXPRESSION.search(text, position):
        kept.append(text[position : match.start()])
        start, depth = text.find("(", match.end()), 0
        for end in range(start, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
        expressions.append(text[match.start() : end + 1])
        position = end + 1
    return "".join([*kept, text[position:]]), expressions


def _expand(text: str, prefixes: Mapping[str, str]) -> str:
    """Return SPARQL text with full IRIs instead of prefixed names."""
    name = re.compile(rf"({_STRING.pattern}|<[^<>\s]*>)|(?<![\w:])([\w-]*):([\w-]+)")
    return name.sub(lambda m: m[1] or f"<{prefixes[m[2]]}{m[3]}>", text)


def _parse_patterns(text: str, prefixes: Mapping[str, str], strings: list[str], file: str) -> tuple[Pattern, ...]:
    """Read triple patterns as Turtle, in which variables and paths stand as IRIs."""

    def stand_in(match: re.Match[str]) -> str:
        iri, variable, path = match.groups()
        return iri or (f"<{_VARIABLE}{variable}>" if variable else f"<{_PATH}{path}>")

    head = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in prefixes.items())
    body = re.sub(r'"(\d+)"', lambda m: strings[int(m[1])], _PLACE.sub(stand_in, text)).strip()
    if body and not body.endswith("."):
        body += " ."  # SPARQL lets the last full stop go, Turtle does not.
    try:
        triples = list(parse(input=head + body, format=RdfFormat.TURTLE))
    except SyntaxError as error:
        raise DataError(f"has a pattern that is no triple pattern: {error.msg}", file) from error
    labels: dict[str, Variable] = {}

    def place(term: object) -> object:
        if isinstance(term, BlankNode):
            return labels.setdefault(term.value, Variable(f"list{len(labels) + 1}"))
        if isinstance(term, NamedNode) and term.value.startswith(_VARIABLE):
            return Variable(term.value.removeprefix(_VARIABLE))
        if isinstance(term, NamedNode) and term.value.startswith(_PATH):
            return PropertyPath(_expand(term.value.removeprefix(_PATH), prefixes))
        return term

    return tuple(Pattern(place(t.subject), place(t.predicate), place(t.object)) for t in triples)  # type: ignore[arg-type]


def _check_variables(rule: Rule, file: str) -> None:
    bound = {name for pattern in rule.premises for name in pattern.variables}
    bound |= {name for text in rule.expressions for name in re.findall(r"\bAS\s+\?(\w+)\s*\)", text, re.IGNORECASE)}
    for pattern in rule.conclusions:
        if unbound := set(pattern.variables) - bound:
            raise DataError(f"concludes on ?{min(unbound)}, which no premise binds", file)
    slots = {name for text in rule.prose.values() for name in re.findall(r"\{(\w+)\}", text)}
    if unknown := slots - bound:
        raise DataError(f"has {{{min(unknown)}}} in its prose, which no premise binds", file)
