"""What is told to people where a shape has no sh:message of its own, in Spanish and English."""

from __future__ import annotations

from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from culturegraph.rdf.vocabulary import SH, shrink
from culturegraph.validation.results import Texts

_MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "class": ("no es de la clase {wants}", "is not of the class {wants}"),
    "datatype": ("no es un {wants} válido", "is not a valid {wants}"),
    "nodeKind": ("no es del tipo de nodo {wants}", "is not of the node kind {wants}"),
    "minCount": ("faltan valores: al menos {wants}", "values are missing: at least {wants}"),
    "maxCount": ("hay demasiados valores: como máximo {wants}", "too many values: at most {wants}"),
    "minExclusive": ("debe ser mayor que {wants}", "must be greater than {wants}"),
    "minInclusive": ("debe ser {wants} o mayor", "must be {wants} or greater"),
    "maxExclusive": ("debe ser menor que {wants}", "must be less than {wants}"),
    "maxInclusive": ("debe ser {wants} o menor", "must be {wants} or less"),
    "minLength": ("es demasiado corto: al menos {wants} caracteres", "is too short: at least {wants} characters"),
    "maxLength": ("es demasiado largo: como máximo {wants} caracteres", "is too long: at most {wants} characters"),
    "pattern": ("no tiene la forma {wants}", "does not match {wants}"),
    "languageIn": ("no está en uno de los idiomas {wants}", "is in none of the languages {wants}"),
    "uniqueLang": ("hay más de un valor en el mismo idioma", "more than one value in the same language"),
    "equals": ("no es igual en {wants}", "is not the same in {wants}"),
    "disjoint": ("está también en {wants}", "is also in {wants}"),
    "lessThan": ("no es menor que {wants}", "is not less than {wants}"),
    "lessThanOrEquals": ("es mayor que {wants}", "is greater than {wants}"),
    "not": ("cumple con {wants}, que se excluye", "conforms to {wants}, which is excluded"),
    "and": ("no cumple con todo lo exigido", "does not meet all that is asked"),
    "or": ("no cumple con ninguna de las alternativas", "meets none of the alternatives"),
    "xone": ("no cumple con exactamente una de las alternativas", "does not meet exactly one of the alternatives"),
    "node": ("no cumple con {wants}", "does not conform to {wants}"),
    "qualifiedMinCount": (
        "faltan valores que cumplan lo exigido: al menos {wants}",
        "values that meet what is asked are missing: at least {wants}",
    ),
    "qualifiedMaxCount": (
        "demasiados valores cumplen lo exigido: como máximo {wants}",
        "too many values meet what is asked: at most {wants}",
    ),
    "closed": ("esta propiedad no está prevista aquí", "this property is not provided for here"),
    "hasValue": ("falta el valor {wants}", "the value {wants} is missing"),
    "in": ("no es ninguno de los valores permitidos: {wants}", "is none of the allowed values: {wants}"),
    "sparql": ("no cumple con una regla de la forma", "breaks a rule of the shape"),
}
_SHOWN: Final = 8


def default_messages(parameter: str, wants: Any = None) -> Texts:
    """Return the messages for a parameter and the value that it has in the shape."""
    shown = _show(wants)
    es, en = _MESSAGES.get(parameter, _MESSAGES["sparql"])
    return {"es": es.format(wants=shown), "en": en.format(wants=shown)}


def _show(wants: Any) -> str:
    if isinstance(wants, tuple):
        more = " …" if len(wants) > _SHOWN else ""
        return ", ".join(map(_show, wants[:_SHOWN])) + more
    if isinstance(wants, NamedNode):
        return shrink(wants.value).removeprefix("sh:") if wants.value.startswith(SH) else shrink(wants.value)
    if isinstance(wants, Literal):
        return wants.value
    return "la forma interna / the inner shape" if wants is not None else ""
