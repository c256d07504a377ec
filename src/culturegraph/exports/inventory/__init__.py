"""Inventory sheets after UNESCO's outline for inventorying intangible heritage: one for each declared expression.

The outline is data (`queries/exports/inventory/`); which expressions have a sheet says the profile `inventory`.
"""
