"""Check values against the subset of JSON Schema that the documented outputs need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

KEYWORDS = {
    *("$schema", "title", "description", "type", "enum", "minimum", "maximum", "minItems", "maxItems"),
    *("properties", "required", "additionalProperties", "items", "anyOf"),
}
"""The keywords that are understood; a schema with another one is refused."""
TYPE_TESTS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def iter_problems(value: Any, schema: dict[str, Any], place: str = "$") -> Iterator[str]:
    """Yield where a JSON value differs from a schema, and how."""
    assert schema.keys() <= KEYWORDS, f"{place}: unknown keywords {schema.keys() - KEYWORDS}"
    if "anyOf" in schema:
        problems = [list(iter_problems(value, option, place)) for option in schema["anyOf"]]
        if all(problems):
            yield from min(problems, key=len)
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(TYPE_TESTS[name](value) for name in names):
            yield f"{place} is {value!r:.60} instead of {names}"
            return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value!r} instead of one of {schema['enum']}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{place} is {value}, out of range"
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{place} has {len(value)} items"
        for index, item in enumerate(value):
            yield from iter_problems(item, schema.get("items", {}), f"{place}[{index}]")
    elif isinstance(value, dict):
        yield from (f"{place} lacks {key}" for key in schema.get("required", ()) if key not in value)
        other_schema = schema.get("additionalProperties", {})
        for key, item in value.items():
            item_schema = schema.get("properties", {}).get(key, other_schema)
            if item_schema is False:
                yield f"{place} has the undocumented key {key}"
            else:
                yield from iter_problems(item, item_schema, f"{place}.{key}")
