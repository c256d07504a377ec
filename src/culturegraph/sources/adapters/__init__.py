"""Outside formats to quads: one small module a format, each a function from a job to N-Quads lines.

`ingestion` finds the adapter and writes what it yields; `job` is what an adapter is given and tells. What a format's
columns mean is told by CSVW metadata in `data/adapters/`; an adapter only cleans the cells, and rejects with a reason
what it cannot clean.
"""
