"""The settings of a run: built once at the edge (command line, server start) and passed down."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr
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
    endpoints: tuple[str, ...] = Field(
        default=(), description="SPARQL endpoints that are served instead of a folder (JSON list); several are replicas"
    )
    endpoint_user: str = Field(default="", description="user at the endpoints (Basic or Digest, as they ask)")
    endpoint_password: SecretStr = Field(default=SecretStr(""), description="password at the endpoints; never logged")
    endpoint_token: SecretStr = Field(default=SecretStr(""), description="bearer token at the endpoints; never logged")
    endpoint_check: float = Field(default=5.0, gt=0, description="seconds between two looks at each endpoint")
    endpoint_copy: int = Field(
        default=1_000_000,
        ge=0,
        description="quads up to which a generation is copied into memory to make pages from; 0: the store is asked",
    )
    private: bool = Field(
        default=False, description="build with the rows of private_data and with all that restrictions.csv names"
    )
    tokens: Path | None = Field(default=None, description="file of the tokens that a private server asks for")
    tables: Path | None = Field(default=None, description="folder of further rows for the tables of data/")
    releases: Path = Field(default=Path("releases"), description="folder of the releases")
    host: str = Field(default="127.0.0.1", description="address that the server listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="port that the server listens on")
    query_timeout: float = Field(default=30.0, gt=0, description="seconds after which a query is answered 503")
    max_query_size: int = Field(default=1_000_000, gt=0, description="bytes that a query may have")
    max_result_size: int = Field(default=1_000_000_000, gt=0, description="bytes that an answer may have")
    memory_limit: int = Field(default=1_000_000_000, gt=0, description="bytes of memory that a query may use")
    long_queries: int = Field(
        default=16,
        ge=1,
        le=64,
        description="queries that may run longer than half a second at once",
    )
    client_queries: int = Field(default=16, ge=1, description="queries of one client under way at the same time")
    client_rate: float = Field(default=200.0, gt=0, description="queries a second of one client, over ten seconds")
    trusted_proxies: frozenset[str] = Field(
        default=frozenset(), description="addresses of proxies whose X-Forwarded-For names the client (JSON list)"
    )
    # For instance ["https://query.wikidata.org/sparql"].
    service_endpoints: frozenset[str] = Field(
        default=frozenset(), description="endpoints that SERVICE may name (JSON list); none by default"
    )
    read_timeout: float = Field(default=10.0, gt=0, description="seconds in which a request must have come whole")
    keep_alive: float = Field(default=75.0, gt=0, description="seconds for which an idle connection is kept")
    workers: int = Field(default=8, ge=1, le=32, description="evaluators kept ready; threads in a single process")
    page_workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=16, description="processes that make pages"
    )
    single_process: bool = Field(default=False, description="one process, whose evaluators are threads: no kill")
    memory_quads: int = Field(default=5_000_000, ge=0, description="quads up to which a snapshot is held in memory")
    cache_size: int = Field(default=64_000_000, ge=0, description="bytes of answers kept; 0 for none")
    kept_pages: int = Field(default=64_000_000, ge=0, description="bytes of pages kept, compressed; 0 for none")
    jemalloc: bool = Field(default=True, description="preload jemalloc where it is installed")
    access_log: Path | None = Field(default=None, description="file to which every query is logged, as JSON lines")
    slow_query: float = Field(default=5.0, gt=0, description="seconds from which a query is logged as slow")
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
    def additions(self) -> tuple[Path, ...]:
        """The folders of tables whose rows are added to those of `data`."""
        folders = (self.tables, self.private_data if self.private else None)
        return tuple(folder for folder in folders if folder is not None)

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
