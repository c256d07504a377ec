"""Is the published snapshot built from the files at hand? Light, so that a server starts at once where it is."""

from __future__ import annotations

import hashlib

from culturegraph import __version__
from culturegraph.errors import StorageError
from culturegraph.settings import Settings
from culturegraph.store.snapshot import read_current_manifest

INPUTS = ("data/*.csv", "data/*.json", "ontology/**/*.ttl", "shapes/**/*.ttl", "queries/**/*.rq")


def fingerprint(settings: Settings) -> str:
    """Return the SHA-256 of every input file's path and bytes: equal where a build would give the same graph."""
    digest = hashlib.sha256(f"{__version__} {settings.private}".encode())
    for path in sorted(path for pattern in INPUTS for path in settings.root.glob(pattern)):
        digest.update(path.relative_to(settings.root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    # A public build reads no more of the private folder than what must not be shown.
    further = [path for folder in settings.additions for path in sorted(folder.glob("*.csv"))]
    if settings.private_data is not None and not settings.private:
        further += settings.private_data.glob("restrictions.csv")
    for path in further:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_stale(settings: Settings) -> bool:
    """Say whether the published snapshot was built from other files than those at hand, or there is none."""
    try:
        manifest = read_current_manifest(settings.store)
    except StorageError:
        return True
    if manifest.get("private") and not settings.private:
        # Its files may be on another machine: it is served as it is, to those who have a token.
        return False
    # A snapshot made straight from quads has no fingerprint: it is what somebody wants served.
    return "fingerprint" in manifest and manifest["fingerprint"] != fingerprint(settings)
