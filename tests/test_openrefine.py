"""A real OpenRefine works with the service from end to end: add, guess, reconcile, preview, extend, export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Client
from openrefine import EVERY_ROW, OpenRefine, find_openrefine, running
from small_site import listening, small_settings

from culturegraph.store.snapshot import open_current

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_openrefine() is None, reason="OpenRefine is not installed (apt-get install openrefine)"),
]

LIST = """name,region
Danza de Tijeras,Ayacucho
"Carnaval De Pampamarca (danza)",Arequipa
HUACONADA DE MITO,Junín
Wititi del valle del Colca,Arequipa
Semana Santa,
"<script>alert(1)</script>",
Machu Picchu en bicicleta,Cusco
Danza de la chonguinada,Puno
Fiesta de la Virgen de la Candelaria de Puno,Puno
Toro Pukllay,
Qhapaq Ñan,
Baile sin nombre conocido,Lima
"""
TIJERAS = "id/expression/danza-de-tijeras"


@pytest.fixture(scope="module")
def service(built, settings, root) -> Iterator[str]:
    with listening(small_settings(settings.store, root=root), open_current(settings.store, in_memory=True)) as server:
        yield f"{server}/reconcile"


@pytest.fixture(scope="module")
def web() -> Iterator[Client]:
    with Client(timeout=30, follow_redirects=True) as client:
        yield client


@pytest.fixture(scope="module")
def refine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenRefine]:
    with running(tmp_path_factory.mktemp("openrefine")) as found:
        yield found


def test_a_list_is_reconciled_extended_and_exported(refine: OpenRefine, service: str, web: Client) -> None:
    manifest = web.get(service).raise_for_status().json()
    # Add standard service: the page keeps the manifest, with where it is, among the preferences.
    refine.command("set-preference", "", name="reconciliation.standardServices", value=[{**manifest, "url": service}])
    project = refine.create_project("list", LIST)

    guessed = refine.command("guess-types-of-column", project, columnName="name", service=service)["types"]
    assert "Dance" in [kind["id"] for kind in guessed]

    reconcile(refine, project, service, manifest)
    recons = refine.recons(project)
    assert recons[0]["j"] == "matched"
    assert recons[0]["m"]["id"] == TIJERAS
    assert recons[0]["m"]["types"] or recons[0]["m"]["t"]
    assert sum(recon.get("j") == "matched" for recon in recons) >= 4
    assert recons[4]["j"] == "none", "Semana Santa is many"
    assert recons[5].get("j") == "none"

    preview = web.get(manifest["preview"]["url"].replace("{{id}}", TIJERAS.replace("/", "%2F")))
    assert "frame-ancestors *" in preview.raise_for_status().headers["content-security-policy"]
    viewed = web.get(manifest["view"]["url"].replace("{{id}}", TIJERAS.replace("/", "%2F")))
    assert viewed.status_code == 200

    properties = [{"id": "department", "name": "Departamento"}, {"id": "label", "name": "nombre"}]
    extend(refine, project, service, manifest, properties)
    rows = list(csv.DictReader(io.StringIO(refine.export(project))))
    assert "Ayacucho" in {row["Departamento"] for row in rows}
    assert "Danza de tijeras" in {row["nombre"] for row in rows}
    assert len(rows) >= 12


def reconcile(refine: OpenRefine, project: str, service: str, manifest: dict[str, Any]) -> None:
    config = {
        "mode": "standard-service",
        "service": service,
        "identifierSpace": manifest["identifierSpace"],
        "schemaSpace": manifest["schemaSpace"],
        "type": {"id": "CulturalExpression", "name": "expresión cultural"},
        "autoMatch": True,
        "limit": 0,
        "columnDetails": [
            {"column": "region", "propertyID": "department", "propertyName": "Departamento"},
        ],
    }
    refine.command("reconcile", project, columnName="name", config=config, engine=EVERY_ROW)
    refine.wait(project)


def extend(
    refine: OpenRefine, project: str, service: str, manifest: dict[str, Any], properties: list[dict[str, str]]
) -> None:
    refine.command(
        "extend-data",
        project,
        baseColumnName="name",
        endpoint=service,
        identifierSpace=manifest["identifierSpace"],
        schemaSpace=manifest["schemaSpace"],
        extension={"properties": properties},
        columnInsertIndex="2",
        engine=EVERY_ROW,
    )
    refine.wait(project)


def test_the_log_says_nothing_of_errors(refine: OpenRefine, tmp_path_factory: pytest.TempPathFactory) -> None:
    logs = list(Path(tmp_path_factory.getbasetemp()).rglob("openrefine.log"))
    assert logs
    assert not [
        line
        for log in logs
        for line in log.read_text().splitlines()
        if "reconciliation" in line.lower() and "error" in line.lower()
    ]
