"""The draft of the quadrennial periodic report on the 2005 Convention, filled from the graph, and its forms.

What the form asks and what fills each cell is data: `queries/exports/unesco-qpr/` (see its README). `form` reads it,
`draft` fills it, `comparison` sets it beside the earlier reports; `workbook`, `document`, `page` and `linked` write it.
"""
