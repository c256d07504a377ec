"""What several tests share: the checkout, and one real build of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import Store
from released_project import release_twice

from culturegraph.build import Build, build
from culturegraph.settings import Settings
from culturegraph.store.snapshot import open_current

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the bundled graph, with a store folder of the test session's own."""
    return Settings(root=ROOT, store=tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def built(settings: Settings) -> Build:
    """The bundled graph, built and published once a session."""
    return build(settings)


@pytest.fixture(scope="session")
def built_store(built: Build, settings: Settings) -> Store:
    """The published snapshot of the bundled graph, as a server opens it."""
    return open_current(settings.store).store


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Settings:
    """A small repository with two commits, each released; nobody changes its releases."""
    return release_twice(tmp_path_factory.mktemp("released"), root)
