"""Where the published graph lies and how it is queried: snapshots on disk, evaluation of queries."""
