"""The configuration as JSON, and the bounds of its fields."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Annotated, Literal

from vaetui.engine.config import Bounds, Config

T = typing.TypeVar("T")


def get_field_bounds(section: str, field_name: str) -> Bounds:
    """Return the bounds of a numeric field; `section` is a field of Config, or "" for Config itself."""
    hints = typing.get_type_hints(Config, include_extras=True)
    hint = typing.get_type_hints(hints[section], include_extras=True)[field_name] if section else hints[field_name]
    if typing.get_origin(hint) is not Annotated:
        hint = typing.get_args(hint)[0]  # Annotated | None
    bounds: Bounds = typing.get_args(hint)[1]
    return bounds


def to_json(config: Config) -> str:
    """Return a configuration as one JSON object."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def from_json(text: str) -> Config:
    """Return the configuration that `to_json` wrote; missing fields get their defaults.

    The text may come from an untrusted file. Raises ValueError for unknown fields, wrong types and values out of
    bounds.
    """
    config = _build_config(Config, json.loads(text))
    if not config.recipe.replace("-", "").isalnum():
        raise ValueError("the recipe has no valid name")
    return config


def _build_config(config_type: type[T], values: typing.Any) -> T:
    if not isinstance(values, dict):
        raise ValueError(f"{config_type.__name__} is not a JSON object")
    hints = typing.get_type_hints(config_type, include_extras=True)
    if unknown := values.keys() - hints.keys():
        raise ValueError(f"{config_type.__name__} has no field {min(unknown)[:40]}")
    return config_type(**{name: _parse_field(name, hints[name], value) for name, value in values.items()})


def _parse_field(field_name: str, hint: typing.Any, value: typing.Any) -> typing.Any:
    """Return a JSON value as the type of its field, or raise ValueError."""
    if dataclasses.is_dataclass(hint):
        return _build_config(typing.cast(type, hint), value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and isinstance(value, list) and len(value) == len(arguments):
        return tuple(_parse_field(field_name, argument, item) for argument, item in zip(arguments, value, strict=True))
    if origin is types.UnionType or origin is typing.Union:  # a type or None
        return None if value is None else _parse_field(field_name, arguments[0], value)
    if origin is Literal and value in arguments:
        return value
    if origin is Annotated:
        number_type, bounds = arguments
        if type(value) in (int, number_type) and bounds.minimum <= value <= bounds.maximum:
            return number_type(value)
    if hint in (str, bool) and type(value) is hint:
        return value
    raise ValueError(f"{field_name} cannot be {str(value)[:40]}")
