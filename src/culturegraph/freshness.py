"""Is the published snapshot built from the files at hand? Light, so that a server starts at once where it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

from culturegraph import __version__
from culturegraph.errors import StorageError
from culturegraph.settings import Settings
from culturegraph.store.snapshot import read_current_manifest

INPUTS = ("data/*.csv", "data/*.json", "ontology/**/*.ttl", "shapes/**/*.ttl", "queries/**/*.rq")


def fingerprint(root: Path, private_data: Path | None = None) -> str:
    """Return the SHA-256 of every input file's path and bytes: equal where a build would give the same graph."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(path for pattern in INPUTS for path in root.glob(pattern)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    if private_data is not None:
        for path in sorted(private_data.glob("*.csv")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def is_stale(settings: Settings) -> bool:
    """Say whether the published snapshot was built from other files than those at hand, or there is none."""
    try:
        manifest = read_current_manifest(settings.store)
    except StorageError:
        return True
    # A snapshot made straight from quads has no fingerprint: it is what somebody wants served.
    return "fingerprint" in manifest and manifest["fingerprint"] != fingerprint(settings.root, settings.private_data)
