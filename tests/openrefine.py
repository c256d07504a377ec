"""A real OpenRefine, started for a test, and what its pages ask of it, over its own HTTP commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from httpx import Client, HTTPError

EVERY_ROW = json.dumps({"facets": [], "mode": "row-based"})
STARTS_WITHIN = 120.0
WORKS_WITHIN = 120.0


def find_openrefine() -> str | None:
    """Return the program of the Debian package `openrefine`, None where it is not installed."""
    return shutil.which("openrefine")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[OpenRefine]:
    """Start OpenRefine without a browser, its projects in a folder; end it and its children afterwards."""
    port = free_port()
    command = [
        str(find_openrefine()),
        "-p",
        str(port),
        "-i",
        "127.0.0.1",
        "-d",
        str(folder),
        "-x",
        "refine.headless=true",
    ]
    with (folder / "openrefine.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        with Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            refine = OpenRefine(client)
            refine.wait_until_started(process)
            yield refine
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


class OpenRefine:
    """The commands that the pages of OpenRefine send."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def wait_until_started(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(int(STARTS_WITHIN * 2)):
            assert process.poll() is None, "OpenRefine ended"
            try:
                self.client.get("/command/core/get-version").raise_for_status()
            except HTTPError:
                time.sleep(0.5)
            else:
                return
        raise AssertionError(f"OpenRefine did not answer within {STARTS_WITHIN} s")

    def create_project(self, name: str, text: str) -> str:
        """Create a project from a CSV; return its number."""
        options = json.dumps({"separator": ",", "headerLines": 1, "storeBlankRows": True})
        answer = self.client.post(
            "/command/core/create-project-from-upload",
            params={"csrf_token": self.token(), "options": options, "format": "text/line-based/*sv"},
            data={"project-name": name},
            files={"project-file": (f"{name}.csv", text.encode(), "text/csv")},
        )
        found = re.search(r"project=(\d+)", answer.headers.get("location", ""))
        assert found, answer.text
        return found[1]

    def token(self) -> str:
        return str(self.client.get("/command/core/get-csrf-token").json()["token"])

    def command(self, name: str, project: str, /, **fields: Any) -> dict[str, Any]:
        """Send a command; return its answer, which must be no error."""
        data = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
        answer = self.client.post(
            f"/command/core/{name}",
            params={"project": project} if project else {},
            data={"csrf_token": self.token(), **data},
        )
        assert answer.is_success, re.sub(r"<[^>]*>", " ", answer.text)[:600]
        told = answer.json()
        assert told.get("code") not in ("error", "stop"), told
        return told

    def wait(self, project: str) -> None:
        """Wait until nothing runs any more."""
        for _ in range(int(WORKS_WITHIN * 4)):
            if not self.client.get("/command/core/get-processes", params={"project": project}).json()["processes"]:
                return
            time.sleep(0.25)
        raise AssertionError(f"OpenRefine was not done within {WORKS_WITHIN} s")

    def recons(self, project: str) -> list[dict[str, Any]]:
        """Return the judgements of the first column, row by row; empty where there is none."""
        told = self.command("get-rows", project, start="0", limit="1000", engine=EVERY_ROW)
        pool = told.get("pool", {}).get("recons", {})
        cells = [row["cells"][0] for row in told["rows"]]
        return [pool.get(str(cell["r"]), {}) if cell and "r" in cell else {} for cell in cells]

    def export(self, project: str) -> str:
        answer = self.client.post(
            "/command/core/export-rows/list.csv", data={"project": project, "format": "csv", "engine": EVERY_ROW}
        )
        return answer.raise_for_status().text
