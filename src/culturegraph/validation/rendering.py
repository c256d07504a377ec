"""The texts of a report: terminal, CSV, JSON-LD, HTML. Knows results and nothing of how they came about."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.rdf.vocabulary import PREFIXES, RDFS, SH
from culturegraph.validation.paths import path_text
from culturegraph.validation.results import Result, Term, hint_text, local_name, term_text

COLUMNS: Final = ("focusNode", "path", "value", "component", "sourceShape", "severity", "message", "row")

_CONTEXT: Final[dict[str, Any]] = {
    "sh": SH,
    "conforms": {"@id": "sh:conforms"},
    "results": {"@id": "sh:result", "@container": "@set"},
    "focusNode": {"@id": "sh:focusNode"},
    "value": {"@id": "sh:value"},
    "component": {"@id": "sh:sourceConstraintComponent", "@type": "@id"},
    "sourceShape": {"@id": "sh:sourceShape"},
    "severity": {"@id": "sh:resultSeverity", "@type": "@id"},
    "resultPath": {"@id": "sh:resultPath", "@type": "@id"},
    "message": {"@id": "sh:resultMessage", "@container": "@language"},
    "hint": {"@id": RDFS + "comment", "@container": "@language"},
    "row": {"@id": PREFIXES["dc"] + "source"},
}


def csv_text(results: Sequence[Result]) -> str:
    """Return the results as CSV with a header."""
    target = io.StringIO()
    writer = csv.DictWriter(target, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(result.record() for result in results)
    return target.getvalue()


def json_text(results: Sequence[Result], conforms: bool, base: str) -> str:
    """Return the results as JSON-LD; `path` is text for people, `resultPath` the IRI where the path is one."""
    document = {
        "@context": _CONTEXT,
        "@id": base,
        "@type": "sh:ValidationReport",
        "conforms": conforms,
        "results": [_json_result(result, f"{base}{number}") for number, result in enumerate(results, 1)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _json_result(result: Result, iri: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "@id": iri,
        "@type": "sh:ValidationResult",
        "focusNode": _json_term(result.focus_node),
        "path": None if result.path is None else path_text(result.path),
        "resultPath": result.path.value if isinstance(result.path, NamedNode) else None,
        "value": None if result.value is None else _json_term(result.value),
        "component": result.component.value,
        "sourceShape": _json_term(result.source_shape),
        "severity": result.severity.value,
        "message": {language or "@none": text for language, text in result.messages.items()},
        "hint": {language or "@none": text for language, text in result.hint.items()} or None,
        "row": result.row,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _json_term(term: Term) -> dict[str, str]:
    if not isinstance(term, Literal):
        return {"@id": term.value if isinstance(term, NamedNode) else f"_:{term.value}"}
    if term.language:
        return {"@value": term.value, "@language": term.language}
    return {"@value": term.value, "@type": term.datatype.value}


def _figures(results: Sequence[Result]) -> str:
    counts = Counter(local_name(result.severity) for result in results)
    return ", ".join(f"{number} {severity}" for severity, number in counts.items()) or "conforms"


def plain_text(results: Sequence[Result]) -> str:
    """Return one block a result: place and message, what it is about, how to mend it; the figures come last."""
    return "\n".join([*map(_text_block, results), _figures(results)]) + "\n"


def _text_block(result: Result) -> str:
    focus = term_text(result.focus_node)
    about = [focus, "" if result.path is None else path_text(result.path)]
    about.append("" if result.value is None else term_text(result.value))
    lines = [
        f"{local_name(result.severity)}  {result.row or focus}  {result.message()}",
        f"    {'  '.join(filter(None, about))}  ({local_name(result.component)} of {result.shape_name})",
    ]
    if hint := hint_text(result):
        lines.append(f"    → {hint}")
    return "\n".join(lines)


_PAGE: Final = """<!DOCTYPE html>
<html lang="es">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Informe de validación · Validation report</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #ccc; padding: .4rem .6rem; text-align: left; vertical-align: top }}
td {{ overflow-wrap: anywhere }}
.hint {{ color: #555 }}
</style>
</head>
<body>
<main>
<h1>Informe de validación</h1>
<p>{figures}</p>
<table>
<thead><tr>{header}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</body>
</html>
"""

_HEADINGS: Final = ("Gravedad", "Lugar", "Mensaje", "Nodo", "Propiedad", "Valor", "Forma")


def html_text(results: Sequence[Result]) -> str:
    """Return a page without scripts that stands alone, messages in every language they have."""
    header = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
    rows = "\n".join(f"<tr>{_html_cells(result)}</tr>" for result in results)
    return _PAGE.format(figures=escape(_figures(results)), header=header, rows=rows)


def _html_cells(result: Result) -> str:
    texts = [(language, text, "") for language, text in result.messages.items()]
    texts += [(language, text, ' class="hint"') for language, text in result.hint.items()]
    message = "".join(f'<div lang="{escape(lang)}"{style}>{escape(text)}</div>' for lang, text, style in texts)
    cells = [
        escape(local_name(result.severity)),
        escape(result.row or ""),
        message,
        _html_term(result.focus_node),
        "" if result.path is None else escape(path_text(result.path)),
        "" if result.value is None else _html_term(result.value),
        escape(result.shape_name),
    ]
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _html_term(term: Term) -> str:
    text = escape(term_text(term))
    # Only web addresses become links: the report may hold IRIs of any scheme.
    if isinstance(term, NamedNode) and term.value.startswith(("http://", "https://")):
        return f'<a href="{escape(term.value)}">{text}</a>'
    return text
