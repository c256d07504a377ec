"""Forms filled from the graph: a form is data; a filled cell leads to its statements, an empty one to a query.

Used by the periodic report (`unesco_qpr`) and the inventory sheets (`inventory`).
"""
