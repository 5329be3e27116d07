"""A configuration as text and back, and what its numbers may be; it does not know what they are for."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Annotated, Literal

from vaetui.engine.config import Bounds, Config

T = typing.TypeVar("T")


def field_bounds(section: str, field_name: str) -> Bounds:
    """Tell what a number among the knobs may be turned to; `part` is the group that it stands in, "" for the whole."""
    hints = typing.get_type_hints(Config, include_extras=True)
    hint = typing.get_type_hints(hints[section], include_extras=True)[field_name] if section else hints[field_name]
    if typing.get_origin(hint) is not Annotated:
        hint = typing.get_args(hint)[0]  # may also be None
    found: Bounds = typing.get_args(hint)[1]
    return found


def to_json(config: Config) -> str:
    """Write a configuration as one JSON object."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def from_json(text: str) -> Config:
    """Read what `to_json` wrote; knobs that an older version did not know keep their defaults.

    Raises ValueError for what no knob can be turned to: the text may be a stranger's.
    """
    config = _build_config(Config, json.loads(text))
    if not config.recipe.replace("-", "").isalnum():
        raise ValueError("a recipe without a name")
    return config


def _build_config(config_type: type[T], values: typing.Any) -> T:
    if not isinstance(values, dict):
        raise ValueError(f"{config_type.__name__} is no object")
    hints = typing.get_type_hints(config_type, include_extras=True)
    return config_type(**{name: _coerce(name, hints[name], value) for name, value in values.items() if name in hints})


def _coerce(field_name: str, hint: typing.Any, value: typing.Any) -> typing.Any:
    """Give a value as its type wants it, or raise ValueError."""
    if dataclasses.is_dataclass(hint):
        return _build_config(typing.cast(type, hint), value)
    kind, parts = typing.get_origin(hint), typing.get_args(hint)
    if kind is tuple and isinstance(value, list) and len(value) == len(parts):
        return tuple(_coerce(field_name, part, each) for part, each in zip(parts, value, strict=True))
    if kind is types.UnionType or kind is typing.Union:
        return None if value is None else _coerce(field_name, parts[0], value)
    if kind is Literal and value in parts:
        return value
    if kind is Annotated:
        number, within = parts
        fits = type(value) in (int, number) and within.minimum <= value <= within.maximum
        if fits:
            return number(value)
    if hint in (str, bool) and type(value) is hint:
        return value
    raise ValueError(f"{field_name} cannot be {str(value)[:40]}")
