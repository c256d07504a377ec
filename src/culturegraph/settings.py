"""The settings of a run: built once at the edge (command line, server start) and passed down."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_CHECKOUT = Path(__file__).resolve().parents[2]
_BUNDLED = Path(__file__).resolve().parent / "bundled"


def default_root() -> Path:
    """Return the folder that holds `data/ ontology/ shapes/ queries/`: the checkout, else what the wheel carries."""
    return _CHECKOUT if (_CHECKOUT / "data" / "csv-metadata.json").is_file() else _BUNDLED


class Settings(BaseSettings):
    """Every setting, with its environment variable `CULTUREGRAPH_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="CULTUREGRAPH_", frozen=True)

    root: Path = Field(default_factory=default_root, description="folder with data/, ontology/, shapes/ and queries/")
    store: Path = Field(default=Path(".culturegraph"), description="folder of the published snapshots")
    private_data: Path | None = Field(default=None, description="folder of restrictions and of rows that are not shown")
    releases: Path = Field(default=Path("releases"), description="folder of the releases")
    host: str = Field(default="127.0.0.1", description="address that the server listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="port that the server listens on")
    query_timeout: float = Field(default=30.0, gt=0, description="seconds after which a query is answered 503")
    max_query_size: int = Field(default=1_000_000, gt=0, description="bytes that a query may have")
    workers: int = Field(default=4, ge=1, description="queries evaluated at the same time")
    keep_snapshots: int = Field(default=2, ge=1, description="snapshots kept: the published one and its predecessors")
    contact_name: str = Field(default="", description="who answers requests to correct something or not to show it")
    contact_address: str = Field(
        default="", description="e-mail address of the contact, or a web address with {subject} and {body} in it"
    )
    contact_days: int = Field(default=10, ge=1, description="days within which the contact answers")

    @property
    def data(self) -> Path:
        """The folder of tables."""
        return self.root / "data"

    @property
    def ontology(self) -> Path:
        """The folder of the ontology, its alignments and its schemes."""
        return self.root / "ontology"

    @property
    def shapes(self) -> Path:
        """The folder of SHACL shapes."""
        return self.root / "shapes"

    @property
    def queries(self) -> Path:
        """The folder of query files."""
        return self.root / "queries"
