"""Measurements of the parts that have a target, each beside what it is compared with."""
