"""Reconciliation: what a name, an identifier or an IRI that somebody wrote stands for in the graph, and how surely.

`matching` finds and judges candidates, `evidence` weighs types and properties, `decision` says what is safe to match
by itself, `requests` reads what clients send, `service` answers them, `extension` gives values of properties.

Source: W3C Entity Reconciliation Community Group, Reconciliation Service API 0.2.
"""
