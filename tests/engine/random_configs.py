"""Random values of the configuration, for tests."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Annotated, Any, Literal

from hypothesis import strategies as st

from vaetui.engine.config import Config


def configs() -> st.SearchStrategy[Config]:
    """Return a strategy of configurations with any valid value in each field."""
    return typing.cast(st.SearchStrategy[Config], _strategy_of(Config))


def _strategy_of(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return st.builds(typing.cast(type, hint), **{name: _strategy_of(item) for name, item in hints.items()})
    if origin is Annotated:
        number_type, bounds = arguments
        return (st.integers if number_type is int else st.floats)(bounds.minimum, bounds.maximum)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.tuples(*map(_strategy_of, arguments))
    if origin in (types.UnionType, typing.Union):
        return st.none() | _strategy_of(arguments[0])
    return st.booleans() if hint is bool else st.from_regex(r"[a-z]+(-[a-z0-9]+)?", fullmatch=True)
