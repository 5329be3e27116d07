"""Click parameters shared by several commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem


class SessionNameType(click.types.StringParamType):
    """The name of a session."""

    name = "session"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the sessions whose name starts with `incomplete`."""
        from vaetui.storage import locations

        return [CompletionItem(name) for name in locations.list_session_names() if name.startswith(incomplete)]


session_argument = click.argument("session", type=SessionNameType())


def build_format_option(formats: Sequence[str]) -> Callable[[Any], Any]:
    """Return the option for the format of the output, CSV by default."""
    return click.option(
        "--format", "format_name", type=click.Choice(formats), default="csv", help="Format of the output."
    )
