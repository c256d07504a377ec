"""culturegraph: a linked open data knowledge graph of Peruvian cultural expressions."""

__version__ = "0.1.0"
