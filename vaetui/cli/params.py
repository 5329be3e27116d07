"""The name of a session as an argument of a command; it opens none."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class SessionNameType(click.types.StringParamType):
    """The name of a session, which the shell can complete."""

    name = "session"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """List the sessions that begin so."""
        from vaetui.storage import locations

        return [CompletionItem(name) for name in locations.session_names() if name.startswith(incomplete)]


session_argument = click.argument("session", type=SessionNameType())
