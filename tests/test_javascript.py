"""A JavaScript client against the running endpoint: sparql-http-client, under Node. Slow: npm fetches the client."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from small_site import publish_small, serving, small_settings

HERE = Path(__file__).parent
PREFIXES = "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX cg: <https://w3id.org/culturegraph/ontology/> "
SELECT = PREFIXES + 'SELECT ?label { ?s a cg:IndigenousPeople ; rdfs:label ?label FILTER(LANG(?label) = "es") }'
CONSTRUCT = PREFIXES + "CONSTRUCT { ?s rdfs:label ?label } { ?s a cg:IndigenousPeople ; rdfs:label ?label }"


def find_node() -> tuple[str, list[str]]:
    """Node and npm, as the building of the front end finds them; skips where there are none."""
    spec = importlib.util.spec_from_file_location("frontend_build", HERE.parent / "frontend" / "build.py")
    assert spec
    assert spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    try:
        return build.find_node()
    except build.FrontendError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_sparql_http_client(tmp_path: Path) -> None:
    node, npm = find_node()
    for name in ("package.json", "package-lock.json", "ask.mjs"):
        shutil.copy(HERE / "javascript" / name, tmp_path)
    try:
        done = subprocess.run(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot reach its registry")
    if done.returncode:
        pytest.skip(f"npm cannot install the client: {done.stderr.strip()[-200:]}")
    publish_small(tmp_path / "store")
    with serving(small_settings(tmp_path / "store")) as address:
        asked = [f"{address}/sparql", SELECT, CONSTRUCT, "SELECT"]
        told = subprocess.run(
            [node, "ask.mjs", *asked], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
    found = json.loads(told.stdout)
    assert found["get"] == found["postUrlencoded"] == found["postDirect"]
    assert "Awajún" in found["get"]
    assert found["language"] == "es"
    assert found["streamed"] == len(found["get"])
    assert found["triples"] >= len(found["get"])
    assert found["ask"] is True
    assert "Bad Request" in found["refused"]
