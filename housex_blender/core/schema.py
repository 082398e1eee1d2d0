"""The part of JSON Schema that our files use, checked without a library. Zone: pure.

Blender ships no validator and the timeline must be checked wherever it is read, so the handful of keywords that
``timeline.schema.json`` needs is evaluated here; the tests compare the verdict with the ``jsonschema`` package.
"""

from __future__ import annotations

import math
import re
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}


_HUGE = 1e300


def _type_problem(value: Any, wanted: str) -> str:
    right = isinstance(value, _TYPES[wanted]) and not (wanted in ("number", "integer") and isinstance(value, bool))
    if wanted == "integer" and isinstance(value, float):
        right = value.is_integer()
    if right and isinstance(value, int | float) and not -_HUGE < value < _HUGE:
        right = False  # infinite, not a number, or an integer that no float can hold
    return "" if right else f"is not {'an' if wanted[0] in 'aio' else 'a'} {wanted}"


def _scalar_problem(value: Any, schema: dict[str, Any]) -> str:
    if "type" in schema and (problem := _type_problem(value, schema["type"])):
        return problem
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        return f"is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"is not one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            return "is empty" if not value else "is too short"
        if len(value) > schema.get("maxLength", math.inf):
            return "is too long"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return "does not look right"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", -math.inf):
            return f"is below {schema['minimum']}"
        if value > schema.get("maximum", math.inf):
            return f"is above {schema['maximum']}"
        if value <= schema.get("exclusiveMinimum", -math.inf):
            return f"is not above {schema['exclusiveMinimum']}"
    return ""


def first_problem(value: Any, schema: dict[str, Any], where: str = "the file") -> str:
    """The first way in which ``value`` breaks ``schema``, as words; empty if it fits.

    Args:
        value: Anything ``json.loads`` returns.
        schema: A schema that uses only type, const, enum, required, properties, items, minItems, minLength,
            maxLength, additionalProperties, pattern, minimum, maximum and exclusiveMinimum.
        where: Name of the value for the message.
    """
    if problem := _scalar_problem(value, schema):
        return f"{where} {problem}"
    if isinstance(value, dict):
        for key in schema.get("required", ()):
            if key not in value:
                return f"{where} has no {key!r}"
        for key, part in schema.get("properties", {}).items():
            if key in value and (
                problem := first_problem(value[key], part, key if where == "the file" else f"{where}.{key}")
            ):
                return problem
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict):
            for key in value.keys() - schema.get("properties", {}).keys():
                if problem := first_problem(value[key], rest, f"{where}.{key}"):
                    return problem
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return f"{where} has fewer than {schema['minItems']} entries"
        if "items" in schema:
            for index, item in enumerate(value):
                if problem := first_problem(item, schema["items"], f"{where}[{index}]"):
                    return problem
    return ""
