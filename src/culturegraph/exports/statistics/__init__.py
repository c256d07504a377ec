"""Tables of statistics counted from the graph: what is counted by what is a query of `queries/exports/statistics/`."""
