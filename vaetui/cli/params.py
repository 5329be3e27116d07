"""Click parameters shared by several commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from vaetui.engine.config import Bounds

F = TypeVar("F", bound=Callable[..., Any])
MAX_PRINTED_BOUND = 100_000
"""Larger upper bounds are only there to catch mistakes; help does not print them."""


class SessionNameType(click.types.StringParamType):
    """The name of a session."""

    name = "session"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the sessions whose name starts with `incomplete`."""
        from vaetui.storage import locations

        return [CompletionItem(name) for name in locations.list_session_names() if name.startswith(incomplete)]


session_argument = click.argument("session", type=SessionNameType())


force_option = click.option("--force", is_flag=True, help="Overwrite an existing file.")


class BoundedNumberType(click.ParamType):  # type: ignore[type-arg]
    """A number in a range; `click.IntRange` would print bounds of up to 39 digits."""

    def __init__(self, bounds: Bounds) -> None:
        """Accept integers if the lower bound is one."""
        self._bounds = bounds
        self._number_type: click.ParamType = click.INT if isinstance(bounds.minimum, int) else click.FLOAT  # type: ignore[type-arg]
        self.name = "integer" if isinstance(bounds.minimum, int) else "number"

    def describe_range(self) -> str:
        """Return the range for help and messages."""
        if self._bounds.maximum > MAX_PRINTED_BOUND:
            return f"{self._bounds.minimum:g} or more"
        return f"{self._bounds.minimum:g} to {self._bounds.maximum:g}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = self._number_type.convert(value, param, ctx)
        if not self._bounds.minimum <= number <= self._bounds.maximum:  # also for NaN
            is_too_large = number > self._bounds.maximum > MAX_PRINTED_BOUND
            advice = "too large." if is_too_large else f"out of range; use {self.describe_range()}."
            self.fail(f"{value} is {advice}", param, ctx)
        return number


def bounded_option(*names: str, bounds: Bounds, help: str, **attributes: Any) -> Callable[[F], F]:
    """Return an option for a number in a range, which its help names; `attributes` are those of `click.option`."""
    number_type = BoundedNumberType(bounds)
    return click.option(*names, type=number_type, help=f"{help}  [{number_type.describe_range()}]", **attributes)
