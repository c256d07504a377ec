"""SHACL validation: `validate(quads, shapes)` gives a `Report` of results, which are values and not exceptions."""

from culturegraph.validation.engine import validate
from culturegraph.validation.report import Report
from culturegraph.validation.results import Result

__all__ = ["Report", "Result", "validate"]
