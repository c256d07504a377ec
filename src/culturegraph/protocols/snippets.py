"""Programs that ask a query of an endpoint, for people to copy: Python, R, JavaScript. Text only; runs nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

from culturegraph.store.evaluation import Kind


def write_snippets(endpoint: str, query: str, kind: Kind) -> Mapping[str, str]:
    """Return a program in each language: it reads a table as rows, a graph as Turtle, a boolean as JSON."""
    text = query.strip()
    return {
        "Python": _python(endpoint, text, kind),
        "R": _r(endpoint, text, kind),
        "JavaScript": _javascript(endpoint, text, kind),
    }


def _python(endpoint: str, query: str, kind: Kind) -> str:
    # A text that three quotes or a backslash would break is written as one escaped line.
    text = json.dumps(query) if '"""' in query or "\\" in query or query.endswith('"') else f'"""\n{query}\n"""'
    read = {
        "solutions": "table = pandas.read_csv(url)\nprint(table)\n",
        "graph": "graph = urllib.request.urlopen(url).read().decode()\nprint(graph)\n",
        "boolean": 'answer = json.load(urllib.request.urlopen(url))["boolean"]\nprint(answer)\n',
    }[kind]
    needed = {
        "solutions": "import urllib.parse\n\nimport pandas\n",
        "graph": "import urllib.parse\nimport urllib.request\n",
        "boolean": "import json\nimport urllib.parse\nimport urllib.request\n",
    }[kind]
    asked = f'"query": query, "format": "{_FORMATS[kind]}"'
    return f'{needed}\nquery = {text}\nurl = "{endpoint}?" + urllib.parse.urlencode({{{asked}}})\n{read}'


def _r(endpoint: str, query: str, kind: Kind) -> str:
    # Raw strings: R 4.0 and later. The dashes must not close one inside the query.
    dashes = "-" * next(n for n in range(3, 1000) if f'){"-" * n}"' not in query)
    read = "table <- read.csv(url)\nprint(table)\n" if kind == "solutions" else 'cat(readLines(url), sep = "\\n")\n'
    return (
        f'query <- r"{dashes}(\n{query}\n){dashes}"\n'
        f'url <- paste0("{endpoint}?format={_FORMATS[kind]}&query=", URLencode(query, reserved = TRUE))\n{read}'
    )


def _javascript(endpoint: str, query: str, kind: Kind) -> str:
    text = query.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    read = {
        "solutions": "const { head, results } = await answer.json();\n"
        "const rows = results.bindings.map((row) =>\n"
        "  Object.fromEntries(head.vars.map((name) => [name, row[name]?.value])));\nconsole.table(rows);\n",
        "graph": "console.log(await answer.text());\n",
        "boolean": "console.log((await answer.json()).boolean);\n",
    }[kind]
    name = "json" if kind == "solutions" else _FORMATS[kind]
    return (
        f"const query = `\n{text}\n`;\n"
        f'const parameters = new URLSearchParams({{ query, format: "{name}" }});\n'
        f'const answer = await fetch("{endpoint}?" + parameters);\n{read}'
    )


_FORMATS: Mapping[Kind, str] = {"solutions": "csv", "graph": "turtle", "boolean": "json"}
