"""Click parameters shared by several commands."""

from __future__ import annotations

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


force_option = click.option("--force", is_flag=True, help="Overwrite an existing file.")
